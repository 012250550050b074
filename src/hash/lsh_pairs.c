/*
 * lsh_pairs.c
 *	  Made-up pairs of points at a given distance.
 *
 * What hash functions make of two points depends on their distance alone: on average over
 * the random choices of the functions for vectors and codes, and for sets on their size
 * too, when it is small. So made-up points tell what real ones would.
 */
#include "hash/lsh_pairs.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "math/normal.h"
#include "math/random.h"

/* Seed of the points: nothing that an index draws from. */
#define SEED UINT64_C(0x9d8f2c4b6e1a3057)

HxLshPair
hx_lsh_pair_make(const HxLshShape *shape, size_t set_size, const HxMemory *memory)
{
	HxLshPair	pair = {{{NULL}, 0}, {{NULL}, 0}};
	size_t		bytes;

	if (shape->family == HX_LSH_BITS)
		bytes = (shape->dims + 7) / 8;
	else if (shape->family == HX_LSH_MINHASH)
	{
		bytes = set_size * sizeof(uint64_t);
		pair.a.count = pair.b.count = set_size;
	}
	else
		bytes = shape->dims * sizeof(float);
	pair.a.code = hx_allocate(memory, 1, bytes);
	pair.b.code = hx_allocate(memory, 1, bytes);
	return pair;
}

/* b = a at length 1, turned by the angle or moved by the distance in a random direction. */
static void
draw_vectors(const HxLshShape *shape, double distance, uint64_t number, HxLshPair *pair)
{
	const size_t dims = shape->dims;
	const bool	angular = shape->family != HX_LSH_STABLE;
	float	   *a = (float *) pair->a.vector;
	float	   *b = (float *) pair->b.vector;

	for (uint32_t i = 0; i < dims; i++)
	{
		a[i] = (float) hx_normal(SEED, 2 * number, i);
		b[i] = (float) hx_normal(SEED, 2 * number + 1, i);
	}

	const double length = 1 / sqrt(hx_kernels->dot(a, a, dims));

	for (size_t i = 0; i < dims; i++)
		a[i] = (float) (a[i] * length);

	const double along = angular ? hx_kernels->dot(a, b, dims) : 0;

	for (size_t i = 0; i < dims; i++)
		b[i] = (float) (b[i] - along * a[i]);

	const double across = sqrt(hx_kernels->dot(b, b, dims));
	const double cosine = angular ? fmax(1 - distance, -1) : 1;
	const double far = angular ? sqrt(1 - cosine * cosine) : distance;
	const double factor = across > 0 ? far / across : 0;

	for (size_t i = 0; i < dims; i++)
		b[i] = (float) (cosine * a[i] + factor * b[i]);
}

/* b = a with `distance` bits turned over, chosen one by one of those left (Knuth's S). */
static void
draw_codes(const HxLshShape *shape, double distance, uint64_t number, HxLshPair *pair)
{
	uint8_t    *a = (uint8_t *) pair->a.code;
	uint8_t    *b = (uint8_t *) pair->b.code;
	double		wanted = fmin(round(distance), shape->dims);

	memset(a, 0, (shape->dims + 7) / 8);
	memset(b, 0, (shape->dims + 7) / 8);
	for (uint32_t i = 0; i < shape->dims; i++)
	{
		uint64_t	random = hx_random(SEED, number, i);
		uint8_t		bit = (uint8_t) (0x80 >> (i % 8));
		double		chance = (double) (random >> 11) * 0x1p-53;

		if (random & 1)
		{
			a[i / 8] |= bit;
			b[i / 8] |= bit;
		}
		if (chance * (shape->dims - i) < wanted)
		{
			b[i / 8] ^= bit;
			wanted--;
		}
	}
}

/* Two sets of n elements with c in common are at the distance 1 - c / (2 n - c). */
static void
draw_sets(double distance, uint64_t number, HxLshPair *pair)
{
	const size_t size = pair->a.count;
	uint64_t   *a = (uint64_t *) pair->a.elements;
	uint64_t   *b = (uint64_t *) pair->b.elements;
	const double similarity = fmax(1 - distance, 0);
	const size_t common = (size_t) round(2 * (double) size * similarity / (1 + similarity));

	for (size_t i = 0; i < size; i++)
	{
		a[i] = hx_random(SEED, 2 * number, i);
		b[i] = i < common ? a[i] : hx_random(SEED, 2 * number + 1, i);
	}
}

void
hx_lsh_pair_draw(const HxLshShape *shape, double distance, uint64_t number, HxLshPair *pair)
{
	switch (shape->family)
	{
		case HX_LSH_BITS:
			draw_codes(shape, distance, number, pair);
			break;
		case HX_LSH_MINHASH:
			draw_sets(distance, number, pair);
			break;
		default:
			draw_vectors(shape, distance, number, pair);
	}
}
