/*
 * quad.h
 *	  Four floats at a time in plain C. For the files of this folder.
 */
#ifndef HX_QUAD_H
#define HX_QUAD_H

#include <stdint.h>
#include <string.h>

#include "kernel/target.h"

typedef float HxQuad __attribute__((vector_size(16)));
typedef int32_t HxQuadBits __attribute__((vector_size(16)));

HX_INLINE HxQuad
hx_load_quad(const float *p)
{
	HxQuad		x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/*
 * Rounds numbers from 0 to 2^22 to whole ones: at 2^23 and beyond a float has no room for
 * anything less, and its lowest bits are the number.
 */
HX_INLINE HxQuadBits
hx_round_quad(HxQuad x)
{
	return (HxQuadBits) (x + 0x1p23f) & INT32_C(0x007fffff);
}

#endif							/* HX_QUAD_H */
