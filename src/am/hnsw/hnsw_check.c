/*
 * hnsw_check.c
 *	  What hashidx_check() does to an index of hashidx_hnsw.
 *
 * Two passes over copies of the pages: the first notes which nodes and postings there are, the
 * second follows what leads to them. Inserts may go on meanwhile. Vacuum may not, except as
 * replay on a standby; so a complaint about what vacuum could have moved is verified once more
 * before it is made.
 */
#include "am/hnsw/hnsw.h"

#include <math.h>

#include "am/hnsw/hnsw_expand.h"
#include "am/hnsw/hnsw_reach.h"
#include "am/hnsw/hnsw_tail.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Nodes and entries of which the codes are made again, about. */
#define CODES_CHECKED 1000

/* With less of the nodes in reach of a search, the index is not what it promises to be. */
#define LEAST_REACHABLE 0.9

/* Of fewer nodes a handful, cut off until the next vacuum, would be a share to worry about. */
#define ENOUGH_TO_REACH 1000

typedef struct HnswCheck
{
	HxCheck    *check;
	Relation	index;
	HnswShape	shape;
	BlockNumber blocks;
	uint8	   *nodes;			/* bits: nodes that are there */
	uint8	   *postings;		/* bits: postings that no chain has led to yet */
	double		living;
	uint32		every;			/* codes are checked of each so many-th node */
	HnswQuery	node;
	HnswQuery	neighbour;
	uint8	   *node_own;		/* own vectors of nodes that have a tail, else not used */
	uint8	   *neighbour_own;
} HnswCheck;

const void *
hnsw_key_bytes(Relation index, Datum key, Size *bytes)
{
	HnswShape	shape = hnsw_cache(index)->shape;
	HnswPoint	point;

	*bytes = shape.own_bytes;
	return hnsw_point_make(index, &shape, key, &point) ? point.stored : NULL;
}

static void
set_bit(uint8 *bits, uint64 at)
{
	bits[at / 8] |= 1 << (at % 8);
}

static void
clear_bit(uint8 *bits, uint64 at)
{
	bits[at / 8] &= ~(1 << (at % 8));
}

static bool
has_bit(const uint8 *bits, uint64 at)
{
	return (bits[at / 8] >> (at % 8) & 1) != 0;
}

static uint8 *
new_bits(uint64 count)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, count / 8 + 1,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Copies a block. */
static void
read_page(Relation index, BlockNumber blk, char *copy)
{
	CHECK_FOR_INTERRUPTS();

	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	memcpy(copy, BufferGetPage(buf), BLCKSZ);
	UnlockReleaseBuffer(buf);
}

/* Copies a block; false when it is not a page of that kind, about which others complain. */
static bool
read_kind(HnswCheck *check, BlockNumber blk, HxPageKind kind, char *copy)
{
	if (blk < HNSW_FIRST_BLOCK || blk >= RelationGetNumberOfBlocks(check->index))
		return false;
	read_page(check->index, blk, copy);
	return hx_page_problem(copy, HX_PAGE_ID_HNSW) == NULL && hx_page_opaque(copy)->kind == kind;
}

/*
 * Copies a nodes page whose node has a tail, and if it is in use, its own vector, which belongs to
 * just this copy. NULL, or what is wrong with block *at.
 */
static const char *
read_run(HnswCheck *check, BlockNumber blk, char *copy, uint8 *own, BlockNumber *at)
{
	const HnswShape *shape = &check->shape;
	HnswNodeHead *head = hnsw_node_head(shape, copy, 0);
	const char *problem;
	Buffer		buf = ReadBuffer(check->index, blk);

	*at = blk;
	LockBuffer(buf, BUFFER_LOCK_SHARE);
	memcpy(copy, BufferGetPage(buf), BLCKSZ);
	problem = hx_page_problem(copy, HX_PAGE_ID_HNSW);
	if (problem == NULL)
		problem = hnsw_node_problem(shape, head);
	if (problem == NULL && blk + shape->tail_pages >= RelationGetNumberOfBlocks(check->index))
		problem = hnsw_tail_beyond;
	if (problem == NULL && head->state != HNSW_FREE)
		problem = hnsw_tail_copy(check->index, shape, blk, head, NULL, own, at);
	UnlockReleaseBuffer(buf);
	return problem;
}

/* Copies a nodes page, and what has a tail to `own`; false when it is none, or not sound. */
static bool
read_nodes(HnswCheck *check, BlockNumber blk, char *copy, uint8 *own)
{
	BlockNumber at;

	return read_kind(check, blk, HX_PAGE_NODES, copy) &&
		(check->shape.tail_pages == 0 || read_run(check, blk, copy, own, &at) == NULL);
}

/* A node of a page that has been copied; false when there is none, or no sound one. */
static bool
find_node(HnswCheck *check, HxNode node, char *copy, HnswNodeHead **head)
{
	*head = hnsw_node_head(&check->shape, copy, hnsw_node_slot(&check->shape, node));
	return hnsw_node_problem(&check->shape, *head) == NULL && (*head)->state != HNSW_FREE;
}

/* Copies a node but for its tail; false when there is none, or no sound one. */
static bool
read_node(HnswCheck *check, HxNode node, char *copy, HnswNodeHead **head)
{
	return read_kind(check, hnsw_node_block(&check->shape, node), HX_PAGE_NODES, copy) &&
		find_node(check, node, copy, head);
}

/* The own vector of a node in a copy that read_nodes() has made. */
static const uint8 *
own_of(HnswCheck *check, HnswNodeHead *head, const uint8 *own)
{
	return check->shape.tail_pages > 0 ? own : hnsw_node_own(head);
}

/* First pass */

static void
note_nodes(HnswCheck *check, BlockNumber blk, Page page)
{
	for (uint32 slot = 0; slot < check->shape.nodes_per_page; slot++)
	{
		const HnswNodeHead *head = hnsw_node_head(&check->shape, page, slot);
		const char *problem = hnsw_node_problem(&check->shape, head);

		if (problem != NULL)
			hx_check_warn(check->check, blk, "%s", problem);
		else if (head->state == HNSW_FREE && (head->links > 0 || head->rows > 0))
			hx_check_warn(check->check, blk, "Slot %u is free, but has links or rows.", slot);
		else if (head->state == HNSW_DEAD &&
				 (head->rows > 0 || head->postings != HNSW_NO_POSTING))
			hx_check_warn(check->check, blk, "The node of slot %u is dead, but has rows.", slot);
		else if (head->state != HNSW_FREE)
		{
			set_bit(check->nodes, hnsw_node_number(&check->shape, blk, slot));
			check->living += head->state == HNSW_NODE;
		}
	}
}

/* Looks at the tail of a nodes page: of a free slot it may still be blank. */
static void
note_tail(HnswCheck *check, BlockNumber blk, char *copy)
{
	BlockNumber at;
	const char *problem = read_run(check, blk, copy, check->node_own, &at);

	if (problem == NULL && hnsw_node_head(&check->shape, copy, 0)->state == HNSW_FREE)
	{
		for (at = blk + 1; at <= blk + check->shape.tail_pages && problem == NULL; at++)
		{
			read_page(check->index, at, copy);
			if (!PageIsNew(copy))
				problem = hnsw_tail_problem(copy, blk);
		}
		at--;
	}
	if (problem != NULL)
		hx_check_warn(check->check, at, "%s", problem);
}

static void
note_postings(HnswCheck *check, BlockNumber blk, Page page)
{
	for (uint32 slot = 0; slot < HNSW_POSTINGS_PER_PAGE; slot++)
	{
		const HnswPosting *posting = hnsw_posting_at(page, slot);
		const char *problem = hnsw_posting_problem(posting);

		if (problem != NULL)
			hx_check_warn(check->check, blk, "%s", problem);
		else if (posting->state == HNSW_POSTING)
			set_bit(check->postings, (uint64) blk * HNSW_POSTINGS_PER_PAGE + slot);
	}
}

/* Has replay made the node of a tail page since the blocks before that page were read? */
static bool
has_node(HnswCheck *check, BlockNumber blk, Page page)
{
	PGAlignedBlock copy;
	HxNode		node = hnsw_tail(page)->node;

	return node < blk && blk - node <= check->shape.tail_pages &&
		read_kind(check, node, HX_PAGE_NODES, copy.data);
}

/* Returns the next block. */
static BlockNumber
note_page(HnswCheck *check, BlockNumber blk)
{
	PGAlignedBlock copy;
	HxPageKind	kind = 0;
	const char *problem;

	read_page(check->index, blk, copy.data);
	if (PageIsNew(copy.data))
		return blk + 1;			/* left by a crash; vacuum adopts it */
	problem = hx_page_problem(copy.data, HX_PAGE_ID_HNSW);
	if (problem == NULL)
	{
		kind = hx_page_opaque(copy.data)->kind;
		switch (kind)
		{
			case HX_PAGE_NODES:
				note_nodes(check, blk, copy.data);
				if (check->shape.tail_pages > 0)
					note_tail(check, blk, copy.data);
				break;
			case HX_PAGE_POSTINGS:
				note_postings(check, blk, copy.data);
				break;
			case HX_PAGE_ENTRIES:
				problem = hnsw_entries_problem(&check->shape, copy.data);
				break;
			case HX_PAGE_CENTRE:
				problem = hnsw_centre_problem(copy.data);
				break;
			case HX_PAGE_TAIL:
				if (!has_node(check, blk, copy.data))
					problem = "The page has a part of a vector, but belongs to no node.";
				break;
			default:
				problem = "The page is of a kind that does not belong here.";
		}
	}
	if (problem != NULL)
		hx_check_warn(check->check, blk, "%s", problem);
	return hnsw_next_block(&check->shape, blk, kind);
}

/* Second pass */

/* Is there such a node? It may have been added since the first pass. */
static bool
is_node(HnswCheck *check, HxNode node)
{
	PGAlignedBlock copy;
	HnswNodeHead *head;

	if (hnsw_node_block(&check->shape, node) < check->blocks && has_bit(check->nodes, node))
		return true;
	return read_node(check, node, copy.data, &head);
}

static void
check_links(HnswCheck *check, BlockNumber blk, HxNode node, HnswNodeHead *head)
{
	const HxLink *links = hnsw_node_links(&check->shape, head);

	for (unsigned i = 0; i < head->links; i++)
	{
		if (links[i].node == node)
			hx_check_warn(check->check, blk, "Node %u links to itself.", node);
		else if (!is_node(check, links[i].node))
			hx_check_warn(check->check, blk, "Link %u of node %u leads to %u, where no node is.",
						  i, node, links[i].node);
		for (unsigned j = 0; j < i; j++)
			if (links[j].node == links[i].node)
				hx_check_warn(check->check, blk, "Node %u links to node %u twice.",
							  node, links[i].node);
	}
}

/* Makes coordinates of an own vector, as links are made from. */
static void
open_vector(HnswCheck *check, HnswQuery *query, const uint8 *own, const float *centre)
{
	hnsw_query_stored(query, &check->shape, own);
	if (check->shape.metric != HNSW_HAMMING)
		hnsw_centred(&check->shape, centre, query->x, query->y);
}

/* Is the code what the neighbour's own vector makes? True also when the neighbour is gone. */
static bool
is_code_right(HnswCheck *check, const HnswQuery *from, const float *centre, const HxLink *link,
			  const uint8 *code)
{
	PGAlignedBlock copy;
	HnswNodeHead *head;
	HxLink		again = {.node = link->node};
	uint8	   *code_again;
	bool		is_right;

	if (!read_nodes(check, hnsw_node_block(&check->shape, link->node), copy.data,
					check->neighbour_own) ||
		!find_node(check, link->node, copy.data, &head))
		return true;
	open_vector(check, &check->neighbour, own_of(check, head, check->neighbour_own), centre);
	code_again = palloc0(check->shape.code_bytes);
	hnsw_link_make(&check->shape, centre, from, &check->neighbour, &again, code_again);
	is_right = memcmp(&again, link, sizeof(again)) == 0 &&
		memcmp(code_again, code, check->shape.code_bytes) == 0;
	pfree(code_again);
	return is_right;
}

/* Makes all codes of a node again. */
static void
check_codes(HnswCheck *check, BlockNumber blk, HxNode node, HnswNodeHead *head)
{
	const HnswCache *cache = hnsw_cache(check->index);
	const float *centre = cache->centre;
	PGAlignedBlock copy;
	HnswNodeHead *now;

	if (cache->recode)
		return;
	open_vector(check, &check->node, own_of(check, head, check->node_own), centre);
	for (unsigned i = 0; i < head->links; i++)
	{
		const HxLink *link = &hnsw_node_links(&check->shape, head)[i];

		/* Unless replay has just replaced the link and the neighbour, or an insert all codes. */
		if (!is_code_right(check, &check->node, centre, link,
						   hnsw_node_code(&check->shape, head, i)) &&
			read_node(check, node, copy.data, &now) && now->version == head->version &&
			i < now->links &&
			memcmp(&hnsw_node_links(&check->shape, now)[i], link, sizeof(*link)) == 0)
			hx_check_warn(check->check, blk, "Code %u of node %u is not that of node %u.",
						  i, node, link->node);
	}
}

static void
check_rows(HnswCheck *check, BlockNumber blk, HnswNodeHead *head, const ItemPointerData *rows,
		   unsigned count)
{
	for (unsigned i = 0; i < count; i++)
	{
		if (!hx_check_is_plausible(check->check, &rows[i]))
			hx_check_warn(check->check, blk,
						  "Row %u points to (%u,%u), which cannot be in the table.", i,
						  ItemPointerGetBlockNumberNoCheck(&rows[i]),
						  ItemPointerGetOffsetNumberNoCheck(&rows[i]));
		else if (check->check->filter != NULL)
			hx_check_add_row(check->check, rows[i], own_of(check, head, check->node_own),
							 check->shape.own_bytes);
	}
}

/* Follows a node's chain of postings, of which the first is a new one perhaps. */
static void
check_chain(HnswCheck *check, BlockNumber blk, HxNode node, HnswNodeHead *head)
{
	uint32		order = PG_UINT32_MAX;

	for (uint32 at = head->postings; at != HNSW_NO_POSTING;)
	{
		PGAlignedBlock copy;
		PGAlignedBlock again;
		HnswNodeHead *now;
		BlockNumber at_blk = at / HNSW_POSTINGS_PER_PAGE;
		const HnswPosting *posting = hnsw_posting_at(copy.data, at % HNSW_POSTINGS_PER_PAGE);

		if (!read_kind(check, at_blk, HX_PAGE_POSTINGS, copy.data) ||
			hnsw_posting_problem(posting) != NULL || posting->state != HNSW_POSTING ||
			posting->node != node || posting->version != head->version || posting->order >= order)
		{
			/* Replay may have taken it out of the chain. */
			if (!RecoveryInProgress() ||
				(read_node(check, node, again.data, &now) && now->postings == at))
				hx_check_warn(check->check, blk,
							  "The rows of node %u continue at posting %u, which is not of that node.",
							  node, at);
			return;
		}
		if (at_blk < check->blocks)
			clear_bit(check->postings, at);
		check_rows(check, at_blk, head, posting->row, posting->rows);
		order = posting->order;
		at = posting->next;
	}
}

static void
check_nodes_page(HnswCheck *check, BlockNumber blk, Page page)
{
	for (uint32 slot = 0; slot < check->shape.nodes_per_page; slot++)
	{
		HnswNodeHead *head = hnsw_node_head(&check->shape, page, slot);
		HxNode		node = hnsw_node_number(&check->shape, blk, slot);

		/* Nobody links to a dead node any more when vacuum frees others that it links to. */
		if (hnsw_node_problem(&check->shape, head) != NULL || head->state != HNSW_NODE)
			continue;
		check_links(check, blk, node, head);
		if (!(head->error >= 0))
			hx_check_warn(check->check, blk, "The error of node %u is not a number.", node);
		check_rows(check, blk, head, head->row, head->rows);
		check_chain(check, blk, node, head);
		if (node % check->every == 0)
			check_codes(check, blk, node, head);
	}
}

/* Postings that no chain led to, though they were there before the chains were followed. */
static void
check_orphans(HnswCheck *check)
{
	uint64		count = (uint64) check->blocks * HNSW_POSTINGS_PER_PAGE;

	for (uint64 at = 0; at < count; at++)
	{
		PGAlignedBlock copy;
		BlockNumber blk = at / HNSW_POSTINGS_PER_PAGE;

		if (has_bit(check->postings, at) &&
			read_kind(check, blk, HX_PAGE_POSTINGS, copy.data) &&
			hnsw_posting_at(copy.data, at % HNSW_POSTINGS_PER_PAGE)->state == HNSW_POSTING)
			hx_check_warn(check->check, blk, "No node leads to posting %u.", (uint32) at);
	}
}

/* Lists and chains from the metapage */

/* Visits a page of a chain, a copy; false: it does not belong there. */
typedef bool (*VisitPage) (HnswCheck *check, BlockNumber blk, Page page);

/* Follows a chain; one that is longer than the index goes in circles. */
static void
check_pages_of(HnswCheck *check, const char *name, BlockNumber blk, HxPageKind kind,
			   VisitPage visit)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(check->index);

	for (BlockNumber length = 0; blk != InvalidBlockNumber; length++)
	{
		PGAlignedBlock copy;

		if (length > blocks)
		{
			hx_check_warn(check->check, HX_METABLOCK, "The %s go in circles.", name);
			return;
		}
		if (!read_kind(check, blk, kind, copy.data))
		{
			hx_check_warn(check->check, HX_METABLOCK,
						  "The %s lead to block %u, which is none of them.", name, blk);
			return;
		}
		if (!visit(check, blk, copy.data))
			return;
		blk = hx_page_opaque(copy.data)->next;
	}
}

/* VisitPage: every page in a list must say so. */
static bool
visit_listed(HnswCheck *check, BlockNumber blk, Page page)
{
	if (hx_page_opaque(page)->flags & HX_PAGE_LISTED)
		return true;
	hx_check_warn(check->check, blk, "The page does not say that it is in a list.");
	return false;
}

/* Is a page still what its copy is? */
static bool
is_unchanged(HnswCheck *check, BlockNumber blk, Page copy)
{
	PGAlignedBlock now;

	read_page(check->index, blk, now.data);
	return memcmp(now.data, copy, BLCKSZ) == 0;
}

/* VisitPage */
static bool
visit_entries(HnswCheck *check, BlockNumber blk, Page page)
{
	const HnswEntriesPage *entries = hnsw_entries(page);
	const HnswCache *cache = hnsw_cache(check->index);
	Size		bytes = hnsw_entry_bytes(&check->shape);
	HnswQuery	origin = {.shape = &check->shape};	/* the centre */

	if (hnsw_entries_problem(&check->shape, page) != NULL)
		return false;
	if (check->shape.metric != HNSW_HAMMING)
		origin.y = palloc0(check->shape.link.dims * sizeof(float));
	for (unsigned i = 0; i < entries->count; i++)
	{
		HxLink		link;

		memcpy(&link, entries->data + i * bytes, sizeof(link));
		if (!is_node(check, link.node))
			hx_check_warn(check->check, blk, "Entry %u leads to %u, where no node is.",
						  i, link.node);
		else if (i < CODES_CHECKED && !cache->recode &&
				 !is_code_right(check, &origin, cache->centre, &link,
								entries->data + i * bytes + sizeof(link)) &&
				 is_unchanged(check, blk, page))
			hx_check_warn(check->check, blk, "The code of entry %u is not that of node %u.",
						  i, link.node);
	}
	return true;
}

/* VisitPage: the coordinates must be numbers. */
static bool
visit_centre(HnswCheck *check, BlockNumber blk, Page page)
{
	const HnswCentrePage *centre = hnsw_centre(page);

	for (uint32 i = 0; i < Min(centre->count, HNSW_CENTRE_VALUES); i++)
	{
		if (!isfinite(centre->value[i]))
		{
			hx_check_warn(check->check, blk, "Coordinate %u is not a number.", i);
			return false;
		}
	}
	return true;
}

/* The lists do not change while the metapage is locked. */
static void
check_lists(HnswCheck *check)
{
	Buffer		meta_buf = ReadBuffer(check->index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_SHARE);

	const HnswMetaPage *meta = hnsw_meta(BufferGetPage(meta_buf));

	check_pages_of(check, "pages with room for nodes", meta->room[HNSW_LIST_NODES],
				   HX_PAGE_NODES, visit_listed);
	check_pages_of(check, "pages with room for postings", meta->room[HNSW_LIST_POSTINGS],
				   HX_PAGE_POSTINGS, visit_listed);
	UnlockReleaseBuffer(meta_buf);
}

static HnswMetaPage
copy_meta(HnswCheck *check)
{
	PGAlignedBlock copy;

	read_page(check->index, HX_METABLOCK, copy.data);
	return *hnsw_meta(copy.data);
}

static void
check_reachable(HnswCheck *check)
{
	double		reached = hnsw_reach_count(check->index);
	double		least = check->living < ENOUGH_TO_REACH ? Min(check->living, 1) :
		LEAST_REACHABLE * check->living;

	if (reached < least)
		hx_check_warn(check->check, HX_METABLOCK,
					  "Only %.0f of %.0f nodes can be reached from the entries.",
					  reached, check->living);
}

/* What there is only when the shape is known. */
static void
check_graph(HnswCheck *check)
{
	uint64		numbers = (uint64) check->blocks * check->shape.nodes_per_page;
	HnswMetaPage meta;

	check->nodes = new_bits(numbers);
	check->postings = new_bits((uint64) check->blocks * HNSW_POSTINGS_PER_PAGE);
	check->every = Max(numbers / CODES_CHECKED, 1);
	if (check->shape.tail_pages > 0)
	{
		check->node_own = palloc(check->shape.own_bytes);
		check->neighbour_own = palloc(check->shape.own_bytes);
	}
	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < check->blocks;)
		blk = note_page(check, blk);
	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < check->blocks; blk++)
	{
		PGAlignedBlock copy;

		if (read_nodes(check, blk, copy.data, check->node_own))
			check_nodes_page(check, blk, copy.data);
	}
	check_orphans(check);
	check_lists(check);

	meta = copy_meta(check);
	check_pages_of(check, "entries", meta.entries, HX_PAGE_ENTRIES, visit_entries);
	check_pages_of(check, "pages of the centre", meta.centre, HX_PAGE_CENTRE, visit_centre);
	if (check->check->problems == 0)
		check_reachable(check);
}

void
hnsw_check(HxCheck *check)
{
	HnswCheck	state = {
		.check = check,
		.index = check->index,
		.blocks = RelationGetNumberOfBlocks(check->index),
	};

	/* In this order: before the first row the shape is only what was declared. */
	state.shape = hnsw_cache(check->index)->shape;
	if (state.shape.dims > 0)
		check_graph(&state);
	else if (state.blocks > HNSW_FIRST_BLOCK)
		hx_check_warn(check, HX_METABLOCK, "The index has pages, but does not know its dimensions.");
}
