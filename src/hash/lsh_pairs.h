/*
 * lsh_pairs.h
 *	  Made-up pairs of points at a given distance.
 */
#ifndef HX_LSH_PAIRS_H
#define HX_LSH_PAIRS_H

#include "hash/lsh.h"

/* Room for two points, filled again by each pair. */
typedef struct HxLshPair
{
	HxLshPoint	a;
	HxLshPoint	b;
} HxLshPair;

/* Room for pairs of the shape's points; sets have set_size elements each, at least 1. */
extern HxLshPair hx_lsh_pair_make(const HxLshShape *shape, size_t set_size,
								  const HxMemory *memory);

/*
 * Two points at about that distance (codes and sets have whole numbers of bits and
 * elements), the same for the same number.
 */
extern void hx_lsh_pair_draw(const HxLshShape *shape, double distance, uint64_t number,
							 HxLshPair *pair);

#endif							/* HX_LSH_PAIRS_H */
