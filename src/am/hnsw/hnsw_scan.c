/*
 * hnsw_scan.c
 *	  Ordered scans.
 *
 * A scan searches the graph with a beam as wide as its effort, and returns the nodes found in the
 * order of the lower bounds of their distances. When the executor asks for more than a beam of
 * that width is good for, the beam is widened and the search goes on from where it stands. When
 * that has become dearer than reading everything, or the graph is exhausted, the rest comes from
 * passes over all pages (hnsw_sweep.c). Every row comes once, and no scan ends before the
 * executor has enough.
 *
 * Order. The scan knows an interval for the distance of each node. If the interval of the node to
 * be returned overlaps none of those returned before and none still to come, its place is
 * certain. If not, the executor is asked to recheck the rows by the table's values
 * (xs_recheckorderby), with the lower bound as the distance reported. README, "Scan", proves that
 * the output then has exact, non-decreasing distances.
 *
 * A node that is found after farther ones have been returned is too late for the order. Late
 * nodes are set aside and returned when all others have been.
 */
#include "am/hnsw/hnsw_effort.h"
#include "am/hnsw/hnsw_expand.h"
#include "am/hnsw/hnsw_found.h"
#include "am/hnsw/hnsw_postings.h"
#include "am/hnsw/hnsw_sweep.h"

#include <math.h>

#include "am/common/scan.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* So many nodes are returned from a beam of the effort asked for, if it has found as many. */
#define FIRST_NODES HNSW_CURVE_NEAREST

/*
 * For more nodes the beam has to grow in proportion, by steps of this factor at least, and none is
 * returned from beyond its end: among what a search finds are nodes far away, from the way to
 * the query. README, "Scan".
 */
#define BEAM_GROWTH 2

/* For a few nodes by smaller ones: to know the order of ten the executor may look at the next. */
#define LOOK_AHEAD 3
#define LOOK_AHEAD_GROWTH 1.2

/* A node stands on the beam for each of its parents: so many are visited for each place there. */
#define VISITS_PER_WIDTH 0.5

/* The share of the nodes beyond which a sweep costs less than their visits one by one. */
#define MOST_NODES (1 / 4.0)

/* Where the nodes to be returned come from. */
typedef enum Stage
{
	NOT_STARTED,
	SEARCHING,					/* the graph */
	SWEEPING,					/* what the graph has given, and passes over the rest */
	TOO_LATE,					/* what was too late for the order, likewise */
	FINISHED,
} Stage;

typedef struct HnswScan
{
	MemoryContext context;		/* lives as long as the scan */
	MemoryContext value_context;	/* reset by rescan: copies made of the query's value */
	HnswShape	shape;
	HnswQuery	query;
	HnswExpander expander;
	HxSearch   *search;			/* NULL until needed */
	HnswSweep	sweep;

	Stage		stage;
	bool		any_order;		/* all distances are NULL, or NaN */
	uint64		returned;		/* rows since the scan was started */

	/* The beam. */
	uint32		effort;			/* it should be so wide to begin with, */
	uint32		width;			/* is so wide, */
	uint32		most_width;		/* and is not to become wider */

	/* Nodes. */
	HnswFoundHeap found;		/* to be returned, in order */
	HnswFoundHeap late;			/* and those that came too late */
	uint64		found_count;	/* all that the search has found */
	uint64		nodes;			/* returned so far */
	float		floor;			/* whatever lies below comes too late */
	float		reach;			/* no node returned may be farther away than that */
	float		sweep_floor;	/* the floor when the sweep began */

	/* The node whose rows are being returned. */
	HnswFound	node;
	bool		certain;		/* its place in the order */
	HnswPostingsReader postings;
	ItemPointerData rows[HNSW_POSTING_ROWS];
	unsigned	row_count;
	unsigned	next_row;
	BlockNumber heap_blocks;	/* the table has at least as many; 0 at first */
} HnswScan;

IndexScanDesc
hnsw_beginscan(Relation index, int nkeys, int norderbys)
{
	HnswScan   *state = palloc0(sizeof(HnswScan));

	state->context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hnsw scan",
										   ALLOCSET_DEFAULT_SIZES);
	state->value_context = AllocSetContextCreate(state->context, "hashidx_hnsw query",
												 ALLOCSET_SMALL_SIZES);
	return hx_scan_begin(index, nkeys, norderbys, state);
}

void
hnsw_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
	HnswScan   *state = scan->opaque;

	hx_scan_take_keys(scan, keys, orderbys);
	state->stage = NOT_STARTED;
}

/* HnswVisit: keeps a node that has rows. */
static void
keep_node(void *context, HxNode node, HnswNodeHead *head, float distance)
{
	HnswScan   *state = context;

	if (head->state != HNSW_NODE)
		return;

	HnswFound	found = hnsw_found_make(&state->query, node, head, distance);

	hnsw_heap_push(found.low < state->floor ? &state->late : &state->found, &found);
	state->found_count++;
}

/* Reads the query. False: its distances to all vectors are alike. */
static bool
take_query(IndexScanDesc scan, HnswScan *state)
{
	ScanKey		key = &scan->orderByData[0];

	if (key->sk_flags & SK_ISNULL)
		return false;

	MemoryContextReset(state->value_context);
	/* The query's own memory is taken once; what a value leaves behind goes with the next one. */
	if (state->query.memory != NULL)
		MemoryContextSwitchTo(state->value_context);
	hnsw_query_value(&state->query, scan->indexRelation, &state->shape, key->sk_argument);
	MemoryContextSwitchTo(state->context);
	return state->shape.metric != HNSW_COSINE || state->query.norm > 0;
}

/* How wide the beam may become: by the nodes it would visit, and by memory. */
static uint32
most_width(const HnswScan *state, const HnswCache *cache, double nodes)
{
	/* Each node visited leaves itself and its links on the beam or beyond. */
	double		bytes = sizeof(HnswFound) + 2 * sizeof(uint64) +
		state->shape.m * sizeof(HxCandidate);
	double		by_memory = Max(work_mem * 1024.0 / (VISITS_PER_WIDTH * bytes), state->effort);

	/* Or not at all: codes do not matter, or are those of two centres. */
	if (state->expander.blocks <= HNSW_FEW_PAGES || cache->recode)
		return 0;
	return (uint32) Min(nodes * MOST_NODES / VISITS_PER_WIDTH, by_memory);
}

/* From now on nodes come from passes over all pages too, those that the search has not visited. */
static void
begin_sweep(HnswScan *state)
{
	state->sweep_floor = state->floor;
	state->sweep.any_order = state->any_order;
	hnsw_sweep_begin(&state->sweep, &state->expander, state->any_order ? NULL : state->search,
					 state->floor, INFINITY);
	state->stage = SWEEPING;
}

/* Turns to what came too late for the order, which begins anew; false when nothing can have. */
static bool
begin_late(HnswScan *state)
{
	if (state->sweep_floor == -INFINITY)
		return false;
	hnsw_sweep_begin(&state->sweep, &state->expander, state->search, -INFINITY,
					 state->sweep_floor);
	state->floor = -INFINITY;
	state->reach = -INFINITY;
	state->stage = TOO_LATE;
	return true;
}

/* Seeds the search of the graph. What the index has cached is used here and not kept. */
static void
begin_search(IndexScanDesc scan, HnswScan *state)
{
	HnswCache  *cache = hnsw_cache(scan->indexRelation);

	hnsw_query_prepare(&state->query, cache->centre, cache->largest_norm);

	double		nodes = hnsw_nodes_in(&state->shape, state->expander.blocks);

	state->effort = hnsw_scan_effort(cache, nodes);
	state->width = 0;
	state->most_width = most_width(state, cache, nodes);
	if (state->search == NULL)
		state->search = hnsw_search_new(state->context);
	hx_search_begin(state->search, hnsw_expand, &state->expander);
	hnsw_seed_entries(state->search, &state->query, cache);
	state->stage = SEARCHING;
}

/* Before the first row of a scan. */
static void
start(IndexScanDesc scan, HnswScan *state)
{
	if (scan->numberOfOrderBys != 1)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("access method \"hashidx_hnsw\" needs one distance to order by")));

	hx_scan_start(scan);
	state->returned = 0;
	state->nodes = 0;
	state->found.count = 0;
	state->late.count = 0;
	state->found_count = 0;
	state->floor = -INFINITY;
	state->reach = -INFINITY;
	state->row_count = state->next_row = 0;
	state->postings.next = HNSW_NO_POSTING;

	/*
	 * Blocks are counted before the cache is asked for: what has more than a few pages has its
	 * centre by then, unless many inserts came at once. Before the first row the shape is only
	 * what was declared.
	 */
	hnsw_expander_init(&state->expander, scan->indexRelation, &state->query, keep_node, state);
	if (state->expander.blocks <= HNSW_FIRST_BLOCK)
	{
		state->stage = FINISHED;
		return;
	}
	if (state->shape.dims == 0)
		state->shape = hnsw_cache(scan->indexRelation)->shape;
	state->any_order = !take_query(scan, state);
	if (!state->any_order)
	{
		begin_search(scan, state);
		return;
	}
	state->query.shape = &state->shape;
	begin_sweep(state);
}

/*
 * Is the next node, just beyond the first ones, not to be told from those returned, by what the
 * index knows? Then it is as near as they are, and the beam need not be widened for it. The
 * intervals of int8 are too wide for that.
 */
static bool
is_level(const HnswScan *state)
{
	return state->nodes < FIRST_NODES + LOOK_AHEAD &&
		state->shape.stored != HX_STORED_INT8 &&
		hnsw_heap_first(&state->found)->low <= state->reach;
}

/* Is the beam wide enough for one more node to be returned? */
static bool
is_enough(const HnswScan *state)
{
	uint64		nodes = state->nodes + 1;

	if (state->width < state->effort || state->found_count < FIRST_NODES ||
		state->found.count == 0)
		return false;
	return nodes <= FIRST_NODES || is_level(state) ||
		((uint64) state->width * FIRST_NODES >= state->effort * nodes &&
		 !(hnsw_heap_first(&state->found)->distance > hx_search_horizon(state->search)));
}

/* Widens the beam until that is enough, or turns to the sweep. */
static void
widen(HnswScan *state)
{
	while (!is_enough(state))
	{
		double		growth = state->nodes < FIRST_NODES + LOOK_AHEAD ?
			LOOK_AHEAD_GROWTH : BEAM_GROWTH;
		double		width = Max(state->effort, ceil(growth * state->width));

		if (width > state->most_width || hx_search_exhausted(state->search))
		{
			begin_sweep(state);
			return;
		}
		state->width = (uint32) width;
		hx_search_run(state->search, state->width);
	}
}

/* The heap that feeds the stage. */
static HnswFoundHeap *
stage_heap(HnswScan *state)
{
	return state->stage == TOO_LATE ? &state->late : &state->found;
}

/* The first of the nodes known, at this stage, to be returned next; NULL: none. */
static const HnswFound *
first_found(HnswScan *state, bool *in_sweep)
{
	const HnswFound *kept = hnsw_heap_first(stage_heap(state));
	const HnswFound *swept = NULL;

	if (state->stage != SEARCHING)
		swept = hnsw_sweep_next(&state->sweep);
	*in_sweep = swept != NULL && (kept == NULL || hnsw_found_before(swept, kept));
	return *in_sweep ? swept : kept;
}

/* Takes the next node; false when there are none left. */
static bool
take_node(HnswScan *state)
{
	const HnswFound *first;
	bool		in_sweep;

	if (state->stage == SEARCHING)
		widen(state);
	while ((first = first_found(state, &in_sweep)) == NULL)
	{
		if (state->stage == TOO_LATE || !begin_late(state))
		{
			state->stage = FINISHED;
			return false;
		}
	}
	state->node = *first;
	if (in_sweep)
		hnsw_sweep_take(&state->sweep);
	else
		(void) hnsw_heap_pop(stage_heap(state));
	state->nodes++;
	return true;
}

/* Takes the next node and makes its place in the order certain, or not, and its rows ready. */
static bool
begin_node(HnswScan *state)
{
	bool		in_sweep;

	if (state->stage == FINISHED || !take_node(state))
		return false;

	const HnswFound *next = first_found(state, &in_sweep);
	HnswFound  *node = &state->node;
	bool		one_row = node->rows == 1 && node->postings == HNSW_NO_POSTING;

	state->certain = (one_row || node->all_equal) && state->reach <= node->low &&
		(next == NULL || node->high <= next->low);
	state->reach = Max(state->reach, node->high);
	state->floor = state->certain ? node->high : node->low;

	memcpy(state->rows, node->row, sizeof(node->row));
	state->row_count = node->rows;
	state->next_row = 0;
	state->postings = (HnswPostingsReader) {
		.node = node->node,
		.version = node->version,
		.next = node->postings,
		.order = PG_UINT32_MAX,
	};
	return true;
}

/* Makes sure that there is a row to return; false at the end of the scan. */
static bool
find_row(IndexScanDesc scan, HnswScan *state)
{
	while (state->next_row == state->row_count)
	{
		state->next_row = 0;
		if (state->postings.next != HNSW_NO_POSTING &&
			hnsw_postings_read(scan->indexRelation, &state->shape, &state->postings,
							   state->rows, &state->row_count))
			continue;
		state->row_count = 0;
		state->postings.next = HNSW_NO_POSTING;
		if (!begin_node(state))
			return false;
	}
	return true;
}

/* The row to be returned: the executor believes it. */
static ItemPointerData
take_row(IndexScanDesc scan, HnswScan *state)
{
	ItemPointerData row = state->rows[state->next_row++];

	if (!hx_page_tid_is_plausible(scan->heapRelation, &state->heap_blocks, &row))
		hx_page_report_damage(scan->indexRelation, hnsw_node_block(&state->shape, state->node.node),
							  "Node %u has row (%u,%u), which cannot be in the table.",
							  state->node.node, ItemPointerGetBlockNumberNoCheck(&row),
							  ItemPointerGetOffsetNumberNoCheck(&row));
	return row;
}

/* Tells the executor the distance of the row, or the bound that it has to check. */
static void
set_distance(IndexScanDesc scan, HnswScan *state)
{
	bool		is_null = scan->orderByData[0].sk_flags & SK_ISNULL;

	scan->xs_recheckorderby = !state->any_order && !state->certain;
	scan->xs_orderbynulls[0] = is_null;
	scan->xs_orderbyvals[0] = is_null ? (Datum) 0 :
		Float8GetDatum(state->any_order ? NAN : state->node.low);
}

bool
hnsw_gettuple(IndexScanDesc scan, ScanDirection direction)
{
	HnswScan   *state = scan->opaque;
	int			most = hx_guc_max_scan_tuples();
	bool		found;

	Assert(ScanDirectionIsForward(direction));
	MemoryContext old = MemoryContextSwitchTo(state->context);

	if (state->stage == NOT_STARTED)
		start(scan, state);
	found = (most == 0 || state->returned < (uint64) most) && find_row(scan, state);
	MemoryContextSwitchTo(old);
	if (!found)
		return false;

	state->returned++;
	scan->xs_heaptid = take_row(scan, state);
	scan->xs_recheck = false;
	set_distance(scan, state);
	return true;
}

void
hnsw_endscan(IndexScanDesc scan)
{
	HnswScan   *state = scan->opaque;

	MemoryContextDelete(state->context);
	pfree(state);
}
