/*
 * lsh_minhash.c
 *	  The family for Jaccard distance: bands of a MinHash signature.
 *
 * Table t is a band: its hashes are values t * hashes and on of a signature as long as all
 * bands together. Sketches are the lowest bits of another signature (b-bit MinHash, b = 1).
 */
#include <math.h>
#include <string.h>

#include "hash/lsh_family.h"
#include "hash/minhash.h"

/* Changes the seed of an index into that of its sketches. */
#define SKETCH_SALT UINT64_C(0x8ebc6af09c88c6e3)

/* The smallest values of each bin, one after the other for all bins. */
typedef struct Bins
{
	uint64_t   *least;
	uint64_t   *second;
	uint32_t   *donors;			/* as hx_minhash_donors() fills them */
} Bins;

static Bins
place_bins(void *scratch, size_t count)
{
	uint64_t   *least = scratch;

	return (Bins) {least, least + count, (uint32_t *) (least + 2 * count)};
}

static size_t
bins_size(size_t count)
{
	return count * (2 * sizeof(uint64_t) + 2 * sizeof(uint32_t));
}

static size_t
scratch_size(const HxLsh *lsh)
{
	size_t		keys = (size_t) lsh->shape.tables * lsh->shape.hashes;
	size_t		sketch = 8 * (size_t) lsh->shape.sketch_bytes;

	return bins_size(keys > sketch ? keys : sketch);
}

/* As hx_minhash_add(), keeping the second smallest value of each bin too. */
static void
add_twice(Bins bins, size_t count, uint64_t seed, HxLshPoint set)
{
	const uint64_t salt = hx_mix(seed);

	hx_minhash_begin(bins.second, count);
	for (size_t i = 0; i < set.count; i++)
	{
		const uint64_t value = hx_minhash_value(set.elements[i], salt);
		const size_t bin = hx_minhash_bin(value, count);

		if (value < bins.least[bin])
		{
			bins.second[bin] = bins.least[bin];
			bins.least[bin] = value;
		}
		else if (value > bins.least[bin] && value < bins.second[bin])
			bins.second[bin] = value;
	}
}

/*
 * The value that the bin of a near set has if it lacks this set's smallest. It is the
 * likelier the nearer it is, as the other set's own elements come in between: `density` is
 * the number of elements over 2^64.
 */
static void
add_second(const HxLsh *lsh, uint32_t table, uint32_t slot, uint64_t least, uint64_t second,
		   double density, HxLshSteps *steps)
{
	if (second == HX_MINHASH_EMPTY)
		return;
	hx_lsh_add_step(steps, table, slot, (float) (1 + (double) (second - least) * density),
					hx_lsh_share(lsh, table, slot, least) ^
					hx_lsh_share(lsh, table, slot, second));
}

static void
locate(const HxLsh *lsh, HxLshPoint point, void *scratch, uint64_t *keys, HxLshSteps *steps)
{
	const HxLshShape *shape = &lsh->shape;
	const size_t count = (size_t) shape->tables * shape->hashes;
	const double density = (double) point.count * 0x1p-64;
	Bins		bins = place_bins(scratch, count);

	hx_minhash_begin(bins.least, count);
	if (steps == NULL)
		hx_minhash_add(bins.least, count, shape->seed, point.elements, point.count);
	else
		add_twice(bins, count, shape->seed, point);
	hx_minhash_donors(bins.least, count, shape->seed, bins.donors);

	memset(keys, 0, shape->tables * sizeof(*keys));
	for (size_t i = 0; i < count; i++)
	{
		uint32_t	table = (uint32_t) (i / shape->hashes);
		uint32_t	slot = (uint32_t) (i % shape->hashes);
		uint32_t	bin = bins.donors[i];

		keys[table] ^= hx_lsh_share(lsh, table, slot, bins.least[bin]);
		if (steps != NULL)
			add_second(lsh, table, slot, bins.least[bin], bins.second[bin], density, steps);
	}
}

static uint32_t
options(const HxLshShape *shape)
{
	(void) shape;
	return 1;
}

static double
collision(const HxLshShape *shape, double distance)
{
	(void) shape;
	return 1 - fmin(fmax(distance, 0), 1);
}

/* Returns how many bins are not empty before densification. */
static size_t
fill_sketch(const HxLsh *lsh, HxLshPoint set, void *scratch, uint8_t *out)
{
	const uint64_t seed = lsh->shape.seed ^ SKETCH_SALT;
	const size_t count = 8 * (size_t) lsh->shape.sketch_bytes;
	Bins		bins = place_bins(scratch, count);
	size_t		filled = 0;

	hx_minhash_begin(bins.least, count);
	hx_minhash_add(bins.least, count, seed, set.elements, set.count);
	hx_minhash_donors(bins.least, count, seed, bins.donors);
	for (size_t i = 0; i < count; i++)
	{
		filled += bins.least[i] != HX_MINHASH_EMPTY;
		bins.second[i] = bins.least[bins.donors[i]];
	}
	hx_minhash_pack(bins.second, count, 1, out);
	return filled;
}

static void
sketch(const HxLsh *lsh, HxLshPoint point, void *scratch, uint8_t *out)
{
	fill_sketch(lsh, point, scratch, out);
}

/* Bits of values that differ are alike half of the time. */
static float
estimate(const HxLshQuery *base, const uint8_t *sketch)
{
	const HxLshBitQuery *query = (const HxLshBitQuery *) base;

	return query->unit * (float) hx_kernels->hamming(query->sketch, sketch, query->bytes);
}

/* The empty set has a sketch like any other, from which nothing can be told. */
static float
limit(const HxLshQuery *base, double distance)
{
	const HxLshBitQuery *query = (const HxLshBitQuery *) base;
	const double bits = 8.0 * query->bytes;

	if (query->bits == 0 || distance >= 1)
		return INFINITY;
	return query->unit * (float) (hx_lsh_most_differing(fmax(distance, 0) / 2, query->bits) *
								  bits / query->bits);
}

static HxLshQuery *
make_query(const HxLsh *lsh, HxLshPoint point, const HxMemory *memory)
{
	HxLshBitQuery *query = hx_allocate(memory, 1, sizeof(HxLshBitQuery));
	void	   *scratch = hx_allocate(memory, 1, scratch_size(lsh));

	query->base = (HxLshQuery) {estimate, limit};
	query->bytes = lsh->shape.sketch_bytes;
	query->unit = 2.0f / (8.0f * (float) query->bytes);
	query->bits = (uint32_t) fill_sketch(lsh, point, scratch, query->sketch);
	return &query->base;
}

const HxLshFamilyMethods hx_lsh_minhash = {
	scratch_size, locate, options, collision, sketch, make_query,
};
