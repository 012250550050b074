/*
 * link_factor.h
 *	  The factors of a link as bfloat16, the upper half of a float, and the end of every
 *	  estimate. For the files of this folder.
 */
#ifndef HX_LINK_FACTOR_H
#define HX_LINK_FACTOR_H

#include <stdint.h>
#include <string.h>

#include "kernel/target.h"
#include "quant/link_code.h"

HX_VECTORISE_LOOPS

/* The bfloat16 nearest to x, ties to even, zero without a sign; the largest for larger numbers. */
static inline uint16_t
hx_bfloat16_of(double x)
{
	const float narrow = (float) x;
	uint32_t	bits;
	uint32_t	magnitude;

	memcpy(&bits, &narrow, sizeof(bits));
	magnitude = bits & UINT32_C(0x7fffffff);
	magnitude += 0x7fff + (magnitude >> 16 & 1);
	if (magnitude > UINT32_C(0x7f7fffff))
		magnitude = UINT32_C(0x7f7fffff);
	magnitude >>= 16;
	return (uint16_t) (magnitude == 0 ? 0 : magnitude | (bits >> 16 & 0x8000));
}

static inline float
hx_bfloat16_value(uint16_t number)
{
	const uint32_t bits = (uint32_t) number << 16;
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/*
 * own + add + scale <x, y_q>, where the product is offset - step * count. Counts are less
 * than 2^31: signed numbers become floats in one instruction.
 */
static inline void
hx_link_finish(const HxLink *restrict links, const uint32_t *restrict counts, size_t count,
			   float own, float offset, float step, float *restrict estimate)
{
	for (size_t i = 0; i < count; i++)
	{
		const float product = offset - step * (float) (int32_t) counts[i];

		estimate[i] = own + hx_bfloat16_value(links[i].add) +
			hx_bfloat16_value(links[i].scale) * product;
	}
}

#endif							/* HX_LINK_FACTOR_H */
