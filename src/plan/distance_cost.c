/*
 * distance_cost.c
 *	  What a call of a distance costs; see distance_cost.h.
 *
 * The server prices a sequential scan by the pages of the table itself, and a call by the COST of
 * its function. A vector of some 500 numbers and more is not in those pages: each call fetches it
 * from the TOAST table, which takes several times as long as the distance. These functions tell
 * the planner so. Then a scan that computes distances of all rows is not taken for cheap, and of
 * several conditions the one on the distance is evaluated last.
 */
#include "plan/distance_cost.h"

#include <math.h>

#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

/* Finding the chunks of a value in the index of the TOAST table, in operators. */
#define OPERATORS_PER_FETCH 100.0

/* COST of the function as declared, or as somebody has altered it. */
static double
declared_cost(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);

	double		cost = ((Form_pg_proc) GETSTRUCT(tuple))->procost;

	ReleaseSysCache(tuple);
	return cost;
}

/* Is it a column of a relation that the planner has looked at already? */
static bool
is_known_column(const PlannerInfo *root, const Node *node)
{
	const Var  *column = (const Var *) node;

	return IsA(node, Var) && column->varlevelsup == 0 &&
		column->varno > 0 && column->varno < root->simple_rel_array_size &&
		root->simple_rel_array[column->varno] != NULL;
}

/*
 * The share of the values that are out of line: what is missing of their width, unless that is just
 * the short header of a small value. Without statistics those that are too wide for a row.
 */
static double
share_out_of_line(HeapTuple statistics, double bytes)
{
	if (!HeapTupleIsValid(statistics))
		return bytes > TOAST_TUPLE_THRESHOLD ? 1 : 0;

	double		missing = bytes - ((Form_pg_statistic) GETSTRUCT(statistics))->stawidth;

	return missing > bytes / 2 ? missing / bytes : 0;
}

/* Fetching a value out of line, its pages one after the other as those of the table. */
static Cost
fetch_cost(double bytes)
{
	double		chunks = ceil(bytes / TOAST_MAX_CHUNK_SIZE);

	return OPERATORS_PER_FETCH * cpu_operator_cost +
		chunks * (cpu_index_tuple_cost + cpu_tuple_cost) + bytes / BLCKSZ * seq_page_cost;
}

/* Adds what an argument costs: its fetching to *fetches, its arithmetic to *operators if more. */
static void
add_argument(PlannerInfo *root, Node *argument, HxTellLength tell, Cost *fetches,
			 double *operators)
{
	VariableStatData variable;

	while (IsA(argument, RelabelType))
		argument = (Node *) ((RelabelType *) argument)->arg;
	if (!is_known_column(root, argument))
		return;
	examine_variable(root, argument, 0, &variable);

	HxLength	length = tell(exprTypmod(argument), variable.statsTuple);

	if (length.bytes > 0)
		*fetches += share_out_of_line(variable.statsTuple, length.bytes) *
			fetch_cost(length.bytes);
	*operators = Max(*operators, length.operators);
	ReleaseVariableStats(variable);
}

Node *
hx_distance_cost(SupportRequestCost *request, HxTellLength tell)
{
	Node	   *call = request->node;
	Cost		fetches = 0;
	double		operators = 0;
	List	   *args;

	if (request->root == NULL || call == NULL)
		return NULL;
	if (IsA(call, OpExpr))
		args = ((OpExpr *) call)->args;
	else if (IsA(call, FuncExpr))
		args = ((FuncExpr *) call)->args;
	else
		return NULL;

	add_argument(request->root, linitial(args), tell, &fetches, &operators);
	add_argument(request->root, lsecond(args), tell, &fetches, &operators);
	request->startup = 0;
	request->per_tuple = fetches +
		(declared_cost(request->funcid) + operators) * cpu_operator_cost;
	return (Node *) request;
}
