/*
 * distance_curve.h
 *	  What ANALYZE keeps of the distances between a column's values: a slot of statistics
 *	  whose numbers are a curve.
 *
 * The curve is a list of triples: a distance, the share of all pairs of different rows that
 * lie within it, and the share of all rows that a typical row has within it - the median
 * over rows; all ascending, the last shares are 1, and a share of 0 was too small to be seen.
 */
#ifndef HX_DISTANCE_CURVE_H
#define HX_DISTANCE_CURVE_H

#include "hashidx.h"

#include "commands/vacuum.h"

/*
 * Kinds of slots, in the range for private use; operator and collation are not set. The values
 * are evenly drawn from the column's, equal ones as often as they come: bincodes as they are, or
 * sketches of qvecs (qvec_sketch.h). The second has the cosine distances of qvecs, without values.
 */
#define HX_STATISTIC_KIND_DISTANCES 10171
#define HX_STATISTIC_KIND_COSINE_DISTANCES 10172

typedef struct HxCurveBuilder
{
	float4	   *numbers;
	int			count;			/* of numbers */
} HxCurveBuilder;

/* An empty curve, in CurrentMemoryContext. */
extern HxCurveBuilder hx_curve_start(void);

/*
 * Adds a point, with a distance not less than the last one's; leaves it out when it tells next
 * to nothing new.
 */
extern void hx_curve_add(HxCurveBuilder *curve, double distance, double share, double typical);

/* Ends the curve: all is within this distance. */
extern void hx_curve_finish(HxCurveBuilder *curve, double distance);

/*
 * Fills the first free slot; what is given must be in stats->anl_context. Without one, nothing is
 * kept.
 */
extern void hx_curve_keep(VacAttrStats *stats, int kind, const HxCurveBuilder *curve,
						  Datum *values, int value_count);

/* How a column's statistics beyond the usual are computed: for the sample, after them. */
typedef void (*HxDistanceAnalysis) (VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int rows);

/* typanalyze of a type: the usual, and that. */
extern bool hx_curve_typanalyze(VacAttrStats *stats, HxDistanceAnalysis analyze);

#endif							/* HX_DISTANCE_CURVE_H */
