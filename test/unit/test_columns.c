/*
 * test_columns.c
 *	  A vector against the columns of a matrix: bit for bit the plain loop, at every
 *	  SIMD level.
 */
#include "unit.h"

#include <math.h>

#define MAX_ROWS 300
#define MAX_COLUMNS 800

static float matrix[MAX_ROWS * MAX_COLUMNS + 1];
static float vector[MAX_ROWS + 1];
static float bias[MAX_COLUMNS + 1];

/* Numbers of many sizes: sums that round differently in any other order. */
static float
wild_float(void)
{
	return ldexpf((float) unit_uniform(), (int) unit_below(40) - 20);
}

static void
fill(void)
{
	for (size_t i = 0; i < sizeof(matrix) / sizeof(float); i++)
		matrix[i] = wild_float();
	for (size_t i = 0; i < sizeof(vector) / sizeof(float); i++)
		vector[i] = wild_float();
	for (size_t i = 0; i < sizeof(bias) / sizeof(float); i++)
		bias[i] = wild_float();
}

/* volatile: each product and each sum is rounded to a float. */
static float
naive_product(const float *w, size_t n, size_t m, const float *x, const float *start, size_t j)
{
	volatile float sum = start != NULL ? start[j] : 0;

	for (size_t i = 0; i < n; i++)
	{
		volatile float product = w[i * m + j] * x[i];

		sum = sum + product;
	}
	return sum;
}

static float
naive_distance(const float *w, size_t n, size_t m, const float *x, size_t j)
{
	volatile float sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		volatile float difference = w[i * m + j] - x[i];
		volatile float square = difference * difference;

		sum = sum + square;
	}
	return sum;
}

/* One shape; the arrays begin off any alignment when `off` is 1. */
static void
check_shape(const HxKernels *kernels, size_t n, size_t m, size_t off)
{
	const float *w = matrix + off;
	const float *x = vector + off;
	float		expected[3][MAX_COLUMNS];
	float		out[MAX_COLUMNS + 3];
	const char *level = hx_kernel_level_name(kernels->level);

	for (size_t j = 0; j < m; j++)
	{
		expected[0][j] = naive_product(w, n, m, x, bias + off, j);
		expected[1][j] = naive_product(w, n, m, x, NULL, j);
		expected[2][j] = naive_distance(w, n, m, x, j);
	}
	for (int which = 0; which < 3; which++)
	{
		for (size_t j = 0; j < m + 3; j++)
			out[j] = 12345;
		if (which == 2)
			kernels->column_distances(w, n, m, x, out + off);
		else
			kernels->matvec(w, n, m, x, which == 0 ? bias + off : NULL, out + off);
		CHECK(memcmp(out + off, expected[which], m * sizeof(float)) == 0,
			  "%s, %zu x %zu, sort %d", level, n, m, which);
		CHECK((off == 0 || out[0] == 12345) && out[off + m] == 12345 && out[off + m + 1] == 12345,
			  "%s, %zu x %zu, sort %d: written outside", level, n, m, which);
	}
}

static void
widths_at(const HxKernels *kernels)
{
	fill();
	for (size_t m = 1; m <= 330; m++)
		check_shape(kernels, 7, m, m % 2);
	check_shape(kernels, MAX_ROWS, MAX_COLUMNS, 0);
	check_shape(kernels, 1, MAX_COLUMNS - 1, 1);
}

static void
widths(void)
{
	unit_each_level(widths_at);
}

static void
depths_at(const HxKernels *kernels)
{
	fill();
	for (size_t n = 0; n <= MAX_ROWS; n += n < 20 ? 1 : 31)
	{
		check_shape(kernels, n, 16, 1);
		check_shape(kernels, n, 100, 0);
	}
}

static void
depths(void)
{
	unit_each_level(depths_at);
}

/* Nothing outside is read: arrays as large as needed, for AddressSanitizer to watch. */
static void
bounds_at(const HxKernels *kernels)
{
	for (size_t m = 1; m <= 40; m++)
	{
		float	   *w = unit_alloc(5 * m * sizeof(float));
		float	   *x = unit_alloc(5 * sizeof(float));
		float	   *out = unit_alloc(m * sizeof(float));

		memcpy(w, matrix, 5 * m * sizeof(float));
		memcpy(x, vector, 5 * sizeof(float));
		kernels->matvec(w, 5, m, x, NULL, out);
		CHECK(out[m - 1] == naive_product(w, 5, m, x, NULL, m - 1), "%zu columns", m);
		kernels->column_distances(w, 5, m, x, out);
		CHECK(out[m - 1] == naive_distance(w, 5, m, x, m - 1), "%zu columns", m);
		free(w);
		free(x);
		free(out);
	}
}

static void
bounds(void)
{
	fill();
	unit_each_level(bounds_at);
}

int
main(void)
{
	RUN(widths);
	RUN(depths);
	RUN(bounds);
	return unit_summary();
}
