/*
 * hnsw_insert.c
 *	  aminsert: a row joins the node of its vector, or becomes a node with links to its nearest
 *	  and links back from them.
 *
 * Everything that is computed is computed before a page is locked, but for the choice which of
 * a neighbour's links gives way, which needs that page alone. Each WAL record leaves a
 * legal graph (README, "Insert").
 */
#include "am/hnsw/hnsw.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "am/hnsw/hnsw_build.h"
#include "am/hnsw/hnsw_entries.h"
#include "am/hnsw/hnsw_expand.h"
#include "am/hnsw/hnsw_offer.h"
#include "am/hnsw/hnsw_postings.h"
#include "am/hnsw/hnsw_room.h"
#include "graph/entries.h"
#include "math/random.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

/*
 * The search pauses after so little effort, about that of a fast scan, to see whether it has met a
 * vector equal to ours, and how near it has come.
 */
#define EFFORT_FOR_EQUAL 24

/* On the beam of estimates a node stands several times: as many nodes need a wider one. */
#define EFFORT_PER_EF 2

/* Stream of the random numbers that choose entries. */
#define ENTRY_STREAM 0x656e747279

/* A node that the search has visited and that may become a neighbour. */
typedef struct Seen
{
	HxNode		node;
	uint32		version;
	float		distance;		/* link distance */
} Seen;

/* What the inserts of one statement share: memory that each would otherwise take anew. */
typedef struct Inserter
{
	Relation	index;
	HnswCache  *cache;			/* of this insert */
	HnswShape	shape;
	MemoryContext context;		/* of this struct */
	MemoryContext scratch;		/* of one insert */
	HxSearch   *search;
	HnswExpander expander;
	HnswPoint	point;			/* what is inserted */
	HnswQuery	query;
	Seen	   *seen;
	uint8	   *vectors;		/* their own vectors as stored, own_bytes each */
	unsigned	seen_count;
	unsigned	seen_room;
	float		early;			/* least link distance after EFFORT_FOR_EQUAL */
	int			equal;			/* which of them has our stored vector, or -1 */
	HxCandidate *candidates;	/* the seen ones, sorted; `node` is the number in seen */
	int16	   *opened_at;		/* of a candidate, its number in opened, or -1 */
	HnswQuery	opened[HX_GRAPH_MAX_LINKS]; /* candidates as queries */
	unsigned	opened_count;
	HnswOffers *offers;			/* links back */
} Inserter;

static const uint8 *
vector_of(const Inserter *inserter, unsigned seen)
{
	return inserter->vectors + (Size) seen * inserter->shape.own_bytes;
}

/* Makes room for twice as many seen nodes. */
static void
grow_seen(Inserter *inserter)
{
	unsigned	room = inserter->seen_room > 0 ? 2 * inserter->seen_room : 256;
	Size		bytes[] = {
		mul_size(room, sizeof(Seen)), mul_size(room, inserter->shape.own_bytes),
		mul_size(room, sizeof(HxCandidate)), mul_size(room, sizeof(int16)),
	};
	void	   *old[] = {
		inserter->seen, inserter->vectors, inserter->candidates, inserter->opened_at,
	};
	void	   *larger[lengthof(old)];

	for (int i = 0; i < lengthof(old); i++)
		larger[i] = old[i] != NULL ? repalloc_huge(old[i], bytes[i]) :
			MemoryContextAllocHuge(inserter->context, bytes[i]);
	inserter->seen = larger[0];
	inserter->vectors = larger[1];
	inserter->candidates = larger[2];
	inserter->opened_at = larger[3];
	inserter->seen_room = room;
}

/* HnswVisit: remembers a node and its vector. */
static void
remember_node(void *context, HxNode node, HnswNodeHead *head, float distance)
{
	Inserter   *inserter = context;
	const uint8 *own = inserter->expander.own;

	if (head->state != HNSW_NODE)
		return;
	if (inserter->seen_count == inserter->seen_room)
		grow_seen(inserter);
	hnsw_offers_meet(inserter->offers, head);
	if (memcmp(own, inserter->point.stored, inserter->shape.own_bytes) == 0)
		inserter->equal = inserter->seen_count;
	memcpy(inserter->vectors + (Size) inserter->seen_count * inserter->shape.own_bytes, own,
		   inserter->shape.own_bytes);
	inserter->seen[inserter->seen_count++] = (Seen) {
		node, head->version, inserter->shape.metric == HNSW_IP ?
		hnsw_query_link_distance(&inserter->query, own) : distance,
	};
}

/* Looks for the nearest nodes; stops early at one with our vector. */
static void
search_neighbours(Inserter *inserter)
{
	const HnswCache *cache = inserter->cache;

	inserter->seen_count = 0;
	inserter->equal = -1;
	hnsw_offers_begin(inserter->offers, cache->centre);
	hnsw_query_prepare(&inserter->query, cache->centre, cache->largest_norm);
	hnsw_expander_init(&inserter->expander, inserter->index, &inserter->query, remember_node,
					   inserter);
	hx_search_begin(inserter->search, hnsw_expand, &inserter->expander);
	hnsw_seed_entries(inserter->search, &inserter->query, cache);
	hx_search_run(inserter->search, EFFORT_FOR_EQUAL);
	inserter->early = INFINITY;
	for (unsigned i = 0; i < inserter->seen_count; i++)
		inserter->early = Min(inserter->early, inserter->seen[i].distance);
	if (inserter->equal < 0)
		hx_search_run(inserter->search, EFFORT_PER_EF * cache->ef_construction);
}

static int
compare_candidates(const void *a, const void *b)
{
	const HxCandidate *left = a;
	const HxCandidate *right = b;

	if (left->distance != right->distance)
		return left->distance < right->distance ? -1 : 1;
	return left->node < right->node ? -1 : left->node > right->node;
}

/* A candidate as a query, ready for distances and codes. */
static const HnswQuery *
open_candidate(Inserter *inserter, unsigned candidate)
{
	if (inserter->opened_at[candidate] < 0)
	{
		unsigned	at = inserter->opened_count++;
		MemoryContext old = MemoryContextSwitchTo(inserter->context);

		hnsw_query_stored(&inserter->opened[at], &inserter->shape,
						  vector_of(inserter, inserter->candidates[candidate].node));
		hnsw_query_prepare(&inserter->opened[at], inserter->cache->centre,
						   inserter->cache->largest_norm);
		MemoryContextSwitchTo(old);
		inserter->opened_at[candidate] = at;
	}
	return &inserter->opened[inserter->opened_at[candidate]];
}

/* HxPairDistance: the nearer of the two has been chosen, at most m ever are. */
static float
pair_distance(void *context, unsigned a, unsigned b)
{
	Inserter   *inserter = context;

	return hnsw_query_link_distance(open_candidate(inserter, Min(a, b)),
									vector_of(inserter, inserter->candidates[Max(a, b)].node));
}

/* Chooses the neighbours among the seen nodes: positions of candidates; returns how many. */
static unsigned
choose_neighbours(Inserter *inserter, unsigned *chosen)
{
	unsigned	count = inserter->seen_count;

	for (unsigned i = 0; i < count; i++)
		inserter->candidates[i] = (HxCandidate) {inserter->seen[i].distance, i};
	qsort(inserter->candidates, count, sizeof(HxCandidate), compare_candidates);
	memset(inserter->opened_at, -1, count * sizeof(int16));
	inserter->opened_count = 0;

	HxChoice	choice = {
		.candidates = inserter->candidates,
		.count = count,
		.offset = hnsw_link_offset(&inserter->shape, inserter->cache->largest_norm),
		.pair = pair_distance,
		.context = inserter,
	};

	return hx_graph_select(&choice, inserter->shape.m, chosen);
}

/* The new node with its links, and what it offers to its neighbours (but for its own number). */
static HnswNodeHead *
make_node(Inserter *inserter, ItemPointer tid, const unsigned *chosen, unsigned count)
{
	const HnswShape *shape = &inserter->shape;
	const float *centre = inserter->cache->centre;
	HnswOffers *offers = inserter->offers;
	HnswNodeHead *head = palloc0(shape->node_bytes);

	head->state = HNSW_NODE;
	head->links = count;
	head->rows = 1;
	head->postings = HNSW_NO_POSTING;
	head->error = inserter->point.error;
	head->row[0] = *tid;
	memcpy(hnsw_node_own(head), inserter->point.stored, shape->head_bytes);

	for (unsigned i = 0; i < count; i++)
	{
		const HnswQuery *neighbour = open_candidate(inserter, chosen[i]);
		const Seen *seen = &inserter->seen[inserter->candidates[chosen[i]].node];
		HxLink	   *link = &hnsw_node_links(shape, head)[i];
		HnswOffer  *offer = &offers->offer[i];

		link->node = seen->node;
		hnsw_link_make(shape, centre, &inserter->query, neighbour, link,
					   hnsw_node_code(shape, head, i));
		offer->to = seen->node;
		offer->version = seen->version;
		offer->query = neighbour;
		hnsw_link_make(shape, centre, neighbour, &inserter->query, &offer->link, offer->code);
	}
	offers->count = count;
	offers->nearest = count > 0 ? hnsw_node_links(shape, head)[0].node : HX_NODE_NONE;
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
 * A fast scan that was not as near to it as the farthest of its links has ended in another
 * cluster (graph/entries.h), and one that no neighbour links to is found in no other way. Nor does
 * one count as found that the search came to from an entry in another cluster.
 */
static bool
is_entry(const Inserter *inserter, HxNode number, const unsigned *chosen, unsigned count,
		 unsigned links_back)
{
	const HxCandidate *candidates = inserter->candidates;
	double		nodes = hnsw_nodes_in(&inserter->shape,
									  RelationGetNumberOfBlocks(inserter->index));
	double		drawn = hx_random(inserter->shape.seed, ENTRY_STREAM, number) * 0x1p-64;
	double		share = inserter->cache->entry_count / sqrt(nodes);
	bool		is_aloof = inserter->shape.metric != HNSW_IP &&
		inserter->seen[0].distance > HX_GRAPH_ALOOF * candidates[chosen[count / 2]].distance;
	bool		is_lost = inserter->early > candidates[chosen[count - 1]].distance || is_aloof ||
		links_back == 0;

	return (share < 1 && drawn * sqrt(nodes) < 1) || (share < HNSW_MORE_ENTRIES && is_lost);
}

/* Adds a node for our vector. */
static void
add_node(Inserter *inserter, ItemPointer tid)
{
	unsigned	chosen[HX_GRAPH_MAX_LINKS];
	unsigned	count = choose_neighbours(inserter, chosen);
	HnswNodeHead *node = make_node(inserter, tid, chosen, count);
	HxNode		number = write_node(inserter, node);
	unsigned	links_back = hnsw_offers_give(inserter->offers, number);

	if (count == 0 || is_entry(inserter, number, chosen, count, links_back))
		hnsw_entries_add(inserter->index, &inserter->shape,
						 hnsw_entry_make(&inserter->shape, inserter->cache->centre, number,
										 &inserter->query));
}

/* Tells the metapage, and the cache, of a vector longer than all before. */
static void
raise_largest_norm(Inserter *inserter)
{
	Buffer		buf = ReadBuffer(inserter->index, HNSW_METABLOCK);
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

/* Fixes the shape of an index at its first row; another backend may have been first. */
static void
fix_shape(Relation index, Datum value)
{
	HnswShape	shape = hnsw_declared_shape(index);

	if (shape.dims == 0)
		hnsw_shape_set_dims(index, &shape, hnsw_value_dims(&shape, value));

	Buffer		buf = ReadBuffer(index, HNSW_METABLOCK);

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
		inserter = MemoryContextAllocZero(info->ii_Context, sizeof(Inserter));
		inserter->context = info->ii_Context;
		inserter->scratch = AllocSetContextCreate(info->ii_Context, "hashidx_hnsw insert",
												  ALLOCSET_DEFAULT_SIZES);
		inserter->search = hnsw_search_new(info->ii_Context);
		info->ii_AmCache = inserter;
	}
	inserter->index = index;
	return inserter;
}

/* Inserts a row whose point is made, with the gate held. */
static void
insert_point(Inserter *inserter, ItemPointer tid)
{
	if (inserter->point.norm > inserter->cache->largest_norm)
		raise_largest_norm(inserter);

	MemoryContext old = MemoryContextSwitchTo(inserter->context);

	hnsw_query_stored(&inserter->query, &inserter->shape, inserter->point.stored);
	if (inserter->offers == NULL)
		inserter->offers = hnsw_offers_new(&inserter->shape, &inserter->expander);
	MemoryContextSwitchTo(old);
	search_neighbours(inserter);

	/* A node with our vector may be gone by now; then the next best is a node of our own. */
	if (inserter->equal >= 0)
	{
		const Seen *equal = &inserter->seen[inserter->equal];

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
	LockPage(inserter->index, HNSW_METABLOCK, ShareLock);
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

	if (RelationGetNumberOfBlocks(index) <= HNSW_FIRST_BLOCK)
		fix_shape(index, value);

	/* What may look into catalogs has done so before: no other lock is taken under a page lock. */
	hnsw_cache(index);

	enter_gate(inserter);
	if (hnsw_point_make(index, &inserter->shape, value, &inserter->point))
		insert_point(inserter, tid);
	UnlockPage(index, HNSW_METABLOCK, ShareLock);

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
	UnlockPage(index, HNSW_METABLOCK, ShareLock);

	MemoryContextSwitchTo(old);
	MemoryContextReset(inserter->scratch);
}
