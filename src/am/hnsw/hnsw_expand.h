/*
 * hnsw_expand.h
 *	  The graph on its pages, as graph/search.h sees it: where a search begins, and what the
 *	  visit of a node yields.
 */
#ifndef HX_HNSW_EXPAND_H
#define HX_HNSW_EXPAND_H

#include "am/hnsw/hnsw_space.h"
#include "am/hnsw/hnsw_tail.h"

/*
 * Told of each node that a search visits, dead ones too (head->state), while its page is
 * share-locked: copies what it needs, reads no other page and takes no lock. The node's own vector
 * is the expander's `own`.
 */
typedef void (*HnswVisit) (void *context, HxNode node, HnswNodeHead *head, float distance);

/* What hnsw_expand() works on; the caller's, for as long as the search lasts. */
typedef struct HnswExpander
{
	Relation	index;
	HnswQuery  *query;
	BlockNumber blocks;			/* the index has at least as many */
	HnswVisit	visit;			/* may be NULL */
	void	   *context;		/* of visit */
	const uint8 *own;			/* the own vector of the node being visited */
	BufferAccessStrategy strategy;	/* for tail pages; may be NULL */
} HnswExpander;

/* A search object that lives in this memory context. */
extern HxSearch *hnsw_search_new(MemoryContext context);

/* The query is to be prepared (hnsw_query_prepare) before anything is expanded. */
extern void hnsw_expander_init(HnswExpander *expander, Relation index, HnswQuery *query,
							   HnswVisit visit, void *context);

/*
 * HxExpand, with the expander as its context; may refine the query. Interrupts are taken before the
 * page is locked.
 */
extern bool hnsw_expand(void *context, HxNode node, HxExpansion *expansion);

/*
 * The share-locked buffer of a node's page and in it the head of the node; NULL, and no
 * buffer, when there is no such node. Damage, when there cannot be one.
 */
extern HnswNodeHead *hnsw_lock_node(HnswExpander *expander, HxNode node, Buffer *buf);

/* For hnsw_expander_own(). */
extern const uint8 *hnsw_expander_copy_own(HnswExpander *expander, HxNode node,
										   HnswNodeHead *head);

/*
 * The own vector of a node whose page is locked: on that page, or if it has a tail, in memory of
 * the query until the next one is asked for.
 */
static inline const uint8 *
hnsw_expander_own(HnswExpander *expander, HxNode node, HnswNodeHead *head)
{
	if (likely(expander->query->shape->tail_pages == 0))
		return hnsw_node_own(head);
	return hnsw_expander_copy_own(expander, node, head);
}

/*
 * Seeds a search with the entries nearest to the query. `cache` is that of the index, just
 * asked for (hnsw_cache), and the query is prepared with what it knows.
 */
extern void hnsw_seed_entries(HxSearch *search, const HnswQuery *query, const HnswCache *cache);

#endif							/* HX_HNSW_EXPAND_H */
