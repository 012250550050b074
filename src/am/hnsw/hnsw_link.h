/*
 * hnsw_link.h
 *	  The choice among a node's links by their codes, which are all on its page.
 */
#ifndef HX_HNSW_LINK_H
#define HX_HNSW_LINK_H

#include "am/hnsw/hnsw_space.h"

/* Links that can be chosen among. */
#define HNSW_CIRCLE_LINKS (4 * HX_GRAPH_MAX_LINKS)

/* Links of one node, or such as it may get, with what their codes tell of their distances. */
typedef struct HnswCircle HnswCircle;

/* A circle that serves one node after the other, in CurrentMemoryContext. */
extern HnswCircle *hnsw_circle_new(const HnswShape *shape);

/* An empty circle around a node; the query is the node's, prepared. */
extern void hnsw_circle_begin(HnswCircle *circle, const HnswQuery *node);

/* Adds links with their codes, one after the other, which are not copied. */
extern void hnsw_circle_add(HnswCircle *circle, const HxLink *links, const uint8 *codes,
							unsigned count);

/* Links added so far. */
extern unsigned hnsw_circle_count(const HnswCircle *circle);

/* hx_graph_select: positions in the order of adding, ascending by distance; returns how many. */
extern unsigned hnsw_circle_select(HnswCircle *circle, unsigned m, unsigned *chosen);

/*
 * Where in a node's list a link goes that is offered to it: a place in use whose link is the
 * one to give up, the first unused one, or -1 when the node does better without. Only what is spare
 * is given up: links by their places, and behind the last one the offered link, which is taken for
 * any of the others if it is not spare itself. Takes no memory.
 */
extern int	hnsw_link_place(HnswCircle *circle, const HnswQuery *node, HnswNodeHead *head,
							const HxLink *link, const uint8 *code, const bool *spare);

/* Puts a link and its code there. */
extern void hnsw_link_put(const HnswShape *shape, HnswNodeHead *head, unsigned place,
						  const HxLink *link, const uint8 *code);

#endif							/* HX_HNSW_LINK_H */
