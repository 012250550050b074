/*
 * hadamard_body.h
 *	  Signs and the Walsh-Hadamard transform: one source for all levels.
 *
 * Included by each level file after float_body.h. A level that can do better than is done
 * here defines before
 *		HX_ADD_SIGNED(y, x, signs)	y + x * signs, where signs are 1 or -1
 *		HX_FLIP(x, bits)			x, with the sign of lane i changed where bit i is set
 * This file has no include guard on purpose.
 *
 * All butterflies at one distance come before those at the next, 1, 2, 4 ... n / 2, as
 * their rounding asks for; the order within a distance is free. The first distances are
 * done in registers, for a block at a time.
 */

/* Registers of a block; some others must be left. */
#define HX_BLOCK_REGISTERS (HX_FLOATS == 16 ? 16 : 8)

/*
 * Lane i of HX_SWAP is lane i ^ h of x, and lane i of HX_SIGNS is -1 where i has
 * the bit h, else 1. h must be a literal: each becomes one shuffle or constant.
 */
#define HX_SWAP_4(x, h, i) \
	(x)[(i) ^ (h)], (x)[((i) + 1) ^ (h)], (x)[((i) + 2) ^ (h)], (x)[((i) + 3) ^ (h)]
#define HX_SIGN(h, i) (((i) & (h)) != 0 ? -1.0f : 1.0f)
#define HX_SIGNS_4(h, i) \
	HX_SIGN(h, i), HX_SIGN(h, (i) + 1), HX_SIGN(h, (i) + 2), HX_SIGN(h, (i) + 3)

#if HX_FLOATS == 4
#define HX_SWAP(x, h) ((HxFloats) {HX_SWAP_4(x, h, 0)})
#define HX_SIGNS(h) ((HxFloats) {HX_SIGNS_4(h, 0)})
#define HX_LANE_BITS ((HxInts) {1, 2, 4, 8})
#elif HX_FLOATS == 8
#define HX_SWAP(x, h) ((HxFloats) {HX_SWAP_4(x, h, 0), HX_SWAP_4(x, h, 4)})
#define HX_SIGNS(h) ((HxFloats) {HX_SIGNS_4(h, 0), HX_SIGNS_4(h, 4)})
#define HX_LANE_BITS ((HxInts) {1, 2, 4, 8, 16, 32, 64, 128})
#else
#define HX_SWAP(x, h) \
	((HxFloats) {HX_SWAP_4(x, h, 0), HX_SWAP_4(x, h, 4), HX_SWAP_4(x, h, 8), HX_SWAP_4(x, h, 12)})
#define HX_SIGNS(h) \
	((HxFloats) {HX_SIGNS_4(h, 0), HX_SIGNS_4(h, 4), HX_SIGNS_4(h, 8), HX_SIGNS_4(h, 12)})
#endif

#ifndef HX_ADD_SIGNED
#define HX_ADD_SIGNED(y, x, signs) ((y) + (x) * (signs))
#endif

#ifndef HX_FLIP
#define HX_FLIP(x, bits) flip_lanes(x, bits)

HX_INLINE HxFloats
flip_lanes(HxFloats x, uint32_t bits)
{
	HxInts		these = ((HxInts) {0} + (int32_t) bits) & HX_LANE_BITS;

	return (HxFloats) ((HxInts) x ^ ((these == HX_LANE_BITS) & INT32_MIN));
}
#endif

/*
 * The butterflies of one register, at distances 1, 2, 4, ... of lanes: of a
 * pair, the lower lane gets the sum and the upper one lower minus upper.
 */
HX_INLINE HxFloats
hadamard_register(HxFloats x)
{
	x = HX_ADD_SIGNED(HX_SWAP(x, 1), x, HX_SIGNS(1));
	x = HX_ADD_SIGNED(HX_SWAP(x, 2), x, HX_SIGNS(2));
#if HX_FLOATS >= 8
	x = HX_ADD_SIGNED(HX_SWAP(x, 4), x, HX_SIGNS(4));
#endif
#if HX_FLOATS >= 16
	x = HX_ADD_SIGNED(HX_SWAP(x, 8), x, HX_SIGNS(8));
#endif
	return x;
}

/*
 * Changes the signs of a block, and does the butterflies within it. `registers` is a
 * literal, a power of two; x is at place `at` of the vector, for which the signs are.
 */
HX_INLINE void
hadamard_block(float *x, int registers, const uint64_t *signs, size_t at)
{
	HxFloats	block[HX_BLOCK_REGISTERS];

	HX_UNROLL(16)
	for (int r = 0; r < registers; r++)
	{
		const size_t place = at + r * HX_FLOATS;

		block[r] = load_floats(x + r * HX_FLOATS);
		if (signs != NULL)
			block[r] = HX_FLIP(block[r], (uint32_t) (signs[place / 64] >> place % 64));
		block[r] = hadamard_register(block[r]);
	}
	HX_UNROLL(4)
	for (int level = 0; level < 4; level++)
	{
		const int	h = 1 << level;

		HX_UNROLL(16)
		for (int r = 0; r < registers; r++)
		{
			if ((r & h) == 0 && r + h < registers)
			{
				const HxFloats a = block[r];
				const HxFloats b = block[r + h];

				block[r] = a + b;
				block[r + h] = a - b;
			}
		}
	}
	HX_UNROLL(16)
	for (int r = 0; r < registers; r++)
		store_floats(x + r * HX_FLOATS, block[r]);
}

/* All of it in plain C, for vectors shorter than a register. */
HX_INLINE void
hadamard_short(float *x, size_t n, const uint64_t *signs)
{
	for (size_t i = 0; signs != NULL && i < n; i++)
		x[i] = signs[0] >> i & 1 ? -x[i] : x[i];
	for (size_t h = 1; h < n; h *= 2)
	{
		for (size_t i = 0; i < n; i++)
		{
			if ((i & h) == 0)
			{
				float		a = x[i];
				float		b = x[i + h];

				x[i] = a + b;
				x[i + h] = a - b;
			}
		}
	}
}

/* The butterflies at distance h, at least a register. */
HX_INLINE void
hadamard_step(float *x, size_t n, size_t h)
{
	for (size_t block = 0; block < n; block += 2 * h)
	{
		for (size_t i = block; i < block + h; i += HX_FLOATS)
		{
			HxFloats	a = load_floats(x + i);
			HxFloats	b = load_floats(x + i + h);

			store_floats(x + i, a + b);
			store_floats(x + i + h, a - b);
		}
	}
}

/* The butterflies at distances h and 2h in one pass over memory. */
HX_INLINE void
hadamard_two_steps(float *x, size_t n, size_t h)
{
	for (size_t block = 0; block < n; block += 4 * h)
	{
		for (size_t i = block; i < block + h; i += HX_FLOATS)
		{
			HxFloats	a = load_floats(x + i);
			HxFloats	b = load_floats(x + i + h);
			HxFloats	c = load_floats(x + i + 2 * h);
			HxFloats	d = load_floats(x + i + 3 * h);
			HxFloats	ab = a + b;
			HxFloats	cd = c + d;

			store_floats(x + i, ab + cd);
			store_floats(x + i + 2 * h, ab - cd);
			ab = a - b;
			cd = c - d;
			store_floats(x + i + h, ab + cd);
			store_floats(x + i + 3 * h, ab - cd);
		}
	}
}

/* The distances within blocks of so many registers. */
HX_INLINE void
hadamard_blocks(float *x, size_t n, int registers, const uint64_t *signs)
{
	for (size_t at = 0; at < n; at += registers * HX_FLOATS)
		hadamard_block(x + at, registers, signs, at);
}

static void
hadamard(float *x, size_t n, const uint64_t *signs)
{
	size_t		h = HX_BLOCK_REGISTERS * HX_FLOATS;

	if (n < HX_FLOATS)
	{
		hadamard_short(x, n, signs);
		return;
	}
	if (n < h)
	{
		h = HX_FLOATS;
		hadamard_blocks(x, n, 1, signs);
	}
	else if (signs != NULL)
		hadamard_blocks(x, n, HX_BLOCK_REGISTERS, signs);
	else
		hadamard_blocks(x, n, HX_BLOCK_REGISTERS, NULL);

	for (; h * 4 <= n; h *= 4)
		hadamard_two_steps(x, n, h);
	if (h < n)
		hadamard_step(x, n, h);
}
