/*
 * hnsw_insert.c
 *	  aminsert: a row joins the node of its vector, or becomes a node with links to its nearest
 *	  nodes and links back from them.
 *
 * Everything is computed before a page is locked, with one exception: which of its links a
 * neighbour gives up is decided under the lock of its page, and needs that page alone. Each WAL
 * record leaves a legal graph (README, "Insert").
 */
#include "am/hnsw/hnsw.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "am/hnsw/hnsw_build.h"
#include "am/hnsw/hnsw_centre.h"
#include "am/hnsw/hnsw_entries.h"
#include "am/hnsw/hnsw_format.h"
#include "am/hnsw/hnsw_neighbours.h"
#include "am/hnsw/hnsw_postings.h"
#include "am/hnsw/hnsw_room.h"
#include "math/random.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

/* Stream of the random numbers that choose entries. */
#define ENTRY_STREAM 0x656e747279

/* The share of a node's bytes that f32 may take without asking whether f16 would do. */
#define MOST_MORE (1 / 8.0)

/* What the inserts of one statement share: memory that each would otherwise take anew. */
typedef struct Inserter
{
	Relation	index;
	HnswCache  *cache;			/* of this insert */
	HnswShape	shape;
	MemoryContext scratch;		/* of one insert */
	HnswPoint	point;			/* what is inserted */
	HnswNeighbours *neighbours;
} Inserter;

/* The new node with its links. */
static HnswNodeHead *
make_node(Inserter *inserter, ItemPointer tid)
{
	const HnswShape *shape = &inserter->shape;
	HnswNodeHead *head = palloc0(shape->node_bytes);

	head->state = HNSW_NODE;
	head->rows = 1;
	head->postings = HNSW_NO_POSTING;
	head->error = inserter->point.error;
	head->row[0] = *tid;
	memcpy(hnsw_node_own(head), inserter->point.stored, shape->head_bytes);
	hnsw_neighbours_link(inserter->neighbours, head);
	return head;
}

/* The first free slot of a nodes page in a locked buffer, or nodes_per_page. */
static uint32
free_slot(const Inserter *inserter, Buffer buf)
{
	const HnswShape *shape = &inserter->shape;
	uint32		slot = 0;

	while (slot < shape->nodes_per_page &&
		   hnsw_read_node(inserter->index, shape, buf,
						  hnsw_node_number(shape, BufferGetBlockNumber(buf), slot)) != NULL)
		slot++;
	return slot;
}

/* Writes the node into a free slot of this page; HX_NODE_NONE when there is none. */
static HxNode
write_node_to(const Inserter *inserter, HnswNodeHead *node, BlockNumber blk)
{
	const HnswShape *shape = &inserter->shape;
	Buffer		buf = hx_room_lock(inserter->index, &hnsw_rooms[HNSW_LIST_NODES], blk);
	uint32		slot = free_slot(inserter, buf);
	HxNode		number = HX_NODE_NONE;

	if (blk >= HX_NODE_NONE / shape->nodes_per_page)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" is full", RelationGetRelationName(inserter->index)),
				 errdetail("Nodes have numbers of 32 bits.")));
	if (slot < shape->nodes_per_page)
	{
		number = hnsw_node_number(shape, blk, slot);
		node->version = hnsw_node_head(shape, BufferGetPage(buf), slot)->version;
		hnsw_tail_write(inserter->index, shape, number, node->version, inserter->point.stored);

		GenericXLogState *record = GenericXLogStart(inserter->index);
		Page		page = GenericXLogRegisterBuffer(record, buf, 0);

		hnsw_page_reach(page, (slot + 1) * shape->node_bytes);
		memcpy(hnsw_node_head(shape, page, slot), node, shape->node_bytes);
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
	return number;
}

/* Writes the node where there is room; returns its number. */
static HxNode
write_node(Inserter *inserter, HnswNodeHead *node)
{
	BlockNumber *room = &inserter->cache->room[HNSW_LIST_NODES];
	HxRoom		list = hnsw_nodes_room(&inserter->shape);

	for (;;)
	{
		if (*room != InvalidBlockNumber)
		{
			HxNode		number = write_node_to(inserter, node, *room);

			if (number != HX_NODE_NONE)
				return number;
		}
		hx_room_advance(inserter->index, &list, room);
	}
}

/*
 * Whether a node becomes an entry: so that there are sqrt(n) of n; and if it would not be found.
 */
static bool
is_entry(const Inserter *inserter, HxNode number, unsigned links_back)
{
	double		nodes = hnsw_nodes_in(&inserter->shape,
									  RelationGetNumberOfBlocks(inserter->index));
	double		drawn = hx_random(inserter->shape.seed, ENTRY_STREAM, number) * 0x1p-64;
	double		share = inserter->cache->entry_count / sqrt(nodes);

	if (inserter->neighbours->count == 0 || (share < 1 && drawn * sqrt(nodes) < 1))
		return true;
	return share < HNSW_MORE_ENTRIES && hnsw_neighbours_lack(inserter->neighbours, links_back);
}

/* Adds a node for our vector. */
static void
add_node(Inserter *inserter, ItemPointer tid)
{
	HnswNeighbours *neighbours = inserter->neighbours;

	hnsw_neighbours_choose(neighbours);

	HxNode		number = write_node(inserter, make_node(inserter, tid));
	unsigned	links_back = hnsw_neighbours_offer(neighbours, number);

	if (is_entry(inserter, number, links_back))
		hnsw_entries_add(inserter->index, &inserter->shape,
						 hnsw_entry_make(&inserter->shape, inserter->cache->centre, number,
										 &neighbours->query));
}

/* Tells the metapage, and the cache, of a vector longer than all before. */
static void
raise_largest_norm(Inserter *inserter)
{
	Buffer		buf = ReadBuffer(inserter->index, HX_METABLOCK);
	float		norm = inserter->point.norm;

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	hnsw_check_kind(inserter->index, buf, HX_PAGE_META);
	if (hnsw_meta(BufferGetPage(buf))->largest_norm < norm)
	{
		GenericXLogState *record = GenericXLogStart(inserter->index);

		hnsw_meta(GenericXLogRegisterBuffer(record, buf, 0))->largest_norm = norm;
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
	inserter->cache->largest_norm = Max(inserter->cache->largest_norm, norm);
}

/*
 * Chooses the format of own vectors by the first one, which may not be of the right dimensions.
 * It tells little: where f32 costs hardly more it is that, whatever the others are like.
 */
static void
choose_format(Relation index, HnswShape *shape, Datum value)
{
	HnswShape	shorter = *shape;
	HnswPoint	point;

	hnsw_shape_set_stored(&shorter, HX_STORED_F16);
	hnsw_shape_set_stored(shape, HX_STORED_F32);
	(void) hnsw_point_make(index, shape, value, &point);
	if (shape->own_bytes - shorter.own_bytes > MOST_MORE * shorter.node_bytes)
		hnsw_shape_set_stored(shape, hnsw_format_choose(shape, point.stored, 1));
}

/* Fixes the shape of an index at its first row; another backend may have been first. */
static void
fix_shape(Relation index, Datum value)
{
	HnswShape	shape = hnsw_declared_shape(index);

	if (shape.dims == 0)
		hnsw_shape_set_dims(index, &shape, hnsw_value_dims(&shape, value));
	if (shape.metric != HNSW_HAMMING && !hnsw_has_format(index))
		choose_format(index, &shape, value);

	Buffer		buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	hnsw_check_kind(index, buf, HX_PAGE_META);
	if (hnsw_meta(BufferGetPage(buf))->dims == 0)
	{
		GenericXLogState *record = GenericXLogStart(index);
		HnswMetaPage *meta = hnsw_meta(GenericXLogRegisterBuffer(record, buf, 0));

		meta->metric = shape.metric;
		meta->stored = shape.stored;
		meta->dims = shape.dims;
		meta->m = shape.m;
		meta->code_bits = shape.link.bits;
		meta->tail_pages = shape.tail_pages;
		meta->ef_construction = hnsw_ef_construction(index, &shape);
		meta->seed = shape.seed;
		meta->entry_version++;	/* for caches that know what was declared */
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
}

/* The statement's inserter, made at its first insert. */
static Inserter *
get_inserter(Relation index, IndexInfo *info)
{
	Inserter   *inserter = info->ii_AmCache;

	if (inserter == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(info->ii_Context);

		inserter = palloc0(sizeof(Inserter));
		inserter->scratch = AllocSetContextCreate(info->ii_Context, "hashidx_hnsw insert",
												  ALLOCSET_DEFAULT_SIZES);
		inserter->neighbours = hnsw_neighbours_new();
		info->ii_AmCache = inserter;
		MemoryContextSwitchTo(old);
	}
	inserter->index = index;
	return inserter;
}

/* Inserts a row whose point is made, with the gate held. */
static void
insert_point(Inserter *inserter, ItemPointer tid)
{
	HnswNeighbours *neighbours = inserter->neighbours;

	if (inserter->point.norm > inserter->cache->largest_norm)
		raise_largest_norm(inserter);
	hnsw_neighbours_find(neighbours, inserter->index, inserter->cache, inserter->point.stored);

	/* A node with our vector may be gone by now; then the next best is a node of our own. */
	if (neighbours->equal >= 0)
	{
		const HnswSeen *equal = &neighbours->seen[neighbours->equal];

		if (hnsw_rows_add(inserter->index, inserter->cache, equal->node, equal->version, tid,
						  inserter->point.error))
			return;
	}
	add_node(inserter, tid);
}

/* Vacuum waits at the gate for inserts that may know nodes which it is about to free. */
static void
enter_gate(Inserter *inserter)
{
	LockPage(inserter->index, HX_METABLOCK, ShareLock);
	inserter->cache = hnsw_cache(inserter->index);
	inserter->shape = inserter->cache->shape;
}

bool
hnsw_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
			Relation heap, IndexUniqueCheck unique, bool unchanged, IndexInfo *info)
{
	if (isnull[0])
		return false;

	Inserter   *inserter = get_inserter(index, info);
	MemoryContext old = MemoryContextSwitchTo(inserter->scratch);

	/* What may detoast comes first: opening a TOAST table can make the server forget the cache. */
	Datum		value = PointerGetDatum(PG_DETOAST_DATUM(values[0]));

	BlockNumber blocks = RelationGetNumberOfBlocks(index);

	if (blocks <= HNSW_FIRST_BLOCK)
		fix_shape(index, value);

	/* What may look into catalogs has done so before: no other lock is taken under a page lock. */
	if (hnsw_centre_is_due(hnsw_cache(index), blocks))
		hnsw_centre_choose(index);

	enter_gate(inserter);
	if (hnsw_point_make(index, &inserter->shape, value, &inserter->point))
		insert_point(inserter, tid);
	UnlockPage(index, HX_METABLOCK, ShareLock);

	MemoryContextSwitchTo(old);
	MemoryContextReset(inserter->scratch);
	return false;
}

void
hnsw_insert_point(Relation index, IndexInfo *info, const HnswPoint *point, ItemPointer tid)
{
	Inserter   *inserter = get_inserter(index, info);
	MemoryContext old = MemoryContextSwitchTo(inserter->scratch);

	enter_gate(inserter);
	inserter->point = *point;
	insert_point(inserter, tid);
	UnlockPage(index, HX_METABLOCK, ShareLock);

	MemoryContextSwitchTo(old);
	MemoryContextReset(inserter->scratch);
}
