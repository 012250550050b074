/*
 * hnsw_reach.h
 *	  Which nodes a search could reach at all: walks along links.
 */
#ifndef HX_HNSW_REACH_H
#define HX_HNSW_REACH_H

#include "am/hnsw/hnsw.h"

typedef struct HnswReach
{
	Relation	index;
	BufferAccessStrategy strategy;
	HnswShape	shape;
	uint64		numbers;		/* of nodes, as far as the index reached at first */
	uint8	   *met;			/* two bits a node: met; to be walked from */
	uint8	   *due;
	uint64		due_count;
	uint64		first_due;		/* none before that is due */
	double		reached;		/* living ones walked from */
} HnswReach;

/* Bits of memory for each number of a node. */
#define HNSW_REACH_BITS 2

/* Has met the entries, and walked from none yet; its memory is palloc'd. */
extern HnswReach *hnsw_reach_new(Relation index, BufferAccessStrategy strategy);

/* Meets a node, from which the next walk goes on. */
extern void hnsw_reach_meet(HnswReach *reach, HxNode node);

/* Meets all that links lead to from what has been met. */
extern void hnsw_reach_walk(HnswReach *reach);

/* Whether a node has been met; of those added since the beginning that is not known: true. */
extern bool hnsw_reach_has(const HnswReach *reach, HxNode node);

/* Living nodes that can be reached from the entries along links; reads nearly all pages. */
extern double hnsw_reach_count(Relation index);

#endif							/* HX_HNSW_REACH_H */
