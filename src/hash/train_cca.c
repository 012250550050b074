/*
 * train_cca.c
 *	  The trainer of codes for two kinds of vectors at once: cca_itq.
 *
 * Canonical correlation analysis finds directions in which paired rows say the
 * same; one rotation for both sides then brings the projections near their signs.
 */
#include "hash/axes.h"
#include "hash/itq.h"
#include "hash/phase.h"
#include "hash/trainers.h"
#include "kernel/target.h"

/* Directions that correlate less say nothing of the other side. */
#define LEAST_CORRELATION 0.05

enum
{
	OPTION_RIDGE,
	OPTION_POWER,
	OPTION_ITERATIONS,
};

/* One of the two columns. */
typedef struct Side
{
	const char *name;
	const float *rows;
	size_t		dims;
	double	   *mean;
	double	   *factor;			/* Cholesky's L of its covariance plus ridge */
	double	   *axes;			/* dims x outputs: directions, weighted by their correlation */
} Side;

/* Mean and Cholesky factor of a side; false when it does not vary. */
static bool
study_side(HxTraining *training, Side *side)
{
	HxCompute  *compute = &training->compute;
	const size_t d = side->dims;
	double		trace = 0;

	side->mean = hx_scratch(compute, d, sizeof(double));
	side->factor = hx_scratch(compute, d * d, sizeof(double));
	side->axes = hx_scratch(compute, d * training->outputs, sizeof(double));
	hx_mean(compute, side->rows, training->count, d, side->mean);
	hx_covariance(compute, side->rows, training->count, d, side->mean, side->factor);

	for (size_t i = 0; i < d; i++)
		trace += side->factor[i * d + i];
	for (size_t i = 0; i < d; i++)
		side->factor[i * d + i] += training->options[OPTION_RIDGE] * trace / (double) d;
	if (trace <= 0)
		return hx_training_fail(training, "All rows of the %s column are the same.", side->name);
	if (!hx_cholesky(compute, side->factor, d))
		return hx_training_fail(training,
								"The %s column varies in too few directions; "
								"a larger ridge may help.",
								side->name);
	return true;
}

static void
transpose(const double *a, size_t rows, size_t columns, double *out)
{
	for (size_t i = 0; i < rows; i++)
	{
		for (size_t j = 0; j < columns; j++)
			out[j * rows + i] = a[i * columns + j];
	}
}

/* The directions of a side: L^-T times the first m of `rank` columns of `vectors`, weighted. */
static void
weigh_axes(HxCompute *compute, Side *side, const double *vectors, size_t rank,
		   const double *weights, size_t m)
{
	for (size_t i = 0; i < side->dims; i++)
	{
		for (size_t j = 0; j < m; j++)
			side->axes[i * m + j] = vectors[i * rank + j] * weights[j];
	}
	hx_solve_lower_transposed(compute, side->factor, side->dims, side->axes, m);
}

/*
 * The axes of both sides, from the singular vectors of Lx^-1 Cxy Ly^-T, whose singular
 * values are the correlations; false when too few are worth a bit.
 */
static bool
find_common_axes(HxTraining *training, Side *x, Side *y)
{
	HxCompute  *compute = &training->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t rank = x->dims < y->dims ? x->dims : y->dims;
	const size_t m = training->outputs;
	double	   *cross = hx_scratch(compute, x->dims * y->dims, sizeof(double));
	double	   *whitened = hx_scratch(compute, x->dims * y->dims, sizeof(double));
	double	   *u = hx_scratch(compute, y->dims * rank, sizeof(double));
	double	   *v = hx_scratch(compute, x->dims * rank, sizeof(double));
	double	   *correlations = hx_scratch(compute, rank, sizeof(double));
	size_t		useful = 0;

	hx_cross_covariance(compute, x->rows, x->dims, x->mean, y->rows, y->dims, y->mean,
						training->count, cross);
	hx_solve_lower(compute, x->factor, x->dims, cross, y->dims);
	transpose(cross, x->dims, y->dims, whitened);
	hx_solve_lower(compute, y->factor, y->dims, whitened, x->dims);
	hx_svd(compute, whitened, y->dims, x->dims, u, correlations, v);

	while (useful < rank && correlations[useful] > LEAST_CORRELATION)
		useful++;
	if (useful < m)
		return hx_training_fail(training,
								"The columns correlate in fewer directions than asked for: "
								"%zu, not %zu.",
								useful, m);

	for (size_t j = 0; j < m; j++)
	{
		const double correlation = correlations[j];

		correlations[j] = 1;
		for (int i = 0; i < (int) training->options[OPTION_POWER]; i++)
			correlations[j] *= correlation;
	}
	weigh_axes(compute, x, v, rank, correlations, m);
	weigh_axes(compute, y, u, rank, correlations, m);
	hx_scratch_release(compute, mark);
	return true;
}

/* The rotation (m x m) that suits the projections of both sides. */
static double *
find_rotation(HxTraining *training, const Side *x, const Side *y)
{
	HxCompute  *compute = &training->compute;
	const size_t m = training->outputs;
	const size_t rows = hx_itq_rows(training->count, m);
	double	   *projected = hx_scratch(compute, 2 * rows * m, sizeof(double));
	double	   *rotation = hx_scratch(compute, m * m, sizeof(double));

	hx_project(compute, x->rows, rows, x->dims, x->mean, x->axes, m, projected);
	hx_project(compute, y->rows, rows, y->dims, y->mean, y->axes, m, projected + rows * m);
	hx_itq_rotation(compute, projected, 2 * rows, m, (int) training->options[OPTION_ITERATIONS],
					training->seed, rotation);
	return rotation;
}

static void
make_model(HxTraining *training, const Side *side, const double *rotation, HxModel *model)
{
	HxCompute  *compute = &training->compute;
	const size_t m = training->outputs;
	double	   *matrix = hx_scratch(compute, side->dims * m, sizeof(double));

	hx_multiply(compute, side->axes, rotation, side->dims, m, m, matrix);
	hx_model_init(model, HX_MODEL_CCA_ITQ, (uint32_t) side->dims);
	hx_training_add_centre(training, model, side->mean);
	hx_training_add_matrix(training, model, matrix, training->outputs);
	hx_training_add_sign(training, model, side->rows);
}

static bool
train_cca_itq(HxTraining *training, HxModel *model, HxModel *second)
{
	const HxScratchMark mark = hx_scratch_mark(&training->compute);
	Side		x = {"first", training->rows, training->dims, NULL, NULL, NULL};
	Side		y = {"second", training->second_rows, training->second_dims, NULL, NULL, NULL};
	const double *rotation;

	if (training->count == 0)
		return hx_training_fail(training, "There are no rows to learn from.");
	if (training->outputs > x.dims || training->outputs > y.dims)
		return hx_training_fail(training,
								"There is at most one bit a dimension of both columns: "
								"%zu and %zu dimensions do not give %u bits.",
								x.dims, y.dims, training->outputs);
	hx_compute_report(&training->compute, HX_PHASE_AXES, 0, 0);
	if (!study_side(training, &x) || !study_side(training, &y) ||
		!find_common_axes(training, &x, &y))
		return false;

	rotation = find_rotation(training, &x, &y);
	make_model(training, &x, rotation, model);
	make_model(training, &y, rotation, second);
	hx_scratch_release(&training->compute, mark);
	return true;
}

const HxTrainer hx_trainer_cca_itq = {
	.kind = HX_MODEL_CCA_ITQ,
	.meaning = "one code space for two columns of paired vectors, such as pictures and texts",
	.two_columns = true,
	.options = {
		[OPTION_RIDGE] = {"ridge", 1e-3, 0, 1, false, false,
		"added to the variances, in units of their mean"},
		[OPTION_POWER] = {"power", 4, 0, 16, true, false,
		"directions weigh as this power of their correlation"},
		[OPTION_ITERATIONS] = {"iterations", 50, 0, 1000, true, false,
		"rounds of fitting the rotation"},
	},
	.sample_size = hx_axes_sample_size,
	.train = train_cca_itq,
};
