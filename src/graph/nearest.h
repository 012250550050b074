/*
 * nearest.h
 *	  Search for the nearest points with exact distances, as the construction does it for every
 *	  point.
 *
 * For the files of this folder.
 */
#ifndef HX_GRAPH_NEAREST_H
#define HX_GRAPH_NEAREST_H

#include "graph/build.h"

/* What one worker needs; hx_nearest_init() takes it from the memory of the build. */
typedef struct HxNearest
{
	const HxPoints *points;
	void	   *scratch;		/* of the points */
	unsigned	width;			/* candidates of the beam */
	unsigned	count;			/* on it now: the result */
	HxCandidate *beam;			/* ascending; equals by number */
	bool	   *expanded;		/* of each on the beam */
	HxNode	   *seen;			/* a cache of nodes seen lately; HX_NODE_NONE: free */
	HxNode	   *ask;			/* nodes whose distances are asked for together */
	float	   *answer;
} HxNearest;

extern void hx_nearest_init(HxNearest *nearest, HxCompute *compute, const HxPoints *points,
							unsigned width);

/*
 * Searches for the points nearest to `from`, itself left out, with the given entries to
 * begin with. links: m a node, HX_NODE_NONE after the last. Leaves `from` ready in the
 * scratch.
 */
extern void hx_nearest_search(HxNearest *nearest, HxNode from, const HxNode *links, unsigned m,
							  const HxNode *entries, size_t entry_count);

#endif							/* HX_GRAPH_NEAREST_H */
