/*
 * link_block.c
 *	  Codes in blocks of 32, and the estimates of many distances from tables of the query
 *	  (FastScan).
 */
#include "quant/link_code.h"

#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "quant/link_factor.h"
#include "quant/quad.h"

/* Bytes of a group of four bits: in a block, and in the tables. */
#define GROUP_BYTES 16

/* The beginning of a table; the tables of the groups follow, after 64 bytes. */
typedef struct TableHead
{
	float		step;			/* <x, y> = base + step * (sum of the table entries) */
	float		base;
} TableHead;

#define HEAD_BYTES 64

#define LARGEST_ENTRY 255

/* Groups of a code, filled up to what the kernel takes at a time. */
static size_t
groups_of(const HxLinkShape *shape)
{
	const size_t groups = hx_link_code_bytes(shape) * 2;

	return (groups + HX_BLOCK_GROUPS - 1) / HX_BLOCK_GROUPS * HX_BLOCK_GROUPS;
}

size_t
hx_link_block_bytes(const HxLinkShape *shape)
{
	return groups_of(shape) * GROUP_BYTES;
}

void
hx_link_block_put(const HxLinkShape *shape, uint8_t *blocks, size_t index, const uint8_t *code)
{
	const size_t groups = groups_of(shape);
	const size_t in_code = hx_link_code_bytes(shape) * 2;
	const size_t in_block = index % HX_BLOCK;
	const unsigned shift = in_block < HX_BLOCK / 2 ? 0 : 4;
	uint8_t    *at = blocks + index / HX_BLOCK * groups * GROUP_BYTES + in_block % (HX_BLOCK / 2);

	for (size_t g = 0; g < groups; g++, at += GROUP_BYTES)
	{
		const unsigned bits = g < in_code ? code[g / 2] >> (g % 2 * 4) & 0xf : 0;

		*at = (uint8_t) ((*at & (0xf0 >> shift)) | bits << shift);
	}
}

size_t
hx_link_table_bytes(const HxLinkShape *shape)
{
	return HEAD_BYTES + groups_of(shape) * GROUP_BYTES;
}

/* What the four bits of a group weigh: y for signs, half of it for second bits. */
static HxQuad
group_weights(const HxLinkShape *shape, const float *y, size_t group)
{
	const size_t bit = 4 * group;

	/* Signs are whole bytes, so a group has bits of one kind. */
	if (bit < shape->code_dims)
		return hx_load_quad(y + bit);
	if (bit < (size_t) shape->code_dims * shape->bits)
		return hx_load_quad(y + bit - shape->code_dims) * 0.5f;
	return (HxQuad) {0};
}

/* How far a sum of the weights, each taken as it is or negative, is from 0 at most. */
static float
group_reach(HxQuad weight)
{
	const HxQuad length = (HxQuad) ((HxQuadBits) weight & INT32_MAX);

	return (length[0] + length[1]) + (length[2] + length[3]);
}

/*
 * The 16 sums of a group, for bits 1 and 0 the weight and its negative, counted in steps
 * from the least one, -reach. Four entries with the same low bits at a time: their high
 * bits are the number of a lane.
 */
static void
fill_group(HxQuad weight, float reach, float per_step, uint8_t *table)
{
	const float w2 = weight[2];
	const float w3 = weight[3];
	const HxQuad high = (HxQuad) {-w2 - w3, w2 - w3, w3 - w2, w2 + w3} + reach;
	HxQuadBits	entries = {0};

	for (int low = 0; low < 4; low++)
	{
		const float of_low = ((low & 1) != 0 ? weight[0] : -weight[0]) +
			((low & 2) != 0 ? weight[1] : -weight[1]);
		HxQuad		steps = (high + of_low) * per_step;

		/* The least entry may round to less than none. */
		steps = (HxQuad) ((HxQuadBits) steps & (HxQuadBits) (steps > 0.0f));
		entries |= hx_round_quad(steps) << (8 * low);
	}
	memcpy(table, &entries, GROUP_BYTES);
}

void
hx_link_table_prepare(const HxLinkShape *shape, const float *y, void *table)
{
	const size_t groups = groups_of(shape);
	uint8_t    *at = (uint8_t *) table + HEAD_BYTES;
	float		largest = 0;
	double		reaches = 0;
	TableHead	head;
	float		per_step;

	for (size_t g = 0; g < groups; g++)
	{
		const float reach = group_reach(group_weights(shape, y, g));

		reaches += reach;
		largest = reach > largest ? reach : largest;
	}
	head = (TableHead) {2 * largest / LARGEST_ENTRY, (float) -reaches};
	per_step = head.step > 0 ? 1 / head.step : 0;
	memcpy(table, &head, sizeof(head));

	for (size_t g = 0; g < groups; g++, at += GROUP_BYTES)
	{
		const HxQuad weight = group_weights(shape, y, g);

		fill_group(weight, group_reach(weight), per_step, at);
	}
}

void
hx_link_estimate_blocks(const HxLinkShape *shape, const void *table, float own,
						const HxLink *links, const uint8_t *blocks, size_t count,
						float *estimate)
{
	const size_t groups = groups_of(shape);
	TableHead	head;

	memcpy(&head, table, sizeof(head));
	for (size_t first = 0; first < count; first += HX_BLOCK, blocks += groups * GROUP_BYTES)
	{
		const size_t now = count - first < HX_BLOCK ? count - first : HX_BLOCK;
		uint32_t	sum[HX_BLOCK];

		hx_kernels->scan_block(blocks, (const uint8_t *) table + HEAD_BYTES, groups, sum);
		hx_link_finish(links + first, sum, now, own, head.base, -head.step, estimate + first);
	}
}
