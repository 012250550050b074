/*
 * link_pair.c
 *	  What the codes of a node's neighbours tell of these among themselves.
 *
 * A neighbour is compared with all others at once: its code makes the digits of a query. With two
 * bits x = s + t / 2, and 4 <x, x'> is the sum of 4 <s, s'>, 2 <s, t'>, 2 <t, s'> and <t, t'>:
 * three planes, in which each half of a code meets the other's.
 */
#include "quant/link_code.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "quant/link_factor.h"

HX_VECTORISE_LOOPS

/* <x, r> of normally distributed coordinates for |r| = sqrt(n), divided by n. */
#define ALONG_ONE_BIT 0.79788456
#define ALONG_TWO_BITS 0.88289

/* <x, x> of two bits is expected to be so many times n. */
#define SQUARES_TWO_BITS 0.88463f

/* Neighbours that are compared at a time. */
#define RUN 64

/*
 * The factor F = |r|^2 / <x, r> tells the length, as <x, r> is in proportion to the length of
 * the coded part of r, and that to |r|, but for chance.
 */
void
hx_link_lengths(const HxLinkShape *shape, const HxLink *links, unsigned count, float *length)
{
	const double along = (shape->bits == 2 ? ALONG_TWO_BITS : ALONG_ONE_BIT) *
		shape->code_dims / sqrt(shape->dims);
	const float share = (float) (shape->metric == HX_LINK_IP ? along : along / 2);

	for (unsigned i = 0; i < count; i++)
		length[i] = fabsf(hx_bfloat16_value(links[i].scale) * share);
}

/* Puts a part of a code into a plane, at the given byte of it. */
static void
put_part(HxDigits *digits, uint8_t *memory, unsigned plane, size_t at, const uint8_t *part,
		 size_t bytes)
{
	const size_t begin = plane * (size_t) digits->stride + at;

	memcpy(memory + begin, part, bytes);
	memset(memory + digits->planes * (size_t) digits->stride + begin, 0xff, bytes);
}

/* The digits of a code, in the caller's memory. */
static HxDigits
digits_of(const HxLinkShape *shape, const uint8_t *code, uint8_t *memory)
{
	const size_t bytes = hx_link_code_bytes(shape);
	const size_t half = bytes / 2;
	HxDigits	digits = {
		.planes = shape->bits == 2 ? 3 : 1,
		.bytes = (unsigned) bytes,
		.stride = (unsigned) ((bytes + 63) / 64 * 64),
	};

	digits.plane = memory;
	digits.mask = memory + digits.planes * (size_t) digits.stride;
	memset(memory, 0, 2 * digits.planes * (size_t) digits.stride);
	if (shape->bits == 1)
		put_part(&digits, memory, 0, 0, code, bytes);
	else
	{
		put_part(&digits, memory, 0, half, code + half, half);
		put_part(&digits, memory, 1, 0, code + half, half);
		put_part(&digits, memory, 1, half, code, half);
		put_part(&digits, memory, 2, 0, code, half);
	}
	return digits;
}

/*
 * The cosine between residuals of which <x, x'> is so much of its largest expectation: for one
 * bit sin(pi / 2 * x), for two fitted to normally distributed coordinates, within 0.005.
 */
HX_INLINE float
cosine_of_signs(float x)
{
	const float z = x * x;

	return x * (1.5707963f + z * (-0.6459641f + z * (0.0796926f + z * -0.0045252f)));
}

HX_INLINE float
cosine_of_levels(float x)
{
	const float z = x * x;

	return x * (1.14862f + z * (-0.22873f + z * (0.54343f - z * 0.46332f)));
}

/* The squared distance of two ends from their lengths and the cosine, which is not exact. */
HX_INLINE float
distance_of(float a, float b, float cosine)
{
	const float squared = a * a + b * b - 2 * a * b * cosine;

	return squared > 0 ? squared : 0;
}

/* Distances from digits that differ. */
static void
distances(const HxLinkShape *shape, float own, const float *length, const uint32_t *counts,
		  unsigned count, float *out)
{
	const float n = (float) shape->code_dims;

	if (shape->bits == 1)
		for (unsigned i = 0; i < count; i++)
			out[i] = distance_of(own, length[i], cosine_of_signs(1 - 2 / n * (float) counts[i]));
	else
		for (unsigned i = 0; i < count; i++)
			out[i] = distance_of(own, length[i],
								 cosine_of_levels((2.25f - 0.5f / n * (float) counts[i]) /
												  SQUARES_TWO_BITS));
}

void
hx_link_pairs(const HxLinkShape *shape, const uint8_t *codes, const float *length, unsigned at,
			  unsigned count, void *memory, float *out)
{
	const size_t bytes = hx_link_code_bytes(shape);
	const bool	is_hamming = shape->metric == HX_LINK_HAMMING;
	HxLinkQuery query;
	HxDigits	digits;

	if (is_hamming)
		hx_link_query_prepare_bits(&query, shape, codes + at * bytes, memory);
	else
		digits = digits_of(shape, codes + at * bytes, memory);
	for (unsigned done = 0; done < count; done += RUN)
	{
		const unsigned run = count - done < RUN ? count - done : RUN;
		uint32_t	counts[RUN];

		if (is_hamming)
		{
			hx_link_estimate(&query, 0, NULL, codes + done * bytes, run, out + done);
			continue;
		}
		hx_kernels->digit_counts(&digits, codes + done * bytes, run, counts);
		distances(shape, length[at], length + done, counts, run, out + done);
	}
}
