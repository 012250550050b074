/*
 * lsh_join.c
 *	  All pairs of rows within a radius of each other, for hashidx_pairs().
 *
 * The buckets are walked once, in the order of keys. Rows of one bucket are candidates of
 * each other: their values are read from the table, and a pair is emitted by the first
 * table in which both have the same key, so once, without remembering any pair. Memory is
 * that of the largest bucket that is looked at; larger ones are left out and reported.
 *
 * Where the radius is so large that own buckets alone would miss more than hashidx.recall
 * allows, each row is a range scan instead, which also probes neighbouring buckets; then the
 * row with the lesser TID looks for the other.
 */
#include "am/lsh/lsh.h"

#include "access/tableam.h"
#include "am/common/recall.h"
#include "am/lsh/lsh_bucket.h"
#include "am/lsh/lsh_source.h"
#include "am/lsh/lsh_tree.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/memutils.h"

/* Rows of a bucket that are compared with each other; more say nothing about likeness. */
#define MAX_BUCKET 2000

/* An entry of a bucket. */
typedef struct Entry
{
	uint32		key;
	uint64		tid;
} Entry;

/* A row of the bucket at hand. */
typedef struct Member
{
	uint64		tid;
	Datum		key;			/* its value */
	LshValue	value;
	uint32	   *keys;			/* of its buckets, one a table */
} Member;

typedef struct PairSearch
{
	HxIndexRows rows;
	IndexFetchTableData *fetch;
	LshMetric	metric;
	LshCache   *cache;
	double		radius;
	HxPairsEmit emit;
	void	   *context;
	MemoryContext memory;		/* of the bucket, or of the row that looks for others */

	/* The entries of a bucket page and its long buckets. */
	Entry	   *entries;
	Size		count;
	Size		room;
	Size		run;			/* entries of the last key */
	uint64		oversized;		/* buckets left out */
} PairSearch;

/* What is done with the entries of one bucket, sorted by TID. */
typedef void (*Work) (PairSearch *search, const Entry *entries, Size count);

/* The value of a row, if the snapshot sees it; in memory that lasts until the next one. */
static bool
read_key(PairSearch *search, uint64 number, Datum *key)
{
	ItemPointerData tid = lsh_tid(number);
	bool		call_again = false;
	bool		all_dead = false;

	return table_index_fetch_tuple(search->fetch, &tid, search->rows.snapshot, search->rows.slot,
								   &call_again, &all_dead) &&
		hx_index_rows_key(&search->rows, key);
}

/* LshTake: notes an entry, but not all of a bucket that is too large. */
static bool
take_entry(uint32 key, const LshRow *row, BlockNumber blk, void *context)
{
	PairSearch *search = context;

	search->run = search->count > 0 && search->entries[search->count - 1].key == key ?
		search->run + 1 : 1;
	if (search->run > MAX_BUCKET + 1)
		return true;
	if (search->count == search->room)
	{
		search->room *= 2;
		search->entries = repalloc_huge(search->entries, mul_size(search->room, sizeof(Entry)));
	}
	search->entries[search->count++] = (Entry) {key, lsh_tid_number(&row->tid)};
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	const Entry *x = a;
	const Entry *y = b;

	if (x->key != y->key)
		return x->key > y->key ? 1 : -1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* Reads a row of the bucket at hand: its value and its keys. */
static bool
read_member(PairSearch *search, uint64 tid, Member *member)
{
	const HxLsh *lsh = lsh_cache_functions(search->cache);
	uint32		tables = search->cache->shape.tables;
	uint64		keys[HX_LSH_MAX_TABLES];
	Datum		key;

	if (!read_key(search, tid, &key))
		return false;
	member->tid = tid;
	member->key = datumCopy(key, false, -1);
	member->value = lsh_value(search->metric, member->key);
	member->keys = palloc(tables * sizeof(uint32));
	hx_lsh_keys(lsh, member->value.point, palloc(hx_lsh_scratch(lsh)), keys);
	for (uint32 table = 0; table < tables; table++)
		member->keys[table] = lsh_key(search->cache->table_bits, table, keys[table]);
	if (search->metric == LSH_JACCARD)
		lsh_value_sort(&member->value);
	return true;
}

/* Is the bucket the first one that both rows are in? */
static bool
meet_first(const PairSearch *search, const Member *a, const Member *b, uint32 key)
{
	uint32		table = 0;

	while (table < search->cache->shape.tables && a->keys[table] != b->keys[table])
		table++;
	return table < search->cache->shape.tables && a->keys[table] == key;
}

/* Emits a pair of rows if they are near enough, as the operator says. */
static void
emit_if_near(PairSearch *search, const Member *a, const Member *b)
{
	ItemPointerData first = lsh_tid(a->tid);
	ItemPointerData second = lsh_tid(b->tid);

	/* Sets are compared by the hashes of their elements, far faster than the operator does. */
	if (!(lsh_value_distance(search->metric, &a->value, &b->value) <= search->radius))
		return;

	double		distance = hx_index_rows_distance(&search->rows, a->key, b->key);

	if (distance <= search->radius)
		search->emit(search->context, first, second, distance);
}

/* All pairs of a bucket. */
static void
join_bucket(PairSearch *search, const Entry *entries, Size count)
{
	Member	   *members = palloc(count * sizeof(Member));
	Size		found = 0;

	if (count == 1)
		return;

	for (Size i = 0; i < count; i++)
	{
		/* An entry comes twice when vacuum was at work on the bucket. */
		if ((i == 0 || entries[i].tid != entries[i - 1].tid) &&
			read_member(search, entries[i].tid, &members[found]))
			found++;
	}
	for (Size i = 0; i < found; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (Size j = i + 1; j < found; j++)
		{
			if (meet_first(search, &members[i], &members[j], entries[0].key))
				emit_if_near(search, &members[i], &members[j]);
		}
	}
}

/* LshSource's candidates of one row, with greater TIDs. */
static void
join_row(PairSearch *search, uint64 tid)
{
	LshRange   *range = palloc0(sizeof(LshRange));
	LshSource	source = {
		.index = search->rows.index,
		.context = search->memory,
		.cache = search->cache,
		.metric = search->metric,
		.ranges = range,
		.range_count = 1,
	};
	Member		row;
	Member		other;

	if (!read_member(search, tid, &row))
		return;
	range->ball = (LshBall) {.centre = row.value,.radius = search->radius};
	lsh_source_start(&source);
	while (source.found.count > 0 || lsh_source_next_round(&source))
	{
		uint64		candidate = source.found.count > 0 ? lsh_heap_pop(&source.found).tid : 0;

		CHECK_FOR_INTERRUPTS();
		if (candidate > tid && read_member(search, candidate, &other))
			emit_if_near(search, &row, &other);
	}
}

/* All rows of a bucket of table 0, each by itself. */
static void
join_rows(PairSearch *search, const Entry *entries, Size count)
{
	for (Size i = 0; i < count; i++)
	{
		if (i > 0 && entries[i].tid == entries[i - 1].tid)
			continue;
		join_row(search, entries[i].tid);
		MemoryContextReset(search->memory);
	}
}

/* Works on the entries at hand, bucket by bucket. */
static void
work_on_buckets(PairSearch *search, Work work)
{
	MemoryContext old = MemoryContextSwitchTo(search->memory);
	Size		begin = 0;

	qsort(search->entries, search->count, sizeof(Entry), compare_entries);
	for (Size i = 1; i <= search->count; i++)
	{
		if (i < search->count && search->entries[i].key == search->entries[begin].key)
			continue;
		if (i - begin > MAX_BUCKET)
			search->oversized++;
		else
			work(search, search->entries + begin, i - begin);
		MemoryContextReset(search->memory);
		begin = i;
	}
	MemoryContextSwitchTo(old);
}

/* Works on the buckets up to that key, a bucket page and what it refers to at a time. */
static void
walk(PairSearch *search, uint32 last, Work work)
{
	int			row_bytes = search->cache->row_bytes;
	uint32		key = 0;
	uint32		high;

	do
	{
		Buffer		buf = lsh_find(search->rows.index, row_bytes, key, BUFFER_LOCK_SHARE);

		high = lsh_buckets(BufferGetPage(buf))->high;
		UnlockReleaseBuffer(buf);
		search->count = 0;
		lsh_buckets_read(search->rows.index, row_bytes, key, Min(high, last), take_entry, search);
		work_on_buckets(search, work);
		key = high + 1;
	} while (high < last);
}

void
lsh_pairs(Relation heap, Relation index, double radius, HxPairsEmit emit, void *context)
{
	LshCache   *cache = lsh_cache(index);
	PairSearch	search = {
		.metric = lsh_metric(index),
		.radius = radius,
		.emit = emit,
		.context = context,
	};

	if (cache->shape.tables == 0)
		return;

	/* The relcache may forget its own while rows are read. */
	search.cache = palloc(cache->size);
	memcpy(search.cache, cache, cache->size);
	search.room = 4 * LSH_MAX_ROWS;
	search.entries = palloc(search.room * sizeof(Entry));
	search.memory = AllocSetContextCreate(CurrentMemoryContext, "hashidx_lsh pairs",
										ALLOCSET_DEFAULT_SIZES);
	hx_index_rows_open(&search.rows, heap, index);
	search.fetch = table_index_fetch_begin(heap);

	if (hx_lsh_curve_recall(&search.cache->shape, &search.cache->curve, radius,
							search.cache->shape.tables) >= lsh_range_recall(hx_guc_recall()))
		walk(&search, LSH_MAX_KEY, join_bucket);
	else
		walk(&search, lsh_last_key(search.cache->table_bits), join_rows);

	table_index_fetch_end(search.fetch);
	hx_index_rows_close(&search.rows);
	MemoryContextDelete(search.memory);
	if (search.oversized > 0)
		ereport(WARNING,
				(errmsg_plural("%llu bucket of index \"%s\" was left out",
							   "%llu buckets of index \"%s\" were left out",
							   (unsigned long long) search.oversized,
							   (unsigned long long) search.oversized,
							   RelationGetRelationName(index)),
				 errdetail("Only buckets of at most %d rows are compared row by row.", MAX_BUCKET),
				 errhint("More bits or rows of a band make smaller buckets.")));
}
