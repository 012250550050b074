/*
 * spin.c
 *	  The orthonormal fast rotation: signs, Walsh-Hadamard transforms and Kac steps.
 *
 * Frozen: one product, sum or difference at a time, in the order written here, and the
 * kernel's transform, whose floats are the same at every level. See README.
 */
#include "math/spin.h"

#include <stdbool.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/random.h"

#define ROUNDS 4

/* Four floats, and their bits. All lengths here are multiples of four. */
typedef float Quad __attribute__((vector_size(16)));
typedef uint32_t QuadBits __attribute__((vector_size(16)));

HX_INLINE Quad
load_quad(const float *p)
{
	Quad		x;

	memcpy(&x, p, sizeof(x));
	return x;
}

HX_INLINE void
store_quad(float *p, Quad x)
{
	memcpy(p, &x, sizeof(x));
}

size_t
hx_spin_dims(size_t dims)
{
	return (dims + 7) / 8 * 8;
}

/* What the transform covers: the largest power of two within `dims`. */
static size_t
span_of(size_t dims)
{
	size_t		span = 8;

	while (span * 2 <= dims)
		span *= 2;
	return span;
}

/* 1 / sqrt(span), the float nearest to it: 2^-(k/2), for odd k times 1 / sqrt(2). */
static float
norm_of(size_t span)
{
	float		norm = 1;

	for (; span >= 4; span /= 4)
		norm /= 2;
	return span == 2 ? norm * 0x1.6a09e6p-1f : norm;
}

/* Multiplies 32 numbers (or the n < 32 there are) by the factor and signs, highest bit first. */
static void
scale_with_word(uint32_t signs, float *x, size_t n, float factor)
{
	/* Each lane has its bit on top, and after a shift that of four numbers later. */
	QuadBits	these = {signs, signs << 1, signs << 2, signs << 3};

	for (size_t j = 0; j < n && j < 32; j += 4, these <<= 4)
	{
		const QuadBits product = (QuadBits) (load_quad(x + j) * factor);

		store_quad(x + j, (Quad) (product ^ (these & UINT32_C(0x80000000))));
	}
}

/*
 * Multiplies by the factor and by the signs that the round's stream says: bit 63 - j mod 64
 * of number j / 64 is for x[j].
 */
static void
scale_with_signs(uint64_t seed, uint64_t round, float *x, size_t n, float factor)
{
	for (size_t j = 0; j < n; j += 64)
	{
		const uint64_t signs = hx_random(seed, round, j / 64);

		scale_with_word((uint32_t) (signs >> 32), x + j, n - j, factor);
		if (n - j > 32)
			scale_with_word((uint32_t) signs, x + j + 32, n - j - 32, factor);
	}
}

static void
multiply(float *x, size_t n, float factor)
{
	for (size_t j = 0; j < n; j += 4)
		store_quad(x + j, load_quad(x + j) * factor);
}

/* (a, b) becomes (a + b, a - b) / sqrt(2) for the two halves; the root is left to the end. */
static void
mix_halves(float *x, size_t n)
{
	const size_t half = n / 2;

	for (size_t j = 0; j < half; j += 4)
	{
		Quad		a = load_quad(x + j);
		Quad		b = load_quad(x + j + half);

		store_quad(x + j, a + b);
		store_quad(x + j + half, a - b);
	}
}

void
hx_spin_apply(uint64_t seed, const float *x, size_t dims, float *out)
{
	const size_t n = hx_spin_dims(dims);
	const size_t span = span_of(n);
	const float norm = norm_of(span);

	memcpy(out, x, dims * sizeof(float));
	memset(out + dims, 0, (n - dims) * sizeof(float));

	for (uint64_t round = 0; round < ROUNDS; round++)
	{
		const bool	second = round % 2 != 0;
		float	   *part = second ? out + (n - span) : out;

		/* Scaled before the transform, so that nothing grows beyond the vector's length. */
		scale_with_signs(seed, round, part, span, norm);
		hx_kernels->hadamard(part, span, NULL);
		if (second && span < n)
			mix_halves(out, n);
	}
	/* sqrt(2) for each of the two times. */
	if (span < n)
		multiply(out, n, 0.5f);
}
