/*
 * hnsw_attach.c
 *	  Links to nodes that cannot be reached; see hnsw_attach.h.
 *
 * A walk from the entries marks all nodes that can be reached. Each node that it has not marked
 * is then offered to its nearest nodes as if it was new, and the walk goes on from there: a whole
 * part of the graph may lie behind it, which needs no other link then.
 *
 * An insert in progress may have written a node to which nobody links yet. It does not matter
 * whether the insert or vacuum makes the link first: the second finds it (hnsw_link_place).
 */
#include "am/hnsw/hnsw_attach.h"

#include <math.h>

#include "am/hnsw/hnsw_entries.h"
#include "am/hnsw/hnsw_neighbours.h"
#include "am/hnsw/hnsw_reach.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

typedef struct Attach
{
	Relation	index;
	BufferAccessStrategy strategy;
	HnswReach  *reach;
	HnswNeighbours *neighbours;
	MemoryContext scratch;		/* of one node */
	uint8	   *vectors;		/* own vectors of the nodes of a page */
} Attach;

/* Whether the search for neighbours has come by the node itself: somebody links to it by now. */
static bool
is_found(const HnswNeighbours *neighbours, HxNode node)
{
	for (unsigned i = 0; i < neighbours->seen_count; i++)
		if (neighbours->seen[i].node == node)
			return true;
	return false;
}

/* Offers a node to its nearest ones; it becomes an entry when it would still be missed. */
static void
offer_node(Attach *attach, HxNode node)
{
	HnswNeighbours *neighbours = attach->neighbours;
	const HnswShape *shape = &neighbours->shape;
	double		most = HNSW_MORE_ENTRIES * sqrt(hnsw_nodes_in(shape, neighbours->expander.blocks));

	hnsw_neighbours_choose(neighbours);

	unsigned	links_back = hnsw_neighbours_offer(neighbours, node);

	if (neighbours->cache->entry_count < most && hnsw_neighbours_lack(neighbours, links_back))
		hnsw_entries_add(attach->index, shape,
						 hnsw_entry_make(shape, neighbours->cache->centre, node,
										 &neighbours->query));
}

/* Brings a node into reach, and what its links lead to. */
static void
attach_node(Attach *attach, HxNode node, const uint8 *stored)
{
	MemoryContext old = MemoryContextSwitchTo(attach->scratch);

	vacuum_delay_point(false);
	LockPage(attach->index, HX_METABLOCK, ShareLock);
	hnsw_neighbours_find(attach->neighbours, attach->index, hnsw_cache(attach->index), stored);
	if (!is_found(attach->neighbours, node))
		offer_node(attach, node);
	UnlockPage(attach->index, HX_METABLOCK, ShareLock);
	MemoryContextSwitchTo(old);
	MemoryContextReset(attach->scratch);
	hnsw_reach_meet(attach->reach, node);
	hnsw_reach_walk(attach->reach);
}

/* Brings the nodes of a page into reach; returns the next block. */
static BlockNumber
attach_page(Attach *attach, BlockNumber blk)
{
	const HnswShape *shape = &attach->reach->shape;
	HxNode		lost[BLCKSZ / sizeof(HnswNodeHead)];
	unsigned	count = 0;
	BlockNumber next;
	Buffer		buf = hnsw_lock_nodes(attach->index, shape, attach->strategy, blk, &next);

	if (!BufferIsValid(buf))
		return next;
	for (uint32 slot = 0; slot < shape->nodes_per_page; slot++)
	{
		HxNode		node = hnsw_node_number(shape, blk, slot);
		HnswNodeHead *head = hnsw_read_node(attach->index, shape, buf, node);

		if (head == NULL || head->state != HNSW_NODE || hnsw_reach_has(attach->reach, node))
			continue;
		hnsw_own_copy(attach->index, shape, node, head,
					  attach->vectors + count * shape->own_bytes);
		lost[count++] = node;
	}
	UnlockReleaseBuffer(buf);
	for (unsigned i = 0; i < count; i++)
		if (!hnsw_reach_has(attach->reach, lost[i]))
			attach_node(attach, lost[i], attach->vectors + i * shape->own_bytes);
	return next;
}

void
hnsw_attach_lost(Relation index, BufferAccessStrategy strategy)
{
	HnswShape	shape = hnsw_cache(index)->shape;
	BlockNumber blocks = RelationGetNumberOfBlocks(index);

	if ((uint64) blocks * shape.nodes_per_page * HNSW_REACH_BITS >
		(uint64) maintenance_work_mem * 1024 * 8)
		return;

	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hnsw attach",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Attach		attach = {
		.index = index,
		.strategy = strategy,
		.reach = hnsw_reach_new(index, strategy),
		.neighbours = hnsw_neighbours_new(),
		.scratch = AllocSetContextCreate(context, "hashidx_hnsw attach node",
										 ALLOCSET_DEFAULT_SIZES),
		.vectors = palloc((Size) shape.nodes_per_page * shape.own_bytes),
	};

	hnsw_reach_walk(attach.reach);
	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < blocks;)
	{
		vacuum_delay_point(false);
		blk = attach_page(&attach, blk);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
