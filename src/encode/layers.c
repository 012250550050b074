/*
 * layers.c
 *	  hashidx_model_from_layers(): a model out of the layers of a neural network that
 *	  was trained elsewhere, written as JSON.
 *
 *	{"input": 6, "layers": [
 *		{"type": "linear", "name": "h", "weights": [[...], ...], "bias": [...]},
 *		{"type": "batchnorm", "mean": [...], "var": [...], "gamma": [...], "beta": [...]},
 *		{"type": "relu"},
 *		{"type": "concat", "inputs": ["h", "input"]},
 *		{"type": "sign", "thresholds": [...]}]}
 *
 * README has all layers and keys. Nothing is guessed: what is not known is refused,
 * and what does not fit is told with the number of the layer and both shapes.
 */
#include "hashidx.h"

#include <math.h>

#include "miscadmin.h"

#include "encode/json.h"
#include "type/model.h"

HX_FUNCTION(hashidx_model_from_layers);

#define INPUT_NAME "input"		/* how layers call the vector that the model is given */
#define DEFAULT_EPS 1e-5		/* of a batchnorm: that of PyTorch */
#define MAX_KEYS 6

/* The layer at hand. */
typedef struct Layer
{
	int			number;			/* from 1; 0 for the code of an activation model */
	const char *type;
	JsonbContainer *json;
	const char *giver;			/* what it reads, for messages */
	int			step;			/* that; then the last of the layer's own steps */
	uint32		width;			/* numbers of `step` */
} Layer;

typedef struct NamedStep
{
	const char *name;
	int			step;
} NamedStep;

typedef struct Builder
{
	HxModel		model;
	NamedStep	named[HX_MODEL_MAX_STEPS];	/* a layer has one step at least */
	int			named_count;
	int			layer_count;	/* of the JSON */
} Builder;

typedef struct LayerType
{
	const char *name;
	void		(*add) (Builder *builder, Layer *layer);
	bool		many_inputs;	/* "inputs" instead of "input" */
	const char *keys[MAX_KEYS]; /* besides type, name and input; ends at NULL */
} LayerType;

/* Refuses the layer: "layer 3 (linear) has ..." */
pg_noreturn static void refuse(const Layer *layer, const char *format,...)
			__attribute__((format(printf, 2, 3)));

static void
refuse(const Layer *layer, const char *format,...)
{
	char		complaint[256];
	va_list		args;

	va_start(args, format);
	vsnprintf(complaint, sizeof(complaint), format, args);
	va_end(args);
	if (layer->number == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s %s", layer->type, complaint)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("layer %d (%s) %s", layer->number, layer->type, complaint)));
}

/* Copies the numbers of an array; `key` is what it is called in the layer. */
static void
read_numbers(const Layer *layer, const char *key, JsonbContainer *array, float *numbers)
{
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbValue	element;

	for (float *number = numbers; hx_json_next_element(&iterator, &element); number++)
	{
		if (element.type != jbvNumeric)
			refuse(layer, "has something else than numbers in \"%s\"", key);
		*number = hx_json_float(&element);
		if (!isfinite(*number))
			refuse(layer, "has a number in \"%s\" that is beyond the range of type real", key);
	}
}

/* Reads a list of as many numbers as come in, or as the layer puts out; NULL without the key. */
static float *
read_list(const Layer *layer, const char *key, uint32 count)
{
	JsonbValue *value = hx_json_find(layer->json, key);
	JsonbContainer *array = hx_json_list(value);

	if (value == NULL)
		return NULL;
	if (array == NULL)
		refuse(layer, "has a \"%s\" that is not a list of %u numbers", key, count);
	if (JsonContainerSize(array) != count)
		refuse(layer, "has a \"%s\" of %u numbers, but it must be %u",
			   key, JsonContainerSize(array), count);

	float	   *numbers = palloc(count * sizeof(float));

	read_numbers(layer, key, array, numbers);
	return numbers;
}

static float *
need_list(const Layer *layer, const char *key, uint32 count)
{
	float	   *numbers = read_list(layer, key, count);

	if (numbers == NULL)
		refuse(layer, "needs \"%s\", a list of %u numbers", key, count);
	return numbers;
}

static float *
same_numbers(uint32 count, float number)
{
	float	   *numbers = palloc(count * sizeof(float));

	for (uint32 i = 0; i < count; i++)
		numbers[i] = number;
	return numbers;
}

/* Steps and their names. */

/* Adds a step that reads the layer's step so far, and takes its place. */
static void
add_step(Builder *builder, Layer *layer, HxStepOp op, int input2, uint32 outputs,
		 uint32 detail, const float *params, uint32 param_count)
{
	if (builder->model.step_count == HX_MODEL_MAX_STEPS)
		refuse(layer, "is one too many: a model has %d steps at most", HX_MODEL_MAX_STEPS);
	layer->step = hx_model_add2(&builder->model, op, layer->step, input2, outputs, detail, 0,
								params, param_count);
	layer->width = outputs;
}

/* The step that a layer's name stands for. */
static int
find_step(const Builder *builder, const Layer *layer, const JsonbValue *name)
{
	if (name->type != jbvString)
		refuse(layer, "has an input that is not the name of a layer");
	if (hx_json_is(name, INPUT_NAME))
		return HX_MODEL_INPUT;
	for (int i = 0; i < builder->named_count; i++)
	{
		if (hx_json_is(name, builder->named[i].name))
			return builder->named[i].step;
	}
	refuse(layer, "reads \"%s\", but no layer before it has that name", hx_json_shown(name));
}

static void
read_step(const Builder *builder, Layer *layer, int step)
{
	layer->step = step;
	layer->width = hx_model_width(&builder->model, step);
}

/* Finds what the layer reads: the layer before it, unless it says something else. */
static void
find_input(const Builder *builder, Layer *layer)
{
	JsonbValue *name = hx_json_find(layer->json, "input");

	layer->giver = layer->number > 1 ? "the layer before" : "the input";
	read_step(builder, layer, builder->model.step_count - 1);
	if (name != NULL)
	{
		read_step(builder, layer, find_step(builder, layer, name));
		layer->giver = psprintf("\"%s\"", hx_json_shown(name));
	}
}

/* Lets later layers name this one. */
static void
keep_name(Builder *builder, const Layer *layer)
{
	JsonbValue *name = hx_json_find(layer->json, "name");

	if (name == NULL)
		return;
	if (name->type != jbvString || name->val.string.len == 0)
		refuse(layer, "has a \"name\" that is not a text, or empty");
	if (hx_json_is(name, INPUT_NAME))
		refuse(layer, "cannot be called \"%s\": that is the vector the model is given", INPUT_NAME);
	for (int i = 0; i < builder->named_count; i++)
	{
		if (hx_json_is(name, builder->named[i].name))
			refuse(layer, "has the name \"%s\", as another layer before it", hx_json_shown(name));
	}
	builder->named[builder->named_count++] = (NamedStep) {hx_json_copy(name), layer->step};
}

/* The types of layers. */

/* Rows and columns of the weights, which are one row an output and one column an input. */
static uint32
check_weights(const Layer *layer, JsonbContainer *weights)
{
	uint32		outputs = JsonContainerSize(weights);
	JsonbIterator *iterator = JsonbIteratorInit(weights);
	JsonbValue	row;

	if (outputs < 1 || outputs > HX_MODEL_MAX_WIDTH)
		refuse(layer, "has weights of %u rows, but it must be 1 to %d",
			   outputs, HX_MODEL_MAX_WIDTH);
	while (hx_json_next_element(&iterator, &row))
	{
		JsonbContainer *numbers = hx_json_list(&row);

		if (numbers == NULL)
			refuse(layer, "needs \"weights\", a list of lists of numbers");
		if (JsonContainerSize(numbers) != layer->width)
			refuse(layer, "has weights of %u x %u, %s gives %u numbers",
				   outputs, JsonContainerSize(numbers), layer->giver, layer->width);
	}
	return outputs;
}

static void
add_linear(Builder *builder, Layer *layer)
{
	JsonbContainer *weights = hx_json_list(hx_json_find(layer->json, "weights"));

	if (weights == NULL)
		refuse(layer, "needs \"weights\", a list of lists of numbers");

	uint32		inputs = layer->width;
	uint32		outputs = check_weights(layer, weights);
	Size		count = (Size) inputs * outputs;
	float	   *rows = palloc(count * sizeof(float));
	float	   *params = palloc((count + outputs) * sizeof(float));
	float	   *bias = read_list(layer, "bias", outputs);
	JsonbIterator *iterator = JsonbIteratorInit(weights);
	JsonbValue	row;

	for (float *to = rows; hx_json_next_element(&iterator, &row); to += inputs)
		read_numbers(layer, "weights", hx_json_list(&row), to);
	hx_model_transpose(rows, outputs, inputs, params);
	memcpy(params + count, bias != NULL ? bias : same_numbers(outputs, 0),
		   outputs * sizeof(float));
	pfree(rows);
	add_step(builder, layer, HX_STEP_LINEAR, HX_MODEL_INPUT, outputs, 0, params, count + outputs);
}

/* Diagonal weights; those of 0 and 1 are a mask. */
static void
add_scale(Builder *builder, Layer *layer)
{
	add_step(builder, layer, HX_STEP_SCALE, HX_MODEL_INPUT, layer->width, 0,
			 need_list(layer, "weights", layer->width), layer->width);
}

static double
read_eps(const Layer *layer)
{
	JsonbValue *value = hx_json_find(layer->json, "eps");

	if (value == NULL)
		return DEFAULT_EPS;
	if (value->type != jbvNumeric)
		refuse(layer, "has an \"eps\" that is not a number");
	return hx_json_float(value);
}

/* (x - mean) / sqrt(var + eps) * gamma + beta, folded to x * scale - shift. */
static void
add_batchnorm(Builder *builder, Layer *layer)
{
	uint32		n = layer->width;
	float	   *mean = need_list(layer, "mean", n);
	float	   *var = need_list(layer, "var", n);
	float	   *gamma = read_list(layer, "gamma", n);
	float	   *beta = read_list(layer, "beta", n);
	double		eps = read_eps(layer);
	float	   *scale = gamma != NULL ? gamma : same_numbers(n, 1);
	float	   *shift = beta != NULL ? beta : same_numbers(n, 0);

	for (uint32 i = 0; i < n; i++)
	{
		double		variance = var[i] + eps;
		double		factor = scale[i] / sqrt(variance);

		scale[i] = factor;
		shift[i] = mean[i] * factor - shift[i];
		if (!(variance > 0) || !isfinite(scale[i]) || !isfinite(shift[i]))
			refuse(layer, "has a variance, number %u, that is too small", i + 1);
	}
	add_step(builder, layer, HX_STEP_SCALE, HX_MODEL_INPUT, n, 0, scale, n);
	add_step(builder, layer, HX_STEP_CENTRE, HX_MODEL_INPUT, n, 0, shift, n);
}

static void
add_relu(Builder *builder, Layer *layer)
{
	add_step(builder, layer, HX_STEP_RELU, HX_MODEL_INPUT, layer->width, 0, NULL, 0);
}

static void
add_tanh(Builder *builder, Layer *layer)
{
	add_step(builder, layer, HX_STEP_TANH, HX_MODEL_INPUT, layer->width, 0, NULL, 0);
}

static void
add_l2norm(Builder *builder, Layer *layer)
{
	add_step(builder, layer, HX_STEP_NORMALISE, HX_MODEL_INPUT, layer->width, 0, NULL, 0);
}

/* The steps that a key of the layer names. */
static int *
read_steps(const Builder *builder, const Layer *layer, const char *key, int least, int most,
		   int *count)
{
	JsonbContainer *names = hx_json_list(hx_json_find(layer->json, key));

	if (names == NULL)
		refuse(layer, "needs \"%s\", a list of names of layers", key);
	*count = (int) JsonContainerSize(names);
	if (*count < least)
		refuse(layer, "names %d layers in \"%s\", but it must be at least %d", *count, key, least);
	if (*count > most)
		refuse(layer, "names %d layers in \"%s\", but it must be at most %d", *count, key, most);

	int		   *steps = palloc(*count * sizeof(int));
	JsonbIterator *iterator = JsonbIteratorInit(names);
	JsonbValue	name;

	for (int i = 0; hx_json_next_element(&iterator, &name); i++)
		steps[i] = find_step(builder, layer, &name);
	return steps;
}

static void
concat_steps(Builder *builder, Layer *layer, const int *steps, int count)
{
	read_step(builder, layer, steps[0]);
	for (int i = 1; i < count; i++)
	{
		uint32		width = layer->width + hx_model_width(&builder->model, steps[i]);

		if (width > HX_MODEL_MAX_WIDTH)
			refuse(layer, "gives %u numbers or more, but it must be %d at most",
				   width, HX_MODEL_MAX_WIDTH);
		add_step(builder, layer, HX_STEP_CONCAT, steps[i], width, 0, NULL, 0);
	}
}

static void
add_concat(Builder *builder, Layer *layer)
{
	int			count;
	int		   *steps = read_steps(builder, layer, "inputs", 2, HX_MODEL_MAX_STEPS, &count);

	concat_steps(builder, layer, steps, count);
}

static void
add_subtract(Builder *builder, Layer *layer)
{
	int			count;
	int		   *steps = read_steps(builder, layer, "inputs", 2, 2, &count);
	uint32		width = hx_model_width(&builder->model, steps[1]);

	read_step(builder, layer, steps[0]);
	if (width != layer->width)
		refuse(layer, "has inputs of %u and of %u numbers", layer->width, width);
	add_step(builder, layer, HX_STEP_SUBTRACT, steps[1], width, 0, NULL, 0);
}

/* The last step: bit j is 1 where number j is greater than its threshold. */
static void
add_sign_step(Builder *builder, Layer *layer, const float *thresholds)
{
	add_step(builder, layer, HX_STEP_SIGN, HX_MODEL_INPUT, layer->width, 0,
			 thresholds != NULL ? thresholds : same_numbers(layer->width, 0), layer->width);
}

static void
add_sign(Builder *builder, Layer *layer)
{
	if (builder->model.kind == HX_MODEL_ACTIVATION)
		refuse(layer, "has no place in an activation model, whose \"code\" names layers");
	if (layer->number < builder->layer_count)
		refuse(layer, "may only be the last of %d layers", builder->layer_count);
	add_sign_step(builder, layer, read_list(layer, "thresholds", layer->width));
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
			refuse(layer, "has the unknown key \"%s\"", hx_json_shown(&key));
	}
}

static void
add_layer(Builder *builder, int number, JsonbContainer *json)
{
	const LayerType *type = find_type(number, json);
	Layer		layer = {.number = number, .type = type->name, .json = json};

	check_keys(&layer, type);
	find_input(builder, &layer);
	type->add(builder, &layer);
	keep_name(builder, &layer);
}

/* Activation models: the code is which neurons fire (paper: see README). */

/* Every ReLU, where the JSON names no layers. A number is > 0 behind a ReLU as it is before. */
static int *
relu_steps(const HxModel *model, const Layer *code, int *count)
{
	int		   *steps = palloc(model->step_count * sizeof(int));

	*count = 0;
	for (int i = 0; i < model->step_count; i++)
	{
		if (model->steps[i].op == HX_STEP_RELU)
			steps[(*count)++] = i;
	}
	if (*count == 0)
		refuse(code, "names no layers, and there is no relu");
	return steps;
}

/* Picks the bits that "drop" does not name: those that were the same for all rows, say. */
static void
drop_bits(Builder *builder, Layer *code)
{
	JsonbValue *value = hx_json_find(code->json, "drop");
	JsonbContainer *numbers = hx_json_list(value);

	if (value == NULL)
		return;
	if (numbers == NULL)
		refuse(code, "has a \"drop\" that is not a list of bit numbers");

	bool	   *dropped = palloc0(code->width * sizeof(bool));
	float	   *picked = palloc(code->width * sizeof(float));
	uint32		count = 0;
	JsonbIterator *iterator = JsonbIteratorInit(numbers);
	JsonbValue	number;

	while (hx_json_next_element(&iterator, &number))
		dropped[hx_json_whole(&number, "bit to drop", 0, (int) code->width - 1)] = true;
	for (uint32 i = 0; i < code->width; i++)
	{
		if (!dropped[i])
			picked[count++] = i + 1;
	}
	if (count == 0)
		refuse(code, "drops all of its %u bits", code->width);
	add_step(builder, code, HX_STEP_SPARSE, HX_MODEL_INPUT, count, 1, picked, count);
}

static void
add_activation_code(Builder *builder, JsonbContainer *json)
{
	Layer		code = {.type = "the activation code", .json = json};
	int			count;
	int		   *steps;

	if (hx_json_find(json, "code") != NULL)
		steps = read_steps(builder, &code, "code", 1, HX_MODEL_MAX_STEPS, &count);
	else
		steps = relu_steps(&builder->model, &code, &count);
	concat_steps(builder, &code, steps, count);
	drop_bits(builder, &code);
	add_sign_step(builder, &code, NULL);
}

/* The whole. */

static HxModelKind
read_kind(JsonbContainer *json)
{
	JsonbValue *kind = hx_json_find(json, "kind");

	if (kind == NULL)
		return HX_MODEL_LAYERS;
	if (kind->type == jbvString && hx_json_is(kind, hx_model_kind_name(HX_MODEL_LAYERS)))
		return HX_MODEL_LAYERS;
	if (kind->type == jbvString && hx_json_is(kind, hx_model_kind_name(HX_MODEL_ACTIVATION)))
		return HX_MODEL_ACTIVATION;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"kind\" must be \"layers\" or \"activation\"")));
}

static void
check_top_keys(JsonbContainer *json, HxModelKind kind)
{
	JsonbIterator *iterator = JsonbIteratorInit(json);
	JsonbValue	key;

	while (hx_json_next_key(&iterator, &key))
	{
		if (hx_json_is(&key, "input") || hx_json_is(&key, "layers") || hx_json_is(&key, "kind"))
			continue;
		if (kind == HX_MODEL_ACTIVATION && (hx_json_is(&key, "code") || hx_json_is(&key, "drop")))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a model of kind \"%s\" has the unknown key \"%s\"",
						hx_model_kind_name(kind), hx_json_shown(&key))));
	}
}

static void
add_layers(Builder *builder, JsonbContainer *layers)
{
	JsonbIterator *iterator = JsonbIteratorInit(layers);
	JsonbValue	layer;

	builder->layer_count = JsonContainerSize(layers);
	for (int number = 1; hx_json_next_element(&iterator, &layer); number++)
	{
		JsonbContainer *json = hx_json_object(&layer);

		if (json == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("layer %d is not a JSON object", number)));
		CHECK_FOR_INTERRUPTS();
		add_layer(builder, number, json);
	}
}

/* hashidx_model_from_layers(jsonb) returns hashidx_model */
Datum
hashidx_model_from_layers(PG_FUNCTION_ARGS)
{
	JsonbContainer *json = &PG_GETARG_JSONB_P(0)->root;
	JsonbContainer *layers;
	Builder    *builder = palloc0(sizeof(Builder));

	if (!JsonContainerIsObject(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a model is made of an object with the keys \"input\" and \"layers\"")));

	HxModelKind kind = read_kind(json);

	check_top_keys(json, kind);
	layers = hx_json_list(hx_json_find(json, "layers"));
	if (layers == NULL || JsonContainerSize(layers) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"layers\" must be a list of at least one layer")));
	hx_model_init(&builder->model, kind,
				  hx_json_whole(hx_json_find(json, "input"), "\"input\"", 1, HX_MODEL_MAX_DIMS));
	add_layers(builder, layers);
	if (kind == HX_MODEL_ACTIVATION)
		add_activation_code(builder, json);
	PG_RETURN_DATUM(hx_model_value_make(&builder->model));
}
