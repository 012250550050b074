/*
 * cache.h
 *	  Unpacked models, cached by content for the life of the backend.
 *
 * A holder keeps the models that it was asked for last from being freed. It remembers the values
 * that they came from, so that asking again costs next to nothing: no detoasting, no comparison
 * of the content. It lets go by itself when its memory context ends, so an error leaves nothing
 * behind. It may outlive a statement, but not a transaction.
 */
#ifndef HX_ENCODE_CACHE_H
#define HX_ENCODE_CACHE_H

#include "hashidx.h"

#include "hash/model.h"
#include "hash/signs.h"

typedef struct ModelHolder ModelHolder;

/* A model ready to run. */
typedef struct CachedModel
{
	const HxModel *model;
	float	   *scratch;		/* hx_model_scratch() floats, for any run in this backend */
	HxSigns    *signs;			/* where they are a gain, or NULL */
} CachedModel;

/* A new holder in `context`, holding nothing. */
extern ModelHolder *hx_model_holder(MemoryContext context);

/* The holder of a function call: one a call site, in fn_extra. */
extern ModelHolder *hx_model_holder_of_call(FunctionCallInfo fcinfo);

/*
 * The model of a hashidx_model value. It stays until the holder is asked for
 * another model or its context ends.
 */
extern const CachedModel *hx_model_hold(ModelHolder *holder, Datum value);

#endif							/* HX_ENCODE_CACHE_H */
