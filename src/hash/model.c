/*
 * model.c
 *	  Building a model step by step, and the names of what it is made of.
 */
#include "hash/model.h"

static const char *const kind_names[] = {
	[HX_MODEL_SIMHASH] = "simhash",
	[HX_MODEL_SPARSE] = "sparse",
	[HX_MODEL_PCA] = "pca",
	[HX_MODEL_ITQ] = "itq",
	[HX_MODEL_KSH] = "ksh",
	[HX_MODEL_RECURRENT] = "recurrent",
	[HX_MODEL_CCA_ITQ] = "cca_itq",
	[HX_MODEL_LAYERS] = "layers",
	[HX_MODEL_ACTIVATION] = "activation",
	[HX_MODEL_PROJECTION] = "projection",
	[HX_MODEL_RELATIVE] = "relative",
	[HX_MODEL_WEIGHTS] = "weights",
	[HX_MODEL_PQ] = "pq",
	[HX_MODEL_RQ] = "rq",
	[HX_MODEL_FSQ] = "fsq",
};

static const char *const step_names[] = {
	[HX_STEP_CENTRE] = "centre",
	[HX_STEP_LINEAR] = "linear",
	[HX_STEP_ROTATE] = "rotate",
	[HX_STEP_SPARSE] = "sparse",
	[HX_STEP_NORMALISE] = "normalise",
	[HX_STEP_RELU] = "relu",
	[HX_STEP_TANH] = "tanh",
	[HX_STEP_SCALE] = "scale",
	[HX_STEP_TRUNCATE] = "truncate",
	[HX_STEP_GAUSSIAN] = "gaussian",
	[HX_STEP_COSINES] = "cosines",
	[HX_STEP_SIGNUM] = "signum",
	[HX_STEP_SUBTRACT] = "subtract",
	[HX_STEP_CONCAT] = "concat",
	[HX_STEP_SIGN] = "sign",
	[HX_STEP_PQ] = "pq",
	[HX_STEP_RQ] = "rq",
	[HX_STEP_FSQ] = "fsq",
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

const char *
hx_model_kind_name(HxModelKind kind)
{
	return (size_t) kind < LENGTH(kind_names) ? kind_names[kind] : NULL;
}

const char *
hx_model_step_name(HxStepOp op)
{
	return (size_t) op < LENGTH(step_names) ? step_names[op] : NULL;
}

HxModelOutput
hx_model_output(const HxModel *model)
{
	switch (model->steps[model->step_count - 1].op)
	{
		case HX_STEP_SIGN:
			return HX_OUTPUT_CODE;
		case HX_STEP_PQ:
		case HX_STEP_RQ:
		case HX_STEP_FSQ:
			return HX_OUTPUT_TOKENS;
		default:
			return HX_OUTPUT_VECTOR;
	}
}

const HxStep *
hx_model_signed_step(const HxModel *model, HxStepOp op)
{
	const HxStep *sign = &model->steps[model->step_count - 1];
	const HxStep *signed_step = sign - 1;

	if (model->step_count < 2 || sign->op != HX_STEP_SIGN || signed_step->op != op ||
		sign->input != model->step_count - 2)
		return NULL;
	return signed_step;
}

uint32_t
hx_model_width(const HxModel *model, int input)
{
	return input == HX_MODEL_INPUT ? model->dims : model->steps[input].outputs;
}

void
hx_model_init(HxModel *model, HxModelKind kind, uint32_t dims)
{
	*model = (HxModel) {.kind = kind, .dims = dims};
}

int
hx_model_add(HxModel *model, HxStepOp op, uint32_t outputs, uint32_t detail,
			 uint64_t seed, const float *params, uint32_t param_count)
{
	/* Before the first step is the model's input: its number is -1, as HX_MODEL_INPUT is. */
	return hx_model_add2(model, op, model->step_count - 1, HX_MODEL_INPUT, outputs, detail,
						 seed, params, param_count);
}

int
hx_model_add2(HxModel *model, HxStepOp op, int input, int input2, uint32_t outputs,
			  uint32_t detail, uint64_t seed, const float *params, uint32_t param_count)
{
	/* A step too many is counted, for hx_model_check() to see, but there is no room for it. */
	if (model->step_count < HX_MODEL_MAX_STEPS)
		model->steps[model->step_count] = (HxStep) {
			.op = op,
			.input = input,
			.input2 = input2,
			.outputs = outputs,
			.detail = detail,
			.seed = seed,
			.params = params,
			.param_count = param_count,
		};
	model->outputs = outputs;
	return model->step_count++;
}
