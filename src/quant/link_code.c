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

/*
 * A scale of l2 may be off by so many units of its last place, if the nearest one loses more than
 * this share of |r|^2.
 */
#define MOST_UNITS 4
#define ENOUGH (1.0 / 128)

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

/* What an l2 link loses by the rounding of its factors, to a query as near to the node. */
static double
loss_of(const HxLink *link, double factor, double squares, double cross)
{
	const double scale = hx_bfloat16_value(link->scale);
	const double add = squares - scale * cross;

	return fabs(hx_bfloat16_value(link->add) - add) + fabs(scale / (-2 * factor) - 1) * squares;
}

/*
 * The factors of an l2 link; add is that of the rounded scale. Where a cluster is narrow against
 * its distance from the centre, add is many times what the estimate comes to, and its rounding
 * would drown that; another scale close by, whose add happens to be nearly a bfloat16, costs less.
 */
static void
choose_factors(HxLink *link, double factor, double squares, double cross)
{
	const uint16_t nearest = hx_bfloat16_of(-2 * factor);
	double		least;

	link->scale = nearest;
	link->add = hx_bfloat16_of(squares - hx_bfloat16_value(nearest) * cross);
	if ((nearest & 0x7fff) <= MOST_UNITS || (nearest & 0x7fff) >= 0x7f7f - MOST_UNITS)
		return;
	least = loss_of(link, factor, squares, cross);
	if (least <= ENOUGH * squares)
		return;
	for (int unit = -MOST_UNITS; unit <= MOST_UNITS; unit++)
	{
		HxLink		other = {.node = link->node,.scale = (uint16_t) (nearest + unit)};
		double		loss;

		other.add = hx_bfloat16_of(squares - hx_bfloat16_value(other.scale) * cross);
		loss = loss_of(&other, factor, squares, cross);
		if (loss < least)
		{
			least = loss;
			*link = other;
		}
	}
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
		link->add = hx_bfloat16_of(-hx_bfloat16_value(link->scale) * residual.cross -
								   along_node(node_y, neighbour_y, centre, shape->dims));
	}
	else
		choose_factors(link, factor, squares, residual.cross);
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
