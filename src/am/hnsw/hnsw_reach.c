/*
 * hnsw_reach.c
 *	  Breadth-first search through the graph; see hnsw_reach.h.
 *
 * Three bits a node: met, to be read in this round, to be read in the next. A round reads its
 * nodes in the order of their blocks.
 */
#include "am/hnsw/hnsw_reach.h"

#include "miscadmin.h"

typedef struct Reach
{
	Relation	index;
	const HnswShape *shape;
	uint64		numbers;		/* of nodes, as far as the index reached at first */
	uint8	   *met;
	uint8	   *now;
	uint8	   *next;
	double		reached;		/* living ones */
} Reach;

static uint8 *
new_bits(const Reach *reach)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, reach->numbers / 8 + 1,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static bool
has_bit(const uint8 *bits, uint64 at)
{
	return (bits[at / 8] >> (at % 8) & 1) != 0;
}

/* Has a node that was not met before read in the next round. */
static void
meet(Reach *reach, HxNode node)
{
	if (node >= reach->numbers || node < reach->shape->nodes_per_page || has_bit(reach->met, node))
		return;
	reach->met[node / 8] |= 1 << (node % 8);
	reach->next[node / 8] |= 1 << (node % 8);
}

/* Follows the links of the nodes of a page whose turn it is. */
static void
read_page(Reach *reach, BlockNumber blk)
{
	const HnswShape *shape = reach->shape;

	CHECK_FOR_INTERRUPTS();

	Buffer		buf = ReadBuffer(reach->index, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	for (uint32 slot = 0; slot < shape->nodes_per_page; slot++)
	{
		HxNode		node = hnsw_node_number(shape, blk, slot);

		if (!has_bit(reach->now, node))
			continue;

		HnswNodeHead *head = hnsw_read_node(reach->index, shape, buf, node);

		if (head == NULL)
			continue;
		reach->reached += head->state == HNSW_NODE;
		for (unsigned i = 0; i < head->links; i++)
			meet(reach, hnsw_node_links(shape, head)[i].node);
	}
	UnlockReleaseBuffer(buf);
}

/* Reads the nodes whose turn it is; false when there are none. */
static bool
run_round(Reach *reach)
{
	uint32		per_page = reach->shape->nodes_per_page;
	bool		any = false;

	for (uint64 at = 0; at < reach->numbers;)
	{
		if (at % 8 == 0 && reach->now[at / 8] == 0)
			at += 8;
		else if (!has_bit(reach->now, at))
			at++;
		else
		{
			BlockNumber blk = at / per_page;

			any = true;
			read_page(reach, blk);
			at = ((uint64) blk + 1) * per_page;
		}
	}
	return any;
}

double
hnsw_reach_count(Relation index)
{
	const HnswCache *cache = hnsw_cache(index);
	HnswShape	shape = cache->shape;
	Reach		reach = {
		.index = index,
		.shape = &shape,
		.numbers = (uint64) RelationGetNumberOfBlocks(index) * shape.nodes_per_page,
	};

	reach.met = new_bits(&reach);
	reach.now = new_bits(&reach);
	reach.next = new_bits(&reach);
	for (uint32 i = 0; i < cache->entry_count; i++)
		meet(&reach, cache->entries[i].node);
	do
	{
		uint8	   *read = reach.now;

		reach.now = reach.next;
		reach.next = read;
		memset(reach.next, 0, reach.numbers / 8 + 1);
	} while (run_round(&reach));

	pfree(reach.met);
	pfree(reach.now);
	pfree(reach.next);
	return reach.reached;
}
