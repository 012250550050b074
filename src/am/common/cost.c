/*
 * cost.c
 *	  What the estimates of all access methods have in common; see cost.h.
 */
#include "am/common/cost.h"

#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/spccache.h"

/* Pages of the table that each of so many rows takes, found anywhere in it. */
static double
pages_per_row(PlannerInfo *root, const IndexOptInfo *info, double rows)
{
	return index_pages_fetched(rows, info->rel->pages, info->pages, root) / rows;
}

/* What a page of the table costs: where all are surely cached, any is as good as the next one. */
static Cost
page_cost(const RelOptInfo *rel)
{
	double		random_page_cost;
	double		seq_page_cost;

	get_tablespace_page_costs(rel->reltablespace, &random_page_cost, &seq_page_cost);
	return rel->pages < effective_cache_size / 4.0 ? seq_page_cost : random_page_cost;
}

Cost
hx_am_scattered_cost(PlannerInfo *root, const IndexOptInfo *info, double rows)
{
	double		limit = root->limit_tuples;
	double		kept = Min(Max(info->rel->rows, 1) / Max(rows, 1), 1);
	double		wanted = Min(limit / kept, rows);

	if (limit <= 0 || wanted <= limit)
		return 0;

	double		pages = pages_per_row(root, info, wanted) - pages_per_row(root, info, rows);

	return rows * Max(pages, 0) * (1 - limit / wanted) * page_cost(info->rel);
}
