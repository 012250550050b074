/*
 * float_body.h
 *	  Sums over float vectors in an order that is frozen, and half floats: one source
 *	  for all levels.
 *
 * Included by each level file inside its target region, with
 *		HX_DOUBLES		doubles in a register: 2, 4 or 8
 *		HX_FLOATS		floats in a register: 4, 8 or 16
 *		HX_WIDEN(p)		HX_DOUBLES floats at p as HxDoubles
 *		HX_GREATER(a, b)	the greater of each two lanes of HxInts
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

static void
multiply(const float *x, float factor, size_t n, float *out)
{
	for (; n >= HX_FLOATS; n -= HX_FLOATS, x += HX_FLOATS, out += HX_FLOATS)
		store_floats(out, load_floats(x) * factor);
	for (size_t i = 0; i < n; i++)
		out[i] = x[i] * factor;
}

static void
scale(const float *x, double factor, size_t n, float *out)
{
	typedef float Products __attribute__((vector_size(HX_DOUBLES * 4)));

	for (; n >= HX_DOUBLES; n -= HX_DOUBLES, x += HX_DOUBLES, out += HX_DOUBLES)
	{
		const Products products = __builtin_convertvector(HX_WIDEN(x) * factor, Products);

		memcpy(out, &products, sizeof(products));
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (float) (x[i] * factor);
}

static void
subtract(const float *x, const float *y, size_t n, float *out)
{
	for (; n >= HX_FLOATS; n -= HX_FLOATS, x += HX_FLOATS, y += HX_FLOATS, out += HX_FLOATS)
		store_floats(out, load_floats(x) - load_floats(y));
	for (size_t i = 0; i < n; i++)
		out[i] = x[i] - y[i];
}

/* Without their signs, floats are ordered as their bits are; NaN comes after infinity. */
static float
largest(const float *x, size_t n)
{
	HxInts		most = {0};
	int32_t		lane[HX_FLOATS];
	float		result;
	size_t		i;

	for (i = 0; i + HX_FLOATS <= n; i += HX_FLOATS)
	{
		const HxInts magnitude = (HxInts) load_floats(x + i) & INT32_MAX;

		most = HX_GREATER(magnitude, most);
	}
	memcpy(lane, &most, sizeof(lane));
	for (; i < n; i++)
	{
		int32_t		magnitude;

		memcpy(&magnitude, x + i, sizeof(magnitude));
		magnitude &= INT32_MAX;
		lane[0] = magnitude > lane[0] ? magnitude : lane[0];
	}
	for (int j = 1; j < HX_FLOATS; j++)
		lane[0] = lane[j] > lane[0] ? lane[j] : lane[0];
	memcpy(&result, lane, sizeof(result));
	return result;
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
