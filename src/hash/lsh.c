/*
 * lsh.c
 *	  Shapes of locality-sensitive hashing, and what is common to the families.
 */
#include "hash/lsh.h"

#include <math.h>
#include <string.h>

#include "hash/lsh_family.h"
#include "hash/projection.h"

#define MAX_DIMS 16000
#define MAX_BITS 65536

const HxLshFamilyMethods *
hx_lsh_methods(uint32_t family)
{
	switch (family)
	{
		case HX_LSH_HYPERPLANE:
		case HX_LSH_POLYTOPE:
			return &hx_lsh_angular;
		case HX_LSH_STABLE:
			return &hx_lsh_stable;
		case HX_LSH_BITS:
			return &hx_lsh_bits;
		case HX_LSH_MINHASH:
			return &hx_lsh_minhash;
		default:
			return NULL;
	}
}

const char *
hx_lsh_family_name(uint32_t family)
{
	static const char *const names[] = {
		NULL, "hyperplane", "cross_polytope", "p_stable", "bits", "minhash"
	};

	return family < sizeof(names) / sizeof(names[0]) ? names[family] : NULL;
}

static const char *
dims_fault(const HxLshShape *shape)
{
	switch (shape->family)
	{
		case HX_LSH_BITS:
			if (shape->dims < 1 || shape->dims > MAX_BITS)
				return "The number of bits of a code is out of range.";
			return shape->hashes > shape->dims ? "There are more hashes than bits." : NULL;
		case HX_LSH_MINHASH:
			return shape->dims != 0 ? "Sets have no dimensions." : NULL;
		default:
			return shape->dims < 1 || shape->dims > MAX_DIMS ?
				"The number of dimensions is out of range." : NULL;
	}
}

static bool
is_part(const HxLshShape *shape)
{
	if (shape->family != HX_LSH_POLYTOPE)
		return shape->part == 0;
	return shape->part >= 2 && (shape->part & (shape->part - 1)) == 0 &&
		shape->part <= hx_projection_size(shape->dims);
}

const char *
hx_lsh_shape_fault(const HxLshShape *shape)
{
	if (hx_lsh_methods(shape->family) == NULL)
		return "There is no such family.";
	if (shape->tables < 1 || shape->tables > HX_LSH_MAX_TABLES)
		return "The number of tables is out of range.";
	if (shape->hashes < 1 || shape->hashes > HX_LSH_MAX_HASHES)
		return "The number of hashes is out of range.";

	const char *fault = dims_fault(shape);

	if (fault != NULL)
		return fault;
	if (!is_part(shape))
		return "The part of a cross-polytope is out of range.";
	if (shape->family == HX_LSH_STABLE ? !(isfinite(shape->width) && shape->width > 0) :
		shape->width != 0)
		return "The width of a cell is out of range.";
	if (shape->sketch_bytes < 8 || shape->sketch_bytes > HX_LSH_MAX_SKETCH ||
		shape->sketch_bytes % 8 != 0)
		return "The size of a sketch is out of range.";
	if (shape->reserved != 0)
		return "A reserved field is in use.";
	return NULL;
}

size_t
hx_lsh_size(const HxLshShape *shape)
{
	size_t		positions = shape->family == HX_LSH_BITS ? hx_lsh_position_count(shape) : 0;

	return (sizeof(HxLsh) + positions * sizeof(uint32_t) + 7) / 8 * 8;
}

void
hx_lsh_init(HxLsh *lsh, const HxLshShape *shape)
{
	memset(lsh, 0, hx_lsh_size(shape));
	lsh->shape = *shape;
	lsh->salt = hx_mix(shape->seed);
	if (shape->family == HX_LSH_BITS)
		hx_lsh_choose_positions(lsh);
}

const HxLshShape *
hx_lsh_shape(const HxLsh *lsh)
{
	return &lsh->shape;
}

size_t
hx_lsh_scratch(const HxLsh *lsh)
{
	return hx_lsh_methods(lsh->shape.family)->scratch(lsh);
}

void
hx_lsh_keys(const HxLsh *lsh, HxLshPoint point, void *scratch, uint64_t *keys)
{
	hx_lsh_methods(lsh->shape.family)->locate(lsh, point, scratch, keys, NULL);
}

double
hx_lsh_collision(const HxLshShape *shape, double distance)
{
	return hx_lsh_methods(shape->family)->collision(shape, distance);
}

void
hx_lsh_sketch(const HxLsh *lsh, HxLshPoint point, void *scratch, uint8_t *sketch)
{
	hx_lsh_methods(lsh->shape.family)->sketch(lsh, point, scratch, sketch);
}

HxLshQuery *
hx_lsh_query(const HxLsh *lsh, HxLshPoint query, const HxMemory *memory)
{
	return hx_lsh_methods(lsh->shape.family)->query(lsh, query, memory);
}

float
hx_lsh_sketch_distance(const HxLshQuery *query, const uint8_t *sketch)
{
	return query->distance(query, sketch);
}

float
hx_lsh_sketch_limit(const HxLshQuery *query, double distance)
{
	return query->limit(query, distance);
}

/* Bernstein's inequality, with e^-t a millionth. */
double
hx_lsh_most_differing(double p, double n)
{
	const double t = 13.8;

	return fmin(n * p + sqrt(2 * t * n * p * (1 - p)) + (p > 0 ? 2 * t / 3 : 0), n);
}
