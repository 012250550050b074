/*
 * level_generic.c
 *	  The portable level: plain C, for any CPU.
 */
#include <string.h>

#include "kernel/levels.h"
#include "kernel/target.h"

/* Sums of neighbouring fields of 1, 2 and 4 bits, then all bytes by one multiplication. */
HX_INLINE uint64_t
popcount64(uint64_t x)
{
	x -= x >> 1 & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return x * UINT64_C(0x0101010101010101) >> 56;
}

#define HX_POPCOUNT64(x) popcount64(x)
#include "kernel/bits_body.h"

#define HX_DOUBLES 2
#define HX_FLOATS 4
#define HX_WIDEN(p) ((HxDoubles) {(double) (p)[0], (double) (p)[1]})
#include "kernel/float_body.h"
#include "kernel/columns_body.h"
#include "kernel/matrix_body.h"

#define HX_LEVEL HX_SIMD_GENERIC
#define HX_TABLE hx_kernels_generic
#include "kernel/words_level.h"
