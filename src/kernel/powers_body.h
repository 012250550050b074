/*
 * powers_body.h
 *	  Exponentials of many numbers: one source for all levels.
 *
 * Included by each level file after matrix_body.h. The steps are those of hx_exp() in
 * src/math, where e^x is a normal number, but without branches, so that the results are the
 * same.
 */
#include "kernel/exponential.h"

/* A whole number of less than 2^51, added to this one, stands in the low bits of the sum. */
#define HX_WHOLE_BITS 0x1.8p52

typedef uint64_t HxPowerBits __attribute__((vector_size(HX_DOUBLES * 8)));

HX_INLINE HxDoubles
exponential(HxDoubles x)
{
	/* floor(place): the nearest whole number, less 1 where that is above. */
	const HxDoubles place = x * HX_LOG_2_INVERSE + 0.5;
	const HxDoubles near = (place + HX_WHOLE_BITS) - HX_WHOLE_BITS;
	const HxDoubles one = (HxDoubles) {0} + 1;
	const HxDoubles n = near - (HxDoubles) ((HxDoubleBits) one & (near > place));
	const HxDoubles high = x - n * HX_LOG_2_HIGH;
	const HxDoubles low = n * HX_LOG_2_LOW;
	const HxDoubles r = high - low;
	const HxDoubles tail = (high - r - low) + r * r * HX_EXP_SERIES(r);
	const HxPowerBits exponent = (HxPowerBits) (n + HX_WHOLE_BITS);

	return (HxDoubles) ((HxPowerBits) (1 + (r + tail)) + (exponent << 52));
}

static void
exponentials(const double *x, size_t n, double *out)
{
	double		rest[HX_DOUBLES] = {0};

	for (; n >= HX_DOUBLES; n -= HX_DOUBLES, x += HX_DOUBLES, out += HX_DOUBLES)
		store_doubles(out, exponential(load_doubles(x)));
	memcpy(rest, x, n * sizeof(double));
	store_doubles(rest, exponential(load_doubles(rest)));
	memcpy(out, rest, n * sizeof(double));
}
