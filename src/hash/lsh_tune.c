/*
 * lsh_tune.c
 *	  The choice of tables and hashes that find the near points of a table, and of the number of
 *	  probes.
 *
 * More hashes make smaller buckets, and so fewer candidates but more probes. For each number of
 * hashes, the probes that the recall takes are measured (lsh_curve.h), and the candidates are
 * computed from distances of rows drawn at random. The cheapest sum of both is taken.
 */
#include "hash/lsh_tune.h"

#include <math.h>
#include <stdlib.h>

#include "hash/arena.h"
#include "hash/lsh_family.h"
#include "hash/projection.h"

/* A pair of each typical distance is drawn so many times while shapes are compared. */
#define COARSE_PAIRS 8

/* Typical distances that shapes are compared by: every so many of the curve's. */
#define COARSE_STEP 4

/* The largest part of a cross-polytope that is tried. */
#define MAX_PART 1024

/* Fewer tables are taken, for cheaper inserts, where that makes scans dearer by so much. */
#define WORTH_OF_TABLES 1.25

/* The least, in rows, that a bucket should hold on average. */
#define LEAST_BUCKET 0.5

/* More hashes are not tried after so many numbers of them that were tried in vain. */
#define PATIENCE 3

/* Background distances that chances are averaged over. */
#define MAX_BACKGROUND 2000

static const uint32_t table_counts[] = {
	1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256
};

#define TABLE_COUNTS (sizeof(table_counts) / sizeof(table_counts[0]))

/* What the search for a shape goes by. */
typedef struct Search
{
	const HxLshShape *wish;
	const HxLshSample *sample;
	const HxLshLimits *limits;
	const HxCompute *compute;
	HxArena		arena;			/* of one measurement */
	HxLshCurve	curve;			/* typical neighbours; coarse hits of the shape in turn */
	float		background[MAX_BACKGROUND];
	size_t		background_count;

	/* The best of each number of tables. */
	HxLshShape	best[TABLE_COUNTS];
	double		cost[TABLE_COUNTS];
	double		recall[TABLE_COUNTS];	/* where the asked one is out of reach: the highest */
} Search;

static int
compare_floats(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return (x > y) - (x < y);
}

/* Evenly spread quantiles of some numbers. */
static uint32_t
take_quantiles(const float *numbers, size_t count, const HxMemory *memory, float *quantiles,
			   uint32_t wanted)
{
	float	   *sorted = hx_allocate(memory, count, sizeof(float));
	uint32_t	taken = count < wanted ? (uint32_t) count : wanted;

	for (size_t i = 0; i < count; i++)
		sorted[i] = numbers[i];
	qsort(sorted, count, sizeof(float), compare_floats);
	for (uint32_t i = 0; i < taken; i++)
		quantiles[i] = sorted[(size_t) ((i + 0.5) / taken * (double) count)];
	return taken;
}

/* Distances that neighbours usually have, in terms of the family's own scale. */
static double
usual_distance(const HxLshShape *shape, double share)
{
	switch (shape->family)
	{
		case HX_LSH_STABLE:
			return (0.1 + 0.3 * share) * (shape->width > 0 ? shape->width : 4);
		case HX_LSH_BITS:
			return round((0.02 + 0.2 * share) * shape->dims);
		case HX_LSH_MINHASH:
			return 0.1 + 0.4 * share;
		default:
			return 0.05 + 0.3 * share;
	}
}

static double
usual_background(const HxLshShape *shape)
{
	switch (shape->family)
	{
		case HX_LSH_STABLE:
			return 2 * (shape->width > 0 ? shape->width : 4);
		case HX_LSH_BITS:
			return 0.45 * shape->dims;
		case HX_LSH_MINHASH:
			return 0.95;
		default:
			return 0.9;
	}
}

static void
take_sample(Search *search, const HxMemory *memory)
{
	const HxLshSample *sample = search->sample;
	HxLshCurve *curve = &search->curve;

	curve->neighbour_count = take_quantiles(sample->neighbours, sample->neighbour_count,
											memory, curve->neighbours,
											HX_LSH_CURVE_NEIGHBOURS);
	if (curve->neighbour_count == 0)
	{
		curve->neighbour_count = HX_LSH_CURVE_NEIGHBOURS;
		for (int i = 0; i < HX_LSH_CURVE_NEIGHBOURS; i++)
			curve->neighbours[i] = (float)
				usual_distance(search->wish, (i + 0.5) / HX_LSH_CURVE_NEIGHBOURS);
	}
	search->background_count = take_quantiles(sample->background, sample->background_count,
											  memory, search->background, MAX_BACKGROUND);
	if (search->background_count == 0)
	{
		search->background_count = 1;
		search->background[0] = (float) usual_background(search->wish);
	}
}

/* A cell as wide as four times the distance of a middling neighbour (Datar et al.). */
static float
choose_width(const Search *search)
{
	const HxLshCurve *curve = &search->curve;
	float		middle = curve->neighbours[curve->neighbour_count / 2];
	float		width = 4 * middle;

	if (!(width > 0))			/* most rows have an equal one */
		width = search->background[search->background_count / 2] / 2;
	return isfinite(width) && width > 0 ? width : 1;
}

/* Rows of the table that a bucket of the query holds, on average. */
static double
bucket_rows(const Search *search, const HxLshShape *shape)
{
	double		sum = 0;

	for (size_t i = 0; i < search->background_count; i++)
		sum += pow(hx_lsh_collision(shape, search->background[i]), shape->hashes);
	return search->sample->rows * sum / (double) search->background_count;
}

/* Measures the chances at every COARSE_STEP-th typical distance; `hits` has room for all. */
static uint32_t
measure_coarsely(Search *search, const HxLshShape *shape,
				 float hits[][HX_LSH_CURVE_PROBES])
{
	uint32_t	count = 0;

	for (uint32_t i = 0; i < search->curve.neighbour_count; i += COARSE_STEP)
	{
		hx_arena_reset(&search->arena);
		hx_lsh_curve_hits(shape, search->sample->set_size, search->curve.neighbours[i],
						  COARSE_PAIRS, COARSE_PAIRS, search->compute, &search->arena.memory,
						  hits[count++]);
	}
	return count;
}

/* Mean recall of the typical distances in `tables` tables with 2^j probes in each. */
static double
coarse_recall(float hits[][HX_LSH_CURVE_PROBES], uint32_t count, uint32_t tables, double effort)
{
	const int	j = effort < HX_LSH_CURVE_PROBES - 2 ? (int) effort : HX_LSH_CURVE_PROBES - 2;
	double		sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += 1 - pow(1 - (hits[i][j] + (effort - j) * (hits[i][j + 1] - hits[i][j])), tables);
	return sum / count;
}

/* Enters a shape's costs with each number of tables where it is the best; false: with none. */
static bool
consider(Search *search, HxLshShape shape)
{
	const HxLshLimits *limits = search->limits;
	const double most = HX_LSH_CURVE_PROBES - 1;
	const double bucket = bucket_rows(search, &shape);
	float		hits[HX_LSH_CURVE_NEIGHBOURS][HX_LSH_CURVE_PROBES];
	const uint32_t count = measure_coarsely(search, &shape, hits);
	bool		is_best = false;

	for (size_t i = 0; i < TABLE_COUNTS; i++)
	{
		const uint32_t tables = search->wish->tables != 0 ? search->wish->tables : table_counts[i];
		const double highest = coarse_recall(hits, count, tables, most);
		double		effort = 0;

		while (effort < most && coarse_recall(hits, count, tables, effort) < limits->recall)
			effort += 0.125;

		double		probes = tables * exp2(effort);
		double		cost = highest < limits->recall ? INFINITY :
			probes * (limits->probe_cost + limits->candidate_cost * bucket);

		if (cost < search->cost[i] ||
			(isinf(search->cost[i]) && highest > search->recall[i]))
		{
			shape.tables = tables;
			search->best[i] = shape;
			search->cost[i] = cost;
			is_best = true;
		}
		search->recall[i] = fmax(search->recall[i], highest);
	}
	return is_best;
}

/* All numbers of hashes that leave something in the buckets. */
static void
try_hashes(Search *search, HxLshShape shape)
{
	uint32_t	most = shape.family == HX_LSH_BITS && shape.dims < HX_LSH_MAX_HASHES ?
		shape.dims : HX_LSH_MAX_HASHES;
	uint32_t	vain = 0;		/* numbers of hashes in a row that were best with no tables */

	if (shape.hashes != 0)
	{
		consider(search, shape);
		return;
	}
	for (shape.hashes = 1; shape.hashes <= most && vain < PATIENCE; shape.hashes++)
	{
		if (shape.hashes > 1 && bucket_rows(search, &shape) < LEAST_BUCKET)
			break;
		vain = consider(search, shape) ? 0 : vain + 1;
	}
}

static void
try_parts(Search *search, HxLshShape shape)
{
	if (shape.family != HX_LSH_POLYTOPE || shape.part != 0)
	{
		try_hashes(search, shape);
		return;
	}
	for (shape.part = 2; shape.part <= MAX_PART && shape.part <= hx_projection_size(shape.dims);
		 shape.part *= 2)
		try_hashes(search, shape);
}

/* The fewest tables that are not much dearer than any number; cost infinite: the most there are. */
static HxLshShape
choose_tables(const Search *search)
{
	double		least = INFINITY;
	size_t		last = 0;

	for (size_t i = 0; i < TABLE_COUNTS; i++)
	{
		if (search->wish->tables != 0 || table_counts[i] <= search->limits->max_tables)
		{
			least = fmin(least, search->cost[i]);
			last = i;
		}
	}
	for (size_t i = 0; i < last; i++)
	{
		if (isfinite(least) && search->cost[i] <= WORTH_OF_TABLES * least)
			return search->best[i];
	}
	return search->best[last];
}

void
hx_lsh_tune(const HxLshShape *wish, const HxLshSample *sample, const HxLshLimits *limits,
			const HxCompute *compute, HxLshTuning *tuning)
{
	const HxMemory *memory = &compute->memory;
	Search	   *search = hx_allocate(memory, 1, sizeof(Search));

	*search = (Search) {.wish = wish, .sample = sample, .limits = limits, .compute = compute};
	hx_arena_make(&search->arena, HX_LSH_CURVE_ARENA, memory);
	for (size_t i = 0; i < TABLE_COUNTS; i++)
	{
		search->cost[i] = INFINITY;
		search->recall[i] = -1;
	}
	take_sample(search, memory);

	HxLshShape	shape = *wish;

	shape.tables = 1;			/* until all others are known */
	if (shape.family == HX_LSH_STABLE && shape.width == 0)
		shape.width = choose_width(search);
	try_parts(search, shape);

	shape = choose_tables(search);
	hx_lsh_curve_measure(&shape, sample->set_size, compute, &tuning->curve);
	tuning->curve.neighbour_count = search->curve.neighbour_count;
	for (int i = 0; i < HX_LSH_CURVE_NEIGHBOURS; i++)
		tuning->curve.neighbours[i] = search->curve.neighbours[i];

	uint32_t	probes = hx_lsh_curve_knn_probes(&shape, &tuning->curve, limits->recall);
	double		taken = probes == HX_LSH_OUT_OF_REACH ?
		shape.tables * exp2(HX_LSH_CURVE_PROBES - 1) : probes;

	tuning->shape = shape;
	tuning->probes = probes;
	tuning->recall = hx_lsh_curve_knn_recall(&shape, &tuning->curve, taken);
	tuning->candidates = fmin(taken * bucket_rows(search, &shape), sample->rows);
}

uint32_t
hx_lsh_default_sketch(uint32_t family, uint32_t dims)
{
	switch (family)
	{
		case HX_LSH_STABLE:
			return 32;
		case HX_LSH_BITS:
			return dims <= 64 ? 8 : dims <= 128 ? 16 : 32;
		case HX_LSH_MINHASH:
			return 16;
		default:
			return dims <= 256 ? 16 : 32;
	}
}
