/*
 * axes.c
 *	  Principal components of a sample, or nearly so: by rounds of power iteration.
 */
#include "hash/axes.h"

#include "hash/phase.h"
#include "math/normal.h"

#define LEAST_ROWS 32768
#define ROWS_A_DIM 10

/* An axis with less variance than this share of the first one's is rounding. */
#define LEAST_VARIANCE 1e-10

/* Rounds of hx_axes_estimate(), and what keeps directions without variance from growing. */
#define ROUNDS 4
#define RIDGE 1e-12

/* Of the random numbers that they begin with: none that a trainer draws otherwise. */
#define START_STREAM (UINT64_C(1) << 33)

size_t
hx_axes_sample_size(uint32_t dims, uint32_t outputs)
{
	const size_t rows = (size_t) dims * ROWS_A_DIM;

	(void) outputs;
	return rows > LEAST_ROWS ? rows : LEAST_ROWS;
}

bool
hx_axes_find(HxTraining *training, size_t m, HxAxes *axes)
{
	HxCompute  *compute = &training->compute;
	const size_t d = training->dims;
	double	   *covariance;
	size_t		rank = 0;

	if (training->count == 0)
		return hx_training_fail(training, "There are no rows to learn from.");
	if (m > d)
		return hx_training_fail(training, "%zu dimensions have no more than as many axes, not %zu.", d, m);

	hx_compute_report(compute, HX_PHASE_AXES, 0, 0);
	axes->mean = hx_scratch(compute, d, sizeof(double));
	axes->directions = hx_scratch(compute, d * m, sizeof(double));
	axes->variances = hx_scratch(compute, m, sizeof(double));
	covariance = hx_scratch(compute, d * d, sizeof(double));
	hx_mean(compute, training->rows, training->count, d, axes->mean);
	hx_covariance(compute, training->rows, training->count, d, axes->mean, covariance);
	hx_eigen_symmetric(compute, covariance, d, m, axes->variances, axes->directions);

	while (rank < m && axes->variances[rank] > axes->variances[0] * LEAST_VARIANCE)
		rank++;
	if (rank < m)
		return hx_training_fail(training, "The sample (rows: %zu) varies in fewer directions than asked for: %zu, not %zu.",
								training->count, rank, m);
	return true;
}

/* Makes the columns of a (d x m) orthonormal, by way of the Cholesky factor of their products. */
static void
make_orthonormal(HxCompute *compute, double *a, size_t d, size_t m)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *products = hx_scratch(compute, m * m, sizeof(double));
	double	   *rows = hx_scratch(compute, m * d, sizeof(double));
	double		trace = 0;

	hx_multiply_at(compute, a, a, m, d, m, products);
	for (size_t j = 0; j < m; j++)
		trace += products[j * m + j];
	for (size_t j = 0; j < m; j++)
		products[j * m + j] += trace > 0 ? RIDGE * trace : 1;
	hx_cholesky(compute, products, m);
	for (size_t i = 0; i < d; i++)
		for (size_t j = 0; j < m; j++)
			rows[j * d + i] = a[i * m + j];
	hx_solve_lower(compute, products, m, rows, d);
	for (size_t i = 0; i < d; i++)
		for (size_t j = 0; j < m; j++)
			a[i * m + j] = rows[j * d + i];
	hx_scratch_release(compute, mark);
}

void
hx_axes_estimate(HxCompute *compute, const float *rows, size_t count, size_t d, size_t m,
				 uint64_t seed, double *directions)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *projected = hx_scratch(compute, count * m, sizeof(double));
	float	   *floats = hx_scratch(compute, count * m, sizeof(float));
	double	   *zero = hx_scratch(compute, d, sizeof(double));

	for (size_t i = 0; i < d; i++)
		zero[i] = 0;
	for (size_t i = 0; i < d * m; i++)
		directions[i] = hx_normal(seed, START_STREAM, (uint32_t) i);
	for (int round = 0; round < ROUNDS; round++)
	{
		make_orthonormal(compute, directions, d, m);
		hx_project(compute, rows, count, d, NULL, directions, m, projected);
		for (size_t i = 0; i < count * m; i++)
			floats[i] = (float) projected[i];
		hx_cross_covariance(compute, rows, d, zero, floats, m, zero, count, directions);
	}
	make_orthonormal(compute, directions, d, m);
	hx_scratch_release(compute, mark);
}
