/*
 * hnsw_repair.h
 *	  Other neighbours for nodes that link to dead ones, so that these can be freed.
 */
#ifndef HX_HNSW_REPAIR_H
#define HX_HNSW_REPAIR_H

#include "am/hnsw/hnsw_space.h"

/* Dead nodes among the numbers from `first` to before first + room. */
typedef struct HnswDead
{
	HxNode		first;
	uint64		room;
	uint64		count;
	bool		more;			/* there are others behind */
	uint8	   *bits;
} HnswDead;

static inline bool
hnsw_dead_has(const HnswDead *dead, HxNode node)
{
	uint64		at = (uint64) node - dead->first;

	return at < dead->room && (dead->bits[at / 8] >> (at % 8) & 1) != 0;
}

/* The work of one vacuum. */
typedef struct HnswRepair HnswRepair;

/* All its memory comes from CurrentMemoryContext. */
extern HnswRepair *hnsw_repair_new(Relation index, const HnswDead *dead);

/*
 * Gives the node other links in place of those to dead nodes. `copy` is its record as it was
 * a moment ago, `own` its own vector. The caller holds no buffer lock.
 */
extern void hnsw_repair_node(HnswRepair *repair, HxNode node, HnswNodeHead *copy,
							 const uint8 *own);

/*
 * Replaces dead entries by neighbours of theirs, as long as there are fewer than
 * HNSW_MORE_ENTRIES * sqrt(nodes), and drops the others. `any` is a live node, or HX_NODE_NONE:
 * an entry if there would be none.
 */
extern void hnsw_repair_entries(HnswRepair *repair, double nodes, HxNode any);

#endif							/* HX_HNSW_REPAIR_H */
