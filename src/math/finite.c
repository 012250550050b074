/*
 * finite.c
 *	  Whether numbers are finite: those are not whose exponent is all ones.
 */
#include "math/finite.h"

#include <stdint.h>
#include <string.h>

#include "kernel/target.h"

HX_VECTORISE_LOOPS

bool
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
