/*
 * lsh_census.h
 *	  How many sets lie near a set, from those that share buckets with it.
 *
 * A set at Jaccard similarity s shares each bucket with chance s^hashes, and a bit of the sketch
 * with chance (1 + s) / 2. The distribution of similarities that makes the sets met most likely
 * is found by Richardson's and Lucy's iteration. So errors of sketches, and sets that were not
 * met, are accounted for.
 */
#ifndef HX_LSH_CENSUS_H
#define HX_LSH_CENSUS_H

#include "hash/lsh.h"

/* A set that was met. */
typedef struct HxLshMet
{
	uint32_t	tables;			/* in so many of the tables looked at, 1 or more */
	float		distance;		/* as sketches tell */
} HxLshMet;

/*
 * How many sets lie within the radius of one of `set_size` elements, own buckets of `tables` > 0
 * tables having been looked at. Lowers the radius to the largest that it can tell that of.
 */
extern double hx_lsh_census(const HxLshShape *shape, uint32_t tables, size_t set_size,
							const HxLshMet *met, size_t count, const HxMemory *memory,
							double *radius);

#endif							/* HX_LSH_CENSUS_H */
