/*
 * train_recurrent.c
 *	  The trainer of recurrent codes: signs, then signs of what they leave over.
 *
 * The forward pass is nearly that of BEBR (Gan et al. 2023). They train by gradient descent; here
 * the axes are fitted by ITQ and each reconstruction by ridge regression. All planes share the
 * same axes, because hash/sdc.h adds up the planes as digits of the same numbers; separate axes,
 * which the planes of BEBR have, would have to be learned together to agree. So what signs leave
 * over is computed along the axes, too, and not in all dimensions. The planes follow one another
 * in the code.
 */
#include <math.h>

#include "hash/itq.h"
#include "hash/phase.h"
#include "hash/trainers.h"
#include "kernel/target.h"

enum
{
	OPTION_EXTRA,
	OPTION_ITERATIONS,
	OPTION_RIDGE,
};

/* Rows beyond these do not change the fit. */
#define MOST_ROWS 8192

/* An axis with less variance than this share of the first one's is rounding. */
#define LEAST_VARIANCE 1e-10

/* A training of recurrent codes. */
typedef struct Recurrent
{
	HxTraining *training;
	size_t		count;			/* rows used */
	size_t		m;				/* bits of a plane */
	size_t		planes;
	double	   *numbers;		/* count x m: what rows are along the axes */
	float	   *floats;			/* the same as floats */
	float	   *signs;			/* count x (planes * m), of 1 and -1; `done` planes of it */
	size_t		done;
} Recurrent;

static size_t
sample_size(uint32_t dims, uint32_t outputs)
{
	(void) dims;
	(void) outputs;
	return MOST_ROWS;
}

/* The signs of the planes so far, row-major without gaps, as floats, in scratch. */
static float *
signs_so_far(Recurrent *r)
{
	const size_t width = r->done * r->m;
	float	   *signs = hx_scratch(&r->training->compute, r->count * width, sizeof(float));

	for (size_t row = 0; row < r->count; row++)
		for (size_t j = 0; j < width; j++)
			signs[row * width + j] = r->signs[row * r->planes * r->m + j];
	return signs;
}

/*
 * Appends the steps that take the axes of the planes, and notes what the rows are along them.
 * They are the principal axes of f, the rows less their mean at length 1, rotated by ITQ. False
 * when f varies in fewer than m directions.
 */
static bool
add_axes(Recurrent *r, HxModel *model)
{
	HxTraining *training = r->training;
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t d = training->dims;
	const size_t m = r->m;
	const size_t rows = hx_itq_rows(r->count, m);
	const float *f = hx_training_add_unit(training, model, r->count);
	double	   *moments = hx_scratch(compute, d * d, sizeof(double));
	double	   *values = hx_scratch(compute, m, sizeof(double));
	double	   *principal = hx_scratch(compute, d * m, sizeof(double));
	double	   *axes = hx_scratch(compute, d * m, sizeof(double));
	double	   *rotation = hx_scratch(compute, m * m, sizeof(double));

	hx_covariance(compute, f, r->count, d, NULL, moments);
	hx_eigen_symmetric(compute, moments, d, m, values, principal);
	if (values[m - 1] <= values[0] * LEAST_VARIANCE)
		return hx_training_fail(training,
								"The sample (rows: %zu) varies in fewer directions than a plane "
								"has bits: %zu.",
								r->count, m);
	hx_project(compute, f, rows, d, NULL, principal, m, r->numbers);
	hx_itq_rotation(compute, r->numbers, rows, m, (int) training->options[OPTION_ITERATIONS],
					training->seed, rotation);
	hx_multiply(compute, principal, rotation, d, m, m, axes);
	hx_project(compute, f, r->count, d, NULL, axes, m, r->numbers);
	hx_training_add_matrix(training, model, axes, (uint32_t) m);
	hx_scratch_release(compute, mark);
	for (size_t i = 0; i < r->count * m; i++)
		r->floats[i] = (float) r->numbers[i];
	return true;
}

/* The signs of some numbers (count x m) become the next plane. */
static void
keep_signs(Recurrent *r, const double *left)
{
	for (size_t row = 0; row < r->count; row++)
		for (size_t j = 0; j < r->m; j++)
			r->signs[(row * r->planes + r->done) * r->m + j] = left[row * r->m + j] > 0 ? 1 : -1;
	r->done++;
}

/* Finds the matrix (k x m) that makes the numbers of the signs (rows of k), by ridge regression. */
static void
fit_reconstruction(Recurrent *r, const float *signs, size_t k, double *matrix)
{
	HxCompute  *compute = &r->training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *gram = hx_scratch(compute, k * k, sizeof(double));
	double	   *zero = hx_scratch(compute, k, sizeof(double));

	for (size_t i = 0; i < k; i++)
		zero[i] = 0;
	hx_covariance(compute, signs, r->count, k, NULL, gram);
	hx_cross_covariance(compute, signs, k, zero, r->floats, r->m, zero, r->count, matrix);
	/* The diagonal is 1 before: each sign squared. The ridge makes it definite. */
	for (size_t i = 0; i < k; i++)
		gram[i * k + i] += r->training->options[OPTION_RIDGE];
	hx_cholesky(compute, gram, k);
	hx_solve_lower(compute, gram, k, matrix, r->m);
	hx_solve_lower_transposed(compute, gram, k, matrix, r->m);
	hx_scratch_release(compute, mark);
}

/*
 * Fits the reconstruction of the numbers from the signs so far, appends it to the model, and
 * keeps the signs of what it leaves over.
 */
static void
add_reconstruction(Recurrent *r, HxModel *model)
{
	HxCompute  *compute = &r->training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t k = r->done * r->m;
	const float *signs = signs_so_far(r);
	double	   *matrix = hx_scratch(compute, k * r->m, sizeof(double));
	double	   *left = hx_scratch(compute, r->count * r->m, sizeof(double));

	fit_reconstruction(r, signs, k, matrix);
	hx_training_add_matrix(r->training, model, matrix, (uint32_t) r->m);
	hx_project(compute, signs, r->count, k, NULL, matrix, r->m, left);
	for (size_t i = 0; i < r->count * r->m; i++)
		left[i] = r->numbers[i] - left[i];
	keep_signs(r, left);
	hx_scratch_release(compute, mark);
}

static bool
train_planes(Recurrent *r, HxModel *model)
{
	HxTraining *training = r->training;
	float	   *thresholds = hx_training_floats(training, training->outputs);
	const uint32_t m = (uint32_t) r->m;
	int			numbers;
	int			code;

	hx_compute_report(&training->compute, HX_PHASE_AXES, 0, 0);
	if (!add_axes(r, model))
		return false;
	numbers = model->step_count - 1;
	keep_signs(r, r->numbers);
	code = hx_model_add(model, HX_STEP_SIGNUM, m, 0, 0, NULL, 0);
	while (r->done < r->planes)
	{
		int			plane;

		hx_compute_report(&training->compute, HX_PHASE_PLANES, r->done, r->planes);
		add_reconstruction(r, model);
		hx_model_add2(model, HX_STEP_SUBTRACT, numbers, model->step_count - 1, m, 0, 0, NULL, 0);
		plane = hx_model_add(model, HX_STEP_SIGNUM, m, 0, 0, NULL, 0);
		code = hx_model_add2(model, HX_STEP_CONCAT, code, plane, (uint32_t) (r->done * r->m), 0, 0,
							 NULL, 0);
	}
	for (uint32_t i = 0; i < training->outputs; i++)
		thresholds[i] = 0;
	hx_model_add(model, HX_STEP_SIGN, training->outputs, 0, 0, thresholds, training->outputs);
	return true;
}

static bool
train_recurrent(HxTraining *training, HxModel *model, HxModel *second)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const uint32_t planes = (uint32_t) training->options[OPTION_EXTRA] + 1;
	Recurrent	r = {.training = training, .planes = planes};
	bool		trained;

	(void) second;
	if (training->count == 0)
		return hx_training_fail(training, "There are no rows to learn from.");
	if (training->median)
		return hx_training_fail(training, "Planes of signs have no medians: recurrent codes take no thresholds.");
	if (training->outputs % planes != 0)
		return hx_training_fail(training, "%u bits cannot be divided into %u equal planes.",
								training->outputs, planes);
	r.m = training->outputs / planes;
	if (r.m > training->dims)
		return hx_training_fail(training, "A plane has at most one bit a dimension: %u dimensions do not give %zu bits.",
								training->dims, r.m);
	r.count = training->count < MOST_ROWS ? training->count : MOST_ROWS;
	r.numbers = hx_scratch(compute, r.count * r.m, sizeof(double));
	r.floats = hx_scratch(compute, r.count * r.m, sizeof(float));
	r.signs = hx_scratch(compute, r.count * training->outputs, sizeof(float));
	hx_model_init(model, HX_MODEL_RECURRENT, training->dims);
	trained = train_planes(&r, model);
	hx_scratch_release(compute, mark);
	return trained;
}

const HxTrainer hx_trainer_recurrent = {
	.kind = HX_MODEL_RECURRENT,
	.meaning = "planes of signs, each of what the planes before leave over",
	.options = {
		{"extra", 1, 0, 7, true, false, "planes after the first"},
		{"iterations", 50, 0, 1000, true, false, "rounds of fitting the rotation"},
		{"ridge", 0.01, 0.000001, 1, false, false, "penalty on large weights of the reconstructions"},
	},
	.sample_size = sample_size,
	.train = train_recurrent,
};
