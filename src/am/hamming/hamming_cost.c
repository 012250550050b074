/*
 * hamming_cost.c
 *	  amcostestimate. README, "Costs", has the model and where its constants come from.
 */
#include "am/hamming/hamming.h"
#include "am/common/cost.h"
#include "am/hamming/hamming_collect.h"
#include "am/hamming/hamming_plan.h"

#include <math.h>

#include "access/genam.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "type/ball.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/* CPU of a page's visit and of one 8-byte word of a code, in units of cpu_operator_cost. */
#define OPERATORS_PER_PAGE 120.0
#define OPERATORS_PER_WORD 0.1

/* The same of a row returned: its place in a bitmap, or in the order. */
#define OPERATORS_PER_ROW 4.0
#define OPERATORS_PER_ORDERED_ROW 40.0

/* A read page that is surely cached costs this share of seq_page_cost. */
#define CACHED_PAGE_SHARE 0.1

#define LOG2(x) (log(x) / M_LN2)

/* What the estimate needs to know of an index. */
typedef struct Facts
{
	int			bits;
	HxChunks	chunks;			/* count 0: no chunk tables */
	double		pages;			/* of codes */
} Facts;

/* Codes pages of so many rows without INCLUDE columns and without equal codes. */
static double
codes_pages(const IndexOptInfo *info, const HammingShape *shape)
{
	double		per_page = HAMMING_CODES_SPACE / (shape->code_bytes + shape->row_bytes);

	return Min(info->pages, ceil(info->tuples / per_page) + 1);
}

/* Bits that are not known, of a hypothetical index or an empty one, are guessed. */
static Facts
find_facts(const IndexOptInfo *info)
{
	Facts		facts = {.bits = 64,.pages = info->pages};

	if (!info->hypothetical)
	{
		Relation	index = index_open(info->indexoid, NoLock);
		const HammingCache *cache = hamming_cache(index);

		if (cache->shape.bits > 0)
			facts.bits = cache->shape.bits;
		facts.chunks = cache->tables.chunks;
		if (facts.chunks.count > 0)
			facts.pages = codes_pages(info, &cache->shape);
		index_close(index, NoLock);
	}
	return facts;
}

/* Reading so many pages of codes. */
static Cost
pages_cost(const IndexOptInfo *info, const Facts *facts, double pages)
{
	double		seq_page_cost;
	double		words = Max(ceil(facts->bits / 64.0), 1);
	double		codes = info->tuples * pages / Max(facts->pages, 1);

	get_tablespace_page_costs(info->reltablespace, NULL, &seq_page_cost);
	if (info->pages < effective_cache_size / 4.0)
		seq_page_cost *= CACHED_PAGE_SHARE;
	return pages * (seq_page_cost + OPERATORS_PER_PAGE * cpu_operator_cost) +
		codes * words * OPERATORS_PER_WORD * cpu_operator_cost;
}

/* One pass over all codes pages. */
static Cost
pass_cost(const IndexOptInfo *info, const Facts *facts)
{
	return pages_cost(info, facts, facts->pages);
}

/* The radius of a condition `code <@ ball`; -1 when it is not known yet. */
static int
radius_of(const Expr *clause)
{
	const Node *ball = hx_am_range_ball(clause);
	const Const *constant = ball != NULL ? hx_am_ball_radius(ball) : NULL;
	int32		radius = -1;

	if (constant != NULL)
		return DatumGetInt32(constant->constvalue);
	if (ball != NULL && IsA(ball, Const) && !((const Const *) ball)->constisnull)
		hx_ball_view(((const Const *) ball)->constvalue, &radius);
	return radius;
}

/* The search of a range: by chunk tables where they are cheaper, else a pass. */
static Cost
range_cost(const IndexOptInfo *info, const Facts *facts, List *clauses)
{
	Cost		pass = pass_cost(info, facts);
	ListCell   *cell;

	if (facts->chunks.count == 0)
		return pass;
	foreach(cell, clauses)
	{
		ListCell   *qual;

		foreach(qual, lfirst_node(IndexClause, cell)->indexquals)
		{
			int			radius = radius_of(lfirst_node(RestrictInfo, qual)->clause);
			double		leaves;

			if (radius < 0)
				continue;
			leaves = hamming_plan_estimate(&facts->chunks, facts->pages, radius);
			pass = Min(pass, HAMMING_LEAF_COST * pages_cost(info, facts, leaves));
		}
	}
	return pass;
}

/*
 * All passes of an ordered scan that returns `rows` of the rows it sees. A pass
 * that keeps k of n rows takes about k (1 + ln(n / k)) of them in, at the price
 * of sorting them.
 */
static Cost
ordered_cost(const IndexOptInfo *info, const Facts *facts, int code_bytes, double rows)
{
	Cost		pass = pass_cost(info, facts);
	Cost		total = 0;
	double		most = Max(work_mem * 1024.0 / hamming_collector_row_size(code_bytes),
						   HAMMING_FIRST_WANT);
	double		want = HAMMING_FIRST_WANT;
	double		got = 0;

	for (;;)
	{
		double		kept = Min(want, rows);
		double		taken = kept * (1 + log(Max(rows / kept, 1)));
		Cost		one = pass + taken * 2 * cpu_operator_cost * LOG2(2 * kept + 1);

		/* Once the passes have grown to their largest, the rest are alike. */
		if (want >= most)
			return total + one * ceil((rows - got) / want);
		total += one;
		got += want;
		if (got >= rows)
			return total;
		want = Min(want * HAMMING_WANT_GROWTH, most);
	}
}

void
hamming_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					 Cost *startup, Cost *total, Selectivity *selectivity,
					 double *correlation, double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	bool		ordered = path->indexorderbys != NIL;

	*pages = info->pages;
	*correlation = 0;			/* neighbours lie anywhere in the table */
	*selectivity = 1;

	/* Rows with NULL codes are not here, and only one distance can be ordered by. */
	if ((!ordered && path->indexclauses == NIL) || list_length(path->indexorderbys) > 1)
	{
		hx_am_refuse(path, startup, total);
		return;
	}

	if (path->indexclauses != NIL)
		*selectivity = hx_am_range_selectivity(root, path);

	double		rows = clamp_row_est(*selectivity * info->tuples);
	Facts		facts = find_facts(info);
	Cost		pass = ordered ? pass_cost(info, &facts) :
		range_cost(info, &facts, path->indexclauses);
	bool		index_only = path->path.pathtype == T_IndexOnlyScan;

	*selectivity *= hx_am_index_share(info);

	/* An ordered scan has read all before its first row; an unordered one returns as it reads. */
	if (ordered)
	{
		*startup = pass;
		*total = ordered_cost(info, &facts, index_only ? (facts.bits + 7) / 8 : 0, rows) +
			rows * (cpu_index_tuple_cost + OPERATORS_PER_ORDERED_ROW * cpu_operator_cost) +
			(index_only ? 0 : hx_am_scattered_cost(root, info, rows));
	}
	else
	{
		*startup = 0;
		*correlation = hx_am_range_correlation(root, info, rows, rows * hx_am_visit_cost(info));
		*total = pass + rows * (cpu_index_tuple_cost + OPERATORS_PER_ROW * cpu_operator_cost);
	}
}
