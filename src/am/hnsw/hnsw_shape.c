/*
 * hnsw_shape.c
 *	  How large a node is and how many fit a page: from dimensions and options.
 *
 * README, "Sizes", has the rule; test/sql/hnsw_options.sql what comes of it.
 */
#include "am/hnsw/hnsw.h"

#include "math/spin.h"

#define DEFAULT_M 32

/* From so many dimensions on one bit a coordinate is enough. */
#define ONE_BIT_DIMS 256

/* Coordinates that a code must cover if it does not cover all: at best, and at the least. */
#define GOOD_CODE_DIMS 512
#define LEAST_CODE_DIMS 256

/* The longest code that a node has room for when so many nodes share a page, in coordinates. */
static uint32
code_dims_at(const HnswShape *shape, uint32 nodes_per_page)
{
	uint32		node_bytes = (HX_PAGE_USABLE / nodes_per_page) & ~3;
	uint32		fixed = shape->links_offset + shape->m * sizeof(HxLink);

	if (node_bytes < fixed)
		return 0;

	/* Whole bytes, except for a code that covers everything. */
	uint32		room = (node_bytes - fixed) / shape->m * 8 / shape->link.bits;

	return room >= shape->link.dims ? shape->link.dims : room & ~7;
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
		shape->link.code_dims = dims;
		shape->code_bytes = hx_link_code_bytes(&shape->link);
		shape->codes_offset = shape->links_offset + shape->m * sizeof(HxLink);
		shape->node_bytes = TYPEALIGN(4, shape->codes_offset + shape->m * shape->code_bytes);
		return true;
	}
	return false;
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
	shape->links_offset = TYPEALIGN(4, sizeof(HnswNodeHead) + shape->own_bytes);
	return fill_page(shape, GOOD_CODE_DIMS) || fill_page(shape, LEAST_CODE_DIMS);
}

/* The same with a form of the own vector to choose: f16 unless that leaves too little for codes. */
static bool
choose_stored(HnswShape *shape)
{
	shape->stored = HX_STORED_F16;
	if (hnsw_shape_complete(shape) &&
		shape->link.code_dims >= Min(GOOD_CODE_DIMS, shape->link.dims))
		return true;
	shape->stored = HX_STORED_INT8;
	return hnsw_shape_complete(shape);
}

void
hnsw_shape_set_dims(Relation index, HnswShape *shape, uint32 dims)
{
	const HnswOptions *options = (const HnswOptions *) index->rd_options;
	bool		free_format = shape->metric != HNSW_HAMMING &&
		(options == NULL || options->format < 0);

	shape->dims = dims;
	shape->m = options != NULL && options->m > 0 ? options->m : DEFAULT_M;
	if (shape->metric == HNSW_HAMMING)
		shape->link.bits = 1;
	else if (options != NULL && options->code_bits > 0)
		shape->link.bits = options->code_bits;
	else
		shape->link.bits = dims < ONE_BIT_DIMS ? 2 : 1;
	if (!free_format)
		shape->stored = shape->metric == HNSW_HAMMING ? 0 : (HxStoredFormat) options->format;

	if (free_format ? choose_stored(shape) : hnsw_shape_complete(shape))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg(shape->metric == HNSW_HAMMING ?
					"codes of %u bits are too long for access method \"hashidx_hnsw\"" :
					"vectors of %u dimensions are too long for access method \"hashidx_hnsw\"", dims),
			 errdetail("A node, with its own vector and codes for its %u links, must fit one page.",
					   shape->m),
			 errhint("Set format to int8, take fewer links (m), or index a shorter vector.")));
}
