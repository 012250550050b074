/*
 * hnsw_neighbours.h
 *	  The neighbours of a node that is new, or that is to be made reachable again: the search
 *	  for them, the choice among them, and the links that they are offered.
 *
 * In this order, for one vector after the other: find; choose; link and offer.
 */
#ifndef HX_HNSW_NEIGHBOURS_H
#define HX_HNSW_NEIGHBOURS_H

#include "am/hnsw/hnsw_expand.h"
#include "am/hnsw/hnsw_offer.h"

/* A node that the search has visited and that may become a neighbour. */
typedef struct HnswSeen
{
	HxNode		node;
	uint32		version;
	float		distance;		/* link distance */
} HnswSeen;

typedef struct HnswNeighbours
{
	MemoryContext context;		/* of this struct, and of what serves several vectors */
	HnswShape	shape;
	HnswCache  *cache;			/* of this search */
	const uint8 *stored;		/* the vector */
	HxSearch   *search;
	HnswExpander expander;
	HnswQuery	query;
	HnswSeen   *seen;
	uint8	   *vectors;		/* their own vectors as stored, own_bytes each */
	unsigned	seen_count;
	unsigned	seen_room;
	float		early;			/* least link distance that a fast scan comes to */
	int			equal;			/* which of them has our stored vector, or -1 */
	HxCandidate *candidates;	/* the seen ones, sorted; `node` is the number in seen */
	int16	   *opened_at;		/* of a candidate, its number in opened, or -1 */
	HnswQuery	opened[HX_GRAPH_MAX_LINKS]; /* candidates as queries */
	unsigned	opened_count;
	unsigned	chosen[HX_GRAPH_MAX_LINKS]; /* candidates, ascending by distance */
	unsigned	count;
	HnswOffers *offers;			/* links back */
} HnswNeighbours;

/* With nothing found yet, in CurrentMemoryContext. */
extern HnswNeighbours *hnsw_neighbours_new(void);

/*
 * Searches for the nearest nodes of a stored vector, which must outlive all that follows; stops
 * early at one that has the same (`equal`). The cache is that of the index, just asked for.
 */
extern void hnsw_neighbours_find(HnswNeighbours *neighbours, Relation index, HnswCache *cache,
								 const uint8 *stored);

/* Chooses m of them, or fewer. */
extern void hnsw_neighbours_choose(HnswNeighbours *neighbours);

/* Makes the links of a node, which is not on a page yet, to those chosen. */
extern void hnsw_neighbours_link(HnswNeighbours *neighbours, HnswNodeHead *head);

/*
 * Offers links to the node of this number to those chosen; returns how many take one up. If none
 * does at first, the node takes over a link of the nearest (hnsw_offer.h).
 */
extern unsigned hnsw_neighbours_offer(HnswNeighbours *neighbours, HxNode number);

/*
 * Whether a scan would miss the node, to which so many have taken up a link: a fast one that was
 * not as near to it as the farthest of those chosen has ended in another cluster (graph/entries.h),
 * and one that no neighbour links to is found in no other way. Nor does one count as found
 * that the search came to from an entry in another cluster.
 */
extern bool hnsw_neighbours_lack(const HnswNeighbours *neighbours, unsigned links_back);

#endif							/* HX_HNSW_NEIGHBOURS_H */
