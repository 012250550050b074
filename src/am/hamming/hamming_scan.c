/*
 * hamming_scan.c
 *	  Ordered scans, range scans, bitmap scans and index-only scans.
 *
 * Every scan reads every codes page once, in block order, under a share lock
 * that it gives back before it looks at the next page; what it finds is copied,
 * so no pin is kept and vacuum is never in the way.
 *
 * An ordered scan does not know how many rows the executor will take. It keeps
 * the nearest few; when they are used up it reads the pages again for eight
 * times as many, from the last (distance, TID) returned on. The order is total,
 * so nothing is returned twice or left out, whatever happens in between.
 *
 * Index-only scans: see README, "Index-only scans and vacuum", for why the
 * visibility map is asked while the page is locked.
 */
#include "am/hamming/hamming.h"
#include "am/hamming/hamming_collect.h"

#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "type/ball.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* The largest distance that codes on pages can have. */
#define ANY_DISTANCE PG_UINT16_MAX

typedef struct Range
{
	BincodeView centre;
	int32		radius;
} Range;

typedef struct HammingScan
{
	MemoryContext query_context;	/* reset by rescan: the queries */
	MemoryContext found_context;	/* reset when the collector is made anew */
	MemoryContext tuple_context;	/* reset for each row of an index-only scan */
	const HxKernels *kernels;
	HammingShape shape;

	/* What is asked. */
	bool		nothing;		/* no row can qualify */
	bool		ordered;
	bool		null_query;		/* ORDER BY code <~> NULL: all distances are NULL */
	const uint8 *probe;			/* what the kernel compares with */
	int32		radius;			/* of the ranges around the probe */
	Range	   *ranges;			/* the other ranges */
	int			range_count;

	/* Where we are. */
	bool		started;
	HammingCollector collector;
	int			next;			/* of the collector's rows */
	uint64		returned;		/* rows since the scan was started */
	int			want;
	BlockNumber next_blk;		/* unordered scans: the page after those collected */
	BlockNumber end_blk;

	Relation	heap;			/* the table */
	BlockNumber heap_blocks;	/* it has at least as many; 0 at first */

	/* Visibility, for index-only scans. */
	Buffer		vm_buf;
	IndexFetchTableData *heap_fetch;
	TupleTableSlot *heap_slot;

	/* Scratch for one page. */
	uint16		position[HAMMING_MAX_CODES + 16];
	uint16		distance[HAMMING_MAX_CODES + 16];
	uint16		first[HAMMING_MAX_CODES + 1];
} HammingScan;

IndexScanDesc
hamming_beginscan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(index, nkeys, norderbys);
	HammingScan *state = palloc0(sizeof(HammingScan));

	state->query_context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hamming query",
												 ALLOCSET_SMALL_SIZES);
	state->found_context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hamming found",
												 ALLOCSET_SMALL_SIZES);
	state->tuple_context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hamming tuple",
												 ALLOCSET_SMALL_SIZES);
	state->vm_buf = InvalidBuffer;
	state->want = HAMMING_FIRST_WANT;
	if (norderbys > 0)
	{
		scan->xs_orderbyvals = palloc0(norderbys * sizeof(Datum));
		scan->xs_orderbynulls = palloc(norderbys * sizeof(bool));
	}
	scan->opaque = state;
	return scan;
}

void
hamming_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
	HammingScan *state = scan->opaque;

	if (keys && scan->numberOfKeys > 0)
		memcpy(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
	if (orderbys && scan->numberOfOrderBys > 0)
		memcpy(scan->orderByData, orderbys, scan->numberOfOrderBys * sizeof(ScanKeyData));

	/* A nested loop will probably want as many rows as it took last time. */
	state->want = HAMMING_FIRST_WANT;
	while (state->want < HAMMING_WANT_GROWTH * HAMMING_FIRST_WANT && state->want < state->returned)
		state->want *= 2;
	state->started = false;
}

/* Notes the range of one scan key: folded into the probe's radius where the centre is the same. */
static void
add_range(HammingScan *state, ScanKey key)
{
	if (key->sk_flags & SK_ISNULL)
	{
		state->nothing = true;
		return;
	}

	Range		range;

	range.centre = hx_ball_view(key->sk_argument, &range.radius);
	state->ranges[state->range_count++] = range;
	if (range.radius < 0)
		state->nothing = true;
}

/* Chooses what the kernel compares with and removes the ranges which that covers. */
static void
choose_probe(HammingScan *state, const BincodeView *query)
{
	int			left = 0;

	if (query != NULL)
		state->probe = query->bytes;
	else if (state->range_count > 0)
		state->probe = state->ranges[0].centre.bytes;
	else
		state->probe = palloc0(state->shape.code_bytes);

	state->radius = ANY_DISTANCE;
	for (int i = 0; i < state->range_count; i++)
	{
		Range	   *range = &state->ranges[i];

		if (memcmp(range->centre.bytes, state->probe, state->shape.code_bytes) == 0)
			state->radius = Min(state->radius, range->radius);
		else
			state->ranges[left++] = *range;
	}
	state->range_count = left;
}

/* Reads the scan keys. */
static void
take_queries(IndexScanDesc scan, HammingScan *state)
{
	BincodeView query;
	MemoryContext old;

	MemoryContextReset(state->query_context);
	old = MemoryContextSwitchTo(state->query_context);
	state->kernels = hx_kernels;
	state->shape = hamming_cache(scan->indexRelation)->shape;
	state->nothing = state->shape.bits == 0;	/* still empty */
	state->ordered = scan->numberOfOrderBys > 0;
	state->null_query = state->ordered && (scan->orderByData[0].sk_flags & SK_ISNULL);
	state->ranges = palloc(Max(scan->numberOfKeys, 1) * sizeof(Range));
	state->range_count = 0;

	if (scan->numberOfOrderBys > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("access method \"hashidx_hamming\" cannot order by two distances")));
	for (int i = 0; i < scan->numberOfKeys; i++)
		add_range(state, &scan->keyData[i]);
	if (state->ordered && !state->null_query)
		query = hx_bincode_view(scan->orderByData[0].sk_argument);

	if (!state->nothing)
	{
		if (state->ordered && !state->null_query)
			hamming_check_bits(scan->indexRelation, &state->shape, query.bits);
		for (int i = 0; i < state->range_count; i++)
			hamming_check_bits(scan->indexRelation, &state->shape, state->ranges[i].centre.bits);
		choose_probe(state, state->ordered && !state->null_query ? &query : NULL);
	}
	MemoryContextSwitchTo(old);
}

/* Does the code at this position of the page lie in the ranges that the probe does not cover? */
static bool
in_other_ranges(HammingScan *state, const uint8 *code)
{
	for (int i = 0; i < state->range_count; i++)
	{
		Range	   *range = &state->ranges[i];

		uint64		distance = state->kernels->hamming(range->centre.bytes, code,
													  state->shape.code_bytes);

		if (distance > (uint64) range->radius)
			return false;
	}
	return true;
}

/*
 * Can the table have a row with this TID? The server believes an index: it reads,
 * or even adds, any block named. A bitmap takes no offsets that a heap cannot have.
 */
static bool
is_plausible_tid(IndexScanDesc scan, HammingScan *state, const ItemPointerData *tid)
{
	BlockNumber blk = ItemPointerGetBlockNumberNoCheck(tid);
	OffsetNumber off = ItemPointerGetOffsetNumberNoCheck(tid);
	bool		to_bitmap = scan->heapRelation == NULL;

	if (blk >= state->heap_blocks)
		state->heap_blocks = RelationGetNumberOfBlocks(state->heap);
	return blk < state->heap_blocks && off >= FirstOffsetNumber &&
		!(to_bitmap && off > MaxHeapTuplesPerPage);
}

/* Offers the rows of one code, which lies on page blk, to the collector. */
static void
collect_run(IndexScanDesc scan, HammingScan *state, BlockNumber blk, const HammingView *view,
			int begin, int end, unsigned distance, const uint8 *code)
{
	HammingCollector *collector = &state->collector;

	for (int i = begin; i < end; i++)
	{
		bool		continues;
		HammingRow	row = hamming_view_row(view, i, &continues);
		uint64		key = hamming_key(distance, &row.tid);

		if (!hamming_collector_wants(collector, key))
			continue;
		if (!is_plausible_tid(scan, state, &row.tid))
			hx_page_report_damage(scan->indexRelation, blk,
								  "Row %d points to (%u,%u), which cannot be in the table.", i,
								  ItemPointerGetBlockNumberNoCheck(&row.tid),
								  ItemPointerGetOffsetNumberNoCheck(&row.tid));

		bool		all_visible = scan->xs_want_itup &&
			VM_ALL_VISIBLE(scan->heapRelation, ItemPointerGetBlockNumber(&row.tid), &state->vm_buf);

		hamming_collector_take(collector, key, row.payload, all_visible, code);
	}
}

/* Offers what qualifies on one codes page to the collector. */
static void
collect_codes(IndexScanDesc scan, HammingScan *state, Buffer buf)
{
	uint8		code[BLCKSZ];
	bool		needs_code = state->range_count > 0 || state->collector.code_bytes > 0;
	bool		by_distance = state->ordered && !state->null_query;
	HammingView view = hamming_checked_view(scan->indexRelation, &state->shape, buf,
											BufferGetPage(buf));
	unsigned	limit = state->radius;

	if (by_distance)
		limit = Min(limit, hamming_key_distance(state->collector.limit));

	unsigned	count = state->kernels->hamming_select(&view.planes, state->probe, limit,
													   state->position, state->distance);

	if (count == 0)
		return;

	bool		has_runs = view.row_count > (int) view.planes.count;

	if (has_runs && !hamming_view_runs(&view, state->first))
		hamming_report_runs(scan->indexRelation, buf);

	for (unsigned i = 0; i < count; i++)
	{
		int			position = state->position[i];

		if (needs_code)
			hx_planes_get(view.planes.base, view.planes.stride, view.planes.code_bytes,
						  position, code);
		if (!in_other_ranges(state, code))
			continue;
		collect_run(scan, state, BufferGetBlockNumber(buf), &view,
					has_runs ? state->first[position] : position,
					has_runs ? state->first[position + 1] : position + 1,
					by_distance ? state->distance[i] : 0, code);
	}
}

static void
collect_page(IndexScanDesc scan, HammingScan *state, BlockNumber blk)
{
	CHECK_FOR_INTERRUPTS();

	Buffer		buf = ReadBuffer(scan->indexRelation, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	/* A page that a crash left behind before its first record is empty. */
	if (!PageIsNew(BufferGetPage(buf)) &&
		hamming_page_kind(scan->indexRelation, &state->shape, buf) == HX_PAGE_CODES)
		collect_codes(scan, state, buf);
	UnlockReleaseBuffer(buf);
}

/* An empty collector for `want` rows. */
static void
new_collector(IndexScanDesc scan, HammingScan *state, int want)
{
	MemoryContext old;

	MemoryContextReset(state->found_context);
	old = MemoryContextSwitchTo(state->found_context);
	hamming_collector_init(&state->collector, want,
						   scan->xs_want_itup ? state->shape.code_bytes : 0);
	MemoryContextSwitchTo(old);
	state->next = 0;
}

/* One pass over the index: collects the nearest rows beyond `after`. */
static void
collect_nearest(IndexScanDesc scan, HammingScan *state, uint64 after)
{
	new_collector(scan, state, state->want);
	hamming_collector_start(&state->collector, after);
	state->end_blk = RelationGetNumberOfBlocks(scan->indexRelation);
	for (BlockNumber blk = HAMMING_FIRST_BLOCK; blk < state->end_blk; blk++)
		collect_page(scan, state, blk);
	hamming_collector_finish(&state->collector);
}

/* Collects the rows of the next page that has any; false at the end. */
static bool
collect_next_page(IndexScanDesc scan, HammingScan *state)
{
	state->next = 0;
	while (state->next_blk < state->end_blk)
	{
		hamming_collector_start(&state->collector, 0);
		collect_page(scan, state, state->next_blk++);
		hamming_collector_finish(&state->collector);
		if (state->collector.count > 0)
			return true;
	}
	return false;
}

/* Before the first row of a scan. */
static void
start(IndexScanDesc scan, HammingScan *state)
{
	if (!IsMVCCSnapshot(scan->xs_snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("access method \"hashidx_hamming\" supports MVCC snapshots only")));

	hx_count_index_search(scan);
	take_queries(scan, state);
	state->started = true;
	state->returned = 0;
	state->next = 0;
	state->collector.count = 0;
	if (state->nothing)
		return;

	if (state->ordered)
		collect_nearest(scan, state, 0);
	else
	{
		new_collector(scan, state, HAMMING_MAX_ROWS);
		state->next_blk = HAMMING_FIRST_BLOCK;
		state->end_blk = RelationGetNumberOfBlocks(scan->indexRelation);
	}
}

/* Refills the collector; false when there are no more rows. */
static bool
collect_more(IndexScanDesc scan, HammingScan *state)
{
	HammingCollector *collector = &state->collector;

	if (state->nothing)
		return false;
	if (!state->ordered)
		return collect_next_page(scan, state);
	if (!collector->overflowed)
		return false;

	uint64		last = collector->found[collector->count - 1].key;
	Size		row_size = hamming_collector_row_size(collector->code_bytes);
	Size		most = Min((Size) work_mem * 1024 / row_size, HAMMING_MAX_WANT);

	if (state->want < most)
		state->want = Min((Size) state->want * HAMMING_WANT_GROWTH, most);
	collect_nearest(scan, state, last);
	return collector->count > 0;
}

/* Does the snapshot see the heap row? Asks the heap. */
static bool
heap_row_visible(IndexScanDesc scan, HammingScan *state, ItemPointerData tid)
{
	bool		call_again = false;
	bool		all_dead = false;

	if (state->heap_fetch == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(state));

		state->heap_fetch = table_index_fetch_begin(scan->heapRelation);
		state->heap_slot = table_slot_create(scan->heapRelation, NULL);
		MemoryContextSwitchTo(old);
	}

	bool		visible = table_index_fetch_tuple(state->heap_fetch, &tid, scan->xs_snapshot,
												  state->heap_slot, &call_again, &all_dead);

	ExecClearTuple(state->heap_slot);
	return visible;
}

/* Reads the INCLUDE values of a visible row. */
static void
read_payload(IndexScanDesc scan, const HammingFound *found, Datum *values, bool *isnull)
{
	Relation	index = scan->indexRelation;
	BlockNumber blk = ItemPointerGetBlockNumberNoCheck(&found->payload);
	ItemPointerData tid = hamming_key_tid(found->key);
	IndexTuple	payload = NULL;
	Buffer		buf;

	if (blk < HAMMING_FIRST_BLOCK || blk >= RelationGetNumberOfBlocks(index))
		hx_page_report_damage(index, blk, "A row's INCLUDE values should be here, beyond the end.");

	buf = ReadBuffer(index, blk);
	LockBuffer(buf, BUFFER_LOCK_SHARE);
	if (hx_page_check(index, buf, HX_PAGE_ID_HAMMING) == HX_PAGE_PAYLOAD)
		payload = hamming_payload_find(BufferGetPage(buf),
									   ItemPointerGetOffsetNumberNoCheck(&found->payload), &tid);
	if (payload == NULL)
		hx_page_report_damage(index, blk, "The INCLUDE values of row (%u,%u) are missing.",
							  ItemPointerGetBlockNumber(&tid), ItemPointerGetOffsetNumber(&tid));
	payload = CopyIndexTuple(payload);
	UnlockReleaseBuffer(buf);
	if (!hamming_payload_deform(index, payload, values, isnull))
		hx_page_report_damage(index, blk, "The INCLUDE values of row (%u,%u) do not lie within their item.",
							  ItemPointerGetBlockNumber(&tid), ItemPointerGetOffsetNumber(&tid));
}

/* Makes the tuple of an index-only scan; false when the row is not visible. */
static bool
form_index_only_tuple(IndexScanDesc scan, HammingScan *state, const HammingFound *found)
{
	TupleDesc	desc = RelationGetDescr(scan->indexRelation);
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS] = {false};

	if (!found->all_visible && !heap_row_visible(scan, state, hamming_key_tid(found->key)))
		return false;

	MemoryContextReset(state->tuple_context);

	MemoryContext old = MemoryContextSwitchTo(state->tuple_context);
	Bincode    *code = hx_bincode_new(state->shape.bits);

	memcpy(code->data, state->collector.codes + (Size) found->code * state->shape.code_bytes,
		   state->shape.code_bytes);
	values[0] = PointerGetDatum(code);
	if (desc->natts > 1)
		read_payload(scan, found, values, isnull);
	scan->xs_hitupdesc = desc;
	scan->xs_hitup = heap_form_tuple(desc, values, isnull);
	MemoryContextSwitchTo(old);
	return true;
}

bool
hamming_gettuple(IndexScanDesc scan, ScanDirection direction)
{
	HammingScan *state = scan->opaque;

	Assert(ScanDirectionIsForward(direction));
	if (!state->started)
	{
		state->heap = scan->heapRelation;
		start(scan, state);
	}

	for (;;)
	{
		if (state->next >= state->collector.count && !collect_more(scan, state))
			return false;

		const HammingFound *found = &state->collector.found[state->next++];

		if (scan->xs_want_itup && !form_index_only_tuple(scan, state, found))
			continue;

		state->returned++;
		scan->xs_heaptid = hamming_key_tid(found->key);
		scan->xs_recheck = false;
		if (state->ordered)
		{
			scan->xs_recheckorderby = false;
			scan->xs_orderbynulls[0] = state->null_query;
			scan->xs_orderbyvals[0] = Float8GetDatum(hamming_key_distance(found->key));
		}
		return true;
	}
}

int64
hamming_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap)
{
	HammingScan *state = scan->opaque;
	int64		count = 0;

	/* A bitmap scan is not told its table, on which the executor has a lock. */
	state->heap = table_open(scan->indexRelation->rd_index->indrelid, NoLock);
	start(scan, state);
	while (!state->nothing && collect_next_page(scan, state))
	{
		for (int i = 0; i < state->collector.count; i++)
		{
			ItemPointerData tid = hamming_key_tid(state->collector.found[i].key);

			tbm_add_tuples(bitmap, &tid, 1, false);
		}
		count += state->collector.count;
	}
	table_close(state->heap, NoLock);
	return count;
}

void
hamming_endscan(IndexScanDesc scan)
{
	HammingScan *state = scan->opaque;

	if (BufferIsValid(state->vm_buf))
		ReleaseBuffer(state->vm_buf);
	if (state->heap_fetch != NULL)
	{
		table_index_fetch_end(state->heap_fetch);
		ExecDropSingleTupleTableSlot(state->heap_slot);
	}
	MemoryContextDelete(state->query_context);
	MemoryContextDelete(state->found_context);
	MemoryContextDelete(state->tuple_context);
	pfree(state);
}
