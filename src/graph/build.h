/*
 * build.h
 *	  The choice of a node's links, and the construction of a whole graph in memory on the
 *	  thread team.
 */
#ifndef HX_GRAPH_BUILD_H
#define HX_GRAPH_BUILD_H

#include "graph/search.h"
#include "math/compute.h"

/* Distance between two candidates, by their positions; smaller is nearer. */
typedef float (*HxPairDistance) (void *context, unsigned a, unsigned b);

/* Candidates for the links of a node, and the distances that the rule asks for. */
typedef struct HxChoice
{
	const HxCandidate *candidates;	/* sorted by distance to the node */
	unsigned	count;
	float		offset;			/* added to any distance it is not negative; README, "Links" */
	HxPairDistance pair;
	void	   *context;
} HxChoice;

/*
 * Chooses at most m candidates by the ranks of README, "Links": first those to which no nearer one
 * chosen leads, then those to which none leads when the rule is relaxed; the nearest of the others
 * fill what is left. Writes the positions, ascending by distance, and returns how many.
 */
extern unsigned hx_graph_select(const HxChoice *choice, unsigned m, unsigned *chosen);

/*
 * Candidate number `offered` is offered to a full list, which the others are: at most
 * HX_GRAPH_MAX_LINKS + 1 in all. Returns the one to give up: the offered one if it would only
 * fill, else the one that hx_graph_select() leaves out when it chooses all but one. A candidate
 * that is not spare counts as having a higher rank than any. Asks for no more distances than
 * decide that.
 */
extern unsigned hx_graph_least(const HxChoice *choice, unsigned offered, const bool *spare);

/* Points whose distances the construction asks for; all functions are called by many threads. */
typedef struct HxPoints
{
	size_t		count;
	unsigned	dims;			/* coordinates (bits); 0: so many that they do not matter */
	size_t		scratch_bytes;	/* of a thread's scratch, 64-byte aligned */
	float		offset;			/* HxChoice */
	const void *context;

	/* Makes `from` ready in the scratch. */
	void		(*open) (const void *context, void *scratch, HxNode from);

	/* Distances of the point made ready to `count` others. */
	void		(*distances) (const void *context, const void *scratch, const HxNode *to,
							  unsigned count, float *out);
} HxPoints;

typedef struct HxGraphOptions
{
	unsigned	m;				/* links of a node */
	unsigned	ef_construction;	/* beam when a point's neighbours are looked for */
	uint64_t	seed;			/* of the order of insertion */
} HxGraphOptions;

/* Tells how far it is: points done of all in this pass over the points. */
typedef void (*HxGraphProgress) (void *context, size_t done, size_t total);

/*
 * Builds the graph: links has count * m entries, a node's sorted by distance, HX_NODE_NONE
 * after the last. Every slot is filled that can be. The result does not depend on the number
 * of threads. Points without equals are assumed: the caller has collapsed duplicates.
 */
extern void hx_graph_build(HxCompute *compute, const HxPoints *points,
						   const HxGraphOptions *options, HxNode *links,
						   HxGraphProgress progress, void *progress_context);

#endif							/* HX_GRAPH_BUILD_H */
