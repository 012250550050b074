/*
 * hnsw_space.h
 *	  Values of the column as points of the index's space: stored vectors, their centred and
 *	  rotated coordinates, and distances.
 *
 * There are two kinds of distance. The search distance of a query and a node orders what a scan
 * returns: squared Euclidean distance (l2, and cosine on vectors of length 1), negative inner
 * product, differing bits. The link distance of two nodes decides who are neighbours. It is the
 * same, except for ip: nine parts of the search distance and one part of half the squared
 * Euclidean distance (README, "Inner product").
 *
 * Coordinates: x are those of the stored vector (as in the column; for cosine of length 1; for
 * int8 rotated by hx_spin); y is rotated x minus the rotated centre. y is computed from the
 * stored vector, so the pages are enough to make any code again.
 */
#ifndef HX_HNSW_SPACE_H
#define HX_HNSW_SPACE_H

#include "am/hnsw/hnsw.h"

/* A value of the column, ready to be stored: all parts palloc'd in CurrentMemoryContext. */
typedef struct HnswPoint
{
	uint8	   *stored;			/* own_bytes of the shape */
	float		error;			/* upper bound of |x - stored| */
	float		norm;			/* |x| of ip, else 0 */
} HnswPoint;

/*
 * Makes a point of a column's value (qvec or bincode). False: it is not to be indexed (a zero
 * vector has no cosine). ERRCODE_DATA_EXCEPTION when its dimensions are not the shape's.
 */
extern bool hnsw_point_make(Relation index, const HnswShape *shape, Datum value,
							HnswPoint *point);

/* Dimensions (bits) of a column's value, reading no more of it than needed. */
extern uint32 hnsw_value_dims(const HnswShape *shape, Datum value);

/*
 * x of a stored vector (own_dims floats), and y of x (link.dims floats); centre may be NULL for
 * zero. Not of hamming. May be called by the team's threads.
 */
extern void hnsw_decode(const HnswShape *shape, const uint8 *stored, float *x);
extern void hnsw_centred(const HnswShape *shape, const float *centre, const float *x, float *y);

/* A query: a value, or a stored vector, made ready for distances and estimates. */
typedef struct HnswQuery
{
	const HnswShape *shape;
	float	   *x;				/* own_dims coordinates; NULL of hamming */
	double		sum;			/* hx_stored_sum(x) */
	double		norm;			/* |x| */
	float		largest_norm;	/* of ip: that of all vectors */
	const uint8 *bits;			/* of hamming */
	float	   *y;				/* link.dims coordinates; NULL of hamming */
	HxLinkQuery link;
	float		refine_below;	/* see hnsw_query_refine() */
	void	   *memory;			/* of link */
	uint8	   *own;			/* room for the own vector of a node with a tail, else NULL */
} HnswQuery;

/*
 * Makes a query; its memory is palloc'd in CurrentMemoryContext at the first use of a zeroed
 * HnswQuery and used again by later calls. shape must outlive it. Value: dimensions are checked.
 * A zero vector under cosine stays a zero vector.
 */
extern void hnsw_query_value(HnswQuery *query, Relation index, const HnswShape *shape, Datum value);
extern void hnsw_query_stored(HnswQuery *query, const HnswShape *shape, const uint8 *stored);

/* Then, with what the cache knows: y and the planes for estimates. No catalog access. */
extern void hnsw_query_prepare(HnswQuery *query, const float *centre, float largest_norm);

/*
 * When a node is found whose distance is less than refine_below: the query lies in a cluster that
 * is narrow against its distance from the centre, and estimates need more of its digits.
 */
extern void hnsw_query_refine(HnswQuery *query);

/* Search distance and link distance of the query and a stored vector. */
extern float hnsw_query_distance(const HnswQuery *query, const uint8 *stored);
extern float hnsw_query_link_distance(const HnswQuery *query, const uint8 *stored);

/* The part that the squared distance has in link distances of ip. */
#define HNSW_IP_SQUARED_PART 0.1

static inline float
hnsw_ip_link_distance(double product, double squared)
{
	return (float) (HNSW_IP_SQUARED_PART / 2 * squared - (1 - HNSW_IP_SQUARED_PART) * product);
}

/* HxChoice's offset: no link distance is less than zero by more. */
static inline float
hnsw_link_offset(const HnswShape *shape, float largest_norm)
{
	return shape->metric == HNSW_IP ?
		-hnsw_ip_link_distance((double) largest_norm * largest_norm, 0) : 0;
}

/*
 * The code of a neighbour (its query's y or bits) relative to a node (likewise): sets add and
 * scale of the link, and the code.
 */
extern void hnsw_link_make(const HnswShape *shape, const float *centre, const HnswQuery *node,
						   const HnswQuery *neighbour, HxLink *link, uint8 *code);

#endif							/* HX_HNSW_SPACE_H */
