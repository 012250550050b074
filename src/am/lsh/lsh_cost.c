/*
 * lsh_cost.c
 *	  amcostestimate. README, "Costs", has the model and where its constants come from.
 */
#include "am/lsh/lsh.h"

#include <math.h>

#include "access/genam.h"
#include "am/common/cost.h"
#include "am/lsh/lsh_value.h"
#include "guc.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/*
 * In units of cpu_operator_cost: a bucket looked up, a candidate ranked, a row of a pass, and a row
 * of the table that waits for its turn, beside its distance.
 */
#define OPERATORS_PER_PROBE 100.0
#define OPERATORS_PER_CANDIDATE 9.0
#define OPERATORS_PER_ROW 28.0
#define OPERATORS_PER_VERIFIED 600.0

/* The share of rows that sketches take for rows of a range, when that is not known. */
#define PASSING_SHARE 0.02

/* Rows that an ordered scan looks at before it returns one. */
#define VERIFIED_FIRST 20.0

/* A read page that is surely cached costs this share of its page cost. */
#define CACHED_PAGE_SHARE 0.05

/* What the planner has to know of an index. */
typedef struct Estimate
{
	double		rows;
	double		pages_of_table;
	Cost		page_cost;		/* of a page anywhere */
	Cost		next_page_cost; /* of the next page */
	const LshCache *cache;
	LshMetric	metric;
} Estimate;

static void
get_estimate(const IndexOptInfo *info, Relation index, Estimate *estimate)
{
	get_tablespace_page_costs(info->reltablespace, &estimate->page_cost, &estimate->next_page_cost);
	if (info->pages < effective_cache_size / 4.0)
	{
		estimate->page_cost *= CACHED_PAGE_SHARE;
		estimate->next_page_cost *= CACHED_PAGE_SHARE;
	}
	estimate->cache = lsh_cache(index);

	/* The relcache may forget its own while statistics are looked up. */
	estimate->cache = memcpy(palloc(estimate->cache->size), estimate->cache, estimate->cache->size);
	estimate->metric = lsh_metric(index);
	estimate->rows = info->tuples;
	estimate->pages_of_table = ceil(info->pages / (double) Max(estimate->cache->shape.tables, 1));
}

/* Reading table 0. */
static Cost
pass_cost(const Estimate *estimate)
{
	return estimate->pages_of_table * estimate->next_page_cost +
		estimate->rows * OPERATORS_PER_ROW * cpu_operator_cost;
}

/* Rows that probes meet; a row is met in more tables than one. */
static double
candidates_of(const Estimate *estimate, double probes)
{
	return estimate->rows * Min(probes * estimate->cache->bucket_share,
								estimate->cache->shape.tables);
}

static Cost
probes_cost(const Estimate *estimate, double probes)
{
	return probes * (estimate->page_cost + OPERATORS_PER_PROBE * cpu_operator_cost) +
		candidates_of(estimate, probes) * OPERATORS_PER_CANDIDATE * cpu_operator_cost;
}

/* The condition `column <@ ball` of a range, as the index evaluates it. */
static const Node *
ball_of(List *index_clauses)
{
	IndexClause *clause = linitial_node(IndexClause, index_clauses);

	return hx_am_range_ball(linitial_node(RestrictInfo, clause->indexquals)->clause);
}

/* The radius of a range, 0 or more, when it is a constant; else NaN. */
static double
constant_radius(const Estimate *estimate, List *index_clauses)
{
	const Node *ball = ball_of(index_clauses);
	const Const *radius = ball != NULL ? hx_am_ball_radius(ball) : NULL;

	if (radius != NULL)
		return Max(estimate->metric == LSH_HAMMING ? DatumGetInt32(radius->constvalue) :
				   DatumGetFloat8(radius->constvalue), 0);
	if (ball == NULL || !IsA(ball, Const) || ((const Const *) ball)->constisnull)
		return NAN;
	return Max(lsh_ball(estimate->metric, ((const Const *) ball)->constvalue).radius, 0);
}

/* The distance within which sketches take rows for rows of a range; NaN: not known. */
static double
sketch_limit(const Estimate *estimate, List *index_clauses)
{
	const Node *node = ball_of(index_clauses);

	if (node == NULL || !IsA(node, Const) || ((const Const *) node)->constisnull ||
		estimate->cache->shape.tables == 0)
		return NAN;

	LshBall		ball = lsh_ball(estimate->metric, ((const Const *) node)->constvalue);
	HxMemory	memory = hx_am_memory(CurrentMemoryContext);

	if (ball.radius < 0 || ball.centre.dims != estimate->cache->shape.dims)
		return NAN;
	return hx_lsh_sketch_limit(hx_lsh_query(lsh_cache_functions(estimate->cache),
											ball.centre.point, &memory), ball.radius);
}

/*
 * The share of the table's rows that sketches take for rows of a range: those that a wider range
 * has. Sketches are coarse, so where rows lie all equally far away, most pass.
 */
static Selectivity
passing_share(PlannerInfo *root, const IndexPath *path, const Estimate *estimate)
{
	IndexClause *clause = linitial_node(IndexClause, path->indexclauses);
	double		limit = sketch_limit(estimate, path->indexclauses);

	if (isnan(limit) || !is_funcclause(clause->rinfo->clause))
		return PASSING_SHARE;

	FuncExpr   *wider = copyObject((FuncExpr *) clause->rinfo->clause);
	Const	   *radius = lthird(wider->args);

	if (!IsA(radius, Const))
		return PASSING_SHARE;
	radius->constvalue = estimate->metric == LSH_HAMMING ?
		Int32GetDatum((int32) Min(limit, INT_MAX)) : Float8GetDatum(limit);
	return clause_selectivity(root, (Node *) wider, path->indexinfo->rel->relid, JOIN_INNER, NULL);
}

/* The scan's first round: what its candidates cost; *met: the rows among which they are. */
static Cost
first_round_cost(const Estimate *estimate, List *index_clauses, double *met)
{
	const HxLshShape *shape = &estimate->cache->shape;
	const HxLshCurve *curve = &estimate->cache->curve;
	Cost		pass = pass_cost(estimate);
	double		radius = index_clauses != NIL ? constant_radius(estimate, index_clauses) : NAN;
	double		probes = hx_guc_lsh_probes();

	*met = estimate->rows;
	if (estimate->cache->shape.tables == 0)
		return pass;
	if (probes == 0)
		probes = isnan(radius) ?
			hx_lsh_curve_knn_probes(shape, curve, lsh_probes_recall(hx_guc_recall())) :
			hx_lsh_curve_probes(shape, curve, radius, lsh_range_recall(hx_guc_recall()));
	if (probes == HX_LSH_OUT_OF_REACH ||
		(hx_guc_lsh_probes() == 0 && probes_cost(estimate, probes) > pass))
		return pass;
	*met = Min(candidates_of(estimate, probes), estimate->rows);
	return probes_cost(estimate, probes);
}

/* What an expression costs for a row, its value's way from out of line included. */
static Cost
row_cost(PlannerInfo *root, const void *expression)
{
	QualCost	cost;

	cost_qual_eval_node(&cost, (Node *) expression, root);
	return cost.per_tuple;
}

/* A range's rows, and those that only sketches take for such, are compared with the query. */
static Cost
recheck_cost(PlannerInfo *root, const IndexPath *path, double rows, double passing)
{
	Cost		recheck = 0;
	ListCell   *cell;

	foreach(cell, path->indexclauses)
		recheck += row_cost(root, lfirst_node(IndexClause, cell)->rinfo->clause);
	return rows * recheck +
		Max(passing - rows, 0) * (hx_am_visit_cost(path->indexinfo) + cpu_tuple_cost + recheck);
}

/* Looking at that many rows of the table to take their distances. */
static Cost
verify_cost(PlannerInfo *root, const IndexPath *path, double rows)
{
	const IndexOptInfo *info = path->indexinfo;
	double		random_page_cost;
	double		pages = index_pages_fetched(rows, info->rel->pages, info->rel->pages, root);

	get_tablespace_page_costs(info->rel->reltablespace, &random_page_cost, NULL);
	if (info->rel->pages < effective_cache_size / 4.0)
		random_page_cost *= CACHED_PAGE_SHARE;
	return pages * random_page_cost +
		rows * (cpu_tuple_cost + OPERATORS_PER_VERIFIED * cpu_operator_cost +
				row_cost(root, linitial(path->indexorderbys)));
}

void
lsh_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
				 Cost *startup, Cost *total, Selectivity *selectivity,
				 double *correlation, double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	bool		ordered = path->indexorderbys != NIL;

	*correlation = 0;			/* near rows lie anywhere in the table */
	*pages = info->pages;
	*selectivity = 1;

	/*
	 * Rows with NULL are not here, only one distance can be ordered by, and an index that
	 * was never built has no functions to judge by.
	 */
	if ((!ordered && path->indexclauses == NIL) || list_length(path->indexorderbys) > 1 ||
		info->hypothetical)
	{
		hx_am_refuse(path, startup, total);
		return;
	}
	if (path->indexclauses != NIL)
		*selectivity = hx_am_range_selectivity(root, path);

	double		rows = clamp_row_est(*selectivity * info->tuples);
	Estimate	estimate;
	double		met;
	Relation	index = index_open(info->indexoid, NoLock);

	*selectivity *= hx_am_index_share(info);
	get_estimate(info, index, &estimate);
	*startup = first_round_cost(&estimate, path->indexclauses, &met);
	*total = *startup + rows * cpu_index_tuple_cost;
	if (ordered)
	{
		/* All rows come only after a pass over all and a look at each. */
		*startup += verify_cost(root, path, Min(rows, VERIFIED_FIRST));
		*total += path->indexclauses == NIL ? pass_cost(&estimate) : 0;
		*total += verify_cost(root, path, rows) + hx_am_scattered_cost(root, info, rows);
	}
	else
	{
		/*
		 * Row by row all are compared before a filter drops some. Bitmaps are first combined with
		 * that of the filter, but cannot be told a lesser price: so the other pays twice, as a
		 * bitmap does of which nothing is dropped.
		 */
		Cost		recheck = recheck_cost(root, path, rows,
										   met * passing_share(root, path, &estimate));

		*total += recheck;
		*correlation = hx_am_range_correlation(root, info, rows,
											   rows * hx_am_visit_cost(info) + recheck);
	}
	index_close(index, NoLock);
}
