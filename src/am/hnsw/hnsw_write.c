/*
 * hnsw_write.c
 *	  Writes a graph in memory to pages: nodes that are linked share pages, and each link gets
 *	  its code. The team makes the codes, a run of pages at a time.
 */
#include "am/hnsw/hnsw_build.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "access/xloginsert.h"
#include "am/hnsw/hnsw_entries.h"
#include "am/hnsw/hnsw_postings.h"
#include "am/hnsw/hnsw_room.h"
#include "am/hnsw/hnsw_tail.h"
#include "commands/progress.h"
#include "graph/crew.h"
#include "miscadmin.h"
#include "pgstat.h"

/* Pages whose nodes are made in memory before they are written. */
#define RUN_PAGES 256

/*
 * Puts the points in an order in which a page's worth of neighbours stand together: each page
 * takes a point that is not placed yet, the first one that was met, and the nearest of its
 * links; what it links to is met next.
 */
HxNode *
hnsw_order_points(const HnswGraph *graph)
{
	const HnswShape *shape = graph->points->shape;
	HxNode	   *order = palloc_extended(mul_size(graph->count, sizeof(HxNode)), MCXT_ALLOC_HUGE);
	HxNode	   *met = palloc_extended(mul_size(graph->count, sizeof(HxNode)), MCXT_ALLOC_HUGE);
	uint8	   *state = palloc_extended(graph->count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	size_t		placed = 0;
	size_t		met_count = 0;
	size_t		next_met = 0;
	size_t		next_any = 0;

	enum
	{
		MET = 1,
		PLACED = 2,
	};

	while (placed < graph->count)
	{
		HxNode		first;
		uint32		left;

		CHECK_FOR_INTERRUPTS();
		while (next_met < met_count && (state[met[next_met]] & PLACED))
			next_met++;
		if (next_met == met_count)
			while (state[next_any] & PLACED)
				next_any++;
		first = next_met < met_count ? met[next_met] : next_any;

		left = Min(graph->count - placed,
					   shape->nodes_per_page - placed % shape->nodes_per_page);
		state[first] |= PLACED;
		order[placed++] = first;
		for (uint32 i = 0; i < shape->m; i++)
		{
			HxNode		link = graph->links[(size_t) first * shape->m + i];

			if (link == HX_NODE_NONE)
				break;
			if (link >= graph->count)
				continue;
			if (left > 1 && !(state[link] & PLACED))
			{
				state[link] |= PLACED;
				order[placed++] = link;
				left--;
			}
			if (!(state[link] & MET))
			{
				state[link] |= MET;
				met[met_count++] = link;
			}
		}
	}
	pfree(met);
	pfree(state);
	return order;
}

/* Two stored vectors as a worker has them, for codes of one relative to the other. */
typedef struct Pair
{
	float	   *x;
	float	   *node_y;
	float	   *neighbour_y;
} Pair;

/* The making of a run of pages. */
typedef struct Run
{
	const HnswGraph *graph;
	const HxNode *order;
	const HxNode *number;
	size_t		first;			/* place in the order of the run's first node */
	char	   *pages;			/* images, BLCKSZ each */
	Pair	   *pairs;			/* one a worker */
} Run;

static float *
centred(const HnswGraph *graph, const Pair *pair, HxNode point, float *y)
{
	const HnswShape *shape = graph->points->shape;

	hnsw_decode(shape, hnsw_points_at(graph->points, point), pair->x);
	hnsw_centred(shape, graph->centre, pair->x, y);
	return y;
}

/* The image of a node's page; those of its tail follow. */
static char *
run_page(const Run *run, size_t item)
{
	const HnswShape *shape = run->graph->points->shape;

	return run->pages + item / shape->nodes_per_page * hnsw_run_blocks(shape) * BLCKSZ;
}

/* HxCrewWork: makes one node in its page's image. */
static void
make_node(void *context, unsigned worker, size_t item)
{
	const Run  *run = context;
	const HnswGraph *graph = run->graph;
	const HnswShape *shape = graph->points->shape;
	const Pair *pair = &run->pairs[worker];
	const HxNode point = run->order[run->first + item];
	Page		page = run_page(run, item);
	HnswNodeHead *head = hnsw_node_head(shape, page, item % shape->nodes_per_page);
	HnswQuery	node = {.bits = hnsw_points_at(graph->points, point)};
	HnswQuery	neighbour = {0};

	head->state = HNSW_NODE;
	head->rows = 1;
	head->postings = HNSW_NO_POSTING;
	head->error = graph->error[point];
	head->row[0] = graph->row[point];
	memcpy(hnsw_node_own(head), hnsw_points_at(graph->points, point), shape->head_bytes);
	for (uint32 i = 0; i < shape->tail_pages; i++)
		hnsw_tail_init(shape, page + (1 + i) * BLCKSZ, i, run->number[point], head->version,
					   hnsw_points_at(graph->points, point));
	if (graph->links_later)
		return;

	if (shape->metric != HNSW_HAMMING)
		node.y = centred(graph, pair, point, pair->node_y);
	for (; head->links < shape->m; head->links++)
	{
		const HxNode other = graph->links[(size_t) point * shape->m + head->links];
		HxLink	   *link = &hnsw_node_links(shape, head)[head->links];

		if (other == HX_NODE_NONE)
			break;
		neighbour.bits = hnsw_points_at(graph->points, other);
		if (shape->metric != HNSW_HAMMING)
			neighbour.y = centred(graph, pair, other, pair->neighbour_y);
		link->node = run->number[other];
		hnsw_link_make(shape, graph->centre, &node, &neighbour, link,
					   hnsw_node_code(shape, head, head->links));
	}
}

static Pair *
make_pairs(HxCompute *compute, const HnswShape *shape)
{
	int			workers = hx_team_threads();
	Pair	   *pairs = hx_scratch(compute, workers, sizeof(Pair));

	for (int i = 0; i < workers; i++)
	{
		pairs[i].x = hx_scratch(compute, shape->own_dims, sizeof(float));
		pairs[i].node_y = hx_scratch(compute, shape->link.dims, sizeof(float));
		pairs[i].neighbour_y = hx_scratch(compute, shape->link.dims, sizeof(float));
	}
	return pairs;
}

/* Adds a page to the index. */
static void
write_page(Relation index, const char *image)
{
	Buffer		buf = hx_page_extend(index);

	memcpy(BufferGetPage(buf), image, BLCKSZ);
	MarkBufferDirty(buf);
	UnlockReleaseBuffer(buf);
}

/* Writes the images of a run of `nodes` nodes to the next pages of the index. */
static void
write_run(Relation index, const Run *run, size_t nodes)
{
	const HnswShape *shape = run->graph->points->shape;

	for (size_t done = 0; done < nodes; done += shape->nodes_per_page)
	{
		char	   *page = run_page(run, done);

		hnsw_page_reach(page, Min(nodes - done, shape->nodes_per_page) * shape->node_bytes);
		for (BlockNumber i = 0; i < hnsw_run_blocks(shape); i++)
			write_page(index, page + i * BLCKSZ);
	}
}

/* The last page has room: it becomes the only one of the list. */
static void
list_last_page(Relation index, const HnswGraph *graph)
{
	if (graph->count % graph->points->shape->nodes_per_page == 0)
		return;

	BlockNumber blk = RelationGetNumberOfBlocks(index) - 1;
	Buffer		meta_buf = ReadBuffer(index, HX_METABLOCK);
	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);
	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	GenericXLogState *record = GenericXLogStart(index);
	Page		meta_page = GenericXLogRegisterBuffer(record, meta_buf, 0);

	hx_room_push(&hnsw_rooms[HNSW_LIST_NODES], meta_page,
				 GenericXLogRegisterBuffer(record, buf, GENERIC_XLOG_FULL_IMAGE), blk);
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
	UnlockReleaseBuffer(meta_buf);
}

HxNode
hnsw_write_nodes(Relation index, HxCompute *compute, const HnswGraph *graph, const HxNode *order,
				 HxNode *number)
{
	const HnswShape *shape = graph->points->shape;
	HxScratchMark mark = hx_scratch_mark(compute);
	size_t		run_nodes = (size_t) RUN_PAGES / hnsw_run_blocks(shape) * shape->nodes_per_page;
	HxNode		first = RelationGetNumberOfBlocks(index) * shape->nodes_per_page;
	Run			run = {.graph = graph,.order = order,.number = number,
		.pages = palloc((Size) RUN_PAGES * BLCKSZ)};

	for (size_t i = 0; i < graph->count; i++)
		number[order[i]] = hnsw_node_after(shape, first, i);
	run.pairs = make_pairs(compute, shape);

	for (; run.first < graph->count; run.first += run_nodes)
	{
		size_t		nodes = Min(run_nodes, graph->count - run.first);

		for (int i = 0; i < RUN_PAGES; i++)
			hnsw_rooms[HNSW_LIST_NODES].init(run.pages + (Size) i * BLCKSZ, NULL);
		hx_crew_run(compute, make_node, &run, nodes, NULL, NULL);
		write_run(index, &run, nodes);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, run.first + nodes);
	}
	if (graph->count > 0)
		list_last_page(index, graph);
	pfree(run.pages);
	hx_scratch_release(compute, mark);
	return first;
}

void
hnsw_write_row(Relation index, HxNode node, ItemPointerData *row, float error)
{
	CHECK_FOR_INTERRUPTS();
	if (!hnsw_rows_add(index, hnsw_cache(index), node, 0, row, error))
		elog(ERROR, "a node of index \"%s\" has disappeared", RelationGetRelationName(index));
}

/* A new page of a chain, exclusively locked, after which the chain goes on. */
static Buffer
chain_page(Relation index, HxPageKind kind, Buffer before)
{
	Buffer		buf = hx_page_extend(index);

	hnsw_page_init(BufferGetPage(buf), kind);
	MarkBufferDirty(buf);
	if (BufferIsValid(before))
	{
		hx_page_opaque(BufferGetPage(before))->next = BufferGetBlockNumber(buf);
		UnlockReleaseBuffer(before);
	}
	return buf;
}

size_t
hnsw_entries_wanted(size_t nodes)
{
	return (size_t) ceil(sqrt(nodes));
}

BlockNumber
hnsw_write_entries(Relation index, const HnswPoints *points, const float *centre,
				   const HxNode *entries, size_t count, const HxNode *number)
{
	const HnswShape *shape = points->shape;
	BlockNumber first = InvalidBlockNumber;
	Buffer		buf = InvalidBuffer;
	HnswQuery	query = {0};

	for (size_t i = 0; i < count; i++)
	{
		hnsw_query_stored(&query, shape, hnsw_points_at(points, entries[i]));
		hnsw_query_prepare(&query, centre, points->largest_norm);

		uint8	   *entry = hnsw_entry_make(shape, centre, number[entries[i]], &query);

		if (i % hnsw_entries_capacity(shape) == 0)
		{
			buf = chain_page(index, HX_PAGE_ENTRIES, buf);
			if (i == 0)
				first = BufferGetBlockNumber(buf);
		}
		hnsw_entries_append(shape, BufferGetPage(buf), entry);
		pfree(entry);
	}
	if (BufferIsValid(buf))
		UnlockReleaseBuffer(buf);
	return first;
}

void
hnsw_write_meta(Relation index, const HnswShape *shape, float largest_norm,
				BlockNumber entries)
{
	Buffer		buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	GenericXLogState *record = GenericXLogStart(index);
	HnswMetaPage *meta = hnsw_meta(GenericXLogRegisterBuffer(record, buf, 0));

	meta->metric = shape->metric;
	meta->stored = shape->stored;
	meta->dims = shape->dims;
	meta->m = shape->m;
	meta->code_bits = shape->link.bits;
	meta->tail_pages = shape->tail_pages;
	meta->ef_construction = hnsw_ef_construction(index, shape);
	meta->largest_norm = largest_norm;
	meta->seed = shape->seed;
	meta->entries = entries;
	meta->entry_version++;
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
}

void
hnsw_write_log(Relation index)
{
	if (!RelationNeedsWAL(index))
		return;
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HNSW_PHASE_LOG);
	log_newpage_range(index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(index), true);
}
