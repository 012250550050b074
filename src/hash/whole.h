/*
 * whole.h
 *	  The signs of a linear step, most of them from 16-bit integers.
 *
 * A model that ends with a matrix and signs spends most of its time on reading that matrix. A
 * copy of half the size, in integers, decides most signs for certain: those of sums that are
 * farther from the threshold than all rounding together. The few others are computed exactly. So
 * the bits are always those of the frozen sums (README).
 */
#ifndef HX_WHOLE_H
#define HX_WHOLE_H

#include "hash/model.h"

typedef struct HxWhole HxWhole;

/*
 * Bytes that this takes for a checked model; 0 when it does not end with a matrix and
 * signs, or when that is so small or so large that this would be no gain.
 */
extern size_t hx_whole_size(const HxModel *model);

/*
 * Made in place at `memory`, aligned to 8, for a model whose parameters stay. NULL when
 * they are so large or so small that floats might overflow or vanish on the way.
 */
extern HxWhole *hx_whole_make(const HxModel *model, HxModelPause pause, void *memory);

/*
 * The code of what comes into the linear step. False, and the code means nothing, when x is
 * too long or too short, many sums are near the thresholds, or the level of SIMD has no use
 * for it.
 */
extern bool hx_whole_find(HxWhole *whole, const float *x, uint8_t *code);

#endif							/* HX_WHOLE_H */
