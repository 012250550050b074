/*
 * level_avx512.c
 *	  The level of x86 CPUs with AVX-512 and VPOPCNTDQ (Ice Lake, Zen 4 and later).
 */
#include "kernel/levels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "kernel/target.h"

HX_TARGET_PUSH("avx512f,avx512bw,avx512vl,avx512vpopcntdq,avx2,f16c,popcnt")

#define HX_POPCOUNT64(x) ((uint64_t) __builtin_popcountll(x))
#include "kernel/bits_body.h"

#define HX_DOUBLES 8
#define HX_FLOATS 16
#define HX_WIDEN(p) ((HxDoubles) _mm512_cvtps_pd(_mm256_loadu_ps(p)))
#include "kernel/float_body.h"
#include "kernel/columns_body.h"
#include "kernel/matrix_body.h"

/* Codes that hamming_select compares at a time: two registers of eight. */
#define TILE 16

HX_INLINE __m512i
combine_registers(BitsOp op, __m512i a, __m512i b)
{
	switch (op)
	{
		case BITS_XOR:
			return _mm512_xor_si512(a, b);
		case BITS_AND:
			return _mm512_and_si512(a, b);
		default:
			return a;
	}
}

HX_INLINE uint64_t
count_bits(BitsOp op, const uint8_t *a, const uint8_t *b, size_t bytes)
{
	__m512i		sum = _mm512_setzero_si512();

	if (bytes < 64)
		return count_words(op, a, b, bytes);

	for (; bytes >= 64; a += 64, b += 64, bytes -= 64)
	{
		__m512i		x = combine_registers(op, _mm512_loadu_si512(a), _mm512_loadu_si512(b));

		sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(x));
	}
	if (bytes > 0)
	{
		__mmask64	rest = (UINT64_C(1) << bytes) - 1;
		__m512i		x = combine_registers(op, _mm512_maskz_loadu_epi8(rest, a),
										  _mm512_maskz_loadu_epi8(rest, b));

		sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(x));
	}
	return (uint64_t) _mm512_reduce_add_epi64(sum);
}

/*
 * Eight words of a plane of `width` bytes, one a 64-bit lane; the lanes that are
 * not live are not read.
 */
HX_INLINE __m512i
load_lanes(const uint8_t *p, unsigned width, __mmask8 live)
{
	switch (width)
	{
		case 8:
			return live == 0xff ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi64(live, p);
		case 4:
			return _mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(live, p));
		case 2:
			return _mm512_cvtepu16_epi64(_mm_maskz_loadu_epi16(live, p));
		default:
			return _mm512_cvtepu8_epi64(_mm_maskz_loadu_epi8(live, p));
	}
}

/* Distances of 16 codes, one a 64-bit lane. */
typedef struct TileDistances
{
	__m512i		low;			/* the first eight */
	__m512i		high;
} TileDistances;

/* Adds the distances in one plane, at the 16 words from p on. */
HX_INLINE void
add_plane(TileDistances *sum, const uint8_t *p, const uint8_t *query, unsigned width,
		  __mmask16 live)
{
	uint64_t	word = 0;
	__m512i		q;
	__m512i		low;
	__m512i		high;

	memcpy(&word, query, width);
	q = _mm512_set1_epi64((long long) word);
	low = load_lanes(p, width, (__mmask8) live);
	high = load_lanes(p + 8 * width, width, (__mmask8) (live >> 8));
	sum->low = _mm512_add_epi64(sum->low, _mm512_popcnt_epi64(_mm512_xor_si512(low, q)));
	sum->high = _mm512_add_epi64(sum->high, _mm512_popcnt_epi64(_mm512_xor_si512(high, q)));
}

/* Distances of the 16 codes from `first` on; of those that are not live, anything. */
HX_INLINE TileDistances
tile_distances(const HxPlanes *planes, const uint8_t *query, unsigned words, unsigned rest,
			   size_t first, __mmask16 live)
{
	const size_t stride = planes->stride;
	const uint8_t *plane = planes->base;
	TileDistances sum = {_mm512_setzero_si512(), _mm512_setzero_si512()};

	HX_UNROLL(8)
	for (unsigned w = 0; w < words; w++, plane += stride * 8)
		add_plane(&sum, plane + first * 8, query + w * 8, 8, live);

	query += words * 8;
	if (rest & 4)
	{
		add_plane(&sum, plane + first * 4, query, 4, live);
		plane += stride * 4;
		query += 4;
	}
	if (rest & 2)
	{
		add_plane(&sum, plane + first * 2, query, 2, live);
		plane += stride * 2;
		query += 2;
	}
	if (rest & 1)
		add_plane(&sum, plane + first, query, 1, live);
	return sum;
}

/*
 * Appends the live codes of a tile that are within the limit. The lanes are
 * packed in a register and stored whole: a compressing store is slow on Zen 4.
 */
HX_INLINE unsigned
append_tile(TileDistances tile, __m512i limits, __mmask16 live, unsigned first, unsigned found,
			uint16_t *position, uint16_t *distance)
{
	const __m512i lane_number = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7,
												  8, 9, 10, 11, 12, 13, 14, 15);
	unsigned	low = _mm512_cmple_epu64_mask(tile.low, limits);
	unsigned	high = _mm512_cmple_epu64_mask(tile.high, limits);
	unsigned	within = (low | high << 8) & live;
	__m512i		distances;
	__m512i		entries;

	if (within == 0)
		return found;

	/* Position and distance of a code side by side in one 32-bit lane. */
	distances = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(tile.low)),
								   _mm512_cvtepi64_epi32(tile.high), 1);
	entries = _mm512_add_epi32(lane_number, _mm512_set1_epi32((int) first));
	entries = _mm512_or_si512(_mm512_slli_epi32(entries, 16), distances);
	entries = _mm512_maskz_compress_epi32((__mmask16) within, entries);
	_mm256_storeu_si256((__m256i *) (distance + found), _mm512_cvtepi32_epi16(entries));
	_mm256_storeu_si256((__m256i *) (position + found),
						_mm512_cvtepi32_epi16(_mm512_srli_epi32(entries, 16)));
	return found + (unsigned) __builtin_popcount(within);
}

HX_INLINE unsigned
select_codes(const HxPlanes *planes, const uint8_t *query, unsigned words, unsigned rest,
			 unsigned limit, uint16_t *position, uint16_t *distance)
{
	const unsigned count = planes->count;
	const __m512i limits = _mm512_set1_epi64((long long) limit);
	unsigned	found = 0;
	unsigned	first = 0;

	for (; first + TILE <= count; first += TILE)
	{
		TileDistances tile = tile_distances(planes, query, words, rest, first, 0xffff);

		found = append_tile(tile, limits, 0xffff, first, found, position, distance);
	}
	if (first < count)
	{
		__mmask16	live = (__mmask16) ((1u << (count - first)) - 1);
		TileDistances tile = tile_distances(planes, query, words, rest, first, live);

		found = append_tile(tile, limits, live, first, found, position, distance);
	}
	return found;
}

static void
f16_to_f32(const uint16_t *in, float *out, size_t n)
{
	for (; n >= 16; in += 16, out += 16, n -= 16)
		_mm512_storeu_ps(out, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) in)));
	for (size_t i = 0; i < n; i++)
		out[i] = half_to_float(in[i]);
}

#define HX_LEVEL HX_SIMD_AVX512
#define HX_TABLE hx_kernels_avx512
#include "kernel/level_table.h"

HX_TARGET_POP

#endif
