/*
 * search.h
 *	  Best-first search in a neighbour graph: a beam of estimated candidates that can be widened
 *	  for as long as the caller wants more.
 *
 * The graph is behind a callback that expands a node: it gives the distance to the node itself
 * and estimates for its neighbours. A candidate may stand on the beam once for each parent's
 * estimate, of which the least counts; a node is expanded once.
 */
#ifndef HX_SEARCH_H
#define HX_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "math/memory.h"

typedef uint32_t HxNode;

#define HX_NODE_NONE UINT32_MAX

/* Links of a node, at most; the graph's m. */
#define HX_GRAPH_MAX_LINKS 64

typedef struct HxCandidate
{
	float		distance;		/* an estimate, or exact, as the place says */
	HxNode		node;
} HxCandidate;

/* What the expansion of a node gives. */
typedef struct HxExpansion
{
	float		distance;		/* of the query to the node */
	unsigned	count;			/* neighbours */
	HxNode		node[HX_GRAPH_MAX_LINKS];
	float		estimate[HX_GRAPH_MAX_LINKS];
} HxExpansion;

/* False: there is no such node any more; it is passed over. May longjmp out. */
typedef bool (*HxExpand) (void *context, HxNode node, HxExpansion *expansion);

typedef struct HxSearch HxSearch;

/* A search object that serves one query after the other; lives in `memory`. */
extern HxSearch *hx_search_new(HxMemory memory);

/* A new query: forgets all candidates. */
extern void hx_search_begin(HxSearch *search, HxExpand expand, void *context);

/* Puts a candidate on the beam: an entry into the graph, with an estimate of its distance. */
extern void hx_search_seed(HxSearch *search, HxNode node, float estimate);

/*
 * Expands candidates until the best `effort` of all that were ever seen are expanded.
 * Called again with a larger effort it goes on from there.
 */
extern void hx_search_run(HxSearch *search, size_t effort);

/* Every candidate seen has been expanded: a wider beam finds no more. */
extern bool hx_search_exhausted(const HxSearch *search);

/*
 * After a run, the estimate of the beam's last place: what is nearer has been looked for. Infinity,
 * while the beam has room.
 */
extern float hx_search_horizon(const HxSearch *search);

/* Nodes expanded for this query; whether this one is among them. */
extern size_t hx_search_visits(const HxSearch *search);
extern bool hx_search_visited(const HxSearch *search, HxNode node);

#endif							/* HX_SEARCH_H */
