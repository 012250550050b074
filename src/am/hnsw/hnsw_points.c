/*
 * hnsw_points.c
 *	  Points in memory, and the distances among them that a build asks for. Most of it
 *	  runs on the team's threads.
 */
#include "am/hnsw/hnsw_build.h"

#include <math.h>

#include "am/hnsw/hnsw_effort.h"
#include "graph/crew.h"
#include "kernel/kernel.h"
#include "math/random.h"

/* Points that the centre is the mean of, at most. */
#define CENTRE_SAMPLE 20000

/*
 * A mean whose square is less than this share of the mean square is nobody's centre: where lengths
 * differ by powers of ten it is that of a few long vectors, and all others would be far from it.
 */
#define LEAST_CENTRE_SHARE (1.0 / 16)

/* Stream of the random numbers that draw them. */
#define CENTRE_STREAM 0x63656e747265

/* A thread's scratch: the point that distances are asked from. */
typedef struct Opened
{
	HnswQuery	query;
	float		x[FLEXIBLE_ARRAY_MEMBER];
} Opened;

static size_t
scratch_bytes(const HnswShape *shape)
{
	return offsetof(Opened, x) + shape->own_dims * sizeof(float);
}

/* Makes a stored vector the query, in memory that is there already; only ip needs all of it. */
static void
open_vector(const HnswPoints *points, Opened *opened, const uint8 *stored)
{
	opened->query = (HnswQuery) {
		.memory = opened,		/* so that none is allocated */
		.shape = points->shape,
		.x = opened->x,
		.bits = stored,
	};
	if (points->shape->metric == HNSW_IP)
		hnsw_query_stored(&opened->query, points->shape, stored);
	else if (points->shape->metric != HNSW_HAMMING)
		hnsw_decode(points->shape, stored, opened->x);
}

static void
open_point(const void *context, void *scratch, HxNode from)
{
	const HnswPoints *points = context;

	open_vector(points, scratch, hnsw_points_at(points, from));
}

/*
 * Points lie anywhere in memory: what the next ones keep in so many bytes is loaded while
 * a distance is computed.
 */
#define AHEAD_BYTES 2048

static inline void
prefetch(const uint8 *stored, uint32 bytes)
{
	for (uint32 at = 0; at < bytes; at += 64)
		__builtin_prefetch(stored + at);
}

static void
link_distances(const void *context, const void *scratch, const HxNode *to, unsigned count,
			   float *out)
{
	const HnswPoints *points = context;
	const Opened *opened = scratch;
	const uint32 bytes = points->shape->own_bytes;
	const unsigned ahead = Min(count, AHEAD_BYTES / bytes + 1);

	for (unsigned i = 0; i < ahead; i++)
		prefetch(hnsw_points_at(points, to[i]), bytes);
	for (unsigned i = 0; i < count; i++)
	{
		if (i + ahead < count)
			prefetch(hnsw_points_at(points, to[i + ahead]), bytes);
		out[i] = hnsw_query_link_distance(&opened->query, hnsw_points_at(points, to[i]));
	}
}

HxPoints
hnsw_points_for_graph(const HnswPoints *points, size_t count)
{
	return (HxPoints) {
		.count = count,
		.dims = points->shape->dims,
		.scratch_bytes = scratch_bytes(points->shape),
		.offset = hnsw_link_offset(points->shape, points->largest_norm),
		.context = points,
		.open = open_point,
		.distances = link_distances,
	};
}

/* Brute force over the points, for each vector by one worker. */
typedef struct Search
{
	const HnswPoints *points;
	size_t		point_count;
	const uint8 *vectors;
	float	   *nearest;
	char	   *scratch;
	size_t		scratch_bytes;	/* of each worker */
} Search;

/* HxCrewWork over the vectors. */
static void
search_vector(void *context, unsigned worker, size_t item)
{
	const Search *search = context;
	const HnswPoints *points = search->points;
	Opened	   *opened = (Opened *) (search->scratch + worker * search->scratch_bytes);
	const uint8 *vector = search->vectors + item * points->shape->own_bytes;
	float	   *nearest = search->nearest + item * HNSW_CURVE_NEAREST;

	open_vector(points, opened, vector);
	for (size_t i = 0; i < search->point_count; i++)
	{
		const uint8 *point = hnsw_points_at(points, i);
		const float distance = hnsw_query_distance(&opened->query, point);

		if (distance < nearest[HNSW_CURVE_NEAREST - 1] &&
			memcmp(point, vector, points->shape->own_bytes) != 0)
			hnsw_nearest_offer(nearest, distance);
	}
}

void
hnsw_points_nearest(HxCompute *compute, const HnswPoints *points, size_t point_count,
					const uint8 *vectors, size_t count, float *nearest)
{
	HxScratchMark mark = hx_scratch_mark(compute);
	Search		search = {
		.points = points,
		.point_count = point_count,
		.vectors = vectors,
		.nearest = nearest,
		.scratch_bytes = TYPEALIGN(64, scratch_bytes(points->shape)),
	};

	search.scratch = hx_scratch(compute, hx_team_threads(), search.scratch_bytes);
	hx_crew_run(compute, search_vector, &search, count, NULL, NULL);
	hx_scratch_release(compute, mark);
}

void
hnsw_points_centre(const HnswPoints *points, size_t count, float *centre)
{
	const HnswShape *shape = points->shape;
	size_t		sample = Min(count, CENTRE_SAMPLE);
	double	   *sum = palloc0(shape->link.dims * sizeof(double));
	double		squares = 0;
	float	   *x = palloc(shape->own_dims * sizeof(float));
	float	   *y = palloc(shape->link.dims * sizeof(float));

	for (size_t i = 0; i < sample; i++)
	{
		size_t		at = sample == count ? i :
			hx_random(shape->seed, CENTRE_STREAM, i) % count;

		hnsw_decode(shape, hnsw_points_at(points, at), x);
		hnsw_centred(shape, NULL, x, y);
		for (uint32 j = 0; j < shape->link.dims; j++)
			sum[j] += y[j];
		squares += hx_kernels->dot(y, y, shape->link.dims);
	}
	for (uint32 j = 0; j < shape->link.dims; j++)
		centre[j] = (float) (sum[j] / sample);
	/* Numbers so large that their squares are no floats leave no mean either. */
	if (!isfinite(squares) ||
		hx_kernels->dot(centre, centre, shape->link.dims) < LEAST_CENTRE_SHARE * squares / sample)
		memset(centre, 0, shape->link.dims * sizeof(float));
	pfree(sum);
	pfree(x);
	pfree(y);
}
