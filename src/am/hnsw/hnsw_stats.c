/*
 * hnsw_stats.c
 *	  What hashidx_index_stats() tells of an index of hashidx_hnsw.
 */
#include "am/hnsw/hnsw.h"

#include "am/hnsw/hnsw_reach.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

typedef struct Counts
{
	double		nodes;
	double		dead;
	double		rows;
	double		links;
	double		free_slots;
	double		nodes_pages;
	double		tail_pages;
	double		postings_pages;
	double		empty_pages;
} Counts;

static void
count_nodes(Relation index, const HnswShape *shape, Buffer buf, Counts *counts)
{
	counts->nodes_pages++;
	counts->tail_pages += shape->tail_pages;
	for (uint32 slot = 0; slot < shape->nodes_per_page; slot++)
	{
		HxNode		node = hnsw_node_number(shape, BufferGetBlockNumber(buf), slot);
		const HnswNodeHead *head = hnsw_read_node(index, shape, buf, node);

		if (head == NULL)
			counts->free_slots++;
		else if (head->state == HNSW_DEAD)
			counts->dead++;
		else
		{
			counts->nodes++;
			counts->rows += head->rows;
			counts->links += head->links;
		}
	}
}

static void
count_postings(Relation index, Buffer buf, Counts *counts)
{
	counts->postings_pages++;
	for (uint32 slot = 0; slot < HNSW_POSTINGS_PER_PAGE; slot++)
	{
		const HnswPosting *posting = hnsw_posting_at(BufferGetPage(buf), slot);
		const char *problem = hnsw_posting_problem(posting);

		if (problem != NULL)
			hx_page_report_damage(index, BufferGetBlockNumber(buf), "%s", problem);
		if (posting->state == HNSW_POSTING)
			counts->rows += posting->rows;
	}
}

/* Returns the next block. */
static BlockNumber
count_page(Relation index, const HnswShape *shape, BlockNumber blk, Counts *counts)
{
	CHECK_FOR_INTERRUPTS();

	Buffer		buf = ReadBuffer(index, blk);
	HxPageKind	kind = 0;

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	if (PageIsNew(BufferGetPage(buf)))
		counts->empty_pages++;
	else
	{
		kind = hx_page_check(index, buf, HX_PAGE_ID_HNSW);
		if (kind == HX_PAGE_NODES)
			count_nodes(index, shape, buf, counts);
		else if (kind == HX_PAGE_POSTINGS)
			count_postings(index, buf, counts);
	}
	UnlockReleaseBuffer(buf);
	return hnsw_next_block(shape, blk, kind);
}

/* The operator that the index orders by, and the form of the nodes' own vectors, as text. */
static const char *
metric_name(HnswMetric metric)
{
	static const char *const names[] = {
		[HNSW_L2] = "l2", [HNSW_IP] = "ip", [HNSW_COSINE] = "cosine", [HNSW_HAMMING] = "hamming",
	};

	return names[metric];
}

static const char *
stored_name(const HnswShape *shape)
{
	static const char *const names[] = {
		[HX_STORED_F32] = "f32", [HX_STORED_F16] = "f16", [HX_STORED_INT8] = "int8",
	};

	return shape->metric == HNSW_HAMMING ? "bits" : names[shape->stored];
}

/* The curve from effort to recall: "16: 0.9512, 24: 0.9731". */
static char *
curve_text(const HnswCache *cache)
{
	StringInfoData text;

	initStringInfo(&text);
	for (uint32 i = 0; i < cache->curve_points; i++)
		appendStringInfo(&text, "%s%u: %.4f", i > 0 ? ", " : "", cache->curve[i].effort,
						 cache->curve[i].recall / 65535.0);
	return text.data;
}

void
hnsw_stats(Relation index, HxStats *stats)
{
	HnswShape	shape = hnsw_cache(index)->shape;
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	Counts		counts = {0};

	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < blocks;)
		blk = count_page(index, &shape, blk, &counts);

	double		reached = counts.nodes > 0 ? hnsw_reach_count(index) / counts.nodes : 1;
	const HnswCache *cache = hnsw_cache(index);

	hx_stats_push_text(stats, "access_method", "hashidx_hnsw");
	hx_stats_push_number(stats, "format", HNSW_FORMAT, 0);
	hx_stats_push_text(stats, "metric", metric_name(shape.metric));
	hx_stats_push_number(stats, "dims", shape.dims, 0);
	hx_stats_push_text(stats, "stored", stored_name(&shape));
	hx_stats_push_number(stats, "m", shape.m, 0);
	hx_stats_push_number(stats, "code_bits", shape.link.bits, 0);
	hx_stats_push_number(stats, "code_dims", shape.link.code_dims, 0);
	hx_stats_push_number(stats, "ef_construction", cache->ef_construction, 0);
	hx_stats_push_number(stats, "node_bytes", shape.node_bytes, 0);
	hx_stats_push_number(stats, "nodes_per_page", shape.nodes_per_page, 0);
	hx_stats_push_number(stats, "nodes", counts.nodes, 0);
	hx_stats_push_number(stats, "rows", counts.rows, 0);
	hx_stats_push_number(stats, "dead", counts.dead, 0);
	hx_stats_push_number(stats, "free", counts.free_slots, 0);
	hx_stats_push_number(stats, "links_mean", counts.nodes > 0 ? counts.links / counts.nodes : 0, 2);
	hx_stats_push_number(stats, "entries", cache->entry_count, 0);
	hx_stats_push_number(stats, "reachable", reached, 5);
	hx_stats_push_text(stats, "curve", curve_text(cache));
	hx_stats_push_number(stats, "pages", blocks, 0);
	hx_stats_push_number(stats, "nodes_pages", counts.nodes_pages, 0);
	hx_stats_push_number(stats, "tail_pages", counts.tail_pages, 0);
	hx_stats_push_number(stats, "postings_pages", counts.postings_pages, 0);
	hx_stats_push_number(stats, "empty_pages", counts.empty_pages, 0);
	hx_stats_push_number(stats, "bytes", (double) blocks * BLCKSZ, 0);
	hx_stats_push_number(stats, "bytes_per_row",
						 counts.rows > 0 ? blocks * (double) BLCKSZ / counts.rows : 0, 2);
}
