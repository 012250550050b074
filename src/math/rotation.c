/*
 * rotation.c
 *	  The seeded fast rotation HD3 HD2 HD1.
 *
 * Only sums, differences and scaling by powers of two: every CPU and every SIMD
 * level rounds them alike.
 */
#include "math/rotation.h"

#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/random.h"

HX_VECTORISE_LOOPS

#define ROUNDS 3

size_t
hx_rotation_size(size_t dims)
{
	size_t		size = 1;

	while (size < dims)
		size *= 2;
	return size;
}

static uint32_t
float_bits(float x)
{
	uint32_t	bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* The largest absolute value; without a sign, floats are ordered as their bits are. */
static float
largest_magnitude(const float *x, size_t n)
{
	uint32_t	largest = 0;
	float		result;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	magnitude = float_bits(x[i]) & UINT32_C(0x7fffffff);

		largest = magnitude > largest ? magnitude : largest;
	}
	memcpy(&result, &largest, sizeof(result));
	return result;
}

/* The power of two that brings x > 0 into [0.5, 1). As a double, even a subnormal x is normal. */
static double
scale_of(float x)
{
	double		wide = x;
	uint64_t	bits;
	double		scale;

	memcpy(&bits, &wide, sizeof(bits));
	/* x = m * 2^e with m in [0.5, 1) has the exponent field e + 1022; 2^-e has 1023 - e. */
	bits = (2045 - (bits >> 52)) << 52;
	memcpy(&scale, &bits, sizeof(scale));
	return scale;
}

/* Four floats as their bits. */
typedef uint32_t Quad __attribute__((vector_size(16)));

#define SIGN UINT32_C(0x80000000)

/* Changes the sign of x[j] where bit j of `signs` is set; n <= 64, a power of two. */
static void
flip_word(uint64_t signs, float *x, size_t n)
{
	const Quad	bit = {1, 2, 4, 8};

	for (size_t j = 0; j + 4 <= n; j += 4, signs >>= 4)
	{
		const uint32_t low = (uint32_t) signs;
		const Quad	these = {low, low, low, low};
		Quad		bits;

		memcpy(&bits, &x[j], sizeof(bits));
		bits ^= (Quad) ((these & bit) == bit) & SIGN;
		memcpy(&x[j], &bits, sizeof(bits));
	}
	for (size_t j = 0; j < n % 4; j++)
	{
		uint32_t	bits = float_bits(x[j]) ^ (uint32_t) (signs >> j & 1) << 31;

		memcpy(&x[j], &bits, sizeof(bits));
	}
}

/* Changes the signs that one stream says: bit j mod 64 of its number j / 64 is for x[j]. */
static void
flip_signs(uint64_t seed, uint64_t stream, float *x, size_t n)
{
	for (size_t begin = 0; begin < n; begin += 64)
		flip_word(hx_random(seed, stream, begin / 64), x + begin, n < 64 ? n : 64);
}

void
hx_rotation_apply(uint64_t seed, uint64_t block, const float *x, size_t dims, float *out)
{
	const size_t size = hx_rotation_size(dims);
	const float largest = largest_magnitude(x, dims);
	double		scale;

	if (largest == 0)
	{
		memset(out, 0, size * sizeof(float));
		return;
	}

	scale = scale_of(largest);
	for (size_t i = 0; i < dims; i++)
		out[i] = (float) (x[i] * scale);
	memset(out + dims, 0, (size - dims) * sizeof(float));

	for (uint64_t round = 0; round < ROUNDS; round++)
	{
		flip_signs(seed, block * ROUNDS + round, out, size);
		hx_kernels->hadamard(out, size);
	}
}
