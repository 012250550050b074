/*
 * hnsw_shape.c
 *	  The size of a node, and how many fit a page or how many pages one takes: from dimensions
 *	  and options.
 *
 * README, "Sizes", has the rule; test/sql/hnsw_wide.sql shows the results for large nodes.
 */
#include "am/hnsw/hnsw.h"

#include "math/spin.h"

#define DEFAULT_M 32

/* From so many dimensions on one bit a coordinate is enough. */
#define ONE_BIT_DIMS 256

/* Coordinates that a code must cover if it does not cover all: at best, and at the least. */
#define GOOD_CODE_DIMS 512
#define LEAST_CODE_DIMS 256

/* Coordinates of a code that has so many bytes: whole bytes, unless it covers everything. */
static uint32
code_dims_of(const HnswShape *shape, uint32 bytes)
{
	uint32		room = bytes * 8 / shape->link.bits;

	return room >= shape->link.dims ? shape->link.dims : room & ~7;
}

/* The longest code that a node has room for when so many nodes share a page, in coordinates. */
static uint32
code_dims_at(const HnswShape *shape, uint32 nodes_per_page)
{
	uint32		node_bytes = (HX_PAGE_USABLE / nodes_per_page) & ~3;
	uint32		fixed = shape->links_offset + shape->m * sizeof(HxLink);

	return node_bytes < fixed ? 0 : code_dims_of(shape, (node_bytes - fixed) / shape->m);
}

/* Where the parts of a node are, when its record has so much of the own vector, and such codes. */
static void
lay_out(HnswShape *shape, uint32 head_bytes, uint32 code_dims)
{
	shape->head_bytes = head_bytes;
	shape->links_offset = TYPEALIGN(4, sizeof(HnswNodeHead) + head_bytes);
	shape->link.code_dims = code_dims;
	shape->code_bytes = hx_link_code_bytes(&shape->link);
	shape->codes_offset = shape->links_offset + shape->m * sizeof(HxLink);
	shape->node_bytes = TYPEALIGN(4, shape->codes_offset + shape->m * shape->code_bytes);
}

/* As many nodes a page as leave codes of at least so many coordinates; false: not even one. */
static bool
fill_page(HnswShape *shape, uint32 least)
{
	for (uint32 nodes = HX_PAGE_USABLE / shape->links_offset; nodes >= 1; nodes--)
	{
		uint32		dims = code_dims_at(shape, nodes);

		if (dims == 0 || dims < Min(least, shape->link.dims))
			continue;
		shape->nodes_per_page = nodes;
		lay_out(shape, shape->own_bytes, dims);
		return true;
	}
	return false;
}

/*
 * One node in a page and its tail. The links stay in the record with codes as long as there is
 * room for; of the own vector there is what they leave, and the rest is in the tail. False: there
 * is no room for good codes, or the tail could be shorter.
 */
static bool
fill_run(HnswShape *shape)
{
	uint32		fixed = sizeof(HnswNodeHead) + shape->m * sizeof(HxLink);
	uint32		own_bytes = TYPEALIGN(4, shape->own_bytes);
	uint64		bytes = HX_PAGE_USABLE + (uint64) shape->tail_pages * HNSW_TAIL_BYTES;

	/* Bits are compared with codes: the record has at least as many of its own. */
	uint32		parts = shape->m + (shape->metric == HNSW_HAMMING ? 1 : 0);
	uint32		code_bytes = (HX_PAGE_USABLE - fixed) / parts;

	if (bytes < fixed + own_bytes)
		return false;
	code_bytes = Min(code_bytes, (bytes - fixed - own_bytes) / shape->m);

	uint32		dims = code_dims_of(shape, code_bytes);

	if (dims < Min(LEAST_CODE_DIMS, shape->link.dims))
		return false;
	shape->nodes_per_page = 1;
	lay_out(shape, 0, dims);
	lay_out(shape, Min(shape->own_bytes, (HX_PAGE_USABLE - shape->node_bytes) & ~3), dims);
	return shape->own_bytes > shape->head_bytes + (shape->tail_pages - 1) * HNSW_TAIL_BYTES;
}

bool
hnsw_shape_complete(HnswShape *shape)
{
	if (shape->metric == HNSW_HAMMING)
	{
		shape->link.metric = HX_LINK_HAMMING;
		shape->link.dims = shape->dims;
		shape->own_dims = shape->dims;
		shape->own_bytes = (shape->dims + 7) / 8;
	}
	else
	{
		shape->link.metric = shape->metric == HNSW_IP ? HX_LINK_IP : HX_LINK_L2;
		shape->link.dims = hx_spin_dims(shape->dims);
		shape->own_dims = shape->stored == HX_STORED_INT8 ? shape->link.dims : shape->dims;
		shape->own_bytes = hx_stored_bytes(shape->stored, shape->own_dims);
	}
	if (shape->tail_pages > 0)
		return fill_run(shape);
	shape->links_offset = TYPEALIGN(4, sizeof(HnswNodeHead) + shape->own_bytes);
	return fill_page(shape, GOOD_CODE_DIMS) || fill_page(shape, LEAST_CODE_DIMS);
}

bool
hnsw_has_format(Relation index)
{
	const HnswOptions *options = (const HnswOptions *) index->rd_options;

	return options != NULL && options->format >= 0;
}

void
hnsw_shape_set_stored(HnswShape *shape, HxStoredFormat stored)
{
	shape->stored = stored;

	/* The fewest pages: longer codes gain less than another page costs. */
	for (shape->tail_pages = 0; !hnsw_shape_complete(shape); shape->tail_pages++)
	{
	}
}

void
hnsw_shape_set_dims(Relation index, HnswShape *shape, uint32 dims)
{
	const HnswOptions *options = (const HnswOptions *) index->rd_options;

	shape->dims = dims;
	shape->m = options != NULL && options->m > 0 ? options->m : DEFAULT_M;
	if (shape->metric == HNSW_HAMMING)
		shape->link.bits = 1;
	else if (options != NULL && options->code_bits > 0)
		shape->link.bits = options->code_bits;
	else
		shape->link.bits = dims < ONE_BIT_DIMS ? 2 : 1;
	if (shape->metric == HNSW_HAMMING)
		hnsw_shape_set_stored(shape, 0);
	else if (hnsw_has_format(index))
		hnsw_shape_set_stored(shape, (HxStoredFormat) options->format);
	else
		hnsw_shape_set_stored(shape, HX_STORED_F16);
}
