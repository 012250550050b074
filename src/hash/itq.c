/*
 * itq.c
 *	  Iterative quantisation: the rotation that brings numbers nearest to their signs.
 */
#include "hash/itq.h"

#include <string.h>

#include "hash/phase.h"
#include "kernel/target.h"
#include "math/matrix.h"

/* Rows beyond these change the recall of the codes by less than the seed does. */
#define ENOUGH_ROWS 10000
#define ENOUGH_ROWS_A_BIT 10

/* Rows that are rotated at a time. */
#define BATCH_ROWS ((size_t) 1024)

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

/*
 * One round: B = sign(V R), row by row, and product = V^T B. Returns the sum of the
 * magnitudes of V R. In batches, as B would take as much memory as V.
 */
static double
multiply_signs(HxCompute *compute, const double *v, size_t count, size_t m,
			   const double *rotation, double *product)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *signs = hx_scratch(compute, BATCH_ROWS * m, sizeof(double));
	double	   *part = hx_scratch(compute, m * m, sizeof(double));
	double		sum = 0;

	memset(product, 0, m * m * sizeof(double));
	for (size_t row = 0; row < count; row += BATCH_ROWS)
	{
		const size_t rows = count - row < BATCH_ROWS ? count - row : BATCH_ROWS;

		hx_multiply(compute, v + row * m, rotation, rows, m, m, signs);
		sum += take_signs(signs, rows * m);
		hx_multiply_at(compute, v + row * m, signs, m, rows, m, part);
		for (size_t i = 0; i < m * m; i++)
			product[i] += part[i];
		hx_compute_check(compute);
	}
	hx_scratch_release(compute, mark);
	return sum;
}

void
hx_itq_rotation(HxCompute *compute, const double *v, size_t count, size_t m,
				int iterations, uint64_t seed, double *rotation)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *product = hx_scratch(compute, m * m, sizeof(double));
	double		best = -1;

	hx_random_orthogonal(compute, seed, m, rotation);
	for (int i = 0; i < iterations; i++)
	{
		double		sum;

		/* |B - V R|^2 = |B|^2 + |V|^2 - 2 sum |V R|: the loss falls as this sum rises. */
		hx_compute_report(compute, HX_PHASE_ROTATION, (size_t) i, (size_t) iterations);
		sum = multiply_signs(compute, v, count, m, rotation, product);
		if (sum <= best)
			break;
		best = sum;
		hx_polar(compute, product, m, rotation);
	}
	hx_scratch_release(compute, mark);
}
