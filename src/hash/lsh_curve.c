/*
 * lsh_curve.c
 *	  Measuring how likely points are to be met, and reading that off.
 *
 * The grid of distances is even in what hash functions see: the angle over pi, the share
 * of bits that differ, the Jaccard distance, and c / (c + width) for Euclidean distance c.
 */
#include "hash/lsh_curve.h"

#include <math.h>

#include "hash/arena.h"
#include "hash/lsh_family.h"
#include "hash/lsh_pairs.h"

#define PI 3.14159265358979323846

/* Pairs are tried in so many tables at once. */
#define TABLES 16

/*
 * A grid distance is measured with so many pairs, and again as many until there are enough
 * hits to tell their share within some 6 per cent, unless even many probes hardly find any.
 */
#define PAIRS 32
#define MAX_PAIRS 128
#define ENOUGH_HITS 300
#define HARDLY_ANY 0.05

/* Vectors of more dimensions give the same angles as those of so many. */
#define MAX_DIMS 256
#define MAX_SET_SIZE 2000

#define LAST (HX_LSH_CURVE_DISTANCES - 1)

/* Where a distance is on the grid, from 0 to 1. */
static double
place_of(const HxLshShape *shape, double distance)
{
	double		place;

	switch (shape->family)
	{
		case HX_LSH_STABLE:
			place = isinf(distance) ? 1 : distance / (distance + shape->width);
			break;
		case HX_LSH_BITS:
			place = distance / shape->dims;
			break;
		case HX_LSH_MINHASH:
			place = distance;
			break;
		default:
			place = acos(fmin(fmax(1 - distance, -1), 1)) / PI;
	}
	return fmin(fmax(place, 0), 1);
}

static double
distance_at(const HxLshShape *shape, double place)
{
	switch (shape->family)
	{
		case HX_LSH_STABLE:
			return place / (1 - place) * shape->width;
		case HX_LSH_BITS:
			return place * shape->dims;
		case HX_LSH_MINHASH:
			return place;
		default:
			return 1 - cos(place * PI);
	}
}

/* The shape that is measured in place of another: one that works alike, and fast. */
static HxLshShape
measured_shape(const HxLshShape *shape)
{
	HxLshShape	measured = *shape;

	measured.tables = TABLES;
	if (shape->family != HX_LSH_BITS && measured.dims > MAX_DIMS)
		measured.dims = shape->part > MAX_DIMS ? shape->part : MAX_DIMS;
	return measured;
}

/* Counts in how many tables b is met within 2^j probes a table on average. */
static void
count_hits(const uint64_t *keys, HxLshProbes *probes, uint32_t *hits)
{
	uint64_t	met[(TABLES + 63) / 64] = {0};
	uint32_t	count = 0;
	uint32_t	taken = 0;
	HxLshProbe	probe;

	for (unsigned j = 0; j < HX_LSH_CURVE_PROBES; j++)
	{
		while (count < TABLES && taken < (uint32_t) TABLES << j &&
			   hx_lsh_probes_next(probes, &probe))
		{
			uint64_t	bit = UINT64_C(1) << (probe.table % 64);

			taken++;
			if (probe.key == keys[probe.table] && !(met[probe.table / 64] & bit))
			{
				met[probe.table / 64] |= bit;
				count++;
			}
		}
		hits[j] += count;
	}
}

/* Draws pairs number `first` and on, and adds up their hits. */
static void
add_hits(const HxLsh *lsh, HxLshPair *pair, double distance, unsigned first, unsigned count,
		 const HxCompute *compute, HxLshProbes *probes, void *scratch, uint32_t *hits)
{
	uint64_t	keys[TABLES];

	for (unsigned number = first; number < first + count; number++)
	{
		hx_compute_check(compute);
		hx_lsh_pair_draw(&lsh->shape, distance, number, pair);
		hx_lsh_keys(lsh, pair->b, scratch, keys);
		hx_lsh_probes_restart(probes, pair->a);
		count_hits(keys, probes, hits);
	}
}

void
hx_lsh_curve_hits(const HxLshShape *shape, size_t set_size, double distance, unsigned pairs,
				  unsigned max_pairs, const HxCompute *compute, const HxMemory *memory,
				  float hit[HX_LSH_CURVE_PROBES])
{
	const HxLshShape measured = measured_shape(shape);
	const size_t size = set_size < 1 ? 1 : set_size > MAX_SET_SIZE ? MAX_SET_SIZE : set_size;
	HxLsh	   *lsh = hx_allocate(memory, 1, hx_lsh_size(&measured));
	HxLshPair	pair = hx_lsh_pair_make(&measured, size, memory);
	uint32_t	hits[HX_LSH_CURVE_PROBES] = {0};
	unsigned	drawn = 0;

	hx_lsh_init(lsh, &measured);
	hx_lsh_pair_draw(&measured, distance, 0, &pair);

	void	   *scratch = hx_allocate(memory, 1, hx_lsh_scratch(lsh));
	HxLshProbes *probes = hx_lsh_probes_begin(lsh, pair.a, memory);

	do
	{
		add_hits(lsh, &pair, distance, drawn, pairs, compute, probes, scratch, hits);
		drawn += pairs;
	} while (drawn < max_pairs && hits[0] < ENOUGH_HITS &&
			 hits[HX_LSH_CURVE_PROBES - 1] > HARDLY_ANY * TABLES * drawn);

	for (int j = 0; j < HX_LSH_CURVE_PROBES; j++)
		hit[j] = (float) hits[j] / (float) (drawn * TABLES);
}

void
hx_lsh_curve_measure(const HxLshShape *shape, size_t set_size, const HxCompute *compute,
					 HxLshCurve *curve)
{
	HxArena		arena;

	hx_arena_make(&arena, HX_LSH_CURVE_ARENA, &compute->memory);
	*curve = (HxLshCurve) {0};
	for (int j = 0; j < HX_LSH_CURVE_PROBES; j++)
		curve->hit[0][j] = 1;	/* equal points share all buckets */

	/* The last distance of the Euclidean grid is infinite. */
	for (int i = 1; i <= LAST - (shape->family == HX_LSH_STABLE); i++)
	{
		hx_arena_reset(&arena);
		hx_lsh_curve_hits(shape, set_size, distance_at(shape, (double) i / LAST), PAIRS,
						  MAX_PAIRS, compute, &arena.memory, curve->hit[i]);

		/* Farther points are not met more often, save by chance. */
		for (int j = 0; j < HX_LSH_CURVE_PROBES; j++)
			curve->hit[i][j] = fminf(curve->hit[i][j], curve->hit[i - 1][j]);
	}
}

bool
hx_lsh_curve_valid(const HxLshCurve *curve)
{
	for (int i = 0; i < HX_LSH_CURVE_DISTANCES; i++)
	{
		for (int j = 0; j < HX_LSH_CURVE_PROBES; j++)
		{
			if (!(curve->hit[i][j] >= 0 && curve->hit[i][j] <= 1))
				return false;
		}
	}
	for (int i = 0; i < HX_LSH_CURVE_NEIGHBOURS; i++)
	{
		if (!(curve->neighbours[i] >= 0 && isfinite(curve->neighbours[i])))
			return false;
	}
	return curve->neighbour_count <= HX_LSH_CURVE_NEIGHBOURS;
}

/* Between two chances, which fall by factors rather than by differences. */
static double
between(double a, double b, double share)
{
	return a > 0 && b > 0 ? a * pow(b / a, share) : a + share * (b - a);
}

/* Chance that a point is in the first 2^effort buckets of one table. */
static double
hit_at(const HxLshShape *shape, const HxLshCurve *curve, double distance, double effort)
{
	const double place = place_of(shape, distance) * LAST;
	const int	i = place < LAST - 1 ? (int) place : LAST - 1;
	const int	last = HX_LSH_CURVE_PROBES - 1;
	const int	j = effort < last - 1 ? (int) effort : last - 1;
	const double share = fmin(effort, last) - j;

	return (1 - share) * between(curve->hit[i][j], curve->hit[i + 1][j], place - i) +
		share * between(curve->hit[i][j + 1], curve->hit[i + 1][j + 1], place - i);
}

double
hx_lsh_curve_recall(const HxLshShape *shape, const HxLshCurve *curve, double distance,
					double probes)
{
	const double tables = shape->tables;

	if (probes < tables)
		return 1 - pow(1 - hit_at(shape, curve, distance, 0), fmax(probes, 0));
	return 1 - pow(1 - hit_at(shape, curve, distance, log2(probes / tables)), tables);
}

double
hx_lsh_curve_knn_recall(const HxLshShape *shape, const HxLshCurve *curve, double probes)
{
	double		sum = 0;

	for (uint32_t i = 0; i < curve->neighbour_count; i++)
		sum += hx_lsh_curve_recall(shape, curve, curve->neighbours[i], probes);
	return curve->neighbour_count == 0 ? 0 : sum / curve->neighbour_count;
}

/* The fewest probes with that recall, of points at a distance or (NAN) of neighbours. */
static uint32_t
search_probes(const HxLshShape *shape, const HxLshCurve *curve, double distance, double recall)
{
	const uint32_t most = shape->tables << (HX_LSH_CURVE_PROBES - 1);
	uint32_t	low = 1;
	uint32_t	high = most + 1;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;
		double		reached = isnan(distance) ? hx_lsh_curve_knn_recall(shape, curve, middle) :
			hx_lsh_curve_recall(shape, curve, distance, middle);

		if (reached >= recall)
			high = middle;
		else
			low = middle + 1;
	}
	return low > most ? HX_LSH_OUT_OF_REACH : low;
}

uint32_t
hx_lsh_curve_probes(const HxLshShape *shape, const HxLshCurve *curve, double distance,
					double recall)
{
	return search_probes(shape, curve, distance, recall);
}

uint32_t
hx_lsh_curve_knn_probes(const HxLshShape *shape, const HxLshCurve *curve, double recall)
{
	return search_probes(shape, curve, NAN, recall);
}
