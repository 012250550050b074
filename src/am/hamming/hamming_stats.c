/*
 * hamming_stats.c
 *	  What hashidx_index_stats() tells of an index of hashidx_hamming.
 */
#include "am/hamming/hamming_check.h"

typedef struct Counts
{
	double		codes_pages;
	double		payload_pages;
	double		empty_pages;
	double		table_pages;	/* of chunk tables: all, and leaves alone */
	double		leaf_pages;
	double		codes;
	double		rows;
} Counts;

/* Counts one page; damage unless it is sound. */
static void
count_page(Relation index, const HammingShape *shape, BlockNumber blk, Counts *counts)
{
	PGAlignedBlock copy;
	HammingView view;
	const char *problem;

	hamming_read_page(index, blk, copy.data);
	if (PageIsNew(copy.data))
	{
		counts->empty_pages++;
		return;
	}
	problem = hx_page_problem(copy.data, HX_PAGE_ID_HAMMING);
	if (problem != NULL)
		hx_page_report_damage(index, blk, "%s", problem);
	switch ((HxPageKind) hx_page_opaque(copy.data)->kind)
	{
		case HX_PAGE_CODES:
			problem = hamming_view(copy.data, shape, &view);
			if (problem != NULL)
				hx_page_report_damage(index, blk, "%s", problem);
			counts->codes_pages++;
			counts->empty_pages += (view.row_count == 0);
			counts->codes += view.planes.count;
			counts->rows += view.row_count;
			break;
		case HX_PAGE_PAYLOAD:
			counts->payload_pages++;
			break;
		case HX_PAGE_CHUNK_LEAF:
			counts->leaf_pages++;
			counts->table_pages++;
			break;
		case HX_PAGE_CHUNK_MAP:
		case HX_PAGE_CHUNK_INNER:
		case HX_PAGE_EXTENTS:
			counts->table_pages++;
			break;
		default:
			hx_page_report_damage(index, blk, "The page is of a kind that does not belong here.");
	}
}

void
hamming_stats(Relation index, HxStats *stats)
{
	HammingCache cache = *hamming_cache(index);
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	bool		has_tables = cache.method == HAMMING_METHOD_MIH;
	Counts		counts = {0};

	for (BlockNumber blk = HAMMING_FIRST_BLOCK; blk < blocks; blk++)
		count_page(index, &cache.shape, blk, &counts);

	hx_stats_push_text(stats, "access_method", "hashidx_hamming");
	hx_stats_push_number(stats, "format", HAMMING_FORMAT, 0);
	hx_stats_push_text(stats, "method", has_tables ? "mih" : "scan");
	hx_stats_push_number(stats, "bits", cache.shape.bits, 0);
	hx_stats_push_number(stats, "rows", counts.rows, 0);
	hx_stats_push_number(stats, "codes", counts.codes, 0);
	hx_stats_push_number(stats, "pages", blocks, 0);
	hx_stats_push_number(stats, "codes_pages", counts.codes_pages, 0);
	hx_stats_push_number(stats, "payload_pages", counts.payload_pages, 0);
	hx_stats_push_number(stats, "empty_pages", counts.empty_pages, 0);
	if (has_tables)
	{
		hx_stats_push_number(stats, "chunks", cache.tables.chunks.count, 0);
		hx_stats_push_number(stats, "table_pages", counts.table_pages, 0);
		hx_stats_push_number(stats, "leaf_pages", counts.leaf_pages, 0);
	}
	hx_stats_push_number(stats, "bytes", (double) blocks * BLCKSZ, 0);
	hx_stats_push_number(stats, "bytes_per_row",
						 counts.rows > 0 ? blocks * (double) BLCKSZ / counts.rows : 0, 2);
}
