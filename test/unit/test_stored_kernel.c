/*
 * test_stored_kernel.c
 *	  Sums of a float vector and halves or bytes, and the codes of residuals, at every
 *	  SIMD level: bit for bit against the definition of the frozen order.
 */
#include "unit.h"

#include <math.h>

#include "guarded.h"

#define MAX_LENGTH 1100

/*
 * The frozen order: 32 sums, element i in sum i mod 32 but for the last elements, which are
 * in the last sums; folded in halves.
 */
static size_t
lane_of(size_t i, size_t n)
{
	return i < n / 32 * 32 ? i % 32 : i + 32 - n;
}

static float
fold(float lane[32])
{
	for (int half = 16; half >= 1; half /= 2)
	{
		for (int j = 0; j < half; j++)
		{
			volatile float sum = lane[j] + lane[j + half];

			lane[j] = sum;
		}
	}
	return lane[0];
}

static void
add_to(float *lane, float term)
{
	volatile float sum = *lane + term;

	*lane = sum;
}

static float
product_of(float a, float b)
{
	volatile float product = a * b;

	return product;
}

/* A half by its definition. */
static float
half_value(const uint8_t *p)
{
	uint16_t	half;
	unsigned	exponent;
	double		value;

	memcpy(&half, p, 2);
	exponent = half >> 10 & 31;
	value = exponent == 0 ? ldexp(half & 1023, -24) :
		ldexp((half & 1023) + 1024, (int) exponent - 25);
	return (float) ((half & 0x8000) != 0 ? -value : value);
}

static float
naive_l2_halves(const float *q, const uint8_t *halves, float scale, size_t n)
{
	float		lane[32] = {0};

	for (size_t i = 0; i < n; i++)
	{
		volatile float d = q[i] - product_of(half_value(halves + 2 * i), scale);

		add_to(&lane[lane_of(i, n)], product_of(d, d));
	}
	return fold(lane);
}

static float
naive_dot_halves(const float *q, const uint8_t *halves, size_t n)
{
	float		lane[32] = {0};

	for (size_t i = 0; i < n; i++)
		add_to(&lane[lane_of(i, n)], product_of(q[i], half_value(halves + 2 * i)));
	return fold(lane);
}

static float
naive_l2_bytes(const float *q, const uint8_t *codes, float base, float step, size_t n)
{
	float		lane[32] = {0};

	for (size_t i = 0; i < n; i++)
	{
		volatile float above = q[i] - base;
		volatile float d = above - product_of(1 + codes[i] / 256.0f, step);

		add_to(&lane[lane_of(i, n)], product_of(d, d));
	}
	return fold(lane);
}

static float
naive_dot_bytes(const float *q, const uint8_t *codes, size_t n)
{
	float		lane[32] = {0};

	for (size_t i = 0; i < n; i++)
		add_to(&lane[lane_of(i, n)], product_of(q[i], 1 + codes[i] / 256.0f));
	return fold(lane);
}

static HxResidual
naive_residual(const float *node, const float *other, size_t n, float limit,
			   uint8_t *signs, uint8_t *seconds)
{
	float		squares[32] = {0};
	float		product[32] = {0};
	float		cross[32] = {0};

	memset(signs, 0, n / 8);
	if (seconds != NULL)
		memset(seconds, 0, n / 8);
	for (size_t i = 0; i < n; i++)
	{
		volatile float r = other[i] - node[i];
		float		x = r > 0 ? 1 : -1;

		signs[i / 8] |= (uint8_t) ((r > 0) << (i % 8));
		if (seconds != NULL)
		{
			const bool	large = fabsf(r) > limit;

			x *= large ? 1.5f : 0.5f;
			/* The second bit is half a step up or down. */
			seconds[i / 8] |= (uint8_t) (((r > 0) == large) << (i % 8));
		}
		add_to(&squares[lane_of(i, n)], product_of(r, r));
		add_to(&product[lane_of(i, n)], product_of(x, r));
		add_to(&cross[lane_of(i, n)], product_of(x, node[i]));
	}
	return (HxResidual) {fold(squares), fold(product), fold(cross)};
}

static bool
same_float(float a, float b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Vectors that end where memory ends. */
typedef struct Vectors
{
	Guarded		q;
	Guarded		other;
	Guarded		bytes;
} Vectors;

static Vectors
vectors_new(void)
{
	Vectors		v = {guarded_new(MAX_LENGTH * 4), guarded_new(MAX_LENGTH * 4),
	guarded_new(MAX_LENGTH * 2)};

	return v;
}

static void
vectors_free(Vectors *v)
{
	guarded_free(&v->q);
	guarded_free(&v->other);
	guarded_free(&v->bytes);
}

/* Fills the last n floats, and 2 n bytes, which are finite as halves. */
static void
vectors_fill(Vectors *v, size_t n)
{
	float	   *q = (float *) (void *) v->q.end - n;
	float	   *other = (float *) (void *) v->other.end - n;
	uint8_t    *bytes = v->bytes.end - 2 * n;

	unit_fill(bytes, 2 * n);
	for (size_t i = 0; i < n; i++)
	{
		q[i] = (float) unit_normal();
		other[i] = unit_below(10) == 0 ? q[i] : (float) unit_normal();
		if ((bytes[2 * i + 1] & 0x7c) == 0x7c)
			bytes[2 * i + 1] ^= 0x40;
	}
}

static void
check_stored(const HxKernels *kernels, const Vectors *v, size_t n)
{
	const char *level = hx_kernel_level_name(kernels->level);
	const float *q = (const float *) (const void *) v->q.end - n;
	const uint8_t *halves = v->bytes.end - 2 * n;
	const uint8_t *codes = v->bytes.end - n;

	CHECK(same_float(kernels->l2_halves(q, halves, 0.25f, n),
					 naive_l2_halves(q, halves, 0.25f, n)), "%s, %zu", level, n);
	CHECK(same_float(kernels->dot_halves(q, halves, n), naive_dot_halves(q, halves, n)),
		  "%s, %zu", level, n);
	CHECK(same_float(kernels->l2_bytes(q, codes, -3.3f, 6.1f, n),
					 naive_l2_bytes(q, codes, -3.3f, 6.1f, n)), "%s, %zu", level, n);
	CHECK(same_float(kernels->dot_bytes(q, codes, n), naive_dot_bytes(q, codes, n)),
		  "%s, %zu", level, n);
}

static void
stored_at(const HxKernels *kernels)
{
	Vectors		v = vectors_new();

	for (size_t n = 0; n <= MAX_LENGTH; n += n < 140 ? 1 : 37)
	{
		vectors_fill(&v, n);
		check_stored(kernels, &v, n);
	}
	vectors_free(&v);
}

static void
stored(void)
{
	unit_each_level(stored_at);
}

static void
check_residual(const HxKernels *kernels, const Vectors *v, size_t n, bool two_bits)
{
	const char *level = hx_kernel_level_name(kernels->level);
	const float *node = (const float *) (const void *) v->q.end - n;
	const float *other = (const float *) (const void *) v->other.end - n;
	uint8_t    *code = v->bytes.end - n / 4;
	uint8_t		expected[MAX_LENGTH / 4];
	HxResidual	a;
	HxResidual	b;

	a = kernels->encode_residual(node, other, n, 0.9f, code, two_bits ? code + n / 8 : NULL);
	b = naive_residual(node, other, n, 0.9f, expected, two_bits ? expected + n / 8 : NULL);
	CHECK(memcmp(code, expected, two_bits ? n / 4 : n / 8) == 0, "%s, %zu", level, n);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0, "%s, %zu: %g %g %g, not %g %g %g", level, n,
		  (double) a.squares, (double) a.product, (double) a.cross,
		  (double) b.squares, (double) b.product, (double) b.cross);
}

static void
residuals_at(const HxKernels *kernels)
{
	Vectors		v = vectors_new();

	for (size_t n = 0; n <= MAX_LENGTH; n += n < 256 ? 8 : 72)
	{
		vectors_fill(&v, n);
		check_residual(kernels, &v, n, false);
		check_residual(kernels, &v, n, true);
	}
	vectors_free(&v);
}

static void
residuals(void)
{
	unit_each_level(residuals_at);
}

int
main(void)
{
	RUN(stored);
	RUN(residuals);
	return unit_summary();
}
