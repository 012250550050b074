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

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "kernel/kernel.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "plan/distance_stats.h"
#include "plan/within.h"
#include "type/ball.h"
#include "type/bincode_stats.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

/* The share assumed when neither the radius nor the length of the codes is known. */
#define DEFAULT_WITHIN_SELECTIVITY 0.001

/* Share of a normal distribution that lies at or below the radius. */
static Selectivity
normal_share(double mean, double deviation, int radius)
{
	return 0.5 * erfc((mean - 0.5 - radius) / (deviation * M_SQRT2));
}

/* Codes of each of two columns that are compared with each other. */
#define CROSSED_CODES 60

/* What ANALYZE has kept of the distances of a column's codes. */
typedef struct ColumnDistances
{
	VariableStatData variable;
	AttStatsSlot slot;			/* values: codes; all zero when nothing is known */
	HxDistanceCurve curve;
} ColumnDistances;

static void
open_distances(PlannerInfo *root, Node *column, int relation, ColumnDistances *distances)
{
	memset(distances, 0, sizeof(*distances));
	examine_variable(root, column, relation, &distances->variable);
	if (HeapTupleIsValid(distances->variable.statsTuple) &&
		get_attstatsslot(&distances->slot, distances->variable.statsTuple,
						 HX_STATISTIC_KIND_DISTANCES, InvalidOid,
						 ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
	{
		distances->curve.points = distances->slot.numbers;
		distances->curve.count = distances->slot.nnumbers / 3;
	}
}

static void
close_distances(ColumnDistances *distances)
{
	free_attstatsslot(&distances->slot);
	ReleaseVariableStats(distances->variable);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Adds the distances from a code to `most` of a column's codes, taken evenly. */
static int
measure_codes(const BincodeView *query, const ColumnDistances *distances, int most, double *out)
{
	int			count = Min(most, distances->slot.nvalues);
	int			measured = 0;

	for (int i = 0; i < count; i++)
	{
		BincodeView code = hx_bincode_view(distances->slot.values[(int64) i *
																  distances->slot.nvalues / count]);

		if (code.bits == query->bits)
			out[measured++] = hx_kernels->hamming(query->bytes, code.bytes,
												  HX_BITS_TO_BYTES(code.bits));
	}
	return measured;
}

/* The share of a column's rows within the radius of a code; negative: nothing is known. */
static double
share_of_query(const ColumnDistances *distances, const BincodeView *query, int radius)
{
	double	   *measured = palloc(Max(distances->slot.nvalues, 1) * sizeof(double));
	int			count = measure_codes(query, distances, distances->slot.nvalues, measured);
	double		share = -1;

	if (count > 0)
	{
		qsort(measured, count, sizeof(double), compare_doubles);
		share = hx_query_share(&distances->curve, measured, count, radius);
	}
	pfree(measured);
	return share;
}

/* Is it one column, joined with itself? */
static bool
is_same_column(const ColumnDistances *a, const ColumnDistances *b)
{
	Form_pg_statistic one = (Form_pg_statistic) GETSTRUCT(a->variable.statsTuple);
	Form_pg_statistic other = (Form_pg_statistic) GETSTRUCT(b->variable.statsTuple);

	return one->starelid == other->starelid && one->staattnum == other->staattnum;
}

/* The share of the pairs of rows of two columns; negative: nothing is known. */
static double
share_of_columns(const ColumnDistances *a, const ColumnDistances *b, int radius)
{
	double		rows = a->variable.rel != NULL ? a->variable.rel->tuples : 0;
	double		share = -1;
	double	   *measured;
	int			count = 0;

	if (a->curve.count == 0)
		return -1;
	/* Also where nothing is known of the other side: it is taken to be of the same kind. */
	if (b->curve.count == 0)
		return hx_curve_share(&a->curve, radius);
	/* The curve is of different rows; here each also meets itself. */
	if (is_same_column(a, b))
		return hx_curve_share(&a->curve, radius) + (rows > 0 ? 1 / rows : 0);

	measured = palloc(CROSSED_CODES * CROSSED_CODES * sizeof(double));
	for (int i = 0; i < Min(CROSSED_CODES, b->slot.nvalues); i++)
	{
		int			step = Max(b->slot.nvalues / CROSSED_CODES, 1);
		BincodeView code = hx_bincode_view(b->slot.values[i * step]);

		count += measure_codes(&code, a, CROSSED_CODES, measured + count);
	}
	if (count > 0)
	{
		qsort(measured, count, sizeof(double), compare_doubles);
		share = hx_query_share(&a->curve, measured, count, radius);
	}
	pfree(measured);
	return share;
}

/*
 * Share of the column's codes within the radius of the query: a constant, or another
 * column, or what is not known yet and taken to be like the column's codes. Without
 * statistics: bits that are independent but for a doubled spread, for those of real
 * codes are correlated.
 */
static Selectivity
share_within(PlannerInfo *root, Node *column, int relation, const BincodeView *query,
			 Node *other, int radius)
{
	ColumnDistances distances;
	double		share;
	int			bits = query != NULL ? query->bits : exprTypmod(column);

	if (radius < 0)
		return 0;

	open_distances(root, column, relation, &distances);
	if (query != NULL)
		share = share_of_query(&distances, query, radius);
	else
	{
		ColumnDistances others;

		open_distances(root, other, relation, &others);
		share = share_of_columns(&distances, &others, radius);
		if (share < 0)
			share = share_of_columns(&others, &distances, radius);
		close_distances(&others);
	}
	close_distances(&distances);

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
		return share_within(root, column, relation, NULL, query, bits);

	BincodeView code = hx_bincode_view(((Const *) query)->constvalue);

	return share_within(root, column, relation, &code, NULL, bits);
}

HX_FUNCTION(hashidx_hamming_within_support);

Datum
hashidx_hamming_within_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(hx_within_condition((SupportRequestIndexCondition *) request,
											  "hamming_ball"));

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

/* code <@ ball; the ball: a constant or a call of its constructor. */
static Selectivity
estimate_ball(PlannerInfo *root, List *args, int relation)
{
	Node	   *code = linitial(args);
	Node	   *ball = estimate_expression_value(root, lsecond(args));

	if (IsA(ball, Const) && !((Const *) ball)->constisnull)
	{
		int32		radius;
		BincodeView centre = hx_ball_view(((Const *) ball)->constvalue, &radius);

		return share_within(root, code, relation, &centre, NULL, radius);
	}
	if (IsA(ball, FuncExpr) && list_length(((FuncExpr *) ball)->args) == 2)
		return estimate_within(root, code, linitial(((FuncExpr *) ball)->args),
							   lsecond(((FuncExpr *) ball)->args), relation);
	return DEFAULT_WITHIN_SELECTIVITY;
}

HX_FUNCTION(hashidx_hamming_ball_sel);

/* RESTRICT estimator of code <@ hamming_ball */
Datum
hashidx_hamming_ball_sel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(estimate_ball((PlannerInfo *) PG_GETARG_POINTER(0),
								   (List *) PG_GETARG_POINTER(2), PG_GETARG_INT32(3)));
}

HX_FUNCTION(hashidx_hamming_ball_joinsel);

/* JOIN estimator of code <@ hamming_ball */
Datum
hashidx_hamming_ball_joinsel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(estimate_ball((PlannerInfo *) PG_GETARG_POINTER(0),
								   (List *) PG_GETARG_POINTER(2), 0));
}
