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

/* Where the buffer of a page is remembered that is not one of a temporary table. */
static inline Hint *
hint_of(uint32 key)
{
	if (hints == NULL)
		hints = MemoryContextAllocZero(TopMemoryContext, HINTS * sizeof(Hint));
	return &hints[key & (HINTS - 1)];
}

/* Is it worth while to look into the buffer that is remembered? */
static inline bool
is_hinted(const Hint *hint, uint32 key)
{
	static uint32 reads;

	return hint->key == key && hint->buf != InvalidBuffer && ++reads % COUNTED_READ != 0;
}

/* Pins the page in the buffer that is remembered; false when it is there no more. */
static inline bool
read_hinted(Relation index, BlockNumber blk, Buffer buf)
{
	if (!ReadRecentBuffer(index->rd_locator, MAIN_FORKNUM, blk, buf))
		return false;
	pgstat_count_buffer_read(index);
	pgstat_count_buffer_hit(index);
	return true;
}

Buffer
hnsw_read_buffer(Relation index, const HnswShape *shape, HxNode node)
{
	BlockNumber blk = hnsw_node_block(shape, node);
	uint32		key = key_of(index, blk);

	if (RelationUsesLocalBuffers(index))
		return ReadBuffer(index, blk);

	Hint	   *hint = hint_of(key);

	if (is_hinted(hint, key))
	{
		prefetch_node(hint->buf,
					  SizeOfPageHeaderData + hnsw_node_slot(shape, node) * shape->node_bytes,
					  shape->node_bytes);
		if (read_hinted(index, blk, hint->buf))
			return hint->buf;
	}
	*hint = (Hint) {key, ReadBuffer(index, blk)};
	return hint->buf;
}

Buffer
hnsw_read_block(Relation index, BlockNumber blk)
{
	uint32		key = key_of(index, blk);

	if (RelationUsesLocalBuffers(index))
		return ReadBuffer(index, blk);

	Hint	   *hint = hint_of(key);

	if (!is_hinted(hint, key) || !read_hinted(index, blk, hint->buf))
		*hint = (Hint) {key, ReadBuffer(index, blk)};
	return hint->buf;
}
