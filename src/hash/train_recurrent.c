/*
 * train_recurrent.c
 *	  The trainer of recurrent codes: signs, then signs of what they leave over.
 *
 * The forward pass is that of BEBR (Gan et al. 2023); what they train by gradient
 * descent is fitted here: the matrix of the first plane of signs by ITQ, each
 * reconstruction by ridge regression. All planes read along the same axes, those of the
 * first: hash/sdc.h adds up the planes as digits of the same numbers, so that axes of
 * their own, which they have in BEBR, would have to be learnt together, to agree. The
 * planes stand one after the other in the code.
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

/* Rows that are projected and reconstructed at a time. */
#define BATCH_ROWS ((size_t) 1024)

/* An axis with less variance than this share of the first one's is rounding. */
#define LEAST_VARIANCE 1e-10

/* A training of recurrent codes. */
typedef struct Recurrent
{
	HxTraining *training;
	size_t		count;			/* rows used */
	size_t		d;				/* dimensions */
	size_t		m;				/* bits of a plane */
	size_t		planes;
	double	   *matrix;			/* d x m: the axes of all planes */
	const float *f;				/* count x d: rows less their mean, at length 1 */
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
 * The axes of the planes: the principal ones of f, rotated by ITQ. False when f varies in
 * fewer than m directions.
 */
static bool
find_matrix(Recurrent *r)
{
	HxTraining *training = r->training;
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t d = r->d;
	const size_t m = r->m;
	const size_t rows = hx_itq_rows(r->count, m);
	double	   *moments = hx_scratch(compute, d * d, sizeof(double));
	double	   *values = hx_scratch(compute, m, sizeof(double));
	double	   *axes = hx_scratch(compute, d * m, sizeof(double));
	double	   *rotation = hx_scratch(compute, m * m, sizeof(double));
	double	   *projected = hx_scratch(compute, rows * m, sizeof(double));

	hx_covariance(compute, r->f, r->count, d, NULL, moments);
	hx_eigen_symmetric(compute, moments, d, m, values, axes);
	if (values[m - 1] <= values[0] * LEAST_VARIANCE)
		return hx_training_fail(training,
								"The %zu rows of the sample vary in too few directions "
								"for %zu bits a plane.",
								r->count, m);
	hx_project(compute, r->f, rows, d, NULL, axes, m, projected);
	hx_itq_rotation(compute, projected, rows, m, (int) training->options[OPTION_ITERATIONS],
					training->seed, rotation);
	hx_multiply(compute, axes, rotation, d, m, m, r->matrix);
	hx_scratch_release(compute, mark);
	return true;
}

/* The signs along the axes of some rows (of d floats) become the next plane of theirs. */
static void
keep_signs(Recurrent *r, const float *left, size_t first, size_t rows)
{
	HxCompute  *compute = &r->training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t m = r->m;
	double	   *projected = hx_scratch(compute, rows * m, sizeof(double));

	hx_project(compute, left, rows, r->d, NULL, r->matrix, m, projected);
	for (size_t row = 0; row < rows; row++)
		for (size_t j = 0; j < m; j++)
			r->signs[((first + row) * r->planes + r->done) * m + j] =
				projected[row * m + j] > 0 ? 1 : -1;
	hx_scratch_release(compute, mark);
}

/* Appends the steps of the next plane, whose signs are kept; returns the number of the last. */
static int
add_plane(Recurrent *r, HxModel *model)
{
	r->done++;
	hx_training_add_matrix(r->training, model, r->matrix, (uint32_t) r->m);
	return hx_model_add(model, HX_STEP_SIGNUM, (uint32_t) r->m, 0, 0, NULL, 0);
}

/* Finds the matrix (k x d) that makes f of the signs so far (rows of k), by ridge regression. */
static void
fit_reconstruction(Recurrent *r, const float *signs, size_t k, double *matrix)
{
	HxCompute  *compute = &r->training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t d = r->d;
	double	   *gram = hx_scratch(compute, k * k, sizeof(double));
	double	   *zero = hx_scratch(compute, k > d ? k : d, sizeof(double));

	for (size_t i = 0; i < (k > d ? k : d); i++)
		zero[i] = 0;
	hx_covariance(compute, signs, r->count, k, NULL, gram);
	hx_cross_covariance(compute, signs, k, zero, r->f, d, zero, r->count, matrix);
	/* The diagonal is 1 before: each sign squared. The ridge makes it definite. */
	for (size_t i = 0; i < k; i++)
		gram[i * k + i] += r->training->options[OPTION_RIDGE];
	hx_cholesky(compute, gram, k);
	hx_solve_lower(compute, gram, k, matrix, d);
	hx_solve_lower_transposed(compute, gram, k, matrix, d);
	hx_scratch_release(compute, mark);
}

typedef struct Leftover
{
	const float *f;
	const double *reconstructed;
	size_t		d;
	float	   *left;
} Leftover;

/* HxTeamWork: f less its reconstruction, brought to length 1, of some rows. */
static void
subtract_reconstructed(void *context, size_t begin, size_t end)
{
	const Leftover *work = context;

	for (size_t row = begin; row < end; row++)
	{
		const float *f = work->f + row * work->d;
		float	   *left = work->left + row * work->d;
		double		square = 0;
		double		length;

		for (size_t i = 0; i < work->d; i++)
		{
			left[i] = (float) work->reconstructed[row * work->d + i];
			square += (double) left[i] * left[i];
		}
		length = square > 0 ? sqrt(square) : 1;
		for (size_t i = 0; i < work->d; i++)
			left[i] = f[i] - (float) (left[i] / length);
	}
}

/*
 * Fits the reconstruction of f from the signs so far, appends it to the model, and keeps
 * the signs of what it leaves over.
 */
static void
add_reconstruction(Recurrent *r, HxModel *model)
{
	HxTraining *training = r->training;
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t k = r->done * r->m;
	const size_t d = r->d;
	const float *signs = signs_so_far(r);
	double	   *matrix = hx_scratch(compute, k * d, sizeof(double));
	double	   *reconstructed = hx_scratch(compute, BATCH_ROWS * d, sizeof(double));
	float	   *left = hx_scratch(compute, BATCH_ROWS * d, sizeof(float));

	fit_reconstruction(r, signs, k, matrix);
	hx_training_add_matrix(training, model, matrix, (uint32_t) d);
	for (size_t row = 0; row < r->count; row += BATCH_ROWS)
	{
		const size_t rows = r->count - row < BATCH_ROWS ? r->count - row : BATCH_ROWS;
		Leftover	work = {r->f + row * d, reconstructed, d, left};

		hx_project(compute, signs + row * k, rows, k, NULL, matrix, d, reconstructed);
		hx_compute_run(compute, subtract_reconstructed, &work, rows, d * 8);
		keep_signs(r, left, row, rows);
	}
	hx_scratch_release(compute, mark);
}

static bool
train_planes(Recurrent *r, HxModel *model)
{
	HxTraining *training = r->training;
	const int	f = model->step_count - 1;
	float	   *thresholds = hx_training_floats(training, training->outputs);
	int			code;

	hx_compute_report(&training->compute, HX_PHASE_AXES, 0, 0);
	if (!find_matrix(r))
		return false;
	for (size_t row = 0; row < r->count; row += BATCH_ROWS)
		keep_signs(r, r->f + row * r->d, row,
				   r->count - row < BATCH_ROWS ? r->count - row : BATCH_ROWS);
	code = add_plane(r, model);
	while (r->done < r->planes)
	{
		int			fitted;
		int			plane;

		hx_compute_report(&training->compute, HX_PHASE_PLANES, r->done, r->planes);
		add_reconstruction(r, model);
		fitted = hx_model_add(model, HX_STEP_NORMALISE, (uint32_t) r->d, 0, 0, NULL, 0);
		hx_model_add2(model, HX_STEP_SUBTRACT, f, fitted, (uint32_t) r->d, 0, 0, NULL, 0);
		plane = add_plane(r, model);
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
	Recurrent	r = {.training = training, .d = training->dims, .planes = planes};
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
	if (r.m > r.d)
		return hx_training_fail(training, "A plane has at most one bit a dimension: %zu dimensions do not give %zu bits.",
								r.d, r.m);
	r.count = training->count < MOST_ROWS ? training->count : MOST_ROWS;
	r.matrix = hx_scratch(compute, r.d * r.m, sizeof(double));
	r.signs = hx_scratch(compute, r.count * training->outputs, sizeof(float));
	hx_model_init(model, HX_MODEL_RECURRENT, training->dims);
	r.f = hx_training_add_unit(training, model, r.count);
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
