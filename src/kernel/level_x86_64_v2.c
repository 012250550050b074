/*
 * level_x86_64_v2.c
 *	  The level of x86 CPUs that count bits one word at a time (POPCNT).
 */
#include "kernel/levels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "kernel/target.h"

HX_TARGET_PUSH("popcnt,sse4.2")

#define HX_POPCOUNT64(x) ((uint64_t) __builtin_popcountll(x))
#include "kernel/bits_body.h"

#define HX_DOUBLES 2
#define HX_FLOATS 4
#define HX_WIDEN(p) \
	((HxDoubles) _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *) (p)))))
#define HX_GREATER(a, b) ((HxInts) _mm_max_epi32((__m128i) (a), (__m128i) (b)))
#include "kernel/float_body.h"
#include "kernel/hadamard_body.h"
#define HX_BYTES(p) ((HxInts) _mm_cvtepu8_epi32(_mm_loadu_si32(p)))
#include "kernel/halves_body.h"
#include "kernel/stored_body.h"
#include "kernel/above_body.h"
#include "kernel/digits_body.h"

#define HX_SCAN_BYTES 16
#define HX_LOOKUP(table, x) _mm_shuffle_epi8((__m128i) (table), (__m128i) (x))
#include "kernel/scan_body.h"
#include "kernel/columns_body.h"
#define HX_MULTIPLY_PAIRS(a, b) ((HxInts) _mm_madd_epi16((__m128i) (a), (__m128i) (b)))
#include "kernel/whole_body.h"
#include "kernel/matrix_body.h"
#include "kernel/powers_body.h"

#define HX_LEVEL HX_SIMD_X86_64_V2
#define HX_TABLE hx_kernels_x86_64_v2
#include "kernel/words_level.h"

HX_TARGET_POP

#endif
