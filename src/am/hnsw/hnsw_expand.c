/*
 * hnsw_expand.c
 *	  Visits of nodes on their pages, and the entries where searches begin.
 *
 * A search spends its time in hnsw_expand(), most of it waiting for the page's memory. A visit is
 * one buffer look-up and one share lock; everything is computed on the page itself.
 */
#include "am/hnsw/hnsw_expand.h"

#include <math.h>

#include "kernel/kernel.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* Entries that a search begins with. */
#define SEEDS 16

/*
 * Estimates that are made at a time, a multiple of the 32 of a block. Those of the first run are
 * all put in order: there is nothing yet to compare them with.
 */
#define RUN 64

HxSearch *
hnsw_search_new(MemoryContext context)
{
	return hx_search_new(hx_am_memory(context));
}

void
hnsw_expander_init(HnswExpander *expander, Relation index, HnswQuery *query,
				   HnswVisit visit, void *context)
{
	*expander = (HnswExpander) {
		.index = index,
		.query = query,
		.blocks = RelationGetNumberOfBlocks(index),
		.visit = visit,
		.context = context,
	};
}

HnswNodeHead *
hnsw_lock_node(HnswExpander *expander, HxNode node, Buffer *buf)
{
	const HnswShape *shape = expander->query->shape;
	BlockNumber blk = hnsw_node_block(shape, node);

	/* The index may have grown since. */
	if (blk >= expander->blocks)
		expander->blocks = RelationGetNumberOfBlocks(expander->index);
	if (blk < HNSW_FIRST_BLOCK || blk >= expander->blocks)
		hx_page_report_damage(expander->index, blk,
							  "A link leads here, where no node can be.");

	*buf = hnsw_read_buffer(expander->index, shape, node);
	LockBuffer(*buf, BUFFER_LOCK_SHARE);

	HnswNodeHead *head = hnsw_read_node(expander->index, shape, *buf, node);

	if (head == NULL)
		UnlockReleaseBuffer(*buf);
	return head;
}

const uint8 *
hnsw_expander_copy_own(HnswExpander *expander, HxNode node, HnswNodeHead *head)
{
	const HnswQuery *query = expander->query;
	BlockNumber blk = hnsw_node_block(query->shape, node);
	const char *problem;

	if (blk + query->shape->tail_pages >= expander->blocks)
		expander->blocks = RelationGetNumberOfBlocks(expander->index);
	problem = blk + query->shape->tail_pages >= expander->blocks ? hnsw_tail_beyond :
		hnsw_tail_copy(expander->index, query->shape, node, head, expander->strategy,
					   query->own, &blk);
	if (problem != NULL)
		hx_page_report_damage(expander->index, blk, "%s", problem);
	return query->own;
}

bool
hnsw_expand(void *context, HxNode node, HxExpansion *expansion)
{
	HnswExpander *expander = context;
	HnswQuery  *query = expander->query;
	const HnswShape *shape = query->shape;
	Buffer		buf;

	CHECK_FOR_INTERRUPTS();

	HnswNodeHead *head = hnsw_lock_node(expander, node, &buf);

	if (head == NULL)
		return false;

	const HxLink *links = hnsw_node_links(shape, head);

	expander->own = hnsw_expander_own(expander, node, head);
	expansion->distance = hnsw_query_distance(query, expander->own);
	if (unlikely(expansion->distance < query->refine_below))
		hnsw_query_refine(query);
	expansion->count = head->links;
	for (unsigned i = 0; i < head->links; i++)
		expansion->node[i] = links[i].node;
	hx_link_estimate(&query->link, expansion->distance, links, hnsw_node_code(shape, head, 0),
					 head->links, expansion->estimate);
	if (expander->visit != NULL)
		expander->visit(expander->context, node, head, expansion->distance);
	UnlockReleaseBuffer(buf);
	return true;
}

/* The distance of a query to the centre, to which the entries' codes are relative. */
static float
centre_distance(const HnswQuery *query, const float *centre)
{
	uint32		n = query->shape->link.dims;

	switch (query->shape->metric)
	{
		case HNSW_HAMMING:
			return 0;
		case HNSW_IP:
			/* <q, c> = <y + c, c> */
			return centre == NULL ? 0 :
				(float) -(hx_kernels->dot(query->y, centre, n) +
						  hx_kernels->dot(centre, centre, n));
		default:
			return (float) hx_kernels->dot(query->y, query->y, n);
	}
}

/* Keeps the nearest SEEDS of the candidates offered, in ascending order. */
static inline unsigned
keep_nearest(HxCandidate *nearest, unsigned count, HxCandidate candidate)
{
	if (count == SEEDS && !(candidate.distance < nearest[SEEDS - 1].distance))
		return SEEDS;

	unsigned	at = count < SEEDS ? count : SEEDS - 1;

	for (; at > 0 && candidate.distance < nearest[at - 1].distance; at--)
		nearest[at] = nearest[at - 1];
	nearest[at] = candidate;
	return count < SEEDS ? count + 1 : SEEDS;
}

/*
 * Keeps the nearest of a run of entries. Few are near, and no processor predicts which: all are
 * compared at once with the farthest that is kept so far.
 */
static unsigned
keep_near(HxCandidate *nearest, unsigned count, const HxLink *entries, const float *estimate,
		  unsigned run)
{
	float		limit[RUN];
	uint8		is_far[RUN / 8];

	for (unsigned i = 0; i < RUN; i++)
		limit[i] = count < SEEDS ? INFINITY : nearest[SEEDS - 1].distance;
	hx_kernels->above(estimate, limit, run, is_far);
	for (unsigned first = 0; first < run; first += 8)
	{
		uint32		near = (uint8) ~is_far[first / 8];

		while (near != 0)
		{
			int			bit = pg_leftmost_one_pos32(near);
			unsigned	i = first + 7 - bit;	/* the first of a byte is its high bit */

			near ^= UINT32_C(1) << bit;
			if (i < run)
				count = keep_nearest(nearest, count,
									 (HxCandidate) {estimate[i], entries[i].node});
		}
	}
	return count;
}

/* Estimates for some entries from number `first` on: a multiple of 32. */
static void
estimate_entries(const HnswQuery *query, const HnswCache *cache, const void *table, float own,
				 unsigned first, unsigned count, float *estimate)
{
	const HxLinkShape *shape = &query->shape->link;

	if (query->shape->metric != HNSW_HAMMING)
	{
		hx_link_estimate_blocks(shape, table, own, cache->entries + first,
								cache->entry_blocks + first / HX_BLOCK * hx_link_block_bytes(shape),
								count, estimate);
		return;
	}
	for (unsigned done = 0; done < count; done += HX_MAX_LINKS)
		hx_link_estimate(&query->link, own, cache->entries + first + done,
						 cache->entry_blocks + (Size) (first + done) * query->shape->code_bytes,
						 Min(count - done, HX_MAX_LINKS), estimate + done);
}

void
hnsw_seed_entries(HxSearch *search, const HnswQuery *query, const HnswCache *cache)
{
	HxCandidate nearest[SEEDS];
	float		estimate[RUN];
	float		own = centre_distance(query, cache->centre);
	unsigned	count = 0;
	void	   *memory = NULL;
	void	   *table = NULL;

	if (query->shape->metric != HNSW_HAMMING)
	{
		memory = palloc(hx_link_table_bytes(&query->shape->link) + 64);
		table = (void *) TYPEALIGN(64, memory);
		hx_link_table_prepare(&query->shape->link, query->y, table);
	}
	for (unsigned first = 0; first < cache->entry_count; first += RUN)
	{
		unsigned	run = Min(cache->entry_count - first, RUN);

		estimate_entries(query, cache, table, own, first, run, estimate);
		count = keep_near(nearest, count, cache->entries + first, estimate, run);
	}
	for (unsigned i = 0; i < count; i++)
		hx_search_seed(search, nearest[i].node, nearest[i].distance);
	if (memory != NULL)
		pfree(memory);
}
