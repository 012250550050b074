/*
 * places.h
 *	  The signs of sums of a few numbers, with the places of these looked up ahead.
 */
#ifndef HX_PLACES_H
#define HX_PLACES_H

#include "hash/model.h"

typedef struct HxPlaces HxPlaces;

/*
 * Bytes that this takes for a checked model; 0 when it does not end with a sparse step and
 * signs, or there are too many inputs.
 */
extern size_t hx_places_size(const HxModel *model);

/* Made in place at `memory`, aligned to 8, for a model whose parameters stay. */
extern HxPlaces *hx_places_make(const HxModel *model, HxModelPause pause, void *memory);

/*
 * The code of what comes into the sparse step. False, and the code means nothing, when a sum
 * is beyond the range of floats.
 */
extern bool hx_places_find(HxPlaces *places, const float *x, uint8_t *code);

#endif							/* HX_PLACES_H */
