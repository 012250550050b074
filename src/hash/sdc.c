/*
 * sdc.c
 *	  Symmetric distance of recurrent codes, in whole numbers.
 *
 * The inner product of two planes of signs is the bits that agree less those that
 * differ, m - 2 * Hamming distance; all pairs of planes, weighted by powers of two,
 * add up to the inner product of the values. The largest sum, m * (2^planes - 1)^2,
 * is below 2^45 for 16 planes of 4,096 bits, the largest code.
 */
#include "hash/sdc.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

/* Rounding planes up to bytes adds less than a byte each. */
#define ALIGNED_BYTES (HX_SDC_MAX_BITS / 8 + HX_SDC_MAX_PLANES)

/* The planes of a code, each at the beginning of a byte; bits past the end of a plane are 0. */
typedef struct Planes
{
	unsigned	count;
	unsigned	bits;			/* of one plane */
	size_t		bytes;			/* of one plane, and from one to the next */
	const uint8_t *base;		/* the first one: the code itself, or below */
	uint8_t		aligned[ALIGNED_BYTES];
} Planes;

/* Copies `bits` bits that begin at bit `from`. */
static void
copy_bits(const uint8_t *in, size_t from, unsigned bits, uint8_t *out)
{
	const unsigned shift = from % 8;
	const size_t end = from + bits;

	for (size_t at = from; at < end; at += 8, out++)
	{
		const uint8_t *byte = in + at / 8;
		unsigned	window = (unsigned) *byte << 8;

		/* A bit in the next byte is looked for only where the plane goes on. */
		if (at + 8 - shift < end && shift > 0)
			window |= byte[1];
		window = window << shift >> 8 & 0xff;
		if (end - at < 8)
			window &= 0xff00u >> (end - at);
		*out = (uint8_t) window;
	}
}

static void
split_planes(Planes *planes, const uint8_t *code, unsigned bits, unsigned count)
{
	planes->count = count;
	planes->bits = bits / count;
	planes->bytes = (planes->bits + 7) / 8;
	planes->base = code;
	if (planes->bits % 8 == 0)
		return;

	planes->base = planes->aligned;
	for (unsigned i = 0; i < count; i++)
		copy_bits(code, (size_t) i * planes->bits, planes->bits,
				  planes->aligned + i * planes->bytes);
}

/* The inner product of plane i of a and plane k of b, as signs. */
static int64_t
plane_product(const Planes *a, unsigned i, const Planes *b, unsigned k)
{
	const uint8_t *x = a->base + i * a->bytes;
	const uint8_t *y = b->base + k * b->bytes;

	return (int64_t) a->bits - 2 * (int64_t) hx_kernels->hamming(x, y, a->bytes);
}

/* Plane i weighs 2^(count - 1 - i). */
static int64_t
product(const Planes *a, const Planes *b)
{
	int64_t		sum = 0;

	for (unsigned i = 0; i < a->count; i++)
		for (unsigned k = 0; k < b->count; k++)
			sum += plane_product(a, i, b, k) * ((int64_t) 1 << (2 * (a->count - 1) - i - k));
	return sum;
}

double
hx_sdc_cosine(const uint8_t *a, const uint8_t *b, unsigned bits, unsigned planes)
{
	Planes		of_a;
	Planes		of_b;
	double		lengths;

	split_planes(&of_a, a, bits, planes);
	split_planes(&of_b, b, bits, planes);

	/* The root of a rounded square is the number: equal codes give exactly 1, none more. */
	lengths = (double) product(&of_a, &of_a) * (double) product(&of_b, &of_b);
	return (double) product(&of_a, &of_b) / sqrt(lengths);
}
