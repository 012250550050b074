/*
 * bits_body.h
 *	  Counting bits one 64-bit word at a time: the whole of the generic and
 *	  x86-64-v2 levels, and the remainders of the vector levels.
 *
 * Included by each level file inside its target region, with HX_POPCOUNT64(x)
 * defined to that level's count of one bits in a word. This file has no include
 * guard on purpose, though each level includes it once.
 */

/* What is counted: the bits of a, of a xor b, or of a and b. */
typedef enum BitsOp
{
	BITS_A,
	BITS_XOR,
	BITS_AND,
} BitsOp;

HX_INLINE uint64_t
load_u64(const uint8_t *p)
{
	uint64_t	word;

	memcpy(&word, p, 8);
	return word;
}

/* The first `bytes` (< 8) bytes at p; where they lie in the word does not matter for counting. */
HX_INLINE uint64_t
load_rest(const uint8_t *p, unsigned bytes)
{
	uint64_t	word = 0;

	if (bytes & 4)
	{
		uint32_t	four;

		memcpy(&four, p, 4);
		word = four;
		p += 4;
	}
	if (bytes & 2)
	{
		uint16_t	two;

		memcpy(&two, p, 2);
		word = word << 16 | two;
		p += 2;
	}
	if (bytes & 1)
		word = word << 8 | *p;
	return word;
}

HX_INLINE uint64_t
combine_words(BitsOp op, uint64_t a, uint64_t b)
{
	switch (op)
	{
		case BITS_XOR:
			return a ^ b;
		case BITS_AND:
			return a & b;
		default:
			return a;
	}
}

/* The count over two byte strings, which need not be aligned. */
HX_INLINE uint64_t
count_words(BitsOp op, const uint8_t *a, const uint8_t *b, size_t bytes)
{
	uint64_t	sum = 0;

	for (; bytes >= 8; a += 8, b += 8, bytes -= 8)
		sum += HX_POPCOUNT64(combine_words(op, load_u64(a), load_u64(b)));
	if (bytes > 0)
		sum += HX_POPCOUNT64(combine_words(op, load_rest(a, (unsigned) bytes),
										   load_rest(b, (unsigned) bytes)));
	return sum;
}

/* The distance in the narrow planes, those of the last `rest` (< 8) bytes of a code. */
HX_INLINE uint64_t
rest_distance(const uint8_t *plane, size_t stride, const uint8_t *query, unsigned rest,
			  size_t position)
{
	uint64_t	sum = 0;

	if (rest & 4)
	{
		sum += HX_POPCOUNT64(load_rest(plane + position * 4, 4) ^ load_rest(query, 4));
		plane += stride * 4;
		query += 4;
	}
	if (rest & 2)
	{
		sum += HX_POPCOUNT64(load_rest(plane + position * 2, 2) ^ load_rest(query, 2));
		plane += stride * 2;
		query += 2;
	}
	if (rest & 1)
		sum += HX_POPCOUNT64((uint64_t) (plane[position] ^ *query));
	return sum;
}

/*
 * Distance of the query to the code at `position`: `words` planes of eight
 * bytes, then the narrow planes of the remaining `rest` bytes.
 */
HX_INLINE unsigned
distance_at(const HxPlanes *planes, const uint8_t *query, unsigned words, unsigned rest,
			size_t position)
{
	const size_t stride = planes->stride;
	const uint8_t *plane = planes->base;
	uint64_t	sum = 0;

	HX_UNROLL(8)
	for (unsigned w = 0; w < words; w++, plane += stride * 8)
		sum += HX_POPCOUNT64(load_u64(plane + position * 8) ^ load_u64(query + w * 8));

	if (rest > 0)
		sum += rest_distance(plane, stride, query + words * 8, rest, position);
	return (unsigned) sum;
}

/* The body of hamming_select for the codes from `first` on, after `found` were selected. */
HX_INLINE unsigned
select_words(const HxPlanes *planes, const uint8_t *query, unsigned words, unsigned rest,
			 unsigned limit, unsigned first, unsigned found,
			 uint16_t *position, uint16_t *distance)
{
	for (unsigned i = first; i < planes->count; i++)
	{
		unsigned	d = distance_at(planes, query, words, rest, i);

		/* Always written, kept when within the limit: survivors are hard to predict. */
		position[found] = (uint16_t) i;
		distance[found] = (uint16_t) d;
		found += d <= limit;
	}
	return found;
}
