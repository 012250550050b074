/*
 * link_code.c
 *	  Codes of neighbours relative to their node, and their factors. Both are frozen.
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
