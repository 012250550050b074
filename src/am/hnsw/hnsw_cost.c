/*
 * hnsw_cost.c
 *	  amcostestimate. A scan pays for its beam before the first row, and then for some more
 *	  visits per row; README, "Costs", has the measurements behind the constants.
 */
#include "am/hnsw/hnsw.h"

#include "access/genam.h"
#include "am/common/cost.h"
#include "am/hnsw/hnsw_effort.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/spccache.h"

/* Nodes visited on the way to the neighbourhood of the query, and for each place on the beam. */
#define VISITS_BEFORE 10
#define VISITS_PER_EFFORT 0.4

/* The beam grows by its first width for so many rows; each of them takes some visits at least. */
#define ROWS_PER_BEAM 10.0
#define LEAST_VISITS_PER_ROW 1.6

/* A page that is surely cached costs this share of random_page_cost. */
#define CACHED_PAGE_SHARE 0.05

/* CPU of a visit: bytes of the node that take as long as one operator. */
#define BYTES_PER_OPERATOR 256.0

/* CPU of a row beyond its visits, for its place in the beam and its distance, in operators. */
#define OPERATORS_PER_ROW 700.0

/* What a hypothetical index is thought to be like. */
#define GUESSED_EFFORT 40
#define GUESSED_NODE_BYTES 4096

/* The visit of a node, as far as pages are cached; its tail pages follow the first. */
static Cost
visit_cost(const IndexOptInfo *info, double tail_pages, double node_bytes)
{
	double		random_page_cost;
	double		seq_page_cost;
	double		cached = Min(effective_cache_size / Max((double) info->pages, 1), 1);

	get_tablespace_page_costs(info->reltablespace, &random_page_cost, &seq_page_cost);
	return (random_page_cost + tail_pages * seq_page_cost) *
		(1 - cached * (1 - CACHED_PAGE_SHARE)) +
		node_bytes / BYTES_PER_OPERATOR * cpu_operator_cost;
}

void
hnsw_costestimate(struct PlannerInfo *root, struct IndexPath *path, double loop_count,
				  Cost *startup, Cost *total, Selectivity *selectivity,
				  double *correlation, double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	double		effort = GUESSED_EFFORT;
	double		node_bytes = GUESSED_NODE_BYTES;
	double		tail_pages = 0;

	*selectivity = hx_am_index_share(info);
	*correlation = 0;			/* neighbours lie anywhere in the table */
	*pages = info->pages;

	/* Without a distance to order by there is no scan, and rows with NULL are not here. */
	if (list_length(path->indexorderbys) != 1)
	{
		hx_am_refuse(path, startup, total);
		return;
	}

	if (!info->hypothetical)
	{
		Relation	index = index_open(info->indexoid, NoLock);
		const HnswCache *cache = hnsw_cache(index);

		if (cache->shape.dims > 0)
		{
			effort = hnsw_scan_effort(cache, hnsw_nodes_in(&cache->shape, info->pages));
			node_bytes = cache->shape.node_bytes + cache->shape.own_bytes - cache->shape.head_bytes;
			tail_pages = cache->shape.tail_pages;
		}
		index_close(index, NoLock);
	}

	double		rows = clamp_row_est(info->tuples);
	double		beam = VISITS_PER_EFFORT * effort;
	Cost		visit = visit_cost(info, tail_pages, node_bytes);

	*startup = Min(VISITS_BEFORE + beam, rows) * visit;
	*total = *startup + hx_am_scattered_cost(root, info, rows) + rows *
		(Max(beam / ROWS_PER_BEAM, LEAST_VISITS_PER_ROW) * visit + cpu_index_tuple_cost +
		 OPERATORS_PER_ROW * cpu_operator_cost);
}
