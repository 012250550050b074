/*
 * hamming_support.c
 *	  What the planner learns about hamming_within(a, b, r): the index condition
 *	  it amounts to, and how many rows it keeps.
 *
 * An index condition must be `column operator value`, so the two values of the
 * call become one: a <@ hamming_ball(b, r).
 */
#include "hashidx.h"

#include <math.h>

#include "catalog/pg_proc.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "kernel/kernel.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "type/ball.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

/* The strategy of <@ in the operator families of codes, in every access method of ours. */
#define STRATEGY_WITHIN 2

/* The share assumed when neither the radius nor the length of the codes is known. */
#define DEFAULT_WITHIN_SELECTIVITY 0.001

/* Codes taken of each kind of statistics. */
#define MAX_SAMPLE 200

/* Codes of a column that ANALYZE has kept, each with the share of the column it stands for. */
typedef struct Sample
{
	BincodeView codes[2 * MAX_SAMPLE];
	double		weight[2 * MAX_SAMPLE];
	double		total;			/* sum of the weights */
	int			count;
	int			common;			/* the first ones, which come more than once */
} Sample;

/* The distances seen in a sample. */
typedef struct Distances
{
	int			count;
	double		weight;
	double		sum;			/* these three weighted */
	double		sum_squares;
	double		within;			/* at most the radius */
} Distances;

/* Share of a normal distribution that lies at or below the radius. */
static Selectivity
normal_share(double mean, double deviation, int radius)
{
	return 0.5 * erfc((mean - 0.5 - radius) / (deviation * M_SQRT2));
}

/* Takes the most common codes, each with its own share. */
static void
add_most_common(Sample *sample, HeapTuple statistics, AttStatsSlot *slot)
{
	if (!get_attstatsslot(slot, statistics, STATISTIC_KIND_MCV, InvalidOid,
						  ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
		return;
	for (int i = 0; i < Min(slot->nvalues, MAX_SAMPLE); i++)
	{
		sample->codes[sample->count] = hx_bincode_view(slot->values[i]);
		sample->weight[sample->count++] = slot->numbers[i];
		sample->total += slot->numbers[i];
	}
	sample->common = sample->count;
}

/* Takes the bounds of the histogram: codes evenly drawn from the rest of the column. */
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
		sample->codes[sample->count] = hx_bincode_view(slot->values[i]);
		sample->weight[sample->count++] = rest * step / slot->nvalues;
	}
	sample->total += rest;
}

static void
add_distance(Distances *distances, const BincodeView *a, const BincodeView *b,
			 double weight, int radius)
{
	if (a->bits != b->bits)
		return;

	double		distance = hx_kernels->hamming(a->bytes, b->bytes, HX_BITS_TO_BYTES(a->bits));

	distances->count++;
	distances->weight += weight;
	distances->sum += weight * distance;
	distances->sum_squares += weight * distance * distance;
	if (distance <= radius)
		distances->within += weight;
}

/*
 * The share as the sample tells it: counted where the sample is fine enough,
 * below that the tail of a normal distribution with the sample's mean and spread.
 * Without a query the codes of the sample stand for it. Negative: nothing known.
 */
static double
sampled_share(const Sample *sample, const BincodeView *query, int radius)
{
	Distances	distances = {0};

	for (int i = 0; i < sample->count; i++)
	{
		const BincodeView *code = &sample->codes[i];
		double		weight = sample->weight[i];

		if (query != NULL)
		{
			add_distance(&distances, query, code, weight, radius);
			continue;
		}
		for (int j = 0; j < i; j++)
			add_distance(&distances, &sample->codes[j], code,
						 2 * weight * sample->weight[j], radius);
		if (i < sample->common)
			add_distance(&distances, code, code, weight * weight, radius);
	}
	if (distances.count == 0 || distances.weight <= 0)
		return -1;

	double		mean = distances.sum / distances.weight;
	double		variance = distances.sum_squares / distances.weight - mean * mean;

	return Max(distances.within / distances.weight,
			   normal_share(mean, sqrt(Max(variance, 0.25)), radius));
}

/*
 * Share of the column's codes within the radius of the query (a constant, or
 * NULL when it is not known yet). Without statistics: bits that are independent
 * but for a doubled spread, for those of real codes are correlated.
 */
static Selectivity
share_within(PlannerInfo *root, Node *column, int relation, const BincodeView *query, int radius)
{
	VariableStatData variable;
	Sample	   *sample = palloc0(sizeof(Sample));
	AttStatsSlot most_common = {0};
	AttStatsSlot histogram = {0};
	double		share = -1;
	int			bits = query != NULL ? query->bits : exprTypmod(column);

	if (radius < 0)
		return 0;

	examine_variable(root, column, relation, &variable);
	if (HeapTupleIsValid(variable.statsTuple))
	{
		add_most_common(sample, variable.statsTuple, &most_common);
		add_histogram(sample, variable.statsTuple, &histogram);
		share = sampled_share(sample, query, radius);
		free_attstatsslot(&most_common);
		free_attstatsslot(&histogram);
	}
	ReleaseVariableStats(variable);
	pfree(sample);

	if (share < 0)
		share = bits <= 0 ? DEFAULT_WITHIN_SELECTIVITY :
			normal_share(bits / 2.0, sqrt(bits), radius);
	CLAMP_PROBABILITY(share);
	return share;
}

/* hamming_within(a, b, radius), all of them as far as the planner can evaluate them. */
static Selectivity
estimate_within(PlannerInfo *root, Node *a, Node *b, Node *radius, int relation)
{
	Node	   *column = IsA(a, Const) ? b : a;
	Node	   *query = IsA(a, Const) ? a : b;

	if (!IsA(radius, Const))
		return DEFAULT_WITHIN_SELECTIVITY;
	if (((Const *) radius)->constisnull || (IsA(query, Const) && ((Const *) query)->constisnull))
		return 0;

	int			bits = DatumGetInt32(((Const *) radius)->constvalue);

	if (!IsA(query, Const))
		return share_within(root, column, relation, NULL, bits);

	BincodeView code = hx_bincode_view(((Const *) query)->constvalue);

	return share_within(root, column, relation, &code, bits);
}

/* The function hamming_ball(bincode, integer) of the schema that the given function is in. */
static Oid
ball_constructor(Oid sibling, Oid bincode)
{
	Oid			types[] = {bincode, INT4OID};

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum("hamming_ball"),
						   PointerGetDatum(buildoidvector(types, lengthof(types))),
						   ObjectIdGetDatum(get_func_namespace(sibling)));
}

/* hamming_within(column, value, r), or with the first two swapped, as `column <@ ball`. */
static List *
index_condition(SupportRequestIndexCondition *request)
{
	if (!is_funcclause(request->node) || request->indexarg > 1)
		return NIL;

	FuncExpr   *call = (FuncExpr *) request->node;
	Node	   *column = list_nth(call->args, request->indexarg);
	Node	   *value = list_nth(call->args, 1 - request->indexarg);
	Node	   *radius = lthird(call->args);
	Oid			constructor = ball_constructor(call->funcid, exprType(column));

	if (!OidIsValid(constructor) ||
		!is_pseudo_constant_for_index(request->root, value, request->index) ||
		!is_pseudo_constant_for_index(request->root, radius, request->index))
		return NIL;

	Oid			ball = get_func_rettype(constructor);
	Oid			within = get_opfamily_member(request->opfamily, exprType(column), ball,
											 STRATEGY_WITHIN);

	if (!OidIsValid(within))
		return NIL;

	Expr	   *argument = (Expr *) makeFuncExpr(constructor, ball, list_make2(value, radius),
												 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);

	argument = (Expr *) eval_const_expressions(request->root, (Node *) argument);
	request->lossy = false;
	return list_make1(make_opclause(within, BOOLOID, false, (Expr *) column, argument,
									InvalidOid, InvalidOid));
}

HX_FUNCTION(hashidx_hamming_within_support);

Datum
hashidx_hamming_within_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(index_condition((SupportRequestIndexCondition *) request));

	if (IsA(request, SupportRequestSelectivity))
	{
		SupportRequestSelectivity *selectivity = (SupportRequestSelectivity *) request;
		PlannerInfo *root = selectivity->root;

		selectivity->selectivity =
			estimate_within(root,
							estimate_expression_value(root, linitial(selectivity->args)),
							estimate_expression_value(root, lsecond(selectivity->args)),
							estimate_expression_value(root, lthird(selectivity->args)),
							selectivity->varRelid);
		PG_RETURN_POINTER(selectivity);
	}
	PG_RETURN_POINTER(NULL);
}

HX_FUNCTION(hashidx_hamming_ball_sel);

/* RESTRICT estimator of code <@ hamming_ball; the ball: a constant or a call of its constructor. */
Datum
hashidx_hamming_ball_sel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List	   *args = (List *) PG_GETARG_POINTER(2);
	Node	   *code = linitial(args);
	Node	   *ball = estimate_expression_value(root, lsecond(args));

	int			relation = PG_GETARG_INT32(3);

	if (IsA(ball, Const) && !((Const *) ball)->constisnull)
	{
		int32		radius;
		BincodeView centre = hx_ball_view(((Const *) ball)->constvalue, &radius);

		PG_RETURN_FLOAT8(share_within(root, code, relation, &centre, radius));
	}
	if (IsA(ball, FuncExpr) && list_length(((FuncExpr *) ball)->args) == 2)
		PG_RETURN_FLOAT8(estimate_within(root, code, linitial(((FuncExpr *) ball)->args),
										 lsecond(((FuncExpr *) ball)->args), relation));
	PG_RETURN_FLOAT8(DEFAULT_WITHIN_SELECTIVITY);
}
