/*
 * model_run.c
 *	  Running a model: the interpreter of its steps.
 *
 * What comes out is stored, so every operation rounds the same way on every CPU:
 * kernels with a frozen order of sums, no fused products, and of libm only sqrt,
 * which IEEE 754 defines to the last bit, and functions that change no more than a sign.
 *
 * Scratch: the intermediate numbers that some steps need, then the outputs of the
 * steps, one after the other. A model was checked before, so all shapes fit.
 */
#include "hash/model.h"

#include <math.h>
#include <string.h>

#include "hash/signs.h"
#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/finite.h"
#include "math/functions.h"
#include "math/rotation.h"

HX_VECTORISE_LOOPS

_Static_assert(HX_MODEL_MAX_WIDTH <= HX_ROTATION_MAX_DIMS, "whatever comes in can be rotated");

#define EXPONENTS_AT_ONCE ((size_t) 64)
#define FSQ_STRETCH 1.001		/* what the literature makes of levels - 1, see fsq_token() */

typedef struct Run
{
	const HxModel *model;
	const float *x;				/* the model's input */
	float	   *temp;			/* for the step that runs */
	float	   *next;			/* where the outputs of the next step go */
	int			done;			/* steps that have run */
	const float *values[HX_MODEL_MAX_STEPS];	/* outputs of the steps that have run */
} Run;

static const float *
value_of(const Run *run, int input)
{
	return input == HX_MODEL_INPUT ? run->x : run->values[input];
}

/* Steps that give floats: all, but a last one that makes bits or tokens of them. */
static int
float_steps(const HxModel *model)
{
	return hx_model_output(model) == HX_OUTPUT_VECTOR ? model->step_count : model->step_count - 1;
}

/* Floats of run->temp that a step takes. */
static size_t
temp_size(const HxModel *model, const HxStep *step)
{
	const size_t inputs = hx_model_width(model, step->input);

	switch (step->op)
	{
		case HX_STEP_ROTATE:
			return hx_rotation_size(inputs);
		case HX_STEP_COSINES:
			return inputs;
		case HX_STEP_PQ:
		case HX_STEP_RQ:
			return inputs + step->detail;
		default:
			return 0;
	}
}

static size_t
max_temp_size(const HxModel *model)
{
	size_t		most = 0;

	for (int i = 0; i < model->step_count; i++)
	{
		size_t		size = temp_size(model, &model->steps[i]);

		most = size > most ? size : most;
	}
	return most;
}

size_t
hx_model_scratch(const HxModel *model)
{
	size_t		size = max_temp_size(model);

	for (int i = 0; i < float_steps(model); i++)
		size += model->steps[i].outputs;
	return size;
}

static void
rotate(const HxStep *step, const float *x, size_t n, float *temp, float *out)
{
	const size_t size = hx_rotation_size(n);
	const size_t m = step->outputs;

	for (size_t begin = 0; begin < m; begin += size)
	{
		size_t		count = m - begin < size ? m - begin : size;

		hx_rotation_apply(step->seed, begin / size, x, n, temp);
		memcpy(out + begin, temp, count * sizeof(float));
	}
}

/* A parameter is a place, counted from 1, with the sign that its number gets. */
static void
sum_some(const HxStep *step, const float *x, float *out)
{
	const float *param = step->params;

	for (uint32_t j = 0; j < step->outputs; j++)
	{
		float		sum = 0;

		for (uint32_t i = 0; i < step->detail; i++, param++)
		{
			float		number = x[(int32_t) fabsf(*param) - 1];

			sum += copysignf(1, *param) * number;
		}
		out[j] = sum;
	}
}

static void
normalise(const float *x, size_t n, float *out)
{
	const double norm = sqrt(hx_kernels->dot(x, x, n));

	if (norm > 0)
		hx_kernels->scale(x, 1 / norm, n, out);
	else
		memset(out, 0, n * sizeof(float));
}

static void
gaussian(const HxStep *step, const float *x, size_t n, float *out)
{
	const size_t m = step->outputs;
	const double scale = step->params[0];
	const float *anchors = step->params + 1;
	const float *offsets = anchors + n * m;

	hx_kernels->column_distances(anchors, n, m, x, out);
	for (size_t j = 0; j < m; j += EXPONENTS_AT_ONCE)
	{
		const size_t count = m - j < EXPONENTS_AT_ONCE ? m - j : EXPONENTS_AT_ONCE;
		double		exponents[EXPONENTS_AT_ONCE];
		double		powers[EXPONENTS_AT_ONCE];

		for (size_t k = 0; k < count; k++)
			exponents[k] = -(out[j + k] * scale);
		hx_exp_all(exponents, count, powers);
		for (size_t k = 0; k < count; k++)
			out[j + k] = (float) (powers[k] - offsets[j + k]);
	}
}

static void
concat(const float *x, size_t n, const float *y, size_t n2, float *out)
{
	memcpy(out, x, n * sizeof(float));
	memcpy(out + n, y, n2 * sizeof(float));
}

/* The steps that make each number of out from the number at its place. */
static void
map_numbers(const HxStep *step, const float *x, const float *y, float *out)
{
	const float *param = step->params;
	const size_t m = step->outputs;

	switch (step->op)
	{
		case HX_STEP_CENTRE:
			hx_kernels->subtract(x, param, m, out);
			break;
		case HX_STEP_SCALE:
			for (size_t i = 0; i < m; i++)
				out[i] = x[i] * param[i];
			break;
		case HX_STEP_RELU:
			for (size_t i = 0; i < m; i++)
				out[i] = x[i] > 0 ? x[i] : 0;
			break;
		case HX_STEP_TANH:
			for (size_t i = 0; i < m; i++)
				out[i] = (float) hx_tanh(x[i]);
			break;
		case HX_STEP_SIGNUM:
			for (size_t i = 0; i < m; i++)
				out[i] = x[i] > 0 ? 1 : -1;
			break;
		case HX_STEP_SUBTRACT:
			hx_kernels->subtract(x, y, m, out);
			break;
		default:
			memcpy(out, x, m * sizeof(float));	/* HX_STEP_TRUNCATE */
			break;
	}
}

static void
run_step(const Run *run, const HxStep *step, float *out)
{
	const float *x = value_of(run, step->input);
	const float *y = value_of(run, step->input2);
	const size_t n = hx_model_width(run->model, step->input);
	const size_t n2 = hx_model_width(run->model, step->input2);
	const size_t m = step->outputs;

	switch (step->op)
	{
		case HX_STEP_LINEAR:
			hx_kernels->matvec(step->params, n, m, x, step->params + n * m, out);
			break;
		case HX_STEP_ROTATE:
			rotate(step, x, n, run->temp, out);
			break;
		case HX_STEP_SPARSE:
			sum_some(step, x, out);
			break;
		case HX_STEP_NORMALISE:
			normalise(x, n, out);
			break;
		case HX_STEP_GAUSSIAN:
			gaussian(step, x, n, out);
			break;
		case HX_STEP_COSINES:
			normalise(x, n, run->temp);
			hx_kernels->matvec(step->params, n, m, run->temp, NULL, out);
			break;
		case HX_STEP_CONCAT:
			concat(x, n, y, n2, out);
			break;
		default:
			map_numbers(step, x, y, out);
			break;
	}
}

static void
start_run(Run *run, const HxModel *model, const float *x, float *scratch)
{
	run->model = model;
	run->x = x;
	run->temp = scratch;
	run->next = scratch + max_temp_size(model);
	run->done = 0;
}

/* Whether a step can make numbers beyond the range of floats of numbers within it. */
static bool
may_leave_range(HxStepOp op)
{
	switch (op)
	{
		case HX_STEP_ROTATE:
		case HX_STEP_NORMALISE:
		case HX_STEP_RELU:
		case HX_STEP_TANH:
		case HX_STEP_TRUNCATE:
		case HX_STEP_GAUSSIAN:
		case HX_STEP_SIGNUM:
		case HX_STEP_CONCAT:
			return false;
		default:
			return true;
	}
}

/* Runs the steps before step `end`; false when a number is beyond the range of floats. */
static bool
run_steps(Run *run, int end)
{
	for (; run->done < end; run->done++)
	{
		const HxStep *step = &run->model->steps[run->done];

		run_step(run, step, run->next);
		if (may_leave_range(step->op) && !hx_all_finite(run->next, step->outputs))
			return false;
		run->values[run->done] = run->next;
		run->next += step->outputs;
	}
	return true;
}

/* Runs all steps that give floats; false when a number is beyond their range. */
static bool
run_model(Run *run, const HxModel *model, const float *x, float *scratch)
{
	start_run(run, model, x, scratch);
	return run_steps(run, float_steps(model));
}

bool
hx_model_run_vector(const HxModel *model, const float *x, float *scratch, float *out)
{
	Run			run;

	if (!run_model(&run, model, x, scratch))
		return false;
	memcpy(out, run.values[model->step_count - 1], model->outputs * sizeof(float));
	return true;
}

/* The last step of a code, of all numbers. */
static void
take_signs(const Run *run, uint8_t *code)
{
	const HxStep *step = &run->model->steps[run->model->step_count - 1];

	hx_kernels->above(value_of(run, step->input), step->params, step->outputs, code);
}

bool
hx_model_run_code(const HxModel *model, const float *x, float *scratch, uint8_t *code)
{
	return hx_signs_run_code(NULL, model, x, scratch, code);
}

bool
hx_signs_run_code(HxSigns *signs, const HxModel *model, const float *x, float *scratch,
				  uint8_t *code)
{
	Run			run;

	start_run(&run, model, x, scratch);
	if (signs != NULL)
	{
		/* They tell the last two steps. */
		if (!run_steps(&run, model->step_count - 2))
			return false;
		if (hx_signs_find(signs, value_of(&run, model->steps[model->step_count - 2].input), code))
			return true;
	}
	if (!run_steps(&run, model->step_count - 1))
		return false;
	take_signs(&run, code);
	return true;
}

/* The least of n >= 1 numbers. In blocks, which are quick; the order changes nothing. */
static float
least_of(const float *x, size_t n)
{
	float		least[16];
	size_t		i;

	for (int k = 0; k < 16; k++)
		least[k] = x[0];
	for (i = 0; i + 16 <= n; i += 16)
		for (int k = 0; k < 16; k++)
			least[k] = x[i + k] < least[k] ? x[i + k] : least[k];
	for (; i < n; i++)
		least[0] = x[i] < least[0] ? x[i] : least[0];
	for (int k = 1; k < 16; k++)
		least[0] = least[k] < least[0] ? least[k] : least[0];
	return least[0];
}

/*
 * The nearest of the columns of `centroids` (n x count), of equals the first. False
 * when all are too far for floats to tell.
 */
static bool
nearest(const float *centroids, size_t n, uint32_t count, const float *x, float *distance,
		uint16_t *token)
{
	float		least;
	uint32_t	i = 0;

	hx_kernels->column_distances(centroids, n, count, x, distance);
	least = least_of(distance, count);
	while (i + 1 < count && distance[i] != least)
		i++;
	*token = (uint16_t) i;
	return least < INFINITY;
}

static bool
run_pq(const HxStep *step, const float *x, size_t n, float *temp, uint16_t *tokens)
{
	const size_t slice = n / step->outputs;

	for (uint32_t j = 0; j < step->outputs; j++)
	{
		const float *centroids = step->params + j * slice * step->detail;

		if (!nearest(centroids, slice, step->detail, x + j * slice, temp, &tokens[j]))
			return false;
	}
	return true;
}

static bool
run_rq(const HxStep *step, const float *x, size_t n, float *temp, uint16_t *tokens)
{
	float	   *rest = temp + step->detail;

	memcpy(rest, x, n * sizeof(float));
	for (uint32_t j = 0; j < step->outputs; j++)
	{
		const float *centroids = step->params + j * n * step->detail;

		if (!nearest(centroids, n, step->detail, rest, temp, &tokens[j]))
			return false;
		for (size_t i = 0; i < n; i++)
			rest[i] -= centroids[i * step->detail + tokens[j]];
	}
	return true;
}

/*
 * tanh x, stretched from -1 .. 1 to 0 .. levels - 1, to the nearest level, of two the
 * lower one: with two levels, that is 1 where x > 0. The shift that the literature
 * gives to even numbers of levels belongs to the step before.
 */
static uint16_t
fsq_token(float x, float levels)
{
	const double top = (double) levels - 1;
	const double place = hx_tanh(x) * (FSQ_STRETCH * top / 2) + top / 2 - 0.5;
	int32_t		token;

	if (place <= 0)
		return 0;
	token = (int32_t) place;
	token += place > token;
	return (uint16_t) (token < top ? token : top);
}

bool
hx_model_run_tokens(const HxModel *model, const float *x, float *scratch, uint16_t *tokens)
{
	const HxStep *step = &model->steps[model->step_count - 1];
	const size_t n = hx_model_width(model, step->input);
	Run			run;

	if (!run_model(&run, model, x, scratch))
		return false;

	x = value_of(&run, step->input);
	switch (step->op)
	{
		case HX_STEP_PQ:
			return run_pq(step, x, n, run.temp, tokens);
		case HX_STEP_RQ:
			return run_rq(step, x, n, run.temp, tokens);
		default:
			for (size_t i = 0; i < n; i++)
				tokens[i] = fsq_token(x[i], step->params[i]);
			return true;
	}
}
