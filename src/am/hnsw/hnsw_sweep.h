/*
 * hnsw_sweep.h
 *	  Nodes in the order of their distances by reading all pages: the end of a scan that wants
 *	  more than a search of the graph can give.
 */
#ifndef HX_HNSW_SWEEP_H
#define HX_HNSW_SWEEP_H

#include "am/hnsw/hnsw_expand.h"
#include "am/hnsw/hnsw_found.h"

/*
 * Each pass over the pages keeps the nearest nodes that have not been seen yet; passes
 * grow from one to the next, up to what work_mem holds.
 */
typedef struct HnswSweep
{
	HnswExpander *expander;
	const HxSearch *search;		/* nodes it has visited are left out; NULL: none */
	bool		any_order;		/* distances do not count: nodes come by number */

	HnswFound  *found;			/* of the last pass, ascending */
	Size		count;
	Size		next;			/* to be returned */
	Size		want;			/* nodes that a pass keeps; `found` has room for twice as many */
	bool		overflowed;		/* the last pass had to drop some */
	bool		started;
	HnswFound	after;			/* only what comes after this one, and */
	HnswFound	before;			/* before this one */
} HnswSweep;

/*
 * Begins with the nodes from `low` on, below `high`. The sweep's memory, from CurrentMemoryContext,
 * is used again: all zero before the first time.
 */
extern void hnsw_sweep_begin(HnswSweep *sweep, HnswExpander *expander, const HxSearch *search,
							 float low, float high);

/* The next node, or NULL at the end; may read all pages. Stays the same until it is taken. */
extern const HnswFound *hnsw_sweep_next(HnswSweep *sweep);

static inline void
hnsw_sweep_take(HnswSweep *sweep)
{
	sweep->next++;
}

#endif							/* HX_HNSW_SWEEP_H */
