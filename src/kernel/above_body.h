/*
 * above_body.h
 *	  Which numbers are above their limits, as the bits of a code: one source for all
 *	  levels.
 *
 * Included by each level file after HX_SIGN_BITS is defined (stored_body.h). No include
 * guard on purpose.
 */

/* Numbers of a step: as many as there are bits in what it gives. */
#define HX_ABOVE_STEP 32

/* Bit i: whether x[i] > limits[i]; of NULL limits, 0. */
HX_INLINE uint32_t
above_step(const float *x, const float *limits)
{
	uint32_t	bits = 0;

	HX_UNROLL(8)
	for (int p = 0; p < HX_ABOVE_STEP / HX_FLOATS; p++)
	{
		const HxFloats zero = {0};
		const HxFloats limit = limits == NULL ? zero : load_floats(limits + p * HX_FLOATS);
		const HxInts greater = load_floats(x + p * HX_FLOATS) > limit;

		bits |= (uint32_t) HX_SIGN_BITS(greater) << (p * HX_FLOATS);
	}
	return bits;
}

/* Writes the bits of `bytes` bytes; the first of a code is the high bit of its byte. */
HX_INLINE void
put_code(uint32_t bits, uint8_t *code, size_t bytes)
{
	bits = (bits & 0x0f0f0f0f) << 4 | (bits >> 4 & 0x0f0f0f0f);
	bits = (bits & 0x33333333) << 2 | (bits >> 2 & 0x33333333);
	bits = (bits & 0x55555555) << 1 | (bits >> 1 & 0x55555555);
	for (size_t i = 0; i < bytes; i++)
		code[i] = (uint8_t) (bits >> (8 * i));
}

static void
above(const float *x, const float *limits, size_t n, uint8_t *code)
{
	size_t		i;

	for (i = 0; i + HX_ABOVE_STEP <= n; i += HX_ABOVE_STEP)
		put_code(above_step(x + i, limits == NULL ? NULL : limits + i), code + i / 8,
				 HX_ABOVE_STEP / 8);
	if (i < n)
	{
		float		rest[HX_ABOVE_STEP] = {0};
		float		last[HX_ABOVE_STEP] = {0};

		memcpy(rest, x + i, (n - i) * sizeof(float));
		if (limits != NULL)
			memcpy(last, limits + i, (n - i) * sizeof(float));
		put_code(above_step(rest, last), code + i / 8, (n - i + 7) / 8);
	}
}
