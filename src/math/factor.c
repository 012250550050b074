/*
 * factor.c
 *	  Cholesky factors, triangular systems and random orthogonal matrices.
 */
#include "math/matrix.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/normal.h"
#include "math/product.h"

/* Columns of a right side that are solved for side by side. */
#define STRIP 16

/* Rows that are made orthogonal to all earlier rows by one product. */
#define BLOCK 32

typedef struct Factor
{
	double	   *a;
	size_t		n;
	size_t		column;			/* in hand */
} Factor;

/* Over rows below the diagonal: the elements of the column in hand. */
static void
factor_rows(void *context, size_t begin, size_t end)
{
	const Factor *f = context;
	const size_t j = f->column;
	const double *pivot = f->a + j * f->n;

	for (size_t i = j + 1 + begin; i < j + 1 + end; i++)
	{
		double	   *row = f->a + i * f->n;

		row[j] = (row[j] - hx_kernels->dot_doubles(row, pivot, j)) / pivot[j];
	}
}

bool
hx_cholesky(HxCompute *compute, double *a, size_t n)
{
	Factor		f = {.a = a, .n = n};

	for (size_t j = 0; j < n; j++)
	{
		double	   *pivot = a + j * n;
		double		square = pivot[j] - hx_kernels->dot_doubles(pivot, pivot, j);

		/* Not a number is refused too. */
		if (!(square > 0))
			return false;
		pivot[j] = sqrt(square);
		memset(pivot + j + 1, 0, (n - j - 1) * sizeof(double));
		f.column = j;
		hx_compute_run(compute, factor_rows, &f, n - j - 1, j + 1);
	}
	return true;
}

typedef struct Solve
{
	const double *l;
	size_t		n;
	bool		transposed;
	double	   *b;				/* n x m */
	size_t		m;
	double	   *strips;			/* [strip][n][STRIP] */
} Solve;

/* y -= factor * x. */
static inline void
subtract_strip(double *y, double factor, const double *x)
{
	for (int c = 0; c < STRIP; c++)
		y[c] -= factor * x[c];
}

static inline void
divide_strip(double *y, double divisor)
{
	for (int c = 0; c < STRIP; c++)
		y[c] /= divisor;
}

static void
solve_strip(const Solve *s, double *x)
{
	const double *l = s->l;
	const size_t n = s->n;

	if (!s->transposed)
	{
		for (size_t i = 0; i < n; i++)
		{
			for (size_t j = 0; j < i; j++)
				subtract_strip(x + i * STRIP, l[i * n + j], x + j * STRIP);
			divide_strip(x + i * STRIP, l[i * n + i]);
		}
		return;
	}

	/* From the last row up; each row found is taken out of those above it. */
	for (size_t i = n; i-- > 0;)
	{
		divide_strip(x + i * STRIP, l[i * n + i]);
		for (size_t j = 0; j < i; j++)
			subtract_strip(x + j * STRIP, l[i * n + j], x + i * STRIP);
	}
}

/* Over strips of columns of B. */
static void
solve_strips(void *context, size_t begin, size_t end)
{
	const Solve *s = context;

	for (size_t strip = begin; strip < end; strip++)
	{
		double	   *x = s->strips + strip * s->n * STRIP;
		double	   *b = s->b + strip * STRIP;
		size_t		width = s->m - strip * STRIP < STRIP ? s->m - strip * STRIP : STRIP;

		memset(x, 0, s->n * STRIP * sizeof(double));
		for (size_t i = 0; i < s->n; i++)
			memcpy(x + i * STRIP, b + i * s->m, width * sizeof(double));
		solve_strip(s, x);
		for (size_t i = 0; i < s->n; i++)
			memcpy(b + i * s->m, x + i * STRIP, width * sizeof(double));
	}
}

static void
solve_system(HxCompute *compute, const double *l, size_t n, double *b, size_t m, bool transposed)
{
	const size_t strips = (m + STRIP - 1) / STRIP;
	HxScratchMark mark = hx_scratch_mark(compute);
	Solve		s = {.l = l, .n = n, .transposed = transposed, .b = b, .m = m};

	s.strips = hx_scratch(compute, strips * n * STRIP, sizeof(double));
	hx_compute_run(compute, solve_strips, &s, strips, n * n * STRIP);
	hx_scratch_release(compute, mark);
}

void
hx_solve_lower(HxCompute *compute, const double *l, size_t n, double *b, size_t m)
{
	solve_system(compute, l, n, b, m, false);
}

void
hx_solve_lower_transposed(HxCompute *compute, const double *l, size_t n, double *b, size_t m)
{
	solve_system(compute, l, n, b, m, true);
}

/*
 * Takes out of rows [begin, begin + count) of q what they have in common with
 * the rows before them.
 */
static void
project_out(HxCompute *compute, double *q, size_t n, size_t begin, size_t count)
{
	HxScratchMark mark = hx_scratch_mark(compute);
	double	   *overlap = hx_scratch(compute, count * begin, sizeof(double));
	double	   *block = q + begin * n;
	const HxOperand block_rows = {.doubles = block, .stride = n, .lines_are_rows = true};
	const HxOperand done_rows = {.doubles = q, .stride = n, .lines_are_rows = true};
	const HxOperand done_columns = {.doubles = q, .stride = n};
	const HxOperand overlaps = {.doubles = overlap, .stride = begin, .lines_are_rows = true,
							  .negative = true};

	memset(overlap, 0, count * begin * sizeof(double));
	hx_product(compute, &block_rows, &done_rows, count, n, begin, overlap, begin);
	hx_product(compute, &overlaps, &done_columns, count, begin, n, block, n);
	hx_scratch_release(compute, mark);
}

/* Gram and Schmidt's method among the rows of a block. */
static void
orthonormalise_block(double *block, size_t n, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		double	   *row = block + i * n;
		double		length;

		for (size_t j = 0; j < i; j++)
		{
			const double *other = block + j * n;
			double		overlap = hx_kernels->dot_doubles(row, other, n);

			for (size_t k = 0; k < n; k++)
				row[k] -= overlap * other[k];
		}
		length = sqrt(hx_kernels->dot_doubles(row, row, n));
		for (size_t k = 0; k < n; k++)
			row[k] /= length;
	}
}

void
hx_random_orthogonal(HxCompute *compute, uint64_t seed, size_t n, double *q)
{
	for (size_t i = 0; i < n; i++)
	{
		for (size_t j = 0; j < n; j++)
			q[i * n + j] = hx_normal(seed, i, (uint32_t) j);
		hx_compute_check(compute);
	}

	/* Once is not enough, twice is (Giraud, Langou, Rozloznik, van den Eshof 2005). */
	for (size_t begin = 0; begin < n; begin += BLOCK)
	{
		size_t		count = n - begin < BLOCK ? n - begin : BLOCK;

		for (int round = 0; round < 2; round++)
		{
			project_out(compute, q, n, begin, count);
			orthonormalise_block(q + begin * n, n, count);
		}
	}
}
