/*
 * hnsw_buffer.c
 *	  Reading the page of a node: the memory is prefetched before the buffer is pinned.
 */
#include "am/hnsw/hnsw.h"

#include "am/common/buffer_hint.h"

/* Starts loading the memory that the visit of a node is going to read. */
static inline void
prefetch_node(const char *page, Size offset, Size bytes)
{
	__builtin_prefetch(page);
	__builtin_prefetch(page + BLCKSZ - sizeof(HxPageOpaque));
	for (Size at = 0; at < bytes; at += 64)
		__builtin_prefetch(page + offset + at);
}

Buffer
hnsw_read_buffer(Relation index, const HnswShape *shape, HxNode node)
{
	BlockNumber blk = hnsw_node_block(shape, node);
	const char *page = hx_hint_page(index, blk);

	if (page != NULL)
		prefetch_node(page,
					  SizeOfPageHeaderData + hnsw_node_slot(shape, node) * shape->node_bytes,
					  shape->node_bytes);
	return hx_hint_read(index, blk);
}
