/*
 * links.h
 *	  The links of one node while the graph is built: a list sorted by distance in which
 *	  firm links, chosen by the rule, are told from those that fill the rest.
 *
 * For the files of this folder.
 */
#ifndef HX_GRAPH_LINKS_H
#define HX_GRAPH_LINKS_H

#include "graph/build.h"

typedef struct HxLinks
{
	unsigned	count;
	uint64_t	firm;			/* bit i: link i is firm */
	HxCandidate link[HX_GRAPH_MAX_LINKS];
} HxLinks;

static inline bool
hx_links_is_firm(const HxLinks *links, unsigned at)
{
	return (links->firm >> at & 1) != 0;
}

/* hx_graph_select, telling also which of the chosen are firm. */
extern unsigned hx_links_select(const HxCandidate *candidates, unsigned count, unsigned m,
								HxPairDistance pair, void *context, unsigned *chosen,
								uint64_t *firm);

/*
 * Offers a link to a list of at most m. between[i] is the distance between the offered
 * node and link i, for each firm link i. The list becomes nearly what choosing anew would
 * make it; README tells the difference. A node that is in the list already is refused.
 */
extern void hx_links_offer(HxLinks *links, unsigned m, HxCandidate offered, const float *between);

#endif							/* HX_GRAPH_LINKS_H */
