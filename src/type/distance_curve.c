/*
 * distance_curve.c
 *	  Statistics of the distances between a column's values; see distance_curve.h.
 */
#include "type/distance_curve.h"

/* A point is worth keeping if one of its shares has grown by that much since the last. */
#define WORTH_KEEPING 1.1

#define POINT_NUMBERS 3

/* Two shares that grow from 1e-10 to 1 in steps worth keeping make no more points. */
#define MOST_POINTS 512

/* The usual computation of statistics and its data, kept while ours stands in for it. */
typedef struct Analysis
{
	AnalyzeAttrComputeStatsFunc compute_stats;
	void	   *extra_data;
	HxDistanceAnalysis analyze;
} Analysis;

HxCurveBuilder
hx_curve_start(void)
{
	return (HxCurveBuilder) {.numbers = palloc(MOST_POINTS * POINT_NUMBERS * sizeof(float4))};
}

void
hx_curve_add(HxCurveBuilder *curve, double distance, double share, double typical)
{
	float4	   *last = curve->numbers + curve->count - POINT_NUMBERS;

	if (share <= 0 || curve->count == (MOST_POINTS - 1) * POINT_NUMBERS)
		return;
	if (curve->count > 0)
	{
		if (share <= last[1] * WORTH_KEEPING && typical <= last[2] * WORTH_KEEPING)
			return;
		share = Max(share, last[1]);
		typical = Max(typical, last[2]);
		/* Of one distance the largest shares hold. */
		if (last[0] == (float4) distance)
			curve->count -= POINT_NUMBERS;
	}
	curve->numbers[curve->count++] = distance;
	curve->numbers[curve->count++] = Min(share, 1);
	curve->numbers[curve->count++] = Min(typical, 1);
}

void
hx_curve_finish(HxCurveBuilder *curve, double distance)
{
	while (curve->count > 0 && curve->numbers[curve->count - POINT_NUMBERS] >= (float4) distance)
		curve->count -= POINT_NUMBERS;
	curve->numbers[curve->count++] = distance;
	curve->numbers[curve->count++] = 1;
	curve->numbers[curve->count++] = 1;
}

void
hx_curve_keep(VacAttrStats *stats, int kind, const HxCurveBuilder *curve, Datum *values,
			  int value_count)
{
	int			slot = 0;

	while (slot < STATISTIC_NUM_SLOTS && stats->stakind[slot] != 0)
		slot++;
	if (slot == STATISTIC_NUM_SLOTS)
		return;
	stats->stakind[slot] = kind;
	stats->stanumbers[slot] = curve->numbers;
	stats->numnumbers[slot] = curve->count;
	stats->stavalues[slot] = values;
	stats->numvalues[slot] = value_count;
}

/* compute_stats of the column. */
static void
compute_distances(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int rows, double total_rows)
{
	Analysis   *analysis = stats->extra_data;

	stats->extra_data = analysis->extra_data;
	analysis->compute_stats(stats, fetch, rows, total_rows);
	stats->extra_data = analysis;
	analysis->analyze(stats, fetch, rows);
}

bool
hx_curve_typanalyze(VacAttrStats *stats, HxDistanceAnalysis analyze)
{
	Analysis   *analysis;

	if (!std_typanalyze(stats))
		return false;
	analysis = palloc(sizeof(Analysis));
	*analysis = (Analysis) {
		.compute_stats = stats->compute_stats,
		.extra_data = stats->extra_data,
		.analyze = analyze,
	};
	stats->compute_stats = compute_distances;
	stats->extra_data = analysis;
	return true;
}
