/*
 * test_kmeans.c
 *	  k-means: it finds clusters, never gets worse, and bears duplicates, empty
 *	  clusters and as many centroids as rows.
 */
#include "numeric.h"

#include "math/kmeans.h"

static double
squared_distance(const float *a, const float *b, size_t d)
{
	double		sum = 0;

	for (size_t i = 0; i < d; i++)
		sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return sum;
}

/* The sum of squared distances to the nearest centroid; checks that the assignment tells it. */
static double
objective(const float *rows, size_t count, size_t d, const float *centroids, size_t k,
		  const uint32_t *assignment)
{
	double		sum = 0;

	for (size_t i = 0; i < count; i++)
	{
		double		nearest = HUGE_VAL;
		double		own;

		for (size_t j = 0; j < k; j++)
		{
			double		distance = squared_distance(rows + i * d, centroids + j * d, d);

			nearest = distance < nearest ? distance : nearest;
		}
		CHECK(assignment[i] < k, "row %zu goes to %u of %zu", i, assignment[i], k);
		own = squared_distance(rows + i * d, centroids + assignment[i] * d, d);
		CHECK(own <= nearest + 1e-12, "row %zu: %g, nearest %g", i, own, nearest);
		sum += own;
	}
	return sum;
}

static size_t
count_rows_equal(const float *rows, size_t count, size_t d, const float *row)
{
	size_t		equal = 0;

	for (size_t i = 0; i < count; i++)
		equal += memcmp(rows + i * d, row, d * sizeof(float)) == 0;
	return equal;
}

/* `clusters` heaps around random places. */
static float *
random_heaps(size_t count, size_t d, size_t clusters, float width)
{
	float	   *places = random_floats(clusters * d);
	float	   *rows = random_floats(count * d);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < d; j++)
			rows[i * d + j] = places[i % clusters * d + j] + rows[i * d + j] * width;
	free(places);
	return rows;
}

/* More rounds never do worse, and in the end nothing changes. */
static void
monotone(void)
{
	static const size_t shapes[][3] = {{50, 1, 3}, {400, 2, 20}, {500, 17, 8}, {900, 40, 100}};

	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
	{
		const size_t count = shapes[s][0];
		const size_t d = shapes[s][1];
		const size_t k = shapes[s][2];
		float	   *rows = random_heaps(count, d, k, 0.5f);
		float	   *centroids = unit_alloc(k * d * sizeof(float));
		uint32_t   *assignment = unit_alloc(count * sizeof(uint32_t));
		double		last = HUGE_VAL;

		for (int rounds = 0; rounds <= 25; rounds++)
		{
			HxCompute	compute = numeric_compute();
			double		now;

			hx_kmeans(&compute, rows, count, d, k, rounds, 3, centroids, assignment);
			now = objective(rows, count, d, centroids, k, assignment);
			CHECK(now <= last * (1 + 1e-6), "%zu x %zu, round %d: %g after %g", count, d, rounds,
				  now, last);
			last = now;
			numeric_free();
		}
		free(rows);
		free(centroids);
		free(assignment);
	}
}

/* Heaps far apart are found, whatever the seed. */
static void
finds_clusters(void)
{
	enum
	{
		COUNT = 600,
		D = 8,
		K = 12
	};
	float	   *rows = random_heaps(COUNT, D, K, 0.001f);
	float		centroids[K * D];
	uint32_t	assignment[COUNT];

	for (uint64_t seed = 0; seed < 20; seed++)
	{
		HxCompute	compute = numeric_compute();

		hx_kmeans(&compute, rows, COUNT, D, K, 10, seed, centroids, assignment);
		for (size_t i = K; i < COUNT; i++)
			CHECK(assignment[i] == assignment[i % K], "seed %d: row %zu", (int) seed, i);
		CHECK(objective(rows, COUNT, D, centroids, K, assignment) < COUNT * D * 1e-6, "seed %d",
			  (int) seed);
		numeric_free();
	}
	free(rows);
}

/* Without rounds, the centroids are different rows. */
static void
seeds_are_rows(void)
{
	enum
	{
		COUNT = 60,
		D = 3
	};
	float	   *rows = random_floats(COUNT * D);
	float		centroids[COUNT * D];

	for (size_t k = 1; k <= COUNT; k++)
	{
		HxCompute	compute = numeric_compute();

		hx_kmeans(&compute, rows, COUNT, D, k, 0, k, centroids, NULL);
		for (size_t j = 0; j < k; j++)
		{
			CHECK(count_rows_equal(rows, COUNT, D, centroids + j * D) == 1, "k = %zu: seed %zu", k,
				  j);
			CHECK(count_rows_equal(centroids, k, D, centroids + j * D) == 1,
				  "k = %zu: seed %zu again", k, j);
		}
		numeric_free();
	}
	free(rows);
}

/*
 * The second seed is drawn by squared distance: of 0, 1 and 3, the third 9
 * times as often as the second.
 */
static void
seeding_is_weighted(void)
{
	static const float rows[] = {0, 1, 3};
	int			after_zero[3] = {0};

	for (uint64_t seed = 0; seed < 30000; seed++)
	{
		HxCompute	compute = numeric_compute();
		float		centroids[2];

		hx_kmeans(&compute, rows, 3, 1, 2, 0, seed, centroids, NULL);
		if (centroids[0] == 0)
			after_zero[(int) centroids[1] == 3 ? 2 : 1]++;
		numeric_free();
	}
	CHECK(abs(after_zero[1] + after_zero[2] - 10000) < 400, "first seed is the first row %d times",
		  after_zero[1] + after_zero[2]);
	CHECK(abs(after_zero[1] - 1000) < 150, "second row %d, third row %d times", after_zero[1],
		  after_zero[2]);
}

static void
as_many_as_rows(void)
{
	enum
	{
		COUNT = 40,
		D = 5
	};
	float	   *rows = random_floats(COUNT * D);
	float		centroids[COUNT * D];
	uint32_t	assignment[COUNT];
	HxCompute	compute = numeric_compute();

	hx_kmeans(&compute, rows, COUNT, D, COUNT, 5, 1, centroids, assignment);
	CHECK(objective(rows, COUNT, D, centroids, COUNT, assignment) == 0,
		  "not every row is a centroid");
	numeric_free();
	free(rows);
}

/* Fewer different rows than centroids: the different ones are all found. */
static void
duplicates(void)
{
	enum
	{
		COUNT = 300,
		D = 4,
		K = 20
	};
	float	   *rows = unit_alloc(COUNT * D * sizeof(float));
	float		centroids[K * D];
	uint32_t	assignment[COUNT];

	for (size_t kinds = 1; kinds <= K; kinds += 6)
	{
		HxCompute	compute = numeric_compute();

		for (size_t i = 0; i < COUNT; i++)
			for (size_t j = 0; j < D; j++)
				rows[i * D + j] = 0.1f * (float) (i % kinds * (j + 1));
		hx_kmeans(&compute, rows, COUNT, D, K, 10, 1, centroids, assignment);
		CHECK(objective(rows, COUNT, D, centroids, K, assignment) == 0, "%zu kinds", kinds);
		for (size_t j = 0; j < K; j++)
			CHECK(count_rows_equal(rows, COUNT, D, centroids + j * D) > 0,
				  "%zu kinds: centroid %zu", kinds, j);
		numeric_free();
	}
	free(rows);
}

/*
 * Data far from zero, and rows that lie so that centroids lose theirs: no cluster
 * stays empty while a row is away from its centroid.
 */
static void
no_empty_clusters(void)
{
	enum
	{
		COUNT = 200,
		K = 25
	};
	float		rows[COUNT];
	float		centroids[K];
	uint32_t	assignment[COUNT];

	for (uint64_t seed = 0; seed < 200; seed++)
	{
		HxCompute	compute = numeric_compute();
		int			members[K] = {0};

		for (size_t i = 0; i < COUNT; i++)
			rows[i] = 1000 + (float) ldexp(unit_uniform(), -(int) unit_below(12));
		hx_kmeans(&compute, rows, COUNT, 1, K, 100, seed, centroids, assignment);
		for (size_t i = 0; i < COUNT; i++)
			members[assignment[i]]++;
		for (int j = 0; j < K; j++)
			CHECK(members[j] > 0, "seed %d: cluster %d is empty", (int) seed, j);
		numeric_free();
	}
}

/* A row that stands exactly between centroids goes to the first. */
static void
ties(void)
{
	static const float rows[] = {1, 1, -1, -1, 0, 0};
	int			seen = 0;

	for (uint64_t seed = 0; seed < 50; seed++)
	{
		float		centroids[4];
		uint32_t	assignment[3];
		HxCompute	compute = numeric_compute();

		hx_kmeans(&compute, rows, 3, 2, 2, 0, seed, centroids, assignment);
		if (centroids[0] != 0 && centroids[2] != 0)
		{
			seen++;
			CHECK(assignment[2] == 0, "seed %d: %u", (int) seed, assignment[2]);
		}
		numeric_free();
	}
	CHECK(seen > 0, "no row stood between centroids");
}

enum
{
	BIG_COUNT = 5000,
	BIG_D = 40,
	BIG_K = 60
};

static void
run_kmeans(HxCompute *compute, const void *input, double *output)
{
	float	   *centroids = unit_alloc(BIG_K * BIG_D * sizeof(float));
	uint32_t   *assignment = unit_alloc(BIG_COUNT * sizeof(uint32_t));

	hx_kmeans(compute, input, BIG_COUNT, BIG_D, BIG_K, 6, 11, centroids, assignment);
	for (size_t i = 0; i < BIG_K * BIG_D; i++)
		*output++ = centroids[i];
	for (size_t i = 0; i < BIG_COUNT; i++)
		*output++ = assignment[i];
	free(centroids);
	free(assignment);
}

static void
same_everywhere(void)
{
	float	   *rows;

	numeric_seed();
	rows = random_heaps(BIG_COUNT, BIG_D, BIG_K, 1);
	check_same_bits(run_kmeans, rows, BIG_K * BIG_D + BIG_COUNT, "clusters",
					UINT64_C(0xd220a19344c39b45));
	free(rows);
}

int
main(void)
{
	hx_kernel_init();
	RUN(monotone);
	RUN(finds_clusters);
	RUN(seeds_are_rows);
	RUN(seeding_is_weighted);
	RUN(as_many_as_rows);
	RUN(duplicates);
	RUN(no_empty_clusters);
	RUN(ties);
	RUN(same_everywhere);
	return unit_summary();
}
