/*
 * hnsw_sweep.c
 *	  Passes over all nodes of an index; each collects the nearest ones that are left.
 *
 * The order of nodes is total (hnsw_found_before). So nothing is returned twice or left out,
 * whatever happens to the index between two passes: rows that come or go meanwhile are invisible
 * to the scan's snapshot.
 */
#include "am/hnsw/hnsw_sweep.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

/* Nodes that the first pass keeps, and how that grows from pass to pass. */
#define FIRST_WANT 256
#define WANT_GROWTH 8

#define ST_SORT sort_found
#define ST_ELEMENT_TYPE HnswFound
#define ST_COMPARE(a, b) (hnsw_found_before(a, b) ? -1 : hnsw_found_before(b, a))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* What bounds a sweep stands for: no node has number 0. */
static HnswFound
bound_at(float low)
{
	return (HnswFound) {.low = low,.node = 0};
}

void
hnsw_sweep_begin(HnswSweep *sweep, HnswExpander *expander, const HxSearch *search,
				 float low, float high)
{
	sweep->expander = expander;
	sweep->search = search;
	sweep->count = 0;
	sweep->next = 0;
	sweep->started = false;
	sweep->after = bound_at(low);
	sweep->before = bound_at(high);
}

/* Sorts what was found and drops what is too much. */
static void
cut(HnswSweep *sweep)
{
	sort_found(sweep->found, sweep->count);
	if (sweep->count > sweep->want)
	{
		sweep->count = sweep->want;
		sweep->overflowed = true;
	}
}

/* Offers a node; `limit` is what nodes have to come before to be among those wanted. */
static void
offer(HnswSweep *sweep, const HnswFound *found, HnswFound *limit)
{
	if (!hnsw_found_before(&sweep->after, found) || !hnsw_found_before(found, limit))
		return;
	sweep->found[sweep->count++] = *found;
	if (sweep->count == 2 * sweep->want)
	{
		cut(sweep);
		*limit = sweep->found[sweep->count - 1];
	}
}

/* Offers the nodes of a page, which is locked. */
static void
offer_page(HnswSweep *sweep, Buffer buf, HnswFound *limit)
{
	const HnswExpander *expander = sweep->expander;
	const HnswQuery *query = expander->query;
	const HnswShape *shape = query->shape;

	for (uint32 slot = 0; slot < shape->nodes_per_page; slot++)
	{
		HxNode		node = hnsw_node_number(shape, BufferGetBlockNumber(buf), slot);
		HnswNodeHead *head = hnsw_read_node(expander->index, shape, buf, node);

		if (head == NULL || head->state != HNSW_NODE ||
			(sweep->search != NULL && hx_search_visited(sweep->search, node)))
			continue;

		float		distance = sweep->any_order ? 0 :
			hnsw_query_distance(query, hnsw_expander_own(sweep->expander, node, head));
		HnswFound	found = hnsw_found_make(query, node, head, distance);

		if (sweep->any_order)
			found.low = found.high = 0;
		offer(sweep, &found, limit);
	}
}

/* One pass over the pages. */
static void
collect(HnswSweep *sweep)
{
	HnswExpander *expander = sweep->expander;
	HnswFound	limit = sweep->before;
	BlockNumber blk = HNSW_FIRST_BLOCK;

	expander->blocks = RelationGetNumberOfBlocks(expander->index);
	if (expander->blocks > (BlockNumber) NBuffers / 4)
		expander->strategy = GetAccessStrategy(BAS_BULKREAD);
	sweep->count = 0;
	sweep->next = 0;
	sweep->overflowed = false;
	while (blk < expander->blocks)
	{
		BlockNumber next;

		CHECK_FOR_INTERRUPTS();

		Buffer		buf = hnsw_lock_nodes(expander->index, expander->query->shape,
										  expander->strategy, blk, &next);

		if (BufferIsValid(buf))
		{
			offer_page(sweep, buf, &limit);
			UnlockReleaseBuffer(buf);
		}
		blk = next;
	}
	cut(sweep);
	if (expander->strategy != NULL)
		FreeAccessStrategy(expander->strategy);
	expander->strategy = NULL;
}

/* Makes room for the next pass, larger than the last one. */
static void
grow(HnswSweep *sweep)
{
	Size		most = Max((Size) work_mem * 1024 / (2 * sizeof(HnswFound)), FIRST_WANT);
	Size		want = sweep->found == NULL ? FIRST_WANT :
		sweep->started ? Min(sweep->want * WANT_GROWTH, most) : sweep->want;

	if (sweep->found == NULL)
		sweep->found = palloc(2 * want * sizeof(HnswFound));
	else if (want > sweep->want)
		sweep->found = repalloc_huge(sweep->found, 2 * want * sizeof(HnswFound));
	sweep->want = want;
	sweep->started = true;
}

const HnswFound *
hnsw_sweep_next(HnswSweep *sweep)
{
	if (sweep->next == sweep->count)
	{
		if (sweep->started && !sweep->overflowed)
			return NULL;
		if (sweep->count > 0)
			sweep->after = sweep->found[sweep->count - 1];
		grow(sweep);
		collect(sweep);
		if (sweep->count == 0)
			return NULL;
	}
	return &sweep->found[sweep->next];
}
