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
 * and reported, and its pairs get another chance in the tables that follow. So memory is that
 * of MAX_VALUES values, and a few bytes for each row of the largest bucket.
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
	MemoryContext row_memory;	/* of a row whose value may be known already */

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

/* Emits a pair of rows if they are near enough, as the operator says. */
static void
emit_if_near(PairSearch *search, const Member *a, const Member *b)
{
	ItemPointerData first = lsh_tid(a->tid);
	ItemPointerData second = lsh_tid(b->tid);

	/* Sets are compared by the hashes of their elements, far faster than the operator does. */
	if (sizes_differ(search, &a->value.point, &b->value.point) ||
		!(lsh_value_distance(search->metric, &a->value, &b->value) <= search->radius))
		return;

	double		distance = hx_index_rows_distance(&search->rows, a->key, b->key);

	if (distance <= search->radius)
		search->emit(search->context, first, second, distance);
}

/* All pairs of a bucket's members. */
static void
join_members(PairSearch *search, const Member *members, Size count, uint32 key)
{
	for (Size i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (Size j = i + 1; j < count; j++)
		{
			if (meet_first(search, &members[i], &members[j], key))
				emit_if_near(search, &members[i], &members[j]);
		}
	}
}

/* Different values, by their bytes: those of members, by number. */
typedef struct KnownValue
{
	const Member *member;
	uint32		hash;
	char		status;
} KnownValue;

static const uint8 *
value_bytes(LshMetric metric, const Member *member, Size *size)
{
	*size = lsh_value_size(metric, &member->value);
	return member->value.point.code;
}

static uint32
hash_value(LshMetric metric, const Member *member)
{
	Size		size;
	const uint8 *bytes = value_bytes(metric, member, &size);

	return hash_bytes(bytes, (int) size);
}

static bool
equal_values(LshMetric metric, const Member *a, const Member *b)
{
	Size		size_a;
	Size		size_b;
	const uint8 *bytes_a = value_bytes(metric, a, &size_a);
	const uint8 *bytes_b = value_bytes(metric, b, &size_b);

	return size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0;
}

#define TABLE_METRIC(table) (*(const LshMetric *) (table)->private_data)

#define SH_PREFIX known
#define SH_ELEMENT_TYPE KnownValue
#define SH_KEY_TYPE const Member *
#define SH_KEY member
#define SH_HASH_KEY(tb, key) hash_value(TABLE_METRIC(tb), key)
#define SH_EQUAL(tb, a, b) equal_values(TABLE_METRIC(tb), a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The rows of a crowded bucket: one member for each value, and whose value each row has. */
typedef struct Crowd
{
	Member		members[MAX_VALUES];
	uint32		count;
	uint32	   *owners;			/* member of each entry, or NOT_SEEN */
} Crowd;

#define NOT_SEEN PG_UINT32_MAX

/* Finds the member that has a row's value, or makes the row one; false: there are too many. */
static bool
find_owner(PairSearch *search, known_hash *known, Crowd *crowd, uint64 tid, uint32 *owner)
{
	MemoryContext old = MemoryContextSwitchTo(search->row_memory);
	Member		row;
	bool		is_seen = read_value(search, tid, &row);
	KnownValue *value = is_seen ? known_lookup(known, &row) : NULL;

	*owner = value != NULL ? (uint32) (value->member - crowd->members) : NOT_SEEN;
	MemoryContextSwitchTo(old);
	MemoryContextReset(search->row_memory);
	if (!is_seen || value != NULL)
		return true;
	if (crowd->count == MAX_VALUES)
		return false;

	/* Once more, for memory that lasts. */
	Member	   *member = &crowd->members[crowd->count];
	bool		found;

	if (!read_value(search, tid, member))
		elog(ERROR, "a row of the snapshot is not to be seen any more");
	add_keys(search, member);
	known_insert(known, member, &found);
	*owner = crowd->count++;
	return true;
}

/* Reads a crowded bucket; NULL: it has too many values. */
static Crowd *
read_crowd(PairSearch *search, const Entry *entries, Size count)
{
	Crowd	   *crowd = palloc(sizeof(Crowd));
	known_hash *known = known_create(CurrentMemoryContext, 256, &search->metric);

	crowd->count = 0;
	crowd->owners = palloc_extended(mul_size(count, sizeof(uint32)), MCXT_ALLOC_HUGE);
	for (Size i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		crowd->owners[i] = NOT_SEEN;
		if ((i == 0 || entries[i].tid != entries[i - 1].tid) &&
			!find_owner(search, known, crowd, entries[i].tid, &crowd->owners[i]))
			return NULL;
	}
	return crowd;
}

/* Is the entry's row one that others of its value are paired with? */
static bool
is_owner(const Crowd *crowd, const Entry *entries, Size i)
{
	return crowd->owners[i] != NOT_SEEN &&
		crowd->members[crowd->owners[i]].tid == entries[i].tid;
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
	const uint32 key = entries[0].key;
	const Crowd *crowd = read_crowd(search, entries, count);
	bool		is_crowded = false;

	if (crowd == NULL)
	{
		leave_out(search, key, count);
		return;
	}
	for (Size i = 0; i < count; i++)
	{
		if (crowd->owners[i] == NOT_SEEN || is_owner(crowd, entries, i))
			continue;

		const Member *owner = &crowd->members[crowd->owners[i]];
		Member		row = *owner;

		row.tid = entries[i].tid;
		if (meet_first(search, owner, &row, key))
			emit_if_near(search, owner, &row);
		is_crowded = true;
	}
	join_members(search, crowd->members, crowd->count, key);
	search->crowded += is_crowded;
}

/* All pairs of a bucket. */
static void
join_bucket(PairSearch *search, Entry *entries, Size count)
{
	Member	   *members;
	Size		found = 0;

	if (count == 1)
		return;
	if (count > MAX_ROWS)
	{
		join_crowd(search, entries, count);
		return;
	}
	members = palloc(count * sizeof(Member));
	for (Size i = 0; i < count; i++)
	{
		/* An entry comes twice when vacuum was at work on the bucket. */
		if ((i > 0 && entries[i].tid == entries[i - 1].tid) ||
			!read_value(search, entries[i].tid, &members[found]))
			continue;
		add_keys(search, &members[found++]);
	}
	join_members(search, members, found, entries[0].key);
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
	MemoryContextDelete(search.row_memory);
}
