/*
 * test_scalar.c
 *	  Half floats, 8 and 4 bits: rounding, and that quantising twice gives the
 *	  same bytes.
 */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "quant/scalar.h"

#define MAX_LENGTH 700

static float
float_of(uint32_t bits)
{
	float		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static uint16_t
encode_half(float x)
{
	uint16_t	half = 0xdead;
	size_t		bad = 99;

	CHECK(hx_f16_encode(&x, &half, 1, &bad), "%a refused", (double) x);
	return half;
}

static double
value_of_half(uint16_t half)
{
	int			exponent = half >> 10 & 31;
	int			fraction = half & 1023;
	double		value = exponent == 0 ? ldexp(fraction, -24) :
		ldexp(1024 + fraction, exponent - 25);

	return half & 0x8000 ? -value : value;
}

/* Each half is the code of its own value; between two, the nearer one or the even one. */
static void
half_rounding(void)
{
	for (unsigned half = 0; half < 0x7bff; half++)
	{
		double		here = value_of_half((uint16_t) half);
		double		next = value_of_half((uint16_t) (half + 1));
		float		middle = (float) ((here + next) / 2);	/* exact */
		unsigned	even = half % 2 == 0 ? half : half + 1;
		unsigned	minus = half == 0 ? 0 : half | 0x8000;
		unsigned	minus_even = even == 0 ? 0 : even | 0x8000;

		CHECK(encode_half((float) here) == half, "%04x", half);
		CHECK(encode_half((float) -here) == minus, "-%04x", half);
		CHECK(encode_half(middle) == even, "middle above %04x", half);
		CHECK(encode_half(-middle) == minus_even, "middle below -%04x", half);
		CHECK(encode_half(nextafterf(middle, 0)) == half, "below the middle above %04x", half);
		CHECK(encode_half(nextafterf(middle, 1e9f)) == half + 1,
			  "above the middle above %04x", half);
	}
	CHECK(encode_half(65504) == 0x7bff, "the largest");
	CHECK(encode_half(FLT_TRUE_MIN) == 0, "the least float");
	CHECK(encode_half(-FLT_TRUE_MIN) == 0, "no negative zero");
	CHECK(encode_half(-0.0f) == 0, "no negative zero");
}

static void
half_out_of_range(void)
{
	const float wrong[] = {
		nextafterf(65504, 1e9f), 65520, 1e9f, FLT_MAX, (float) INFINITY, (float) NAN,
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		for (int sign = -1; sign <= 1; sign += 2)
		{
			float		in[] = {1, 2, (float) sign * wrong[i], wrong[i]};
			uint16_t	out[4];
			size_t		bad = 99;

			CHECK(!hx_f16_encode(in, out, 4, &bad) && bad == 2, "%g: bad %zu", (double) in[2], bad);
		}
	}
}

static void
bytes_of_codes(void)
{
	CHECK(hx_scalar_bytes(0, 8) == 0 && hx_scalar_bytes(7, 8) == 7, "8 bits");
	CHECK(hx_scalar_bytes(0, 4) == 0 && hx_scalar_bytes(1, 4) == 1 && hx_scalar_bytes(7, 4) == 4 &&
		  hx_scalar_bytes(8, 4) == 4, "4 bits");
}

static unsigned
code_at(const uint8_t *codes, int bits, size_t i)
{
	if (bits == 8)
		return codes[i];
	return i % 2 == 0 ? codes[i / 2] & 15 : codes[i / 2] >> 4;
}

/*
 * The properties of one quantised vector: bounds and ends exact, every number
 * within half a step and the float's own rounding, padding zero, and the same
 * bytes when what was decoded is encoded.
 */
static void
check_scalar(const float *in, size_t n, int bits, const char *what)
{
	size_t		bytes = hx_scalar_bytes(n, bits);
	unsigned	top = bits == 8 ? 255 : 15;
	uint8_t		codes[MAX_LENGTH];
	uint8_t		again[MAX_LENGTH];
	float		out[MAX_LENGTH];
	float		low;
	float		high;
	float		low_again;
	float		high_again;
	long double step;
	float		least = in[0];
	float		greatest = in[0];
	bool		near = true;
	bool		ends = true;
	bool		canonical = true;

	memset(codes, 0xaa, sizeof(codes));
	memset(again, 0x55, sizeof(again));
	hx_scalar_encode(in, n, bits, codes, &low, &high);
	hx_scalar_decode(codes, n, bits, low, high, out);
	hx_scalar_encode(out, n, bits, again, &low_again, &high_again);

	step = ((long double) high - low) / top;
	for (size_t i = 0; i < n; i++)
	{
		unsigned	code = code_at(codes, bits, i);
		long double error = (long double) out[i] - in[i];
		float		ulp = nextafterf(fabsf(out[i]), (float) INFINITY) - fabsf(out[i]);

		least = fminf(least, in[i]);
		greatest = fmaxf(greatest, in[i]);
		near = near && fabsl(error) <= step * 0.5L * (1 + 1e-12L) + ulp;
		ends = ends && (in[i] != low || (code == 0 && out[i] == low));
		ends = ends && (in[i] != high || low == high || (code == top && out[i] == high));
		canonical = canonical && !(out[i] == 0 && signbit(out[i]));
	}
	CHECK(low == least && high == greatest, "%s, %d bits, n %zu: bounds", what, bits, n);
	CHECK(near, "%s, %d bits, n %zu: too far", what, bits, n);
	CHECK(ends, "%s, %d bits, n %zu: ends", what, bits, n);
	CHECK(canonical && !(low == 0 && signbit(low)) && !(high == 0 && signbit(high)),
		  "%s, %d bits, n %zu: negative zero", what, bits, n);
	CHECK(memcmp(codes, again, bytes) == 0 && low == low_again && high == high_again,
		  "%s, %d bits, n %zu, low %a, high %a: other bytes the second time",
		  what, bits, n, (double) low, (double) high);
	CHECK(bits == 8 || n % 2 == 0 || codes[bytes - 1] >> 4 == 0, "%s, n %zu: padding", what, n);
	CHECK(bytes == MAX_LENGTH || codes[bytes] == 0xaa, "%s, n %zu: wrote past the codes", what, n);
}

/* Vectors of floats between two given ones, the ends and their neighbours among them. */
static void
check_range(float low, float high, const char *what)
{
	for (int round = 0; round < 40; round++)
	{
		size_t		n = 1 + unit_below(MAX_LENGTH);
		float		in[MAX_LENGTH];

		for (size_t i = 0; i < n; i++)
		{
			double		at = (unit_uniform() + 1) / 2;
			float		x = (float) (low + at * ((double) high - low));

			switch (unit_below(6))
			{
				case 0:
					x = nextafterf(low, high);
					break;
				case 1:
					x = nextafterf(high, low);
					break;
				case 2:
					x = low;
					break;
				case 3:
					x = high;
					break;
				case 4:
					{
						/* At and around the middles between codes. */
						double		k = unit_below(256) + 0.5;

						x = (float) (low + ((double) high - low) * k / 255);
						if (x > high)
							x = high;
						break;
					}
			}
			in[i] = x;
		}
		check_scalar(in, n, 8, what);
		check_scalar(in, n, 4, what);
	}
}

static void
hostile_ranges(void)
{
	check_range(-1, 1, "plain");
	check_range(0, 1, "from zero");
	check_range(-1, 0, "to zero");
	check_range(-0.0f, 0, "zeros");
	check_range(3, 3, "one value");
	check_range(0, FLT_TRUE_MIN, "the least step there is");
	check_range(-FLT_TRUE_MIN, FLT_TRUE_MIN, "around zero");
	check_range(-3 * FLT_TRUE_MIN, FLT_TRUE_MIN, "a code just below zero");
	check_range(0, 100 * FLT_TRUE_MIN, "subnormal");
	check_range(-300 * FLT_TRUE_MIN, 255 * FLT_TRUE_MIN, "subnormal");
	check_range(FLT_MIN, 2 * FLT_MIN, "barely normal");
	check_range(-FLT_MAX, FLT_MAX, "everything");
	check_range(FLT_MAX / 2, FLT_MAX, "huge");
	check_range(nextafterf(FLT_MAX, 0), FLT_MAX, "the two largest");
	check_range(-FLT_MAX, FLT_TRUE_MIN, "huge and tiny");
	check_range(-1e-30f, 1e30f, "huge and tiny");
	check_range(1e6f, 1e6f + 1, "large offset");
	check_range(16777216, 16777216 + 20, "steps finer than floats");
	check_range(-16777216 - 40, -16777216 + 20, "a step of floats that changes");
}

/* Ranges of a few floats, where steps and spacing of floats are of one size. */
static void
steps_like_floats(void)
{
	for (int round = 0; round < 3000; round++)
	{
		uint32_t	exponent = unit_below(254) << 23;
		uint32_t	around = UINT32_C(0x7fff80) + unit_below(256);	/* where the spacing doubles */
		uint32_t	at = exponent + (unit_below(2) ? around : unit_below(1u << 23));
		uint32_t	span = 1 + unit_below(1200);
		float		sign = unit_below(2) ? 1.0f : -1.0f;
		float		in[MAX_LENGTH];
		size_t		n = 2 + unit_below(MAX_LENGTH - 2);

		for (size_t i = 0; i < n; i++)
			in[i] = sign * float_of(at + (i < 2 ? (uint32_t) i * span : unit_below(span + 1)));
		check_scalar(in, n, 8, "spacing");
		check_scalar(in, n, 4, "spacing");
	}
}

/* Floats of any bits. */
static void
any_floats(void)
{
	for (int round = 0; round < 3000; round++)
	{
		float		in[MAX_LENGTH];
		size_t		n = 1 + unit_below(MAX_LENGTH);

		for (size_t i = 0; i < n; i++)
		{
			do
				in[i] = float_of((uint32_t) (unit_random() >> 32));
			while (!isfinite(in[i]));
		}
		check_scalar(in, n, 8, "any");
		check_scalar(in, n, 4, "any");
	}
}

/* Frozen bytes. */
static void
golden(void)
{
	const float in[] = {-1, -0.5f, 0, 0.25f, 1, 0.001f, -0.999f};
	const uint8_t eight[] = {0, 64, 128, 159, 255, 128, 0};
	const uint8_t four[] = {0x40, 0x98, 0x8f, 0x00};
	uint8_t		codes[7];
	float		out[7];
	float		low;
	float		high;

	hx_scalar_encode(in, 7, 8, codes, &low, &high);
	CHECK(memcmp(codes, eight, 7) == 0 && low == -1 && high == 1, "8 bits");
	hx_scalar_decode(codes, 7, 8, low, high, out);
	CHECK(out[1] == (float) (-1 + 64 * 2 / 255.0), "64 is %a", (double) out[1]);
	hx_scalar_encode(in, 7, 4, codes, &low, &high);
	CHECK(memcmp(codes, four, 4) == 0,
		  "4 bits: %02x %02x %02x %02x", codes[0], codes[1], codes[2], codes[3]);
}

int
main(void)
{
	RUN(half_rounding);
	RUN(half_out_of_range);
	RUN(bytes_of_codes);
	RUN(hostile_ranges);
	RUN(steps_like_floats);
	RUN(any_floats);
	RUN(golden);
	return unit_summary();
}
