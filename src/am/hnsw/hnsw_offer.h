/*
 * hnsw_offer.h
 *	  Links back to a new node: its neighbours are offered them, and take them up or refuse.
 *
 * What can be reached from the entries stays reachable. A neighbour that takes up a link gives up
 * another one only if that is spare: the search has met a second link to the same target, or the
 * new node takes it over.
 */
#ifndef HX_HNSW_OFFER_H
#define HX_HNSW_OFFER_H

#include "am/hnsw/hnsw_expand.h"
#include "am/hnsw/hnsw_link.h"

/* A link back from a neighbour. */
typedef struct HnswOffer
{
	HxNode		to;
	uint32		version;
	const HnswQuery *query;		/* of the neighbour */
	HxLink		link;
	uint8	   *code;
} HnswOffer;

/* Links that were met are counted by a hash of the nodes they lead to, of so many bits. */
#define HNSW_MET_BITS 16

/* What a new node offers. */
typedef struct HnswOffers
{
	HnswExpander *expander;		/* its query is the new node's, prepared */
	const float *centre;
	HnswCircle *circle;			/* of the neighbour that is offered a link */
	HnswQuery	other;			/* a node whose link is taken over */
	HxNode		nearest;		/* of the neighbours */
	unsigned	count;
	HnswOffer	offer[HX_GRAPH_MAX_LINKS];
	uint8		met[1 << HNSW_MET_BITS];
} HnswOffers;

/* In CurrentMemoryContext; the shape must outlive it. */
extern HnswOffers *hnsw_offers_new(const HnswShape *shape, HnswExpander *expander);

/* No offers, and no links met. The centre is that of the cache. */
extern void hnsw_offers_begin(HnswOffers *offers, const float *centre);

/* Counts the links of a node that the search for neighbours visits, its page locked. */
extern void hnsw_offers_meet(HnswOffers *offers, HnswNodeHead *head);

/*
 * Offers the links, which get this number: that of the new node, which is written, with links to
 * all neighbours that there is an offer for. Returns how many are taken up.
 */
extern unsigned hnsw_offers_give(HnswOffers *offers, HxNode number);

#endif							/* HX_HNSW_OFFER_H */
