/*
 * lsh_join.c
 *	  All pairs of rows within a radius of each other, for hashidx_pairs().
 *
 * The buckets are walked once, in the order of keys. Rows of one bucket are candidates of
 * each other: their values are read from the table, and a pair is emitted by the first
 * table in which both have the same key, so once, without remembering any pair.
 *
 * In a crowded bucket equal rows are paired with the first of them only, which then stands
 * for all: so a million equal rows are as many pairs, and in the same group. If more than
 * MAX_VALUES different values are left, the bucket says nothing about likeness: it is left out
 * and reported, and its pairs get another chance in the tables that follow.
 *
 * Of the values of a bucket as many are kept as work_mem holds, and compared with each other and
 * with those that follow, which are read one by one; then the next ones are kept. Beside these,
 * memory is a few bytes for each row of the largest bucket.
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
#include "common/hashfn.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/memutils.h"

/* A bucket of more rows is crowded; so many values of it are compared with each other. */
#define MAX_ROWS 2000
#define MAX_VALUES 10000

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
	BlockNumber heap_blocks;	/* the table has at least as many; 0 at first */
	LshMetric	metric;
	LshCache   *cache;
	double		radius;
	HxPairsEmit emit;
	void	   *context;
	MemoryContext memory;		/* of the bucket, or of the row that looks for others */
	MemoryContext block_memory; /* of the members that are kept */
	MemoryContext row_memory;	/* of one row */

	/* The entries of a bucket page and its long buckets. */
	Entry	   *entries;
	Size		count;
	Size		room;

	/* Buckets left out: their keys, ascending, and how many entries they have. */
	uint32	   *left_out;
	Size		left_out_count;
	Size		left_out_room;
	uint64		left_out_entries;
	uint64		crowded;		/* buckets in which a row stands for equal ones */
} PairSearch;

/* What is done with the entries of one bucket, sorted by TID. */
typedef void (*Work) (PairSearch *search, Entry *entries, Size count);

/* The value of a row, if the snapshot sees it; in memory that lasts until the next one. */
static bool
read_key(PairSearch *search, uint64 number, Datum *key)
{
	ItemPointerData tid = lsh_checked_tid(search->rows.index, search->rows.heap,
										  &search->heap_blocks, number, false);
	bool		call_again = false;
	bool		all_dead = false;

	return table_index_fetch_tuple(search->fetch, &tid, search->rows.snapshot, search->rows.slot,
								   &call_again, &all_dead) &&
		hx_index_rows_key(&search->rows, key);
}

/* LshTake: notes an entry. */
static bool
take_entry(uint32 key, const LshRow *row, BlockNumber blk, void *context)
{
	PairSearch *search = context;

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

/* Reads the value of a row of the bucket at hand; false: it is not to be seen. */
static bool
read_value(PairSearch *search, uint64 tid, Member *member)
{
	Datum		key;

	if (!read_key(search, tid, &key))
		return false;
	member->tid = tid;
	member->key = datumCopy(key, false, -1);
	member->value = lsh_value(search->metric, member->key);
	if (search->metric == LSH_JACCARD)
		lsh_value_sort(&member->value);
	return true;
}

/* Adds the keys of its buckets. */
static void
add_keys(PairSearch *search, Member *member)
{
	const HxLsh *lsh = lsh_cache_functions(search->cache);
	uint32		tables = search->cache->shape.tables;
	uint64		keys[HX_LSH_MAX_TABLES];

	member->keys = palloc(tables * sizeof(uint32));
	hx_lsh_keys(lsh, member->value.point, palloc(hx_lsh_scratch(lsh)), keys);
	for (uint32 table = 0; table < tables; table++)
		member->keys[table] = lsh_key(search->cache->table_bits, table, keys[table]);
}

static int
compare_keys(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

static bool
is_left_out(const PairSearch *search, uint32 key)
{
	return bsearch(&key, search->left_out, search->left_out_count, sizeof(uint32),
				   compare_keys) != NULL;
}

/* Is the bucket the first one that both rows are in, of those that are not left out? */
static bool
meet_first(const PairSearch *search, const Member *a, const Member *b, uint32 key)
{
	for (uint32 table = 0; table < search->cache->shape.tables; table++)
	{
		if (a->keys[table] == b->keys[table] && !is_left_out(search, a->keys[table]))
			return a->keys[table] == key;
	}
	return false;
}

/* Are the sizes of two sets so different that they cannot be near enough? */
static bool
sizes_differ(const PairSearch *search, const HxLshPoint *a, const HxLshPoint *b)
{
	Size		less = Min(a->count, b->count);
	Size		more = Max(a->count, b->count);

	return search->metric == LSH_JACCARD && more > 0 &&
		(double) (more - less) / more > search->radius;
}

/* Are two rows near enough, as the operator says? */
static bool
is_near(PairSearch *search, const Member *a, const Member *b, double *distance)
{
	/* Sets are compared by the hashes of their elements, far faster than the operator does. */
	if (sizes_differ(search, &a->value.point, &b->value.point) ||
		!(lsh_value_distance(search->metric, &a->value, &b->value) <= search->radius))
		return false;
	*distance = hx_index_rows_distance(&search->rows, a->key, b->key);
	return *distance <= search->radius;
}

/* Emits a pair of rows if they are near enough. */
static void
emit_if_near(PairSearch *search, const Member *a, const Member *b)
{
	double		distance;

	if (is_near(search, a, b, &distance))
		search->emit(search->context, lsh_tid(a->tid), lsh_tid(b->tid), distance);
}

/* Makes members of the rows from `begin` on, as many as work_mem holds; where they end. */
static Size
read_members(PairSearch *search, const uint64 *tids, Size begin, Size end, Member *members,
			 Size *count)
{
	Size		i = begin;
	MemoryContext old;

	MemoryContextReset(search->block_memory);
	old = MemoryContextSwitchTo(search->block_memory);
	*count = 0;
	do
	{
		CHECK_FOR_INTERRUPTS();
		if (read_value(search, tids[i], &members[*count]))
			add_keys(search, &members[(*count)++]);
	} while (++i < end &&
			 MemoryContextMemAllocated(search->block_memory, true) < (Size) work_mem * 1024);
	MemoryContextSwitchTo(old);
	return i;
}

/* The pairs of some members with one row of the same bucket, which comes after them. */
static void
join_row_with(PairSearch *search, const Member *members, Size count, uint64 tid, uint32 key)
{
	MemoryContext old = MemoryContextSwitchTo(search->row_memory);
	Member		row;

	CHECK_FOR_INTERRUPTS();
	if (read_value(search, tid, &row))
	{
		add_keys(search, &row);
		for (Size i = 0; i < count; i++)
		{
			if (meet_first(search, &members[i], &row, key))
				emit_if_near(search, &members[i], &row);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(search->row_memory);
}

/* All pairs of some rows of a bucket, each of which comes once. */
static void
join_rows_of_bucket(PairSearch *search, const uint64 *tids, Size count, uint32 key)
{
	Member	   *members = palloc(count * sizeof(Member));
	Size		kept;

	for (Size begin = 0, end; begin < count; begin = end)
	{
		end = read_members(search, tids, begin, count, members, &kept);
		for (Size i = 0; i < kept; i++)
		{
			CHECK_FOR_INTERRUPTS();
			for (Size j = i + 1; j < kept; j++)
			{
				if (meet_first(search, &members[i], &members[j], key))
					emit_if_near(search, &members[i], &members[j]);
			}
		}
		for (Size i = end; i < count; i++)
			join_row_with(search, members, kept, tids[i], key);
	}
}

/* What tells values apart: as good as their bytes, of so few. */
typedef struct ValueId
{
	uint64		low;
	uint64		high;
} ValueId;

/* A value that is known, by the number that it has. */
typedef struct KnownValue
{
	ValueId		id;
	uint32		number;
	char		status;
} KnownValue;

static ValueId
value_id(LshMetric metric, const LshValue *value)
{
	const uint8 *bytes = value->point.code;
	int			size = (int) lsh_value_size(metric, value);

	return (ValueId) {hash_bytes_extended(bytes, size, 1), hash_bytes_extended(bytes, size, 2)};
}

#define SH_PREFIX known
#define SH_ELEMENT_TYPE KnownValue
#define SH_KEY_TYPE ValueId
#define SH_KEY id
#define SH_HASH_KEY(tb, key) ((uint32) (key).low)
#define SH_EQUAL(tb, a, b) ((a).low == (b).low && (a).high == (b).high)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A value of a crowded bucket. */
typedef struct CrowdValue
{
	uint64		tid;			/* its owner, the first row that has it */
	bool		is_paired;		/* with rows that are equal, in this bucket */
	double		distance;		/* of equal rows */
} CrowdValue;

/* The rows of a crowded bucket: its values, and which of them each row has. */
typedef struct Crowd
{
	CrowdValue	values[MAX_VALUES];
	uint32		count;
	uint32	   *owners;			/* number of each entry's value, or NOT_SEEN */
} Crowd;

#define NOT_SEEN PG_UINT32_MAX

/* Notes a value that was not known, and the row in hand as its owner. */
static void
add_value(PairSearch *search, Crowd *crowd, Member *row, uint32 key)
{
	CrowdValue *value = &crowd->values[crowd->count++];

	add_keys(search, row);
	value->tid = row->tid;
	value->is_paired = meet_first(search, row, row, key) &&
		is_near(search, row, row, &value->distance);
}

/* Finds the number of a row's value, which may be a new one; false: there are too many. */
static bool
find_owner(PairSearch *search, known_hash *known, Crowd *crowd, const Entry *entry, uint32 *number)
{
	MemoryContext old = MemoryContextSwitchTo(search->row_memory);
	bool		found = true;
	Member		row;

	*number = NOT_SEEN;
	if (read_value(search, entry->tid, &row))
	{
		KnownValue *value = known_insert(known, value_id(search->metric, &row.value), &found);

		if (!found)
			value->number = crowd->count;
		*number = value->number;
		if (!found && crowd->count < MAX_VALUES)
		{
			add_value(search, crowd, &row, entry->key);
			found = true;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(search->row_memory);
	return found;
}

/* Reads a crowded bucket; NULL: it has too many values. */
static Crowd *
read_crowd(PairSearch *search, const Entry *entries, Size count)
{
	Crowd	   *crowd = palloc(sizeof(Crowd));
	known_hash *known = known_create(CurrentMemoryContext, 256, NULL);

	crowd->count = 0;
	crowd->owners = palloc_extended(mul_size(count, sizeof(uint32)), MCXT_ALLOC_HUGE);
	for (Size i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		crowd->owners[i] = NOT_SEEN;
		if ((i == 0 || entries[i].tid != entries[i - 1].tid) &&
			!find_owner(search, known, crowd, &entries[i], &crowd->owners[i]))
			return NULL;
	}
	return crowd;
}

/* Is the entry's row one that others of its value are paired with? */
static bool
is_owner(const Crowd *crowd, const Entry *entries, Size i)
{
	return crowd->owners[i] != NOT_SEEN &&
		crowd->values[crowd->owners[i]].tid == entries[i].tid;
}

/* Leaves a bucket out: it is the next one of the walk, so the keys are in order. */
static void
leave_out(PairSearch *search, uint32 key, Size entries)
{
	if (search->left_out_count == search->left_out_room)
	{
		search->left_out_room *= 2;
		search->left_out = repalloc_huge(search->left_out,
										 mul_size(search->left_out_room, sizeof(uint32)));
	}
	search->left_out[search->left_out_count++] = key;
	search->left_out_entries += entries;
}

/* The pairs of a crowded bucket: of its values, and of each with the rows that are equal to it. */
static void
join_crowd(PairSearch *search, const Entry *entries, Size count)
{
	const Crowd *crowd = read_crowd(search, entries, count);
	bool		is_crowded = false;
	uint64	   *tids;

	if (crowd == NULL)
	{
		leave_out(search, entries[0].key, count);
		return;
	}
	for (Size i = 0; i < count; i++)
	{
		if (crowd->owners[i] == NOT_SEEN || is_owner(crowd, entries, i))
			continue;

		const CrowdValue *value = &crowd->values[crowd->owners[i]];

		if (value->is_paired)
			search->emit(search->context, lsh_tid(value->tid), lsh_tid(entries[i].tid),
						 value->distance);
		is_crowded = true;
	}
	search->crowded += is_crowded;

	tids = palloc(Max(crowd->count, 1) * sizeof(uint64));
	for (uint32 i = 0; i < crowd->count; i++)
		tids[i] = crowd->values[i].tid;
	join_rows_of_bucket(search, tids, crowd->count, entries[0].key);
}

/* All pairs of a bucket. */
static void
join_bucket(PairSearch *search, Entry *entries, Size count)
{
	uint64	   *tids;
	Size		rows = 0;

	if (count == 1)
		return;
	if (count > MAX_ROWS)
	{
		join_crowd(search, entries, count);
		return;
	}
	tids = palloc(count * sizeof(uint64));
	for (Size i = 0; i < count; i++)
	{
		/* An entry comes twice when vacuum was at work on the bucket. */
		if (i == 0 || entries[i].tid != entries[i - 1].tid)
			tids[rows++] = entries[i].tid;
	}
	join_rows_of_bucket(search, tids, rows, entries[0].key);
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

	if (!read_value(search, tid, &row))
		return;
	range->ball = (LshBall) {.centre = row.value,.radius = search->radius};
	lsh_source_start(&source);
	while (source.found.count > 0 || lsh_source_next_round(&source))
	{
		uint64		candidate = source.found.count > 0 ? lsh_heap_pop(&source.found).tid : 0;
		MemoryContext old = MemoryContextSwitchTo(search->row_memory);

		CHECK_FOR_INTERRUPTS();
		if (candidate > tid && read_value(search, candidate, &other))
			emit_if_near(search, &row, &other);
		MemoryContextSwitchTo(old);
		MemoryContextReset(search->row_memory);
	}
}

/* Of a crowded bucket, moves the first entry of each value to the front; how many they are. */
static Size
keep_owners(PairSearch *search, Entry *entries, Size count)
{
	const Crowd *crowd = read_crowd(search, entries, count);
	Size		kept = 0;

	if (crowd == NULL)
		return count;
	for (Size i = 0; i < count; i++)
	{
		if (is_owner(crowd, entries, i))
			entries[kept++] = entries[i];
	}
	search->crowded++;
	return kept;
}

/* All rows of a bucket of table 0, each by itself; of equal ones in a crowd only the first. */
static void
join_rows(PairSearch *search, Entry *entries, Size count)
{
	if (count > MAX_ROWS)
		count = keep_owners(search, entries, count);
	for (Size i = 0; i < count; i++)
	{
		MemoryContextReset(search->memory);
		if (i == 0 || entries[i].tid != entries[i - 1].tid)
			join_row(search, entries[i].tid);
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

/* Tells what is not among the pairs. */
static void
report_crowds(const PairSearch *search)
{
	const char *name = RelationGetRelationName(search->rows.index);

	if (search->crowded > 0)
		ereport(NOTICE,
				(errmsg_plural("equal rows in %llu bucket of index \"%s\" were paired with the first of them only",
							   "equal rows in %llu buckets of index \"%s\" were paired with the first of them only",
							   (unsigned long) search->crowded,
							   (unsigned long long) search->crowded, name),
				 errdetail("That is done in buckets of more than %d rows.", MAX_ROWS)));
	if (search->left_out_count > 0)
		ereport(WARNING,
				(errmsg_plural("%llu bucket of index \"%s\" was left out",
							   "%llu buckets of index \"%s\" were left out",
							   (unsigned long) search->left_out_count,
							   (unsigned long long) search->left_out_count, name),
				 errdetail("With %llu rows, and more than %d different values in each, they say nothing about likeness; pairs that meet in no other bucket are missing.",
						   (unsigned long long) search->left_out_entries, MAX_VALUES),
				 errhint("More bits or rows of a band make smaller buckets.")));
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
	search.left_out_room = 16;
	search.left_out = palloc(search.left_out_room * sizeof(uint32));
	search.memory = AllocSetContextCreate(CurrentMemoryContext, "hashidx_lsh pairs",
										  ALLOCSET_DEFAULT_SIZES);
	search.block_memory = AllocSetContextCreate(CurrentMemoryContext, "hashidx_lsh pairs members",
												ALLOCSET_DEFAULT_SIZES);
	search.row_memory = AllocSetContextCreate(CurrentMemoryContext, "hashidx_lsh pairs row",
											  ALLOCSET_DEFAULT_SIZES);
	hx_index_rows_open(&search.rows, heap, index);
	search.fetch = hx_table_fetch_begin(heap);

	if (hx_lsh_curve_recall(&search.cache->shape, &search.cache->curve, radius,
							search.cache->shape.tables) >= lsh_range_recall(hx_guc_recall()))
		walk(&search, LSH_MAX_KEY, join_bucket);
	else
		walk(&search, lsh_last_key(search.cache->table_bits), join_rows);

	report_crowds(&search);
	table_index_fetch_end(search.fetch);
	hx_index_rows_close(&search.rows);
	MemoryContextDelete(search.memory);
	MemoryContextDelete(search.block_memory);
	MemoryContextDelete(search.row_memory);
}
