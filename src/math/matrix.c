/*
 * matrix.c
 *	  Means, variances, rows at length 1, covariances, products and projections.
 */
#include "math/matrix.h"

#include <math.h>
#include <string.h>

#include "kernel/target.h"
#include "math/product.h"

/* Columns are summed up in strips, and rows in chunks between checks. */
#define STRIP 64
#define CHUNK_ROWS 4096

/* What adding a float to a double takes, of additions. */
#define COST_OF_SUM 8

/* Sums over columns: of the numbers, or of their squared differences from a mean. */
typedef struct ColumnSums
{
	const float *rows;			/* the chunk in hand */
	size_t		count;
	size_t		d;
	const double *mean;			/* or NULL */
	double	   *sum;
} ColumnSums;

/* Over strips of columns. */
static void
sum_columns(void *context, size_t begin, size_t end)
{
	const ColumnSums *sums = context;

	for (size_t strip = begin; strip < end; strip++)
	{
		size_t		first = strip * STRIP;
		size_t		last = sums->d - first < STRIP ? sums->d : first + STRIP;

		for (size_t row = 0; row < sums->count; row++)
		{
			const float *x = sums->rows + row * sums->d;

			if (sums->mean == NULL)
			{
				for (size_t j = first; j < last; j++)
					sums->sum[j] += x[j];
			}
			else
			{
				for (size_t j = first; j < last; j++)
					sums->sum[j] += (x[j] - sums->mean[j]) * (x[j] - sums->mean[j]);
			}
		}
	}
}

/* Column by column the mean of what ColumnSums adds up. */
static void
average_columns(HxCompute *compute, const float *rows, size_t count, size_t d,
				const double *mean, double *average)
{
	ColumnSums	sums = {.d = d, .mean = mean, .sum = average};

	memset(average, 0, d * sizeof(double));
	for (size_t row = 0; row < count; row += sums.count)
	{
		sums.rows = rows + row * d;
		sums.count = count - row < CHUNK_ROWS ? count - row : CHUNK_ROWS;
		hx_compute_run(compute, sum_columns, &sums, (d + STRIP - 1) / STRIP,
					   sums.count * STRIP * COST_OF_SUM);
	}
	for (size_t j = 0; j < d; j++)
		average[j] /= (double) count;
}

void
hx_mean(HxCompute *compute, const float *rows, size_t count, size_t d, double *mean)
{
	average_columns(compute, rows, count, d, NULL, mean);
}

void
hx_variances(HxCompute *compute, const float *rows, size_t count, size_t d, const double *mean,
			 double *variances)
{
	average_columns(compute, rows, count, d, mean, variances);
}

typedef struct UnitRows
{
	const float *rows;
	const double *mean;
	size_t		d;
	float	   *out;
} UnitRows;

static void
make_unit_rows(void *context, size_t begin, size_t end)
{
	const UnitRows *work = context;

	for (size_t row = begin; row < end; row++)
	{
		const float *x = work->rows + row * work->d;
		float	   *out = work->out + row * work->d;
		double		square = 0;
		double		length;

		for (size_t i = 0; i < work->d; i++)
		{
			out[i] = (float) (x[i] - work->mean[i]);
			square += (double) out[i] * out[i];
		}
		length = sqrt(square);
		for (size_t i = 0; i < work->d && square > 0; i++)
			out[i] = (float) (out[i] / length);
	}
}

void
hx_unit_rows(HxCompute *compute, const float *rows, size_t count, size_t d, const double *mean,
			 float *out)
{
	UnitRows	work = {rows, mean, d, out};

	hx_compute_run(compute, make_unit_rows, &work, count, d * 8);
}

/* C = A B, or that divided by `divisor`. */
static void
multiply_anew(HxCompute *compute, const HxOperand *a, const HxOperand *b,
			  size_t m, size_t depth, size_t n, double divisor, double *c)
{
	memset(c, 0, m * n * sizeof(double));
	hx_product(compute, a, b, m, depth, n, c, n);
	if (divisor != 1)
		for (size_t i = 0; i < m * n; i++)
			c[i] /= divisor;
}

void
hx_covariance(HxCompute *compute, const float *rows, size_t count, size_t d,
			  const double *mean, double *covariance)
{
	const HxOperand columns = {.floats = rows, .stride = d, .mean = mean};

	multiply_anew(compute, &columns, &columns, d, count, d, (double) count, covariance);
}

void
hx_cross_covariance(HxCompute *compute, const float *x, size_t dx, const double *mean_x,
					const float *y, size_t dy, const double *mean_y,
					size_t count, double *covariance)
{
	const HxOperand x_columns = {.floats = x, .stride = dx, .mean = mean_x};
	const HxOperand y_columns = {.floats = y, .stride = dy, .mean = mean_y};

	multiply_anew(compute, &x_columns, &y_columns, dx, count, dy, (double) count, covariance);
}

void
hx_multiply(HxCompute *compute, const double *a, const double *b,
			size_t m, size_t k, size_t n, double *c)
{
	const HxOperand left = {.doubles = a, .stride = k, .lines_are_rows = true};
	const HxOperand right = {.doubles = b, .stride = n};

	multiply_anew(compute, &left, &right, m, k, n, 1, c);
}

void
hx_multiply_at(HxCompute *compute, const double *a, const double *b,
			   size_t m, size_t k, size_t n, double *c)
{
	const HxOperand left = {.doubles = a, .stride = m};
	const HxOperand right = {.doubles = b, .stride = n};

	multiply_anew(compute, &left, a == b && m == n ? &left : &right, m, k, n, 1, c);
}

void
hx_multiply_bt(HxCompute *compute, const double *a, const double *b,
			   size_t m, size_t k, size_t n, double *c)
{
	const HxOperand left = {.doubles = a, .stride = k, .lines_are_rows = true};
	const HxOperand right = {.doubles = b, .stride = k, .lines_are_rows = true};

	multiply_anew(compute, &left, a == b && m == n ? &left : &right, m, k, n, 1, c);
}

void
hx_project(HxCompute *compute, const float *rows, size_t count, size_t d,
		   const double *mean, const double *w, size_t m, double *out)
{
	const HxOperand left = {.floats = rows, .stride = d, .lines_are_rows = true, .mean = mean};
	const HxOperand right = {.doubles = w, .stride = m};

	multiply_anew(compute, &left, &right, count, d, m, 1, out);
}
