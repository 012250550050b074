/*
 * models.h
 *	  Random models for the tests of src/hash/model*: every operation, every kind of
 *	  output, small shapes.
 */
#ifndef HX_UNIT_MODELS_H
#define HX_UNIT_MODELS_H

#include "unit.h"

#include "hash/model.h"

#define MAX_TEST_WIDTH 100		/* numbers that a step of a random model puts out */
#define MAX_TEST_PARAMS 400000

/* The parameters of the model being built: the next one starts again. */
static float test_params[MAX_TEST_PARAMS];
static size_t test_params_used;

static inline float *
take_test_params(size_t count)
{
	float	   *params = test_params + test_params_used;

	test_params_used += count;
	if (test_params_used > MAX_TEST_PARAMS)
	{
		printf("# a test model has too many parameters\n");
		exit(2);
	}
	return params;
}

static inline float *
random_test_params(size_t count)
{
	float	   *params = take_test_params(count);

	for (size_t i = 0; i < count; i++)
		params[i] = (float) unit_normal() / 4;
	return params;
}

/* Parameters for a step of n inputs and m outputs, as many as it wants. */
static inline const float *
params_for(HxStepOp op, uint32_t n, uint32_t m, uint32_t detail, uint32_t *count)
{
	float	   *params;

	switch (op)
	{
		case HX_STEP_CENTRE:
		case HX_STEP_SCALE:
		case HX_STEP_SIGN:
		case HX_STEP_FSQ:
			*count = n;
			break;
		case HX_STEP_LINEAR:
			*count = n * m + m;
			break;
		case HX_STEP_SPARSE:
			*count = m * detail;
			break;
		case HX_STEP_GAUSSIAN:
			*count = 1 + n * m + m;
			break;
		case HX_STEP_COSINES:
			*count = n * m;
			break;
		case HX_STEP_PQ:
			*count = n * detail;
			break;
		case HX_STEP_RQ:
			*count = m * n * detail;
			break;
		default:
			*count = 0;
			return NULL;
	}

	params = random_test_params(*count);
	if (op == HX_STEP_GAUSSIAN)
		params[0] = 0.01f + (float) unit_below(100) / 100;
	for (uint32_t i = 0; i < *count; i++)
	{
		if (op == HX_STEP_SPARSE)
			params[i] = (float) (unit_below(n) + 1) * (unit_below(2) ? 1 : -1);
		if (op == HX_STEP_FSQ)
			params[i] = (float) (2 + unit_below(20));
	}
	return params;
}

/* Appends a step with random parameters that reads the given inputs. */
static inline int
add_test_step(HxModel *model, HxStepOp op, int input, int input2, uint32_t m, uint32_t detail)
{
	uint32_t	count;
	const float *params = params_for(op, hx_model_width(model, input), m, detail, &count);
	uint64_t	seed = op == HX_STEP_ROTATE ? unit_random() : 0;

	return hx_model_add2(model, op, input, input2, m, detail, seed, params, count);
}

/* Mostly the step before, else any before it. */
static inline int
random_input(const HxModel *model)
{
	if (unit_below(3) > 0)
		return model->step_count - 1;
	return (int) unit_below((unsigned) model->step_count + 1) - 1;
}

/* Appends a step of that operation, if one fits. */
static inline void
add_random_step(HxModel *model, HxStepOp op)
{
	int			input = random_input(model);
	int			input2 = HX_MODEL_INPUT;
	uint32_t	n = hx_model_width(model, input);
	uint32_t	m = n;
	uint32_t	detail = 0;

	switch (op)
	{
		case HX_STEP_LINEAR:
		case HX_STEP_ROTATE:
		case HX_STEP_GAUSSIAN:
		case HX_STEP_COSINES:
			m = 1 + unit_below(MAX_TEST_WIDTH);
			break;
		case HX_STEP_SPARSE:
			m = 1 + unit_below(MAX_TEST_WIDTH);
			detail = 1 + unit_below(n);
			break;
		case HX_STEP_TRUNCATE:
			m = 1 + unit_below(n);
			break;
		case HX_STEP_SUBTRACT:
			input2 = random_input(model);
			if (hx_model_width(model, input2) != n)
				return;
			break;
		case HX_STEP_CONCAT:
			input2 = random_input(model);
			m = n + hx_model_width(model, input2);
			if (m > 2 * MAX_TEST_WIDTH)
				return;
			break;
		case HX_STEP_PQ:
			detail = 2 + unit_below(30);
			while (n % m != 0 || unit_below(2) == 0)
				m = 1 + unit_below(n);
			break;
		case HX_STEP_RQ:
			detail = 2 + unit_below(30);
			m = 1 + unit_below(4);
			break;
		default:
			break;
	}
	add_test_step(model, op, input, input2, m, detail);
}

/* A model whose last step has this operation: HX_STEP_SIGN and up, or any of the others. */
static inline void
random_model(HxModel *model, HxStepOp last)
{
	int			steps = (int) unit_below(8);

	test_params_used = 0;
	hx_model_init(model, (HxModelKind) (1 + unit_below(HX_MODEL_FSQ)),
				  1 + unit_below(MAX_TEST_WIDTH));
	for (int i = 0; i < steps; i++)
		add_random_step(model, (HxStepOp) (1 + unit_below(HX_STEP_CONCAT)));
	do
		add_random_step(model, last);
	while (model->step_count == 0 || model->steps[model->step_count - 1].op != last);
}

static inline void
random_input_vector(float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float) unit_normal();
}

/* Bytes of what a model puts out. */
static inline size_t
output_bytes(const HxModel *model)
{
	switch (hx_model_output(model))
	{
		case HX_OUTPUT_CODE:
			return (model->outputs + 7) / 8;
		case HX_OUTPUT_TOKENS:
			return model->outputs * sizeof(uint16_t);
		default:
			return model->outputs * sizeof(float);
	}
}

/* Runs a model of any sort. */
static inline bool
run_any(const HxModel *model, const float *x, float *scratch, void *out)
{
	switch (hx_model_output(model))
	{
		case HX_OUTPUT_CODE:
			return hx_model_run_code(model, x, scratch, out);
		case HX_OUTPUT_TOKENS:
			return hx_model_run_tokens(model, x, scratch, out);
		default:
			return hx_model_run_vector(model, x, scratch, out);
	}
}

#endif							/* HX_UNIT_MODELS_H */
