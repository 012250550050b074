/*
 * hnsw_reach.c
 *	  Walks through the graph along its links; see hnsw_reach.h.
 *
 * A walk goes in rounds. A round visits nodes in the order of their blocks; targets that lie
 * farther on are visited in the same round, the others in the next. So a page is read once in
 * each of a few rounds.
 */
#include "am/hnsw/hnsw_reach.h"

#include "commands/vacuum.h"
#include "miscadmin.h"

static uint8 *
new_bits(const HnswReach *reach)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, reach->numbers / 8 + 1,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static bool
has_bit(const uint8 *bits, uint64 at)
{
	return (bits[at / 8] >> (at % 8) & 1) != 0;
}

HnswReach *
hnsw_reach_new(Relation index, BufferAccessStrategy strategy)
{
	const HnswCache *cache = hnsw_cache(index);
	HnswReach  *reach = palloc0(sizeof(HnswReach));

	reach->index = index;
	reach->strategy = strategy;
	reach->shape = cache->shape;
	reach->numbers = (uint64) RelationGetNumberOfBlocks(index) * reach->shape.nodes_per_page;
	reach->met = new_bits(reach);
	reach->due = new_bits(reach);
	for (uint32 i = 0; i < cache->entry_count; i++)
		hnsw_reach_meet(reach, cache->entries[i].node);
	return reach;
}

bool
hnsw_reach_has(const HnswReach *reach, HxNode node)
{
	return node >= reach->numbers || has_bit(reach->met, node);
}

void
hnsw_reach_meet(HnswReach *reach, HxNode node)
{
	if (node < reach->shape.nodes_per_page || hnsw_reach_has(reach, node))
		return;
	reach->met[node / 8] |= 1 << (node % 8);
	reach->due[node / 8] |= 1 << (node % 8);
	reach->first_due = reach->due_count++ > 0 ? Min(reach->first_due, node) : node;
}

/* Follows the links of the nodes of a page whose turn it is. */
static void
read_page(HnswReach *reach, BlockNumber blk)
{
	const HnswShape *shape = &reach->shape;

	vacuum_delay_point(false);

	Buffer		buf = ReadBufferExtended(reach->index, MAIN_FORKNUM, blk, RBM_NORMAL,
										 reach->strategy);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	for (uint32 slot = 0; slot < shape->nodes_per_page; slot++)
	{
		HxNode		node = hnsw_node_number(shape, blk, slot);

		if (!has_bit(reach->due, node))
			continue;
		reach->due[node / 8] &= ~(1 << (node % 8));
		reach->due_count--;

		HnswNodeHead *head = hnsw_read_node(reach->index, shape, buf, node);

		if (head == NULL)
			continue;
		reach->reached += head->state == HNSW_NODE;
		for (unsigned i = 0; i < head->links; i++)
			hnsw_reach_meet(reach, hnsw_node_links(shape, head)[i].node);
	}
	UnlockReleaseBuffer(buf);
}

/* Walks from the nodes that are due, from this one on to the last number. */
static void
run_round(HnswReach *reach, uint64 at)
{
	while (at < reach->numbers && reach->due_count > 0)
	{
		if (at % 8 == 0 && reach->due[at / 8] == 0)
			at += 8;
		else if (!has_bit(reach->due, at))
			at++;
		else
			read_page(reach, at / reach->shape.nodes_per_page);
	}
}

void
hnsw_reach_walk(HnswReach *reach)
{
	while (reach->due_count > 0)
	{
		uint64		first = reach->first_due;

		/* What is met on the way and lies before is for the next round. */
		reach->first_due = reach->numbers;
		run_round(reach, first);
	}
}

static void
free_reach(HnswReach *reach)
{
	pfree(reach->met);
	pfree(reach->due);
	pfree(reach);
}

double
hnsw_reach_count(Relation index)
{
	HnswReach  *reach = hnsw_reach_new(index, NULL);
	double		reached;

	hnsw_reach_walk(reach);
	reached = reach->reached;
	free_reach(reach);
	return reached;
}
