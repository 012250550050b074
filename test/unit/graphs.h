/*
 * graphs.h
 *	  For the tests of graphs: points in a plain array, their distances, and the nearest by
 *	  comparing all.
 */
#ifndef HX_UNIT_GRAPHS_H
#define HX_UNIT_GRAPHS_H

#include "numeric.h"

#include "graph/build.h"

typedef struct Cloud
{
	size_t		count;
	size_t		d;
	float	   *rows;
} Cloud;

static inline float
cloud_distance(const Cloud *cloud, const float *from, HxNode to)
{
	float		sum = 0;

	for (size_t i = 0; i < cloud->d; i++)
	{
		const float difference = from[i] - cloud->rows[to * cloud->d + i];

		sum += difference * difference;
	}
	return sum;
}

static inline void
cloud_open(const void *context, void *scratch, HxNode from)
{
	const Cloud *cloud = context;

	memcpy(scratch, cloud->rows + from * cloud->d, cloud->d * sizeof(float));
}

static inline void
cloud_distances(const void *context, const void *scratch, const HxNode *to, unsigned count,
				float *out)
{
	for (unsigned i = 0; i < count; i++)
		out[i] = cloud_distance(context, scratch, to[i]);
}

static inline HxPoints
cloud_points(const Cloud *cloud)
{
	return (HxPoints) {
		.count = cloud->count,.scratch_bytes = cloud->d * sizeof(float),.context = cloud,
		.open = cloud_open,.distances = cloud_distances,
	};
}

/* The k nearest to `from` of all points, ascending, by comparing all; k <= count. */
static inline void
cloud_nearest(const Cloud *cloud, const float *from, size_t k, HxCandidate *nearest)
{
	size_t		have = 0;

	for (size_t i = 0; i < cloud->count; i++)
	{
		const HxCandidate candidate = {cloud_distance(cloud, from, (HxNode) i), (HxNode) i};
		size_t		at = have;

		if (have == k && candidate.distance >= nearest[k - 1].distance)
			continue;
		if (have < k)
			have++;
		else
			at--;
		for (; at > 0 && nearest[at - 1].distance > candidate.distance; at--)
			nearest[at] = nearest[at - 1];
		nearest[at] = candidate;
	}
}

/* The graph of the points; free() it. The scratch of all computations is freed. */
static inline HxNode *
cloud_build(const Cloud *cloud, unsigned m, unsigned ef, uint64_t seed, int threads)
{
	const HxPoints points = cloud_points(cloud);
	const HxGraphOptions options = {m, ef, seed};
	HxNode	   *links = unit_alloc(cloud->count * m * sizeof(HxNode));
	HxCompute	compute = numeric_compute();

	memset(links, 0x5a, cloud->count * m * sizeof(HxNode));
	hx_team_start(threads);
	hx_graph_build(&compute, &points, &options, links, NULL, NULL);
	hx_team_end();
	numeric_free();
	return links;
}

#endif							/* HX_UNIT_GRAPHS_H */
