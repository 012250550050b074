/*
 * words_level.h
 *	  The end of a level that has no bit vectors: it counts word by word, and
 *	  converts half floats by integer arithmetic.
 *
 * Included at the end of the level file, which has included the bodies and has
 * defined HX_LEVEL and HX_TABLE.
 */

HX_INLINE uint64_t
count_bits(BitsOp op, const uint8_t *a, const uint8_t *b, size_t bytes)
{
	return count_words(op, a, b, bytes);
}

HX_INLINE unsigned
select_codes(const HxPlanes *planes, const uint8_t *query, unsigned words, unsigned rest,
			 unsigned limit, uint16_t *position, uint16_t *distance)
{
	return select_words(planes, query, words, rest, limit, 0, 0, position, distance);
}

/* Stored vectors lie anywhere. */
static void
f16_to_f32(const uint16_t *in, float *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		uint16_t	half;

		memcpy(&half, (const char *) in + i * sizeof(half), sizeof(half));
		out[i] = half_to_float(half);
	}
}

#include "kernel/level_table.h"
