/*
 * distance_stats.h
 *	  The share of rows within a radius, from a sample's distances and the column's
 *	  distribution of distances. Knows nothing of where these come from.
 */
#ifndef HX_DISTANCE_STATS_H
#define HX_DISTANCE_STATS_H

/*
 * The distribution of distances between two rows: `count` points (distance, share of
 * pairs within it, share of all rows that a typical row has within it), one after the
 * other in `points`, all ascending; a share of 0 was too small to be seen.
 */
typedef struct HxDistanceCurve
{
	const float *points;
	int			count;
} HxDistanceCurve;

/* The share of all pairs within the radius. */
extern double hx_curve_share(const HxDistanceCurve *curve, double radius);

/*
 * The share of rows within the radius of one query: distances[] are those from the query
 * to `count` > 0 rows drawn evenly, in any order. Where they are too few to tell, the
 * share falls from where they do as a typical row's falls.
 */
extern double hx_query_share(const HxDistanceCurve *curve, const double *distances, int count,
							 double radius);

/* The distance within which a sample has just enough rows to tell a share; -1: it is too small. */
extern double hx_telling_distance(const double *distances, int count);

/*
 * The share of sets within a Jaccard distance, between two at which it is known: its logarithm
 * falls as the inverse of the similarity grows.
 */
extern double hx_bridged_share(double radius, double near, double near_share, double far,
							   double far_share);

/*
 * The same of a set, without a curve; `equal` is the share that lies at distance 0. From where
 * the sample tells, the share falls as that of sets of independent elements, or as
 * hx_bridged_share() has it, whichever falls faster.
 */
extern double hx_set_share(const double *distances, int count, double radius, double equal);

#endif							/* HX_DISTANCE_STATS_H */
