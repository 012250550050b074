/*
 * level_avx2.c
 *	  The level of x86 CPUs with AVX2 (x86-64-v3).
 *
 * Bits are counted by looking up each nibble in a table of 16 bytes (Mula's
 * method), summed in bytes over as many words as bytes can hold.
 */
#include "kernel/levels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "kernel/target.h"

HX_TARGET_PUSH("avx2,f16c,popcnt")

#define HX_POPCOUNT64(x) ((uint64_t) __builtin_popcountll(x))
#include "kernel/bits_body.h"

#define HX_DOUBLES 4
#define HX_FLOATS 8
#define HX_WIDEN(p) ((HxDoubles) _mm256_cvtps_pd(_mm_loadu_ps(p)))
#define HX_GREATER(a, b) ((HxInts) _mm256_max_epi32((__m256i) (a), (__m256i) (b)))
#include "kernel/float_body.h"
#include "kernel/hadamard_body.h"
#define HX_HALVES(p) ((HxFloats) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) (p))))
#define HX_BYTES(p) ((HxInts) _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *) (p))))
#define HX_SIGN_BITS(x) _mm256_movemask_ps((__m256) (x))
#include "kernel/stored_body.h"
#include "kernel/above_body.h"
#include "kernel/columns_body.h"
#define HX_MULTIPLY_PAIRS(a, b) ((HxInts) _mm256_madd_epi16((__m256i) (a), (__m256i) (b)))
#include "kernel/whole_body.h"
#include "kernel/matrix_body.h"
#include "kernel/powers_body.h"
#define HX_SCAN_BYTES 32
#define HX_LOOKUP(table, x) _mm256_shuffle_epi8((__m256i) (table), (__m256i) (x))
#include "kernel/scan_body.h"

/* A byte holds the counts of 31 bytes at most: 31 * 8 < 256. */
#define WORDS_PER_SUM 31

/* Codes that hamming_select compares at a time: four registers of four. */
#define TILE 16
#define TILE_REGISTERS 4

HX_INLINE __m256i
load_register(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *) p);
}

/* The number of one bits of each byte. */
HX_INLINE __m256i
popcount_bytes_of(__m256i x)
{
	const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
										   0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i nibble = _mm256_set1_epi8(0x0f);
	__m256i		low = _mm256_and_si256(x, nibble);
	__m256i		high = _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble);

	return _mm256_add_epi8(_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high));
}

/* The sum of the eight bytes of each 64-bit lane. */
HX_INLINE __m256i
sum_lanes(__m256i bytes)
{
	return _mm256_sad_epu8(bytes, _mm256_setzero_si256());
}

HX_INLINE __m256i
combine_registers(BitsOp op, __m256i a, __m256i b)
{
	switch (op)
	{
		case BITS_XOR:
			return _mm256_xor_si256(a, b);
		case BITS_AND:
			return _mm256_and_si256(a, b);
		default:
			return a;
	}
}

HX_INLINE uint64_t
count_bits(BitsOp op, const uint8_t *a, const uint8_t *b, size_t bytes)
{
	__m256i		sum = _mm256_setzero_si256();
	uint64_t	lane[4];

	if (bytes < 64)
		return count_words(op, a, b, bytes);

	while (bytes >= 32)
	{
		__m256i		counts = _mm256_setzero_si256();

		for (int w = 0; w < WORDS_PER_SUM && bytes >= 32; w++, a += 32, b += 32, bytes -= 32)
		{
			__m256i		x = combine_registers(op, load_register(a), load_register(b));

			counts = _mm256_add_epi8(counts, popcount_bytes_of(x));
		}
		sum = _mm256_add_epi64(sum, sum_lanes(counts));
	}
	_mm256_storeu_si256((__m256i *) lane, sum);
	return lane[0] + lane[1] + lane[2] + lane[3] + count_words(op, a, b, bytes);
}

/* Four words of a plane of `width` bytes, one a 64-bit lane. */
HX_INLINE __m256i
load_lanes(const uint8_t *p, unsigned width)
{
	uint32_t	four;

	switch (width)
	{
		case 8:
			return load_register(p);
		case 4:
			return _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *) p));
		case 2:
			return _mm256_cvtepu16_epi64(_mm_loadl_epi64((const __m128i *) p));
		default:
			memcpy(&four, p, 4);
			return _mm256_cvtepu8_epi64(_mm_cvtsi32_si128((int) four));
	}
}

/* Something of each of the 16 codes of a tile, four 64-bit lanes a register. */
typedef struct Tile
{
	__m256i		part[TILE_REGISTERS];
} Tile;

/* Adds to the bytes of `counts` those of one plane, at the 16 words from p on. */
HX_INLINE void
count_plane(Tile *counts, const uint8_t *p, const uint8_t *query, unsigned width)
{
	uint64_t	word = 0;
	__m256i		q;

	memcpy(&word, query, width);
	q = _mm256_set1_epi64x((long long) word);
	HX_UNROLL(4)
	for (int r = 0; r < TILE_REGISTERS; r++)
	{
		__m256i		codes = load_lanes(p + (unsigned) r * 4 * width, width);

		counts->part[r] = _mm256_add_epi8(counts->part[r],
										  popcount_bytes_of(_mm256_xor_si256(codes, q)));
	}
}

/* Adds the bytes of each lane of `counts` to `sum`, and clears them. */
HX_INLINE void
move_counts(Tile *sum, Tile *counts)
{
	HX_UNROLL(4)
	for (int r = 0; r < TILE_REGISTERS; r++)
	{
		sum->part[r] = _mm256_add_epi64(sum->part[r], sum_lanes(counts->part[r]));
		counts->part[r] = _mm256_setzero_si256();
	}
}

/*
 * Distances of the 16 codes from `first` on, 16 bits each. Lane r of quarter l
 * belongs to code 4 * r + l: see in_order().
 */
HX_INLINE __m256i
tile_distances(const HxPlanes *planes, const uint8_t *query, unsigned words, unsigned rest,
			   size_t first)
{
	const size_t stride = planes->stride;
	const uint8_t *plane = planes->base;
	const __m256i zero = _mm256_setzero_si256();
	Tile		sum = {{zero, zero, zero, zero}};
	Tile		counts = sum;
	unsigned	w = 0;

	/* Bytes are summed up before the next words could make them overflow. */
	for (; words - w > WORDS_PER_SUM; move_counts(&sum, &counts))
		for (unsigned end = w + WORDS_PER_SUM; w < end; w++, plane += stride * 8)
			count_plane(&counts, plane + first * 8, query + w * 8, 8);
	HX_UNROLL(8)
	for (; w < words; w++, plane += stride * 8)
		count_plane(&counts, plane + first * 8, query + w * 8, 8);
	move_counts(&sum, &counts);

	if (rest > 0)
	{
		query += words * 8;
		if (rest & 4)
		{
			count_plane(&counts, plane + first * 4, query, 4);
			plane += stride * 4;
			query += 4;
		}
		if (rest & 2)
		{
			count_plane(&counts, plane + first * 2, query, 2);
			plane += stride * 2;
			query += 2;
		}
		if (rest & 1)
			count_plane(&counts, plane + first, query, 1);
		move_counts(&sum, &counts);
	}

	return _mm256_or_si256(_mm256_or_si256(sum.part[0], _mm256_slli_epi64(sum.part[1], 16)),
						   _mm256_or_si256(_mm256_slli_epi64(sum.part[2], 32),
										   _mm256_slli_epi64(sum.part[3], 48)));
}

/* Brings what tile_distances() gave into the order of the codes: a 4 x 4 transposition. */
HX_INLINE __m256i
in_order(__m256i distances)
{
	const __m256i pairs = _mm256_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15,
										   0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
	const __m256i quads = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);

	return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(distances, pairs), quads);
}

HX_INLINE unsigned
select_codes(const HxPlanes *planes, const uint8_t *query, unsigned words, unsigned rest,
			 unsigned limit, uint16_t *position, uint16_t *distance)
{
	const unsigned count = planes->count;
	const __m256i limits = _mm256_set1_epi16((short) (limit < UINT16_MAX ? limit : UINT16_MAX));
	unsigned	found = 0;

	if (count < TILE)
		return select_words(planes, query, words, rest, limit, 0, 0, position, distance);

	for (unsigned next = 0; next < count; next += TILE)
	{
		/* The last tile reaches back over codes done before, not to read past the last one. */
		unsigned	first = next + TILE <= count ? next : count - TILE;
		__m256i		distances = tile_distances(planes, query, words, rest, first);
		__m256i		within = _mm256_cmpeq_epi16(_mm256_min_epu16(distances, limits), distances);
		uint16_t	lane[TILE];
		unsigned	left;

		if (_mm256_testz_si256(within, within))
			continue;

		distances = in_order(distances);
		within = in_order(within);
		_mm256_storeu_si256((__m256i *) lane, distances);
		left = (unsigned) _mm_movemask_epi8(_mm_packs_epi16(_mm256_castsi256_si128(within),
															_mm256_extracti128_si256(within, 1)));
		for (left &= ~0u << (next - first); left != 0; left &= left - 1)
		{
			unsigned	i = (unsigned) __builtin_ctz(left);

			position[found] = (uint16_t) (first + i);
			distance[found] = lane[i];
			found++;
		}
	}
	return found;
}

/* Planes whose weighted counts a byte holds: 8 * (1 + 2 + 4 + 8 + 16) < 256. */
#define PLANES_PER_SUM 5

/* 32 bytes at p; those from `end` on, where memory may end, become 0. */
HX_INLINE __m256i
load_before(const uint8_t *p, const uint8_t *end)
{
	uint8_t		rest[32] = {0};

	if (p + 32 <= end)
		return load_register(p);
	memcpy(rest, p, (size_t) (end - p));
	return load_register(rest);
}

/* A part of a plane, or 16 bytes of it twice. */
HX_INLINE __m256i
load_digits(const uint8_t *p, bool paired)
{
	return paired ? _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) p)) :
		load_register(p);
}

/*
 * The counts of the 32 bytes at `at` of a code (or of 16 bytes of two codes side by side, if
 * `paired`), times their weights, in four lanes.
 */
HX_INLINE __m256i
count_digits(const HxDigits *query, __m256i code, size_t at, bool paired)
{
	__m256i		sum = _mm256_setzero_si256();

	for (unsigned end = query->planes; end > 0;)
	{
		const unsigned begin = end > PLANES_PER_SUM ? end - PLANES_PER_SUM : 0;
		__m256i		counts = _mm256_setzero_si256();

		for (unsigned b = end; b-- > begin;)
		{
			const uint8_t *plane = query->plane + (size_t) b * query->stride + at;
			const uint8_t *mask = query->mask + (size_t) b * query->stride + at;
			__m256i		differ = _mm256_xor_si256(code, load_digits(plane, paired));

			differ = _mm256_and_si256(differ, load_digits(mask, paired));
			counts = _mm256_add_epi8(_mm256_add_epi8(counts, counts), popcount_bytes_of(differ));
		}
		sum = _mm256_add_epi64(sum, _mm256_slli_epi64(sum_lanes(counts), (int) begin));
		end = begin;
	}
	return sum;
}

/* Sums of two lanes of 64 bits each: of the lower half, and of the upper. */
HX_INLINE __m256i
add_neighbours(__m256i x)
{
	return _mm256_add_epi64(x, _mm256_unpackhi_epi64(x, x));
}

static void
digit_counts(const HxDigits *query, const uint8_t *codes, size_t count, uint32_t *out)
{
	const size_t bytes = query->bytes;
	const uint8_t *end = codes + count * bytes;
	size_t		i = 0;

	/* Two codes at a time, as long as 16 bytes can be read at the second. */
	if (bytes <= 16)
	{
		for (; i + 2 <= count && codes + (i + 1) * bytes + 16 <= end; i += 2)
		{
			__m256i		pair = _mm256_loadu2_m128i((const __m128i *) (codes + (i + 1) * bytes),
												   (const __m128i *) (codes + i * bytes));
			__m256i		sum = add_neighbours(count_digits(query, pair, 0, true));

			out[i] = (uint32_t) _mm256_extract_epi32(sum, 0);
			out[i + 1] = (uint32_t) _mm256_extract_epi32(sum, 4);
		}
	}
	for (; i < count; i++)
	{
		const uint8_t *code = codes + i * bytes;
		__m256i		sum = _mm256_setzero_si256();

		for (size_t at = 0; at < bytes; at += 32)
			sum = _mm256_add_epi64(sum, count_digits(query, load_before(code + at, end), at,
													 false));
		sum = add_neighbours(sum);
		out[i] = (uint32_t) (_mm256_extract_epi32(sum, 0) + _mm256_extract_epi32(sum, 4));
	}
}

static void
f16_to_f32(const uint16_t *in, float *out, size_t n)
{
	for (; n >= 8; in += 8, out += 8, n -= 8)
		_mm256_storeu_ps(out, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) in)));
	for (size_t i = 0; i < n; i++)
		out[i] = half_to_float(in[i]);
}

#define HX_LEVEL HX_SIMD_AVX2
#define HX_TABLE hx_kernels_avx2
#include "kernel/level_table.h"

HX_TARGET_POP

#endif
