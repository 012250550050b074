/*
 * test_rotation.c
 *	  The fast rotation: that it rotates, scaling, and the same floats at every
 *	  SIMD level.
 */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "math/random.h"
#include "math/rotation.h"

#define MAX_SIZE 4096

static double
norm(const float *x, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * (double) x[i];
	return sqrt(sum);
}

static double
inner(const float *a, const float *b, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) a[i] * (double) b[i];
	return sum;
}

static void
random_vector(float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float) unit_normal();
}

static void
sizes(void)
{
	CHECK(hx_rotation_size(1) == 1 && hx_rotation_size(2) == 2 && hx_rotation_size(3) == 4,
		  "small");
	CHECK(hx_rotation_size(768) == 1024 && hx_rotation_size(1024) == 1024 &&
		  hx_rotation_size(1025) == 2048 && hx_rotation_size(16000) == 16384, "large");
}

/* The power of two that brings the largest number into [0.5, 1), the plain way. */
static double
naive_scale(const float *x, size_t n)
{
	float		largest = 0;
	int			exponent;

	for (size_t i = 0; i < n; i++)
		largest = fmaxf(largest, fabsf(x[i]));
	frexpf(largest, &exponent);
	return ldexp(1, -exponent);
}

/* The definition in double, from the matrix: rounds of signs and Hadamard. */
static void
naive_rotation(uint64_t seed, uint64_t block, const float *x, size_t dims, double *out)
{
	size_t		size = hx_rotation_size(dims);
	double		scale = naive_scale(x, dims);
	double	   *in = unit_alloc(size * sizeof(double));

	for (size_t i = 0; i < size; i++)
		out[i] = i < dims ? x[i] * scale : 0;
	for (uint64_t round = 0; round < 3; round++)
	{
		for (size_t j = 0; j < size; j++)
			in[j] = hx_random(seed, block * 3 + round, j / 64) >> (j % 64) & 1 ? -out[j] : out[j];
		for (size_t i = 0; i < size; i++)
		{
			out[i] = 0;
			for (size_t j = 0; j < size; j++)
				out[i] += __builtin_popcountll(i & j) & 1 ? -in[j] : in[j];
		}
	}
	free(in);
}

static void
against_definition(void)
{
	static const size_t dims[] = {1, 2, 3, 7, 16, 31, 64, 100, 200};

	for (size_t k = 0; k < sizeof(dims) / sizeof(dims[0]); k++)
	{
		for (uint64_t block = 0; block < 3; block++)
		{
			size_t		size = hx_rotation_size(dims[k]);
			float		x[256];
			float		out[256];
			double		expected[256];
			double		worst = 0;

			random_vector(x, dims[k]);
			hx_rotation_apply(5 + k, block, x, dims[k], out);
			naive_rotation(5 + k, block, x, dims[k], expected);
			for (size_t i = 0; i < size; i++)
				worst = fmax(worst, fabs(expected[i] - out[i]));
			CHECK(worst <= 1e-6 * norm(out, size), "%zu dims: off by %g", dims[k], worst);
		}
	}
}

/* Three unnormalised transforms lengthen by size^1.5 and keep angles. */
static void
norms_and_angles(void)
{
	static const size_t dims[] = {1, 3, 17, 128, 768, 1000, 1024, 3000};
	static float a[MAX_SIZE];
	static float b[MAX_SIZE];
	static float ra[MAX_SIZE];
	static float rb[MAX_SIZE];

	for (size_t k = 0; k < sizeof(dims) / sizeof(dims[0]); k++)
	{
		size_t		n = dims[k];
		size_t		size = hx_rotation_size(n);
		double		factor = pow((double) size, 1.5);

		for (uint64_t block = 0; block < 4; block++)
		{
			random_vector(a, n);
			random_vector(b, n);
			hx_rotation_apply(k, block, a, n, ra);
			hx_rotation_apply(k, block, b, n, rb);
			CHECK(fabs(norm(ra, size) / (norm(a, n) * naive_scale(a, n) * factor) - 1) < 1e-5,
				  "%zu dims: norm", n);
			CHECK(fabs(inner(ra, rb, size) / norm(ra, size) / norm(rb, size) -
					   inner(a, b, n) / norm(a, n) / norm(b, n)) < 1e-5, "%zu dims: angle", n);
		}
	}
}

/* One axis alone must be spread over all coordinates: none far above the rest. */
static void
spreads(void)
{
	float		x[512] = {0};
	float		out[512];

	for (size_t axis = 0; axis < 512; axis += 37)
	{
		float		largest = 0;

		memset(x, 0, sizeof(x));
		x[axis] = 1;
		hx_rotation_apply(9, 0, x, 512, out);
		for (size_t i = 0; i < 512; i++)
			largest = fmaxf(largest, fabsf(out[i]));
		/* The root mean square is norm / sqrt(512); six times that is beyond chance. */
		CHECK(largest < 6 * norm(out, 512) / sqrt(512), "axis %zu: %g", axis, (double) largest);
	}
}

static void
powers_of_two(void)
{
	float		x[100];
	float		y[100];
	float		rx[128];
	float		ry[128];

	random_vector(x, 100);
	hx_rotation_apply(1, 2, x, 100, rx);
	for (int exponent = -100; exponent <= 120; exponent += 10)
	{
		for (size_t i = 0; i < 100; i++)
			y[i] = ldexpf(x[i], exponent);
		hx_rotation_apply(1, 2, y, 100, ry);
		CHECK(memcmp(rx, ry, sizeof(rx)) == 0, "2^%d", exponent);
	}
}

/* Nothing overflows, and the smallest numbers are not lost. */
static void
extremes(void)
{
	const float values[] = {FLT_MAX, FLT_MIN, FLT_TRUE_MIN, 0x1.8p-140f, 1};
	static float x[MAX_SIZE];
	static float ones[MAX_SIZE];
	static float out[MAX_SIZE];
	static float expected[MAX_SIZE];

	for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++)
	{
		bool		finite = true;
		float		mantissa = frexpf(values[k], &(int) {0});

		for (size_t i = 0; i < MAX_SIZE; i++)
		{
			x[i] = i % 3 == 0 ? -values[k] : values[k];
			ones[i] = i % 3 == 0 ? -mantissa : mantissa;
		}
		hx_rotation_apply(3, 0, x, MAX_SIZE, out);
		hx_rotation_apply(3, 0, ones, MAX_SIZE, expected);
		for (size_t i = 0; i < MAX_SIZE; i++)
			finite = finite && isfinite(out[i]);
		CHECK(finite, "%a", (double) values[k]);
		CHECK(memcmp(out, expected, sizeof(out)) == 0, "%a", (double) values[k]);
	}
}

static void
zero_vector(void)
{
	float		x[33] = {0};
	float		out[64];
	bool		zeros = true;

	x[5] = -0.0f;
	memset(out, 0xff, sizeof(out));
	hx_rotation_apply(1, 1, x, 33, out);
	for (size_t i = 0; i < 64; i++)
		zeros = zeros && out[i] == 0;
	CHECK(zeros, "not all zero");
}

/* Another seed and another block are other rotations. */
static void
seeds_and_blocks(void)
{
	float		x[256];
	float		out[4][256];

	random_vector(x, 256);
	hx_rotation_apply(0, 0, x, 256, out[0]);
	hx_rotation_apply(1, 0, x, 256, out[1]);
	hx_rotation_apply(0, 1, x, 256, out[2]);
	hx_rotation_apply(1, 1, x, 256, out[3]);
	for (int i = 0; i < 4; i++)
	{
		for (int j = 0; j < i; j++)
		{
			double		cosine = inner(out[i], out[j], 256) / norm(out[i], 256) / norm(out[j], 256);

			/* Of independent directions: 0 with a standard deviation of 1/16. */
			CHECK(fabs(cosine) < 0.3, "%d and %d: %g", i, j, cosine);
		}
	}
}

static float reference[2048];

static void
same_at(const HxKernels *kernels)
{
	static const size_t dims[] = {1, 2, 5, 8, 15, 33, 768, 1536};
	float		x[1536];
	float		out[2048];

	for (size_t k = 0; k < sizeof(dims) / sizeof(dims[0]); k++)
	{
		random_vector(x, dims[k]);
		hx_kernel_use(HX_SIMD_GENERIC);
		hx_rotation_apply(k, k, x, dims[k], reference);
		hx_kernel_use(kernels->level);
		hx_rotation_apply(k, k, x, dims[k], out);
		CHECK(memcmp(out, reference, hx_rotation_size(dims[k]) * sizeof(float)) == 0,
			  "%s, %zu dims", hx_kernel_level_name(kernels->level), dims[k]);
	}
	hx_kernel_init();
}

static void
same_at_every_level(void)
{
	unit_each_level(same_at);
}

int
main(void)
{
	hx_kernel_init();
	RUN(sizes);
	RUN(against_definition);
	RUN(norms_and_angles);
	RUN(spreads);
	RUN(powers_of_two);
	RUN(extremes);
	RUN(zero_vector);
	RUN(seeds_and_blocks);
	RUN(same_at_every_level);
	return unit_summary();
}
