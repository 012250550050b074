/*
 * hnsw_offer.c
 *	  Links back to a new node; see hnsw_offer.h.
 *
 * Which of its links a neighbour gives up is decided on its page alone (hnsw_link.h). Whether
 * other nodes link to the same target is known only from the search for neighbours: it visits
 * more than a hundred nodes around and counts where their links lead. Two targets may share a
 * counter, so a few links pass for spare that are not.
 */
#include "am/hnsw/hnsw_offer.h"

#include "access/generic_xlog.h"
#include "utils/memutils.h"

/* Fibonacci hashing. */
#define MET_FACTOR UINT32_C(0x9e3779b1)

HnswOffers *
hnsw_offers_new(const HnswShape *shape, HnswExpander *expander)
{
	HnswOffers *offers = palloc0(sizeof(HnswOffers));

	offers->expander = expander;
	offers->circle = hnsw_circle_new(shape);
	for (unsigned i = 0; i < shape->m; i++)
		offers->offer[i].code = palloc(shape->code_bytes);
	return offers;
}

void
hnsw_offers_begin(HnswOffers *offers, const float *centre)
{
	offers->centre = centre;
	offers->count = 0;
	memset(offers->met, 0, sizeof(offers->met));
}

static inline uint8 *
met_of(HnswOffers *offers, HxNode node)
{
	return &offers->met[(uint32) (node * MET_FACTOR) >> (32 - HNSW_MET_BITS)];
}

static inline void
meet_link(HnswOffers *offers, HxNode node)
{
	uint8	   *met = met_of(offers, node);

	*met += *met < PG_UINT8_MAX;
}

void
hnsw_offers_meet(HnswOffers *offers, HnswNodeHead *head)
{
	const HxLink *links = hnsw_node_links(offers->expander->query->shape, head);

	for (unsigned i = 0; i < head->links; i++)
		meet_link(offers, links[i].node);
}

static int
compare_offers(const void *a, const void *b)
{
	HxNode		left = ((const HnswOffer *) a)->to;
	HxNode		right = ((const HnswOffer *) b)->to;

	return left < right ? -1 : left > right;
}

/*
 * Where the neighbour puts the link. It gives up no link that no other one stands in for; nor is
 * the offer refused for one that others stand in for, as long as nobody has taken it up.
 */
static int
find_place(HnswOffers *offers, const HnswOffer *offer, HnswNodeHead *head, bool is_taken)
{
	const HxLink *links = hnsw_node_links(offers->expander->query->shape, head);
	bool		spare[HX_GRAPH_MAX_LINKS + 1];

	for (unsigned i = 0; i < head->links; i++)
		spare[i] = *met_of(offers, links[i].node) > 1;
	spare[head->links] = is_taken;
	return hnsw_link_place(offers->circle, offer->query, head, &offer->link, offer->code, spare);
}

/*
 * Offers links to nodes on the next few pages, as many as one record takes. Returns how many of
 * them that were, and adds how many were taken.
 */
static unsigned
give_some(HnswOffers *offers, unsigned first, unsigned *taken)
{
	Relation	index = offers->expander->index;
	const HnswShape *shape = offers->expander->query->shape;
	GenericXLogState *record = NULL;
	Buffer		buf[MAX_GENERIC_XLOG_PAGES];
	Page		image[MAX_GENERIC_XLOG_PAGES];
	int			pages = 0;
	unsigned	at = first;

	for (; at < offers->count; at++)
	{
		const HnswOffer *offer = &offers->offer[at];
		BlockNumber blk = hnsw_node_block(shape, offer->to);

		if (pages == 0 || BufferGetBlockNumber(buf[pages - 1]) != blk)
		{
			if (pages == MAX_GENERIC_XLOG_PAGES)
				break;
			buf[pages] = ReadBuffer(index, blk);
			LockBuffer(buf[pages], BUFFER_LOCK_EXCLUSIVE);
			image[pages++] = NULL;
		}

		HnswNodeHead *head = hnsw_read_node(index, shape, buf[pages - 1], offer->to);

		if (head == NULL || head->state != HNSW_NODE || head->version != offer->version)
			continue;

		int			place = find_place(offers, offer, head, *taken > 0);

		if (place < 0)
			continue;
		if (place < head->links)
			(*met_of(offers, hnsw_node_links(shape, head)[place].node))--;
		if (record == NULL)
			record = GenericXLogStart(index);
		if (image[pages - 1] == NULL)
			image[pages - 1] = GenericXLogRegisterBuffer(record, buf[pages - 1], 0);
		head = hnsw_node_head(shape, image[pages - 1], hnsw_node_slot(shape, offer->to));
		hnsw_link_put(shape, head, place, &offer->link, offer->code);
		(*taken)++;
	}
	if (record != NULL)
		GenericXLogFinish(record);
	while (pages > 0)
		UnlockReleaseBuffer(buf[--pages]);
	return at - first;
}

/* Offers all links, in the order of their blocks; returns how many are taken up. */
static unsigned
give_all(HnswOffers *offers)
{
	unsigned	taken = 0;

	for (unsigned done = 0; done < offers->count;)
		done += give_some(offers, done, &taken);
	return taken;
}

/* Where the link leads that the neighbour is to give up, though none stands in for it. */
static HxNode
find_sole_link(HnswOffers *offers, const HnswOffer *offer)
{
	const HnswShape *shape = offers->expander->query->shape;
	bool		spare[HX_GRAPH_MAX_LINKS + 1];
	HxNode		node = HX_NODE_NONE;
	Buffer		buf;
	HnswNodeHead *head = hnsw_lock_node(offers->expander, offer->to, &buf);

	if (head == NULL)
		return HX_NODE_NONE;
	if (head->state == HNSW_NODE && head->links > 0)
	{
		memset(spare, true, head->links);
		spare[head->links] = false;

		int			place = hnsw_link_place(offers->circle, offer->query, head, &offer->link,
											offer->code, spare);

		if (place < head->links)
			node = hnsw_node_links(shape, head)[place].node;
	}
	UnlockReleaseBuffer(buf);
	return node;
}

/* Makes the link from the new node to this one; false when there is no such node any more. */
static bool
make_link(HnswOffers *offers, HxNode node, HxLink *link, uint8 *code)
{
	HnswExpander *expander = offers->expander;
	const HnswShape *shape = expander->query->shape;
	HnswQuery  *other = &offers->other;
	Buffer		buf;
	HnswNodeHead *head = hnsw_lock_node(expander, node, &buf);

	if (head == NULL)
		return false;

	bool		alive = head->state == HNSW_NODE;

	if (alive)
	{
		/* Its memory serves for the next ones, too; bits are read on the page. */
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(offers));

		hnsw_query_stored(other, shape, hnsw_expander_own(expander, node, head));
		MemoryContextSwitchTo(old);
		if (shape->metric != HNSW_HAMMING)
			hnsw_centred(shape, offers->centre, other->x, other->y);
		hnsw_link_make(shape, offers->centre, expander->query, other, link, code);
		link->node = node;
	}
	UnlockReleaseBuffer(buf);
	return alive;
}

/* Puts a link in the last place of the new node's list. */
static void
put_last(HnswOffers *offers, HxNode number, const HxLink *link, const uint8 *code)
{
	Relation	index = offers->expander->index;
	const HnswShape *shape = offers->expander->query->shape;
	Buffer		buf = ReadBuffer(index, hnsw_node_block(shape, number));

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	HnswNodeHead *head = hnsw_read_node(index, shape, buf, number);

	if (head != NULL && head->links > 0)
	{
		GenericXLogState *record = GenericXLogStart(index);

		head = hnsw_node_head(shape, GenericXLogRegisterBuffer(record, buf, 0),
							  hnsw_node_slot(shape, number));
		hnsw_link_put(shape, head, Min(head->links, shape->m - 1), link, code);
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
}

/*
 * The new node takes over the link that its nearest neighbour needs least, and stands in for it
 * from now on; false when there is none.
 */
static bool
take_over(HnswOffers *offers, HxNode number)
{
	const HnswShape *shape = offers->expander->query->shape;
	unsigned	nearest = 0;
	HxLink		link;
	uint8	   *code = palloc(shape->code_bytes);
	bool		is_made;

	while (offers->offer[nearest].to != offers->nearest)
		nearest++;
	link.node = find_sole_link(offers, &offers->offer[nearest]);
	is_made = link.node != HX_NODE_NONE && make_link(offers, link.node, &link, code);
	if (is_made)
	{
		put_last(offers, number, &link, code);
		meet_link(offers, link.node);
	}
	pfree(code);
	return is_made;
}

unsigned
hnsw_offers_give(HnswOffers *offers, HxNode number)
{
	unsigned	taken;

	for (unsigned i = 0; i < offers->count; i++)
		offers->offer[i].link.node = number;
	qsort(offers->offer, offers->count, sizeof(HnswOffer), compare_offers);
	taken = give_all(offers);
	if (taken == 0 && offers->count > 0 && take_over(offers, number))
		taken = give_all(offers);
	return taken;
}
