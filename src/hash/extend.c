/*
 * extend.c
 *	  Lifelong hashing: a model that learns from new rows while the codes of the old rows stay
 *	  valid.
 *
 * A bit of the old model is the sign of a margin u(x). The new margin is u(x) - c(x); the
 * correction c is linear in x. It is the ridge regression of what u lacks to reach the targets:
 * for old rows their stored codes, for new rows codes that relate to those as the rows do
 * (fit_codes.h). The higher the ridge, the nearer is the new model to the old one; it is raised
 * until enough bits of old rows stay.
 */
#include "hash/extend.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hash/batch.h"
#include "hash/fit_codes.h"
#include "hash/phase.h"
#include "kernel/target.h"
#include "math/matrix.h"

#define SWEEPS 4

/* One old row in so many is held back to measure on. */
#define HELD_BACK 5

/* The ridge rises by this factor, up to where next to nothing is left to learn. */
#define RIDGE_FACTOR 10
#define RIDGE_LIMIT 1e6

static bool __attribute__((format(printf, 2, 3)))
fail(HxExtension *extension, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(extension->problem, sizeof(extension->problem), format, args);
	va_end(args);
	return false;
}

/* What is known while an extension is learned. Rows: the old ones, then the new ones. */
typedef struct Lesson
{
	HxExtension *extension;
	HxCompute  *compute;
	size_t		dims;
	size_t		bits;
	size_t		code_bytes;
	size_t		held_count;		/* the first of the old rows, which are held back */
	size_t		old_count;		/* of rows to learn from */
	size_t		count;
	const float *rows;			/* count x dims: those of the extension after the ones held back */
	uint8_t    *targets;		/* count codes */
	float	   *lacks;			/* count x bits: target - scale * margin */
	double	   *scales;			/* of the margins, bit by bit */

	/* The regression of what lacks on the rows. */
	double	   *mean;			/* dims */
	double	   *covariance;		/* dims x dims */
	double		variance;		/* along a typical row: what the ridge is in units of */
	double	   *mean_lack;		/* bits */
	double	   *covariance_lack;	/* dims x bits */
} Lesson;

/* Whether only signs and ratios of what comes out of a step mean anything. */
static bool
is_without_scale(const HxModel *model, int number)
{
	if (number != HX_MODEL_INPUT && model->steps[number].op == HX_STEP_SPARSE)
		number = model->steps[number].input;
	return number != HX_MODEL_INPUT && model->steps[number].op == HX_STEP_ROTATE;
}

static bool
are_zeros(const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		if (x[i] != 0)
			return false;
	}
	return true;
}

/* The old model up to the numbers whose signs are the code. */
static HxModel
before_sign(const HxModel *model)
{
	HxModel		result = *model;
	const HxStep *sign = &model->steps[model->step_count - 1];

	result.step_count = sign->input + 1;
	result.outputs = sign->outputs;
	/* A model has at least one step. */
	if (sign->input == HX_MODEL_INPUT)
		hx_model_add(&result, HX_STEP_TRUNCATE, sign->outputs, 0, 0, NULL, 0);
	/* What will be subtracted needs a scale; signs stay. */
	if (is_without_scale(model, sign->input) && are_zeros(sign->params, sign->outputs))
		hx_model_add(&result, HX_STEP_NORMALISE, sign->outputs, 0, 0, NULL, 0);
	return result;
}

/* count x bits: by how much the numbers of each row exceed the thresholds. */
static float *
find_margins(HxCompute *compute, const HxModel *model, const float *rows, size_t count)
{
	const HxModel numbers = before_sign(model);
	const float *thresholds = model->steps[model->step_count - 1].params;
	const size_t m = model->outputs;
	float	   *margins = hx_scratch(compute, count * m, sizeof(float));

	hx_batch_run(compute, &numbers, rows, count, margins);
	for (size_t row = 0; row < count; row++)
	{
		for (size_t j = 0; j < m; j++)
			margins[row * m + j] -= thresholds[j];
		hx_compute_check(compute);
	}
	return margins;
}

static bool
get_bit(const uint8_t *code, size_t bit)
{
	return code[bit / 8] >> (7 - bit % 8) & 1;
}

static void
put_code(const float *margins, size_t bits, uint8_t *code)
{
	memset(code, 0, (bits + 7) / 8);
	for (size_t j = 0; j < bits; j++)
	{
		if (margins[j] > 0)
			code[j / 8] |= (uint8_t) (0x80 >> j % 8);
	}
}

/* Share of the bits of some rows that a model gives as they stand in `codes`. */
static double
share_agreed(HxCompute *compute, const HxModel *model, const float *rows, const uint8_t *codes,
			 size_t count)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t m = model->outputs;
	const float *margins = find_margins(compute, model, rows, count);
	size_t		agreed = 0;

	for (size_t row = 0; row < count; row++)
	{
		for (size_t j = 0; j < m; j++)
			agreed += (margins[row * m + j] > 0) == get_bit(codes + row * ((m + 7) / 8), j);
		hx_compute_check(compute);
	}
	hx_scratch_release(compute, mark);
	return (double) agreed / ((double) count * (double) m);
}

/* Codes that the rows should have: old ones what is stored, new ones what fits beside that. */
static void
find_targets(Lesson *lesson)
{
	const HxExtension *extension = lesson->extension;
	const size_t paired = lesson->old_count < HX_EXTEND_PAIRED_ROWS ? lesson->old_count :
		HX_EXTEND_PAIRED_ROWS;
	HxCodeFit	fit = {
		.old_count = paired,
		.new_count = lesson->count - lesson->old_count,
		.dims = (uint32_t) lesson->dims,
		.bits = (uint32_t) lesson->bits,
	};
	const HxScratchMark mark = hx_scratch_mark(lesson->compute);
	const float *margins = find_margins(lesson->compute, extension->old,
										lesson->rows + lesson->old_count * lesson->dims,
										fit.new_count);

	memcpy(lesson->targets, extension->codes + lesson->held_count * lesson->code_bytes,
		   lesson->old_count * lesson->code_bytes);
	for (size_t i = 0; i < fit.new_count; i++)
		put_code(margins + i * lesson->bits, lesson->bits,
				 lesson->targets + (lesson->old_count + i) * lesson->code_bytes);

	/* The last of the old rows and all of the new ones lie side by side. */
	fit.rows = lesson->rows + (lesson->old_count - paired) * lesson->dims;
	fit.codes = lesson->targets + (lesson->old_count - paired) * lesson->code_bytes;
	hx_fit_codes(lesson->compute, &fit, SWEEPS);
	hx_scratch_release(lesson->compute, mark);
}

/* The factor that brings the margins of one bit nearest to its targets of 1 and -1. */
static double
find_scale(const Lesson *lesson, const float *margins, size_t bit)
{
	double		product = 0;
	double		square = 0;

	for (size_t row = 0; row < lesson->count; row++)
	{
		const double margin = margins[row * lesson->bits + bit];

		product += get_bit(lesson->targets + row * lesson->code_bytes, bit) ? margin : -margin;
		square += margin * margin;
	}
	/* Codes that contradict the model leave no good factor; the agreement will tell. */
	return product > 0 ? product / square : 1;
}

/* What the margins of the old model lack to hit the targets. */
static void
find_lacks(Lesson *lesson)
{
	const HxScratchMark mark = hx_scratch_mark(lesson->compute);
	const size_t m = lesson->bits;
	const float *margins = find_margins(lesson->compute, lesson->extension->old, lesson->rows,
										lesson->count);

	for (size_t j = 0; j < m; j++)
	{
		lesson->scales[j] = find_scale(lesson, margins, j);
		hx_compute_check(lesson->compute);
	}
	for (size_t row = 0; row < lesson->count; row++)
	{
		const uint8_t *target = lesson->targets + row * lesson->code_bytes;

		for (size_t j = 0; j < m; j++)
			lesson->lacks[row * m + j] =
				(float) ((get_bit(target, j) ? 1 : -1) - lesson->scales[j] * margins[row * m + j]);
	}
	hx_scratch_release(lesson->compute, mark);
}

static void
prepare_regression(Lesson *lesson)
{
	HxCompute  *compute = lesson->compute;
	const size_t d = lesson->dims;
	const size_t m = lesson->bits;
	double		trace = 0;
	double		squares = 0;

	lesson->mean = hx_scratch(compute, d, sizeof(double));
	lesson->covariance = hx_scratch(compute, d * d, sizeof(double));
	lesson->mean_lack = hx_scratch(compute, m, sizeof(double));
	lesson->covariance_lack = hx_scratch(compute, d * m, sizeof(double));
	hx_mean(compute, lesson->rows, lesson->count, d, lesson->mean);
	hx_mean(compute, lesson->lacks, lesson->count, m, lesson->mean_lack);
	hx_covariance(compute, lesson->rows, lesson->count, d, lesson->mean, lesson->covariance);
	hx_cross_covariance(compute, lesson->rows, d, lesson->mean, lesson->lacks, m, lesson->mean_lack,
						lesson->count, lesson->covariance_lack);

	/*
	 * trace C^2 / trace C: the mean of the eigenvalues, each weighted by itself. The plain
	 * mean is far below the variances that matter when most directions have next to none.
	 */
	for (size_t i = 0; i < d; i++)
		trace += lesson->covariance[i * d + i];
	for (size_t i = 0; i < d * d; i++)
		squares += lesson->covariance[i] * lesson->covariance[i];
	lesson->variance = trace > 0 ? squares / trace : 0;
}

/*
 * The correction for one ridge, as the parameters of a linear step: c(x) = W x + b is
 * what is subtracted from the margins. False when the regression has no solution.
 */
static bool
find_correction(const Lesson *lesson, double ridge, double *correction)
{
	HxCompute  *compute = lesson->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t d = lesson->dims;
	const size_t m = lesson->bits;
	double	   *factor = hx_scratch(compute, d * d, sizeof(double));
	double	   *bias = correction + d * m;
	bool		solved;

	memcpy(factor, lesson->covariance, d * d * sizeof(double));
	for (size_t i = 0; i < d; i++)
		factor[i * d + i] += ridge * lesson->variance;
	solved = hx_cholesky(compute, factor, d);
	if (solved)
	{
		memcpy(correction, lesson->covariance_lack, d * m * sizeof(double));
		hx_solve_lower(compute, factor, d, correction, m);
		hx_solve_lower_transposed(compute, factor, d, correction, m);

		/* The constant is a direction like others, of variance 1: the ridge holds it too. */
		for (size_t j = 0; j < m; j++)
			bias[j] = -lesson->mean_lack[j] / (1 + ridge) / lesson->scales[j];
		for (size_t i = 0; i < d; i++)
		{
			for (size_t j = 0; j < m; j++)
			{
				correction[i * m + j] /= -lesson->scales[j];
				bias[j] -= lesson->mean[i] * correction[i * m + j];
			}
		}
	}
	hx_scratch_release(compute, mark);
	return solved;
}

/* Whether exactly one step reads the numbers of this one. */
static bool
is_read_once(const HxModel *model, int number)
{
	int			readers = 0;

	for (int i = 0; i < model->step_count; i++)
		readers += (model->steps[i].input == number) + (model->steps[i].input2 == number);
	return readers == 1;
}

/*
 * The linear step of a model that can take the correction as well, or -1. *sign is
 * what the correction is multiplied by there, or in a linear step of its own.
 */
static int
find_absorber(const HxModel *model, double *sign)
{
	int			number = model->steps[model->step_count - 1].input;
	bool		subtracted = false;
	int			input;

	*sign = 1;
	if (number != HX_MODEL_INPUT && model->steps[number].op == HX_STEP_SUBTRACT &&
		is_read_once(model, number))
	{
		number = model->steps[number].input2;
		subtracted = true;
	}
	if (number == HX_MODEL_INPUT || model->steps[number].op != HX_STEP_LINEAR ||
		!is_read_once(model, number))
		return -1;

	/* It must read what the model is given, centred at most: the matrix is then the same. */
	input = model->steps[number].input;
	if (input != HX_MODEL_INPUT && model->steps[input].op == HX_STEP_CENTRE)
		input = model->steps[input].input;
	if (input != HX_MODEL_INPUT)
		return -1;
	*sign = subtracted ? 1 : -1;
	return number;
}

/* The centre that is subtracted from the input of a linear step, or NULL. */
static const float *
centre_of(const HxModel *model, int number)
{
	const int	input = model->steps[number].input;

	return input == HX_MODEL_INPUT ? NULL : model->steps[input].params;
}

/*
 * The old model with a correction. `params` has room for a linear step of all
 * dimensions and bits.
 */
static void
make_model(const Lesson *lesson, const double *correction, float *params, HxModel *model)
{
	const HxModel *old = lesson->extension->old;
	const HxStep sign_step = old->steps[old->step_count - 1];
	const uint32_t d = old->dims;
	const uint32_t m = old->outputs;
	const uint32_t size = d * m + m;
	double		sign;
	const int	absorber = find_absorber(old, &sign);
	const float *before = absorber < 0 ? NULL : old->steps[absorber].params;
	const float *centre = absorber < 0 ? NULL : centre_of(old, absorber);

	for (size_t i = 0; i < size; i++)
		params[i] = (float) ((before != NULL ? before[i] : 0) + sign * correction[i]);
	for (size_t j = 0; centre != NULL && j < m; j++)
	{
		/* W x = W (x - centre) + W centre. */
		double		bias = before[d * m + j] + sign * correction[d * m + j];

		for (size_t i = 0; i < d; i++)
			bias += sign * correction[i * m + j] * centre[i];
		params[d * m + j] = (float) bias;
	}

	if (before != NULL)
	{
		*model = *old;
		model->steps[absorber].params = params;
	}
	else
	{
		int			margin;
		int			change;

		*model = before_sign(old);
		model->kind = HX_MODEL_LAYERS;
		margin = model->step_count - 1;
		change = hx_model_add2(model, HX_STEP_LINEAR, HX_MODEL_INPUT, HX_MODEL_INPUT, m, 0, 0,
							   params, size);
		hx_model_add2(model, HX_STEP_SUBTRACT, margin, change, m, 0, 0, NULL, 0);
		hx_model_add(model, HX_STEP_SIGN, m, 0, 0, sign_step.params, m);
	}
}

/* Raises the ridge until enough bits stay; false when they never do. */
static bool
learn(const Lesson *lesson, HxModel *model)
{
	HxExtension *extension = lesson->extension;
	HxCompute  *compute = lesson->compute;
	const size_t size = lesson->dims * lesson->bits + lesson->bits;
	float	   *params = hx_allocate(&compute->memory, size, sizeof(float));
	double	   *correction = hx_scratch(compute, size, sizeof(double));

	extension->old_agreed = share_agreed(compute, extension->old, extension->rows,
										 extension->codes, lesson->held_count);
	for (double ridge = extension->ridge; ridge <= RIDGE_LIMIT; ridge *= RIDGE_FACTOR)
	{
		hx_compute_report(compute, HX_PHASE_CORRECTION, 0, 0);
		extension->used_ridge = ridge;
		if (find_correction(lesson, ridge, correction))
		{
			make_model(lesson, correction, params, model);
			extension->agreed = share_agreed(compute, model, extension->rows,
											 extension->codes, lesson->held_count);
			if (extension->agreed >= extension->agreement)
				return true;
		}
	}
	return fail(extension,
				"Only %.1f%% of the bits of old rows would stay as they are stored; "
				"the old model itself gives %.1f%% of them.",
				extension->agreed * 100, extension->old_agreed * 100);
}

/* Share of the bits of the new rows that are not the old model's. */
static double
share_changed(const Lesson *lesson, const HxModel *model)
{
	HxCompute  *compute = lesson->compute;
	const size_t count = lesson->count - lesson->old_count;
	const float *rows = lesson->rows + lesson->old_count * lesson->dims;
	const float *margins = find_margins(compute, lesson->extension->old, rows, count);
	uint8_t    *codes = hx_scratch(compute, count, lesson->code_bytes);

	for (size_t i = 0; i < count; i++)
		put_code(margins + i * lesson->bits, lesson->bits, codes + i * lesson->code_bytes);
	return 1 - share_agreed(compute, model, rows, codes, count);
}

bool
hx_extend(HxExtension *extension, HxModel *model)
{
	const HxModel *old = extension->old;
	HxCompute  *compute = &extension->compute;
	const HxScratchMark mark = hx_scratch_mark(compute);
	Lesson		lesson = {
		.extension = extension,
		.compute = compute,
		.dims = old->dims,
		.bits = old->outputs,
		.code_bytes = ((size_t) old->outputs + 7) / 8,
		.held_count = extension->old_count / HELD_BACK,
	};

	if (old->kind == HX_MODEL_RECURRENT)
		return fail(extension,
					"The bits of a recurrent code differ in weight, and cannot be learned alike.");
	if (extension->old_count < HX_EXTEND_LEAST_OLD_ROWS)
		return fail(extension, "There are %zu old rows with codes, but at least %d are needed.",
					extension->old_count, HX_EXTEND_LEAST_OLD_ROWS);
	if (extension->new_count == 0)
		return fail(extension, "There are no new rows to learn from.");

	lesson.old_count = extension->old_count - lesson.held_count;
	lesson.count = lesson.old_count + extension->new_count;
	lesson.rows = extension->rows + lesson.held_count * lesson.dims;
	lesson.targets = hx_scratch(compute, lesson.count, lesson.code_bytes);
	find_targets(&lesson);
	lesson.lacks = hx_scratch(compute, lesson.count * lesson.bits, sizeof(float));
	lesson.scales = hx_scratch(compute, lesson.bits, sizeof(double));
	find_lacks(&lesson);
	prepare_regression(&lesson);
	if (lesson.variance == 0)
		return fail(extension, "All rows, old and new, are the same.");
	if (!learn(&lesson, model))
		return false;
	extension->changed = share_changed(&lesson, model);
	hx_scratch_release(compute, mark);
	return true;
}
