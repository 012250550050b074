/*
 * lsh_scan.c
 *	  Ordered scans, range scans and bitmap scans.
 *
 * A source (lsh_source.h) gives candidates with estimates of their distances. A scan
 * without an order returns them as they are, to be rechecked. An ordered scan takes exact
 * distances from the heap, best estimates first, for as long as the next candidate might be
 * nearer than the best row known, and returns that. A row that is found when a farther one has
 * been returned already is too late for the order: it is set aside until all others have been.
 */
#include "am/lsh/lsh.h"

#include <math.h>

#include "access/table.h"
#include "access/tableam.h"
#include "am/common/scan.h"
#include "am/lsh/lsh_source.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

typedef struct LshScan
{
	MemoryContext context;		/* for as long as the scan */
	LshSource	source;
	bool		started;
	bool		nothing;		/* no row can qualify */
	bool		null_query;		/* ORDER BY value <distance> NULL: all distances are NULL */
	Datum		query;			/* detoasted */
	LshHeap		verified;		/* rows with exact distances, not yet returned */
	LshHeap		late;			/* those too late for the order */
	double		returned_distance;	/* of the last row that was not */
	double		cut_distance;	/* the distance that `cut` was made for; NaN: none */
	double		cut;
	uint64		returned;

	Relation	heap;
	BlockNumber heap_blocks;	/* it has at least as many; 0 at first */

	/* For looking at rows. */
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;
	IndexInfo  *info;
	EState	   *estate;
} LshScan;

IndexScanDesc
lsh_beginscan(Relation index, int nkeys, int norderbys)
{
	LshScan    *state = palloc0(sizeof(LshScan));

	state->context = CurrentMemoryContext;
	state->source.context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_lsh query",
												  ALLOCSET_DEFAULT_SIZES);
	return hx_scan_begin(index, nkeys, norderbys, state);
}

void
lsh_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
	LshScan    *state = scan->opaque;

	hx_scan_take_keys(scan, keys, orderbys);
	state->started = false;
}

/* A copy of the index's functions that no relcache invalidation takes away. */
static LshCache *
copy_cache(Relation index, MemoryContext context)
{
	LshCache   *cache = lsh_cache(index);
	LshCache   *copy = MemoryContextAlloc(context, cache->size);

	memcpy(copy, cache, cache->size);
	return copy;
}

/* Takes a range; nothing can be within one that is NULL or of a negative radius. */
static void
add_range(LshScan *state, ScanKey key)
{
	LshSource  *source = &state->source;

	if (key->sk_flags & SK_ISNULL)
	{
		state->nothing = true;
		return;
	}

	LshRange   *range = &source->ranges[source->range_count++];

	range->ball = lsh_ball(source->metric, key->sk_argument);
	if (!(range->ball.radius >= 0))
		state->nothing = true;
}

/* Reads the scan keys, into the query's context. */
static void
take_queries(IndexScanDesc scan, LshScan *state)
{
	LshSource  *source = &state->source;
	Relation	index = scan->indexRelation;

	source->metric = lsh_metric(index);
	source->ranges = palloc(Max(scan->numberOfKeys, 1) * sizeof(LshRange));
	if (scan->numberOfOrderBys > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("access method \"hashidx_lsh\" cannot order by two distances")));
	for (int i = 0; i < scan->numberOfKeys; i++)
		add_range(state, &scan->keyData[i]);
	if (scan->numberOfOrderBys > 0)
	{
		ScanKey		key = &scan->orderByData[0];

		state->null_query = (key->sk_flags & SK_ISNULL) != 0;
		source->ordered = !state->null_query;
		if (source->ordered)
		{
			state->query = PointerGetDatum(PG_DETOAST_DATUM(key->sk_argument));
			source->query = lsh_value(source->metric, state->query);
		}
	}

	/* What may detoast came first: opening a TOAST table can make the server forget the cache. */
	if (state->nothing)
		return;
	source->cache = copy_cache(index, source->context);
	if (source->cache->shape.tables == 0)
	{
		state->nothing = true;	/* still empty */
		return;
	}
	if (source->ordered)
		lsh_value_check(index, &source->cache->shape, &source->query);
	for (int i = 0; i < source->range_count; i++)
		lsh_value_check(index, &source->cache->shape, &source->ranges[i].ball.centre);
}

/* Before the first row. */
static void
start(IndexScanDesc scan, LshScan *state)
{
	MemoryContext context = state->source.context;

	hx_scan_start(scan);

	MemoryContextReset(context);
	state->source = (LshSource) {.index = scan->indexRelation,.context = context};
	state->nothing = false;
	state->verified = (LshHeap) {0};
	state->late = (LshHeap) {0};
	state->returned_distance = -INFINITY;
	state->cut_distance = NAN;
	state->returned = 0;
	state->started = true;

	MemoryContext old = MemoryContextSwitchTo(context);

	take_queries(scan, state);
	if (!state->nothing)
		lsh_source_start(&state->source);
	MemoryContextSwitchTo(old);
}

static ItemPointerData
checked_tid(LshScan *state, uint64 number, bool to_bitmap)
{
	return lsh_checked_tid(state->source.index, state->heap, &state->heap_blocks, number,
						   to_bitmap);
}

/* What looking at rows takes; once a scan. */
static void
open_heap(IndexScanDesc scan, LshScan *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);

	state->fetch = hx_table_fetch_begin(state->heap);
	state->slot = table_slot_create(state->heap, NULL);
	state->info = BuildIndexInfo(scan->indexRelation);
	state->estate = CreateExecutorState();
	GetPerTupleExprContext(state->estate)->ecxt_scantuple = state->slot;
	MemoryContextSwitchTo(old);
}

/* Is the value in all ranges, as their operators say? */
static bool
is_within(IndexScanDesc scan, Datum value)
{
	for (int i = 0; i < scan->numberOfKeys; i++)
	{
		ScanKey		key = &scan->keyData[i];

		if (!DatumGetBool(FunctionCall2Coll(&key->sk_func, key->sk_collation, value,
											key->sk_argument)))
			return false;
	}
	return true;
}

/* Looks at a candidate's row: if it is visible and in all ranges, it gets its exact distance. */
static void
verify(IndexScanDesc scan, LshScan *state, LshCandidate candidate)
{
	ItemPointerData tid = checked_tid(state, candidate.tid, false);
	bool		call_again = false;
	bool		all_dead = false;
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];

	if (state->fetch == NULL)
		open_heap(scan, state);
	if (!table_index_fetch_tuple(state->fetch, &tid, scan->xs_snapshot, state->slot, &call_again,
								 &all_dead))
		return;

	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(state->estate));

	FormIndexDatum(state->info, state->slot, state->estate, values, isnull);
	if (!isnull[0] && is_within(scan, values[0]))
	{
		candidate.distance = DatumGetFloat8(FunctionCall2Coll(&scan->orderByData[0].sk_func,
															  scan->orderByData[0].sk_collation,
															  values[0], state->query));
		MemoryContextSwitchTo(state->source.context);
		lsh_heap_push(&state->verified, candidate);
	}
	MemoryContextSwitchTo(old);
	ResetPerTupleExprContext(state->estate);
	ExecClearTuple(state->slot);
}

/* May a row with that estimate be nearer than the best one known? */
static bool
may_be_nearer(LshScan *state, double estimate)
{
	double		distance = state->verified.items[0].distance;

	if (isnan(distance))
		return true;
	if (distance != state->cut_distance)
	{
		state->cut_distance = distance;
		state->cut = lsh_source_cut(&state->source, distance);
	}
	return estimate <= state->cut;
}

/* The nearest row found, if no candidate may be nearer; false at the end. */
static bool
next_nearest(IndexScanDesc scan, LshScan *state, LshCandidate *row)
{
	LshSource  *source = &state->source;

	for (;;)
	{
		bool		has_row = state->verified.count > 0;

		if (source->found.count > 0 &&
			(!has_row || may_be_nearer(state, source->found.items[0].distance)))
		{
			CHECK_FOR_INTERRUPTS();
			verify(scan, state, lsh_heap_pop(&source->found));
			continue;
		}
		if (!has_row || may_be_nearer(state, lsh_source_frontier(source)))
		{
			if (lsh_source_next_round(source))
				continue;
			if (!has_row)
				return false;
		}
		else if (lsh_source_reach(source, state->verified.items[0].distance))
			continue;
		*row = lsh_heap_pop(&state->verified);
		return true;
	}
}

/* The next row in order, and those too late for it at last; false at the end. */
static bool
next_ordered(IndexScanDesc scan, LshScan *state, LshCandidate *row)
{
	while (next_nearest(scan, state, row))
	{
		if (!float8_lt(row->distance, state->returned_distance))
		{
			state->returned_distance = row->distance;
			return true;
		}

		MemoryContext old = MemoryContextSwitchTo(state->source.context);

		lsh_heap_push(&state->late, *row);
		MemoryContextSwitchTo(old);
	}
	if (state->late.count == 0)
		return false;
	*row = lsh_heap_pop(&state->late);
	return true;
}

/* The next row in no order; false at the end. */
static bool
next_unordered(LshScan *state, LshCandidate *row)
{
	while (state->source.found.count == 0)
	{
		if (!lsh_source_next_round(&state->source))
			return false;
	}
	*row = lsh_heap_pop(&state->source.found);
	return true;
}

bool
lsh_gettuple(IndexScanDesc scan, ScanDirection direction)
{
	LshScan    *state = scan->opaque;
	LshCandidate row;
	bool		ordered = scan->numberOfOrderBys > 0;

	Assert(ScanDirectionIsForward(direction));
	if (!state->started)
	{
		state->heap = scan->heapRelation;
		start(scan, state);
	}
	if (state->nothing)
		return false;
	if (ordered && hx_guc_max_scan_tuples() > 0 &&
		state->returned >= (uint64) hx_guc_max_scan_tuples())
		return false;
	if (!(state->source.ordered ? next_ordered(scan, state, &row) : next_unordered(state, &row)))
		return false;

	state->returned++;
	scan->xs_heaptid = checked_tid(state, row.tid, false);
	scan->xs_recheck = !state->source.ordered;
	if (ordered)
	{
		scan->xs_recheckorderby = false;
		scan->xs_orderbynulls[0] = state->null_query;
		scan->xs_orderbyvals[0] = Float8GetDatum(row.distance);
	}
	return true;
}

int64
lsh_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap)
{
	LshScan    *state = scan->opaque;
	LshCandidate row;
	int64		count = 0;

	if (scan->numberOfKeys == 0)
		return hx_scan_all_pages(scan, bitmap);

	/* A bitmap scan is not told its table, on which the executor has a lock. */
	state->heap = table_open(scan->indexRelation->rd_index->indrelid, NoLock);
	start(scan, state);
	while (!state->nothing && next_unordered(state, &row))
	{
		ItemPointerData tid = checked_tid(state, row.tid, true);

		tbm_add_tuples(bitmap, &tid, 1, true);
		count++;
	}
	table_close(state->heap, NoLock);
	return count;
}

void
lsh_endscan(IndexScanDesc scan)
{
	LshScan    *state = scan->opaque;

	if (state->fetch != NULL)
	{
		table_index_fetch_end(state->fetch);
		ExecDropSingleTupleTableSlot(state->slot);
		FreeExecutorState(state->estate);
	}
	MemoryContextDelete(state->source.context);
	pfree(state);
}
