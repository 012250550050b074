/*
 * lsh_angular.c
 *	  Families for cosine distance: cross-polytopes and hyperplanes.
 *
 * A hash function takes the next `part` coordinates of the rotated vector, and its value
 * is the vertex of the cross-polytope that they are nearest to: the number of the largest
 * one in magnitude, and its sign. With a part of one coordinate that is its sign alone, a
 * hyperplane; so both families are one.
 */
#include <math.h>
#include <string.h>

#include "hash/lsh_family.h"
#include "hash/lsh_polytope.h"
#include "hash/projection.h"

/* Standard deviations that a limit leaves to an estimate. */
#define DEVIATIONS 5

#define PI 3.14159265358979323846

static size_t
part_of(const HxLshShape *shape)
{
	return shape->family == HX_LSH_POLYTOPE ? shape->part : 1;
}

static size_t
scratch_size(const HxLsh *lsh)
{
	return hx_projection_scratch(lsh->shape.dims) * sizeof(float);
}

/* Four floats without their signs, as their bits: which are ordered as the floats are. */
typedef int32_t Quad __attribute__((vector_size(16)));

#define MAGNITUDE INT32_C(0x7fffffff)

static int32_t
magnitude_bits(float y)
{
	int32_t		bits;

	memcpy(&bits, &y, sizeof(bits));
	return bits & MAGNITUDE;
}

/* The bits of the largest magnitude of some coordinates. */
static int32_t
largest_magnitude(const float *y, size_t part)
{
	int32_t		largest = 0;
	Quad		most = {0};
	size_t		i = 0;

	for (; i + 4 <= part; i += 4)
	{
		Quad		these;

		memcpy(&these, y + i, sizeof(these));
		these &= MAGNITUDE;
		most ^= (most ^ these) & (these > most);
	}
	for (; i < part; i++)
		largest = magnitude_bits(y[i]) > largest ? magnitude_bits(y[i]) : largest;
	for (int j = 0; j < 4; j++)
		largest = most[j] > largest ? most[j] : largest;
	return largest;
}

/* Twice the number of the (first) largest coordinate, plus 1 unless it is > 0. */
static uint64_t
vertex(const float *y, size_t part)
{
	const int32_t largest = largest_magnitude(y, part);
	size_t		best = 0;

	while (best < part - 1 && magnitude_bits(y[best]) != largest)
		best++;
	return 2 * best + !(y[best] > 0);
}

/* Keeps the cheapest options in order of cost; of equal ones those that came first. */
static void
keep_option(HxLshStep *options, uint32_t *count, HxLshStep option)
{
	uint32_t	at = *count;

	if (at == HX_LSH_MAX_OPTIONS)
	{
		if (option.cost >= options[at - 1].cost)
			return;
		at--;
	}
	else
		(*count)++;
	for (; at > 0 && options[at - 1].cost > option.cost; at--)
		options[at] = options[at - 1];
	options[at] = option;
}

/* Steps to the vertices next nearest: the squared difference of what they and the first reach. */
static void
add_vertices(const HxLsh *lsh, uint32_t table, uint32_t slot, const float *y, size_t part,
			 uint64_t own, HxLshSteps *steps)
{
	const float reach = fabsf(y[own / 2]);
	const uint64_t share = hx_lsh_share(lsh, table, slot, own);
	HxLshStep	options[HX_LSH_MAX_OPTIONS];
	uint32_t	count = 0;

	for (size_t value = 0; value < 2 * part; value++)
	{
		float		toward = value % 2 == 0 ? y[value / 2] : -y[value / 2];
		float		lacking = reach - toward;

		if (value != own)
			keep_option(options, &count, (HxLshStep) {lacking * lacking, slot, value});
	}
	for (uint32_t i = 0; i < count; i++)
		hx_lsh_add_step(steps, table, slot, options[i].cost,
						share ^ hx_lsh_share(lsh, table, slot, options[i].change));
}

static void
locate(const HxLsh *lsh, HxLshPoint point, void *scratch, uint64_t *keys, HxLshSteps *steps)
{
	const HxLshShape *shape = &lsh->shape;
	const size_t part = part_of(shape);
	const size_t size = hx_projection_size(shape->dims);
	float	   *y = scratch;
	size_t		at = size;		/* of the next coordinate; beyond this block */
	uint64_t	block = 0;

	memset(keys, 0, shape->tables * sizeof(*keys));
	for (uint32_t table = 0; table < shape->tables; table++)
	{
		for (uint32_t slot = 0; slot < shape->hashes; slot++, at += part)
		{
			if (at == size)
			{
				hx_projection_apply(shape->seed, block++, point.vector, shape->dims, y);
				at = 0;
			}

			uint64_t	value = vertex(y + at, part);

			keys[table] ^= hx_lsh_share(lsh, table, slot, value);
			if (steps != NULL)
				add_vertices(lsh, table, slot, y + at, part, value, steps);
		}
	}
}

static uint32_t
options(const HxLshShape *shape)
{
	size_t		others = 2 * part_of(shape) - 1;

	return others < HX_LSH_MAX_OPTIONS ? (uint32_t) others : HX_LSH_MAX_OPTIONS;
}

/* The angle in units of pi, from 0 to 1. */
static double
angle_of(double distance)
{
	return acos(fmin(fmax(1 - distance, -1), 1)) / PI;
}

static double
collision(const HxLshShape *shape, double distance)
{
	double		angle = angle_of(distance);

	return shape->family == HX_LSH_HYPERPLANE ? 1 - angle :
		hx_lsh_polytope_collision(shape->part, angle);
}

/* Sketches: signs of projections of their own. */

static void
sketch(const HxLsh *lsh, HxLshPoint point, void *scratch, uint8_t *out)
{
	const HxLshShape *shape = &lsh->shape;
	const size_t size = hx_projection_size(shape->dims);
	const size_t bits = 8 * (size_t) shape->sketch_bytes;
	float	   *y = scratch;

	memset(out, 0, shape->sketch_bytes);
	for (size_t j = 0; j < bits; j++)
	{
		if (j % size == 0)
			hx_projection_apply(shape->seed, HX_LSH_SKETCH_BLOCK + j / size, point.vector,
								shape->dims, y);
		if (y[j % size] > 0)
			out[j / 8] |= (uint8_t) (0x80 >> (j % 8));
	}
}

typedef struct AngularQuery
{
	HxLshQuery	base;
	uint32_t	bytes;
	uint32_t	bits;
	float		norm;			/* of the query in units of y */
	float	   *y;				/* its projections */
	float	   *shares;			/* bytes x 256: what a byte of a sketch adds to the cosine */
} AngularQuery;

/*
 * The signs of x times the numbers of q: their sum over what it would be if all signs
 * agreed estimates the cosine. Knowing the query's numbers, and not just their signs,
 * makes the small ones count less, whose signs are as good as random.
 */
static float
estimate(const HxLshQuery *base, const uint8_t *sketch)
{
	const AngularQuery *query = (const AngularQuery *) base;
	const float *shares = query->shares;
	float		even = 0;
	float		odd = 0;

	for (uint32_t i = 0; i < query->bytes; i += 2, shares += 512)
	{
		even += shares[sketch[i]];
		odd += shares[256 + sketch[i + 1]];
	}
	return 1 - (even + odd);
}

/*
 * Of a point x at angle t, the sign of a projection differs from the query's y with the
 * probability Q(|y| cot t); so the estimate's mean and variance are known.
 */
static float
limit(const HxLshQuery *base, double distance)
{
	const AngularQuery *query = (const AngularQuery *) base;
	const double angle = angle_of(distance) * PI;
	double		total = 0;
	double		mean = 0;
	double		variance = 0;

	if (query->norm == 0)
		return INFINITY;
	for (uint32_t j = 0; j < query->bits; j++)
	{
		double		y = fabsf(query->y[j]) / query->norm;
		double		differs = 0.5 * erfc(y * cos(angle) / (sin(angle) * sqrt(2)));

		if (sin(angle) <= 0)
			differs = angle > 1;
		total += y;
		mean += y * (1 - 2 * differs);
		variance += y * y * 4 * differs * (1 - differs);
	}
	/* The last term is for the roundings of two equal vectors of different length. */
	return (float) (1 - (mean - DEVIATIONS * sqrt(variance)) / total + 1e-5);
}

/*
 * What each value of a byte of a sketch adds to the cosine: that of the value without its
 * lowest one bit, and twice that bit's number.
 */
static void
fill_shares(const float *y, float total, float *shares)
{
	shares[0] = 0;
	for (int bit = 0; bit < 8; bit++)
		shares[0] -= y[bit];
	for (int b = 1; b < 256; b++)
		shares[b] = shares[b & (b - 1)] + 2 * y[7 - __builtin_ctz((unsigned) b)];
	for (int b = 0; b < 256; b++)
		shares[b] = total > 0 ? shares[b] / total : 0;
}

static HxLshQuery *
make_query(const HxLsh *lsh, HxLshPoint point, const HxMemory *memory)
{
	const HxLshShape *shape = &lsh->shape;
	const size_t size = hx_projection_size(shape->dims);
	const uint32_t bytes = shape->sketch_bytes;
	AngularQuery *query = hx_allocate(memory, 1, sizeof(AngularQuery));
	float	   *block = hx_allocate(memory, hx_projection_scratch(shape->dims), sizeof(float));
	float		total = 0;
	double		norm = 0;

	*query = (AngularQuery) {{estimate, limit}, bytes, 8 * bytes, 0, NULL, NULL};
	query->y = hx_allocate(memory, query->bits, sizeof(float));
	query->shares = hx_allocate(memory, 256 * (size_t) bytes, sizeof(float));
	for (uint32_t j = 0; j < query->bits; j++)
	{
		if (j % size == 0)
		{
			hx_projection_apply(shape->seed, HX_LSH_SKETCH_BLOCK + j / size, point.vector,
								shape->dims, block);
			norm = 0;
			for (size_t i = 0; i < size; i++)
				norm += (double) block[i] * block[i];
		}
		query->y[j] = block[j % size];
		total += fabsf(query->y[j]);
	}
	query->norm = (float) sqrt(norm / (double) size);
	for (uint32_t i = 0; i < bytes; i++)
		fill_shares(query->y + 8 * i, total, query->shares + 256 * (size_t) i);
	return &query->base;
}

const HxLshFamilyMethods hx_lsh_angular = {
	scratch_size, locate, options, collision, sketch, make_query,
};
