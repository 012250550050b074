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

#include "miscadmin.h"

#include "encode/layer.h"
#include "type/model.h"

HX_FUNCTION(hashidx_model_from_layers);

/* Activation models, whose code is which neurons fire (paper: see README). */

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
		hx_layer_refuse(code, "names no layers, and there is no relu");
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
		hx_layer_refuse(code, "has a \"drop\" that is not a list of bit numbers");

	bool	   *dropped = palloc0(code->width * sizeof(bool));
	float	   *picked = palloc(code->width * sizeof(float));
	uint32		count = 0;
	JsonbIterator *iterator = JsonbIteratorInit(numbers);
	JsonbValue	number;

	while (hx_json_next_element(&iterator, &number))
	{
		CHECK_FOR_INTERRUPTS();
		dropped[hx_json_whole(&number, "bit to drop", 0, (int) code->width - 1)] = true;
	}
	for (uint32 i = 0; i < code->width; i++)
	{
		if (!dropped[i])
			picked[count++] = i + 1;
	}
	if (count == 0)
		hx_layer_refuse(code, "drops all of its %u bits", code->width);
	hx_layer_add_step(builder, code, HX_STEP_SPARSE, HX_MODEL_INPUT, count, 1, picked, count);
}

static void
add_activation_code(Builder *builder, JsonbContainer *json)
{
	Layer		code = {.type = "the activation code", .json = json};
	int			count;
	int		   *steps;

	if (hx_json_find(json, "code") != NULL)
		steps = hx_layer_steps(builder, &code, "code", 1, HX_MODEL_MAX_STEPS, &count);
	else
		steps = relu_steps(&builder->model, &code, &count);
	hx_layer_concat(builder, &code, steps, count);
	drop_bits(builder, &code);
	hx_layer_add_signs(builder, &code, NULL);
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
		hx_layer_add(builder, number, json);
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
