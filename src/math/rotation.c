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
#include "math/random.h"

#define ROUNDS 3

size_t
hx_rotation_size(size_t dims)
{
	size_t		size = 1;

	while (size < dims)
		size *= 2;
	return size;
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

/* Multiplies by a power of two, which rounds once at most, in floats as in doubles. */
static void
scale_floats(const float *x, size_t n, double scale, float *out)
{
	if (scale <= 0x1p127)
	{
		hx_kernels->multiply(x, (float) scale, n, out);
		return;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (float) (x[i] * scale);
}

void
hx_rotation_apply(uint64_t seed, uint64_t block, const float *x, size_t dims, float *out)
{
	const size_t size = hx_rotation_size(dims);
	const float largest = hx_kernels->largest(x, dims);
	uint64_t	signs[HX_ROTATION_MAX_DIMS / 64];

	if (largest == 0)
	{
		memset(out, 0, size * sizeof(float));
		return;
	}

	scale_floats(x, dims, scale_of(largest), out);
	memset(out + dims, 0, (size - dims) * sizeof(float));

	for (uint64_t round = 0; round < ROUNDS; round++)
	{
		hx_random_fill(seed, block * ROUNDS + round, signs, (size + 63) / 64);
		hx_kernels->hadamard(out, size, signs);
	}
}
