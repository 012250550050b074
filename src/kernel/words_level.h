/*
 * words_level.h
 *	  The functions and the table of a level that has no bit vectors: it counts
 *	  word by word, and converts half floats by integer arithmetic.
 *
 * Included at the end of the level file, which has included bits_body.h and
 * float_body.h and has defined HX_LEVEL and HX_TABLE.
 */

static uint64_t
popcount(const uint8_t *a, size_t bytes)
{
	return count_words(BITS_A, a, a, bytes);
}

static uint64_t
hamming(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	return count_words(BITS_XOR, a, b, bytes);
}

static uint64_t
popcount_and(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	return count_words(BITS_AND, a, b, bytes);
}

static unsigned
hamming_select(const HxPlanes *planes, const uint8_t *query, unsigned limit,
			   uint16_t *position, uint16_t *distance)
{
	/* The common lengths get code of their own, with the loop over words unrolled. */
	switch (planes->code_bytes)
	{
		case 8:
			return select_words(planes, query, 1, 0, limit, 0, 0, position, distance);
		case 16:
			return select_words(planes, query, 2, 0, limit, 0, 0, position, distance);
		case 32:
			return select_words(planes, query, 4, 0, limit, 0, 0, position, distance);
		default:
			return select_words(planes, query, planes->code_bytes / 8, planes->code_bytes % 8,
								limit, 0, 0, position, distance);
	}
}

static void
f16_to_f32(const uint16_t *in, float *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = half_to_float(in[i]);
}

const HxKernels HX_TABLE = {
	.level = HX_LEVEL,
	.popcount = popcount,
	.hamming = hamming,
	.popcount_and = popcount_and,
	.hamming_select = hamming_select,
	.dot = dot,
	.l2_squared = l2_squared,
	.l1 = l1,
	.dot_norms = dot_norms,
	.f16_to_f32 = f16_to_f32,
	.hadamard = hadamard,
	.matvec = matvec,
	.column_distances = column_distances,
	.dot_doubles = dot_doubles,
	.multiply_tile = multiply_tile,
	.rotate_strip = rotate_strip,
};
