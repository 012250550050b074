/*
 * layer.c
 *	  One layer of a neural network that is written as JSON: what it says, and the steps of a
 *	  model that it becomes.
 */
#include "hashidx.h"

#include <math.h>

#include "miscadmin.h"

#include "encode/layer.h"

#define INPUT_NAME "input"		/* how layers call the vector that the model is given */

void
hx_layer_refuse(const Layer *layer, const char *format,...)
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

void
hx_layer_numbers(const Layer *layer, const char *key, JsonbContainer *array, float *numbers,
				 Size stride)
{
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbValue	element;

	for (float *number = numbers; hx_json_next_element(&iterator, &element); number += stride)
	{
		CHECK_FOR_INTERRUPTS();
		if (element.type != jbvNumeric)
			hx_layer_refuse(layer, "has something else than numbers in \"%s\"", key);
		*number = hx_json_float(&element);
		if (!isfinite(*number))
			hx_layer_refuse(layer, "has a number in \"%s\" that is beyond the range of type real",
							key);
	}
}

float *
hx_layer_list(const Layer *layer, const char *key, uint32 count)
{
	JsonbValue *value = hx_json_find(layer->json, key);
	JsonbContainer *array = hx_json_list(value);

	if (value == NULL)
		return NULL;
	if (array == NULL)
		hx_layer_refuse(layer, "has a \"%s\" that is not a list of %u numbers", key, count);
	if (JsonContainerSize(array) != count)
		hx_layer_refuse(layer, "has a \"%s\" of %u numbers, but it must be %u",
						key, JsonContainerSize(array), count);

	float	   *numbers = palloc(count * sizeof(float));

	hx_layer_numbers(layer, key, array, numbers, 1);
	return numbers;
}

float *
hx_layer_need_list(const Layer *layer, const char *key, uint32 count)
{
	float	   *numbers = hx_layer_list(layer, key, count);

	if (numbers == NULL)
		hx_layer_refuse(layer, "needs \"%s\", a list of %u numbers", key, count);
	return numbers;
}

float *
hx_layer_same_numbers(uint32 count, float number)
{
	float	   *numbers = palloc(count * sizeof(float));

	for (uint32 i = 0; i < count; i++)
		numbers[i] = number;
	return numbers;
}

void
hx_layer_add_step(Builder *builder, Layer *layer, HxStepOp op, int input2, uint32 outputs,
				  uint32 detail, const float *params, uint32 param_count)
{
	if (builder->model.step_count == HX_MODEL_MAX_STEPS)
		hx_layer_refuse(layer, "is one too many: a model has %d steps at most", HX_MODEL_MAX_STEPS);
	layer->step = hx_model_add2(&builder->model, op, layer->step, input2, outputs, detail, 0,
								params, param_count);
	layer->width = outputs;
}

/* The step that a layer's name stands for. */
static int
find_step(const Builder *builder, const Layer *layer, const JsonbValue *name)
{
	if (name->type != jbvString)
		hx_layer_refuse(layer, "has an input that is not the name of a layer");
	if (hx_json_is(name, INPUT_NAME))
		return HX_MODEL_INPUT;
	for (int i = 0; i < builder->named_count; i++)
	{
		if (hx_json_is(name, builder->named[i].name))
			return builder->named[i].step;
	}
	hx_layer_refuse(layer, "reads \"%s\", but no layer before it has that name",
					hx_json_shown(name));
}

void
hx_layer_read_step(const Builder *builder, Layer *layer, int step)
{
	layer->step = step;
	layer->width = hx_model_width(&builder->model, step);
}

void
hx_layer_find_input(const Builder *builder, Layer *layer)
{
	JsonbValue *name = hx_json_find(layer->json, "input");

	layer->giver = layer->number > 1 ? "the layer before" : "the input";
	hx_layer_read_step(builder, layer, builder->model.step_count - 1);
	if (name != NULL)
	{
		hx_layer_read_step(builder, layer, find_step(builder, layer, name));
		layer->giver = psprintf("\"%s\"", hx_json_shown(name));
	}
}

void
hx_layer_keep_name(Builder *builder, const Layer *layer)
{
	JsonbValue *name = hx_json_find(layer->json, "name");

	if (name == NULL)
		return;
	if (name->type != jbvString || name->val.string.len == 0)
		hx_layer_refuse(layer, "has a \"name\" that is not a text, or empty");
	if (hx_json_is(name, INPUT_NAME))
		hx_layer_refuse(layer, "cannot be called \"%s\": that is the vector the model is given",
						INPUT_NAME);
	for (int i = 0; i < builder->named_count; i++)
	{
		if (hx_json_is(name, builder->named[i].name))
			hx_layer_refuse(layer, "has the name \"%s\", as another layer before it",
							hx_json_shown(name));
	}
	builder->named[builder->named_count++] = (NamedStep) {hx_json_copy(name), layer->step};
}

int *
hx_layer_steps(const Builder *builder, const Layer *layer, const char *key, int least, int most,
			   int *count)
{
	JsonbContainer *names = hx_json_list(hx_json_find(layer->json, key));

	if (names == NULL)
		hx_layer_refuse(layer, "needs \"%s\", a list of names of layers", key);
	*count = (int) JsonContainerSize(names);
	if (*count < least)
		hx_layer_refuse(layer, "names %d layers in \"%s\", but it must be at least %d",
						*count, key, least);
	if (*count > most)
		hx_layer_refuse(layer, "names %d layers in \"%s\", but it must be at most %d",
						*count, key, most);

	int		   *steps = palloc(*count * sizeof(int));
	JsonbIterator *iterator = JsonbIteratorInit(names);
	JsonbValue	name;

	for (int i = 0; hx_json_next_element(&iterator, &name); i++)
		steps[i] = find_step(builder, layer, &name);
	return steps;
}

void
hx_layer_concat(Builder *builder, Layer *layer, const int *steps, int count)
{
	hx_layer_read_step(builder, layer, steps[0]);
	for (int i = 1; i < count; i++)
	{
		uint32		width = layer->width + hx_model_width(&builder->model, steps[i]);

		if (width > HX_MODEL_MAX_WIDTH)
			hx_layer_refuse(layer, "gives %u numbers or more, but it must be %d at most",
							width, HX_MODEL_MAX_WIDTH);
		hx_layer_add_step(builder, layer, HX_STEP_CONCAT, steps[i], width, 0, NULL, 0);
	}
}

void
hx_layer_add_signs(Builder *builder, Layer *layer, const float *thresholds)
{
	hx_layer_add_step(builder, layer, HX_STEP_SIGN, HX_MODEL_INPUT, layer->width, 0,
					  thresholds != NULL ? thresholds : hx_layer_same_numbers(layer->width, 0),
					  layer->width);
}
