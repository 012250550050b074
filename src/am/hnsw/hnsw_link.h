/*
 * hnsw_link.h
 *	  The choice among a node's links by what its page alone tells: their codes.
 */
#ifndef HX_HNSW_LINK_H
#define HX_HNSW_LINK_H

#include "am/hnsw/hnsw_page.h"

/* Links that can be chosen among. */
#define HNSW_CIRCLE_LINKS (4 * HX_GRAPH_MAX_LINKS)

/* Links of one node, or such as it may get, with what their codes tell of their distances. */
typedef struct HnswCircle
{
	const HnswShape *shape;
	const uint8 *node_own;		/* own vector of the node, as stored: of hamming its bits */
	unsigned	count;
	const uint8 *code[HNSW_CIRCLE_LINKS];
	float		squared[HNSW_CIRCLE_LINKS];	/* distance to the node */
} HnswCircle;

extern void hnsw_circle_init(HnswCircle *circle, const HnswShape *shape, const uint8 *node_own);

/* Adds links with their codes, one after the other, which are not copied. */
extern void hnsw_circle_add(HnswCircle *circle, const HxLink *links, const uint8 *codes,
							unsigned count);

/* hx_graph_select: positions in the order of adding, ascending by distance; returns how many. */
extern unsigned hnsw_circle_select(const HnswCircle *circle, unsigned m, unsigned *chosen);

/*
 * Where in a node's list a link goes that is offered to it: a place in use whose link is the
 * one to give up, the first unused one, or -1 when the node does better without.
 */
extern int	hnsw_link_place(const HnswShape *shape, HnswNodeHead *head, const HxLink *link,
							const uint8 *code);

/* Puts a link and its code there. */
extern void hnsw_link_put(const HnswShape *shape, HnswNodeHead *head, unsigned place,
						  const HxLink *link, const uint8 *code);

#endif							/* HX_HNSW_LINK_H */
