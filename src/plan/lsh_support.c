/*
 * lsh_support.c
 *	  What the planner learns about l2_within, cosine_within and jaccard_within, and about
 *	  the operators on balls that they become.
 */
#include "hashidx.h"

#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"

#include "plan/within.h"
#include "type/qvec_ball.h"
#include "type/set_ball.h"

HX_FUNCTION(hashidx_l2_within_support);
HX_FUNCTION(hashidx_cosine_within_support);
HX_FUNCTION(hashidx_jaccard_within_support);
HX_FUNCTION(hashidx_l2_ball_sel);
HX_FUNCTION(hashidx_cosine_ball_sel);
HX_FUNCTION(hashidx_jaccard_ball_sel);

/* Of src/type, called as they are from SQL. */
extern PGDLLEXPORT Datum hashidx_l2_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum hashidx_cosine_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum hashidx_array_jaccard_distance(PG_FUNCTION_ARGS);

/* The share that is assumed when nothing is known. */
#define DEFAULT_SHARE 0.001

static bool
same_dims(Datum a, Datum b)
{
	return hx_qvec_header(a).dims == hx_qvec_header(b).dims;
}

static bool
are_sets(Datum a, Datum b)
{
	return !array_contains_nulls(DatumGetArrayTypeP(a)) &&
		!array_contains_nulls(DatumGetArrayTypeP(b));
}

static const HxWithinMeasure l2 = {hashidx_l2_distance, same_dims, DEFAULT_SHARE};
static const HxWithinMeasure cosine = {hashidx_cosine_distance, same_dims, DEFAULT_SHARE};
static const HxWithinMeasure jaccard = {hashidx_array_jaccard_distance, are_sets, DEFAULT_SHARE};

/* Answers the requests about a call of X_within whose balls `constructor` makes. */
static Datum
support(FunctionCallInfo fcinfo, const char *constructor, const HxWithinMeasure *measure)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(hx_within_condition((SupportRequestIndexCondition *) request,
											  constructor));
	if (IsA(request, SupportRequestSelectivity))
	{
		SupportRequestSelectivity *selectivity = (SupportRequestSelectivity *) request;

		selectivity->selectivity = hx_within_call_share(selectivity->root, selectivity->args,
														selectivity->varRelid, measure);
		PG_RETURN_POINTER(selectivity);
	}
	PG_RETURN_POINTER(NULL);
}

Datum
hashidx_l2_within_support(PG_FUNCTION_ARGS)
{
	return support(fcinfo, "l2_ball", &l2);
}

Datum
hashidx_cosine_within_support(PG_FUNCTION_ARGS)
{
	return support(fcinfo, "cosine_ball", &cosine);
}

Datum
hashidx_jaccard_within_support(PG_FUNCTION_ARGS)
{
	return support(fcinfo, "jaccard_ball", &jaccard);
}

/* The ball of `column <@ ball`, or NULL; a call of the constructor is told by *call. */
static Const *
constant_ball(FunctionCallInfo fcinfo, Node **call)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List	   *args = (List *) PG_GETARG_POINTER(2);
	Node	   *ball = estimate_expression_value(root, lsecond(args));

	*call = IsA(ball, FuncExpr) && list_length(((FuncExpr *) ball)->args) == 2 ? ball : NULL;
	return IsA(ball, Const) && !((Const *) ball)->constisnull ? (Const *) ball : NULL;
}

/* RESTRICT estimators: the ball is a constant or a call of its constructor. */
static Datum
ball_share(FunctionCallInfo fcinfo, Datum (*view) (Datum ball, double *radius),
		   const HxWithinMeasure *measure)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List	   *args = (List *) PG_GETARG_POINTER(2);
	int			relation = PG_GETARG_INT32(3);
	Node	   *call;
	Const	   *ball = constant_ball(fcinfo, &call);

	if (ball != NULL)
	{
		double		radius;
		Datum		centre = view(ball->constvalue, &radius);

		PG_RETURN_FLOAT8(hx_within_share(root, linitial(args), relation, centre, radius,
										 measure));
	}
	if (call != NULL)
	{
		List	   *parts = ((FuncExpr *) call)->args;

		PG_RETURN_FLOAT8(hx_within_call_share(root, list_make3(linitial(args), linitial(parts),
															   lsecond(parts)),
											  relation, measure));
	}
	PG_RETURN_FLOAT8(measure->fallback);
}

static Datum
view_set(Datum ball, double *radius)
{
	return PointerGetDatum(hx_set_ball_view(ball, radius));
}

Datum
hashidx_l2_ball_sel(PG_FUNCTION_ARGS)
{
	return ball_share(fcinfo, hx_qvec_ball_view, &l2);
}

Datum
hashidx_cosine_ball_sel(PG_FUNCTION_ARGS)
{
	return ball_share(fcinfo, hx_qvec_ball_view, &cosine);
}

Datum
hashidx_jaccard_ball_sel(PG_FUNCTION_ARGS)
{
	return ball_share(fcinfo, view_set, &jaccard);
}
