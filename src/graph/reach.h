/*
 * reach.h
 *	  Makes every node of a graph reachable from one of them.
 *
 * For the files of this folder.
 */
#ifndef HX_GRAPH_REACH_H
#define HX_GRAPH_REACH_H

#include "graph/build.h"

/*
 * Makes every node that has links reachable from `root`: where one is not, a node that it links to,
 * or another one if those cannot, gets a link to it, in place of its farthest link to a node that
 * others link to as well. links and distances: m a node, ascending by distance, HX_NODE_NONE after
 * the last; a distance that is not known becomes INFINITY.
 */
extern void hx_reach_all(HxCompute *compute, HxNode *links, float *distances, size_t count,
						 unsigned m, HxNode root);

#endif							/* HX_GRAPH_REACH_H */
