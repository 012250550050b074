/*
 * train_projection.c
 *	  The trainers of models that give vectors: projections on the axes that
 *	  matter, cosines to anchors, weights of the dimensions.
 */
#include <math.h>
#include <string.h>

#include "hash/phase.h"
#include "hash/trainers.h"
#include "kernel/target.h"

enum
{
	PROJECTION_CENTRE,
	PROJECTION_QUERY_WEIGHT,
};

static size_t
moments_sample_size(uint32_t dims, uint32_t outputs)
{
	(void) outputs;
	return dims * 10 > 32768 ? (size_t) dims * 10 : 32768;
}

/* Adds a matrix, scaled so that its trace becomes `weight`, to another; false when it is zero. */
static bool
add_scaled(double *sum, const double *moments, size_t d, double weight)
{
	double		trace = 0;

	for (size_t i = 0; i < d; i++)
		trace += moments[i * d + i];
	for (size_t i = 0; trace > 0 && i < d * d; i++)
		sum[i] += moments[i] * (weight / trace);
	return trace > 0;
}

/*
 * The moments whose main axes are wanted: of the data, or with queries a weighted
 * sum of both. One projection serves data and queries (LeanVec's search over a
 * common subspace, Tepper et al. 2024, with the weight given instead of searched).
 */
static bool
find_moments(HxTraining *training, const double *mean, double *moments)
{
	HxCompute  *compute = &training->compute;
	const size_t d = training->dims;
	const double weight =
		training->second_rows != NULL ? training->options[PROJECTION_QUERY_WEIGHT] : 0;
	double	   *one = hx_scratch(compute, d * d, sizeof(double));

	memset(moments, 0, d * d * sizeof(double));
	hx_covariance(compute, training->rows, training->count, d, mean, one);
	if (!add_scaled(moments, one, d, 1 - weight))
		return hx_training_fail(training, "All rows of the sample are the same.");
	if (weight > 0)
	{
		hx_covariance(compute, training->second_rows, training->count, d, mean, one);
		if (!add_scaled(moments, one, d, weight))
			return hx_training_fail(training, "All queries of the sample are the same.");
	}
	return true;
}

static bool
train_projection(HxTraining *training, HxModel *model, HxModel *second)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t d = training->dims;
	const size_t m = training->outputs;
	double	   *mean = NULL;
	double	   *moments;
	double	   *values;
	double	   *axes;

	if (training->count == 0)
		return hx_training_fail(training, "There are no rows to learn from.");
	if (m > d)
		return hx_training_fail(training, "A projection of %zu dimensions gives at most as many, not %zu.", d, m);
	if (training->second_rows != NULL && training->second_dims != d)
		return hx_training_fail(training, "Queries of %u dimensions cannot be asked of vectors of %zu.",
								training->second_dims, d);

	hx_model_init(model, HX_MODEL_PROJECTION, training->dims);
	if (training->options[PROJECTION_CENTRE] != 0)
	{
		mean = hx_scratch(compute, d, sizeof(double));
		hx_mean(compute, training->rows, training->count, d, mean);
		hx_training_add_centre(training, model, mean);
	}
	hx_compute_report(compute, HX_PHASE_AXES, 0, 0);
	moments = hx_scratch(compute, d * d, sizeof(double));
	values = hx_scratch(compute, m, sizeof(double));
	axes = hx_scratch(compute, d * m, sizeof(double));
	if (!find_moments(training, mean, moments))
		return false;
	hx_eigen_symmetric(compute, moments, d, m, values, axes);
	hx_training_add_matrix(training, model, axes, (uint32_t) m);
	if (second != NULL)
		*second = *model;
	hx_scratch_release(compute, mark);
	return true;
}

/* A row less the mean, at length 1; false when nothing is left of it. */
static bool
unit_row(const float *row, const double *mean, size_t d, double *out)
{
	double		square = 0;

	for (size_t i = 0; i < d; i++)
	{
		out[i] = row[i] - mean[i];
		square += out[i] * out[i];
	}
	for (size_t i = 0; i < d && square > 0; i++)
		out[i] /= sqrt(square);
	return square > 0;
}

/*
 * The numbers of the rows that become anchors: the first ones that are not the
 * mean itself, in either column. False when there are not enough.
 */
static bool
choose_anchors(HxTraining *training, const double *mean, const double *second_mean, size_t *chosen)
{
	double	   *unit = hx_scratch(&training->compute, training->dims, sizeof(double));
	double	   *second_unit = hx_scratch(&training->compute, training->second_dims, sizeof(double));
	size_t		found = 0;

	for (size_t row = 0; row < training->count && found < training->outputs; row++)
	{
		hx_compute_check(&training->compute);
		if (unit_row(training->rows + row * training->dims, mean, training->dims, unit) &&
			(training->second_rows == NULL ||
			 unit_row(training->second_rows + row * training->second_dims, second_mean,
					  training->second_dims, second_unit)))
			chosen[found++] = row;
	}
	if (found < training->outputs)
		return hx_training_fail(training, "The sample has fewer rows that can be anchors than asked for: %zu, not %u.",
								found, training->outputs);
	return true;
}

/* The model of one column: cosines of x - mean with the chosen rows less the mean. */
static void
add_cosines(HxTraining *training, HxModel *model, const float *rows, uint32_t dims,
			const double *mean, const size_t *chosen)
{
	const size_t anchors = training->outputs;
	float	   *params = hx_training_floats(training, anchors * dims);
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *unit = hx_scratch(compute, dims, sizeof(double));

	hx_model_init(model, HX_MODEL_RELATIVE, dims);
	hx_training_add_centre(training, model, mean);
	for (size_t j = 0; j < anchors; j++)
	{
		hx_compute_check(compute);
		unit_row(rows + chosen[j] * dims, mean, dims, unit);
		for (size_t i = 0; i < dims; i++)
			params[i * anchors + j] = (float) unit[i];
	}
	hx_model_add(model, HX_STEP_COSINES, training->outputs, 0, 0, params,
				 (uint32_t) (anchors * dims));
	hx_scratch_release(compute, mark);
}

/*
 * Relative representations (Moschella et al. 2023). With a second column both
 * models have the same rows as anchors, so that what they give can be compared.
 */
static bool
train_relative(HxTraining *training, HxModel *model, HxModel *second)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *mean = hx_scratch(compute, training->dims, sizeof(double));
	double	   *second_mean = hx_scratch(compute, training->second_dims, sizeof(double));
	size_t	   *chosen = hx_scratch(compute, training->outputs, sizeof(size_t));

	if (training->count == 0)
		return hx_training_fail(training, "There are no rows to learn from.");
	hx_mean(compute, training->rows, training->count, training->dims, mean);
	if (training->second_rows != NULL)
		hx_mean(compute, training->second_rows, training->count, training->second_dims,
				second_mean);
	if (!choose_anchors(training, mean, second_mean, chosen))
		return false;
	add_cosines(training, model, training->rows, training->dims, mean, chosen);
	if (training->second_rows != NULL)
		add_cosines(training, second, training->second_rows, training->second_dims, second_mean,
					chosen);
	hx_scratch_release(compute, mark);
	return true;
}

/*
 * Divides each dimension by a power of its deviation; a dimension that does not vary is
 * masked out.
 */
static bool
train_weights(HxTraining *training, HxModel *model, HxModel *second)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const uint32_t d = training->dims;
	const bool whole = training->options[0] != 0;
	float	   *params = hx_training_floats(training, d);
	double	   *mean = hx_scratch(compute, d, sizeof(double));
	double	   *variances = hx_scratch(compute, d, sizeof(double));

	(void) second;
	if (training->count == 0)
		return hx_training_fail(training, "There are no rows to learn from.");
	if (training->outputs != d)
		return hx_training_fail(training, "Weights keep the number of dimensions: %u, not %u.",
								d, training->outputs);
	hx_mean(compute, training->rows, training->count, d, mean);
	hx_variances(compute, training->rows, training->count, d, mean, variances);
	for (uint32_t i = 0; i < d; i++)
	{
		const double variance = variances[i];

		/* Square roots are exact to the last bit everywhere; powers of libm are not. */
		params[i] =
			variance <= 0 ? 0 : (float) (1 / (whole ? sqrt(variance) : sqrt(sqrt(variance))));
	}
	hx_model_init(model, HX_MODEL_WEIGHTS, d);
	hx_model_add(model, HX_STEP_SCALE, d, 0, 0, params, d);
	hx_scratch_release(compute, mark);
	return true;
}

static size_t
anchors_sample_size(uint32_t dims, uint32_t outputs)
{
	(void) dims;
	return (size_t) outputs * 2 > 10000 ? (size_t) outputs * 2 : 10000;
}

const HxTrainer hx_trainer_projection = {
	.kind = HX_MODEL_PROJECTION,
	.meaning = "the principal components; with a column of queries, those that matter to them",
	.second_optional = true,
	.options = {
		{"centre", 1, 0, 1, true, true, "subtract the mean of the sample first; leave it out for inner products"},
		{"query_weight", 0.5, 0, 1, false, false, "how much the queries count against the data"},
	},
	.sample_size = moments_sample_size,
	.train = train_projection,
};

const HxTrainer hx_trainer_relative = {
	.kind = HX_MODEL_RELATIVE,
	.meaning = "cosines to anchors; with a second column, to the same rows in both",
	.second_optional = true,
	.sample_size = anchors_sample_size,
	.train = train_relative,
};

const HxTrainer hx_trainer_weights = {
	.kind = HX_MODEL_WEIGHTS,
	.meaning = "dimensions brought to equal spread; those that never vary masked out",
	.options = {
		{"whole", 1, 0, 1, true, true, "divide by the deviation; false: by its square root"},
	},
	.sample_size = anchors_sample_size,
	.train = train_weights,
};
