/*
 * lsh_stats.c
 *	  What hashidx_index_stats() tells of an index of hashidx_lsh.
 */
#include "am/lsh/lsh.h"

#include "guc.h"
#include "miscadmin.h"

/* What is counted. */
typedef struct Counts
{
	double		rows;			/* of table 0 */
	double		entries;		/* of all tables */
	double		buckets;
	double		largest;		/* rows of a bucket */
	double		pages[HX_PAGE_KIND_LAST + 1];
	double		empty_pages;
} Counts;

static int
compare_keys(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

/* Rows and buckets of a bucket page; long buckets' references count as buckets alone. */
static void
count_buckets(const LshCache *cache, Page page, Counts *counts)
{
	uint32		keys[LSH_MAX_ROWS];
	int			count = lsh_buckets(page)->count;
	int			begin = 0;

	for (int i = 0; i < count; i++)
	{
		LshRow		row = lsh_buckets_row(page, cache->row_bytes, i);

		keys[i] = lsh_buckets(page)->keys[i];
		if (lsh_row_is_reference(&row))
			continue;
		counts->entries++;
		counts->rows += keys[i] <= lsh_last_key(cache->table_bits);
	}
	qsort(keys, count, sizeof(uint32), compare_keys);
	for (int i = 1; i <= count; i++)
	{
		if (i < count && keys[i] == keys[begin])
			continue;
		counts->buckets++;
		counts->largest = Max(counts->largest, i - begin);
		begin = i;
	}
}

/* One page; a long bucket's rows are known once all of its pages are. */
static void
count_page(const LshCache *cache, Page page, Counts *counts, double *long_rows, uint32 *long_key)
{
	counts->pages[hx_page_opaque(page)->kind]++;
	if (hx_page_opaque(page)->kind == HX_PAGE_BUCKETS)
		count_buckets(cache, page, counts);
	if (hx_page_opaque(page)->kind != HX_PAGE_LONG)
		return;

	const LshLongPage *contents = lsh_long(page);

	counts->entries += contents->count;
	if (contents->key <= lsh_last_key(cache->table_bits))
		counts->rows += contents->count;

	/* A build writes the pages of a bucket side by side; later ones may lie apart. */
	*long_rows = contents->key == *long_key ? *long_rows + contents->count : contents->count;
	*long_key = contents->key;
	counts->largest = Max(counts->largest, *long_rows);
}

static void
count_pages(Relation index, const LshCache *cache, Counts *counts)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	double		long_rows = 0;
	uint32		long_key = 0;

	for (BlockNumber blk = LSH_ROOT; blk < blocks; blk++)
	{
		CHECK_FOR_INTERRUPTS();

		Buffer		buf = ReadBuffer(index, blk);

		LockBuffer(buf, BUFFER_LOCK_SHARE);
		if (PageIsNew(BufferGetPage(buf)))
			counts->empty_pages++;
		else
		{
			hx_page_check(index, buf, HX_PAGE_ID_LSH);

			const char *problem = lsh_page_problem(BufferGetPage(buf), cache->row_bytes);

			if (problem != NULL)
				hx_page_report_damage(index, blk, "%s", problem);
			count_page(cache, BufferGetPage(buf), counts, &long_rows, &long_key);
		}
		UnlockReleaseBuffer(buf);
	}
}

static const char *
family_name(uint32 family)
{
	switch (family)
	{
		case HX_LSH_HYPERPLANE:
			return "hyperplane";
		case HX_LSH_POLYTOPE:
			return "polytope";
		case HX_LSH_STABLE:
			return "stable";
		case HX_LSH_BITS:
			return "bits";
		case HX_LSH_MINHASH:
			return "minhash";
	}
	return "unknown";
}

/* The functions in use, and what they are predicted to find. */
static void
push_tuning(const LshCache *cache, HxStats *stats)
{
	const HxLshShape *shape = &cache->shape;
	uint32		probes = hx_lsh_curve_knn_probes(shape, &cache->curve,
												 lsh_probes_recall(hx_guc_recall()));

	hx_stats_push_text(stats, "family", family_name(shape->family));
	if (shape->dims > 0)
		hx_stats_push_number(stats, shape->family == HX_LSH_BITS ? "code_bits" : "dims", shape->dims, 0);
	hx_stats_push_number(stats, shape->family == HX_LSH_MINHASH ? "bands" : "tables", shape->tables, 0);
	hx_stats_push_number(stats, shape->family == HX_LSH_MINHASH ? "band_rows" : "bits", shape->hashes, 0);
	if (shape->family == HX_LSH_POLYTOPE)
		hx_stats_push_number(stats, "part", shape->part, 0);
	if (shape->family == HX_LSH_STABLE)
		hx_stats_push_number(stats, "width", shape->width, 6);
	hx_stats_push_number(stats, "sketch_bytes", shape->sketch_bytes, 0);
	hx_stats_push_number(stats, "target_recall", hx_guc_recall(), 4);
	if (probes != HX_LSH_OUT_OF_REACH)
		hx_stats_push_number(stats, "probes", probes, 0);
	hx_stats_push_number(stats, "predicted_recall", probes == HX_LSH_OUT_OF_REACH ? 1 :
						 hx_lsh_curve_knn_recall(shape, &cache->curve, probes), 4);
}

void
lsh_stats(Relation index, HxStats *stats)
{
	const LshCache *cache = lsh_cache(index);
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	Counts		counts = {0};

	count_pages(index, cache, &counts);
	hx_stats_push_text(stats, "access_method", "hashidx_lsh");
	hx_stats_push_number(stats, "format", LSH_FORMAT, 0);
	if (cache->shape.tables > 0)
		push_tuning(cache, stats);
	hx_stats_push_number(stats, "rows", counts.rows, 0);
	hx_stats_push_number(stats, "entries", counts.entries, 0);
	hx_stats_push_number(stats, "buckets", counts.buckets, 0);
	hx_stats_push_number(stats, "rows_per_bucket",
						 counts.buckets > 0 ? counts.entries / counts.buckets : 0, 2);
	hx_stats_push_number(stats, "largest_bucket", counts.largest, 0);
	hx_stats_push_number(stats, "pages", blocks, 0);
	hx_stats_push_number(stats, "directory_pages", counts.pages[HX_PAGE_DIRECTORY], 0);
	hx_stats_push_number(stats, "bucket_pages", counts.pages[HX_PAGE_BUCKETS], 0);
	hx_stats_push_number(stats, "long_pages", counts.pages[HX_PAGE_LONG], 0);
	hx_stats_push_number(stats, "free_pages", counts.pages[HX_PAGE_FREE] + counts.empty_pages, 0);
	hx_stats_push_number(stats, "bytes", (double) blocks * BLCKSZ, 0);
	hx_stats_push_number(stats, "bytes_per_row",
						 counts.rows > 0 ? blocks * (double) BLCKSZ / counts.rows : 0, 2);
}
