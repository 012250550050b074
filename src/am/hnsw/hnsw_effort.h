/*
 * hnsw_effort.h
 *	  How wide the beam of a search has to be for a given recall.
 */
#ifndef HX_HNSW_EFFORT_H
#define HX_HNSW_EFFORT_H

#include <math.h>

#include "am/hnsw/hnsw.h"

/* Efforts that hashidx_recall() compares, 0 after the last. */
extern const int hnsw_efforts[];

/* Answers that the curve counts. */
#define HNSW_CURVE_NEAREST 10

/* Of fewer nodes an index is not worth measuring. */
#define HNSW_LEAST_TO_MEASURE 2000

/* The nearest distances of so many queries, of which none is known yet. */
static inline void
hnsw_nearest_begin(float *nearest, size_t queries)
{
	for (size_t i = 0; i < queries * HNSW_CURVE_NEAREST; i++)
		nearest[i] = INFINITY;
}

/* Keeps a distance if it is among the nearest of a query, ascending. */
static inline void
hnsw_nearest_offer(float *nearest, float distance)
{
	int			at = HNSW_CURVE_NEAREST - 1;

	if (!(distance < nearest[at]))
		return;
	for (; at > 0 && distance < nearest[at - 1]; at--)
		nearest[at] = nearest[at - 1];
	nearest[at] = distance;
}

/* Vectors to search for by way of trial. What is equal to one of them is no answer to it. */
typedef struct HnswTrials
{
	const uint8 *stored;		/* one after the other */
	const float *nearest;		/* of each the HNSW_CURVE_NEAREST search distances of what is truly
								 * nearest, ascending; INFINITY after the last if there is less */
	const HxNode *hidden;		/* of each a node that its search is not to meet, or NULL */
	int			count;
} HnswTrials;

/*
 * Measures the recall of searches of many efforts, and writes the curve into the metapage: at each
 * effort the lesser of two means, of vectors that are not in the index and of such that are.
 */
extern void hnsw_measure_curve(Relation index, const HnswTrials *outside,
							   const HnswTrials *inside);

/*
 * The effort of a scan: hashidx.ef_search, or what the curve has for hashidx.recall, and more in an
 * index that has grown since. The index has about so many nodes.
 */
extern uint32 hnsw_scan_effort(const HnswCache *cache, double nodes);

#endif							/* HX_HNSW_EFFORT_H */
