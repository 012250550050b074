/*
 * train_linear.c
 *	  The trainers of codes that are signs of projections: simhash, sparse, pca, itq.
 */
#include "hash/axes.h"
#include "hash/itq.h"
#include "hash/trainers.h"
#include "kernel/target.h"
#include "math/random.h"
#include "math/rotation.h"

/* Rows that are enough for a mean. */
#define MEAN_ROWS 10000

/* The streams that the choices of the sparse kind draw; its rotation draws streams 0, 1 and 2. */
#define SPARSE_STREAM (UINT64_C(1) << 32)

static size_t
mean_sample_size(uint32_t dims, uint32_t outputs)
{
	(void) dims;
	(void) outputs;
	return MEAN_ROWS;
}

/* The first step of the random kinds, unless the caller wants none. */
static bool
centre(HxTraining *training, HxModel *model, bool wanted)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *mean;

	if (training->count == 0)
		return hx_training_fail(training, "There are no rows to learn from.");
	if (!wanted)
		return true;
	mean = hx_scratch(compute, training->dims, sizeof(double));
	hx_mean(compute, training->rows, training->count, training->dims, mean);
	hx_training_add_centre(training, model, mean);
	hx_scratch_release(compute, mark);
	return true;
}

/*
 * Appends the rotation to so many numbers. What comes of it has no scale, which only
 * thresholds of 0 can do with: for others it is brought to length 1.
 */
static void
add_rotation(HxTraining *training, HxModel *model, uint32_t outputs)
{
	hx_model_add(model, HX_STEP_ROTATE, outputs, 0, training->seed, NULL, 0);
	if (training->median)
		hx_model_add(model, HX_STEP_NORMALISE, outputs, 0, 0, NULL, 0);
}

static bool
train_simhash(HxTraining *training, HxModel *model, HxModel *second)
{
	(void) second;
	hx_model_init(model, HX_MODEL_SIMHASH, training->dims);
	if (!centre(training, model, training->options[0] != 0))
		return false;
	add_rotation(training, model, training->outputs);
	hx_training_add_sign(training, model, training->rows);
	return true;
}

/* For each output, `chosen` different ones of n inputs, each with a random sign. */
static float *
choose_inputs(HxTraining *training, uint32_t n, uint32_t chosen)
{
	float	   *params = hx_training_floats(training, (size_t) training->outputs * chosen);
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	uint32_t   *inputs = hx_scratch(compute, n, sizeof(uint32_t));
	float	   *param = params;

	for (uint32_t i = 0; i < n; i++)
		inputs[i] = i;
	for (uint32_t output = 0; output < training->outputs; output++)
	{
		if (output % 256 == 0 && compute->check != NULL)
			compute->check(compute->check_context);

		/* The first steps of a shuffle of what the output before has left. */
		for (uint32_t k = 0; k < chosen; k++)
		{
			const uint64_t random = hx_random(training->seed, SPARSE_STREAM + output, k);
			const uint32_t from = k + (uint32_t) ((random >> 32) * (n - k) >> 32);
			const uint32_t input = inputs[from];

			inputs[from] = inputs[k];
			inputs[k] = input;
			*param++ = random & 1 ? -(float) (input + 1) : (float) (input + 1);
		}
	}
	hx_scratch_release(compute, mark);
	return params;
}

/* The whole number nearest to the square root of a power of two. */
static uint32_t
root_of_power(uint32_t n)
{
	uint32_t	root = 1;

	while ((uint64_t) root * (root + 1) < n)
		root++;
	return root;
}

static bool
train_sparse(HxTraining *training, HxModel *model, HxModel *second)
{
	const uint32_t n = (uint32_t) hx_rotation_size(training->dims);
	const double density = training->options[1];
	uint32_t	chosen = density > 0 ? (uint32_t) (density * n + 0.5) : root_of_power(n);
	float	   *params;

	(void) second;
	if (chosen < 1)
		chosen = 1;
	if ((uint64_t) chosen * training->outputs > HX_MODEL_MAX_BYTES / sizeof(float))
		return hx_training_fail(training,
								"A model of %u bits that each add up %u numbers "
								"has more than %d bytes.",
								training->outputs, chosen, HX_MODEL_MAX_BYTES);
	hx_model_init(model, HX_MODEL_SPARSE, training->dims);
	if (!centre(training, model, training->options[0] != 0))
		return false;

	/* Without it, vectors with few large numbers would leave most bits undecided. */
	add_rotation(training, model, n);
	params = choose_inputs(training, n, chosen);
	hx_model_add(model, HX_STEP_SPARSE, training->outputs, chosen, 0, params,
				 training->outputs * chosen);
	hx_training_add_sign(training, model, training->rows);
	return true;
}

/* The axes that bits are made of, in scratch; false when there are not enough. */
static bool
find_axes(HxTraining *training, HxAxes *axes)
{
	if (training->outputs > training->dims)
		return hx_training_fail(training,
								"There is at most one bit a dimension: "
								"%u dimensions do not give %u bits.",
								training->dims, training->outputs);
	return hx_axes_find(training, training->outputs, axes);
}

/* The code: signs of the projections of x - mean on the columns of a matrix. */
static void
add_projection_code(HxTraining *training, HxModel *model, const double *mean, const double *matrix)
{
	hx_training_add_centre(training, model, mean);
	hx_training_add_matrix(training, model, matrix, training->outputs);
	hx_training_add_sign(training, model, training->rows);
}

static bool
train_pca(HxTraining *training, HxModel *model, HxModel *second)
{
	const HxScratchMark mark = hx_scratch_mark(&training->compute);
	HxAxes		axes;

	(void) second;
	hx_model_init(model, HX_MODEL_PCA, training->dims);
	if (!find_axes(training, &axes))
		return false;
	add_projection_code(training, model, axes.mean, axes.directions);
	hx_scratch_release(&training->compute, mark);
	return true;
}

static bool
train_itq(HxTraining *training, HxModel *model, HxModel *second)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t d = training->dims;
	const size_t m = training->outputs;
	const size_t rows = hx_itq_rows(training->count, m);
	HxAxes		axes;
	double	   *projected;
	double	   *rotation;
	double	   *matrix;

	(void) second;
	hx_model_init(model, HX_MODEL_ITQ, training->dims);
	if (!find_axes(training, &axes))
		return false;

	projected = hx_scratch(compute, rows * m, sizeof(double));
	rotation = hx_scratch(compute, m * m, sizeof(double));
	matrix = hx_scratch(compute, d * m, sizeof(double));
	hx_project(compute, training->rows, rows, d, axes.mean, axes.directions, m, projected);
	hx_itq_rotation(compute, projected, rows, m, (int) training->options[0], training->seed,
					rotation);
	hx_multiply(compute, axes.directions, rotation, d, m, m, matrix);
	add_projection_code(training, model, axes.mean, matrix);
	hx_scratch_release(compute, mark);
	return true;
}

#define CENTRE_OPTION \
	{"centre", 1, 0, 1, true, true, "subtract the mean of the sample first"}

const HxTrainer hx_trainer_simhash = {
	.kind = HX_MODEL_SIMHASH,
	.meaning = "signs of projections on random directions",
	.options = {CENTRE_OPTION},
	.sample_size = mean_sample_size,
	.train = train_simhash,
};

const HxTrainer hx_trainer_sparse = {
	.kind = HX_MODEL_SPARSE,
	.meaning = "signs of sums of a few randomly chosen numbers, after a rotation",
	.options = {
		CENTRE_OPTION,
		{"density", 0, 0, 1, false, false,
		"share of the numbers that each bit adds up; 0: one in the square root of their count"},
	},
	.sample_size = mean_sample_size,
	.train = train_sparse,
};

const HxTrainer hx_trainer_pca = {
	.kind = HX_MODEL_PCA,
	.meaning = "signs of the principal components",
	.sample_size = hx_axes_sample_size,
	.train = train_pca,
};

const HxTrainer hx_trainer_itq = {
	.kind = HX_MODEL_ITQ,
	.meaning = "signs of the principal components, rotated to be near their signs",
	.options = {
		{"iterations", 50, 0, 1000, true, false, "rounds of fitting the rotation"},
	},
	.sample_size = hx_axes_sample_size,
	.train = train_itq,
};
