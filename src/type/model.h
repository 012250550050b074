/*
 * model.h
 *	  The type hashidx_model: a trained model as a value.
 *
 * OFFSET  SIZE  MEANING
 *      0     4  varlena length word (may be a 1-byte header in a tuple)
 *      4     -  the stored form of hash/model.h, at most HX_MODEL_MAX_BYTES
 *
 * Every value has passed hx_model_load(), and that reads one form of each model
 * only: two models are equal when their bytes are.
 */
#ifndef HX_TYPE_MODEL_H
#define HX_TYPE_MODEL_H

#include "hashidx.h"

#include "hash/model.h"

/* A look at a hashidx_model wherever it lies: unaligned. */
typedef struct ModelView
{
	const uint8 *bytes;			/* the stored form */
	Size		size;
	void	   *detoasted;		/* the copy that detoasting made, or NULL */
} ModelView;

/* Detoasts if needed, into CurrentMemoryContext. Believes nothing of what is there. */
extern ModelView hx_model_view(Datum datum);

/* Frees the copy made. */
extern void hx_model_release(ModelView *view);

/* HxModelPause, so that a query can be cancelled while it goes over a large model. */
extern void hx_model_look_for_interrupts(void);

/* memcpy() with a look for interrupts now and then. */
extern void hx_model_copy(uint8 *to, const uint8 *from, Size size);

/*
 * Unpacks a stored value; model and parameters lie in CurrentMemoryContext.
 * ERRCODE_DATA_CORRUPTED when it is damaged, ERRCODE_FEATURE_NOT_SUPPORTED when
 * a later version of hashidx wrote it.
 */
extern HxModel *hx_model_unpack(const uint8 *bytes, Size size);

/*
 * A new hashidx_model. A model that hx_model_check() finds fault with is
 * ERRCODE_INVALID_PARAMETER_VALUE: it was made of what the user gave.
 */
extern Datum hx_model_value_make(const HxModel *model);

#endif							/* HX_TYPE_MODEL_H */
