/*
 * hnsw_buffer.c
 *	  Reading pages that were read before, without looking them up again.
 *
 * A search reads a hundred pages that lie anywhere in shared memory, and each look-up in the
 * buffer manager's hash table costs several cache misses. A backend therefore remembers in
 * which buffer it saw a page last; the buffer manager verifies, once the buffer is pinned, that
 * the page is still there, so a stale hint costs a look-up and nothing else.
 */
#include "am/hnsw/hnsw.h"

#include "pgstat.h"
#include "utils/memutils.h"

/* Pages remembered, of all indexes together: a power of two. */
#define HINTS (1 << 18)

/* A hinted read does not count as a use of the buffer for its replacement; so many others do. */
#define COUNTED_READ 16

typedef struct Hint
{
	uint32		key;
	Buffer		buf;
} Hint;

static Hint *hints;

static uint32
key_of(Relation index, BlockNumber blk)
{
	return blk + RelationGetRelid(index) * UINT32_C(0x9e3779b1);
}

/* Starts loading the memory that the visit of a node is going to read. */
static inline void
prefetch_node(Buffer buf, Size offset, Size bytes)
{
	const char *page = (const char *) BufferGetBlock(buf);

	__builtin_prefetch(page);
	__builtin_prefetch(page + BLCKSZ - sizeof(HxPageOpaque));
	for (Size at = 0; at < bytes; at += 64)
		__builtin_prefetch(page + offset + at);
}

Buffer
hnsw_read_buffer(Relation index, const HnswShape *shape, HxNode node)
{
	static uint32 reads;
	BlockNumber blk = hnsw_node_block(shape, node);
	uint32		key = key_of(index, blk);

	if (RelationUsesLocalBuffers(index))
		return ReadBuffer(index, blk);
	if (hints == NULL)
		hints = MemoryContextAllocZero(TopMemoryContext, HINTS * sizeof(Hint));

	Hint	   *hint = &hints[key & (HINTS - 1)];

	if (hint->key == key && hint->buf != InvalidBuffer && ++reads % COUNTED_READ != 0)
	{
		prefetch_node(hint->buf,
					  SizeOfPageHeaderData + hnsw_node_slot(shape, node) * shape->node_bytes,
					  shape->node_bytes);
		if (ReadRecentBuffer(index->rd_locator, MAIN_FORKNUM, blk, hint->buf))
		{
			pgstat_count_buffer_read(index);
			pgstat_count_buffer_hit(index);
			return hint->buf;
		}
	}
	*hint = (Hint) {key, ReadBuffer(index, blk)};
	return hint->buf;
}
