/*
 * itq.c
 *	  Iterative quantisation: the rotation that brings numbers nearest to their signs.
 */
#include "hash/itq.h"

#include "kernel/target.h"
#include "math/matrix.h"

/* Rows beyond these change the recall of the codes by less than the seed does. */
#define ENOUGH_ROWS 10000
#define ENOUGH_ROWS_A_BIT 10

size_t
hx_itq_rows(size_t count, size_t m)
{
	const size_t enough = m * ENOUGH_ROWS_A_BIT > ENOUGH_ROWS ? m * ENOUGH_ROWS_A_BIT : ENOUGH_ROWS;

	return count < enough ? count : enough;
}

/* Replaces numbers by their signs, 1 or -1; returns the sum of the magnitudes. */
static double
take_signs(double *x, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		sum += x[i] > 0 ? x[i] : -x[i];
		x[i] = x[i] > 0 ? 1 : -1;
	}
	return sum;
}

/* take_signs() over the rows of a matrix, with the caller's check now and then. */
static double
take_signs_of_rows(HxCompute *compute, double *x, size_t count, size_t m)
{
	const size_t step = 1 + (1 << 22) / m;
	double		sum = 0;

	for (size_t row = 0; row < count; row += step)
	{
		sum += take_signs(&x[row * m], (count - row < step ? count - row : step) * m);
		if (compute->check != NULL)
			compute->check(compute->check_context);
	}
	return sum;
}

void
hx_itq_rotation(HxCompute *compute, const double *v, size_t count, size_t m,
				int iterations, uint64_t seed, double *rotation)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *rotated = hx_scratch(compute, count * m, sizeof(double));
	double	   *product = hx_scratch(compute, m * m, sizeof(double));
	double		best = -1;

	hx_random_orthogonal(compute, seed, m, rotation);
	for (int i = 0; i < iterations; i++)
	{
		double		sum;

		/* |B - V R|^2 = |B|^2 + |V|^2 - 2 sum |V R|: the loss falls as this sum rises. */
		hx_multiply(compute, v, rotation, count, m, m, rotated);
		sum = take_signs_of_rows(compute, rotated, count, m);
		if (sum <= best)
			break;
		best = sum;

		hx_multiply_at(compute, v, rotated, m, count, m, product);
		hx_polar(compute, product, m, rotation);
	}
	hx_scratch_release(compute, mark);
}
