/*
 * digits_body.h
 *	  Weighted counts of differing bits, a word at a time: the whole of the levels
 *	  without bit vectors.
 *
 * Included by such levels after bits_body.h. No include guard on purpose.
 */

/* Differing bits in one plane, of those in the mask. */
HX_INLINE uint64_t
count_masked(const uint8_t *code, const uint8_t *plane, const uint8_t *mask, size_t bytes)
{
	uint64_t	sum = 0;

	for (; bytes >= 8; code += 8, plane += 8, mask += 8, bytes -= 8)
		sum += HX_POPCOUNT64((load_u64(code) ^ load_u64(plane)) & load_u64(mask));
	if (bytes > 0)
	{
		const unsigned rest = (unsigned) bytes;

		sum += HX_POPCOUNT64((load_rest(code, rest) ^ load_rest(plane, rest)) &
							 load_rest(mask, rest));
	}
	return sum;
}

static void
digit_counts(const HxDigits *query, const uint8_t *codes, size_t count, uint32_t *out)
{
	for (size_t i = 0; i < count; i++)
	{
		const uint8_t *code = codes + i * query->bytes;
		uint64_t	sum = 0;

		for (size_t b = query->planes; b-- > 0;)
			sum = 2 * sum + count_masked(code, query->plane + b * query->stride,
										 query->mask + b * query->stride, query->bytes);
		out[i] = (uint32_t) sum;
	}
}
