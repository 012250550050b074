/*
 * eigen.c
 *	  Eigenvalues and eigenvectors of a symmetric matrix.
 *
 * Householder reflections make the matrix tridiagonal, implicit QR steps make
 * that diagonal. The reflections of a block of columns are collected, and the
 * rest of the matrix is updated by one product; within the block, what the
 * update would change is corrected for.
 */
#include "math/matrix.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/householder.h"
#include "math/product.h"
#include "math/scale.h"
#include "math/turns.h"

#define BLOCK 32
#define EPSILON 0x1p-53

/*
 * No matrix is known to need even 3 sweeps an eigenvalue; damaged numbers must
 * not go on for ever.
 */
#define MAX_SWEEPS_PER_VALUE 60

/*
 * A tridiagonal matrix in the making. The matrix in hand is a - V W^T - W V^T, where
 * the rows v[k] and w[k] are the columns of V and W, one pair for each column of
 * the block that is done.
 */
typedef struct Reduction
{
	size_t		n;
	double	   *a;				/* n x n; row j becomes reflector j */
	double	   *v;				/* [BLOCK][n], and after w once more */
	double	   *w;				/* [BLOCK][n] */
	double	   *diagonal;		/* n */
	double	   *beside;			/* n - 1, beside the diagonal */
	double	   *tau;			/* n */
	size_t		column;			/* for multiply_rows: */
	const double *vector;		/* a reflector, */
	double	   *product;		/* and a times it */
} Reduction;

/* Over rows below the column in hand. */
static void
multiply_rows(void *context, size_t begin, size_t end)
{
	const Reduction *r = context;
	const size_t first = r->column + 1;

	for (size_t row = first + begin; row < first + end; row++)
		r->product[row] = hx_kernels->dot_doubles(r->a + row * r->n + first, r->vector + first,
												  r->n - first);
}

/*
 * Reduces column j, number k of its block: finds its reflection, and the pair
 * (v, w) by which the reflection from both sides changes the matrix.
 */
static void
reduce_column(HxCompute *compute, Reduction *r, size_t j, size_t k)
{
	const size_t n = r->n;
	const size_t rest = n - j - 1;
	double	   *row = r->a + j * n;
	double	   *v = r->v + k * n;
	double	   *w = r->w + k * n;

	/* By symmetry, the row is the column. */
	for (size_t i = 0; i < k; i++)
	{
		hx_add_multiple(row + j, -r->v[i * n + j], r->w + i * n + j, n - j);
		hx_add_multiple(row + j, -r->w[i * n + j], r->v + i * n + j, n - j);
	}
	r->diagonal[j] = row[j];
	r->tau[j] = 0;
	memset(row, 0, (j + 1) * sizeof(double));
	if (rest == 0)
		return;
	r->beside[j] = hx_reflector(row + j + 1, rest, &r->tau[j]);
	memcpy(v, row, n * sizeof(double));
	memset(w, 0, n * sizeof(double));
	if (r->tau[j] == 0)
	{
		memset(v, 0, n * sizeof(double));
		return;
	}

	r->column = j;
	r->vector = v;
	r->product = w;
	hx_compute_run(compute, multiply_rows, r, rest, rest);

	v += j + 1;
	w += j + 1;
	for (size_t i = 0; i < k; i++)
	{
		const double *vi = r->v + i * n + j + 1;
		const double *wi = r->w + i * n + j + 1;
		double		along_w = hx_kernels->dot_doubles(wi, v, rest);
		double		along_v = hx_kernels->dot_doubles(vi, v, rest);

		hx_add_multiple(w, -along_w, vi, rest);
		hx_add_multiple(w, -along_v, wi, rest);
	}
	for (size_t i = 0; i < rest; i++)
		w[i] *= r->tau[j];
	hx_add_multiple(w, -r->tau[j] / 2 * hx_kernels->dot_doubles(w, v, rest), v, rest);
}

/* Subtracts the pairs of a whole block from the rows and columns from `first` on. */
static void
update_rest(HxCompute *compute, const Reduction *r, size_t first)
{
	const size_t n = r->n;
	const HxOperand vw = {.doubles = r->v + first, .stride = n, .negative = true};
	const HxOperand wv = {.doubles = r->w + first, .stride = n};

	memcpy(r->w + BLOCK * n, r->v, BLOCK * n * sizeof(double));
	hx_product(compute, &vw, &wv, n - first, 2 * BLOCK, n - first, r->a + first * n + first, n);
}

/* Golub and Van Loan 8.3.1, in blocks. */
static void
make_tridiagonal(HxCompute *compute, Reduction *r)
{
	r->v = hx_scratch(compute, 3 * BLOCK * r->n, sizeof(double));
	r->w = r->v + BLOCK * r->n;

	for (size_t j = 0; j < r->n; j++)
	{
		reduce_column(compute, r, j, j % BLOCK);
		if ((j + 1) % BLOCK == 0 && j + 1 < r->n)
			update_rest(compute, r, j + 1);
	}
}

/*
 * Whether the element beside d[i] and d[i + 1] may be taken for zero. Not a
 * number counts as such.
 */
static bool
is_negligible(const double *d, const double *e, size_t i)
{
	return !(fabs(e[i]) > EPSILON * (fabs(d[i]) + fabs(d[i + 1])) + EPSILON * EPSILON);
}

/* The eigenvalue of the last 2 x 2 matrix that is nearer to its last element (Wilkinson). */
static double
choose_shift(const double *d, const double *e, size_t last)
{
	const double side = e[last - 1];
	const double half = (d[last - 1] - d[last]) / 2;
	const double root = sqrt(half * half + side * side);

	return d[last] - side * side / (half < 0 ? half - root : half + root);
}

/* One implicit QR step on rows first .. last (Golub and Van Loan 8.3.2). */
static void
sweep_tridiagonal(double *d, double *e, size_t first, size_t last, HxTurn *turn)
{
	double		x = d[first] - choose_shift(d, e, last);
	double		z = e[first];

	for (size_t k = first; k < last; k++, turn++)
	{
		double		length;
		const HxTurn t = hx_turn(x, z, &length);
		const double c = t.c;
		const double s = t.s;
		const double gap = d[k + 1] - d[k];
		const double change = s * (s * gap + 2 * c * e[k]);

		if (k > first)
			e[k - 1] = length;
		e[k] = c * (s * gap + c * e[k]) - s * s * e[k];
		d[k] += change;
		d[k + 1] -= change;
		if (k + 1 < last)
		{
			x = e[k];
			z = s * e[k + 1];
			e[k + 1] *= c;
		}
		*turn = t;
	}
}

/* Makes the tridiagonal matrix diagonal; the rows of `turns` become its eigenvectors. */
static void
make_diagonal(double *d, double *e, size_t n, HxTurns *turns)
{
	size_t		last = n - 1;
	size_t		sweeps = n * MAX_SWEEPS_PER_VALUE;

	while (last > 0 && sweeps > 0)
	{
		size_t		first = last;

		while (first > 0 && !is_negligible(d, e, first - 1))
			first--;
		if (first == last)
		{
			last--;
			continue;
		}
		sweep_tridiagonal(d, e, first, last, hx_turns_sweep(turns, first, last - first));
		sweeps--;
	}
	hx_turns_apply(turns);
}

/* The places of d's numbers in descending order; equal ones stay in theirs. */
static void
sort_descending(const double *d, size_t n, size_t *order)
{
	for (size_t i = 0; i < n; i++)
	{
		size_t		at = i;

		for (; at > 0 && d[order[at - 1]] < d[i]; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

/* Makes the largest component of each column positive. */
static void
fix_signs(HxCompute *compute, double *vectors, size_t n, size_t m)
{
	for (size_t j = 0; j < m; j++)
	{
		double		largest = 0;

		for (size_t i = 0; i < n; i++)
			if (fabs(vectors[i * m + j]) > fabs(largest))
				largest = vectors[i * m + j];
		if (largest < 0)
			for (size_t i = 0; i < n; i++)
				vectors[i * m + j] = -vectors[i * m + j];
		hx_compute_check(compute);
	}
}

void
hx_eigen_symmetric(HxCompute *compute, double *matrix, size_t d, size_t m,
				   double *values, double *vectors)
{
	const int	exponent = hx_largest_exponent(matrix, d * d);
	HxScratchMark mark = hx_scratch_mark(compute);
	Reduction	r = {.n = d, .a = matrix};
	size_t	   *order = hx_scratch(compute, d, sizeof(size_t));
	HxTurns		turns;

	r.diagonal = hx_scratch(compute, d, sizeof(double));
	r.beside = hx_scratch(compute, d, sizeof(double));
	r.tau = hx_scratch(compute, d, sizeof(double));

	hx_scale(matrix, d * d, -exponent);
	make_tridiagonal(compute, &r);
	hx_turns_init(&turns, compute, d);
	make_diagonal(r.diagonal, r.beside, d, &turns);

	sort_descending(r.diagonal, d, order);
	for (size_t j = 0; j < m; j++)
	{
		values[j] = r.diagonal[order[j]];
		hx_turns_row(&turns, order[j], vectors + j, m);
		hx_compute_check(compute);
	}
	hx_reflect(compute, matrix, r.tau, d, d, vectors, m);
	fix_signs(compute, vectors, d, m);
	hx_scale(values, m, exponent);
	hx_scratch_release(compute, mark);
}
