/*
 * householder.c
 *	  Householder reflections, singly and in blocks.
 *
 * A block of reflections is I - V T V^T with a small triangular T (Schreiber and
 * Van Loan 1989), so that applying it is two products of matrices.
 */
#include "math/householder.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/product.h"

#define BLOCK 32

/* Below this, sums of squares may have lost digits to underflow. */
#define TINY_SQUARE 0x1p-900

void
hx_add_multiple(double *y, double factor, const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += factor * x[i];
}

double
hx_reflector(double *x, size_t n, double *tau)
{
	const double first = x[0];
	const double rest = hx_kernels->dot_doubles(x + 1, x + 1, n - 1);
	double		beta;

	x[0] = 1;
	*tau = 0;
	if (rest < TINY_SQUARE)
	{
		memset(x + 1, 0, (n - 1) * sizeof(double));
		return first;
	}

	/* The sign that makes first - beta a sum. */
	beta = sqrt(first * first + rest);
	if (first > 0)
		beta = -beta;
	*tau = (beta - first) / beta;
	for (size_t i = 1; i < n; i++)
		x[i] /= first - beta;
	return beta;
}

/* Minus T (BLOCK x BLOCK, upper triangular) of `count` reflections, whose vectors are rows of v. */
static void
make_triangle(const double *v, size_t stride, const double *tau, size_t count, double *t)
{
	memset(t, 0, BLOCK * BLOCK * sizeof(double));
	for (size_t j = 0; j < count; j++)
	{
		double		overlap[BLOCK];

		for (size_t i = 0; i < j; i++)
			overlap[i] = hx_kernels->dot_doubles(v + i * stride, v + j * stride, stride);
		for (size_t i = 0; i < j; i++)
		{
			const double *row = t + i * BLOCK;

			t[i * BLOCK + j] = -tau[j] * hx_kernels->dot_doubles(row + i, overlap + i, j - i);
		}
		t[j * BLOCK + j] = -tau[j];
	}
}

/* Applies the reflections [begin, begin + count) at once; they touch rows from `begin` on. */
static void
reflect_block(HxCompute *compute, const double *reflectors, const double *tau,
			  size_t begin, size_t count, size_t n, double *z, size_t m)
{
	const double *v = reflectors + begin * n;
	double	   *rows = z + begin * m;
	HxScratchMark mark = hx_scratch_mark(compute);
	double	   *t = hx_scratch(compute, BLOCK * BLOCK, sizeof(double));
	double	   *vz = hx_scratch(compute, BLOCK * m, sizeof(double));
	double	   *tvz = hx_scratch(compute, BLOCK * m, sizeof(double));
	const HxOperand v_rows = {.doubles = v + begin, .stride = n, .lines_are_rows = true};
	const HxOperand v_columns = {.doubles = v + begin, .stride = n};
	const HxOperand t_rows = {.doubles = t, .stride = BLOCK, .lines_are_rows = true};
	const HxOperand z_columns = {.doubles = rows, .stride = m};
	const HxOperand vz_columns = {.doubles = vz, .stride = m};
	const HxOperand tvz_columns = {.doubles = tvz, .stride = m};

	make_triangle(v, n, tau + begin, count, t);
	memset(vz, 0, BLOCK * m * sizeof(double));
	memset(tvz, 0, BLOCK * m * sizeof(double));
	hx_product(compute, &v_rows, &z_columns, count, n - begin, m, vz, m);
	hx_product(compute, &t_rows, &vz_columns, count, count, m, tvz, m);
	hx_product(compute, &v_columns, &tvz_columns, n - begin, count, m, rows, m);
	hx_scratch_release(compute, mark);
}

void
hx_reflect(HxCompute *compute, const double *reflectors, const double *tau, size_t count,
		   size_t n, double *z, size_t m)
{
	size_t		end = count;

	while (end > 0)
	{
		size_t		begin = (end - 1) / BLOCK * BLOCK;

		reflect_block(compute, reflectors, tau, begin, end - begin, n, z, m);
		end = begin;
	}
}
