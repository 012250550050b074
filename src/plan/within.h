/*
 * within.h
 *	  Planning with functions named X_within(a, b, r), and the operators `a <@ X_ball`
 *	  that they become: index conditions, and the share of rows that is kept.
 */
#ifndef HX_PLAN_WITHIN_H
#define HX_PLAN_WITHIN_H

#include "hashidx.h"

#include "plan/column_distances.h"
#include "plan/distance_cost.h"

/* The strategy of `column <@ ball` in every operator family of ours, in all access methods. */
#define HX_STRATEGY_WITHIN 2

/* What differs from one distance to the other. */
typedef struct HxWithin
{
	const char *constructor;	/* makes a ball of a value and a radius */
	Datum		(*view) (Datum ball, double *radius);	/* centre and radius of a ball */
	double		(*radius) (Datum radius);	/* the third argument as a number */
	bool		(*is_centre) (Datum value); /* can a ball have it? NULL: any */
	const HxMeasure *measure;
	HxTellLength length;
} HxWithin;

/* A number that is one. */
extern double hx_within_float_radius(Datum radius);

/* The planner's support function of X_within. */
extern Datum hx_within_support(FunctionCallInfo fcinfo, const HxWithin *within);

/* RESTRICT and JOIN estimators of the operator on balls. */
extern Datum hx_within_ball_restriction(FunctionCallInfo fcinfo, const HxWithin *within);
extern Datum hx_within_ball_join(FunctionCallInfo fcinfo, const HxWithin *within);

#endif							/* HX_PLAN_WITHIN_H */
