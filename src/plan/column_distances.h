/*
 * column_distances.h
 *	  What ANALYZE keeps of a column, as distances: the share of its rows within a radius
 *	  of a query, and of pairs of rows of two columns.
 */
#ifndef HX_COLUMN_DISTANCES_H
#define HX_COLUMN_DISTANCES_H

#include "hashidx.h"

#include "nodes/pathnodes.h"
#include "utils/lsyscache.h"

/* The share of rows assumed when nothing is known. */
#define HX_DEFAULT_SHARE 0.001

/* How values of a type are compared for an estimate. */
typedef struct HxMeasure
{
	/* Slots of pg_statistic: values to compare with, and the curve (distance_curve.h; 0: none). */
	int			values_kind;
	int			curve_kind;

	/*
	 * The distances of a query to the values of a slot, into out[]; returns how many there are, for
	 * what cannot be compared is left out.
	 */
	int			(*measure) (const AttStatsSlot *slot, Datum query, double *out);

	/*
	 * Is the distance Jaccard's, of which statistics tell little, so that an index is asked where
	 * there is one that can tell?
	 */
	bool		asks_index;

	/* Are the slot's values such as may be queries: does measure() take them? */
	bool		values_are_queries;

	/* The share when nothing is known but the column's typmod; NULL: the default. */
	double		(*guess) (int32 typmod, double radius);
} HxMeasure;

/* Share of rows whose column is within the radius of a query. */
extern double hx_share_of_query(PlannerInfo *root, Node *column, int relation, Datum query,
								double radius, const HxMeasure *measure);

/*
 * The same of a query that is another column, or not known yet and taken to be like the rows. In a
 * semijoin or antijoin (join may be NULL) the share of the outer rows that have a partner.
 */
extern double hx_share_of_columns(PlannerInfo *root, Node *column, Node *other, int relation,
								  const SpecialJoinInfo *join, double radius,
								  const HxMeasure *measure);

#endif							/* HX_COLUMN_DISTANCES_H */
