/*
 * test_lsh.c
 *	  Families of locality-sensitive functions: how often points collide, keys that never
 *	  change and are those of every SIMD level, sketches and their limits.
 */
#include "lsh_frame.h"

#include <math.h>

#include "hash/lsh_family.h"
#include "hash/lsh_pairs.h"
#include "hash/lsh_polytope.h"

#define MAX_KEYS HX_LSH_MAX_TABLES

/* A shape of each family; sets have SET_SIZE elements. */
#define SET_SIZE 400

static const HxLshShape shapes[] = {
	{11, HX_LSH_HYPERPLANE, 100, 16, 10, 0, 16, 0, 0},
	{12, HX_LSH_HYPERPLANE, 3, 8, 4, 0, 8, 0, 0},
	{13, HX_LSH_POLYTOPE, 128, 16, 2, 128, 32, 0, 0},
	{14, HX_LSH_POLYTOPE, 20, 5, 3, 4, 16, 0, 0},
	{15, HX_LSH_STABLE, 50, 16, 6, 0, 32, 0.5, 0},
	{16, HX_LSH_STABLE, 1, 4, 2, 0, 64, 3, 0},
	{17, HX_LSH_BITS, 256, 16, 12, 0, 32, 0, 0},
	{18, HX_LSH_BITS, 13, 4, 5, 0, 8, 0, 0},
	{19, HX_LSH_MINHASH, 0, 16, 4, 0, 16, 0, 0},
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void
faults(void)
{
	for (size_t i = 0; i < SHAPES; i++)
	{
		const HxLshShape good = shapes[i];
		HxLshShape	bad[12];
		int			count = 0;

		CHECK(hx_lsh_shape_fault(&good) == NULL, "shape %zu", i);
		for (; count < 12; count++)
			bad[count] = good;
		bad[0].family = 6;
		bad[1].tables = 0;
		bad[2].tables = HX_LSH_MAX_TABLES + 1;
		bad[3].hashes = 0;
		bad[4].hashes = HX_LSH_MAX_HASHES + 1;
		bad[5].dims = good.dims == 0 ? 1 : 0;
		bad[6].dims = 70000;
		bad[7].part = good.part == 0 ? 2 : 3;
		bad[8].width = good.width == 0 ? 1 : NAN;
		bad[9].sketch_bytes = 12;
		bad[10].sketch_bytes = 72;
		bad[11].reserved = 1;
		for (count = 0; count < 12; count++)
			CHECK(hx_lsh_shape_fault(&bad[count]) != NULL, "shape %zu, fault %d", i, count);
	}
}

/* Share of tables in which two points at a distance have the same key, over many pairs. */
static double
measure(HxLshShape shape, double distance, unsigned pairs)
{
	HxLsh	   *lsh = make(&shape);
	HxLshPair	pair = hx_lsh_pair_make(&shape, SET_SIZE, &memory);
	void	   *scratch = allocate(NULL, hx_lsh_scratch(lsh));
	uint64_t	a[MAX_KEYS];
	uint64_t	b[MAX_KEYS];
	unsigned	equal = 0;

	for (unsigned number = 0; number < pairs; number++)
	{
		hx_lsh_pair_draw(&shape, distance, number, &pair);
		hx_lsh_keys(lsh, pair.a, scratch, a);
		hx_lsh_keys(lsh, pair.b, scratch, b);
		for (uint32_t i = 0; i < shape.tables; i++)
			equal += a[i] == b[i];
	}
	return (double) equal / pairs / shape.tables;
}

/* The closed forms at distances whose values are known by other means. */
static void
closed_forms(void)
{
	static const double stable[][2] = {
		{8, .900}, {4, .801}, {2, .610}, {1, .369}, {.5, .195},
	};
	static const struct
	{
		unsigned	part;
		double		chance[5];	/* 30, 45, 60, 75, 90 degrees, by simulation */
	}			polytope[] = {
		{128, {.371, .183, .075, .022, .003}},
		{256, {.336, .157, .055, .015, .002}},
		{1024, {.287, .112, .034, .008, .001}},
	};
	HxLshShape	shape = shapes[4];

	shape.width = 4;
	for (int i = 0; i < 5; i++)
		CHECK(fabs(hx_lsh_collision(&shape, 4 / stable[i][0]) - stable[i][1]) < 0.0006,
			  "width over distance %g: %f", stable[i][0],
			  hx_lsh_collision(&shape, 4 / stable[i][0]));
	CHECK(hx_lsh_collision(&shape, 0) == 1, "equal points");
	for (int k = 0; k < 3; k++)
	{
		for (int i = 0; i < 5; i++)
		{
			double		chance = hx_lsh_polytope_collision(polytope[k].part, (i + 2) / 12.0);

			CHECK(fabs(chance - polytope[k].chance[i]) < 0.01, "%u dims, %d degrees: %f",
				  polytope[k].part, 15 * i + 30, chance);
		}
	}
	/* At a right angle all pairs of the 2 m vertices are as likely as each other. */
	for (unsigned part = 2; part <= 16384; part *= 2)
		CHECK(fabs(hx_lsh_polytope_collision(part, 0.5) * 2 * part - 1) < 0.001, "%u", part);
	CHECK(fabs(hx_lsh_collision(&shapes[0], 0.5) - 2.0 / 3) < 1e-12, "60 degrees");
	CHECK(hx_lsh_collision(&shapes[6], 64) == 0.75, "64 of 256 bits");
	CHECK(hx_lsh_collision(&shapes[8], 0.2) == 0.8, "Jaccard");
}

/* Single hashes collide as often as the closed forms say. */
static void
collisions(void)
{
	enum
	{
		PAIRS = 60
	};

	for (size_t i = 0; i < SHAPES; i++)
	{
		HxLshShape	shape = shapes[i];
		const double largest = shape.family == HX_LSH_STABLE ? 3 * (double) shape.width :
			shape.family == HX_LSH_BITS ? (double) shape.dims : 1;

		shape.tables = shape.family == HX_LSH_BITS ? 16 : MAX_KEYS;
		shape.hashes = 1;
		for (int step = 1; step <= 4; step++)
		{
			double		distance = largest * step / 5;

			if (shape.family == HX_LSH_BITS)
				distance = floor(distance);

			double		expected = hx_lsh_collision(&shape, distance);
			double		measured = measure(shape, distance, PAIRS);

			/* Pairs in one dimension or three are not as many as tables: allow for that. */
			double		error = sqrt(expected * (1 - expected) / PAIRS / 16) + 0.004;

			CHECK(fabs(measured - expected) < 4 * error, "shape %zu at %g: %f, not %f", i, distance,
				  measured, expected);
		}
	}
}

/* Keys of several hashes: p^K, and of bands of a signature s^r. */
static void
keys_of_hashes(void)
{
	for (size_t i = 0; i < SHAPES; i++)
	{
		HxLshShape	shape = shapes[i];
		const double distance = shape.family == HX_LSH_STABLE ? shape.width / 3 :
			shape.family == HX_LSH_BITS ? floor(0.16 * shape.dims) : 0.1;

		/* In one dimension all pairs are alike, and only functions differ. */
		if (shape.family != HX_LSH_BITS)
			shape.tables = MAX_KEYS;

		const double expected = pow(hx_lsh_collision(&shape, distance), shape.hashes);
		const double measured = measure(shape, distance, 300);

		/* Of codes, the distance spreads over few tables without replacement. */
		CHECK(fabs(measured - expected) < 0.04 + (shape.dims == 13 ? 0.05 : 0),
			  "shape %zu: %f, not %f", i, measured, expected);
	}
}

/* Tables look at different bits while there are enough, and no bit twice. */
static void
positions(void)
{
	HxLshShape	shape = {1, HX_LSH_BITS, 256, 21, 12, 0, 32, 0, 0};
	HxLsh	   *lsh = make(&shape);
	uint8_t		code[32] = {0};
	uint64_t	before[21];
	uint64_t	after[21];
	unsigned	used_bits = 0;

	hx_lsh_keys(lsh, (HxLshPoint) {{.code = code}, 0}, NULL, before);
	for (int i = 0; i < 256; i++)
	{
		unsigned	changed = 0;

		code[i / 8] ^= (uint8_t) (0x80 >> (i % 8));
		hx_lsh_keys(lsh, (HxLshPoint) {{.code = code}, 0}, NULL, after);
		code[i / 8] ^= (uint8_t) (0x80 >> (i % 8));
		for (int table = 0; table < 21; table++)
			changed += before[table] != after[table];
		CHECK(changed <= 1, "bit %d is in %u tables", i, changed);
		used_bits += changed;
	}
	CHECK(used_bits == 21 * 12, "%u bits in use", used_bits);
}

/* A digest of the keys and sketches of some points of a shape. */
static uint64_t
digest(const HxLshShape *shape)
{
	HxLsh	   *lsh = make(shape);
	HxLshPair	pair = hx_lsh_pair_make(shape, SET_SIZE, &memory);
	void	   *scratch = allocate(NULL, hx_lsh_scratch(lsh));
	uint64_t	keys[MAX_KEYS];
	uint8_t		sketch[HX_LSH_MAX_SKETCH];
	uint64_t	result = 0;

	for (unsigned number = 0; number < 20; number++)
	{
		hx_lsh_pair_draw(shape, 0.5, number, &pair);
		hx_lsh_keys(lsh, pair.b, scratch, keys);
		hx_lsh_sketch(lsh, pair.b, scratch, sketch);
		for (uint32_t i = 0; i < shape->tables; i++)
			result = hx_mix(result ^ keys[i]);
		for (uint32_t i = 0; i < shape->sketch_bytes; i++)
			result = hx_mix(result ^ sketch[i]);
	}
	return result;
}

static void
check_level(const HxKernels *kernels)
{
	static const uint64_t expected[SHAPES] = {
		UINT64_C(0xacc3c3f7f157e6be), UINT64_C(0x2983c8d26428e8a7), UINT64_C(0x81847123be477802),
		UINT64_C(0xaa6a6545ccf213b7), UINT64_C(0xcd35c91462adbb79), UINT64_C(0x3318c11e8c1ab718),
		UINT64_C(0xf4875ea2f5853551), UINT64_C(0x963888b838cf96f7), UINT64_C(0xc9e5e7c6b17df310),
	};

	hx_kernel_use(kernels->level);
	for (size_t i = 0; i < SHAPES; i++)
	{
		uint64_t	found = digest(&shapes[i]);

		CHECK(found == expected[i], "shape %zu, %s: UINT64_C(0x%016llx)", i,
			  hx_kernel_level_name(kernels->level), (unsigned long long) found);
	}
	hx_kernel_use(HX_SIMD_AUTO);
}

/* Keys and sketches are stored: these numbers may never change. */
static void
frozen_at_every_level(void)
{
	unit_each_level(check_level);
}

/* Points without direction or elements, and vectors at both ends of the range of floats. */
static void
extreme_points(void)
{
	static const float tiny[128] = {1e-45f, -1e-45f};
	static const float huge[128] = {3e38f, -3e38f};
	static const float zero[128] = {0};
	const float *vectors[] = {zero, tiny, huge};

	for (size_t i = 0; i < SHAPES; i++)
	{
		HxLsh	   *lsh = make(&shapes[i]);
		void	   *scratch = allocate(NULL, hx_lsh_scratch(lsh));
		uint64_t	keys[MAX_KEYS];
		uint64_t	again[MAX_KEYS];
		uint8_t		sketch[HX_LSH_MAX_SKETCH];

		for (int k = 0; k < 3; k++)
		{
			HxLshPoint	point = {{.vector = vectors[k]}, 0};

			hx_lsh_keys(lsh, point, scratch, keys);
			hx_lsh_keys(lsh, point, scratch, again);
			CHECK(memcmp(keys, again, shapes[i].tables * sizeof(uint64_t)) == 0, "keys");
			hx_lsh_sketch(lsh, point, scratch, sketch);

			HxLshQuery *query = hx_lsh_query(lsh, point, &memory);
			float		distance = hx_lsh_sketch_distance(query, sketch);

			CHECK(distance <= hx_lsh_sketch_limit(query, 0) || k == 0, "shape %zu, %d: %f above %f",
				  i, k, distance, hx_lsh_sketch_limit(query, 0));
			CHECK(!isnan(distance), "shape %zu, %d", i, k);
		}
	}
}

/* Estimates are near the truth on average, and (next to) never above the limit. */
static void
sketches(void)
{
	enum
	{
		PAIRS = 2000
	};

	for (size_t i = 0; i < SHAPES; i++)
	{
		const HxLshShape *shape = &shapes[i];
		const double scale = shape->family == HX_LSH_STABLE ? (double) shape->width :
			shape->family == HX_LSH_BITS ? (double) shape->dims : 1;

		for (int step = 0; step <= 4; step++)
		{
			HxLsh	   *lsh = make(shape);
			HxLshPair	pair = hx_lsh_pair_make(shape, SET_SIZE, &memory);
			void	   *scratch = allocate(NULL, hx_lsh_scratch(lsh));
			const size_t kept = used;
			double		distance = scale * step / 8;
			double		sum = 0;
			unsigned	above = 0;
			unsigned	useless = 0;

			if (shape->family == HX_LSH_BITS)
				distance = floor(distance);
			for (unsigned number = 0; number < PAIRS; number++)
			{
				uint8_t		sketch[HX_LSH_MAX_SKETCH];

				used = kept;
				hx_lsh_pair_draw(shape, distance, number, &pair);
				hx_lsh_sketch(lsh, pair.b, scratch, sketch);

				HxLshQuery *query = hx_lsh_query(lsh, pair.a, &memory);
				float		estimate = hx_lsh_sketch_distance(query, sketch);
				float		limit = hx_lsh_sketch_limit(query, distance + 1e-6);

				sum += estimate;
				above += estimate > limit;
				useless += limit > 3.5 * scale;
			}
			CHECK(fabs(sum / PAIRS - distance) < 0.06 * scale, "shape %zu at %g: %f", i, distance,
				  sum / PAIRS);
			CHECK(above == 0, "shape %zu at %g: %u above the limit", i, distance, above);
			CHECK(useless == 0, "shape %zu at %g: limits of no use", i, distance);
		}
	}
}

int
main(void)
{
	hx_kernel_init();
	make_blocks((size_t) 4 << 20);
	RUN(faults);
	RUN(closed_forms);
	RUN(collisions);
	RUN(keys_of_hashes);
	RUN(positions);
	RUN(frozen_at_every_level);
	RUN(extreme_points);
	RUN(sketches);
	free(blocks);
	return unit_summary();
}
