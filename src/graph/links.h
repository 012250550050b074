/*
 * links.h
 *	  The links of one node while the graph is built: a list sorted by distance, in which each
 *	  link has its rank.
 *
 * For the files of this folder.
 */
#ifndef HX_GRAPH_LINKS_H
#define HX_GRAPH_LINKS_H

#include "graph/build.h"

/* What a link is worth to its node; README, "Links". */
typedef enum HxLinkRank
{
	HX_LINK_FILLING,			/* others lead there */
	HX_LINK_APART,				/* others lead near it */
	HX_LINK_FIRM,				/* no other leads there */
} HxLinkRank;

typedef struct HxLinks
{
	unsigned	count;
	float		offset;			/* HxChoice */
	HxCandidate link[HX_GRAPH_MAX_LINKS];
	uint8_t		rank[HX_GRAPH_MAX_LINKS];	/* HxLinkRank of each */
} HxLinks;

/* hx_graph_select, telling also the ranks of the chosen. */
extern unsigned hx_links_select(const HxChoice *choice, unsigned m, unsigned *chosen,
								uint8_t *rank);

/* The distance between the node that is offered and another. */
typedef float (*HxOfferDistance) (void *context, HxNode to);

/*
 * Offers a link to a list of at most m. The list becomes nearly what choosing anew would make it;
 * README tells the difference. A node that is in the list already is refused. As few distances
 * are asked for as decide.
 */
extern void hx_links_offer(HxLinks *links, unsigned m, HxCandidate offered,
						   HxOfferDistance distance, void *context);

#endif							/* HX_GRAPH_LINKS_H */
