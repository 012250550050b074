/*
 * test_simhash.c
 *	  SimHash: frozen codes, and that bits agree as often as the angle says.
 */
#include "unit.h"

#include <math.h>

#include "hash/hyperplane.h"
#include "math/rotation.h"

#define MAX_DIMS 1024
#define MAX_BITS 2048

static float scratch[MAX_DIMS];

static void
random_vector(float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float) unit_normal();
}

static unsigned
bit_at(const uint8_t *code, unsigned j)
{
	return code[j / 8] >> (7 - j % 8) & 1;
}

static unsigned
distance(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	return (unsigned) hx_kernels->hamming(a, b, (bits + 7) / 8);
}

/* Bit j is the sign of coordinate j mod size of block j / size; the rest is padding. */
static void
against_definition(void)
{
	static const size_t dims[] = {1, 2, 3, 16, 100, 768};
	static const unsigned bits[] = {1, 7, 8, 9, 64, 100, 1000, 2047};

	for (size_t k = 0; k < sizeof(dims) / sizeof(dims[0]); k++)
	{
		for (size_t m = 0; m < sizeof(bits) / sizeof(bits[0]); m++)
		{
			size_t		size = hx_rotation_size(dims[k]);
			float		x[MAX_DIMS];
			float		rotated[MAX_DIMS];
			uint8_t		code[MAX_BITS / 8 + 1];
			unsigned	wrong = 0;

			memset(code, 0xa5, sizeof(code));
			random_vector(x, dims[k]);
			CHECK(hx_simhash_scratch(dims[k]) <= MAX_DIMS, "scratch");
			hx_simhash(x, dims[k], bits[m], k, scratch, code);
			for (unsigned j = 0; j < bits[m]; j++)
			{
				if (j % size == 0)
					hx_rotation_apply(k, j / size, x, dims[k], rotated);
				wrong += bit_at(code, j) != (rotated[j % size] > 0);
			}
			for (unsigned j = bits[m]; j < (bits[m] + 7) / 8 * 8; j++)
				wrong += bit_at(code, j);
			CHECK(wrong == 0 && code[(bits[m] + 7) / 8] == 0xa5,
				  "%zu dims, %u bits", dims[k], bits[m]);
		}
	}
}

/* Codes that must never change; computed apart from the C code. */
static void
golden(void)
{
	static const uint8_t short_code[] = {0xfc, 0x85, 0x70};
	static const uint8_t long_code[] = {
		0x29, 0xf8, 0x5d, 0x9b, 0xa2, 0x08, 0x10, 0x02,
		0xcf, 0x38, 0xdf, 0xd9, 0x8e, 0xe5, 0x4b, 0x39
	};
	const float three[] = {1, -2, 0.5f};
	float		ramp[100];
	uint8_t		code[16];

	hx_simhash(three, 3, 20, 0, scratch, code);
	CHECK(memcmp(code, short_code, sizeof(short_code)) == 0,
		  "%02x %02x %02x", code[0], code[1], code[2]);
	for (int i = 0; i < 100; i++)
		ramp[i] = (float) (i * i % 101) - 50;
	hx_simhash(ramp, 100, 128, UINT64_C(0xfedcba9876543210), scratch, code);
	CHECK(memcmp(code, long_code, sizeof(long_code)) == 0,
		  "%02x %02x %02x %02x ...", code[0], code[1], code[2], code[3]);
}

/* b at a given angle from a, both unit vectors. */
static void
pair_at_angle(float *a, float *b, size_t n, double angle)
{
	double		aa = 0;
	double		ab = 0;
	double		bb = 0;

	random_vector(a, n);
	random_vector(b, n);
	for (size_t i = 0; i < n; i++)
	{
		aa += (double) a[i] * a[i];
		ab += (double) a[i] * b[i];
	}
	for (size_t i = 0; i < n; i++)
	{
		b[i] = (float) (b[i] - ab / aa * a[i]);
		bb += (double) b[i] * b[i];
	}
	for (size_t i = 0; i < n; i++)
	{
		double		x = a[i] / sqrt(aa);

		b[i] = (float) (cos(angle) * x + sin(angle) * b[i] / sqrt(bb));
		a[i] = (float) x;
	}
}

/* P(bits differ) = angle / pi, over many pairs and seeds. */
static void
angles(void)
{
	static const size_t dims[] = {24, 128, 300, 768};
	static const double degrees[] = {5, 20, 45, 60, 90, 135, 175};

	for (size_t k = 0; k < sizeof(dims) / sizeof(dims[0]); k++)
	{
		for (size_t d = 0; d < sizeof(degrees) / sizeof(degrees[0]); d++)
		{
			enum
			{
				PAIRS = 300,
				BITS = 256
			};
			double		p = degrees[d] / 180;
			double		sum = 0;
			double		squares = 0;
			double		mean;
			double		deviation;

			for (uint64_t pair = 0; pair < PAIRS; pair++)
			{
				float		a[MAX_DIMS];
				float		b[MAX_DIMS];
				uint8_t		code_a[BITS / 8];
				uint8_t		code_b[BITS / 8];
				double		differ;

				pair_at_angle(a, b, dims[k], degrees[d] / 180 * acos(-1));
				hx_simhash(a, dims[k], BITS, pair, scratch, code_a);
				hx_simhash(b, dims[k], BITS, pair, scratch, code_b);
				differ = distance(code_a, code_b, BITS) / (double) BITS;
				sum += differ;
				squares += differ * differ;
			}
			mean = sum / PAIRS;
			deviation = sqrt(squares / PAIRS - mean * mean);

			/* Five standard deviations of the mean of independent bits. */
			CHECK(fabs(mean - p) < 5 * sqrt(p * (1 - p) / PAIRS / BITS),
				  "%zu dims, %g degrees: %g instead of %g", dims[k], degrees[d], mean, p);
			/* A code is at least about as exact as one of independent directions. */
			CHECK(deviation < 1.25 * sqrt(p * (1 - p) / BITS),
				  "%zu dims, %g degrees: deviation %g", dims[k], degrees[d], deviation);
		}
	}
}

/* The directions of one block, read off the axes, are orthogonal and of one length. */
static void
orthogonal_directions(void)
{
	enum
	{
		N = 64
	};
	float		direction[N][N];

	for (size_t axis = 0; axis < N; axis++)
	{
		float		x[N] = {0};
		float		out[N];

		x[axis] = 1;
		hx_rotation_apply(77, 1, x, N, out);
		for (size_t j = 0; j < N; j++)
			direction[j][axis] = out[j];
	}
	for (size_t i = 0; i < N; i++)
	{
		for (size_t j = 0; j <= i; j++)
		{
			double		product = 0;

			for (size_t axis = 0; axis < N; axis++)
				product += (double) direction[i][axis] * direction[j][axis];
			/* An axis is scaled to 1/2 and lengthened by 64^1.5. */
			CHECK(product == (i == j ? 256.0 * 256.0 : 0), "%zu and %zu: %g", i, j, product);
		}
	}
}

static void
scaling(void)
{
	float		x[200];
	float		y[200];
	uint8_t		code_x[64];
	uint8_t		code_y[64];
	unsigned	differ = 0;

	for (int round = 0; round < 50; round++)
	{
		random_vector(x, 200);
		hx_simhash(x, 200, 512, 3, scratch, code_x);
		for (int exponent = -60; exponent <= 60; exponent += 20)
		{
			for (size_t i = 0; i < 200; i++)
				y[i] = ldexpf(x[i], exponent);
			hx_simhash(y, 200, 512, 3, scratch, code_y);
			CHECK(memcmp(code_x, code_y, 64) == 0, "2^%d", exponent);
		}
		for (size_t i = 0; i < 200; i++)
			y[i] = x[i] * 1.7f;
		hx_simhash(y, 200, 512, 3, scratch, code_y);
		differ += distance(code_x, code_y, 512);
	}
	CHECK(differ <= 3, "%u bits of 25,600 changed by a factor of 1.7", differ);
}

/* The opposite vector has the opposite bits, where no projection is zero. */
static void
opposite(void)
{
	float		x[500];
	float		y[500];
	uint8_t		code_x[64];
	uint8_t		code_y[64];

	random_vector(x, 500);
	for (size_t i = 0; i < 500; i++)
		y[i] = -x[i];
	hx_simhash(x, 500, 512, 8, scratch, code_x);
	hx_simhash(y, 500, 512, 8, scratch, code_y);
	CHECK(distance(code_x, code_y, 512) == 512, "%u", distance(code_x, code_y, 512));
}

static void
zero_vector(void)
{
	float		x[10] = {0};
	uint8_t		code[8];

	memset(code, 0xff, sizeof(code));
	hx_simhash(x, 10, 64, 1, scratch, code);
	CHECK(hx_kernels->popcount(code, 8) == 0, "not zero");
}

/* Seeds 0, 1, 2, ... give codes that have nothing in common. */
static void
seeds(void)
{
	float		x[64];
	uint8_t		code[20][64];

	random_vector(x, 64);
	for (uint64_t seed = 0; seed < 20; seed++)
		hx_simhash(x, 64, 512, seed, scratch, code[seed]);
	for (int i = 0; i < 20; i++)
	{
		for (int j = 0; j < i; j++)
			CHECK(abs((int) distance(code[i], code[j], 512) - 256) < 80, "seeds %d and %d: %u",
				  i, j, distance(code[i], code[j], 512));
	}
}

static void
same_at(const HxKernels *kernels)
{
	for (int round = 0; round < 200; round++)
	{
		size_t		n = 1 + unit_below(MAX_DIMS);
		float		x[MAX_DIMS];
		uint8_t		expected[128];
		uint8_t		code[128];

		/* Whole numbers: many projections are exactly zero, or nearly. */
		for (size_t i = 0; i < n; i++)
			x[i] = round % 2 == 0 ? (float) unit_below(5) - 2 : (float) unit_normal();
		hx_kernel_use(HX_SIMD_GENERIC);
		hx_simhash(x, n, 1024, 4, scratch, expected);
		hx_kernel_use(kernels->level);
		hx_simhash(x, n, 1024, 4, scratch, code);
		CHECK(memcmp(code, expected, 128) == 0,
			  "%s, %zu dims", hx_kernel_level_name(kernels->level), n);
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
	RUN(against_definition);
	RUN(golden);
	RUN(angles);
	RUN(orthogonal_directions);
	RUN(scaling);
	RUN(opposite);
	RUN(zero_vector);
	RUN(seeds);
	RUN(same_at_every_level);
	return unit_summary();
}
