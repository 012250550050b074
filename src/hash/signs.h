/*
 * signs.h
 *	  The signs of a linear step, most of them from whole numbers of 16 bits.
 *
 * A model that ends with a matrix and signs takes most of its time to read that matrix.
 * Half as large, in whole numbers, it tells most signs for certain: those of sums that are
 * farther from the threshold than all rounding together. The few others are found exactly,
 * so that the bits are those of the frozen sums (README), always.
 */
#ifndef HX_SIGNS_H
#define HX_SIGNS_H

#include "hash/model.h"

typedef struct HxSigns HxSigns;

/*
 * Bytes that the signs of a checked model take; 0 when it does not end with a matrix and
 * signs, or when that is so small or so large that this would be no gain.
 */
extern size_t hx_signs_size(const HxModel *model);

/*
 * Made in place at `memory`, aligned to 8, for a model whose parameters stay. NULL when
 * they are so large or so small that floats might overflow or vanish on the way.
 */
extern HxSigns *hx_signs_make(const HxModel *model, void *memory);

/* As hx_model_run_code(), with the signs of the model, or NULL; the code is the same. */
extern bool hx_signs_run_code(HxSigns *signs, const HxModel *model, const float *x,
							  float *scratch, uint8_t *code);

/*
 * The code of what comes into the linear step. False, and the code means nothing, when x is
 * too long or too short, many sums are near the thresholds, or the level of SIMD has no use
 * for it: then the model is to be run as any other. Signs are for one thread at a time: what
 * comes between is kept in them.
 */
extern bool hx_signs_find(HxSigns *signs, const float *x, uint8_t *code);

#endif							/* HX_SIGNS_H */
