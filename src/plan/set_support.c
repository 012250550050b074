/*
 * set_support.c
 *	  What the planner learns about jaccard_within and array <%@ jaccard_ball.
 *
 * The statistics of arrays are the server's own: the values of the histogram are evenly
 * drawn from those that are not among the most common ones.
 */
#include "plan/within.h"

#include <math.h>

#include "catalog/pg_statistic.h"
#include "type/set_ball.h"

/* Of src/type, called as it is from SQL. */
extern PGDLLEXPORT Datum hashidx_array_jaccard_distance(PG_FUNCTION_ARGS);

/* Arrays with NULLs are no sets. */
static int
measure_sets(const AttStatsSlot *slot, Datum query, double *out)
{
	int			measured = 0;

	if (array_contains_nulls(DatumGetArrayTypeP(query)))
		return 0;
	for (int i = 0; i < slot->nvalues; i++)
	{
		Datum		value = slot->values[i];

		if (!array_contains_nulls(DatumGetArrayTypeP(value)))
			out[measured++] = DatumGetFloat8(DirectFunctionCall2(hashidx_array_jaccard_distance,
																 query, value));
	}
	return measured;
}

static Datum
view_ball(Datum ball, double *radius)
{
	return PointerGetDatum(hx_set_ball_view(ball, radius));
}

/* No distance is greater than 1. */
static double
guess_share(int32 typmod, double radius)
{
	return radius >= 1 ? 1 : HX_DEFAULT_SHARE;
}

static const HxMeasure measure = {
	.values_kind = STATISTIC_KIND_HISTOGRAM,
	.measure = measure_sets,
	.asks_index = true,
	.values_are_queries = true,
	.guess = guess_share,
};

static bool
is_set(Datum value)
{
	return !array_contains_nulls(DatumGetArrayTypeP(value));
}

static const HxWithin within = {
	.constructor = "jaccard_ball",
	.view = view_ball,
	.radius = hx_within_float_radius,
	.is_centre = is_set,
	.measure = &measure,
	.length = hx_set_length,
};

HX_FUNCTION(hashidx_jaccard_within_support);
HX_FUNCTION(hashidx_jaccard_ball_sel);
HX_FUNCTION(hashidx_jaccard_ball_joinsel);

Datum
hashidx_jaccard_within_support(PG_FUNCTION_ARGS)
{
	return hx_within_support(fcinfo, &within);
}

Datum
hashidx_jaccard_ball_sel(PG_FUNCTION_ARGS)
{
	return hx_within_ball_restriction(fcinfo, &within);
}

Datum
hashidx_jaccard_ball_joinsel(PG_FUNCTION_ARGS)
{
	return hx_within_ball_join(fcinfo, &within);
}
