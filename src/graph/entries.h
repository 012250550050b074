/*
 * entries.h
 *	  The nodes where searches of a finished graph begin.
 */
#ifndef HX_GRAPH_ENTRIES_H
#define HX_GRAPH_ENTRIES_H

#include "graph/build.h"

/*
 * What is more than so many times as far from a point as the middle one of its links is in another
 * cluster. For squared distances, and Hamming distances, which are like these.
 */
#define HX_GRAPH_ALOOF 9

/*
 * The same where nodes have few dimensions: the nearest of `entries` is expected to be farther than
 * the middle one of `links`, by as much as fewer of the nodes are entries.
 */
extern double hx_graph_aloof(unsigned dims, double nodes, double entries, unsigned links);

/*
 * Chooses `count` nodes at random, one of each of as many equal parts of the points, and then
 * such as a narrow search from all of these does not find, or as have none of them in their
 * cluster, up to `most`. links: as
 * hx_graph_build() made them. Returns how many there are; `entries` has room for `most`. The
 * result does not depend on the number of threads.
 */
extern size_t hx_graph_entries(HxCompute *compute, const HxPoints *points, const HxNode *links,
							   const HxGraphOptions *options, HxNode *entries, size_t count,
							   size_t most);

#endif							/* HX_GRAPH_ENTRIES_H */
