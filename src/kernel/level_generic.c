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

HX_INLINE float
load_float(const float *p)
{
	float		x;

	memcpy(&x, p, sizeof(x));
	return x;
}

#define HX_POPCOUNT64(x) popcount64(x)
#include "kernel/bits_body.h"

#define HX_DOUBLES 2
#define HX_FLOATS 4
#define HX_WIDEN(p) ((HxDoubles) {(double) load_float(p), (double) load_float((p) + 1)})
#define HX_GREATER(a, b) ((a) ^ (((a) ^ (b)) & ((b) > (a))))
#include "kernel/float_body.h"
#include "kernel/hadamard_body.h"
#include "kernel/halves_body.h"
#define HX_BYTES(p) ((HxInts) {(p)[0], (p)[1], (p)[2], (p)[3]})
#include "kernel/stored_body.h"
#include "kernel/above_body.h"
#include "kernel/digits_body.h"
#include "kernel/columns_body.h"
#include "kernel/whole_body.h"
#include "kernel/matrix_body.h"
#include "kernel/powers_body.h"

static void
scan_block(const uint8_t *block, const uint8_t *table, size_t groups, uint32_t *out)
{
	memset(out, 0, HX_BLOCK * sizeof(*out));
	for (size_t g = 0; g < groups; g++, block += 16, table += 16)
	{
		for (int j = 0; j < 16; j++)
		{
			out[j] += table[block[j] & 15];
			out[j + 16] += table[block[j] >> 4];
		}
	}
}

#define HX_LEVEL HX_SIMD_GENERIC
#define HX_TABLE hx_kernels_generic
#include "kernel/words_level.h"
