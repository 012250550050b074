/*
 * halves_body.h
 *	  Halves, and the signs of lanes, for levels with registers of four floats that have
 *	  no instructions for them.
 *
 * Included after float_body.h by the levels that end with words_level.h.
 */

/* As half_to_float(), for four finite halves. */
HX_INLINE HxFloats
four_halves(const uint8_t *p)
{
	uint16_t	half[4];
	HxInts		bits;
	HxInts		sign;

	memcpy(half, p, sizeof(half));
	bits = (HxInts) {half[0], half[1], half[2], half[3]};
	sign = (bits & 0x8000) << 16;
	bits = (HxInts) ((HxFloats) ((bits & 0x7fff) << 13) * 0x1p112f);
	return (HxFloats) (bits | sign);
}

HX_INLINE unsigned
four_sign_bits(HxInts x)
{
	const HxInts bits = (HxInts) (x < 0) & (HxInts) {1, 2, 4, 8};

	return (unsigned) (bits[0] | bits[1] | bits[2] | bits[3]);
}

#define HX_HALVES(p) four_halves(p)
#define HX_SIGN_BITS(x) four_sign_bits(x)
