/*
 * within.c
 *	  Planning with functions named X_within(a, b, r); see within.h.
 *
 * An index condition must be `column operator value`, so the two values of the call become
 * one: column <@ ball(value, radius).
 */
#include "plan/within.h"

#include <math.h>

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

double
hx_within_float_radius(Datum radius)
{
	return DatumGetFloat8(radius);
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

/*
 * Can no ball be made of these? The call tells so when it is executed, if it is; planning must not,
 * where the constructor of a ball would be evaluated.
 */
static bool
makes_no_ball(const Node *value, const Node *radius, const HxWithin *within)
{
	if (IsA(radius, Const) && !((const Const *) radius)->constisnull &&
		isnan(within->radius(((const Const *) radius)->constvalue)))
		return true;
	return within->is_centre != NULL && IsA(value, Const) &&
		!((const Const *) value)->constisnull &&
		!within->is_centre(((const Const *) value)->constvalue);
}

/*
 * The call as a list of one condition `column <@ ball`, or NIL. The index column may be
 * either of the first two arguments; the other one, and the radius, may come from another
 * table.
 */
static List *
make_condition(SupportRequestIndexCondition *request, const HxWithin *within)
{
	if (!is_funcclause(request->node) || request->indexarg > 1)
		return NIL;

	FuncExpr   *call = (FuncExpr *) request->node;
	Node	   *column = list_nth(call->args, request->indexarg);
	Node	   *value = list_nth(call->args, 1 - request->indexarg);
	Node	   *radius = lthird(call->args);
	Oid			maker = find_constructor(within->constructor, call->funcid, exprType(column),
										 exprType(radius));

	if (!OidIsValid(maker) || makes_no_ball(value, radius, within) ||
		!is_pseudo_constant_for_index(request->root, value, request->index) ||
		!is_pseudo_constant_for_index(request->root, radius, request->index))
		return NIL;

	Oid			ball = get_func_rettype(maker);
	Oid			contains = get_opfamily_member(request->opfamily, exprType(column), ball,
											 HX_STRATEGY_WITHIN);

	if (!OidIsValid(contains))
		return NIL;

	Expr	   *argument = (Expr *) makeFuncExpr(maker, ball, list_make2(value, radius),
												 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);

	argument = (Expr *) eval_const_expressions(request->root, (Node *) argument);
	request->lossy = false;
	return list_make1(make_opclause(contains, BOOLOID, false, (Expr *) column, argument,
									InvalidOid, InvalidOid));
}

static bool
is_null_constant(const Node *node)
{
	return IsA(node, Const) && ((const Const *) node)->constisnull;
}

/* X_within(a, b, r), all of them as far as the planner can evaluate them. */
static Selectivity
estimate_call(PlannerInfo *root, Node *a, Node *b, Node *radius, int relation,
			  const SpecialJoinInfo *join, const HxWithin *within)
{
	Node	   *column = IsA(a, Const) ? b : a;
	Node	   *query = IsA(a, Const) ? a : b;

	if (is_null_constant(radius) || is_null_constant(query))
		return 0;
	if (!IsA(radius, Const))
		return HX_DEFAULT_SHARE;

	double		distance = within->radius(((Const *) radius)->constvalue);

	if (!IsA(query, Const))
		return hx_share_of_columns(root, column, query, relation, join, distance,
								   within->measure);
	return hx_share_of_query(root, column, relation, ((Const *) query)->constvalue, distance,
							 within->measure);
}

Datum
hx_within_support(FunctionCallInfo fcinfo, const HxWithin *within)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(make_condition((SupportRequestIndexCondition *) request, within));
	if (IsA(request, SupportRequestSelectivity))
	{
		SupportRequestSelectivity *selectivity = (SupportRequestSelectivity *) request;
		PlannerInfo *root = selectivity->root;
		List	   *args = selectivity->args;

		selectivity->selectivity =
			estimate_call(root, estimate_expression_value(root, linitial(args)),
						  estimate_expression_value(root, lsecond(args)),
						  estimate_expression_value(root, lthird(args)),
						  selectivity->varRelid, selectivity->sjinfo, within);
		PG_RETURN_POINTER(selectivity);
	}
	if (IsA(request, SupportRequestCost))
		PG_RETURN_POINTER(hx_distance_cost((SupportRequestCost *) request, within->length));
	PG_RETURN_POINTER(NULL);
}

/* column <@ ball; the ball: a constant or a call of its constructor. */
static Selectivity
estimate_ball(PlannerInfo *root, List *args, int relation, const SpecialJoinInfo *join,
			  const HxWithin *within)
{
	Node	   *column = linitial(args);
	Node	   *ball = estimate_expression_value(root, lsecond(args));

	if (is_null_constant(ball))
		return 0;
	if (IsA(ball, Const))
	{
		double		radius;
		Datum		centre = within->view(((Const *) ball)->constvalue, &radius);

		return hx_share_of_query(root, column, relation, centre, radius, within->measure);
	}
	if (IsA(ball, FuncExpr) && list_length(((FuncExpr *) ball)->args) == 2)
		return estimate_call(root, column, linitial(((FuncExpr *) ball)->args),
							 lsecond(((FuncExpr *) ball)->args), relation, join, within);
	return HX_DEFAULT_SHARE;
}

Datum
hx_within_ball_restriction(FunctionCallInfo fcinfo, const HxWithin *within)
{
	PG_RETURN_FLOAT8(estimate_ball((PlannerInfo *) PG_GETARG_POINTER(0),
								   (List *) PG_GETARG_POINTER(2), PG_GETARG_INT32(3), NULL,
								   within));
}

Datum
hx_within_ball_join(FunctionCallInfo fcinfo, const HxWithin *within)
{
	PG_RETURN_FLOAT8(estimate_ball((PlannerInfo *) PG_GETARG_POINTER(0),
								   (List *) PG_GETARG_POINTER(2), 0,
								   (const SpecialJoinInfo *) PG_GETARG_POINTER(4), within));
}
