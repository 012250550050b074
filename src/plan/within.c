/*
 * within.c
 *	  Planning with functions named X_within(a, b, radius): the index condition that a call
 *	  amounts to, and the share of rows it keeps.
 *
 * An index condition must be `column operator value`, so the two values of the call become
 * one: column <@ ball(value, radius).
 */
#include "hashidx.h"

#include <math.h>

#include "catalog/pg_proc.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "plan/within.h"

/* Values taken of each kind of statistics: all pairs of them are compared. */
#define MAX_SAMPLE 60

/* Values of a column that ANALYZE has kept, each with the share of the column it stands for. */
typedef struct Sample
{
	Datum		values[2 * MAX_SAMPLE];
	double		weight[2 * MAX_SAMPLE];
	double		total;			/* sum of the weights */
	int			count;
	int			common;			/* the first ones, which come more than once */
} Sample;

/* The distances seen in a sample. */
typedef struct Distances
{
	double		weight;
	double		sum;			/* these three weighted */
	double		sum_squares;
	double		within;			/* at most the radius */
} Distances;

/* Takes the most common values, each with its own share. */
static void
add_most_common(Sample *sample, HeapTuple statistics, AttStatsSlot *slot)
{
	if (!get_attstatsslot(slot, statistics, STATISTIC_KIND_MCV, InvalidOid,
						  ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
		return;
	for (int i = 0; i < Min(slot->nvalues, MAX_SAMPLE); i++)
	{
		sample->values[sample->count] = slot->values[i];
		sample->weight[sample->count++] = slot->numbers[i];
		sample->total += slot->numbers[i];
	}
	sample->common = sample->count;
}

/* Takes the bounds of the histogram: values evenly drawn from the rest of the column. */
static void
add_histogram(Sample *sample, HeapTuple statistics, AttStatsSlot *slot)
{
	double		rest = Max(1 - sample->total, 0);

	if (!get_attstatsslot(slot, statistics, STATISTIC_KIND_HISTOGRAM, InvalidOid,
						  ATTSTATSSLOT_VALUES))
		return;

	int			step = (slot->nvalues + MAX_SAMPLE - 1) / MAX_SAMPLE;

	for (int i = 0; i < slot->nvalues; i += step)
	{
		sample->values[sample->count] = slot->values[i];
		sample->weight[sample->count++] = rest * step / slot->nvalues;
	}
	sample->total += rest;
}

static void
add_distance(Distances *distances, const HxWithinMeasure *measure, Datum a, Datum b,
			 double weight, double radius)
{
	if (!measure->comparable(a, b))
		return;

	double		distance = DatumGetFloat8(DirectFunctionCall2(measure->distance, a, b));

	if (isnan(distance))
		return;
	distances->weight += weight;
	distances->sum += weight * distance;
	distances->sum_squares += weight * distance * distance;
	if (distance <= radius)
		distances->within += weight;
}

/* Distances of the query, or of the sample's values for each other when it is not known. */
static Distances
measure_sample(const Sample *sample, const Datum *query, double radius,
			   const HxWithinMeasure *measure)
{
	Distances	distances = {0};

	for (int i = 0; i < sample->count; i++)
	{
		Datum		value = sample->values[i];
		double		weight = sample->weight[i];

		if (query != NULL)
		{
			add_distance(&distances, measure, *query, value, weight, radius);
			continue;
		}
		for (int j = 0; j < i; j++)
			add_distance(&distances, measure, sample->values[j], value,
						 2 * weight * sample->weight[j], radius);
		if (i < sample->common)
			add_distance(&distances, measure, value, value, weight * weight, radius);
	}
	return distances;
}

/*
 * The share as the distances tell it: counted where there are some within the radius, below
 * that the tail of a normal distribution of their mean and spread. Negative: nothing known.
 */
static double
share_of_distances(const Distances *distances, double radius)
{
	if (distances->weight <= 0)
		return -1;

	double		mean = distances->sum / distances->weight;
	double		variance = distances->sum_squares / distances->weight - mean * mean;
	double		tail = variance > 0 ? 0.5 * erfc((mean - radius) / sqrt(2 * variance)) : 0;

	return Max(distances->within / distances->weight, tail);
}

/* hx_within_share(), of a query that may be unknown (NULL). */
static Selectivity
sampled_share(PlannerInfo *root, Node *column, int relation, const Datum *query, double radius,
			  const HxWithinMeasure *measure)
{
	VariableStatData variable;
	AttStatsSlot most_common = {0};
	AttStatsSlot histogram = {0};
	double		share = -1;

	if (!(radius >= 0))
		return 0;

	examine_variable(root, column, relation, &variable);
	if (HeapTupleIsValid(variable.statsTuple))
	{
		Sample	   *sample = palloc0(sizeof(Sample));

		add_most_common(sample, variable.statsTuple, &most_common);
		add_histogram(sample, variable.statsTuple, &histogram);

		Distances	distances = measure_sample(sample, query, radius, measure);

		share = share_of_distances(&distances, radius);
		free_attstatsslot(&most_common);
		free_attstatsslot(&histogram);
		pfree(sample);
	}
	ReleaseVariableStats(variable);

	if (share < 0)
		share = measure->fallback;
	CLAMP_PROBABILITY(share);
	return share;
}

Selectivity
hx_within_share(PlannerInfo *root, Node *column, int relation, Datum query, double radius,
				const HxWithinMeasure *measure)
{
	return sampled_share(root, column, relation, &query, radius, measure);
}

Selectivity
hx_within_call_share(PlannerInfo *root, List *args, int relation,
					 const HxWithinMeasure *measure)
{
	Node	   *a = estimate_expression_value(root, linitial(args));
	Node	   *b = estimate_expression_value(root, lsecond(args));
	Node	   *radius = estimate_expression_value(root, lthird(args));
	Node	   *column = IsA(a, Const) ? b : a;
	Node	   *query = IsA(a, Const) ? a : b;

	if (!IsA(radius, Const))
		return measure->fallback;
	if (((Const *) radius)->constisnull || (IsA(query, Const) && ((Const *) query)->constisnull))
		return 0;

	return sampled_share(root, column, relation,
						 IsA(query, Const) ? &((Const *) query)->constvalue : NULL,
						 DatumGetFloat8(((Const *) radius)->constvalue), measure);
}

/* The function constructor(value, radius) of the schema that the given function is in. */
static Oid
find_constructor(const char *name, Oid sibling, Oid value, Oid radius)
{
	Oid			types[] = {value, radius};

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(types, lengthof(types))),
						   ObjectIdGetDatum(get_func_namespace(sibling)));
}

List *
hx_within_condition(SupportRequestIndexCondition *request, const char *constructor)
{
	if (!is_funcclause(request->node) || request->indexarg > 1)
		return NIL;

	FuncExpr   *call = (FuncExpr *) request->node;
	Node	   *column = list_nth(call->args, request->indexarg);
	Node	   *value = list_nth(call->args, 1 - request->indexarg);
	Node	   *radius = lthird(call->args);
	Oid			maker = find_constructor(constructor, call->funcid, exprType(column),
										 exprType(radius));

	if (!OidIsValid(maker) ||
		!is_pseudo_constant_for_index(request->root, value, request->index) ||
		!is_pseudo_constant_for_index(request->root, radius, request->index))
		return NIL;

	Oid			ball = get_func_rettype(maker);
	Oid			within = get_opfamily_member(request->opfamily, exprType(column), ball,
											 HX_STRATEGY_WITHIN);

	if (!OidIsValid(within))
		return NIL;

	Expr	   *argument = (Expr *) makeFuncExpr(maker, ball, list_make2(value, radius),
												 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);

	argument = (Expr *) eval_const_expressions(request->root, (Node *) argument);
	request->lossy = false;
	return list_make1(make_opclause(within, BOOLOID, false, (Expr *) column, argument,
									InvalidOid, InvalidOid));
}
