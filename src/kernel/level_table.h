/*
 * level_table.h
 *	  What every level ends with: the functions that only choose among the level's
 *	  own, and its table.
 *
 * Included at the end of each level file, with HX_LEVEL and HX_TABLE defined and
 *		count_bits(op, a, b, bytes)
 *		select_codes(planes, query, words, rest, limit, position, distance)
 *		f16_to_f32, digit_counts, scan_block
 * its own; the rest comes from the bodies. No include guard on purpose.
 */

static uint64_t
popcount(const uint8_t *a, size_t bytes)
{
	return count_bits(BITS_A, a, a, bytes);
}

static uint64_t
hamming(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	return count_bits(BITS_XOR, a, b, bytes);
}

static uint64_t
popcount_and(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	return count_bits(BITS_AND, a, b, bytes);
}

static unsigned
hamming_select(const HxPlanes *planes, const uint8_t *query, unsigned limit,
			   uint16_t *position, uint16_t *distance)
{
	/* The common lengths get code of their own, with the loop over words unrolled. */
	switch (planes->code_bytes)
	{
		case 8:
			return select_codes(planes, query, 1, 0, limit, position, distance);
		case 16:
			return select_codes(planes, query, 2, 0, limit, position, distance);
		case 32:
			return select_codes(planes, query, 4, 0, limit, position, distance);
		case 64:
			return select_codes(planes, query, 8, 0, limit, position, distance);
		default:
			return select_codes(planes, query, planes->code_bytes / 8, planes->code_bytes % 8,
								limit, position, distance);
	}
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
	.multiply = multiply,
	.scale = scale,
	.subtract = subtract,
	.largest = largest,
	.above = above,
	.l2_halves = l2_halves,
	.dot_halves = dot_halves,
	.l2_bytes = l2_bytes,
	.dot_bytes = dot_bytes,
	.encode_residual = encode_residual,
	.digit_counts = digit_counts,
	.scan_block = scan_block,
	.f16_to_f32 = f16_to_f32,
	.hadamard = hadamard,
	.matvec = matvec,
	.column_distances = column_distances,
	.matvec_whole = HX_MATVEC_WHOLE,
	.round_whole = round_whole,
	.exponentials = exponentials,
	.dot_doubles = dot_doubles,
	.multiply_tile = multiply_tile,
	.rotate_strip = rotate_strip,
};
