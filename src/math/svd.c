/*
 * svd.c
 *	  The singular value decomposition, and the polar factor.
 *
 * Householder reflections from both sides make the matrix bidiagonal, in blocks
 * as in eigen.c; implicit QR steps on the bidiagonal matrix do the rest (Golub
 * and Reinsch 1970). Both factors are products of reflections and rotations, so
 * their columns are orthonormal whatever the rank.
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

/*
 * What is taken for zero, as a part of the largest element. With less than this,
 * rounding may leave a step without effect, time and again.
 */
#define NEGLIGIBLE 0x1p-51

/* Two or three sweeps a value are usual; damaged numbers must not go on for ever. */
#define MAX_SWEEPS_PER_VALUE 60

/*
 * A bidiagonal matrix in the making, m x n with m >= n. The matrix in hand is
 * a - U X^T - Y V^T: the rows u[k], y[k] (m long) and x[k], v[k] (n long) hold
 * what the reflections of the block have done so far, the left ones u and the
 * right ones v. Both a and its transpose are kept up, so that all products are
 * with rows.
 */
typedef struct Reduction
{
	size_t		m;
	size_t		n;
	double	   *a;				/* m x n; row i < n becomes right reflector i */
	double	   *at;				/* n x m; row i becomes left reflector i */
	double	   *u;				/* [BLOCK][m], then y: [BLOCK][m] */
	double	   *y;
	double	   *x;				/* [BLOCK][n], then v: [BLOCK][n] */
	double	   *v;
	double	   *diagonal;		/* n */
	double	   *above;			/* n - 1, above the diagonal */
	double	   *left_tau;		/* n */
	double	   *right_tau;		/* n */
} Reduction;

/* A product of rows with a vector, for the team. */
typedef struct RowProduct
{
	const double *rows;			/* from their first element that counts */
	size_t		stride;
	size_t		length;
	const double *vector;
	double	   *out;
} RowProduct;

static void
multiply_rows(void *context, size_t begin, size_t end)
{
	const RowProduct *p = context;

	for (size_t row = begin; row < end; row++)
		p->out[row] = hx_kernels->dot_doubles(p->rows + row * p->stride, p->vector, p->length);
}

static void
scale_vector(double *x, double factor, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] *= factor;
}

/*
 * The left reflection of column i, number k of its block: u[k], and x[k] = tau
 * times the transpose of the matrix in hand times u[k], from column i + 1 on.
 */
static void
reduce_column(HxCompute *compute, Reduction *r, size_t i, size_t k)
{
	const size_t m = r->m;
	const size_t n = r->n;
	const size_t length = m - i;
	const size_t rest = n - i - 1;
	double	   *column = r->at + i * m;
	double	   *u = r->u + k * m;
	double	   *x = r->x + k * n;

	for (size_t j = 0; j < k; j++)
	{
		hx_add_multiple(column + i, -r->x[j * n + i], r->u + j * m + i, length);
		hx_add_multiple(column + i, -r->v[j * n + i], r->y + j * m + i, length);
	}
	r->diagonal[i] = hx_reflector(column + i, length, &r->left_tau[i]);
	memset(column, 0, i * sizeof(double));
	memcpy(u, column, m * sizeof(double));
	memset(x, 0, n * sizeof(double));
	if (r->left_tau[i] == 0)
		return;

	u += i;
	x += i + 1;
	hx_compute_run(compute, multiply_rows,
				   &(RowProduct) {r->at + (i + 1) * m + i, m, length, u, x}, rest, length);
	for (size_t j = 0; j < k; j++)
	{
		double		along_u = hx_kernels->dot_doubles(r->u + j * m + i, u, length);
		double		along_y = hx_kernels->dot_doubles(r->y + j * m + i, u, length);

		hx_add_multiple(x, -along_u, r->x + j * n + i + 1, rest);
		hx_add_multiple(x, -along_y, r->v + j * n + i + 1, rest);
	}
	scale_vector(x, r->left_tau[i], rest);
}

/*
 * The right reflection of row i, after its left one: v[k], and y[k] = tau times
 * the matrix in hand times v[k], from row i + 1 on.
 */
static void
reduce_row(HxCompute *compute, Reduction *r, size_t i, size_t k)
{
	const size_t m = r->m;
	const size_t n = r->n;
	const size_t length = n - i - 1;
	const size_t rest = m - i - 1;
	double	   *row = r->a + i * n;
	double	   *v = r->v + k * n;
	double	   *y = r->y + k * m;

	for (size_t j = 0; j <= k; j++)
	{
		hx_add_multiple(row + i + 1, -r->u[j * m + i], r->x + j * n + i + 1, length);
		if (j < k)
			hx_add_multiple(row + i + 1, -r->y[j * m + i], r->v + j * n + i + 1, length);
	}
	r->above[i] = hx_reflector(row + i + 1, length, &r->right_tau[i]);
	memset(row, 0, (i + 1) * sizeof(double));
	memcpy(v, row, n * sizeof(double));
	memset(y, 0, m * sizeof(double));
	if (r->right_tau[i] == 0)
		return;

	v += i + 1;
	y += i + 1;
	hx_compute_run(compute, multiply_rows,
				   &(RowProduct) {r->a + (i + 1) * n + i + 1, n, length, v, y}, rest, length);
	for (size_t j = 0; j <= k; j++)
	{
		double		along_x = hx_kernels->dot_doubles(r->x + j * n + i + 1, v, length);

		hx_add_multiple(y, -along_x, r->u + j * m + i + 1, rest);
		if (j < k)
		{
			double		along_v = hx_kernels->dot_doubles(r->v + j * n + i + 1, v, length);

			hx_add_multiple(y, -along_v, r->y + j * m + i + 1, rest);
		}
	}
	scale_vector(y, r->right_tau[i], rest);
}

/* Subtracts what a whole block has done, from row and column `first` on. */
static void
update_rest(HxCompute *compute, const Reduction *r, size_t first)
{
	const HxOperand uy = {.doubles = r->u + first, .stride = r->m, .negative = true};
	const HxOperand xv = {.doubles = r->x + first, .stride = r->n};
	const size_t rows = r->m - first;
	const size_t columns = r->n - first;

	hx_product(compute, &uy, &xv, rows, 2 * BLOCK, columns, r->a + first * r->n + first, r->n);
	hx_product(compute, &xv, &uy, columns, 2 * BLOCK, rows, r->at + first * r->m + first, r->m);
}

/* Golub and Van Loan 5.4.8, in blocks. */
static void
make_bidiagonal(HxCompute *compute, Reduction *r)
{
	r->u = hx_scratch(compute, 2 * BLOCK * r->m, sizeof(double));
	r->y = r->u + BLOCK * r->m;
	r->x = hx_scratch(compute, 2 * BLOCK * r->n, sizeof(double));
	r->v = r->x + BLOCK * r->n;

	for (size_t i = 0; i < r->n; i++)
	{
		reduce_column(compute, r, i, i % BLOCK);
		if (i + 1 == r->n)
			break;
		reduce_row(compute, r, i, i % BLOCK);
		if ((i + 1) % BLOCK == 0)
			update_rest(compute, r, i + 1);
	}
}

/*
 * The shift of rows first .. last: the eigenvalue of the last 2 x 2 part of B^T B
 * nearer to its last element; or 0, which makes the last row vanish where a
 * diagonal element did.
 */
static double
choose_shift(const double *d, const double *e, size_t first, size_t last, double negligible)
{
	const double above = last - 1 > first ? e[last - 2] : 0;
	const double upper = d[last - 1] * d[last - 1] + above * above;
	const double lower = d[last] * d[last] + e[last - 1] * e[last - 1];
	const double side = d[last - 1] * e[last - 1];
	const double half = (upper - lower) / 2;
	const double root = sqrt(half * half + side * side);

	for (size_t i = first; i <= last; i++)
		if (!(fabs(d[i]) > negligible))
			return 0;
	return lower - side * side / (half < 0 ? half - root : half + root);
}

/* One implicit QR step on rows first .. last (Golub and Van Loan 8.6.1). */
static void
sweep_bidiagonal(double *d, double *e, size_t first, size_t last, double shift,
				 HxTurn *left, HxTurn *right)
{
	double		x = shift == 0 ? d[first] : d[first] - shift / d[first];
	double		z = e[first];
	double		length;

	for (size_t k = first; k < last; k++, left++, right++)
	{
		double		next;

		*right = hx_turn(x, z, &length);
		if (k > first)
			e[k - 1] = length;
		x = right->c * d[k] + right->s * e[k];
		e[k] = right->c * e[k] - right->s * d[k];
		z = right->s * d[k + 1];
		d[k + 1] *= right->c;

		*left = hx_turn(x, z, &length);
		d[k] = length;
		x = left->c * e[k] + left->s * d[k + 1];
		d[k + 1] = left->c * d[k + 1] - left->s * e[k];
		next = k + 1 < last ? e[k + 1] : 0;
		z = left->s * next;
		if (k + 1 < last)
			e[k + 1] = left->c * next;
	}
	e[last - 1] = x;
}

static double
larger(double a, double b)
{
	return a > b ? a : b;
}

static double
largest_of(const double *x, size_t n)
{
	double		largest = 0;

	for (size_t i = 0; i < n; i++)
		largest = larger(largest, fabs(x[i]));
	return largest;
}

/* Makes the bidiagonal matrix diagonal; the rows of left and right become its singular vectors. */
static void
make_diagonal(double *d, double *e, size_t n, HxTurns *left, HxTurns *right)
{
	const double negligible = NEGLIGIBLE * larger(largest_of(d, n), largest_of(e, n - 1));
	size_t		last = n - 1;
	size_t		sweeps = n * MAX_SWEEPS_PER_VALUE;

	while (last > 0 && sweeps > 0)
	{
		size_t		first = last;
		double		shift;

		while (first > 0 && fabs(e[first - 1]) > negligible)
			first--;
		if (first == last)
		{
			last--;
			continue;
		}
		shift = choose_shift(d, e, first, last, negligible);
		sweep_bidiagonal(d, e, first, last, shift,
						 hx_turns_sweep(left, first, last - first),
						 hx_turns_sweep(right, first, last - first));
		sweeps--;
	}
	hx_turns_apply(left);
	hx_turns_apply(right);
}

/* The places of d's numbers in descending order of magnitude; equal ones stay in theirs. */
static void
sort_descending(const double *d, size_t n, size_t *order)
{
	for (size_t i = 0; i < n; i++)
	{
		size_t		at = i;

		for (; at > 0 && fabs(d[order[at - 1]]) < fabs(d[i]); at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

static void
negate_column(double *a, size_t n, size_t stride)
{
	for (size_t i = 0; i < n; i++)
		a[i * stride] = -a[i * stride];
}

/* Makes the largest component of each column of v (n x r) positive, with u (m x r) following. */
static void
fix_signs(HxCompute *compute, double *u, size_t m, double *v, size_t n, size_t r)
{
	for (size_t j = 0; j < r; j++)
	{
		double		largest = 0;

		for (size_t i = 0; i < n; i++)
			if (fabs(v[i * r + j]) > fabs(largest))
				largest = v[i * r + j];
		if (largest < 0)
		{
			negate_column(u + j, m, r);
			negate_column(v + j, n, r);
		}
		hx_compute_check(compute);
	}
}

/* The decomposition of r->a (m x n, m >= n), given with its transpose. */
static void
decompose(HxCompute *compute, Reduction *r, double *u, double *s, double *v)
{
	const size_t n = r->n;
	size_t	   *order = hx_scratch(compute, n, sizeof(size_t));
	HxTurns		left;
	HxTurns		right;

	r->diagonal = hx_scratch(compute, 4 * n, sizeof(double));
	r->above = r->diagonal + n;
	r->left_tau = r->above + n;
	r->right_tau = r->left_tau + n;

	make_bidiagonal(compute, r);
	hx_turns_init(&left, compute, n);
	hx_turns_init(&right, compute, n);
	make_diagonal(r->diagonal, r->above, n, &left, &right);

	sort_descending(r->diagonal, n, order);
	memset(u, 0, r->m * n * sizeof(double));
	for (size_t j = 0; j < n; j++)
	{
		s[j] = fabs(r->diagonal[order[j]]);
		hx_turns_row(&left, order[j], u + j, n);
		hx_turns_row(&right, order[j], v + j, n);
		if (r->diagonal[order[j]] < 0)
			negate_column(v + j, n, n);
		hx_compute_check(compute);
	}
	hx_reflect(compute, r->at, r->left_tau, n, r->m, u, n);
	hx_reflect(compute, r->a, r->right_tau, n - 1, n, v, n);
}

void
hx_svd(HxCompute *compute, double *a, size_t m, size_t n, double *u, double *s, double *v)
{
	const size_t rank = m < n ? m : n;
	const int	exponent = hx_largest_exponent(a, m * n);
	HxScratchMark mark = hx_scratch_mark(compute);
	double	   *at = hx_scratch(compute, m * n, sizeof(double));
	Reduction	r;

	hx_scale(a, m * n, -exponent);
	for (size_t i = 0; i < m; i++)
	{
		for (size_t j = 0; j < n; j++)
			at[j * m + i] = a[i * n + j];
		hx_compute_check(compute);
	}

	if (m >= n)
	{
		r = (Reduction) {.m = m, .n = n, .a = a, .at = at};
		decompose(compute, &r, u, s, v);
	}
	else
	{
		r = (Reduction) {.m = n, .n = m, .a = at, .at = a};
		decompose(compute, &r, v, s, u);
	}
	fix_signs(compute, u, m, v, n, rank);
	hx_scale(s, rank, exponent);
	hx_scratch_release(compute, mark);
}

void
hx_polar(HxCompute *compute, double *a, size_t n, double *q)
{
	HxScratchMark mark = hx_scratch_mark(compute);
	double	   *u = hx_scratch(compute, n * n, sizeof(double));
	double	   *v = hx_scratch(compute, n * n, sizeof(double));
	double	   *s = hx_scratch(compute, n, sizeof(double));

	hx_svd(compute, a, n, n, u, s, v);
	hx_multiply_bt(compute, u, v, n, n, n, q);
	hx_scratch_release(compute, mark);
}
