/*
 * level_neon.c
 *	  The level of AArch64, where NEON is part of every CPU.
 */
#include "kernel/levels.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <string.h>

#include "kernel/target.h"

#define HX_POPCOUNT64(x) ((uint64_t) __builtin_popcountll(x))
#include "kernel/bits_body.h"

#define HX_DOUBLES 2
#define HX_FLOATS 4
#define HX_WIDEN(p) ((HxDoubles) vcvt_f64_f32(vld1_f32(p)))
#define HX_GREATER(a, b) ((HxInts) vmaxq_s32((int32x4_t) (a), (int32x4_t) (b)))
#include "kernel/float_body.h"
#include "kernel/hadamard_body.h"
#define HX_HALVES(p) \
	((HxFloats) vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))))
#define HX_BYTES(p) ((HxInts) {(p)[0], (p)[1], (p)[2], (p)[3]})
#define HX_SIGN_BITS(x) sign_bits(x)

HX_INLINE unsigned
sign_bits(HxInts x)
{
	const uint32x4_t bit = {1, 2, 4, 8};

	return vaddvq_u32(vandq_u32((uint32x4_t) (x < 0), bit));
}

#include "kernel/stored_body.h"
#include "kernel/above_body.h"
#include "kernel/columns_body.h"
#define HX_MULTIPLY_PAIRS(a, b) \
	((HxInts) vpaddq_s32( \
		vmull_s16(vget_low_s16((int16x8_t) (a)), vget_low_s16((int16x8_t) (b))), \
		vmull_high_s16((int16x8_t) (a), (int16x8_t) (b))))
#include "kernel/whole_body.h"
#include "kernel/matrix_body.h"
#include "kernel/powers_body.h"
#define HX_SCAN_BYTES 16
#define HX_LOOKUP(table, x) vqtbl1q_u8((uint8x16_t) (table), (uint8x16_t) (x))
#include "kernel/scan_body.h"

/* A byte holds the counts of 31 bytes at most: 31 * 8 < 256. */
#define WORDS_PER_SUM 31

/* Codes that hamming_select compares at a time: four registers of two. */
#define TILE 8
#define TILE_REGISTERS 4

/*
 * Words of a tile summed in bytes: adding up four bytes of seven words each
 * still fits a byte, 4 * 7 * 8 < 256.
 */
#define WORDS_PER_TILE_SUM 7

HX_INLINE uint8x16_t
combine_registers(BitsOp op, uint8x16_t a, uint8x16_t b)
{
	switch (op)
	{
		case BITS_XOR:
			return veorq_u8(a, b);
		case BITS_AND:
			return vandq_u8(a, b);
		default:
			return a;
	}
}

HX_INLINE uint64_t
count_bits(BitsOp op, const uint8_t *a, const uint8_t *b, size_t bytes)
{
	uint64_t	sum = 0;

	while (bytes >= 16)
	{
		uint8x16_t	counts = vdupq_n_u8(0);

		for (int w = 0; w < WORDS_PER_SUM && bytes >= 16; w++, a += 16, b += 16, bytes -= 16)
			counts = vaddq_u8(counts, vcntq_u8(combine_registers(op, vld1q_u8(a), vld1q_u8(b))));
		sum += vaddlvq_u8(counts);
	}
	return sum + count_words(op, a, b, bytes);
}

/* Counts of the bytes of eight codes, two codes a register. */
typedef struct Tile
{
	uint8x16_t	part[TILE_REGISTERS];
} Tile;

/* Adds to the bytes of `counts` those of one plane of 8-byte words, at the 8 words from p on. */
HX_INLINE void
count_plane(Tile *counts, const uint8_t *p, const uint8_t *query)
{
	uint8x16_t	q = vreinterpretq_u8_u64(vdupq_n_u64(load_u64(query)));

	HX_UNROLL(4)
	for (int r = 0; r < TILE_REGISTERS; r++)
	{
		uint8x16_t	codes = vld1q_u8(p + r * 16);

		counts->part[r] = vaddq_u8(counts->part[r], vcntq_u8(veorq_u8(codes, q)));
	}
}

/* Adds up the eight bytes of each code, in order of the codes, and clears them. */
HX_INLINE uint16x8_t
take_counts(Tile *counts)
{
	uint8x16_t	low = vpaddq_u8(counts->part[0], counts->part[1]);
	uint8x16_t	high = vpaddq_u8(counts->part[2], counts->part[3]);

	HX_UNROLL(4)
	for (int r = 0; r < TILE_REGISTERS; r++)
		counts->part[r] = vdupq_n_u8(0);
	return vpaddlq_u8(vpaddq_u8(low, high));
}

/* The distances of eight codes in a plane of 4-byte words; then of 2 bytes, and of 1. */
HX_INLINE uint16x8_t
distances_4(const uint8_t *p, const uint8_t *query)
{
	uint8x16_t	q = vreinterpretq_u8_u32(vdupq_n_u32((uint32_t) load_rest(query, 4)));

	return vpaddlq_u8(vpaddq_u8(vcntq_u8(veorq_u8(vld1q_u8(p), q)),
								vcntq_u8(veorq_u8(vld1q_u8(p + 16), q))));
}

HX_INLINE uint16x8_t
distances_2(const uint8_t *p, const uint8_t *query)
{
	uint8x16_t	q = vreinterpretq_u8_u16(vdupq_n_u16((uint16_t) load_rest(query, 2)));

	return vpaddlq_u8(vcntq_u8(veorq_u8(vld1q_u8(p), q)));
}

HX_INLINE uint16x8_t
distances_1(const uint8_t *p, const uint8_t *query)
{
	return vmovl_u8(vcnt_u8(veor_u8(vld1_u8(p), vdup_n_u8(*query))));
}

/* Distances of the eight codes from `first` on. */
HX_INLINE uint16x8_t
tile_distances(const HxPlanes *planes, const uint8_t *query, unsigned words, unsigned rest,
			   size_t first)
{
	const size_t stride = planes->stride;
	const uint8_t *plane = planes->base;
	const uint8x16_t zero = vdupq_n_u8(0);
	Tile		counts = {{zero, zero, zero, zero}};
	uint16x8_t	sum = vdupq_n_u16(0);
	unsigned	w = 0;

	/* Bytes are summed up before the next words could make a sum of four overflow. */
	for (; words - w > WORDS_PER_TILE_SUM; sum = vaddq_u16(sum, take_counts(&counts)))
		for (unsigned end = w + WORDS_PER_TILE_SUM; w < end; w++, plane += stride * 8)
			count_plane(&counts, plane + first * 8, query + w * 8);
	HX_UNROLL(8)
	for (; w < words; w++, plane += stride * 8)
		count_plane(&counts, plane + first * 8, query + w * 8);
	sum = vaddq_u16(sum, take_counts(&counts));

	query += words * 8;
	if (rest & 4)
	{
		sum = vaddq_u16(sum, distances_4(plane + first * 4, query));
		plane += stride * 4;
		query += 4;
	}
	if (rest & 2)
	{
		sum = vaddq_u16(sum, distances_2(plane + first * 2, query));
		plane += stride * 2;
		query += 2;
	}
	if (rest & 1)
		sum = vaddq_u16(sum, distances_1(plane + first, query));
	return sum;
}

HX_INLINE unsigned
select_codes(const HxPlanes *planes, const uint8_t *query, unsigned words, unsigned rest,
			 unsigned limit, uint16_t *position, uint16_t *distance)
{
	const unsigned count = planes->count;
	unsigned	found = 0;

	if (count < TILE)
		return select_words(planes, query, words, rest, limit, 0, 0, position, distance);

	for (unsigned next = 0; next < count; next += TILE)
	{
		/* The last tile reaches back over codes done before, not to read past the last one. */
		unsigned	first = next + TILE <= count ? next : count - TILE;
		uint16x8_t	distances = tile_distances(planes, query, words, rest, first);
		uint16_t	lane[TILE];

		if (vminvq_u16(distances) > limit)
			continue;

		vst1q_u16(lane, distances);
		for (unsigned i = next - first; i < TILE; i++)
		{
			position[found] = (uint16_t) (first + i);
			distance[found] = lane[i];
			found += lane[i] <= limit;
		}
	}
	return found;
}

/* Planes whose weighted counts a byte holds: 8 * (1 + 2 + 4 + 8 + 16) < 256. */
#define PLANES_PER_SUM 5

/* 16 bytes at p; those from `end` on, where memory may end, become 0. */
HX_INLINE uint8x16_t
load_before(const uint8_t *p, const uint8_t *end)
{
	uint8_t		rest[16] = {0};

	if (p + 16 <= end)
		return vld1q_u8(p);
	memcpy(rest, p, (size_t) (end - p));
	return vld1q_u8(rest);
}

/* The weighted counts of the 16 bytes at `at` of a code. */
HX_INLINE uint32_t
count_digits(const HxDigits *query, uint8x16_t code, size_t at)
{
	uint32_t	sum = 0;

	for (unsigned end = query->planes; end > 0;)
	{
		const unsigned begin = end > PLANES_PER_SUM ? end - PLANES_PER_SUM : 0;
		uint8x16_t	counts = vdupq_n_u8(0);

		for (unsigned b = end; b-- > begin;)
		{
			const size_t offset = (size_t) b * query->stride + at;
			uint8x16_t	differ = veorq_u8(code, vld1q_u8(query->plane + offset));

			differ = vandq_u8(differ, vld1q_u8(query->mask + offset));
			counts = vaddq_u8(vaddq_u8(counts, counts), vcntq_u8(differ));
		}
		sum += (uint32_t) vaddlvq_u8(counts) << begin;
		end = begin;
	}
	return sum;
}

static void
digit_counts(const HxDigits *query, const uint8_t *codes, size_t count, uint32_t *out)
{
	const uint8_t *end = codes + count * query->bytes;

	for (size_t i = 0; i < count; i++)
	{
		const uint8_t *code = codes + i * query->bytes;
		uint32_t	sum = 0;

		for (size_t at = 0; at < query->bytes; at += 16)
			sum += count_digits(query, load_before(code + at, end), at);
		out[i] = sum;
	}
}

static void
f16_to_f32(const uint16_t *in, float *out, size_t n)
{
	for (; n >= 4; in += 4, out += 4, n -= 4)
		vst1q_f32(out, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(in))));
	for (size_t i = 0; i < n; i++)
		out[i] = half_to_float(in[i]);
}

#define HX_LEVEL HX_SIMD_NEON
#define HX_TABLE hx_kernels_neon
#include "kernel/level_table.h"

#endif
