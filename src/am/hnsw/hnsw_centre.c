/*
 * hnsw_centre.c
 *	  The centre of an index: writing it, and the change of all codes; see hnsw_centre.h.
 *
 * The change takes many WAL records. The first one writes the centre and sets the mark that codes
 * are to be made anew; the last one clears the mark. The next insert after a crash or a cancelled
 * statement begins at the first page again, which is safe because codes are made from own vectors
 * and not from codes.
 */
#include "am/hnsw/hnsw_centre.h"

#include "access/generic_xlog.h"
#include "am/hnsw/hnsw_build.h"
#include "am/hnsw/hnsw_entries.h"
#include "am/hnsw/hnsw_tail.h"
#include "miscadmin.h"
#include "storage/lmgr.h"

/*
 * So many pages have enough nodes for a mean, and leave room below HNSW_FEW_PAGES for what inserts
 * add that are under way; hundreds of these at once may pass it, but not the limit.
 */
#define LEAST_PAGES (HNSW_FEW_PAGES / 2)
#define MOST_PAGES (16 * HNSW_FEW_PAGES)

/* In place of a node's place: there is no such node. */
#define NOWHERE PG_UINT32_MAX

/* All nodes of a small index. */
typedef struct Nodes
{
	Relation	index;
	HnswShape	shape;
	float	   *centre;
	uint32		numbers;		/* all nodes have lower ones */
	uint32	   *place;			/* of each number: where the node's vectors are, or NOWHERE */
	uint32		count;
	uint8	   *stored;			/* own vectors, and their coordinates */
	float	   *y;
} Nodes;

static uint32
centre_pages(const HnswShape *shape)
{
	return (shape->link.dims + HNSW_CENTRE_VALUES - 1) / HNSW_CENTRE_VALUES;
}

/* Makes page `i` of the centre. */
static void
fill_page(Page page, const HnswShape *shape, const float *centre, uint32 i, BlockNumber next)
{
	uint32		first = i * HNSW_CENTRE_VALUES;
	HnswCentrePage *filled = hnsw_centre(page);

	hnsw_page_init(page, HX_PAGE_CENTRE);
	hx_page_opaque(page)->next = next;
	filled->count = Min(shape->link.dims - first, HNSW_CENTRE_VALUES);
	memcpy(filled->value, centre + first, filled->count * sizeof(float));
}

void
hnsw_centre_write(Relation index, const HnswShape *shape, const float *centre, bool recode)
{
	Buffer		meta_buf = ReadBuffer(index, HX_METABLOCK);
	BlockNumber next = InvalidBlockNumber;

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);
	hnsw_check_kind(index, meta_buf, HX_PAGE_META);

	/* From the last one, so that the first is logged together with the metapage. */
	for (uint32 i = centre_pages(shape); i-- > 0;)
	{
		Buffer		buf = hx_page_extend(index);
		GenericXLogState *record = GenericXLogStart(index);

		fill_page(GenericXLogRegisterBuffer(record, buf, GENERIC_XLOG_FULL_IMAGE), shape, centre,
				  i, next);
		next = BufferGetBlockNumber(buf);
		if (i == 0)
		{
			HnswMetaPage *meta = hnsw_meta(GenericXLogRegisterBuffer(record, meta_buf, 0));

			meta->centre = next;
			meta->recode = recode;
			meta->entry_version++;
		}
		GenericXLogFinish(record);
		UnlockReleaseBuffer(buf);
	}
	UnlockReleaseBuffer(meta_buf);
}

bool
hnsw_centre_is_due(const HnswCache *cache, BlockNumber blocks)
{
	if (cache->shape.metric == HNSW_HAMMING)
		return false;
	if (cache->centre != NULL)
		return cache->recode;
	return blocks >= LEAST_PAGES && blocks <= MOST_PAGES;
}

/* Takes over the own vectors of a page's nodes; returns the next block. */
static BlockNumber
take_page(Nodes *nodes, BlockNumber blk)
{
	const HnswShape *shape = &nodes->shape;
	BlockNumber next;
	Buffer		buf = hnsw_lock_nodes(nodes->index, shape, NULL, blk, &next);

	if (!BufferIsValid(buf))
		return next;
	for (uint32 slot = 0; slot < shape->nodes_per_page; slot++)
	{
		HxNode		node = hnsw_node_number(shape, blk, slot);
		HnswNodeHead *head = hnsw_read_node(nodes->index, shape, buf, node);

		if (head == NULL)
			continue;
		nodes->place[node] = nodes->count;
		hnsw_own_copy(nodes->index, shape, node, head,
					  nodes->stored + (Size) nodes->count++ * shape->own_bytes);
	}
	UnlockReleaseBuffer(buf);
	return next;
}

/* Takes over all nodes, dead ones too. */
static void
take_nodes(Nodes *nodes, BlockNumber blocks)
{
	nodes->numbers = hnsw_node_number(&nodes->shape, blocks, 0);
	nodes->place = palloc(nodes->numbers * sizeof(uint32));
	memset(nodes->place, 0xff, nodes->numbers * sizeof(uint32));
	nodes->stored = palloc(mul_size(nodes->numbers, nodes->shape.own_bytes));
	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < blocks;)
	{
		CHECK_FOR_INTERRUPTS();
		blk = take_page(nodes, blk);
	}
}

/* Makes the coordinates relative to the centre. */
static void
make_coordinates(Nodes *nodes)
{
	const HnswShape *shape = &nodes->shape;
	float	   *x = palloc(shape->own_dims * sizeof(float));

	nodes->y = palloc(mul_size(nodes->count, shape->link.dims * sizeof(float)));
	for (uint32 i = 0; i < nodes->count; i++)
	{
		hnsw_decode(shape, nodes->stored + (Size) i * shape->own_bytes, x);
		hnsw_centred(shape, nodes->centre, x, nodes->y + (Size) i * shape->link.dims);
	}
	pfree(x);
}

/* Makes a node that is there ready for codes; false when it is not. */
static bool
find_node(const Nodes *nodes, HxNode node, HnswQuery *query)
{
	uint32		place = node < nodes->numbers ? nodes->place[node] : NOWHERE;

	*query = (HnswQuery) {.y = nodes->y + (Size) place * nodes->shape.link.dims};
	return place != NOWHERE;
}

/* Makes the codes of a node anew. What dead nodes link to may be gone: those links stay. */
static void
recode_node(const Nodes *nodes, HxNode number, HnswNodeHead *head)
{
	const HnswShape *shape = &nodes->shape;
	HnswQuery	node;
	HnswQuery	neighbour;

	if (!find_node(nodes, number, &node))
		return;
	for (uint32 i = 0; i < head->links; i++)
	{
		HxLink	   *link = &hnsw_node_links(shape, head)[i];
		uint8	   *code = hnsw_node_code(shape, head, i);

		if (!find_node(nodes, link->node, &neighbour))
			continue;
		memset(code, 0, shape->code_bytes);
		hnsw_link_make(shape, nodes->centre, &node, &neighbour, link, code);
	}
}

/* Makes the codes of a page anew; returns the next block. */
static BlockNumber
recode_page(const Nodes *nodes, BlockNumber blk)
{
	const HnswShape *shape = &nodes->shape;
	Buffer		buf = ReadBuffer(nodes->index, blk);
	HxPageKind	kind = 0;

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	if (!PageIsNew(BufferGetPage(buf)))
		kind = hx_page_check(nodes->index, buf, HX_PAGE_ID_HNSW);
	if (kind == HX_PAGE_NODES)
	{
		GenericXLogState *record = GenericXLogStart(nodes->index);
		Page		page = GenericXLogRegisterBuffer(record, buf, 0);

		for (uint32 slot = 0; slot < shape->nodes_per_page; slot++)
		{
			HxNode		node = hnsw_node_number(shape, blk, slot);

			if (hnsw_read_node(nodes->index, shape, buf, node) != NULL)
				recode_node(nodes, node, hnsw_node_head(shape, page, slot));
		}
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
	return hnsw_next_block(shape, blk, kind);
}

/* HnswReplaceEntry: the same node relative to the new centre. */
static const uint8 *
recode_entry(void *context, const uint8 *entry)
{
	const Nodes *nodes = context;
	HnswQuery	query;
	HxNode		node;

	/* Entries lie unaligned. */
	memcpy(&node, entry + offsetof(HxLink, node), sizeof(node));
	return find_node(nodes, node, &query) ?
		hnsw_entry_make(&nodes->shape, nodes->centre, node, &query) : entry;
}

/* Tells the metapage that all codes are those of the centre. */
static void
end_recoding(Relation index)
{
	Buffer		buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	hnsw_check_kind(index, buf, HX_PAGE_META);

	GenericXLogState *record = GenericXLogStart(index);

	hnsw_meta(GenericXLogRegisterBuffer(record, buf, 0))->recode = false;
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
}

/* Makes the mean of the nodes the centre. */
static void
choose(Nodes *nodes)
{
	HnswPoints	points = {.shape = &nodes->shape,.stored = nodes->stored};

	hnsw_points_centre(&points, nodes->count, nodes->centre);
	hnsw_centre_write(nodes->index, &nodes->shape, nodes->centre, true);
}

/* Chooses the centre, unless that has been done, and makes the codes. */
static void
change(Relation index, const HnswCache *cache, BlockNumber blocks)
{
	Nodes		nodes = {.index = index,.shape = cache->shape};
	bool		has_centre = cache->centre != NULL;
	Size		bytes = nodes.shape.link.dims * sizeof(float);

	/* The cache may be gone when a page has been read. */
	nodes.centre = palloc(bytes);
	if (has_centre)
		memcpy(nodes.centre, cache->centre, bytes);
	take_nodes(&nodes, blocks);
	if (!has_centre)
		choose(&nodes);
	make_coordinates(&nodes);
	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < blocks;)
	{
		CHECK_FOR_INTERRUPTS();
		blk = recode_page(&nodes, blk);
	}
	hnsw_entries_replace(index, &nodes.shape, recode_entry, &nodes);
	end_recoding(index);
}

void
hnsw_centre_choose(Relation index)
{
	/* The gate: no insert, and no step of vacuum, makes codes meanwhile. */
	LockPage(index, HX_METABLOCK, ExclusiveLock);

	const HnswCache *cache = hnsw_cache(index);
	BlockNumber blocks = RelationGetNumberOfBlocks(index);

	if (hnsw_centre_is_due(cache, blocks))
		change(index, cache, blocks);
	UnlockPage(index, HX_METABLOCK, ExclusiveLock);
}
