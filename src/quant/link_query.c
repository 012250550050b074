/*
 * link_query.c
 *	  A query in signed binary digits, and the estimates of its distances to the
 *	  neighbours of a node.
 */
#include "quant/link_code.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "quant/link_factor.h"
#include "quant/quad.h"

/* Digits of a coordinate of the query: README tells what their rounding costs. */
#define DIGITS_ONE_BIT 5
#define DIGITS_TWO_BITS 6

/* Of a query that is to be told apart from what is much nearer to it than the centre. */
#define DIGITS_FINE 14

/*
 * The range that the digits cover, in roots of the mean square; what lies beyond is clipped, but
 * not of a fine query.
 */
#define RANGE_ONE_BIT 2.913
#define RANGE_TWO_BITS 3.264

static unsigned
digits_of(const HxLinkShape *shape, bool fine)
{
	if (shape->metric == HX_LINK_HAMMING)
		return 1;
	if (fine)
		return DIGITS_FINE;
	return shape->bits == 2 ? DIGITS_TWO_BITS : DIGITS_ONE_BIT;
}

/*
 * With x = s + t / 2 and y = step * sum of 2^b digit_b, s and t = +-1, twice <x, y> / step is
 * the sum over b of 2^(b+1) <s, digit_b> + 2^b <t, digit_b>: of two bits a plane has digit b - 1
 * for the signs and digit b for the second bits, which makes one plane more.
 */
static unsigned
planes_of(const HxLinkShape *shape, bool fine)
{
	return digits_of(shape, fine) + (shape->bits == 2 ? 1 : 0);
}

/* Bytes from one plane to the next. */
static size_t
stride_of(const HxLinkShape *shape)
{
	return (hx_link_code_bytes(shape) + 63) / 64 * 64;
}

size_t
hx_link_query_bytes(const HxLinkShape *shape)
{
	return 2 * planes_of(shape, true) * stride_of(shape);
}

/* Lays the query's planes out in the memory, all bits 0. */
static uint8_t *
lay_out(HxLinkQuery *query, const HxLinkShape *shape, bool fine, void *memory)
{
	const size_t bytes = 2 * planes_of(shape, fine) * stride_of(shape);
	uint8_t    *plane = memory;

	memset(plane, 0, bytes);
	query->shape = shape;
	query->digits.plane = plane;
	query->digits.mask = plane + bytes / 2;
	query->digits.planes = planes_of(shape, fine);
	query->digits.bytes = (unsigned) hx_link_code_bytes(shape);
	query->digits.stride = (unsigned) stride_of(shape);
	return plane;
}

/* The largest magnitude of n (a multiple of 4) numbers: without a sign, floats order as bits. */
static float
largest_of(const float *y, size_t n)
{
	HxQuadBits	largest = {0};
	float		result = 0;

	for (size_t i = 0; i < n; i += 4)
	{
		HxQuadBits	magnitude = (HxQuadBits) hx_load_quad(y + i) & INT32_MAX;
		HxQuadBits	larger = magnitude > largest;

		largest = (magnitude & larger) | (largest & ~larger);
	}
	for (int lane = 0; lane < 4; lane++)
	{
		const float magnitude = ((HxQuad) largest)[lane];

		result = magnitude > result ? magnitude : result;
	}
	return result;
}

/* Half the distance of two neighbouring numbers that the digits make; 0 if all y are. */
static float
step_of(const HxLinkShape *shape, const float *y, bool fine)
{
	const size_t n = shape->code_dims;
	const double range = shape->bits == 2 ? RANGE_TWO_BITS : RANGE_ONE_BIT;
	const double clip = range * sqrt(hx_kernels->dot(y, y, n) / (double) n);
	const float largest = largest_of(y, n);

	return (float) ((fine || largest < clip ? largest : clip) / (1u << digits_of(shape, fine)));
}

/* How coordinates become whole numbers of steps. */
typedef struct Grid
{
	float		per_step;
	float		middle;
	float		top;
} Grid;

/*
 * Four coordinates, each as the number u of its step: y is about step * (2 u + 1 - 2^digits),
 * and 1 bits of u are digits +1, 0 bits -1.
 */
static HxQuadBits
numbers_of_four(const float *y, const Grid *grid)
{
	HxQuad		u = hx_load_quad(y) * grid->per_step + grid->middle;
	HxQuadBits	within = u < grid->top;
	const HxQuadBits top = (HxQuadBits) ((HxQuad) {0} + grid->top);

	u = (HxQuad) ((HxQuadBits) u & (HxQuadBits) (u > 0.0f));
	u = (HxQuad) (((HxQuadBits) u & within) | (top & ~within));
	return hx_round_quad(u);
}

/* Bits from `shift` on, of eight such numbers in bytes, in the order 0, 4, 2, 6, 1, 5, 3, 7. */
static uint64_t
numbers_of_eight(const float *y, const Grid *grid, int shift)
{
	const HxQuadBits numbers = (numbers_of_four(y, grid) >> shift & 0xff) |
		(numbers_of_four(y + 4, grid) >> shift & 0xff) << 8;
	uint64_t	pair[2];

	memcpy(pair, &numbers, sizeof(pair));
	return pair[0] | pair[1] << 16;
}

/*
 * Bit `digit` of each: the lowest bit of byte p, where number c lies, times 2^(56 + c - 8 p)
 * becomes bit 56 + c of the product; nothing else gets there, nothing is carried.
 */
static uint8_t
digit_of_eight(uint64_t numbers, unsigned digit)
{
	const uint64_t bits = numbers >> digit & UINT64_C(0x0101010101010101);

	return (uint8_t) (bits * UINT64_C(0x0110044002200880) >> 56);
}

/* All bits of the planes that digits take. */
static void
fill_masks(const HxLinkShape *shape, unsigned digits, uint8_t *mask)
{
	const size_t half_bytes = shape->code_dims / 8;
	const size_t stride = stride_of(shape);

	for (unsigned b = 0; b < digits; b++)
	{
		if (shape->bits == 2)
		{
			memset(mask + b * stride + half_bytes, 0xff, half_bytes);
			memset(mask + (b + 1) * stride, 0xff, half_bytes);
		}
		else
			memset(mask + b * stride, 0xff, half_bytes);
	}
}

/* Sets a byte of the planes of digits `first` to before `end` to those of eight numbers. */
static void
put_digits(const HxLinkShape *shape, uint64_t numbers, unsigned first, unsigned end, size_t byte,
		   uint8_t *plane)
{
	const size_t stride = stride_of(shape);

	/* The first digit of the signs is in plane 0, or of two bits in plane 1. */
	for (unsigned b = first; b < end; b++)
	{
		const uint8_t digit = digit_of_eight(numbers, b - first);

		if (shape->bits == 2)
		{
			plane[b * stride + shape->code_dims / 8 + byte] = digit;
			plane[(b + 1) * stride + byte] = digit;
		}
		else
			plane[b * stride + byte] = digit;
	}
}

void
hx_link_query_prepare(HxLinkQuery *query, const HxLinkShape *shape, const float *y, bool fine,
					  void *memory)
{
	const unsigned digits = digits_of(shape, fine);
	const unsigned low = digits < 8 ? digits : 8;
	const size_t half_bytes = shape->code_dims / 8;
	const float step = step_of(shape, y, fine);
	const double weight = (1u << digits) - 1;
	const Grid	grid = {step > 0 ? 0.5f / step : 0, (float) (weight / 2), (float) weight};
	uint8_t    *plane = lay_out(query, shape, fine, memory);
	uint8_t    *mask = plane + query->digits.planes * stride_of(shape);

	for (size_t byte = 0; byte < half_bytes; byte++)
	{
		put_digits(shape, numbers_of_eight(y + 8 * byte, &grid, 0), 0, low, byte, plane);
		if (digits > low)
			put_digits(shape, numbers_of_eight(y + 8 * byte, &grid, 8), low, digits, byte, plane);
	}
	fill_masks(shape, digits, mask);

	/* <s, digit> = code_dims - 2 (bits that differ); of two bits the step is halved. */
	query->step = shape->bits == 2 ? step : 2 * step;
	query->offset = (float) (step * weight * shape->code_dims * (shape->bits == 2 ? 1.5 : 1));
}

void
hx_link_query_prepare_bits(HxLinkQuery *query, const HxLinkShape *shape, const uint8_t *bits,
						   void *memory)
{
	const size_t bytes = hx_link_code_bytes(shape);
	uint8_t    *plane = lay_out(query, shape, false, memory);
	uint8_t    *mask = plane + stride_of(shape);

	memcpy(plane, bits, bytes);
	memset(mask, 0xff, bytes);
	if (shape->code_dims % 8 != 0)
		mask[bytes - 1] = (uint8_t) ((1u << shape->code_dims % 8) - 1);
	query->step = (float) shape->dims / (float) shape->code_dims;
	query->offset = 0;
}

void
hx_link_estimate(const HxLinkQuery *query, float own, const HxLink *links, const uint8_t *codes,
				 unsigned count, float *estimate)
{
	uint32_t	counts[HX_MAX_LINKS];

	hx_kernels->digit_counts(&query->digits, codes, count, counts);
	if (query->shape->metric == HX_LINK_HAMMING)
	{
		for (unsigned i = 0; i < count; i++)
			estimate[i] = query->step * (float) counts[i];
		return;
	}
	hx_link_finish(links, counts, count, own, query->offset, query->step, estimate);
}
