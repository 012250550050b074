/*
 * lsh_curve.h
 *	  How likely a point is to be met within so many probes, by its distance.
 *
 * A curve is measured on made-up pairs of points, with the very functions that an index
 * uses, and kept with the index; from it comes the effort of each scan.
 */
#ifndef HX_LSH_CURVE_H
#define HX_LSH_CURVE_H

#include "hash/lsh.h"
#include "math/compute.h"

#define HX_LSH_CURVE_DISTANCES 33
#define HX_LSH_CURVE_PROBES 8
#define HX_LSH_CURVE_NEIGHBOURS 32

/* No number of probes is enough: only reading all of the index is. */
#define HX_LSH_OUT_OF_REACH UINT32_MAX

/* Flat, to be kept in a metapage. */
typedef struct HxLshCurve
{
	/*
	 * hit[i][j]: chance that a point at grid distance i is in one of the first 2^j
	 * buckets of one table. Tables are independent of each other.
	 */
	float		hit[HX_LSH_CURVE_DISTANCES][HX_LSH_CURVE_PROBES];

	/* Typical distances of nearest neighbours, ascending; none known: neighbour_count is 0. */
	float		neighbours[HX_LSH_CURVE_NEIGHBOURS];
	uint32_t	neighbour_count;
} HxLshCurve;

/* Whether every number of a curve read from a page is in its range. */
extern bool hx_lsh_curve_valid(const HxLshCurve *curve);

/* Chance to meet a point at this distance with so many probes over all tables. */
extern double hx_lsh_curve_recall(const HxLshShape *shape, const HxLshCurve *curve,
								  double distance, double probes);

/* The fewest probes that meet points at up to this distance with this chance, or OUT_OF_REACH. */
extern uint32_t hx_lsh_curve_probes(const HxLshShape *shape, const HxLshCurve *curve,
									double distance, double recall);

/* The same for the nearest neighbours that the curve knows: mean recall, probes to reach it. */
extern double hx_lsh_curve_knn_recall(const HxLshShape *shape, const HxLshCurve *curve,
									  double probes);
extern uint32_t hx_lsh_curve_knn_probes(const HxLshShape *shape, const HxLshCurve *curve,
										double recall);

/*
 * Measures the curve of a complete shape; neighbours are left out. set_size: elements of a
 * typical set, else ignored. Takes a second or so, with the computation's check on the way.
 */
extern void hx_lsh_curve_measure(const HxLshShape *shape, size_t set_size,
								 const HxCompute *compute, HxLshCurve *curve);

/* Memory that hx_lsh_curve_hits() takes as a rule. */
#define HX_LSH_CURVE_ARENA (2 << 20)

/*
 * Share of made-up points at a distance that are in the first 2^j buckets of a table:
 * `pairs` of them, and up to `max_pairs` where they are met too rarely to tell. The
 * computation's check runs, its memory is not used.
 */
extern void hx_lsh_curve_hits(const HxLshShape *shape, size_t set_size, double distance,
							  unsigned pairs, unsigned max_pairs, const HxCompute *compute,
							  const HxMemory *memory, float hit[HX_LSH_CURVE_PROBES]);

#endif							/* HX_LSH_CURVE_H */
