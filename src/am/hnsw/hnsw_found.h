/*
 * hnsw_found.h
 *	  Nodes that a search has found, with bounds of their rows' distances, and heaps of such
 *	  nodes.
 */
#ifndef HX_HNSW_FOUND_H
#define HX_HNSW_FOUND_H

#include "am/hnsw/hnsw_space.h"

/*
 * A node whose rows may be returned. What its operator would say of each row lies between
 * low and high: the node's own vector is known no better than head->error tells, and
 * sums in float are rounded.
 */
typedef struct HnswFound
{
	float		low;
	float		high;
	float		distance;		/* to the vector as stored, in the search's terms */
	HxNode		node;
	uint32		version;
	uint32		postings;		/* the first with more rows, or HNSW_NO_POSTING */
	uint8		rows;			/* in use of `row` */
	bool		all_equal;		/* the rows have one distance, known or not */
	ItemPointerData row[HNSW_INLINE_ROWS];
} HnswFound;

/* The order in which nodes are returned: total, whatever their distances. */
static inline bool
hnsw_found_before(const HnswFound *a, const HnswFound *b)
{
	return a->low < b->low || (a->low == b->low && a->node < b->node);
}

/* Of a node in a locked page and its distance to the query. */
extern HnswFound hnsw_found_make(const HnswQuery *query, HxNode node, const HnswNodeHead *head,
								 float distance);

/* A heap, the first of hnsw_found_before() on top. All zero: empty. */
typedef struct HnswFoundHeap
{
	HnswFound  *found;
	Size		count;
	Size		room;
} HnswFoundHeap;

/* Adds one; the memory comes from CurrentMemoryContext at the first time. */
extern void hnsw_heap_push(HnswFoundHeap *heap, const HnswFound *found);

/* Takes the first from a heap that is not empty. */
extern HnswFound hnsw_heap_pop(HnswFoundHeap *heap);

/* The first, or NULL. */
static inline const HnswFound *
hnsw_heap_first(const HnswFoundHeap *heap)
{
	return heap->count > 0 ? heap->found : NULL;
}

#endif							/* HX_HNSW_FOUND_H */
