/*
 * test_lsh_tune.c
 *	  What the tuner predicts against what probing a table of points finds.
 */
#include "lsh_frame.h"

#include <math.h>

#include "hash/lsh_tune.h"
#include "hash/minhash.h"

#define POINTS 4000
#define QUERIES 100
#define DIMS 24
#define BITS 128
#define ELEMENTS 60

static const HxCompute compute = {.memory = {allocate, NULL}};

static float vectors[POINTS][DIMS];
static uint8_t codes[POINTS][BITS / 8];
static uint64_t sets[POINTS][ELEMENTS];

/* Clusters of ten: each point is one of POINTS / 10 centres, changed at random. */
static void
make_points(void)
{
	for (int i = 0; i < POINTS; i++)
	{
		int			centre = i / 10 * 10;

		for (int j = 0; j < DIMS; j++)
			vectors[i][j] = i == centre ? (float) unit_normal() :
				vectors[centre][j] + 0.35f * (float) unit_normal();
		for (int j = 0; j < BITS / 8; j++)
			codes[i][j] = i == centre ? (uint8_t) unit_random() : codes[centre][j];
		for (int j = 0; i != centre && j < 10; j++)
		{
			unsigned	bit = unit_below(BITS);

			codes[i][bit / 8] ^= (uint8_t) (1 << bit % 8);
		}
		for (int j = 0; j < ELEMENTS; j++)
			sets[i][j] = i == centre || unit_below(100) < 20 ? unit_random() : sets[centre][j];
	}
}

static HxLshPoint
point_at(uint32_t family, int i)
{
	switch (family)
	{
		case HX_LSH_BITS:
			return (HxLshPoint) {{.code = codes[i]}, 0};
		case HX_LSH_MINHASH:
			return (HxLshPoint) {{.elements = sets[i]}, ELEMENTS};
		default:
			return (HxLshPoint) {{.vector = vectors[i]}, 0};
	}
}

static double
distance_between(uint32_t family, int i, int j)
{
	unsigned	common = 0;
	HxDotNorms	sums;

	switch (family)
	{
		case HX_LSH_BITS:
			return (double) hx_kernels->hamming(codes[i], codes[j], BITS / 8);
		case HX_LSH_MINHASH:
			for (int a = 0; a < ELEMENTS; a++)
			{
				for (int b = 0; b < ELEMENTS; b++)
					common += sets[i][a] == sets[j][b];
			}
			return 1 - common / (2.0 * ELEMENTS - common);
		case HX_LSH_STABLE:
			return sqrt(hx_kernels->l2_squared(vectors[i], vectors[j], DIMS));
		default:
			sums = hx_kernels->dot_norms(vectors[i], vectors[j], DIMS);
			return 1 - sums.dot / sqrt(sums.norm_a * sums.norm_b);
	}
}

static int	nearest[QUERIES];
static float neighbours[QUERIES];
static float background[QUERIES * 20];

/* Queries are every 40th point; their nearest neighbours lie in their clusters. */
static HxLshSample
take_sample(uint32_t family)
{
	for (int q = 0; q < QUERIES; q++)
	{
		const int	query = q * (POINTS / QUERIES);

		neighbours[q] = INFINITY;
		for (int i = query / 10 * 10; i < query / 10 * 10 + 10; i++)
		{
			double		distance = distance_between(family, query, i);

			if (i != query && distance < neighbours[q])
			{
				neighbours[q] = (float) distance;
				nearest[q] = i;
			}
		}
		for (int k = 0; k < 20; k++)
			background[20 * q + k] = (float)
				distance_between(family, query, (int) unit_below(POINTS));
	}
	return (HxLshSample) {neighbours, QUERIES, background, QUERIES * 20, POINTS, ELEMENTS};
}

/* Share of the queries' nearest neighbours that so many probes meet; candidates on average. */
static double
probe_table(const HxLshShape *shape, uint32_t count, double *candidates)
{
	HxLsh	   *lsh = allocate(NULL, hx_lsh_size(shape));

	hx_lsh_init(lsh, shape);

	void	   *scratch = allocate(NULL, hx_lsh_scratch(lsh));
	uint64_t   *keys = allocate(NULL, POINTS * shape->tables * sizeof(uint64_t));
	int			met = 0;
	unsigned long rows = 0;

	for (int i = 0; i < POINTS; i++)
		hx_lsh_keys(lsh, point_at(shape->family, i), scratch, keys + i * shape->tables);
	for (int q = 0; q < QUERIES; q++)
	{
		HxLshPoint	query = point_at(shape->family, q * (POINTS / QUERIES));
		HxLshProbes *probes = hx_lsh_probes_begin(lsh, query, &memory);
		HxLshProbe	probe;
		bool		found = false;

		for (uint32_t k = 0; k < count && hx_lsh_probes_next(probes, &probe); k++)
		{
			for (int i = 0; i < POINTS; i++)
			{
				if (keys[i * shape->tables + probe.table] != probe.key)
					continue;
				rows++;
				found |= i == nearest[q];
			}
		}
		met += found;
	}
	*candidates = (double) rows / QUERIES;
	return (double) met / QUERIES;
}

/* The recall that was asked for is reached, and what was predicted comes true. */
static void
predictions(void)
{
	static const HxLshShape wishes[] = {
		{1, HX_LSH_HYPERPLANE, DIMS, 0, 0, 0, 16, 0, 0},
		{2, HX_LSH_POLYTOPE, DIMS, 0, 0, 0, 16, 0, 0},
		{3, HX_LSH_STABLE, DIMS, 0, 0, 0, 16, 0, 0},
		{4, HX_LSH_BITS, BITS, 0, 0, 0, 16, 0, 0},
		{5, HX_LSH_MINHASH, 0, 0, 0, 0, 16, 0, 0},
		{6, HX_LSH_HYPERPLANE, DIMS, 8, 9, 0, 16, 0, 0},
		{7, HX_LSH_MINHASH, 0, 12, 3, 0, 16, 0, 0},
	};
	static const HxLshLimits limits = {0.9, 16, 1, 0.02};

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
	{
		const HxLshShape *wish = &wishes[i];
		HxLshTuning tuning;
		HxLshSample sample = take_sample(wish->family);
		double		candidates;

		used = 0;
		hx_lsh_tune(wish, &sample, &limits, &compute, &tuning);
		CHECK(hx_lsh_shape_fault(&tuning.shape) == NULL, "%s",
			  hx_lsh_shape_fault(&tuning.shape));
		CHECK(hx_lsh_curve_valid(&tuning.curve), "curve %zu", i);
		CHECK(wish->tables == 0 || wish->tables == tuning.shape.tables, "tables");
		CHECK(wish->hashes == 0 || wish->hashes == tuning.shape.hashes, "hashes");
		CHECK(tuning.shape.tables <= 16 && tuning.probes != HX_LSH_OUT_OF_REACH &&
			  tuning.recall >= limits.recall, "wish %zu: %u probes, recall %f", i, tuning.probes,
			  tuning.recall);

		double		recall = probe_table(&tuning.shape, tuning.probes, &candidates);

		/* Of 100 queries: three standard errors, and some for the curve's own. */
		CHECK(fabs(recall - tuning.recall) < 0.11, "wish %zu: recall %f, not %f", i, recall,
			  tuning.recall);

		/* Clusters and overlaps are not in the reckoning. */
		CHECK(candidates < 2 * tuning.candidates + 20, "wish %zu: %f candidates, not %f", i,
			  candidates, tuning.candidates);
	}
}

/* Reading the curve: recall falls with distance, grows with probes, and is inverted. */
static void
curves(void)
{
	static const HxLshShape shapes[] = {
		{1, HX_LSH_HYPERPLANE, 100, 20, 10, 0, 16, 0, 0},
		{3, HX_LSH_STABLE, 30, 10, 5, 0, 16, 2, 0},
		{5, HX_LSH_MINHASH, 0, 20, 5, 0, 16, 0, 0},
	};

	for (int i = 0; i < 3; i++)
	{
		HxLshCurve	curve;
		double		last = 1;

		used = 0;
		hx_lsh_curve_measure(&shapes[i], 200, &compute, &curve);
		CHECK(hx_lsh_curve_valid(&curve), "valid");
		CHECK(hx_lsh_curve_recall(&shapes[i], &curve, 0, 1) == 1, "equal points");
		for (double distance = 0.05; distance < 1; distance += 0.05)
		{
			double		recall = hx_lsh_curve_recall(&shapes[i], &curve, distance,
													 shapes[i].tables);
			double		more = hx_lsh_curve_recall(&shapes[i], &curve, distance,
												   4 * shapes[i].tables);
			double		p = hx_lsh_collision(&shapes[i], distance);
			double		closed = 1 - pow(1 - pow(p, shapes[i].hashes), shapes[i].tables);
			uint32_t	probes = hx_lsh_curve_probes(&shapes[i], &curve, distance, 0.9);

			CHECK(recall <= last && recall <= more, "shape %d at %g", i, distance);
			CHECK(fabs(recall - closed) < 0.1, "shape %d at %g: %f, not %f", i, distance, recall,
				  closed);
			CHECK(probes == HX_LSH_OUT_OF_REACH ||
				  (hx_lsh_curve_recall(&shapes[i], &curve, distance, probes) >= 0.9 &&
				   hx_lsh_curve_recall(&shapes[i], &curve, distance, probes - 1) < 0.9),
				  "shape %d at %g: %u probes", i, distance, probes);
			last = recall;
		}
		CHECK(hx_lsh_curve_probes(&shapes[i], &curve, 1e6, 0.5) == HX_LSH_OUT_OF_REACH, "far");
		curve.hit[7][3] = NAN;
		CHECK(!hx_lsh_curve_valid(&curve), "damaged");
	}
}

/* A table that nothing is known of yet, and one whose rows are all equal. */
static void
without_sample(void)
{
	static const float zeros[10] = {0};
	static const HxLshLimits limits = {0.9, 32, 1, 0.02};

	for (uint32_t family = HX_LSH_HYPERPLANE; family <= HX_LSH_MINHASH; family++)
	{
		HxLshShape	wish = {1, family, family == HX_LSH_MINHASH ? 0 : 64, 0, 0, 0, 16, 0, 0};
		HxLshSample nothing = {.rows = 10000, .set_size = 100};
		HxLshSample equal = {zeros, 10, zeros, 10, 10000, 100};
		HxLshTuning tuning;

		used = 0;
		hx_lsh_tune(&wish, &nothing, &limits, &compute, &tuning);
		CHECK(hx_lsh_shape_fault(&tuning.shape) == NULL, "%u: %s", family,
			  hx_lsh_shape_fault(&tuning.shape));
		CHECK(tuning.recall >= 0.8, "family %u: %f", family, tuning.recall);
		hx_lsh_tune(&wish, &equal, &limits, &compute, &tuning);
		CHECK(hx_lsh_shape_fault(&tuning.shape) == NULL && tuning.recall == 1, "%u: %f", family,
			  tuning.recall);
	}
}

int
main(void)
{
	hx_kernel_init();
	make_blocks((size_t) 256 << 20);
	make_points();
	RUN(predictions);
	RUN(curves);
	RUN(without_sample);
	free(blocks);
	return unit_summary();
}
