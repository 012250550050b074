/*
 * similarity.h
 *	  Measures of how alike two sets are, from the numbers of their elements.
 *
 * Shared by the two kinds of sets we know, bincodes (the set of their one bits)
 * and arrays, so that both define the corner cases alike.
 */
#ifndef HX_SIMILARITY_H
#define HX_SIMILARITY_H

#include "hashidx.h"

/* How many elements two sets have, and how many in common. */
typedef struct SetCounts
{
	uint64		a;
	uint64		b;
	uint64		common;
} SetCounts;

/* 1 - |common| / |union|; 0 for two empty sets. */
extern double hx_jaccard_distance(SetCounts counts);

/* True when the Jaccard distance is at most `radius`, which must not be NaN (an error). */
extern bool hx_jaccard_within(SetCounts counts, double radius);

/*
 * |common| / (|common| + alpha |a - b| + beta |b - a|); 1 for two empty sets, 0
 * for other cases of 0 / 0. An error unless alpha and beta are finite and >= 0.
 */
extern double hx_tversky_similarity(SetCounts counts, double alpha, double beta);

#endif							/* HX_SIMILARITY_H */
