/*
 * signs.h
 *	  The code of a model that ends with a matrix, or with sums of a few numbers, and signs:
 *	  found faster than step by step, with the same bits.
 */
#ifndef HX_SIGNS_H
#define HX_SIGNS_H

#include "hash/model.h"

typedef struct HxSigns HxSigns;

/* Bytes that the signs of a checked model take; 0 when this would be no gain for it. */
extern size_t hx_signs_size(const HxModel *model);

/*
 * Made in place at `memory`, aligned to 8, for a model whose parameters stay. NULL when
 * they are no good for it.
 */
extern HxSigns *hx_signs_make(const HxModel *model, HxModelPause pause, void *memory);

/* As hx_model_run_code(), with the signs of the model, or NULL; the code is the same. */
extern bool hx_signs_run_code(HxSigns *signs, const HxModel *model, const float *x,
							  float *scratch, uint8_t *code);

/*
 * The code of what comes into the last step but one. False, and the code means nothing, when
 * this cannot tell: then the model is to be run as any other. Signs are for one thread at a
 * time: what comes between is kept in them.
 */
extern bool hx_signs_find(HxSigns *signs, const float *x, uint8_t *code);

#endif							/* HX_SIGNS_H */
