/*
 * lsh_estimate.c
 *	  How many rows lie near a set, for the planner: the set's own buckets are read, as a
 *	  scan would, and what the sketches of their rows tell is enough; the table is not looked at.
 */
#include "am/lsh/lsh.h"

#include "am/lsh/lsh_bucket.h"
#include "am/lsh/lsh_candidates.h"
#include "am/lsh/lsh_value.h"
#include "hash/lsh_census.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* Rows of a bucket that is read; one that has more tells too little for the time it takes. */
#define MOST_ROWS 2000

/* The rows met, as often as they were. */
typedef struct Meeting
{
	HxLshQuery *query;
	LshCandidate *rows;
	int			count;
	int			most;			/* rows, the bucket at hand included */
} Meeting;

/* LshTake. */
static bool
take(uint32 key, const LshRow *row, BlockNumber blk, void *context)
{
	Meeting    *meeting = context;

	if (meeting->count == meeting->most)
		return false;
	meeting->rows[meeting->count++] = (LshCandidate) {
		.distance = hx_lsh_sketch_distance(meeting->query, row->sketch),
		.tid = lsh_tid_number(&row->tid),
	};
	return true;
}

/* Reads the value's own buckets; returns how many of them were not too large. */
static int
meet_rows(Meeting *meeting, Relation index, const LshCache *cache, HxLshPoint point)
{
	const HxLsh *lsh = lsh_cache_functions(cache);
	uint64	   *keys = palloc(cache->shape.tables * sizeof(uint64));
	int			tables = 0;

	hx_lsh_keys(lsh, point, palloc(hx_lsh_scratch(lsh)), keys);
	meeting->rows = palloc(cache->shape.tables * MOST_ROWS * sizeof(LshCandidate));
	for (int t = 0; t < cache->shape.tables; t++)
	{
		int			before = meeting->count;

		meeting->most = before + MOST_ROWS;
		if (lsh_bucket_read(index, cache->row_bytes, lsh_key(cache->table_bits, t, keys[t]), take,
							meeting))
			tables++;
		else
			meeting->count = before;
	}
	return tables;
}

static int
compare_tids(const void *a, const void *b)
{
	uint64		x = ((const LshCandidate *) a)->tid;
	uint64		y = ((const LshCandidate *) b)->tid;

	return (x > y) - (x < y);
}

/* Each row once, with the number of tables it was met in; returns how many there are. */
static Size
count_tables(Meeting *meeting, HxLshMet *met)
{
	Size		count = 0;

	qsort(meeting->rows, meeting->count, sizeof(LshCandidate), compare_tids);
	for (int i = 0; i < meeting->count; i++)
	{
		if (i == 0 || meeting->rows[i].tid != meeting->rows[i - 1].tid)
			met[count++] = (HxLshMet) {.distance = meeting->rows[i].distance};
		met[count - 1].tables++;
	}
	return count;
}

double
lsh_rows_within(Relation index, Datum query, double *radius)
{
	LshCache   *cache = lsh_cache(index);
	double		rows = -1;

	/* A set with NULL has no distance, and rows that no function tells apart no bucket. */
	if (lsh_metric(index) != LSH_JACCARD || cache->shape.tables == 0 ||
		array_contains_nulls(DatumGetArrayTypeP(query)))
		return rows;

	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_lsh estimate",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxMemory	memory = hx_am_memory(context);
	LshValue	value = lsh_value(LSH_JACCARD, query);
	Meeting		meeting = {0};

	/* The relcache may forget its own while pages are read. */
	cache = memcpy(palloc(cache->size), cache, cache->size);
	meeting.query = hx_lsh_query(lsh_cache_functions(cache), value.point, &memory);

	int			tables = meet_rows(&meeting, index, cache, value.point);

	if (tables > 0)
	{
		HxLshMet   *met = palloc0((meeting.count + 1) * sizeof(HxLshMet));
		Size		count = count_tables(&meeting, met);

		rows = hx_lsh_census(&cache->shape, tables, value.point.count, met, count, &memory, radius);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return rows;
}
