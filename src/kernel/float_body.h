/*
 * float_body.h
 *	  Sums over float vectors in an order that is frozen, the Hadamard transform,
 *	  and half floats: one source for all levels.
 *
 * Included by each level file inside its target region, with
 *		HX_DOUBLES		doubles in a register: 2, 4 or 8
 *		HX_FLOATS		floats in a register: 4, 8 or 16
 *		HX_WIDEN(p)		HX_DOUBLES floats at p as HxDoubles
 * defined. This file has no include guard on purpose, though each level
 * includes it once.
 *
 * The order: 16 running sums in double; element i goes to sum i mod 16. At the
 * end sum j takes in sum j + 8, then j + 4, j + 2, j + 1. Elements become
 * doubles first, and products and sums round separately. A product of two
 * floats is exact in double.
 */

#define HX_SUMS 16
#define HX_PARTS (HX_SUMS / HX_DOUBLES)

typedef double HxDoubles __attribute__((vector_size(HX_DOUBLES * 8)));
typedef int64_t HxDoubleBits __attribute__((vector_size(HX_DOUBLES * 8)));
typedef float HxFloats __attribute__((vector_size(HX_FLOATS * 4)));
typedef int32_t HxInts __attribute__((vector_size(HX_FLOATS * 4)));

/* The 16 running sums. */
typedef struct Sums
{
	HxDoubles	part[HX_PARTS];
} Sums;

HX_INLINE double
sums_total(const Sums *sums)
{
	double		lane[HX_SUMS];

	memcpy(lane, sums, sizeof(lane));
	for (int half = HX_SUMS / 2; half > 0; half /= 2)
		for (int j = 0; j < half; j++)
			lane[j] += lane[j + half];
	return lane[0];
}

HX_INLINE HxDoubles
absolute(HxDoubles x)
{
	return (HxDoubles) ((HxDoubleBits) x & INT64_MAX);
}

/* Each step adds 16 elements of a and b to the sums. */
HX_INLINE void
add_products(Sums *sums, const float *a, const float *b)
{
	HX_UNROLL(8)
	for (int p = 0; p < HX_PARTS; p++)
	{
		HxDoubles	x = HX_WIDEN(a + p * HX_DOUBLES);
		HxDoubles	y = HX_WIDEN(b + p * HX_DOUBLES);

		sums->part[p] += x * y;
	}
}

HX_INLINE void
add_squared_differences(Sums *sums, const float *a, const float *b)
{
	HX_UNROLL(8)
	for (int p = 0; p < HX_PARTS; p++)
	{
		HxDoubles	d = HX_WIDEN(a + p * HX_DOUBLES) - HX_WIDEN(b + p * HX_DOUBLES);

		sums->part[p] += d * d;
	}
}

HX_INLINE void
add_absolute_differences(Sums *sums, const float *a, const float *b)
{
	HX_UNROLL(8)
	for (int p = 0; p < HX_PARTS; p++)
	{
		HxDoubles	d = HX_WIDEN(a + p * HX_DOUBLES) - HX_WIDEN(b + p * HX_DOUBLES);

		sums->part[p] += absolute(d);
	}
}

/* The rest of a vector, filled up with zeros, which change no sum. */
typedef struct Tail
{
	float		a[HX_SUMS];
	float		b[HX_SUMS];
} Tail;

HX_INLINE Tail
tail_of(const float *a, const float *b, size_t n)
{
	Tail		tail = {{0}, {0}};

	memcpy(tail.a, a, n * sizeof(float));
	memcpy(tail.b, b, n * sizeof(float));
	return tail;
}

/* Runs one of the steps above over two whole vectors. */
HX_INLINE double
sum_over(void (*step) (Sums *, const float *, const float *),
		 const float *a, const float *b, size_t n)
{
	Sums		sums = {{{0}}};

	for (; n >= HX_SUMS; a += HX_SUMS, b += HX_SUMS, n -= HX_SUMS)
		step(&sums, a, b);
	if (n > 0)
	{
		Tail		tail = tail_of(a, b, n);

		step(&sums, tail.a, tail.b);
	}
	return sums_total(&sums);
}

static double
dot(const float *a, const float *b, size_t n)
{
	return sum_over(add_products, a, b, n);
}

static double
l2_squared(const float *a, const float *b, size_t n)
{
	return sum_over(add_squared_differences, a, b, n);
}

static double
l1(const float *a, const float *b, size_t n)
{
	return sum_over(add_absolute_differences, a, b, n);
}

static HxDotNorms
dot_norms(const float *a, const float *b, size_t n)
{
	Sums		ab = {{{0}}};
	Sums		aa = {{{0}}};
	Sums		bb = {{{0}}};

	for (; n >= HX_SUMS; a += HX_SUMS, b += HX_SUMS, n -= HX_SUMS)
	{
		add_products(&ab, a, b);
		add_products(&aa, a, a);
		add_products(&bb, b, b);
	}
	if (n > 0)
	{
		Tail		tail = tail_of(a, b, n);

		add_products(&ab, tail.a, tail.b);
		add_products(&aa, tail.a, tail.a);
		add_products(&bb, tail.b, tail.b);
	}
	return (HxDotNorms) {sums_total(&ab), sums_total(&aa), sums_total(&bb)};
}

HX_INLINE HxFloats
load_floats(const float *p)
{
	HxFloats	x;

	memcpy(&x, p, sizeof(x));
	return x;
}

HX_INLINE void
store_floats(float *p, HxFloats x)
{
	memcpy(p, &x, sizeof(x));
}

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
#elif HX_FLOATS == 8
#define HX_SWAP(x, h) ((HxFloats) {HX_SWAP_4(x, h, 0), HX_SWAP_4(x, h, 4)})
#define HX_SIGNS(h) ((HxFloats) {HX_SIGNS_4(h, 0), HX_SIGNS_4(h, 4)})
#else
#define HX_SWAP(x, h) \
	((HxFloats) {HX_SWAP_4(x, h, 0), HX_SWAP_4(x, h, 4), HX_SWAP_4(x, h, 8), HX_SWAP_4(x, h, 12)})
#define HX_SIGNS(h) \
	((HxFloats) {HX_SIGNS_4(h, 0), HX_SIGNS_4(h, 4), HX_SIGNS_4(h, 8), HX_SIGNS_4(h, 12)})
#endif

/*
 * The butterflies of one register, at distances 1, 2, 4, ... of lanes: of a
 * pair, the lower lane gets the sum and the upper one lower minus upper.
 */
HX_INLINE HxFloats
hadamard_register(HxFloats x)
{
	x = HX_SWAP(x, 1) + x * HX_SIGNS(1);
	x = HX_SWAP(x, 2) + x * HX_SIGNS(2);
#if HX_FLOATS >= 8
	x = HX_SWAP(x, 4) + x * HX_SIGNS(4);
#endif
#if HX_FLOATS >= 16
	x = HX_SWAP(x, 8) + x * HX_SIGNS(8);
#endif
	return x;
}

/* The butterflies at distance h, in plain C for vectors shorter than a register. */
HX_INLINE void
hadamard_step_short(float *x, size_t n, size_t h)
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

static void
hadamard(float *x, size_t n)
{
	size_t		h = HX_FLOATS;

	if (n < HX_FLOATS)
	{
		for (h = 1; h < n; h *= 2)
			hadamard_step_short(x, n, h);
		return;
	}

	for (size_t i = 0; i < n; i += HX_FLOATS)
		store_floats(x + i, hadamard_register(load_floats(x + i)));
	for (; h * 4 <= n; h *= 4)
		hadamard_two_steps(x, n, h);
	if (h < n)
		hadamard_step(x, n, h);
}

/*
 * One half-precision number, exactly. Half and single differ in the bias of
 * their exponents, 15 and 127: a multiplication by 2^112 moves a number from
 * one to the other, and makes the subnormal ones normal on the way.
 */
HX_INLINE float
half_to_float(uint16_t half)
{
	uint32_t	sign = (uint32_t) (half & 0x8000) << 16;
	uint32_t	bits = (uint32_t) (half & 0x7fff) << 13;
	float		value;

	memcpy(&value, &bits, 4);
	value *= 0x1p112f;
	memcpy(&bits, &value, 4);
	if ((half & 0x7c00) == 0x7c00)
		bits |= UINT32_C(0x7f800000);	/* infinity and NaN stay what they are */
	bits |= sign;
	memcpy(&value, &bits, 4);
	return value;
}
