/*
 * stored.c
 *	  Vectors as the nodes of a graph keep them, and distances to them.
 *
 * The sums are kernels; here are the headers of the formats and the bounds of their
 * errors. What is stored is frozen.
 */
#include "quant/stored.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "quant/scalar.h"

/* Numbers that are converted at a time, on the stack. */
#define CHUNK 256

/* The largest half below 2. */
#define BELOW_TWO 0x1.ffcp0f

/* int8: low and high come first. */
#define INT8_HEADER (2 * sizeof(float))
#define INT8_TOP 255

size_t
hx_stored_bytes(HxStoredFormat format, size_t n)
{
	switch (format)
	{
		case HX_STORED_F16:
			return sizeof(float) + n * sizeof(uint16_t);
		case HX_STORED_INT8:
			return INT8_HEADER + hx_scalar_bytes(n, 8);
		default:
			return n * sizeof(float);
	}
}

static float
read_float(const uint8_t *p)
{
	float		x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static void
write_float(uint8_t *p, float x)
{
	memcpy(p, &x, sizeof(x));
}

/* The power of two that brings the largest magnitude into [1, 2); 1 for zeros. */
static float
f16_scale(const float *x, size_t n)
{
	uint32_t	largest = 0;
	uint32_t	scale;
	float		result;

	/* Without a sign, floats are ordered as their bits are. */
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	bits;

		memcpy(&bits, &x[i], sizeof(bits));
		bits &= UINT32_C(0x7fffffff);
		largest = bits > largest ? bits : largest;
	}
	if (largest == 0)
		return 1;
	scale = largest & UINT32_C(0x7f800000);
	/* Of subnormal numbers the least normal one. */
	if (scale == 0)
		scale = UINT32_C(0x00800000);
	memcpy(&result, &scale, sizeof(result));
	return result;
}

/* In double the quotient is exact; as a float it is inexact only where the half will be 0. */
static void
encode_f16(const float *x, size_t n, uint8_t *out)
{
	const float scale = f16_scale(x, n);
	const double inverse = 1.0 / scale;

	write_float(out, scale);
	out += sizeof(scale);
	for (size_t done = 0; done < n; done += CHUNK)
	{
		const size_t now = n - done < CHUNK ? n - done : CHUNK;
		float		scaled[CHUNK];
		uint16_t	half[CHUNK];
		size_t		bad;

		for (size_t i = 0; i < now; i++)
		{
			scaled[i] = (float) (x[done + i] * inverse);
			/* Twice 2^127 would be too much for a float. */
			if (scale == 0x1p127f && scaled[i] > BELOW_TWO)
				scaled[i] = BELOW_TWO;
			if (scale == 0x1p127f && scaled[i] < -BELOW_TWO)
				scaled[i] = -BELOW_TWO;
		}
		(void) hx_f16_encode(scaled, half, now, &bad);
		memcpy(out + done * sizeof(half[0]), half, now * sizeof(half[0]));
	}
}

static void
encode_int8(const float *x, size_t n, uint8_t *out)
{
	float		low;
	float		high;

	hx_scalar_encode(x, n, 8, out + INT8_HEADER, &low, &high);
	write_float(out, low);
	write_float(out + sizeof(low), high);
}

/* `now` numbers from number `first` on. */
static void
decode_part(HxStoredFormat format, const uint8_t *stored, size_t first, size_t now, float *out)
{
	const uint16_t *halves = (const uint16_t *) (const void *) (stored + sizeof(float));

	switch (format)
	{
		case HX_STORED_F16:
			hx_kernels->f16_to_f32(halves + first, out, now);
			hx_kernels->multiply(out, read_float(stored), now, out);
			break;
		case HX_STORED_INT8:
			hx_scalar_decode(stored + INT8_HEADER + first, now, 8, read_float(stored),
							 read_float(stored + sizeof(float)), out);
			break;
		default:
			memcpy(out, stored + first * sizeof(float), now * sizeof(float));
			break;
	}
}

void
hx_stored_decode(HxStoredFormat format, const uint8_t *stored, size_t n, float *out)
{
	for (size_t done = 0; done < n; done += CHUNK)
		decode_part(format, stored, done, n - done < CHUNK ? n - done : CHUNK, out + done);
}

/* A float not less than sqrt(squares), whose sum may be off by its rounding. */
static float
bound_of(double squares)
{
	const double bound = sqrt(squares) * (1 + 1e-9);
	float		result = (float) bound;

	return result < bound ? nextafterf(result, HUGE_VALF) : result;
}

/* How far the stored vector is from x, at most. */
static float
error_of(HxStoredFormat format, const float *x, size_t n, const uint8_t *stored)
{
	double		squares = 0;

	for (size_t done = 0; done < n; done += CHUNK)
	{
		const size_t now = n - done < CHUNK ? n - done : CHUNK;
		float		decoded[CHUNK];

		decode_part(format, stored, done, now, decoded);
		squares += hx_kernels->l2_squared(x + done, decoded, now);
	}
	return squares == 0 ? 0 : bound_of(squares);
}

float
hx_stored_encode(HxStoredFormat format, const float *x, size_t n, uint8_t *out)
{
	switch (format)
	{
		case HX_STORED_F16:
			encode_f16(x, n, out);
			break;
		case HX_STORED_INT8:
			encode_int8(x, n, out);
			break;
		default:
			memcpy(out, x, n * sizeof(float));
			return 0;
	}
	return error_of(format, x, n, out);
}

/*
 * The line of int8 as the kernels want it: code c stands for base + step (1 + c / 256),
 * where step is that of 256 codes.
 */
typedef struct Line
{
	float		base;
	float		step;
} Line;

static Line
line_of(const uint8_t *stored)
{
	const double low = read_float(stored);
	const double high = read_float(stored + sizeof(float));
	const double step = (high - low) * (256.0 / INT8_TOP);

	return (Line) {(float) (low - step), (float) step};
}

double
hx_stored_l2_squared(HxStoredFormat format, const float *q, const uint8_t *stored, size_t n)
{
	Line		line;

	switch (format)
	{
		case HX_STORED_F16:
			return hx_kernels->l2_halves(q, stored + sizeof(float), read_float(stored), n);
		case HX_STORED_INT8:
			line = line_of(stored);
			return hx_kernels->l2_bytes(q, stored + INT8_HEADER, line.base, line.step, n);
		default:
			return hx_kernels->l2_squared(q, (const float *) (const void *) stored, n);
	}
}

double
hx_stored_dot(HxStoredFormat format, const float *q, double sum, const uint8_t *stored, size_t n)
{
	Line		line;

	switch (format)
	{
		case HX_STORED_F16:
			return (double) read_float(stored) *
				hx_kernels->dot_halves(q, stored + sizeof(float), n);
		case HX_STORED_INT8:
			line = line_of(stored);
			return line.base * sum +
				(double) line.step * hx_kernels->dot_bytes(q, stored + INT8_HEADER, n);
		default:
			return hx_kernels->dot(q, (const float *) (const void *) stored, n);
	}
}

double
hx_stored_sum(const float *q, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += q[i];
	return sum;
}
