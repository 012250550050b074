/*
 * test_float.c
 *	  Sums over floats, half floats and the Hadamard transform at every SIMD
 *	  level, bit for bit against plain computations.
 */
#include "unit.h"

#include <math.h>

#define MAX_LENGTH 1100

/* The definition of the frozen sum: 16 lanes, folded in halves. */
static double
fold(double lane[16])
{
	for (int half = 8; half >= 1; half /= 2)
	{
		for (int j = 0; j < half; j++)
		{
			volatile double sum = lane[j] + lane[j + half];

			lane[j] = sum;
		}
	}
	return lane[0];
}

/* volatile: no compiler may fuse or reorder what it keeps apart. */
static double
naive_dot(const float *a, const float *b, size_t n)
{
	double		lane[16] = {0};

	for (size_t i = 0; i < n; i++)
	{
		volatile double product = (double) a[i] * (double) b[i];

		lane[i % 16] += product;
	}
	return fold(lane);
}

static double
naive_l2_squared(const float *a, const float *b, size_t n)
{
	double		lane[16] = {0};

	for (size_t i = 0; i < n; i++)
	{
		volatile double difference = (double) a[i] - (double) b[i];
		volatile double square = difference * difference;

		lane[i % 16] += square;
	}
	return fold(lane);
}

static double
naive_l1(const float *a, const float *b, size_t n)
{
	double		lane[16] = {0};

	for (size_t i = 0; i < n; i++)
	{
		volatile double difference = (double) a[i] - (double) b[i];

		lane[i % 16] += fabs(difference);
	}
	return fold(lane);
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void
check_sums(const HxKernels *kernels, const float *a, const float *b, size_t n)
{
	const char *level = hx_kernel_level_name(kernels->level);
	HxDotNorms	all = kernels->dot_norms(a, b, n);

	CHECK(same_bits(kernels->dot(a, b, n), naive_dot(a, b, n)), "%s, %zu floats", level, n);
	CHECK(same_bits(kernels->l2_squared(a, b, n), naive_l2_squared(a, b, n)),
		  "%s, %zu floats", level, n);
	CHECK(same_bits(kernels->l1(a, b, n), naive_l1(a, b, n)), "%s, %zu floats", level, n);
	CHECK(same_bits(all.dot, naive_dot(a, b, n)), "%s, %zu floats", level, n);
	CHECK(same_bits(all.norm_a, naive_dot(a, a, n)), "%s, %zu floats", level, n);
	CHECK(same_bits(all.norm_b, naive_dot(b, b, n)), "%s, %zu floats", level, n);
}

/* Numbers of several magnitudes, so that sums, and squares of differences, are rounded. */
static float
wild_float(void)
{
	return (float) ldexp(unit_uniform(), (int) unit_below(16) - 8);
}

static void
sums_at(const HxKernels *kernels)
{
	/* One float more than needed: vectors begin at addresses that no vector is aligned to. */
	float	   *a = unit_alloc((MAX_LENGTH + 4) * sizeof(float));
	float	   *b = unit_alloc((MAX_LENGTH + 4) * sizeof(float));

	for (int round = 0; round < 20; round++)
	{
		for (size_t i = 0; i < MAX_LENGTH + 4; i++)
		{
			a[i] = wild_float();
			b[i] = wild_float();
		}
		for (size_t n = 0; n <= 200; n++)
			check_sums(kernels, a + n % 4, b + n / 4 % 4, n);
		check_sums(kernels, a + 1, b, 768);
		check_sums(kernels, a, b + 3, 1024);
		check_sums(kernels, a + 1, b + 2, MAX_LENGTH);
	}
	free(a);
	free(b);
}

static void
sums(void)
{
	unit_each_level(sums_at);
}

/* The largest, the smallest and the cancelling. */
static void
sums_of_extremes_at(const HxKernels *kernels)
{
	static const float extremes[] = {
		0x1.fffffep127f, -0x1.fffffep127f, 0x1p-149f, -0x1p-149f, 0x1p-126f, 0, -0.0f, 1, -1,
		0x1.000002p0f, 0x1p24f, -0x1.fffffep23f,
	};
	enum
	{
		KINDS = sizeof(extremes) / sizeof(extremes[0])
	};
	float		a[96];
	float		b[96];

	for (int round = 0; round < 200; round++)
	{
		for (int i = 0; i < 96; i++)
		{
			a[i] = extremes[unit_below(KINDS)];
			b[i] = extremes[unit_below(KINDS)];
		}
		check_sums(kernels, a, b, 1 + (size_t) unit_below(96));
	}
}

static void
sums_of_extremes(void)
{
	unit_each_level(sums_of_extremes_at);
}

/* Would the tests above notice another order of summation, or a fused multiply-add? */
static void
order_matters(void)
{
	enum
	{
		LENGTH = 512
	};
	unsigned	by_order = 0;
	unsigned	by_fusion = 0;

	for (int round = 0; round < 100; round++)
	{
		float		a[LENGTH];
		float		b[LENGTH];
		double		in_sequence = 0;
		double		lane[16] = {0};

		for (int i = 0; i < LENGTH; i++)
		{
			double		difference;

			a[i] = wild_float();
			b[i] = wild_float();
			in_sequence += (double) a[i] * (double) b[i];
			difference = (double) a[i] - (double) b[i];
			lane[i % 16] = fma(difference, difference, lane[i % 16]);
		}
		by_order += !same_bits(in_sequence, naive_dot(a, b, LENGTH));
		by_fusion += !same_bits(fold(lane), naive_l2_squared(a, b, LENGTH));
	}
	CHECK(by_order > 50, "%u", by_order);
	CHECK(by_fusion > 5, "%u", by_fusion);
}

/* By the definition of the format: sign, 5 bits of exponent, 10 of fraction. */
static double
naive_half(uint16_t half)
{
	int			exponent = half >> 10 & 31;
	int			fraction = half & 1023;
	double		value = exponent == 0 ? ldexp(fraction, -24) :
		ldexp(1024 + fraction, exponent - 25);

	return half & 0x8000 ? -value : value;
}

static void
halves_at(const HxKernels *kernels)
{
	static uint16_t in[65536 + 1];
	static float out[65536 + 1];
	const char *level = hx_kernel_level_name(kernels->level);

	for (unsigned i = 0; i < 65536; i++)
		in[i + 1] = (uint16_t) i;
	kernels->f16_to_f32(in + 1, out + 1, 65536);
	for (unsigned i = 0; i < 65536; i++)
	{
		float		value = out[i + 1];

		if ((i & 0x7c00) == 0x7c00)
			CHECK((i & 0x3ff) == 0 ? isinf(value) && (value < 0) == (i >> 15) : isnan(value),
				  "%s, %04x", level, i);
		else
			CHECK(same_bits(value, naive_half((uint16_t) i)), "%s, %04x", level, i);
	}

	for (size_t n = 0; n <= 70; n++)
	{
		float		few[72];
		bool		same = true;

		for (size_t i = 0; i < 72; i++)
			few[i] = 12345;
		kernels->f16_to_f32(in + 1 + 0x3c00, few + 1, n);
		for (size_t i = 0; i < n; i++)
			same = same && few[1 + i] == naive_half((uint16_t) (0x3c00 + i));
		CHECK(same && few[0] == 12345 && few[n + 1] == 12345, "%s, %zu halves", level, n);
	}
}

static void
halves(void)
{
	unit_each_level(halves_at);
}

/* Entry (i, j) of the Hadamard matrix is -1 to the number of ones in i & j. */
static double
naive_hadamard(const float *x, size_t n, size_t i)
{
	double		sum = 0;

	for (size_t j = 0; j < n; j++)
		sum += __builtin_popcountll(i & j) & 1 ? -x[j] : x[j];
	return sum;
}

/* Whole numbers, whose sums are exact, against the matrix. */
static void
hadamard_matrix_at(const HxKernels *kernels)
{
	for (size_t n = 1; n <= 1024; n *= 2)
	{
		float	   *x = unit_alloc((n + 1) * sizeof(float));
		float	   *y = unit_alloc((n + 1) * sizeof(float));
		bool		same = true;

		for (size_t i = 0; i < n; i++)
			x[i] = y[i + 1] = (float) unit_below(1000) - 500;
		y[0] = 77;
		kernels->hadamard(y + 1, n, NULL);
		for (size_t i = 0; i < n; i++)
			same = same && y[i + 1] == naive_hadamard(x, n, i);
		CHECK(same && y[0] == 77, "%s, %zu floats", hx_kernel_level_name(kernels->level), n);
		free(x);
		free(y);
	}
}

static void
hadamard_matrix(void)
{
	unit_each_level(hadamard_matrix_at);
}

/* Numbers that round, against butterflies one at a time, with signs changed before and without. */
static void
hadamard_rounding_at(const HxKernels *kernels)
{
	uint64_t	signs[4096 / 64];

	for (size_t i = 0; i < 2 * 13; i++)
	{
		const size_t n = (size_t) 1 << i / 2;
		const bool	flip = i % 2 != 0;
		float	   *x = unit_alloc((n + 3) * sizeof(float));
		float	   *y = unit_alloc((n + 3) * sizeof(float));

		for (size_t j = 0; j < 4096 / 64; j++)
			signs[j] = unit_random();
		for (size_t j = 0; j < n; j++)
		{
			y[j + 3] = wild_float();
			x[j] = flip && signs[j / 64] >> j % 64 & 1 ? -y[j + 3] : y[j + 3];
		}
		for (size_t h = 1; h < n; h *= 2)
		{
			for (size_t j = 0; j < n; j++)
			{
				if ((j & h) == 0)
				{
					volatile float sum = x[j] + x[j + h];
					volatile float difference = x[j] - x[j + h];

					x[j] = sum;
					x[j + h] = difference;
				}
			}
		}
		kernels->hadamard(y + 3, n, flip ? signs : NULL);
		CHECK(memcmp(x, y + 3, n * sizeof(float)) == 0, "%s, %zu floats%s",
			  hx_kernel_level_name(kernels->level), n, flip ? " with signs" : "");
		free(x);
		free(y);
	}
}

static void
hadamard_rounding(void)
{
	unit_each_level(hadamard_rounding_at);
}

int
main(void)
{
	RUN(sums);
	RUN(sums_of_extremes);
	RUN(order_matters);
	RUN(halves);
	RUN(hadamard_matrix);
	RUN(hadamard_rounding);
	return unit_summary();
}
