/*
 * layer.h
 *	  One layer of a neural network that is written as JSON: what it says, and the steps of a
 *	  model that it becomes.
 *
 * What does not fit is ERRCODE_INVALID_PARAMETER_VALUE with the layer's number and type.
 */
#ifndef HX_ENCODE_LAYER_H
#define HX_ENCODE_LAYER_H

#include "hashidx.h"

#include "encode/json.h"
#include "hash/model.h"

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

/* Adds layer `number`, counted from 1, of one of the types of layer_types.c. */
extern void hx_layer_add(Builder *builder, int number, JsonbContainer *json);

/* Refuses the layer: "layer 3 (linear) has ..." */
pg_noreturn extern void hx_layer_refuse(const Layer *layer, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/*
 * What the layer reads: the layer before it, unless it names another one. And its own name, by
 * which later layers find it.
 */
extern void hx_layer_find_input(const Builder *builder, Layer *layer);
extern void hx_layer_keep_name(Builder *builder, const Layer *layer);

/* Copies the numbers of an array, `stride` apart; `key` is what it is called in the layer. */
extern void hx_layer_numbers(const Layer *layer, const char *key, JsonbContainer *array,
							 float *numbers, Size stride);

/* The list of exactly `count` numbers under a key; without the key NULL, or refused. */
extern float *hx_layer_list(const Layer *layer, const char *key, uint32 count);
extern float *hx_layer_need_list(const Layer *layer, const char *key, uint32 count);

/* `count` times the number. */
extern float *hx_layer_same_numbers(uint32 count, float number);

/* The steps of the `least` to `most` layers that are named under a key. */
extern int *hx_layer_steps(const Builder *builder, const Layer *layer, const char *key,
						   int least, int most, int *count);

/* Makes a step what the layer reads. */
extern void hx_layer_read_step(const Builder *builder, Layer *layer, int step);

/* Adds a step that reads the layer's step so far, and takes its place. */
extern void hx_layer_add_step(Builder *builder, Layer *layer, HxStepOp op, int input2,
							  uint32 outputs, uint32 detail, const float *params,
							  uint32 param_count);

/* The same of the steps one behind the other, and of signs; without thresholds they are 0. */
extern void hx_layer_concat(Builder *builder, Layer *layer, const int *steps, int count);
extern void hx_layer_add_signs(Builder *builder, Layer *layer, const float *thresholds);

#endif							/* HX_ENCODE_LAYER_H */
