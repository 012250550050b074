/*
 * test_matrix.c
 *	  Scratch, means, covariances, products and projections, against plain loops.
 */
#include "numeric.h"

#include "math/product.h"

static void
scratch(void)
{
	HxCompute	compute = numeric_compute();
	HxScratchMark bottom = hx_scratch_mark(&compute);
	char	   *blocks[200];
	size_t		sizes[200];
	size_t		allocated;

	for (int round = 0; round < 3; round++)
	{
		HxScratchMark mark;
		char	   *first;

		for (int i = 0; i < 200; i++)
		{
			sizes[i] = unit_below(i % 10 == 0 ? 900000 : 3000);
			blocks[i] = hx_scratch(&compute, sizes[i], 1);
			CHECK((uintptr_t) blocks[i] % 64 == 0, "block at %p", (void *) blocks[i]);
			memset(blocks[i], i, sizes[i]);
		}
		for (int i = 0; i < 200; i++)
			for (size_t j = 0; j < sizes[i]; j++)
				if (blocks[i][j] != (char) i)
					CHECK(false, "block %d was written over", i);

		/* What is released is given out again. */
		mark = hx_scratch_mark(&compute);
		first = hx_scratch(&compute, 100, 8);
		hx_scratch(&compute, 100, 80000);
		hx_scratch_release(&compute, mark);
		CHECK(hx_scratch(&compute, 100, 8) == first, "round %d", round);
		hx_scratch_release(&compute, bottom);
	}

	allocated = numeric_bytes;
	for (int i = 0; i < 1000; i++)
	{
		HxScratchMark mark = hx_scratch_mark(&compute);

		hx_scratch(&compute, 1000, 1000);
		hx_scratch_release(&compute, mark);
	}
	CHECK(numeric_bytes == allocated, "%zu bytes, then %zu", allocated, numeric_bytes);
	numeric_free();
}

static size_t bytes_taken;
static size_t most_taken;

static void *
take_bytes(void *context, size_t bytes)
{
	(void) context;
	bytes_taken += bytes;
	most_taken = bytes_taken > most_taken ? bytes_taken : most_taken;
	return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void
give_back(void *context, void *memory, size_t bytes)
{
	(void) context;
	bytes_taken -= bytes;
	free(memory);
}

/* With a caller that takes it back, scratch is never much more than what is in use. */
static void
scratch_is_given_back(void)
{
	HxCompute	compute = {.memory.allocate = take_bytes, .release = give_back};
	char	   *kept = memset(hx_scratch(&compute, 1000, 1), 7, 1000);
	HxScratchMark mark = hx_scratch_mark(&compute);

	for (size_t megabytes = 1; megabytes <= 20; megabytes++)
	{
		memset(hx_scratch(&compute, 300000, 1), 1, 300000);
		memset(hx_scratch(&compute, megabytes, 1 << 20), 1, megabytes << 20);
		hx_scratch_release(&compute, mark);
	}
	CHECK(most_taken < (20 + 2) << 20, "%zu bytes at most", most_taken);
	for (size_t i = 0; i < 1000; i++)
		CHECK(kept[i] == 7, "byte %zu of what is in use", i);
	for (struct HxScratchChunk *chunk = compute.scratch.first; chunk != NULL;)
	{
		struct HxScratchChunk *next = *(struct HxScratchChunk **) chunk;

		free(chunk);
		chunk = next;
	}
}

/* Shapes around the sizes of tiles and blocks, and flat and thin ones. */
static const size_t shapes[][3] = {
	{1, 1, 1}, {1, 7, 1}, {8, 8, 8}, {9, 1, 17}, {7, 255, 9}, {8, 256, 16}, {3, 257, 40},
	{40, 600, 5}, {1023, 3, 2}, {1025, 2, 9}, {2, 5, 1030}, {5, 0, 5}, {130, 70, 90},
};

/* The promise is stronger than accuracy: the bits of the three loops. */
static void
products(void)
{
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
	{
		const size_t m = shapes[s][0];
		const size_t k = shapes[s][1];
		const size_t n = shapes[s][2];
		double	   *a = random_doubles(m * k);
		double	   *b = random_doubles(k * n);
		double	   *at = transposed(a, m, k);
		double	   *bt = transposed(b, k, n);
		double	   *expected = numeric_doubles(m * n);
		double	   *c = numeric_doubles(m * n);
		HxCompute	compute = numeric_compute();

		naive_multiply(a, b, m, k, n, expected);
		hx_multiply(&compute, a, b, m, k, n, c);
		CHECK(memcmp(c, expected, m * n * sizeof(double)) == 0, "%zu x %zu x %zu", m, k, n);
		hx_multiply_at(&compute, at, b, m, k, n, c);
		CHECK(memcmp(c, expected, m * n * sizeof(double)) == 0, "%zu x %zu x %zu", m, k, n);
		hx_multiply_bt(&compute, a, bt, m, k, n, c);
		CHECK(memcmp(c, expected, m * n * sizeof(double)) == 0, "%zu x %zu x %zu", m, k, n);

		free(a);
		free(b);
		free(at);
		free(bt);
		free(expected);
		free(c);
		numeric_free();
	}
}

/* A matrix times its own transpose takes another way. */
static void
symmetric_products(void)
{
	static const size_t sizes[] = {1, 7, 8, 9, 100, 1024, 1100};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
	{
		const size_t m = sizes[s];
		const size_t k = m > 1000 ? 5 : 300;
		double	   *a = random_doubles(m * k);
		double	   *at = transposed(a, m, k);
		double	   *expected = numeric_doubles(m * m);
		double	   *c = numeric_doubles(m * m);
		HxCompute	compute = numeric_compute();

		naive_multiply(a, at, m, k, m, expected);
		hx_multiply_bt(&compute, a, a, m, k, m, c);
		CHECK(memcmp(c, expected, m * m * sizeof(double)) == 0, "A A^T of %zu rows", m);
		hx_multiply_at(&compute, at, at, m, k, m, c);
		CHECK(memcmp(c, expected, m * m * sizeof(double)) == 0, "A^T A of %zu columns", m);

		free(a);
		free(at);
		free(expected);
		free(c);
		numeric_free();
	}
}

/* Products added to parts of a matrix, with the sign changed. */
static void
parts(void)
{
	enum
	{
		M = 21,
		K = 33,
		N = 13,
		STRIDE = 40
	};
	double	   *a = random_doubles(M * STRIDE);
	double	   *b = random_doubles(K * STRIDE);
	double	   *c = random_doubles(M * STRIDE);
	double	   *expected = copy_doubles(c, M * STRIDE);
	HxCompute	compute = numeric_compute();
	const HxOperand left = {.doubles = a + 3, .stride = STRIDE, .lines_are_rows = true,
							.negative = true};
	const HxOperand right = {.doubles = b + 5, .stride = STRIDE};

	for (size_t i = 0; i < M; i++)
		for (size_t j = 0; j < N; j++)
			for (size_t k = 0; k < K; k++)
				expected[i * STRIDE + 7 + j] -= a[i * STRIDE + 3 + k] * b[k * STRIDE + 5 + j];
	hx_product(&compute, &left, &right, M, K, N, c + 7, STRIDE);
	CHECK(memcmp(c, expected, M * STRIDE * sizeof(double)) == 0, "part of a matrix");

	free(a);
	free(b);
	free(c);
	free(expected);
	numeric_free();
}

/* Means and covariances by plain loops in long double. */
static void
moments(void)
{
	static const size_t sizes[][2] = {{1, 1}, {1, 5}, {2, 70}, {1000, 3}, {300, 130}, {70000, 2}};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
	{
		const size_t count = sizes[s][0];
		const size_t d = sizes[s][1];
		const size_t e = d / 2 + 1;
		float	   *x = random_floats(count * d);
		float	   *y = random_floats(count * e);
		double	   *mean = numeric_doubles(d);
		double	   *mean_y = numeric_doubles(e);
		double	   *variances = numeric_doubles(d);
		double	   *covariance = numeric_doubles(d * d);
		double	   *plain = numeric_doubles(d * d);
		double	   *cross = numeric_doubles(d * e);
		HxCompute	compute = numeric_compute();

		/* Far from zero, where sums of squares lose digits. */
		for (size_t i = 0; i < count * d; i++)
			x[i] += 100;

		hx_mean(&compute, x, count, d, mean);
		hx_mean(&compute, y, count, e, mean_y);
		hx_variances(&compute, x, count, d, mean, variances);
		hx_covariance(&compute, x, count, d, mean, covariance);
		hx_covariance(&compute, x, count, d, NULL, plain);
		hx_cross_covariance(&compute, x, d, mean, y, e, mean_y, count, cross);
		for (size_t i = 0; i < d; i++)
		{
			long double sum = 0;

			for (size_t r = 0; r < count; r++)
				sum += x[r * d + i];
			CHECK(fabsl(sum / count - mean[i]) < 1e-12L, "mean %zu of %zu x %zu", i, count, d);
			CHECK(fabs(variances[i] - covariance[i * d + i]) < 1e-12, "variance %zu of %zu x %zu", i,
				  count, d);
			for (size_t j = 0; j < d; j++)
			{
				long double centred = 0;
				long double raw = 0;

				for (size_t r = 0; r < count; r++)
				{
					centred += (long double) (x[r * d + i] - mean[i]) * (x[r * d + j] - mean[j]);
					raw += (long double) x[r * d + i] * x[r * d + j];
				}
				CHECK(fabsl(centred / count - covariance[i * d + j]) < 1e-14L, "covariance");
				CHECK(fabsl(raw / count - plain[i * d + j]) < 1e-9L, "without a mean");
				CHECK(covariance[i * d + j] == covariance[j * d + i], "not symmetric");
			}
			for (size_t j = 0; j < e; j++)
			{
				long double centred = 0;

				for (size_t r = 0; r < count; r++)
					centred += (long double) (x[r * d + i] - mean[i]) * (y[r * e + j] - mean_y[j]);
				CHECK(fabsl(centred / count - cross[i * e + j]) < 1e-14L, "cross-covariance");
			}
		}

		free(x);
		free(y);
		free(mean);
		free(mean_y);
		free(variances);
		free(covariance);
		free(plain);
		free(cross);
		numeric_free();
	}
}

static void
projections(void)
{
	enum
	{
		COUNT = 1050,
		D = 30,
		M = 11
	};
	float	   *rows = random_floats(COUNT * D);
	double	   *w = random_doubles(D * M);
	double	   *mean = random_doubles(D);
	double	   *out = numeric_doubles(COUNT * M);
	HxCompute	compute = numeric_compute();

	for (int with_mean = 0; with_mean < 2; with_mean++)
	{
		hx_project(&compute, rows, COUNT, D, with_mean ? mean : NULL, w, M, out);
		for (size_t i = 0; i < COUNT; i++)
			for (size_t j = 0; j < M; j++)
			{
				double		sum = 0;

				for (size_t k = 0; k < D; k++)
					sum += (rows[i * D + k] - (with_mean ? mean[k] : 0)) * w[k * M + j];
				CHECK(sum == out[i * M + j], "row %zu, column %zu", i, j);
			}
	}

	free(rows);
	free(w);
	free(mean);
	free(out);
	numeric_free();
}

/* Large enough that the team takes part. */
enum
{
	BIG_COUNT = 3000,
	BIG_D = 150,
	BIG_M = 70
};

static void
run_all(HxCompute *compute, const void *input, double *output)
{
	const float *rows = input;

	hx_mean(compute, rows, BIG_COUNT, BIG_D, output);
	hx_covariance(compute, rows, BIG_COUNT, BIG_D, output, output + BIG_D);
	hx_project(compute, rows, BIG_COUNT, BIG_D, output, output + BIG_D, BIG_M,
			   output + BIG_D + BIG_D * BIG_D);
}

static void
same_everywhere(void)
{
	float	   *rows;

	numeric_seed();
	rows = random_floats(BIG_COUNT * BIG_D);
	check_same_bits(run_all, rows, BIG_D + BIG_D * BIG_D + BIG_COUNT * BIG_M, "moments",
					UINT64_C(0x7f6624376c07f9ff));
	free(rows);
}

static void
count_check(void *context)
{
	++*(int *) context;
}

/* The caller's check runs, also where the team does not. */
static void
checks_run(void)
{
	float	   *rows = random_floats(BIG_COUNT * BIG_D);
	double	   *covariance = numeric_doubles(BIG_D * BIG_D);
	HxCompute	compute = numeric_compute();
	int			checks = 0;

	compute.check = count_check;
	compute.check_context = &checks;
	hx_covariance(&compute, rows, 1, 1, NULL, covariance);
	CHECK(checks > 0, "none");
	checks = 0;
	hx_covariance(&compute, rows, BIG_COUNT, BIG_D, NULL, covariance);
	CHECK(checks >= 2 * (BIG_COUNT / 256), "%d checks", checks);

	free(rows);
	free(covariance);
	numeric_free();
}

int
main(void)
{
	hx_kernel_init();
	RUN(scratch);
	RUN(scratch_is_given_back);
	RUN(products);
	RUN(symmetric_products);
	RUN(parts);
	RUN(moments);
	RUN(projections);
	RUN(same_everywhere);
	RUN(checks_run);
	return unit_summary();
}
