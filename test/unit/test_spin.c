/*
 * test_spin.c
 *	  The orthonormal rotation: lengths and angles stay, floats are frozen and the same
 *	  at every SIMD level, coordinates of anything become bell-shaped.
 */
#include "unit.h"

#include <math.h>

#include "math/spin.h"

#define MAX_DIMS 4096

static float *
spun(uint64_t seed, const float *x, size_t dims)
{
	float	   *out = unit_alloc(hx_spin_dims(dims) * sizeof(float));

	hx_spin_apply(seed, x, dims, out);
	return out;
}

static double
dot_of(const float *a, const float *b, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) a[i] * (double) b[i];
	return sum;
}

static void
sizes(void)
{
	CHECK(hx_spin_dims(1) == 8, "1");
	CHECK(hx_spin_dims(8) == 8, "8");
	CHECK(hx_spin_dims(9) == 16, "9");
	CHECK(hx_spin_dims(100) == 104, "100");
	CHECK(hx_spin_dims(768) == 768, "768");
	CHECK(hx_spin_dims(1001) == 1008, "1001");
}

/* Inner products and lengths are those of the vectors themselves. */
static void
check_kept(size_t dims)
{
	float		a[MAX_DIMS];
	float		b[MAX_DIMS];
	const size_t n = hx_spin_dims(dims);
	double		scale;

	for (size_t i = 0; i < dims; i++)
	{
		a[i] = (float) unit_normal();
		b[i] = (float) (unit_normal() + 0.5 * (double) a[i]);
	}

	float	   *spun_a = spun(dims, a, dims);
	float	   *spun_b = spun(dims, b, dims);

	scale = sqrt(dot_of(a, a, dims) * dot_of(b, b, dims));
	CHECK(fabs(dot_of(spun_a, spun_b, n) - dot_of(a, b, dims)) <= 2e-6 * scale,
		  "%zu dimensions: %g, not %g", dims, dot_of(spun_a, spun_b, n), dot_of(a, b, dims));
	CHECK(fabs(dot_of(spun_a, spun_a, n) / dot_of(a, a, dims) - 1) <= 2e-6,
		  "%zu dimensions: the length changed", dims);
	free(spun_a);
	free(spun_b);
}

static void
distances_stay(void)
{
	static const size_t dims[] = {301, 511, 512, 513, 768, 784, 1000, 1024, 1536, 3072, 4095, 4096};

	for (size_t d = 1; d <= 300; d++)
		check_kept(d);
	for (size_t i = 0; i < sizeof(dims) / sizeof(dims[0]); i++)
		check_kept(dims[i]);
}

/* The images of the axes are orthonormal: that alone makes it a rotation (or reflection). */
static void
axes_stay_orthonormal(void)
{
	static const size_t dims[] = {8, 24, 40, 64, 104};

	for (size_t d = 0; d < sizeof(dims) / sizeof(dims[0]); d++)
	{
		const size_t n = dims[d];
		float	   *image[104];

		for (size_t i = 0; i < n; i++)
		{
			float		axis[104] = {0};

			axis[i] = 1;
			image[i] = spun(7, axis, n);
		}
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				CHECK(fabs(dot_of(image[i], image[j], n) - (i == j)) < 1e-6,
					  "%zu dimensions, axes %zu and %zu", n, i, j);
		for (size_t i = 0; i < n; i++)
			free(image[i]);
	}
}

/* A vector with one number, which is the hardest, spreads over all coordinates. */
static void
mixes(void)
{
	static const size_t dims[] = {100, 128, 384, 768, 784, 1000, 1030, 1536};

	for (size_t d = 0; d < sizeof(dims) / sizeof(dims[0]); d++)
	{
		const size_t n = hx_spin_dims(dims[d]);
		double		fourth = 0;
		double		largest = 0;
		const int	axes = 40;

		for (int k = 0; k < axes; k++)
		{
			float		x[1600] = {0};
			float	   *y;

			x[unit_below((unsigned) dims[d])] = 1;
			y = spun((uint64_t) k, x, dims[d]);
			for (size_t i = 0; i < n; i++)
			{
				const double square = (double) y[i] * (double) y[i] * (double) n;

				fourth += square * square / (double) n / axes;
				largest = square > largest ? square : largest;
			}
			free(y);
		}
		/* It is 3 of a normal distribution, and n of an axis. */
		CHECK(fourth > 2.4 && fourth < 4, "%zu dimensions: %g", dims[d], fourth);
		CHECK(largest < 49, "%zu dimensions: %g", dims[d], largest);
	}
}

static uint64_t
hash_of(const void *memory, size_t bytes)
{
	const uint8_t *p = memory;
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

typedef struct Golden
{
	size_t		dims;
	uint64_t	hash;
} Golden;

static const Golden golden[] = {
	{1, UINT64_C(0x5cf28d4f2cc56a10)},
	{7, UINT64_C(0xda86824b64463e32)},
	{8, UINT64_C(0x8e183555fdaee8e9)},
	{100, UINT64_C(0xc072cd6155fc9c37)},
	{300, UINT64_C(0xc98659eb3e8bca32)},
	{768, UINT64_C(0x9931ab1cdd0ccade)},
	{1000, UINT64_C(0xd5a26aa9f25ca39a)},
	{4096, UINT64_C(0xb8a4047f7b784390)},
};

static void
frozen_at(const HxKernels *kernels)
{
	hx_kernel_use(kernels->level);
	for (size_t g = 0; g < sizeof(golden) / sizeof(golden[0]); g++)
	{
		const size_t dims = golden[g].dims;
		float		x[MAX_DIMS];
		float	   *y;
		uint64_t	hash;

		for (size_t i = 0; i < dims; i++)
			x[i] = (float) ((int) (i * 37 % 101) - 50) / 16;
		y = spun(42 + dims, x, dims);
		hash = hash_of(y, hx_spin_dims(dims) * sizeof(float));
		CHECK(hash == golden[g].hash, "%s, %zu dimensions: 0x%016llx",
			  hx_kernel_level_name(kernels->level), dims, (unsigned long long) hash);
		free(y);
	}
	hx_kernel_use(HX_SIMD_AUTO);
}

/* Codes on disk depend on these floats. */
static void
frozen(void)
{
	unit_each_level(frozen_at);
}

static void
seeds_differ(void)
{
	float		x[64];
	float	   *a;
	float	   *b;

	for (int i = 0; i < 64; i++)
		x[i] = (float) unit_normal();
	a = spun(1, x, 64);
	b = spun(2, x, 64);
	CHECK(fabs(dot_of(a, b, 64)) < 0.7 * dot_of(x, x, 64), "two seeds agree");
	free(a);
	free(b);
}

int
main(void)
{
	hx_kernel_init();
	RUN(sizes);
	RUN(distances_stay);
	RUN(axes_stay_orthonormal);
	RUN(mixes);
	RUN(frozen);
	RUN(seeds_differ);
	return unit_summary();
}
