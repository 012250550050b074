/*
 * hamming_nearest.c
 *	  The nearest rows to many queries at once, for hashidx_knn_join().
 *
 * A pass visits each codes page once and compares it with every query; each query has its own
 * collector. A query that has too few visible rows among its entries takes part in another pass,
 * which begins where the one before ended for it.
 */
#include "am/hamming/hamming_collect.h"
#include "am/hamming/hamming_copy.h"

#include "kernel/kernel.h"
#include "miscadmin.h"
#include "type/bincode.h"

/* Entries kept beyond k, for rows that do not count. */
#define SPARE_ENTRIES 6

/* Queries of a block, at most. */
#define MOST_QUERIES 65536

typedef struct NearestQuery
{
	const uint8 *code;
	HammingCollector collector;
	int			missing;		/* rows still to be found */
} NearestQuery;

typedef struct NearestSearch
{
	HammingSource source;
	NearestQuery *queries;		/* those of a pass come first */
	int		   *number;			/* of the query, in the caller's order */
	HammingCopy copy;			/* the page in hand */
	uint16		position[HAMMING_MAX_CODES + 16];
	uint16		distance[HAMMING_MAX_CODES + 16];
} NearestSearch;

/* Entries that a query keeps in a pass. */
static int
entries_kept(int k)
{
	Size		most = (Size) work_mem * 1024 / hamming_collector_row_size(0);

	return Max(Min(Min((Size) k + SPARE_ENTRIES, most), HAMMING_MAX_WANT), 1);
}

int
hamming_nearest_block(int k)
{
	Size		bytes = entries_kept(k) * hamming_collector_row_size(0) + sizeof(NearestQuery);
	Size		most = (Size) work_mem * 1024 / bytes;

	return Max(Min(most, MOST_QUERIES), 1);
}

/* Offers the rows of one code of the page in hand to a query. */
static void
offer_run(const NearestSearch *search, NearestQuery *query, int code, unsigned distance)
{
	const HammingCopy *copy = &search->copy;

	for (int i = copy->first[code]; i < copy->first[code + 1]; i++)
	{
		bool		continues;
		HammingRow	row = hamming_view_row(&copy->view, i, &continues);
		uint64		key = hamming_key(distance, &row.tid);

		if (hamming_collector_wants(&query->collector, key))
			hamming_collector_take(&query->collector, key, row.payload, false, NULL);
	}
}

/* Compares the page in hand with one query. */
static void
meet_query(NearestSearch *search, NearestQuery *query)
{
	unsigned	limit = hamming_key_distance(query->collector.limit);
	unsigned	count = hx_kernels->hamming_select(&search->copy.view.planes, query->code, limit,
												   search->position, search->distance);

	for (unsigned i = 0; i < count; i++)
		offer_run(search, query, search->position[i], search->distance[i]);
}

/* One pass over all codes pages, for the first `active` queries. */
static void
pass(NearestSearch *search, int active)
{
	int			extent_count;
	HammingExtent *extents = hamming_codes_extents(search->source.index, &extent_count);

	for (int e = 0; e < extent_count; e++)
		for (BlockNumber n = 0; n < extents[e].count; n++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!hamming_copy_codes(&search->source, extents[e].first + n, &search->copy))
				continue;
			for (int q = 0; q < active; q++)
				meet_query(search, &search->queries[q]);
		}
	pfree(extents);
}

/* Emits what a pass has found for a query; true when it needs another one. */
static bool
emit_found(NearestQuery *query, int number, HxNearestEmit emit, void *context)
{
	HammingCollector *collector = &query->collector;
	uint64		last = 0;

	hamming_collector_finish(collector);
	for (int i = 0; i < collector->count && query->missing > 0; i++)
	{
		last = collector->found[i].key;
		CHECK_FOR_INTERRUPTS();
		if (emit(context, number, hamming_key_tid(last), hamming_key_distance(last)))
			query->missing--;
	}
	if (query->missing == 0 || !collector->overflowed)
		return false;
	hamming_collector_start(collector, last);
	return true;
}

static void
start_queries(NearestSearch *search, const Datum *queries, int count, int k)
{
	search->queries = palloc_extended(mul_size(count, sizeof(NearestQuery)), MCXT_ALLOC_HUGE);
	search->number = palloc(count * sizeof(int));
	for (int q = 0; q < count; q++)
	{
		BincodeView code = hx_bincode_view(queries[q]);
		NearestQuery *query = &search->queries[q];

		hamming_check_bits(search->source.index, &search->source.shape, code.bits);
		query->code = code.bytes;
		query->missing = k;
		hamming_collector_init(&query->collector, entries_kept(k), 0);
		hamming_collector_start(&query->collector, 0);
		search->number[q] = q;
	}
}

void
hamming_nearest(Relation heap, Relation index, const Datum *queries, int count, int k,
				HxNearestEmit emit, void *context)
{
	NearestSearch *search = palloc0(sizeof(NearestSearch));
	int			active = count;

	search->source.heap = heap;
	search->source.index = index;
	search->source.shape = hamming_cache(index)->shape;
	search->source.is_listed = hamming_cache(index)->tables.chunks.count > 0;
	if (search->source.shape.bits == 0)
		return;					/* still empty */
	start_queries(search, queries, count, k);
	while (active > 0)
	{
		int			left = 0;

		pass(search, active);
		for (int q = 0; q < active; q++)
			if (emit_found(&search->queries[q], search->number[q], emit, context))
			{
				search->queries[left] = search->queries[q];
				search->number[left++] = search->number[q];
			}
		active = left;
	}
}
