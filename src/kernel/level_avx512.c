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
#define HX_GREATER(a, b) ((HxInts) _mm512_max_epi32((__m512i) (a), (__m512i) (b)))
#include "kernel/float_body.h"
#define HX_ADD_SIGNED(y, x, signs) \
	((HxFloats) _mm512_fmadd_ps((__m512) (x), (__m512) (signs), (__m512) (y)))
#define HX_FLIP(x, bits) \
	((HxFloats) _mm512_mask_xor_epi32((__m512i) (x), (__mmask16) (bits), (__m512i) (x), \
									  _mm512_set1_epi32(INT32_MIN)))
#include "kernel/hadamard_body.h"
#define HX_HALVES(p) ((HxFloats) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) (p))))
#define HX_BYTES(p) ((HxInts) _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *) (p))))
#define HX_SIGN_BITS(x) _mm512_cmplt_epi32_mask((__m512i) (x), _mm512_setzero_si512())
#include "kernel/stored_body.h"
#include "kernel/above_body.h"
#include "kernel/columns_body.h"
#define HX_MULTIPLY_PAIRS(a, b) ((HxInts) _mm512_madd_epi16((__m512i) (a), (__m512i) (b)))
#include "kernel/whole_body.h"
#include "kernel/matrix_body.h"
#include "kernel/powers_body.h"
#define HX_SCAN_BYTES 64
#define HX_LOOKUP(table, x) _mm512_shuffle_epi8((__m512i) (table), (__m512i) (x))
#include "kernel/scan_body.h"

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

/* Codes that digit_counts works on at a time. */
#define GROUP 8

/*
 * A register holds 64 bytes of a code; or what remains of two, up to 32 bytes each; or of
 * four, up to 16: `quarters` of it are for each. This loads the codes p[0], ... from
 * `offset` on, of each the live bytes.
 */
HX_INLINE __m512i
load_codes(const uint8_t *const *p, size_t offset, unsigned quarters, __mmask64 live)
{
	__m256i		low;
	__m256i		high;

	if (quarters == 4)
		return _mm512_maskz_loadu_epi8(live, p[0] + offset);
	if (quarters == 2)
	{
		low = _mm256_maskz_loadu_epi8((__mmask32) live, p[0] + offset);
		high = _mm256_maskz_loadu_epi8((__mmask32) live, p[1] + offset);
	}
	else
	{
		low = _mm256_set_m128i(_mm_maskz_loadu_epi8((__mmask16) live, p[1] + offset),
							   _mm_maskz_loadu_epi8((__mmask16) live, p[0] + offset));
		high = _mm256_set_m128i(_mm_maskz_loadu_epi8((__mmask16) live, p[3] + offset),
								_mm_maskz_loadu_epi8((__mmask16) live, p[2] + offset));
	}
	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* A part of a plane, once for each code of a register. */
HX_INLINE __m512i
load_plane(const uint8_t *p, unsigned quarters)
{
	if (quarters == 4)
		return _mm512_loadu_si512(p);
	if (quarters == 2)
		return _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *) p));
	return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *) p));
}

/* Adds the weighted counts of eight codes from byte `at` on, as many as `quarters` takes. */
HX_INLINE void
add_column(__m512i *sum, const HxDigits *query, const uint8_t *const *code, size_t at,
		   unsigned quarters)
{
	const unsigned registers = GROUP * quarters / 4;
	const size_t left = query->bytes - at;
	const __mmask64 live = left < 64 ? (UINT64_C(1) << left) - 1 : ~UINT64_C(0);
	size_t		digit_at = at + (size_t) query->planes * query->stride;
	__m512i		x[GROUP];
	__m512i		part[GROUP];

	HX_UNROLL(8)
	for (unsigned r = 0; r < registers; r++)
	{
		x[r] = load_codes(code + r * 4 / quarters, at, quarters, live);
		part[r] = _mm512_setzero_si512();
	}
	for (unsigned b = query->planes; b > 0; b--)
	{
		digit_at -= query->stride;

		const __m512i digit = load_plane(query->plane + digit_at, quarters);
		const __m512i counted = load_plane(query->mask + digit_at, quarters);

		HX_UNROLL(8)
		for (unsigned r = 0; r < registers; r++)
		{
			/* (x ^ digit) & counted */
			__m512i		differ = _mm512_ternarylogic_epi64(x[r], digit, counted, 0x28);

			part[r] = _mm512_add_epi64(_mm512_add_epi64(part[r], part[r]),
									   _mm512_popcnt_epi64(differ));
		}
	}
	HX_UNROLL(8)
	for (unsigned r = 0; r < registers; r++)
		sum[r] = _mm512_add_epi64(sum[r], part[r]);
}

/* From a code a register to two, side by side as load_codes() puts them; 8 to 4 registers. */
HX_INLINE void
fold_to_halves(__m512i *sum)
{
	HX_UNROLL(4)
	for (int i = 0; i < 4; i++)
		sum[i] = _mm512_add_epi64(_mm512_shuffle_i64x2(sum[2 * i], sum[2 * i + 1], 0x44),
								  _mm512_shuffle_i64x2(sum[2 * i], sum[2 * i + 1], 0xee));
}

/* From two to four; 4 to 2 registers. */
HX_INLINE void
fold_to_quarters(__m512i *sum)
{
	HX_UNROLL(2)
	for (int i = 0; i < 2; i++)
		sum[i] = _mm512_add_epi64(_mm512_shuffle_i64x2(sum[2 * i], sum[2 * i + 1], 0x88),
								  _mm512_shuffle_i64x2(sum[2 * i], sum[2 * i + 1], 0xdd));
}

/* The counts of eight codes. */
HX_INLINE __m256i
count_group(const HxDigits *query, const uint8_t *const *code)
{
	const __m512i zero = _mm512_setzero_si512();
	/* The last fold leaves codes 0 4 1 5 2 6 3 7, 64 bits each. */
	const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 0, 0, 0, 0, 0, 0, 0, 0);
	__m512i		sum[GROUP] = {zero, zero, zero, zero, zero, zero, zero, zero};
	size_t		at = 0;

	if (query->bytes > 32)
	{
		for (; at + 32 < query->bytes; at += 64)
			add_column(sum, query, code, at, 4);
		fold_to_halves(sum);
	}
	if (at + 16 < query->bytes)
	{
		add_column(sum, query, code, at, 2);
		at += 32;
	}
	fold_to_quarters(sum);
	if (at < query->bytes)
		add_column(sum, query, code, at, 1);
	return _mm512_castsi512_si256(_mm512_permutexvar_epi32(
		order, _mm512_add_epi64(_mm512_unpacklo_epi64(sum[0], sum[1]),
								_mm512_unpackhi_epi64(sum[0], sum[1]))));
}

static void
digit_counts(const HxDigits *query, const uint8_t *codes, size_t count, uint32_t *out)
{
	for (size_t first = 0; first < count; first += GROUP)
	{
		const size_t left = count - first;
		const uint8_t *code[GROUP];

		/* In place of codes that are missing in the last group its first is read again. */
		HX_UNROLL(8)
		for (size_t i = 0; i < GROUP; i++)
			code[i] = codes + (first + (i < left ? i : 0)) * query->bytes;

		const __m256i counts = count_group(query, code);

		/* A store under a mask would let its readers wait. */
		if (left >= GROUP)
			_mm256_storeu_si256((__m256i *) (out + first), counts);
		else
			_mm256_mask_storeu_epi32(out + first, (__mmask8) ((1u << left) - 1), counts);
	}
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
