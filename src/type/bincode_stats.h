/*
 * bincode_stats.h
 *	  What ANALYZE keeps of a bincode column besides the usual: how far its codes lie
 *	  from each other, and some of them.
 */
#ifndef HX_BINCODE_STATS_H
#define HX_BINCODE_STATS_H

#include "hashidx.h"

/*
 * The kind of the statistics slot, in the range for private use. Its values are codes
 * evenly drawn from the column's, equal ones as often as they come. Its numbers are
 * triples: a distance, the share of all pairs of different rows that lie within it, and
 * the same share without the rows that have most others within it; all ascending, the
 * last shares are 1. Its operator and collation are not set.
 */
#define HX_STATISTIC_KIND_DISTANCES 10171

#endif							/* HX_BINCODE_STATS_H */
