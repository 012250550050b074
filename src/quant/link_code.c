/*
 * link_code.c
 *	  Codes of neighbours relative to their node, their factors, and what codes tell of
 *	  each other. The codes and factors are frozen.
 */
#include "quant/link_code.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "quant/link_factor.h"

/*
 * Two bits: x = +-0.5 or +-1.5, the larger where |r_i| exceeds this many times the root of
 * the mean square. The best for normally distributed coordinates, which a spin gives.
 */
#define LIMIT 1.0

/* <x, r> of such coordinates for |r| = sqrt(n), divided by n; one bit: sqrt(2 / pi). */
#define ALONG_ONE_BIT 0.79788456
#define ALONG_TWO_BITS 0.88289

size_t
hx_link_code_bytes(const HxLinkShape *shape)
{
	return ((size_t) shape->code_dims * shape->bits + 7) / 8;
}

/* |a - b|^2 of the coordinates from `first` to before `end`. */
static double
squared_between(const float *a, const float *b, size_t first, size_t end)
{
	return first < end ? hx_kernels->l2_squared(a + first, b + first, end - first) : 0;
}

/* <v, o - v> of the vectors before the centre was subtracted. */
static double
along_node(const float *node_y, const float *neighbour_y, const float *centre, size_t n)
{
	double		product = hx_kernels->dot(node_y, neighbour_y, n) -
		hx_kernels->dot(node_y, node_y, n);

	if (centre != NULL)
		product += hx_kernels->dot(centre, neighbour_y, n) - hx_kernels->dot(centre, node_y, n);
	return product;
}

void
hx_link_encode(const HxLinkShape *shape, const float *node_y, const float *neighbour_y,
			   const float *centre, HxLink *link, uint8_t *code)
{
	const size_t coded = shape->code_dims;
	uint8_t    *seconds = shape->bits == 2 ? code + coded / 8 : NULL;
	float		limit = 0;
	HxResidual	residual;
	double		squares;
	double		factor;
	double		scale;

	if (seconds != NULL)
		limit = (float) (LIMIT * sqrt(squared_between(node_y, neighbour_y, 0, coded) /
									  (double) coded));
	residual = hx_kernels->encode_residual(node_y, neighbour_y, coded, limit, code, seconds);
	squares = residual.squares + squared_between(node_y, neighbour_y, coded, shape->dims);

	/* Without a coded part of the residual the estimate cannot depend on the query. */
	factor = residual.product > 0 ? squares / residual.product : 0;
	if (shape->metric == HX_LINK_IP)
	{
		link->scale = hx_bfloat16_of(-factor);
		scale = hx_bfloat16_value(link->scale);
		link->add = hx_bfloat16_of(-scale * residual.cross -
								   along_node(node_y, neighbour_y, centre, shape->dims));
	}
	else
	{
		link->scale = hx_bfloat16_of(-2 * factor);
		scale = hx_bfloat16_value(link->scale);
		link->add = hx_bfloat16_of(squares - scale * residual.cross);
	}
}

/* Blanks the bits of the last byte that a string of `bits` bits leaves unused. */
static void
blank_rest(uint8_t *code, size_t bits)
{
	if (bits % 8 != 0)
		code[bits / 8] &= (uint8_t) ((1u << bits % 8) - 1);
}

void
hx_link_encode_bits(const HxLinkShape *shape, const uint8_t *neighbour, HxLink *link,
					uint8_t *code)
{
	memcpy(code, neighbour, hx_link_code_bytes(shape));
	blank_rest(code, shape->code_dims);
	link->add = 0;
	link->scale = 0;
}

/* Bits of two strings that differ among the coded ones, in proportion to all bits. */
static float
share_of_bits(const HxLinkShape *shape, const uint8_t *a, const uint8_t *b)
{
	const size_t whole = shape->code_dims / 8;
	const unsigned rest = shape->code_dims % 8;
	uint64_t	differ = hx_kernels->hamming(a, b, whole);

	if (rest > 0)
	{
		uint8_t		last = (uint8_t) ((a[whole] ^ b[whole]) & ((1u << rest) - 1));

		differ += hx_kernels->popcount(&last, 1);
	}
	return (float) ((double) differ * shape->dims / shape->code_dims);
}

/*
 * The factor F = |r|^2 / <x, r> tells the length, as <x, r> is in proportion to the length of
 * the coded part of r, and that to |r|, but for chance.
 */
void
hx_link_lengths(const HxLinkShape *shape, const uint8_t *node_bits, const HxLink *links,
				const uint8_t *codes, unsigned count, float *squared)
{
	const size_t code_bytes = hx_link_code_bytes(shape);
	const double along = (shape->bits == 2 ? ALONG_TWO_BITS : ALONG_ONE_BIT) *
		shape->code_dims / sqrt(shape->dims);
	const double share = shape->metric == HX_LINK_IP ? along : along / 2;

	for (unsigned i = 0; i < count; i++)
	{
		if (shape->metric == HX_LINK_HAMMING)
			squared[i] = share_of_bits(shape, node_bits, codes + i * code_bytes);
		else
		{
			const double length = hx_bfloat16_value(links[i].scale) * share;

			squared[i] = (float) (length * length);
		}
	}
}

/* The cosine that equal signs less different ones tell, as a share x: sin(pi / 2 * x). */
static double
cosine_of_signs(double x)
{
	const double z = x * x;

	return x * (1.5707963 + z * (-0.6459641 + z * (0.0796926 + z * (-0.0046818 + z * 0.0001604))));
}

/*
 * Its like for codes of two bits, from <xa, xb> in units of its largest expectation: fitted to
 * normally distributed coordinates, within 0.005.
 */
static double
cosine_of_levels(double x)
{
	const double z = x * x;

	return x * (1.14862 + z * (-0.22873 + z * (0.54343 - z * 0.46332)));
}

/* The cosine between two residuals of which the codes are known. */
static double
cosine_of(const HxLinkShape *shape, const uint8_t *a, const uint8_t *b)
{
	const size_t half = shape->code_dims / 8;
	const double n = shape->code_dims;
	const double signs = n - 2.0 * (double) hx_kernels->hamming(a, b, half);
	double		crossed;
	double		seconds;

	if (shape->bits == 1)
		return cosine_of_signs(signs / n);

	/* x = s + t / 2 with s, t = +-1, and 0.88463 n is what <x, x> is expected to be. */
	crossed = 2 * n - 2.0 * (double) (hx_kernels->hamming(a, b + half, half) +
									  hx_kernels->hamming(a + half, b, half));
	seconds = n - 2.0 * (double) hx_kernels->hamming(a + half, b + half, half);
	return cosine_of_levels((signs + crossed / 2 + seconds / 4) / (0.88463 * n));
}

float
hx_link_pair(const HxLinkShape *shape, const uint8_t *code_a, float squared_a,
			 const uint8_t *code_b, float squared_b)
{
	double		squared;

	if (shape->metric == HX_LINK_HAMMING)
		return share_of_bits(shape, code_a, code_b);
	squared = (double) squared_a + squared_b -
		2 * sqrt((double) squared_a * squared_b) * cosine_of(shape, code_a, code_b);
	return squared > 0 ? (float) squared : 0;
}
