/*
 * hnsw_build.h
 *	  What the parts of a build share: the rows that have been read, the nodes they
 *	  make, and the steps from there to pages.
 */
#ifndef HX_HNSW_BUILD_H
#define HX_HNSW_BUILD_H

#include "am/hnsw/hnsw_space.h"
#include "graph/build.h"

/* Points in memory: stored vectors, one after the other, by number. */
typedef struct HnswPoints
{
	const HnswShape *shape;
	const uint8 *stored;		/* own_bytes each */
	float		largest_norm;	/* of ip */
} HnswPoints;

static inline const uint8 *
hnsw_points_at(const HnswPoints *points, size_t i)
{
	return points->stored + i * points->shape->own_bytes;
}

/* hnsw_points.c */

/* The points as hx_graph_build() asks for them, by link distance; `points` must outlive it. */
extern HxPoints hnsw_points_for_graph(const HnswPoints *points, size_t count);

/*
 * For each of some vectors the search distances of the HNSW_CURVE_NEAREST points nearest to it,
 * but not equal, ascending: among these points and those already in `nearest`, which has count *
 * HNSW_CURVE_NEAREST floats and begins with hnsw_nearest_begin().
 */
extern void hnsw_points_nearest(HxCompute *compute, const HnswPoints *points, size_t point_count,
								const uint8 *vectors, size_t count, float *nearest);

/* The mean of the points' rotated coordinates, from a sample of them, or zero: link.dims floats. */
extern void hnsw_points_centre(const HnswPoints *points, size_t count, float *centre);

/* hnsw_write.c */

/* A graph to be written: its nodes are the first `count` points. */
typedef struct HnswGraph
{
	const HnswPoints *points;
	size_t		count;
	const HxNode *links;		/* m of each point, HX_NODE_NONE after the last */
	const float *error;			/* of each point: HnswPoint */
	const ItemPointerData *row; /* of each point: one of its rows */
	const float *centre;		/* or NULL */
	bool		links_later;	/* only the nodes are written, without links */
} HnswGraph;

/* The nodes in an order in which those that are linked stand together, palloc'd. */
extern HxNode *hnsw_order_points(const HnswGraph *graph);

/*
 * Writes the nodes to new pages in that order. They get numbers that follow each other
 * (hnsw_node_after), of which the first is returned; sets number[point].
 */
extern HxNode hnsw_write_nodes(Relation index, HxCompute *compute, const HnswGraph *graph,
							   const HxNode *order, HxNode *number);

/* Adds a row to a node; `error` is not above what the node was written with. */
extern void hnsw_write_row(Relation index, HxNode node, ItemPointerData *row, float error);

/* How many entries an index of so many nodes has. */
extern size_t hnsw_entries_wanted(size_t nodes);

/* Writes the entry set: some points, whose nodes are number[point]; returns its first page. */
extern BlockNumber hnsw_write_entries(Relation index, const HnswPoints *points,
									  const float *centre, const HxNode *entries, size_t count,
									  const HxNode *number);

/* Tells the metapage what has been built, but for the centre, which tells it itself. */
extern void hnsw_write_meta(Relation index, const HnswShape *shape, float largest_norm,
							BlockNumber entries);

/* Logs all pages as they are: from there on each change has its record. */
extern void hnsw_write_log(Relation index);

/* hnsw_insert.c */

/* Inserts a row whose point has been made; the caller is the only one who knows the index. */
extern void hnsw_insert_point(Relation index, IndexInfo *info, const HnswPoint *point,
							  ItemPointer tid);

#endif							/* HX_HNSW_BUILD_H */
