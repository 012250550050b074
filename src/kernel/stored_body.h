/*
 * stored_body.h
 *	  A vector of floats against halves or bytes, and the code of a difference of two
 *	  vectors: sums in float in a frozen order, one source for all levels.
 *
 * Included by each level file after float_body.h, with
 *		HX_HALVES(p)	HX_FLOATS finite halves at p as HxFloats
 *		HX_BYTES(p)		HX_FLOATS bytes at p as HxInts
 *		HX_SIGN_BITS(x)	bit i: whether lane i of HxInts x is negative
 * defined. No include guard on purpose.
 *
 * The order: 32 running sums in float; element i goes to sum i mod 32, except the last
 * n mod 32 of n > 32 elements: those go to the last sums, the last one to sum 31, so that
 * they can be read as the end of the last 32. At the end sum j takes in sum j + 16, then
 * j + 8, j + 4, j + 2, j + 1. All products round separately.
 */

#define HX_LANES 32
#define HX_REGISTERS (HX_LANES / HX_FLOATS)

/* The 32 running sums. */
typedef struct Lanes
{
	HxFloats	part[HX_REGISTERS];
} Lanes;

HX_INLINE HxFloats
all_lanes(float x)
{
	return x - (HxFloats) {0};
}

HX_INLINE float
lanes_total(Lanes *lanes)
{
	HxFloats	x;

	HX_UNROLL(4)
	for (int half = HX_REGISTERS / 2; half > 0; half /= 2)
		for (int p = 0; p < half; p++)
			lanes->part[p] += lanes->part[p + half];
	x = lanes->part[0];
#if HX_FLOATS >= 16
	x += HX_SWAP(x, 8);
#endif
#if HX_FLOATS >= 8
	x += HX_SWAP(x, 4);
#endif
	x += HX_SWAP(x, 2);
	x += HX_SWAP(x, 1);
	return x[0];
}

/* The lanes from number `first` on, which may be outside the register; 0 in the others. */
HX_INLINE HxFloats
lanes_from(HxFloats x, int first)
{
	static const int32_t number[HX_FLOATS] = {
		0, 1, 2, 3,
#if HX_FLOATS >= 8
		4, 5, 6, 7,
#endif
#if HX_FLOATS >= 16
		8, 9, 10, 11, 12, 13, 14, 15,
#endif
	};
	HxInts		lanes;

	memcpy(&lanes, number, sizeof(lanes));
	return (HxFloats) ((HxInts) x & (HxInts) (lanes >= first));
}

/* What is summed over a float and a stored number. */
typedef enum StoredOp
{
	HALVES_L2,
	HALVES_DOT,
	BYTES_L2,
	BYTES_DOT,
} StoredOp;

HX_INLINE size_t
stored_width(StoredOp op)
{
	return op == HALVES_L2 || op == HALVES_DOT ? 2 : 1;
}

/*
 * 1 + code / 256: the code is put into the mantissa of 1.0, which is cheaper than to
 * convert it. The product with a step then rounds to within 2^-15 of a code.
 */
HX_INLINE HxFloats
byte_floats(HxInts codes)
{
	return (HxFloats) (codes << 15 | 0x3f800000);
}

HX_INLINE HxFloats
stored_terms(StoredOp op, HxFloats q, const uint8_t *x, HxFloats base, HxFloats step)
{
	HxFloats	d;

	switch (op)
	{
		case HALVES_DOT:
			return q * HX_HALVES(x);
		case BYTES_DOT:
			return q * byte_floats(HX_BYTES(x));
		case HALVES_L2:
			d = q - HX_HALVES(x) * step;
			return d * d;
		default:
			d = q - base - byte_floats(HX_BYTES(x)) * step;
			return d * d;
	}
}

/* Adds the terms of 32 elements, from element `first` of them on. */
HX_INLINE void
add_stored(StoredOp op, Lanes *sums, const float *q, const uint8_t *x, HxFloats base,
		   HxFloats step, int first)
{
	const size_t width = stored_width(op);

	HX_UNROLL(8)
	for (int p = 0; p < HX_REGISTERS; p++)
	{
		HxFloats	terms = stored_terms(op, load_floats(q + p * HX_FLOATS),
										 x + p * HX_FLOATS * width, base, step);

		sums->part[p] += first > 0 ? lanes_from(terms, first - p * HX_FLOATS) : terms;
	}
}

HX_INLINE float
sum_stored(StoredOp op, const float *q, const uint8_t *x, float base, float step, size_t n)
{
	const size_t width = stored_width(op);
	const HxFloats bases = all_lanes(base);
	const HxFloats steps = all_lanes(step);
	Lanes		sums = {{{0}}};
	size_t		at = 0;

	for (; at + HX_LANES <= n; at += HX_LANES)
		add_stored(op, &sums, q + at, x + at * width, bases, steps, 0);
	if (at < n && at > 0)
		add_stored(op, &sums, q + n - HX_LANES, x + (n - HX_LANES) * width, bases, steps,
				   (int) (at + HX_LANES - n));
	else if (at < n)
	{
		float		few_q[HX_LANES] = {0};
		uint8_t		few_x[HX_LANES * 2] = {0};

		memcpy(few_q + HX_LANES - n, q, n * sizeof(float));
		memcpy(few_x + (HX_LANES - n) * width, x, n * width);
		add_stored(op, &sums, few_q, few_x, bases, steps, (int) (HX_LANES - n));
	}
	return lanes_total(&sums);
}

static float
l2_halves(const float *q, const uint8_t *halves, float scale, size_t n)
{
	return sum_stored(HALVES_L2, q, halves, 0, scale, n);
}

static float
dot_halves(const float *q, const uint8_t *halves, size_t n)
{
	return sum_stored(HALVES_DOT, q, halves, 0, 0, n);
}

static float
l2_bytes(const float *q, const uint8_t *codes, float base, float step, size_t n)
{
	return sum_stored(BYTES_L2, q, codes, base, step, n);
}

static float
dot_bytes(const float *q, const uint8_t *codes, size_t n)
{
	return sum_stored(BYTES_DOT, q, codes, 0, 0, n);
}

/* The sums of a residual while they run. */
typedef struct ResidualSums
{
	Lanes		squares;
	Lanes		product;
	Lanes		cross;
} ResidualSums;

#define HX_SIGN_BIT INT32_MIN

/* Bits of 32 elements. */
typedef struct ResidualBits
{
	uint32_t	signs;
	uint32_t	seconds;
} ResidualBits;

/* The bits of 32 elements; the sums take in those from element `first` of them on. */
HX_INLINE ResidualBits
add_residual(bool two_bits, ResidualSums *sums, const float *node, const float *other,
			 HxFloats limit, int first)
{
	ResidualBits bits = {0, 0};

	HX_UNROLL(8)
	for (int p = 0; p < HX_REGISTERS; p++)
	{
		HxFloats	v = load_floats(node + p * HX_FLOATS);
		HxFloats	r = load_floats(other + p * HX_FLOATS) - v;
		HxInts		positive = r > 0.0f;
		HxInts		minus = ~positive & HX_SIGN_BIT;
		HxFloats	length = (HxFloats) ((HxInts) r & INT32_MAX);
		HxFloats	along = (HxFloats) ((HxInts) v ^ minus);

		bits.signs |= (uint32_t) HX_SIGN_BITS(positive) << (p * HX_FLOATS);
		if (two_bits)
		{
			HxInts		large = length > limit;
			HxFloats	x = 0.5f + (HxFloats) (large & (HxInts) all_lanes(1.0f));

			bits.seconds |= (uint32_t) HX_SIGN_BITS(~(large ^ positive)) << (p * HX_FLOATS);
			length *= x;
			along *= x;
		}
		if (first > 0)
		{
			r = lanes_from(r, first - p * HX_FLOATS);
			length = lanes_from(length, first - p * HX_FLOATS);
			along = lanes_from(along, first - p * HX_FLOATS);
		}
		sums->squares.part[p] += r * r;
		sums->product.part[p] += length;
		sums->cross.part[p] += along;
	}
	return bits;
}

/* Writes the bits of n elements, from element `at` on; both are multiples of 8. */
HX_INLINE void
put_bits(uint8_t *signs, uint8_t *seconds, size_t at, size_t n, ResidualBits bits)
{
	for (size_t byte = 0; byte < n / 8; byte++)
	{
		signs[at / 8 + byte] = (uint8_t) (bits.signs >> (byte * 8));
		if (seconds != NULL)
			seconds[at / 8 + byte] = (uint8_t) (bits.seconds >> (byte * 8));
	}
}

HX_INLINE HxResidual
sum_residual(bool two_bits, const float *node, const float *other, size_t n, float limit,
			 uint8_t *signs, uint8_t *seconds)
{
	const HxFloats limits = all_lanes(limit);
	ResidualSums sums = {{{{0}}}, {{{0}}}, {{{0}}}};
	size_t		at = 0;

	for (; at + HX_LANES <= n; at += HX_LANES)
		put_bits(signs, seconds, at, HX_LANES,
				 add_residual(two_bits, &sums, node + at, other + at, limits, 0));
	if (at < n && at > 0)
		put_bits(signs, seconds, n - HX_LANES, HX_LANES,
				 add_residual(two_bits, &sums, node + n - HX_LANES, other + n - HX_LANES, limits,
							  (int) (at + HX_LANES - n)));
	else if (at < n)
	{
		const size_t skip = HX_LANES - n;
		float		few_node[HX_LANES] = {0};
		float		few_other[HX_LANES] = {0};
		ResidualBits bits;

		memcpy(few_node + skip, node, n * sizeof(float));
		memcpy(few_other + skip, other, n * sizeof(float));
		bits = add_residual(two_bits, &sums, few_node, few_other, limits, (int) skip);
		bits.signs >>= skip;
		bits.seconds >>= skip;
		put_bits(signs, seconds, 0, n, bits);
	}
	return (HxResidual) {lanes_total(&sums.squares), lanes_total(&sums.product),
						 lanes_total(&sums.cross)};
}

static HxResidual
encode_residual(const float *node, const float *other, size_t n, float limit,
				uint8_t *signs, uint8_t *seconds)
{
	if (seconds == NULL)
		return sum_residual(false, node, other, n, limit, signs, NULL);
	return sum_residual(true, node, other, n, limit, signs, seconds);
}
