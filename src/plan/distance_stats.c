/*
 * distance_stats.c
 *	  The share of rows within a radius; see distance_stats.h.
 *
 * Near a row, the number of rows grows as a power of the distance, whose exponent changes
 * slowly: so shares are interpolated between points, and continued below the first, as
 * straight lines of their logarithms.
 */
#include "plan/distance_stats.h"

#include <math.h>

/* So many rows of a sample within a radius tell the share within it well enough. */
#define ENOUGH_ROWS 4

/* The numbers of a point. */
enum {POINT_DISTANCE, POINT_SHARE, POINT_TYPICAL, POINT_NUMBERS};

/* Below the first share seen, the line is that to where the share has grown so many times. */
#define GROWTH 4

/* Slopes of such a line; shares that jump would give any. */
#define LEAST_SLOPE 1.0
#define MOST_SLOPE 40.0

/* A similarity is at least so much where it is inverted. */
#define LEAST_SIMILARITY 0.001

/* Distances are at least this share of the least positive one, for there is no logarithm of 0. */
#define LEAST_DISTANCE 0.5

static double
number(const HxDistanceCurve *curve, int point, int which)
{
	return curve->points[point * POINT_NUMBERS + which];
}

/* The logarithm of a distance that is not negative. */
static double
log_distance(const HxDistanceCurve *curve, double distance)
{
	double		least = number(curve, 0, POINT_DISTANCE);

	if (least <= 0 && curve->count > 1)
		least = LEAST_DISTANCE * number(curve, 1, POINT_DISTANCE);
	return log(fmax(distance, fmax(LEAST_DISTANCE * least, 1e-30)));
}

/* The first point at which a share is at least so much; the last one if there is none. */
static int
find_share(const HxDistanceCurve *curve, int which, double share)
{
	int			i = 0;

	while (i < curve->count - 1 && number(curve, i, which) < share)
		i++;
	return i;
}

/* The exponent with which a share grows from its first point on. */
static double
first_slope(const HxDistanceCurve *curve, int which, int first)
{
	double		share = number(curve, first, which);
	int			other = find_share(curve, which, GROWTH * share);
	double		width = log_distance(curve, number(curve, other, POINT_DISTANCE)) -
		log_distance(curve, number(curve, first, POINT_DISTANCE));
	double		slope = width > 0 ? log(number(curve, other, which) / share) / width : MOST_SLOPE;

	return fmin(fmax(slope, LEAST_SLOPE), MOST_SLOPE);
}

/* The share at y = log(distance). */
static double
share_at(const HxDistanceCurve *curve, int which, double y)
{
	int			first = find_share(curve, which, 1e-30);
	int			i = first;
	double		below = log_distance(curve, number(curve, first, POINT_DISTANCE));

	if (y < below)
		return number(curve, first, which) * exp(first_slope(curve, which, first) * (y - below));
	for (; i < curve->count - 1; i++)
	{
		double		above = log_distance(curve, number(curve, i + 1, POINT_DISTANCE));

		if (y < above)
			return number(curve, i, which) *
				pow(number(curve, i + 1, which) / number(curve, i, which),
					(y - below) / (above - below));
		below = above;
	}
	return number(curve, i, which);
}

/* The logarithm of the distance within which a typical row has a share of all rows. */
static double
typical_distance(const HxDistanceCurve *curve, double share)
{
	int			first = find_share(curve, POINT_TYPICAL, 1e-30);
	int			i = find_share(curve, POINT_TYPICAL, share);
	double		y = log_distance(curve, number(curve, i, POINT_DISTANCE));
	double		above = number(curve, i, POINT_TYPICAL);

	if (i == first)
		return y + log(share / above) / first_slope(curve, POINT_TYPICAL, first);

	double		below = number(curve, i - 1, POINT_TYPICAL);
	double		y_below = log_distance(curve, number(curve, i - 1, POINT_DISTANCE));

	return above > below ? y_below + (y - y_below) * log(share / below) / log(above / below) : y;
}

double
hx_curve_share(const HxDistanceCurve *curve, double radius)
{
	return share_at(curve, POINT_SHARE, log_distance(curve, radius));
}

/* Distances around this query are to those around a typical row as at the anchor. */
static double
scaled_share(const HxDistanceCurve *curve, double anchor, double share, double radius)
{
	double		scale = typical_distance(curve, share) - log_distance(curve, anchor);

	return fmin(share_at(curve, POINT_TYPICAL, log_distance(curve, radius) + scale), share);
}

static int
count_within(const double *distances, int count, double radius)
{
	int			within = 0;

	for (int i = 0; i < count; i++)
		within += distances[i] <= radius;
	return within;
}

double
hx_telling_distance(const double *distances, int count)
{
	double		nearest[ENOUGH_ROWS];
	int			kept = 0;

	for (int i = 0; i < count; i++)
	{
		if (kept < ENOUGH_ROWS)
			kept++;
		else if (distances[i] >= nearest[kept - 1])
			continue;

		int			at = kept - 1;

		for (; at > 0 && distances[i] < nearest[at - 1]; at--)
			nearest[at] = nearest[at - 1];
		nearest[at] = distances[i];
	}
	return kept == ENOUGH_ROWS ? nearest[ENOUGH_ROWS - 1] : -1;
}

double
hx_query_share(const HxDistanceCurve *curve, const double *distances, int count, double radius)
{
	int			within = count_within(distances, count, radius);

	if (within >= ENOUGH_ROWS || count < ENOUGH_ROWS)
		return (double) within / count;

	double		anchor = hx_telling_distance(distances, count);
	double		most = (double) count_within(distances, count, anchor) / count;
	double		share = curve->count > 1 ? scaled_share(curve, anchor, most, radius) : 0;

	/* One row of the sample may lie there by chance; more are no accident. */
	return fmax(share, (within - 1.0) / count);
}

double
hx_bridged_share(double radius, double near, double near_share, double far, double far_share)
{
	double		begin = 1 / fmax(1 - near, LEAST_SIMILARITY);
	double		end = 1 / fmax(1 - far, LEAST_SIMILARITY);
	double		place = 1 / fmax(1 - radius, LEAST_SIMILARITY);

	if (place >= end || near_share >= far_share)
		return fmax(near_share, far_share);
	return near_share * pow(far_share / near_share, fmax(place - begin, 0) / (end - begin));
}

/*
 * The share of sets within the radius, from that within the anchor, as the tail of a gamma
 * distribution falls that has the mean and the variance of the similarities: that of sets whose
 * elements do not depend on each other.
 */
static double
tail_share(const double *distances, int count, double radius, double anchor, double share)
{
	double		mean = 0;
	double		squares = 0;
	double		begin = 1 - anchor;
	double		place = fmax(1 - radius, LEAST_SIMILARITY);

	for (int i = 0; i < count; i++)
	{
		mean += (1 - distances[i]) / count;
		squares += (1 - distances[i]) * (1 - distances[i]) / count;
	}

	double		variance = squares - mean * mean;

	if (variance <= 0)
		return 0;
	share *= exp((begin - place) * mean / variance);
	return begin > 0 ? share * pow(place / begin, mean * mean / variance - 1) : share;
}

double
hx_set_share(const double *distances, int count, double radius, double equal)
{
	int			within = count_within(distances, count, radius);

	if (within >= ENOUGH_ROWS || count < ENOUGH_ROWS)
		return fmax((double) within / count, equal);

	/* All that share nothing with the query are equally far away: too many to begin with. */
	double		anchor = hx_telling_distance(distances, count);
	int			rows = anchor < 1 ? count_within(distances, count, anchor) : ENOUGH_ROWS;
	double		most = (double) rows / count;
	double		share = fmin(tail_share(distances, count, radius, anchor, most),
							 hx_bridged_share(radius, 0, equal, anchor, most));

	/* One row of the sample may lie there by chance; more are no accident. */
	return fmax(share, fmax((within - 1.0) / count, equal));
}
