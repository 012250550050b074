/*
 * finite.h
 *	  Whether numbers are finite, many at a time.
 */
#ifndef HX_FINITE_H
#define HX_FINITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* No infinity and no NaN among n floats: those whose exponent is all ones. */
static inline bool
hx_all_finite(const float *x, size_t n)
{
	const uint32_t exponent = UINT32_C(0x7f800000);
	uint32_t	unlike = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	bits;

		memcpy(&bits, &x[i], sizeof(bits));
		unlike |= (bits & exponent) == exponent;
	}
	return unlike == 0;
}

#endif							/* HX_FINITE_H */
