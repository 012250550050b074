/*
 * vector_support.c
 *	  What the planner learns about l2_within and cosine_within, and the operators on balls
 *	  that they become.
 */
#include "plan/within.h"

#include <math.h>

#include "type/distance_curve.h"
#include "type/qvec_ball.h"
#include "type/qvec_sketch.h"

/* The distances of the query's sketch to those kept. */
static int
measure_sketches(const AttStatsSlot *slot, Datum query, double *out,
				 double (*distance) (const float *a, const float *b, int axes))
{
	QvecAxes	axes;
	QvecFloats	vector = hx_qvec_floats(query);
	float	   *sketch;
	int			measured = 0;

	if (!hx_qvec_axes_read(slot->values, slot->nvalues, &axes) || vector.dims != axes.dims)
		return 0;
	sketch = palloc((axes.count + HX_SKETCH_EXTRA) * sizeof(float));
	if (!hx_qvec_sketch(&axes, vector.values, sketch))
		return 0;

	/* The mean and the axes come first. */
	for (int i = 1 + axes.count; i < slot->nvalues; i++)
	{
		QvecFloats	kept = hx_qvec_floats(slot->values[i]);
		double		d = kept.dims == axes.count + HX_SKETCH_EXTRA ?
			distance(sketch, kept.values, axes.count) : NAN;

		if (!isnan(d))
			out[measured++] = d;
		hx_qvec_release(&kept);
	}
	return measured;
}

static int
measure_l2(const AttStatsSlot *slot, Datum query, double *out)
{
	return measure_sketches(slot, query, out, hx_sketch_l2);
}

static int
measure_cosine(const AttStatsSlot *slot, Datum query, double *out)
{
	return measure_sketches(slot, query, out, hx_sketch_cosine);
}

/* Axes are a column's own, so its sketches are no queries to another column. */
static const HxMeasure l2_measure = {
	.values_kind = HX_STATISTIC_KIND_DISTANCES,
	.curve_kind = HX_STATISTIC_KIND_DISTANCES,
	.measure = measure_l2,
};
static const HxMeasure cosine_measure = {
	.values_kind = HX_STATISTIC_KIND_DISTANCES,
	.curve_kind = HX_STATISTIC_KIND_COSINE_DISTANCES,
	.measure = measure_cosine,
};

static const HxWithin l2 = {
	.constructor = "l2_ball",
	.view = hx_qvec_ball_view,
	.radius = hx_within_float_radius,
	.measure = &l2_measure,
	.length = hx_vector_length,
};
static const HxWithin cosine = {
	.constructor = "cosine_ball",
	.view = hx_qvec_ball_view,
	.radius = hx_within_float_radius,
	.measure = &cosine_measure,
	.length = hx_vector_length,
};

HX_FUNCTION(hashidx_l2_within_support);
HX_FUNCTION(hashidx_l2_ball_sel);
HX_FUNCTION(hashidx_l2_ball_joinsel);
HX_FUNCTION(hashidx_cosine_within_support);
HX_FUNCTION(hashidx_cosine_ball_sel);
HX_FUNCTION(hashidx_cosine_ball_joinsel);

Datum
hashidx_l2_within_support(PG_FUNCTION_ARGS)
{
	return hx_within_support(fcinfo, &l2);
}

Datum
hashidx_l2_ball_sel(PG_FUNCTION_ARGS)
{
	return hx_within_ball_restriction(fcinfo, &l2);
}

Datum
hashidx_l2_ball_joinsel(PG_FUNCTION_ARGS)
{
	return hx_within_ball_join(fcinfo, &l2);
}

Datum
hashidx_cosine_within_support(PG_FUNCTION_ARGS)
{
	return hx_within_support(fcinfo, &cosine);
}

Datum
hashidx_cosine_ball_sel(PG_FUNCTION_ARGS)
{
	return hx_within_ball_restriction(fcinfo, &cosine);
}

Datum
hashidx_cosine_ball_joinsel(PG_FUNCTION_ARGS)
{
	return hx_within_ball_join(fcinfo, &cosine);
}
