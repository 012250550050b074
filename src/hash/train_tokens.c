/*
 * train_tokens.c
 *	  The trainers of tokens: product quantisation, residual quantisation, finite
 *	  scalar quantisation.
 */
#include <math.h>
#include <string.h>

#include "hash/axes.h"
#include "hash/phase.h"
#include "hash/trainers.h"
#include "math/kmeans.h"

/* Rows for each centroid that make a sample; more add nothing (faiss takes as many). */
#define ROWS_A_CENTROID 256
#define KMEANS_ROUNDS 25

/* Tokens are smallint in SQL. */
#define MOST_CENTROIDS 4096

/* What the stored form of a model with one step has room for. */
#define MOST_PARAMS \
	((HX_MODEL_MAX_BYTES - HX_MODEL_HEADER - HX_MODEL_STEP_HEADER) / sizeof(float))

#define CENTROIDS_OPTION \
	{"centroids", 256, 2, MOST_CENTROIDS, true, false, "different values of a token"}

static size_t
tokens_sample_size(uint32_t dims, uint32_t outputs)
{
	(void) dims;
	(void) outputs;
	return 256 * ROWS_A_CENTROID;
}

/* False when there are too few rows to choose centroids among. */
static bool
enough_rows(HxTraining *training, uint32_t centroids)
{
	if (training->count < centroids)
		return hx_training_fail(training, "The sample (rows: %zu) is too small for %u centroids.",
								training->count, centroids);
	return true;
}

/* Numbers first .. first + n - 1 of all rows, in scratch. */
static float *
cut_slice(HxTraining *training, size_t first, size_t n)
{
	float	   *slice = hx_scratch(&training->compute, training->count * n, sizeof(float));

	for (size_t row = 0; row < training->count; row++)
	{
		memcpy(slice + row * n, training->rows + row * training->dims + first, n * sizeof(float));
		hx_compute_check(&training->compute);
	}
	return slice;
}

static bool
train_pq(HxTraining *training, HxModel *model, HxModel *second)
{
	HxCompute  *compute = &training->compute;
	const uint32_t tokens = training->outputs;
	const uint32_t centroids = (uint32_t) training->options[0];
	uint32_t	n;
	size_t		block;
	float	   *params;

	(void) second;
	if (tokens == 0 || training->dims % tokens != 0)
		return hx_training_fail(training, "%u dimensions cannot be cut into %u equal slices.",
								training->dims, tokens);
	if (!enough_rows(training, centroids))
		return false;

	n = training->dims / tokens;
	block = (size_t) n * centroids;
	params = hx_training_floats(training, block * tokens);
	for (uint32_t token = 0; token < tokens; token++)
	{
		const HxScratchMark mark = hx_scratch_mark(compute);
		const float *slice = cut_slice(training, (size_t) token * n, n);
		float	   *found = hx_scratch(compute, block, sizeof(float));

		hx_compute_report(compute, HX_PHASE_CENTROIDS, token, tokens);
		hx_kmeans(compute, slice, training->count, n, centroids, KMEANS_ROUNDS,
				  training->seed + token, found, NULL);
		hx_training_transpose(training, found, centroids, n, params + token * block);
		hx_scratch_release(compute, mark);
	}
	hx_model_init(model, HX_MODEL_PQ, training->dims);
	hx_model_add(model, HX_STEP_PQ, tokens, centroids, 0, params, (uint32_t) (block * tokens));
	return true;
}

/* Takes each row's centroid off it: what is left for the next level. */
static void
subtract_centroids(HxCompute *compute, float *rows, size_t count, size_t n, const float *centroids,
				   const uint32_t *assignment)
{
	for (size_t row = 0; row < count; row++)
	{
		const float *centroid = centroids + assignment[row] * n;

		for (size_t i = 0; i < n; i++)
			rows[row * n + i] -= centroid[i];
		hx_compute_check(compute);
	}
}

static bool
train_rq(HxTraining *training, HxModel *model, HxModel *second)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const uint32_t levels = training->outputs;
	const uint32_t centroids = (uint32_t) training->options[0];
	const uint32_t n = training->dims;
	const size_t block = (size_t) n * centroids;
	float	   *params;
	float	   *left;
	float	   *found;
	uint32_t   *assignment;

	(void) second;
	if (!enough_rows(training, centroids))
		return false;
	if (block * levels > MOST_PARAMS)
		return hx_training_fail(training, "%u levels of %u centroids of %u dimensions make a model of more than %d bytes.",
								levels, centroids, n, HX_MODEL_MAX_BYTES);

	params = hx_training_floats(training, block * levels);
	left = cut_slice(training, 0, n);
	found = hx_scratch(compute, block, sizeof(float));
	assignment = hx_scratch(compute, training->count, sizeof(uint32_t));
	for (uint32_t level = 0; level < levels; level++)
	{
		hx_compute_report(compute, HX_PHASE_CENTROIDS, level, levels);
		hx_kmeans(compute, left, training->count, n, centroids, KMEANS_ROUNDS,
				  training->seed + level, found, assignment);
		subtract_centroids(compute, left, training->count, n, found, assignment);
		hx_training_transpose(training, found, centroids, n, params + level * block);
	}
	hx_scratch_release(compute, mark);

	hx_model_init(model, HX_MODEL_RQ, training->dims);
	hx_model_add(model, HX_STEP_RQ, levels, centroids, 0, params, (uint32_t) (block * levels));
	return true;
}

/*
 * Each token is one of the first principal components, scaled to variance 1,
 * since a fixed grid has no centroids to adapt.
 */
static bool
train_fsq(HxTraining *training, HxModel *model, HxModel *second)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const uint32_t m = training->outputs;
	HxAxes		axes;
	float	   *levels;

	(void) second;
	if (!hx_axes_find(training, m, &axes))
		return false;
	for (size_t i = 0; i < training->dims; i++)
		for (size_t j = 0; j < m; j++)
			axes.directions[i * m + j] /= sqrt(axes.variances[j]);

	hx_model_init(model, HX_MODEL_FSQ, training->dims);
	hx_training_add_centre(training, model, axes.mean);
	hx_training_add_matrix(training, model, axes.directions, m);
	levels = hx_training_floats(training, m);
	for (uint32_t j = 0; j < m; j++)
		levels[j] = (float) training->options[0];
	hx_model_add(model, HX_STEP_FSQ, m, 0, 0, levels, m);
	hx_scratch_release(compute, mark);
	return true;
}

static size_t
fsq_sample_size(uint32_t dims, uint32_t outputs)
{
	return hx_axes_sample_size(dims, outputs);
}

const HxTrainer hx_trainer_pq = {
	.kind = HX_MODEL_PQ,
	.meaning = "product quantisation: the nearest centroid of each slice",
	.options = {CENTROIDS_OPTION},
	.sample_size = tokens_sample_size,
	.train = train_pq,
};

const HxTrainer hx_trainer_rq = {
	.kind = HX_MODEL_RQ,
	.meaning = "residual quantisation: semantic ids whose prefixes mean the coarser",
	.options = {CENTROIDS_OPTION},
	.sample_size = tokens_sample_size,
	.train = train_rq,
};

const HxTrainer hx_trainer_fsq = {
	.kind = HX_MODEL_FSQ,
	.meaning = "finite scalar quantisation of the principal components",
	.options = {
		{"levels", 8, 2, 256, true, false, "different values of a token"},
	},
	.sample_size = fsq_sample_size,
	.train = train_fsq,
};
