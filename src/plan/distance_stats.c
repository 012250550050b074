/*
 * distance_stats.c
 *	  The share of rows within a radius; see distance_stats.h.
 */
#include "plan/distance_stats.h"

/* So many rows of a sample within a radius tell the share within it well enough. */
#define ENOUGH_ROWS 8

/* The numbers of a point. */
enum {POINT_DISTANCE, POINT_SHARE, POINT_TYPICAL, POINT_NUMBERS};

/* One of the two shares within a radius. */
static double
share_at(const HxDistanceCurve *curve, double radius, int which)
{
	double		share = 0;
	double		least = 0;

	for (int i = 0; i < curve->count; i++)
	{
		const float *point = curve->points + i * POINT_NUMBERS;

		if (least == 0)
			least = point[which];
		if (point[POINT_DISTANCE] > radius && least > 0)
			break;
		if (point[POINT_DISTANCE] <= radius)
			share = point[which];
	}

	/* None seen does not mean that there are none. */
	return share > 0 ? share : least / 2;
}

double
hx_curve_share(const HxDistanceCurve *curve, double radius)
{
	return share_at(curve, radius, POINT_SHARE);
}

double
hx_query_share(const HxDistanceCurve *curve, const double *distances, int count, double radius)
{
	int			within = 0;
	int			enough = count < ENOUGH_ROWS ? count : ENOUGH_ROWS;

	while (within < count && distances[within] <= radius)
		within++;
	if (within >= enough || curve->count == 0)
		return count > 0 ? (double) within / count : 0;

	/* The radius that takes in enough of the sample, and all rows of it that it takes in. */
	double		anchor = distances[enough - 1];
	int			anchored = enough;

	while (anchored < count && distances[anchored] <= anchor)
		anchored++;

	double		falls = share_at(curve, radius, POINT_TYPICAL) /
		share_at(curve, anchor, POINT_TYPICAL);
	double		share = falls * anchored / count;
	double		seen = (double) within / count;

	/* What has been seen bounds it: not much less than that, and not more than one row more. */
	if (share < seen / 2)
		return seen / 2;
	return share < seen + 1.0 / count ? share : seen + 1.0 / count;
}
