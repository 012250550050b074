/*
 * unread_distance.c
 *	  Distances that order a query and are read by nobody are not computed.
 *
 * `SELECT id FROM t ORDER BY v <-> q LIMIT 10` carries the distance through its plan as a column
 * that is dropped at the end ("junk"), for a Sort to compare. Where an index of ours gives the
 * order there is no Sort. Yet the executor computes the column for each row: it reads the row's
 * whole vector once more, and detoasts it where it is stored out of line. So the column is
 * replaced by NULL in a finished plan in which no node reads it.
 *
 * The readers are nodes that compare it (Sort, MergeAppend, GatherMerge, Limit WITH TIES, ...).
 * Only nodes that are known to pass rows on unread may stand between the scan and the place where
 * junk is dropped, which is the top of a query or subquery. A Limit is such a top wherever it
 * stands: what is above it knows nothing of its junk.
 */
#include "hashidx.h"

#include "access/genam.h"
#include "am/common/am.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "optimizer/planner.h"
#include "plan/unread_distance.h"

static planner_hook_type next_planner;

/* Is it an index of one of our access methods? The planner holds a lock on it. */
static bool
is_ours(Oid index_oid)
{
	Relation	index = index_open(index_oid, NoLock);
	bool		ours = hx_am_tools(index) != NULL;

	index_close(index, NoLock);
	return ours;
}

/* Puts NULL in the place of junk columns that are the distance this scan is ordered by. */
static void
blank_distances(IndexScan *scan)
{
	ListCell   *cell;

	if (scan->indexorderbyorig == NIL || !is_ours(scan->indexid))
		return;
	foreach(cell, scan->scan.plan.targetlist)
	{
		TargetEntry *column = lfirst_node(TargetEntry, cell);
		Node	   *value = (Node *) column->expr;

		if (column->resjunk && list_member(scan->indexorderbyorig, value))
			column->expr = (Expr *) makeNullConst(exprType(value), exprTypmod(value),
												  exprCollation(value));
	}
}

/* plan: the top of a query or subquery. */
static void
blank_below_top(Plan *plan)
{
	while (plan != NULL && !IsA(plan, IndexScan))
	{
		bool		unseen = IsA(plan, LockRows) ||
			(IsA(plan, Limit) && ((Limit *) plan)->limitOption == LIMIT_OPTION_COUNT);

		plan = unseen ? outerPlan(plan) : NULL;
	}
	if (plan != NULL)
		blank_distances((IndexScan *) plan);
}

/* Finds the subqueries in a plan that have a Limit. */
static void
blank_below_limits(Plan *plan)
{
	List	   *children = NIL;
	ListCell   *cell;

	if (plan == NULL)
		return;
	check_stack_depth();
	if (IsA(plan, Limit))
		blank_below_top(plan);
	else if (IsA(plan, SubqueryScan))
		blank_below_limits(((SubqueryScan *) plan)->subplan);
	else if (IsA(plan, Append))
		children = ((Append *) plan)->appendplans;
	else if (IsA(plan, MergeAppend))
		children = ((MergeAppend *) plan)->mergeplans;
	foreach(cell, children)
		blank_below_limits(lfirst(cell));
	blank_below_limits(outerPlan(plan));
	blank_below_limits(innerPlan(plan));
}

/* One of the plans that a statement consists of. */
static void
blank_in_plan(Plan *plan)
{
	blank_below_top(plan);
	blank_below_limits(plan);
}

static PlannedStmt *
plan_query(Query *query, const char *source, int options,
		   ParamListInfo params HX_PLANNER_PARAMETER)
{
	planner_hook_type planner = next_planner ? next_planner : standard_planner;
	PlannedStmt *statement = planner(query, source, options, params HX_PLANNER_ARGUMENT);
	ListCell   *cell;

	blank_in_plan(statement->planTree);
	foreach(cell, statement->subplans)
		blank_in_plan(lfirst(cell));
	return statement;
}

void
hx_unread_distance_register(void)
{
	next_planner = planner_hook;
	planner_hook = plan_query;
}
