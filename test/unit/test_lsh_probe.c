/*
 * test_lsh_probe.c
 *	  The order of probes against an enumeration of all buckets, and that the buckets are
 *	  those of points nearby.
 */
#include "lsh_frame.h"

#include <math.h>

#include "hash/lsh_family.h"
#include "hash/lsh_pairs.h"
#include "hash/projection.h"

#define MAX_BUCKETS 100000

typedef struct Bucket
{
	double		cost;
	HxLshProbe	probe;
} Bucket;

static Bucket buckets[MAX_BUCKETS];
static size_t bucket_count;

static int
compare_buckets(const void *a, const void *b)
{
	const Bucket *x = a;
	const Bucket *y = b;

	return (x->cost > y->cost) - (x->cost < y->cost);
}

static int
compare_keys(const void *a, const void *b)
{
	const HxLshProbe *x = a;
	const HxLshProbe *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

/* All ways to give each hash its own value or that of one of its steps. */
static void
enumerate(const HxLshStep *steps, uint32_t count, uint32_t slots, uint32_t slot, Bucket bucket)
{
	if (slot == slots)
	{
		if (bucket_count == MAX_BUCKETS)
			exit(2);
		buckets[bucket_count++] = bucket;
		return;
	}
	enumerate(steps, count, slots, slot + 1, bucket);
	for (uint32_t i = 0; i < count; i++)
	{
		Bucket		other = bucket;

		if (steps[i].slot != slot)
			continue;
		other.cost += steps[i].cost;
		other.probe.key ^= steps[i].change;
		enumerate(steps, count, slots, slot + 1, other);
	}
}

static const HxLshShape shapes[] = {
	{1, HX_LSH_HYPERPLANE, 30, 3, 8, 0, 8, 0, 0},
	{2, HX_LSH_POLYTOPE, 64, 2, 3, 8, 8, 0, 0},
	{3, HX_LSH_POLYTOPE, 100, 3, 2, 128, 8, 0, 0},
	{4, HX_LSH_STABLE, 40, 2, 6, 0, 8, 1, 0},
	{5, HX_LSH_BITS, 64, 4, 9, 0, 8, 0, 0},
	{6, HX_LSH_MINHASH, 0, 3, 7, 0, 8, 0, 0},
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* Every bucket comes exactly once, in order of cost, the query's own first. */
static void
against_enumeration(void)
{
	static HxLshProbe found[MAX_BUCKETS];
	static HxLshProbe expected[MAX_BUCKETS];

	for (size_t i = 0; i < SHAPES; i++)
	{
		const HxLshShape *shape = &shapes[i];
		HxLsh	   *lsh = make(shape);
		const HxLshFamilyMethods *methods = hx_lsh_methods(shape->family);
		HxLshPair	pair = hx_lsh_pair_make(shape, 100, &memory);
		uint64_t	keys[4];
		uint32_t	counts[4] = {0};
		HxLshSteps	steps = {shape->hashes * methods->options(shape), counts, NULL};
		size_t		count = 0;
		unsigned	wrong = 0;

		hx_lsh_pair_draw(shape, 0, i, &pair);
		steps.steps = allocate(NULL, 4 * steps.room * sizeof(HxLshStep));
		methods->locate(lsh, pair.a, allocate(NULL, hx_lsh_scratch(lsh)), keys, &steps);
		bucket_count = 0;
		for (uint32_t table = 0; table < shape->tables; table++)
			enumerate(steps.steps + table * steps.room, counts[table], shape->hashes, 0,
					  (Bucket) {0, {table, keys[table]}});
		qsort(buckets, bucket_count, sizeof(Bucket), compare_buckets);

		HxLshProbes *probes = hx_lsh_probes_begin(lsh, pair.a, &memory);

		while (count < MAX_BUCKETS && hx_lsh_probes_next(probes, &found[count]))
			count++;
		CHECK(count == bucket_count, "shape %zu: %zu probes, not %zu", i, count, bucket_count);
		for (size_t k = 0; k < bucket_count; k++)
			expected[k] = buckets[k].probe;

		/* Where costs leave a gap, what came before it must be the same set. */
		for (size_t begin = 0, end = 1; end <= bucket_count; end++)
		{
			if (end < bucket_count &&
				buckets[end].cost - buckets[end - 1].cost < 1e-4 * (buckets[end].cost + 1e-3))
				continue;
			qsort(found + begin, end - begin, sizeof(HxLshProbe), compare_keys);
			qsort(expected + begin, end - begin, sizeof(HxLshProbe), compare_keys);
			for (size_t k = begin; k < end; k++)
				wrong += compare_keys(&found[k], &expected[k]) != 0;
			begin = end;
		}
		CHECK(wrong == 0, "shape %zu: %u of %zu out of order", i, wrong, bucket_count);
	}
}

/* A restarted query probes as a fresh one does. */
static void
restarting(void)
{
	for (size_t i = 0; i < SHAPES; i++)
	{
		HxLsh	   *lsh = make(&shapes[i]);
		HxLshPair	pair = hx_lsh_pair_make(&shapes[i], 100, &memory);
		unsigned	wrong = 0;

		hx_lsh_pair_draw(&shapes[i], 0.7, i, &pair);

		HxLshProbes *fresh = hx_lsh_probes_begin(lsh, pair.b, &memory);
		HxLshProbes *used_before = hx_lsh_probes_begin(lsh, pair.a, &memory);
		HxLshProbe	a;
		HxLshProbe	b;

		for (int k = 0; k < 77; k++)
			hx_lsh_probes_next(used_before, &b);
		hx_lsh_probes_restart(used_before, pair.b);
		while (hx_lsh_probes_next(fresh, &a))
			wrong += !hx_lsh_probes_next(used_before, &b) || compare_keys(&a, &b) != 0;
		CHECK(wrong == 0 && !hx_lsh_probes_next(used_before, &b), "shape %zu", i);
	}
}

/* Steps of the rotated families cost what the literature says, from the projections. */
static void
costs_of_steps(void)
{
	for (size_t i = 0; i < 3; i++)
	{
		const HxLshShape *shape = &shapes[i];
		const uint32_t part = shape->family == HX_LSH_POLYTOPE ? shape->part : 1;
		HxLsh	   *lsh = make(shape);
		const HxLshFamilyMethods *methods = hx_lsh_methods(shape->family);
		HxLshPair	pair = hx_lsh_pair_make(shape, 100, &memory);
		float	   *y = allocate(NULL, hx_projection_scratch(shape->dims) * sizeof(float));
		uint64_t	keys[4];
		uint32_t	counts[4] = {0};
		HxLshSteps	steps = {shape->hashes * methods->options(shape), counts, NULL};
		double		costs[256];
		double		most = 0;

		hx_lsh_pair_draw(shape, 0, i, &pair);
		steps.steps = allocate(NULL, 4 * steps.room * sizeof(HxLshStep));
		methods->locate(lsh, pair.a, allocate(NULL, hx_lsh_scratch(lsh)), keys, &steps);

		/* The first hash of the first table: the squared lack of each other vertex. */
		hx_projection_apply(shape->seed, 0, pair.a.vector, shape->dims, y);
		for (uint32_t k = 0; k < part; k++)
			most = fmax(most, fabsf(y[k]));
		for (uint32_t k = 0; k < part; k++)
		{
			costs[2 * k] = pow(most - y[k], 2);
			costs[2 * k + 1] = pow(most + y[k], 2);
		}
		for (uint32_t k = 0; k < methods->options(shape); k++)
		{
			double		left = INFINITY;
			uint32_t	at = 0;

			CHECK(steps.steps[k].slot == 0, "slot");
			for (uint32_t v = 0; v < 2 * part; v++)
			{
				if (costs[v] > 0 && costs[v] < left)
				{
					left = costs[v];
					at = v;
				}
			}
			costs[at] = 0;
			CHECK(fabs(steps.steps[k].cost - left) <= 1e-4 * left, "shape %zu, step %u: %g, not %g",
				  i, k, steps.steps[k].cost, left);
		}
	}
}

/* After the own buckets of a code come those of codes with one bit of theirs turned over. */
static void
buckets_of_codes(void)
{
	const HxLshShape *shape = &shapes[4];
	HxLsh	   *lsh = make(shape);
	HxLshPair	pair = hx_lsh_pair_make(shape, 0, &memory);
	uint8_t    *code = (uint8_t *) pair.b.code;
	HxLshProbe	probes[4 + 4 * 9];
	uint64_t	own[4];
	uint64_t	keys[4];
	unsigned	met = 0;

	hx_lsh_pair_draw(shape, 0, 3, &pair);
	hx_lsh_keys(lsh, pair.a, NULL, own);

	HxLshProbes *order = hx_lsh_probes_begin(lsh, pair.a, &memory);

	for (int k = 0; k < 4 + 4 * 9; k++)
		hx_lsh_probes_next(order, &probes[k]);
	for (int i = 0; i < 64; i++)
	{
		code[i / 8] ^= (uint8_t) (0x80 >> (i % 8));
		hx_lsh_keys(lsh, pair.b, NULL, keys);
		code[i / 8] ^= (uint8_t) (0x80 >> (i % 8));
		for (uint32_t table = 0; table < 4; table++)
		{
			for (int k = 4; k < 4 + 4 * 9; k++)
				met += keys[table] != own[table] && probes[k].table == table &&
					probes[k].key == keys[table];
		}
	}
	CHECK(met == 4 * 9, "%u buckets met", met);
}

/* A set that lost some of its elements is in the buckets of second smallest values. */
static void
buckets_of_sets(void)
{
	const HxLshShape *shape = &shapes[5];
	HxLsh	   *lsh = make(shape);
	HxLshPair	pair = hx_lsh_pair_make(shape, 100, &memory);
	void	   *scratch = allocate(NULL, hx_lsh_scratch(lsh));
	const size_t kept = used;
	unsigned	met = 0;
	unsigned	lost = 0;

	for (unsigned number = 0; number < 50; number++)
	{
		uint64_t	own[4];
		uint64_t	keys[4];
		HxLshProbe	probe;

		used = kept;
		hx_lsh_pair_draw(shape, 0, number, &pair);
		hx_lsh_keys(lsh, pair.a, scratch, own);
		pair.b.count = 97;
		hx_lsh_keys(lsh, pair.b, scratch, keys);
		pair.b.count = 100;
		for (uint32_t table = 0; table < 3; table++)
		{
			HxLshProbes *order = hx_lsh_probes_begin(lsh, pair.a, &memory);

			if (keys[table] == own[table])
				continue;
			lost++;
			while (hx_lsh_probes_next(order, &probe))
				met += probe.table == table && probe.key == keys[table];
		}
	}
	/* Bins that hold one element alone have no second; two lost of one bin take a third. */
	CHECK(lost >= 10 && met > 0.8 * lost, "%u of %u met", met, lost);
}

int
main(void)
{
	hx_kernel_init();
	make_blocks((size_t) 64 << 20);
	RUN(against_enumeration);
	RUN(restarting);
	RUN(costs_of_steps);
	RUN(buckets_of_codes);
	RUN(buckets_of_sets);
	free(blocks);
	return unit_summary();
}
