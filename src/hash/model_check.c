/*
 * model_check.c
 *	  Whether a model makes sense: what everybody who runs one relies on.
 *
 * The model may come from hostile bytes. What is looked at was checked before it
 * is used, and no product here can overflow: outputs are at most 2^16 at a step,
 * and so is its detail.
 */
#include "hash/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_CHOICES 65536		/* centroids or levels: a token has 16 bits */

typedef struct Report
{
	char	   *text;
	size_t		size;
} Report;

/* Writes what is wrong; always false. */
static bool __attribute__((format(printf, 2, 3)))
complain(const Report *report, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(report->text, report->size, format, args);
	va_end(args);
	return false;
}

/* The same about a step, which it names. */
static bool __attribute__((format(printf, 4, 5)))
complain_of(const HxModel *model, int number, const Report *report, const char *format,...)
{
	const char *name = hx_model_step_name(model->steps[number].op);
	int			length = snprintf(report->text, report->size, "Step %d (%s) ", number + 1, name);
	va_list		args;

	va_start(args, format);
	if ((size_t) length < report->size)
		vsnprintf(report->text + length, report->size - (size_t) length, format, args);
	va_end(args);
	return false;
}

static bool
is_two_fold(HxStepOp op)
{
	return op == HX_STEP_SUBTRACT || op == HX_STEP_CONCAT;
}

static bool
is_last_only(HxStepOp op)
{
	return op == HX_STEP_SIGN || op == HX_STEP_PQ || op == HX_STEP_RQ || op == HX_STEP_FSQ;
}

/* A step reads earlier ones only, so a program has no loops. */
static bool
check_inputs(const HxModel *model, int number, const Report *report)
{
	const HxStep *step = &model->steps[number];

	if (step->input < HX_MODEL_INPUT || step->input >= number ||
		step->input2 < HX_MODEL_INPUT || step->input2 >= number)
		return complain_of(model, number, report, "reads a step that does not come before it.");
	if (!is_two_fold(step->op) && step->input2 != HX_MODEL_INPUT)
		return complain_of(model, number, report, "has one input, but two are named.");
	return true;
}

static bool
check_detail(const HxModel *model, int number, const Report *report)
{
	const HxStep *step = &model->steps[number];
	uint32_t	least = 0;
	uint32_t	most = 0;

	if (step->op == HX_STEP_SPARSE)
	{
		least = 1;
		most = hx_model_width(model, step->input);
	}
	else if (step->op == HX_STEP_PQ || step->op == HX_STEP_RQ)
	{
		least = 2;
		most = MAX_CHOICES;
	}

	if (step->detail < least || step->detail > most)
		return complain_of(model, number, report, "has the detail %u, which must be %u to %u.",
						   step->detail, least, most);
	if (step->op != HX_STEP_ROTATE && step->seed != 0)
		return complain_of(model, number, report, "takes no seed.");
	return true;
}

/* Outputs that `inputs` numbers lead to; where the step is free to say, what it says. */
static uint64_t
expected_outputs(const HxStep *step, uint32_t inputs, uint32_t inputs2)
{
	switch (step->op)
	{
		case HX_STEP_LINEAR:
		case HX_STEP_ROTATE:
		case HX_STEP_SPARSE:
		case HX_STEP_GAUSSIAN:
		case HX_STEP_COSINES:
		case HX_STEP_PQ:
		case HX_STEP_RQ:
			return step->outputs;
		case HX_STEP_TRUNCATE:
			return step->outputs < inputs ? step->outputs : inputs;
		case HX_STEP_CONCAT:
			return (uint64_t) inputs + inputs2;
		default:
			return inputs;
	}
}

static uint64_t
expected_params(const HxStep *step, uint32_t inputs)
{
	const uint64_t n = inputs;
	const uint64_t m = step->outputs;

	switch (step->op)
	{
		case HX_STEP_CENTRE:
		case HX_STEP_SCALE:
		case HX_STEP_SIGN:
		case HX_STEP_FSQ:
			return n;
		case HX_STEP_LINEAR:
			return n * m + m;
		case HX_STEP_SPARSE:
			return m * step->detail;
		case HX_STEP_GAUSSIAN:
			return 1 + n * m + m;
		case HX_STEP_COSINES:
			return n * m;
		case HX_STEP_PQ:
			return n * step->detail;
		case HX_STEP_RQ:
			return m * n * step->detail;
		default:
			return 0;
	}
}

static bool
check_shape(const HxModel *model, int number, const Report *report)
{
	const HxStep *step = &model->steps[number];
	const uint32_t inputs = hx_model_width(model, step->input);
	const uint32_t inputs2 = hx_model_width(model, step->input2);
	uint64_t	expected;

	if (step->outputs < 1 || step->outputs > HX_MODEL_MAX_WIDTH)
		return complain_of(model, number, report, "has %u outputs, which must be 1 to %d.",
						   step->outputs, HX_MODEL_MAX_WIDTH);
	if (!check_detail(model, number, report))
		return false;
	if (step->op == HX_STEP_SUBTRACT && inputs != inputs2)
		return complain_of(model, number, report, "has inputs of %u and of %u numbers.",
						   inputs, inputs2);
	if (step->op == HX_STEP_PQ && inputs % step->outputs != 0)
		return complain_of(model, number, report, "cannot cut %u numbers into %u equal slices.",
						   inputs, step->outputs);

	expected = expected_outputs(step, inputs, inputs2);
	if (step->outputs != expected)
		return complain_of(model, number, report, "has %u outputs instead of %llu.",
						   step->outputs, (unsigned long long) expected);
	expected = expected_params(step, inputs);
	if (step->param_count != expected)
		return complain_of(model, number, report, "has %u parameters instead of %llu.",
						   step->param_count, (unsigned long long) expected);
	return true;
}

/* Whole numbers up to 2^24, which floats hold exactly; both limits are far below. */
static bool
is_whole(float x, float least, float most)
{
	return x >= least && x <= most && (float) (int32_t) x == x;
}

/* What the operation says of one parameter that is finite. */
static bool
is_param_valid(const HxStep *step, uint32_t inputs, uint32_t i)
{
	const float param = step->params[i];

	switch (step->op)
	{
		case HX_STEP_SPARSE:
			return is_whole(param < 0 ? -param : param, 1, (float) inputs);
		case HX_STEP_FSQ:
			return is_whole(param, 2, MAX_CHOICES);
		case HX_STEP_GAUSSIAN:
			return i > 0 || param > 0;
		default:
			return true;
	}
}

static bool
check_params(const HxModel *model, int number, HxModelPause pause, const Report *report)
{
	const HxStep *step = &model->steps[number];
	const uint32_t inputs = hx_model_width(model, step->input);

	for (uint32_t i = 0; i < step->param_count; i++)
	{
		uint32_t	bits;

		if (i % HX_MODEL_PIECE == 0)
			hx_model_pause(pause);
		memcpy(&bits, &step->params[i], sizeof(bits));
		if ((bits & UINT32_C(0x7f800000)) == UINT32_C(0x7f800000))
			return complain_of(model, number, report, "has parameter %u, which is not finite.",
							   i + 1);
		if (!is_param_valid(step, inputs, i))
			return complain_of(model, number, report, "has parameter %u, %g, which means nothing.",
							   i + 1, (double) step->params[i]);
	}
	return true;
}

static bool
check_step(const HxModel *model, int number, HxModelPause pause, const Report *report)
{
	const HxStep *step = &model->steps[number];

	if (hx_model_step_name(step->op) == NULL)
		return complain(report, "Step %d has the unknown operation %d.", number + 1,
						(int) step->op);
	if (is_last_only(step->op) && number != model->step_count - 1)
		return complain_of(model, number, report, "may only be the last.");
	return check_inputs(model, number, report) &&
		check_shape(model, number, report) &&
		check_params(model, number, pause, report);
}

static bool
check_model(const HxModel *model, HxModelPause pause, const Report *report)
{
	if (hx_model_kind_name(model->kind) == NULL)
		return complain(report, "The model is of the unknown kind %d.", (int) model->kind);
	if (model->dims < 1 || model->dims > HX_MODEL_MAX_DIMS)
		return complain(report, "The model takes %u dimensions, which must be 1 to %d.",
						model->dims, HX_MODEL_MAX_DIMS);
	if (model->step_count < 1 || model->step_count > HX_MODEL_MAX_STEPS)
		return complain(report, "The model has %d steps, which must be 1 to %d.",
						model->step_count, HX_MODEL_MAX_STEPS);

	for (int number = 0; number < model->step_count; number++)
	{
		if (!check_step(model, number, pause, report))
			return false;
	}

	if (model->outputs != model->steps[model->step_count - 1].outputs)
		return complain(report, "The model has %u outputs, but its last step has %u.",
						model->outputs, model->steps[model->step_count - 1].outputs);
	if (hx_model_output(model) == HX_OUTPUT_VECTOR && model->outputs > HX_MODEL_MAX_DIMS)
		return complain(report, "The model gives vectors of %u dimensions, which must be 1 to %d.",
						model->outputs, HX_MODEL_MAX_DIMS);
	if (hx_model_stored_size(model) > HX_MODEL_MAX_BYTES)
		return complain(report, "The model takes %zu bytes, which must be %d at most.",
						hx_model_stored_size(model), HX_MODEL_MAX_BYTES);
	return true;
}

const char *
hx_model_check(const HxModel *model, HxModelPause pause, char *problem, size_t size)
{
	const Report report = {problem, size};

	return check_model(model, pause, &report) ? NULL : problem;
}
