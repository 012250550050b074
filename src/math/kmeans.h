/*
 * kmeans.h
 *	  k-means with k-means++ seeding (Arthur and Vassilvitskii 2007), on the team.
 */
#ifndef HX_KMEANS_H
#define HX_KMEANS_H

#include <stdint.h>

#include "math/compute.h"

/*
 * `k` centroids (k x d floats) of `count` rows of d floats: k-means++ seeding, then at
 * most `iterations` rounds of Lloyd's algorithm, fewer when nothing changes any more (0:
 * the seeds themselves, which are different rows). 1 <= k <= count < 2^32. A centroid
 * that loses all its rows takes the row farthest from its own centroid, or stays where it
 * is when all rows stand on theirs. assignment (count, may be NULL) tells each row's
 * nearest centroid at the end, the first of equals. The same bits for every number
 * of threads and at every SIMD level.
 */
extern void hx_kmeans(HxCompute *compute, const float *rows, size_t count, size_t d, size_t k,
					  int iterations, uint64_t seed, float *centroids, uint32_t *assignment);

#endif							/* HX_KMEANS_H */
