/*
 * hamming_scan.c
 *	  Ordered scans, range scans and bitmap scans.
 *
 * A scan reads every codes page once, in block order, or, where that is cheaper, the leaves of
 * the chunk tables that hold everything within its radius. It holds a share lock on one page at a
 * time and copies what it finds. It keeps no pin, so vacuum is never in the way.
 *
 * An ordered scan does not know how many rows the executor will take. With chunk tables it looks
 * within a small radius, and goes on to larger ones while that is cheap. Reading all codes, it
 * keeps the nearest few; when they are used up, it reads the pages again for eight times as many,
 * from the last (distance, TID) returned on. That order is total, so nothing is returned twice or
 * left out, whatever happens in between.
 */
#include "am/hamming/hamming_scan.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "access/visibilitymap.h"
#include "miscadmin.h"
#include "am/common/buffer_hint.h"
#include "am/common/scan.h"
#include "am/hamming/hamming_tree.h"
#include "type/ball.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* The largest distance that codes on pages can have. */
#define ANY_DISTANCE PG_UINT16_MAX

/*
 * The share of the price of reading all codes that may be spent on leaves: for a
 * search that is complete with them, and for one that may have to look further.
 */
#define COMPLETE_SHARE 0.9
#define ATTEMPT_SHARE 0.05

/* Leaves whose rows an unordered scan collects at a time. */
#define LEAVES_AT_A_TIME 8

/* So many leaves are asked for before the one that is read. */
#define LEAVES_AHEAD 8

IndexScanDesc
hamming_beginscan(Relation index, int nkeys, int norderbys)
{
	HammingScan *state = palloc0(sizeof(HammingScan));

	state->query_context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hamming query",
												 ALLOCSET_SMALL_SIZES);
	state->found_context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hamming found",
												 ALLOCSET_SMALL_SIZES);
	state->tuple_context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hamming tuple",
												 ALLOCSET_SMALL_SIZES);
	state->vm_buf = InvalidBuffer;
	state->want = HAMMING_FIRST_WANT;
	return hx_scan_begin(index, nkeys, norderbys, state);
}

void
hamming_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
	HammingScan *state = scan->opaque;

	hx_scan_take_keys(scan, keys, orderbys);

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

	HammingRange range;

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
	uint8	   *probe = palloc0(MAXALIGN(state->shape.code_bytes));

	if (query != NULL)
		memcpy(probe, query->bytes, state->shape.code_bytes);
	else if (state->range_count > 0)
		memcpy(probe, state->ranges[0].centre.bytes, state->shape.code_bytes);
	state->probe = probe;

	state->radius = ANY_DISTANCE;
	for (int i = 0; i < state->range_count; i++)
	{
		HammingRange *range = &state->ranges[i];

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
	state->code_tuple = NULL;
	old = MemoryContextSwitchTo(state->query_context);
	state->kernels = hx_kernels;

	const HammingCache *cache = hamming_cache(scan->indexRelation);

	state->shape = cache->shape;
	state->leaf_shape = cache->leaf_shape;
	state->tables = cache->tables;
	state->nothing = state->shape.bits == 0;	/* still empty */
	state->ordered = scan->numberOfOrderBys > 0;
	state->null_query = state->ordered && (scan->orderByData[0].sk_flags & SK_ISNULL);
	state->ranges = palloc(Max(scan->numberOfKeys, 1) * sizeof(HammingRange));
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
		HammingRange *range = &state->ranges[i];

		uint64		distance = state->kernels->hamming(range->centre.bytes, code,
													  state->shape.code_bytes);

		if (distance > (uint64) range->radius)
			return false;
	}
	return true;
}

/* Can the table have a row with this TID? A bitmap takes no offsets that a heap cannot have. */
static bool
is_plausible_tid(IndexScanDesc scan, HammingScan *state, const ItemPointerData *tid)
{
	bool		to_bitmap = scan->heapRelation == NULL;

	return hx_page_tid_is_plausible(state->heap, &state->heap_blocks, tid) &&
		!(to_bitmap && ItemPointerGetOffsetNumber(tid) > MaxHeapTuplesPerPage);
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
			hamming_report_row(scan->indexRelation, blk, i, &row.tid);

		bool		all_visible = scan->xs_want_itup &&
			VM_ALL_VISIBLE(scan->heapRelation, ItemPointerGetBlockNumber(&row.tid), &state->vm_buf);

		hamming_collector_take(collector, key, row.payload, all_visible, code);
	}
}

/*
 * Narrows the codes of a leaf down to those between the first and the last whose keys are
 * near enough as far as the leaf has them; false when there are none. Codes stand in the
 * order of their keys, but for those inserted since the leaf was built or divided, so most
 * of the page is not touched.
 */
static bool
narrow_codes(HammingScan *state, const HammingTarget *target, HxPlanes *planes, int *skipped)
{
	HxPlanes	keys = hamming_leaf_keys(&state->tables, planes);
	const uint8 *key = (const uint8 *) &state->key[target->chunk];
	unsigned	count = state->kernels->hamming_select(&keys, key, target->end_radius,
													   state->position, state->distance);

	*planes = hamming_leaf_codes(&state->tables, planes);
	if (count == 0)
		return false;
	*skipped = state->position[0];
	planes->base += *skipped * sizeof(uint64);	/* of each plane: all are of words */
	planes->count = state->position[count - 1] - *skipped + 1;
	return true;
}

/* What lies on the page of a buffer, a leaf of a chunk table or (target NULL) a codes page. */
static void
collect_codes(IndexScanDesc scan, HammingScan *state, Buffer buf, const HammingTarget *target)
{
	int			chunk = target != NULL ? target->chunk : -1;
	uint8		code[BLCKSZ];
	bool		needs_code = chunk >= 0 || state->range_count > 0 ||
		state->collector.code_bytes > 0;
	bool		by_distance = state->ordered && !state->null_query;
	HammingView view = hamming_checked_view(scan->indexRelation,
											chunk >= 0 ? &state->leaf_shape : &state->shape,
											buf, BufferGetPage(buf));
	HxPlanes	planes = view.planes;
	int			skipped = 0;
	unsigned	limit = state->radius;

	if (chunk >= 0 && state->tables.key_bytes > 0 &&
		!narrow_codes(state, target, &planes, &skipped))
		return;
	if (chunk >= 0)
		limit = Min(limit, state->plan.radius);
	if (by_distance)
		limit = Min(limit, hamming_key_distance(state->collector.limit));

	unsigned	count = state->kernels->hamming_select(&planes, state->probe, limit,
													   state->position, state->distance);

	if (count == 0)
		return;

	bool		has_runs = view.row_count > (int) view.planes.count;

	if (has_runs && !hamming_view_runs(&view, state->first))
		hamming_report_runs(scan->indexRelation, buf);

	for (unsigned i = 0; i < count; i++)
	{
		int			position = state->position[i] + skipped;

		if (needs_code)
			hx_planes_get(planes.base, planes.stride, planes.code_bytes, state->position[i], code);
		if (chunk >= 0 && !hamming_plan_reports(&state->plan, chunk, state->probe, code))
			continue;
		if (!in_other_ranges(state, code))
			continue;
		collect_run(scan, state, BufferGetBlockNumber(buf), &view,
					has_runs ? state->first[position] : position,
					has_runs ? state->first[position + 1] : position + 1,
					by_distance ? state->distance[i] : 0, code);
	}
}

/* Offers what qualifies on one block to the collector, if it is a codes page. */
static void
collect_page(IndexScanDesc scan, HammingScan *state, BlockNumber blk)
{
	CHECK_FOR_INTERRUPTS();

	Buffer		buf = ReadBuffer(scan->indexRelation, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	if (hamming_has_codes(scan->indexRelation, &state->shape, state->tables.chunks.count > 0, buf))
		collect_codes(scan, state, buf, NULL);
	UnlockReleaseBuffer(buf);
}

/*
 * Has the processor fetch what is looked at first of a leaf. Keys lie where they do on a
 * leaf without equal codes, as most are; elsewhere, a little is fetched in vain.
 */
static void
ask_for_leaf(IndexScanDesc scan, const HammingScan *state, BlockNumber blk)
{
	const HammingShape *shape = &state->leaf_shape;
	const char *page = hx_hint_page(scan->indexRelation, blk);

	if (page == NULL)
		return;

	int			stride = shape->space / (shape->code_bytes + shape->row_bytes);
	const char *keys = page + SizeOfPageHeaderData + HAMMING_CODES_HEADER +
		stride * (shape->code_bytes - state->tables.key_bytes);

	__builtin_prefetch(page);
	__builtin_prefetch(page + BLCKSZ - 1);
	for (int at = 0; at < stride * state->tables.key_bytes; at += PG_CACHE_LINE_SIZE / 2)
		__builtin_prefetch(keys + at);
}

/*
 * Offers what qualifies on one leaf, in a pinned buffer, to the collector; true when the
 * target is done. A leaf that has been divided since the plan was made passes the rest of
 * what it held on to its right neighbour.
 */
static bool
collect_leaf(IndexScanDesc scan, HammingScan *state, HammingTarget *target, Buffer buf)
{
	Relation	index = scan->indexRelation;

	LockBuffer(buf, BUFFER_LOCK_SHARE);

	BlockNumber next = hamming_tree_check(index, buf, target->chunk);
	const HammingBounds *bounds = hamming_bounds(BufferGetPage(buf));
	bool		done = hamming_point_compare(&bounds->high, &target->high) >= 0;

	/* Links that lead in circles do not lead further. */
	if (bounds->level > 0 || (!done && next == InvalidBlockNumber) ||
		hamming_point_compare(&bounds->high, &state->reached) <= 0)
		hx_page_report_damage(index, target->blk, "A chunk table does not lead to all its leaves.");
	collect_codes(scan, state, buf, target);
	state->reached = done ? hamming_point_first(0) : bounds->high;
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);
	if (!done)
		target->blk = next;
	return done;
}

/* Can the collector of an unordered scan, which must not drop any, take one more page's rows? */
static bool
has_room(const HammingScan *state)
{
	return state->ordered || state->collector.count < HAMMING_MAX_ROWS;
}

/*
 * Offers what qualifies for a target of the plan to the collector; false when that has no room
 * for more, and the target is to be gone on with. Leaves lie anywhere: those that are read soon
 * are asked for.
 */
static bool
collect_target(IndexScanDesc scan, HammingScan *state, int number, HammingTarget *target)
{
	bool		done = false;

	CHECK_FOR_INTERRUPTS();
	for (int i = number == 0 ? 0 : LEAVES_AHEAD; i <= LEAVES_AHEAD; i++)
		if (number + i < state->plan.count)
			ask_for_leaf(scan, state, state->plan.targets[number + i].blk);
	while (!done && has_room(state))
	{
		Buffer		buf = hx_hint_read(scan->indexRelation, target->blk);

		done = collect_leaf(scan, state, target, buf);
		ReleaseBuffer(buf);
	}
	return done;
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

/* Plans to read leaves for all within the radius, if they cost no more than their share. */
static bool
plan_probes(IndexScanDesc scan, HammingScan *state, int radius, double share)
{
	double		most = state->pages * share / HAMMING_LEAF_COST;
	MemoryContext old;
	bool		made;

	/* Bits that go together make for more leaves than expected, or fewer. */
	if (hamming_plan_estimate(&state->tables.chunks, state->pages, radius) > 2 * most)
		return false;
	old = MemoryContextSwitchTo(state->query_context);
	made = hamming_plan_make(&state->plan, scan->indexRelation, state->probe, radius,
							 state->pages, most);
	MemoryContextSwitchTo(old);
	return made;
}

/*
 * The next radius of an ordered scan, or after the last of them the reading of all
 * codes; false when the scan has seen all that it is to see.
 */
static bool
widen(IndexScanDesc scan, HammingScan *state, int reached)
{
	int			whole = Min(state->radius, (int32) state->shape.bits);
	int			chunks = state->tables.chunks.count;
	int			radius = reached < 0 ? chunks - 1 : reached + (chunks + 1) / 2;

	if (reached >= whole)
		return false;
	radius = Min(radius, whole);
	state->probing = chunks > 0 && !state->null_query &&
		plan_probes(scan, state, radius, radius == whole ? COMPLETE_SHARE : ATTEMPT_SHARE);
	return true;
}

/* One pass over the index: collects the nearest rows beyond `after`. */
static void
collect_nearest(IndexScanDesc scan, HammingScan *state, uint64 after)
{
	new_collector(scan, state, state->want);
	hamming_collector_start(&state->collector, after);
	for (int i = 0; state->probing && i < state->plan.count; i++)
	{
		HammingTarget target = state->plan.targets[i];	/* which may be read again */

		collect_target(scan, state, i, &target);
	}
	for (int i = 0; !state->probing && i < state->extent_count; i++)
	{
		for (BlockNumber n = 0; n < state->extents[i].count; n++)
			collect_page(scan, state, state->extents[i].first + n);
	}
	hamming_collector_finish(&state->collector);
}

/* Collects the rows of one page more, or of some leaves; false when there is none. */
static bool
collect_some(IndexScanDesc scan, HammingScan *state)
{
	if (state->probing)
	{
		const int	first = state->next_target;
		const int	end = Min(first + LEAVES_AT_A_TIME, state->plan.count);

		while (state->next_target < end &&
			   collect_target(scan, state, state->next_target,
							  &state->plan.targets[state->next_target]))
			state->next_target++;
		return first < end;
	}
	while (state->next_extent < state->extent_count)
	{
		const HammingExtent *extent = &state->extents[state->next_extent];

		if (state->next_page < extent->count)
		{
			collect_page(scan, state, extent->first + state->next_page++);
			return true;
		}
		state->next_extent++;
		state->next_page = 0;
	}
	return false;
}

/* Collects the next rows that there are; false at the end. */
static bool
collect_next(IndexScanDesc scan, HammingScan *state)
{
	bool		more;

	state->next = 0;
	do
	{
		hamming_collector_start(&state->collector, 0);
		more = collect_some(scan, state);
		hamming_collector_finish_all(&state->collector);
	} while (more && state->collector.count == 0);
	return more;
}

/* Finds out where the codes pages are. */
static void
find_pages(IndexScanDesc scan, HammingScan *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->query_context);

	state->extents = hamming_codes_extents(scan->indexRelation, &state->extent_count);
	state->pages = 0;
	for (int i = 0; i < state->extent_count; i++)
		state->pages += state->extents[i].count;
	state->next_extent = 0;
	state->next_page = 0;
	state->next_target = 0;
	state->reached = hamming_point_first(0);
	if (state->tables.chunks.count > 0)
		hamming_plan_init(&state->plan, &state->tables, &state->shape);
	for (int k = 0; k < state->tables.chunks.count; k++)
		state->key[k] = hamming_key_end(&state->tables, k, state->probe);
	MemoryContextSwitchTo(old);
}

/* Before the first row of a scan. */
static void
start(IndexScanDesc scan, HammingScan *state)
{
	hx_scan_start(scan);
	take_queries(scan, state);
	state->started = true;
	state->returned = 0;
	state->next = 0;
	state->collector.count = 0;
	if (state->nothing)
		return;

	find_pages(scan, state);
	if (state->ordered)
	{
		widen(scan, state, -1);
		collect_nearest(scan, state, 0);
	}
	else
	{
		state->probing = state->tables.chunks.count > 0 &&
			plan_probes(scan, state, Min(state->radius, (int32) state->shape.bits),
						COMPLETE_SHARE);
		new_collector(scan, state, HAMMING_MAX_ROWS);
	}
}

/*
 * The rows collected of an ordered scan by chunk tables are used up, and there are
 * no more within its radius: looks further. False when there are no more rows.
 */
static bool
collect_beyond(IndexScanDesc scan, HammingScan *state)
{
	while (state->probing)
	{
		int			reached = state->plan.radius;

		if (!widen(scan, state, reached))
			return false;
		collect_nearest(scan, state, (uint64) (reached + 1) << 48);
		if (state->collector.count > 0)
			return true;
	}
	return false;
}

/* Refills the collector; false when there are no more rows. */
static bool
collect_more(IndexScanDesc scan, HammingScan *state)
{
	HammingCollector *collector = &state->collector;

	if (state->nothing)
		return false;
	if (!state->ordered)
		return collect_next(scan, state);
	if (!collector->overflowed)
		return collect_beyond(scan, state);

	uint64		last = collector->found[collector->count - 1].key;
	Size		row_size = hamming_collector_row_size(collector->code_bytes);
	Size		most = Min((Size) work_mem * 1024 / row_size, HAMMING_MAX_WANT);

	if (state->want < most)
		state->want = Min((Size) state->want * HAMMING_WANT_GROWTH, most);
	collect_nearest(scan, state, last);
	return collector->count > 0 || collect_beyond(scan, state);
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

		if (scan->xs_want_itup && !hamming_form_tuple(scan, found))
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

	if (scan->numberOfKeys == 0)
		return hx_scan_all_pages(scan, bitmap);

	/* A bitmap scan is not told its table, on which the executor has a lock. */
	state->heap = table_open(scan->indexRelation->rd_index->indrelid, NoLock);
	start(scan, state);
	while (!state->nothing && collect_next(scan, state))
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

	hamming_end_fetch(state);
	MemoryContextDelete(state->query_context);
	MemoryContextDelete(state->found_context);
	MemoryContextDelete(state->tuple_context);
	pfree(state);
}
