/*
 * cost.c
 *	  What the estimates of all access methods have in common; see cost.h.
 */
#include "am/common/cost.h"

#include <math.h>

#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/spccache.h"

/* A row's page that is surely cached costs this share of random_page_cost. */
#define CACHED_VISIT_SHARE 0.1

/*
 * What a scan costs that an index cannot do. Not infinity: the planner multiplies prices and
 * takes differences, and NaN, which comes of that, may win.
 */
#define IMPOSSIBLE_COST 1e30

void
hx_am_refuse(IndexPath *path, Cost *startup, Cost *total)
{
	*startup = *total = IMPOSSIBLE_COST;
	hx_disable_path(path);
}

/* Are all pages of the table surely cached? */
static bool
is_cached(const RelOptInfo *rel)
{
	return rel->pages < effective_cache_size / 4.0;
}

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
	return is_cached(rel) ? seq_page_cost : random_page_cost;
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

Cost
hx_am_visit_cost(const IndexOptInfo *info)
{
	double		random_page_cost;

	get_tablespace_page_costs(info->rel->reltablespace, &random_page_cost, NULL);
	return is_cached(info->rel) ? CACHED_VISIT_SHARE * random_page_cost : random_page_cost;
}

double
hx_am_index_share(const IndexOptInfo *info)
{
	return info->indpred == NIL ? 1 : Min(info->tuples / Max(info->rel->tuples, 1), 1);
}

Selectivity
hx_am_range_selectivity(PlannerInfo *root, const IndexPath *path)
{
	List	   *clauses = NIL;
	ListCell   *cell;

	foreach(cell, path->indexclauses)
		clauses = lappend(clauses, lfirst_node(IndexClause, cell)->rinfo);
	return clauselist_selectivity(root, clauses, path->indexinfo->rel->relid, JOIN_INNER, NULL);
}

double
hx_am_range_correlation(PlannerInfo *root, const IndexOptInfo *info, double rows, Cost price)
{
	const RelOptInfo *rel = info->rel;
	double		random_page_cost;
	double		seq_page_cost;

	get_tablespace_page_costs(rel->reltablespace, &random_page_cost, &seq_page_cost);

	/* The prices at a correlation of 0 and 1, between which the server goes by its square. */
	Cost		most = index_pages_fetched(rows, rel->pages, info->pages, root) * random_page_cost;
	Cost		least = random_page_cost +
		(ceil(rows / Max(rel->tuples, rows) * rel->pages) - 1) * seq_page_cost;

	return is_cached(rel) && price < most && least < most ?
		sqrt(Min((most - price) / (most - least), 1)) : 0;
}

const Node *
hx_am_range_ball(const Expr *clause)
{
	return IsA(clause, OpExpr) && list_length(((const OpExpr *) clause)->args) == 2 ?
		lsecond(((const OpExpr *) clause)->args) : NULL;
}

const Const *
hx_am_ball_radius(const Node *ball)
{
	const Node *radius = IsA(ball, FuncExpr) && list_length(((const FuncExpr *) ball)->args) == 2 ?
		lsecond(((const FuncExpr *) ball)->args) : NULL;

	return radius != NULL && IsA(radius, Const) && !((const Const *) radius)->constisnull ?
		(const Const *) radius : NULL;
}
