/*
 * hnsw_parts.h
 *	  The build of an index whose points do not fit into memory: in overlapping parts.
 *
 * Each point goes to the two parts whose centroids are nearest to it (as in DiskANN, Subramanya
 * et al. 2019). It is a resident of one and a guest of the other. Each part fits memory and gets
 * a graph of its own; a node then chooses its links among those of its two lists. Everything else
 * is in temporary files; memory holds four bytes for each point.
 */
#ifndef HX_HNSW_PARTS_H
#define HX_HNSW_PARTS_H

#include "am/hnsw/hnsw_build.h"
#include "am/hnsw/hnsw_spill.h"

/* A point in a file; its stored vector follows. */
typedef struct HnswPartPoint
{
	uint32		point;			/* its number, in the order of the table */
	uint32		home;			/* of a guest: the part where it is at home */
	float		error;
	ItemPointerData row;
} HnswPartPoint;

/* A row beyond the first of a node. */
typedef struct HnswPartRow
{
	HxNode		node;
	float		error;			/* the node's */
	ItemPointerData row;
} HnswPartRow;

/* The links of a point in one of its graphs. */
typedef struct HnswPartList
{
	uint32		point;
	uint32		links[FLEXIBLE_ARRAY_MEMBER];	/* points, HX_NODE_NONE after the last */
} HnswPartList;

typedef struct HnswPart
{
	HnswSpill	residents;		/* HnswPartPoint */
	HnswSpill	guests;
	HnswSpill	lists;			/* HnswPartList of its nodes, in the order of their numbers */
	HnswSpill	guest_lists;	/* of its nodes where they are guests, in any order */
	HxNode		first;			/* its first node; the others follow (hnsw_node_after) */
	size_t		nodes;
} HnswPart;

typedef struct HnswParts
{
	Relation	index;
	IndexInfo  *info;
	const HnswShape *shape;
	HxCompute  *compute;
	size_t		capacity;		/* points that a part may have */
	float		largest_norm;
	float	   *centre;			/* or NULL */

	HnswSpill	points;			/* all, as they came: HnswPartPoint */
	char	   *sample;			/* the same, of some at random */
	size_t		sample_count;
	size_t		sample_room;

	HnswPart   *part;
	uint32		part_count;
	HxNode	   *number;			/* of each point: its node's, or HX_NODE_NONE */
	uint64		nodes;			/* written so far */
	uint64		linked;			/* of them, with their links */
	HnswSpill	more_rows;		/* HnswPartRow */
	List	   *lost;			/* entries (hnsw_entry_make) for what a part's graph lost */
} HnswParts;

static inline Size
hnsw_part_point_bytes(const HnswShape *shape)
{
	return MAXALIGN(sizeof(HnswPartPoint) + shape->own_bytes);
}

static inline uint8 *
hnsw_part_point_stored(HnswPartPoint *point)
{
	return (uint8 *) (point + 1);
}

/* The same of the sample's points. */
static inline HnswPartPoint *
hnsw_parts_sample(const HnswParts *parts, size_t i)
{
	return (HnswPartPoint *) (parts->sample + i * hnsw_part_point_bytes(parts->shape));
}

/* hnsw_parts.c: begins, with room for so many points in memory; takes the points; builds all. */
extern HnswParts *hnsw_parts_begin(Relation index, IndexInfo *info, const HnswShape *shape,
								   HxCompute *compute, size_t capacity);
extern void hnsw_parts_add(HnswParts *parts, const HnswPoint *point, ItemPointer row);
extern void hnsw_parts_finish(HnswParts *parts);

/* hnsw_part_graph.c: builds the graph of a part, writes its nodes without links, keeps lists. */
extern void hnsw_part_build(HnswParts *parts, uint32 part);

/* hnsw_part_link.c: gives the nodes of a part their links. */
extern void hnsw_part_link(HnswParts *parts, uint32 part);

#endif							/* HX_HNSW_PARTS_H */
