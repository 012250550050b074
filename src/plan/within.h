/*
 * within.h
 *	  Planning with functions named X_within(a, b, radius): the index condition that a call
 *	  amounts to, and the share of rows it keeps.
 */
#ifndef HX_PLAN_WITHIN_H
#define HX_PLAN_WITHIN_H

#include "hashidx.h"

#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"

/* The strategy of `column <@ ball` in every operator family of ours, in all access methods. */
#define HX_STRATEGY_WITHIN 2

/*
 * The call as a list of one condition `column <@ ball`, or NIL. `constructor` names the
 * function that makes a ball of a value and a radius. The index column may be either of the
 * first two arguments; the other one, and the radius, may come from another table.
 */
extern List *hx_within_condition(SupportRequestIndexCondition *request, const char *constructor);

/* How values of a column are compared. */
typedef struct HxWithinMeasure
{
	PGFunction	distance;		/* SQL-callable, of two values; may give NaN */
	bool		(*comparable) (Datum a, Datum b);	/* or would the distance be an error? */
	double		fallback;		/* the share of rows when nothing is known */
} HxWithinMeasure;

/*
 * Share of rows whose column is within the radius of a query, as the values that ANALYZE
 * keeps of the column tell: of a call of X_within with its arguments as the planner has
 * them, and of a known query.
 */
extern Selectivity hx_within_call_share(PlannerInfo *root, List *args, int relation,
										const HxWithinMeasure *measure);
extern Selectivity hx_within_share(PlannerInfo *root, Node *column, int relation,
								   Datum query, double radius,
								   const HxWithinMeasure *measure);

#endif							/* HX_PLAN_WITHIN_H */
