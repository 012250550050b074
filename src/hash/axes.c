/*
 * axes.c
 *	  Principal components of a sample.
 */
#include "hash/axes.h"

#include "hash/phase.h"

#define LEAST_ROWS 32768
#define ROWS_A_DIM 10

/* An axis with less variance than this share of the first one's is rounding. */
#define LEAST_VARIANCE 1e-10

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
		return hx_training_fail(training, "The %zu rows of the sample vary in %zu directions only, not in %zu.",
								training->count, rank, m);
	return true;
}
