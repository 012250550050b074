/*
 * scalar.c
 *	  Scalar quantisation of float vectors: half precision, 8 and 4 bits.
 *
 * Everything here is frozen: see README for the formulas and for why quantising
 * twice gives the same bytes.
 */
#include "quant/scalar.h"

#include <string.h>

#include "kernel/target.h"

/* Some floats, as bits without a sign. */
#define HALF_MAX UINT32_C(0x477fe000)	/* 65504, the largest half */
#define HALF_MIN_NORMAL UINT32_C(0x38800000)	/* 2^-14 */
#define HALF_ZERO_BELOW UINT32_C(0x33000001)	/* just above 2^-25, half the least half */

/* value / 2^shift, rounded to nearest, ties to even. */
static uint32_t
shift_to_even(uint32_t value, unsigned shift)
{
	uint32_t	half = UINT32_C(1) << (shift - 1);
	uint32_t	odd = value >> shift & 1;

	return (value + half - 1 + odd) >> shift;
}

/* The half nearest to a float in range, given as its bits without the sign. */
static uint32_t
half_of(uint32_t magnitude)
{
	unsigned	exponent = magnitude >> 23;

	if (magnitude < HALF_ZERO_BELOW)
		return 0;
	if (magnitude < HALF_MIN_NORMAL)
	{
		/* A multiple of 2^-24. The float is mantissa * 2^(exponent - 150). */
		uint32_t	mantissa = (magnitude & UINT32_C(0x7fffff)) | UINT32_C(0x800000);

		return shift_to_even(mantissa, 126 - exponent);
	}
	/* Exponents are biased by 127 there and by 15 here; a carry goes into them as it should. */
	return shift_to_even(magnitude - (UINT32_C(112) << 23), 13);
}

bool
hx_f16_encode(const float *in, uint16_t *out, size_t n, size_t *bad)
{
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	bits;
		uint32_t	magnitude;
		uint32_t	half;

		memcpy(&bits, &in[i], sizeof(bits));
		magnitude = bits & UINT32_C(0x7fffffff);
		if (magnitude > HALF_MAX)
		{
			*bad = i;
			return false;
		}
		half = half_of(magnitude);
		/* No negative zero, not even from a negative number that rounds to it. */
		if (half != 0)
			half |= bits >> 16 & 0x8000;
		out[i] = (uint16_t) half;
	}
	return true;
}

size_t
hx_scalar_bytes(size_t n, int bits)
{
	return bits == 8 ? n : (n + 1) / 2;
}

/* The highest code, as the divisor of the range. */
static double
top_code(int bits)
{
	return bits == 8 ? 255 : 15;
}

static void
find_bounds(const float *in, size_t n, float *low, float *high)
{
	float		least = n > 0 ? in[0] : 0;
	float		greatest = least;

	for (size_t i = 1; i < n; i++)
	{
		least = in[i] < least ? in[i] : least;
		greatest = in[i] > greatest ? in[i] : greatest;
	}
	/* Adding zero turns -0 into 0. */
	*low = least + 0.0f;
	*high = greatest + 0.0f;
}

void
hx_scalar_encode(const float *in, size_t n, int bits, uint8_t *codes, float *low, float *high)
{
	const double top = top_code(bits);
	double		base;
	double		range;

	find_bounds(in, n, low, high);
	base = *low;
	range = *high - base;

	memset(codes, 0, hx_scalar_bytes(n, bits));
	if (range == 0)
		return;

	for (size_t i = 0; i < n; i++)
	{
		/* Not negative, so that the conversion rounds down. */
		unsigned	code = (unsigned) ((in[i] - base) * top / range + 0.5);

		if (code > (unsigned) top)
			code = (unsigned) top;
		if (bits == 8)
			codes[i] = (uint8_t) code;
		else
			codes[i / 2] |= (uint8_t) (code << (i % 2 * 4));
	}
}

/* The number that a code stands for. Adding zero turns -0 into 0. */
static inline float
value_of(unsigned code, double low, double high, double top)
{
	return (float) ((low * (top - code) + high * code) * (1.0 / top)) + 0.0f;
}

void
hx_scalar_decode(const uint8_t *codes, size_t n, int bits, float low, float high, float *out)
{
	const double top = top_code(bits);
	float		value[16];

	if (bits == 8)
	{
		for (size_t i = 0; i < n; i++)
			out[i] = value_of(codes[i], low, high, top);
		return;
	}

	for (unsigned code = 0; code < 16; code++)
		value[code] = value_of(code, low, high, top);
	for (size_t i = 0; i < n; i++)
		out[i] = value[codes[i / 2] >> (i % 2 * 4) & 0xf];
}
