/*
 * layer_types.c
 *	  The types of layers that a network may have, and the steps that each becomes.
 */
#include "hashidx.h"

#include <math.h>

#include "miscadmin.h"

#include "encode/layer.h"

#define DEFAULT_EPS 1e-5		/* of a batchnorm: that of PyTorch */
#define MAX_KEYS 6

typedef struct LayerType
{
	const char *name;
	void		(*add) (Builder *builder, Layer *layer);
	bool		many_inputs;	/* "inputs" instead of "input" */
	const char *keys[MAX_KEYS]; /* besides type, name and input; ends at NULL */
} LayerType;

/* Rows and columns of the weights, which are one row an output and one column an input. */
static uint32
check_weights(const Layer *layer, JsonbContainer *weights)
{
	uint32		outputs = JsonContainerSize(weights);
	JsonbIterator *iterator = JsonbIteratorInit(weights);
	JsonbValue	row;

	if (outputs < 1 || outputs > HX_MODEL_MAX_WIDTH)
		hx_layer_refuse(layer, "has weights of %u rows, but it must be 1 to %d",
						outputs, HX_MODEL_MAX_WIDTH);
	while (hx_json_next_element(&iterator, &row))
	{
		CHECK_FOR_INTERRUPTS();

		JsonbContainer *numbers = hx_json_list(&row);

		if (numbers == NULL)
			hx_layer_refuse(layer, "needs \"weights\", a list of lists of numbers");
		if (JsonContainerSize(numbers) != layer->width)
			hx_layer_refuse(layer, "has weights of %u x %u, %s gives %u numbers",
							outputs, JsonContainerSize(numbers), layer->giver, layer->width);
	}
	return outputs;
}

static void
add_linear(Builder *builder, Layer *layer)
{
	JsonbContainer *weights = hx_json_list(hx_json_find(layer->json, "weights"));

	if (weights == NULL)
		hx_layer_refuse(layer, "needs \"weights\", a list of lists of numbers");

	uint32		inputs = layer->width;
	uint32		outputs = check_weights(layer, weights);
	Size		count = (Size) inputs * outputs;
	float	   *params = palloc((count + outputs) * sizeof(float));
	float	   *bias = hx_layer_list(layer, "bias", outputs);
	JsonbIterator *iterator = JsonbIteratorInit(weights);
	JsonbValue	row;

	/* A row of the JSON, the weights of one output, is a column of the step's. */
	for (float *to = params; hx_json_next_element(&iterator, &row); to++)
		hx_layer_numbers(layer, "weights", hx_json_list(&row), to, outputs);
	memcpy(params + count, bias != NULL ? bias : hx_layer_same_numbers(outputs, 0),
		   outputs * sizeof(float));
	hx_layer_add_step(builder, layer, HX_STEP_LINEAR, HX_MODEL_INPUT, outputs, 0, params,
					  count + outputs);
}

/* Diagonal weights; those of 0 and 1 are a mask. */
static void
add_scale(Builder *builder, Layer *layer)
{
	hx_layer_add_step(builder, layer, HX_STEP_SCALE, HX_MODEL_INPUT, layer->width, 0,
					  hx_layer_need_list(layer, "weights", layer->width), layer->width);
}

static double
read_eps(const Layer *layer)
{
	JsonbValue *value = hx_json_find(layer->json, "eps");

	if (value == NULL)
		return DEFAULT_EPS;
	if (value->type != jbvNumeric || !isfinite(hx_json_float(value)))
		hx_layer_refuse(layer, "has an \"eps\" that is not a number");
	return hx_json_float(value);
}

/* (x - mean) / sqrt(var + eps) * gamma + beta, folded to x * scale - shift. */
static void
add_batchnorm(Builder *builder, Layer *layer)
{
	uint32		n = layer->width;
	float	   *mean = hx_layer_need_list(layer, "mean", n);
	float	   *var = hx_layer_need_list(layer, "var", n);
	float	   *gamma = hx_layer_list(layer, "gamma", n);
	float	   *beta = hx_layer_list(layer, "beta", n);
	double		eps = read_eps(layer);
	float	   *scale = gamma != NULL ? gamma : hx_layer_same_numbers(n, 1);
	float	   *shift = beta != NULL ? beta : hx_layer_same_numbers(n, 0);

	for (uint32 i = 0; i < n; i++)
	{
		double		variance = var[i] + eps;
		double		factor = scale[i] / sqrt(variance);

		scale[i] = factor;
		shift[i] = mean[i] * factor - shift[i];
		if (!(variance > 0) || !isfinite(scale[i]) || !isfinite(shift[i]))
			hx_layer_refuse(layer, "has a variance, number %u, that is too small", i + 1);
	}
	hx_layer_add_step(builder, layer, HX_STEP_SCALE, HX_MODEL_INPUT, n, 0, scale, n);
	hx_layer_add_step(builder, layer, HX_STEP_CENTRE, HX_MODEL_INPUT, n, 0, shift, n);
}

static void
add_relu(Builder *builder, Layer *layer)
{
	hx_layer_add_step(builder, layer, HX_STEP_RELU, HX_MODEL_INPUT, layer->width, 0, NULL, 0);
}

static void
add_tanh(Builder *builder, Layer *layer)
{
	hx_layer_add_step(builder, layer, HX_STEP_TANH, HX_MODEL_INPUT, layer->width, 0, NULL, 0);
}

static void
add_l2norm(Builder *builder, Layer *layer)
{
	hx_layer_add_step(builder, layer, HX_STEP_NORMALISE, HX_MODEL_INPUT, layer->width, 0, NULL, 0);
}

static void
add_concat(Builder *builder, Layer *layer)
{
	int			count;
	int		   *steps = hx_layer_steps(builder, layer, "inputs", 2, HX_MODEL_MAX_STEPS, &count);

	hx_layer_concat(builder, layer, steps, count);
}

static void
add_subtract(Builder *builder, Layer *layer)
{
	int			count;
	int		   *steps = hx_layer_steps(builder, layer, "inputs", 2, 2, &count);
	uint32		width = hx_model_width(&builder->model, steps[1]);

	hx_layer_read_step(builder, layer, steps[0]);
	if (width != layer->width)
		hx_layer_refuse(layer, "has inputs of %u and of %u numbers", layer->width, width);
	hx_layer_add_step(builder, layer, HX_STEP_SUBTRACT, steps[1], width, 0, NULL, 0);
}

static void
add_sign(Builder *builder, Layer *layer)
{
	if (builder->model.kind == HX_MODEL_ACTIVATION)
		hx_layer_refuse(layer, "has no place in an activation model, whose \"code\" names layers");
	if (layer->number < builder->layer_count)
		hx_layer_refuse(layer, "may only be the last of %d layers", builder->layer_count);
	hx_layer_add_signs(builder, layer, hx_layer_list(layer, "thresholds", layer->width));
}

static const LayerType layer_types[] = {
	{"linear", add_linear, false, {"weights", "bias"}},
	{"scale", add_scale, false, {"weights"}},
	{"batchnorm", add_batchnorm, false, {"mean", "var", "gamma", "beta", "eps"}},
	{"relu", add_relu, false, {NULL}},
	{"tanh", add_tanh, false, {NULL}},
	{"l2norm", add_l2norm, false, {NULL}},
	{"concat", add_concat, true, {"inputs"}},
	{"subtract", add_subtract, true, {"inputs"}},
	{"sign", add_sign, false, {"thresholds"}},
};

static const LayerType *
find_type(int number, JsonbContainer *json)
{
	JsonbValue *name = hx_json_find(json, "type");

	if (name == NULL || name->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("layer %d has no \"type\" that is a text", number)));
	for (int i = 0; i < lengthof(layer_types); i++)
	{
		if (hx_json_is(name, layer_types[i].name))
			return &layer_types[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("layer %d has the unknown type \"%s\"", number, hx_json_shown(name)),
			 errhint("Types are linear, scale, batchnorm, relu, tanh, l2norm, concat, subtract, sign.")));
}

static bool
is_known_key(const LayerType *type, const JsonbValue *key)
{
	if (hx_json_is(key, "type") || hx_json_is(key, "name"))
		return true;
	if (hx_json_is(key, "input"))
		return !type->many_inputs;
	for (int i = 0; i < MAX_KEYS && type->keys[i] != NULL; i++)
	{
		if (hx_json_is(key, type->keys[i]))
			return true;
	}
	return false;
}

static void
check_keys(const Layer *layer, const LayerType *type)
{
	JsonbIterator *iterator = JsonbIteratorInit(layer->json);
	JsonbValue	key;

	while (hx_json_next_key(&iterator, &key))
	{
		if (!is_known_key(type, &key))
			hx_layer_refuse(layer, "has the unknown key \"%s\"", hx_json_shown(&key));
	}
}

void
hx_layer_add(Builder *builder, int number, JsonbContainer *json)
{
	const LayerType *type = find_type(number, json);
	Layer		layer = {.number = number, .type = type->name, .json = json};

	check_keys(&layer, type);
	hx_layer_find_input(builder, &layer);
	type->add(builder, &layer);
	hx_layer_keep_name(builder, &layer);
}
