/*
 * buffer_hint.c
 *	  In which buffers pages were seen last; see buffer_hint.h.
 */
#include "am/common/buffer_hint.h"

#include "pgstat.h"
#include "storage/buf_internals.h"
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

static inline uint32
key_of(Relation index, BlockNumber blk)
{
	return blk + RelationGetRelid(index) * UINT32_C(0x9e3779b1);
}

static inline Hint *
hint_of(uint32 key)
{
	if (hints == NULL)
		hints = MemoryContextAllocZero(TopMemoryContext, HINTS * sizeof(Hint));
	return &hints[key & (HINTS - 1)];
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
hx_hint_read(Relation index, BlockNumber blk)
{
	static uint32 reads;
	uint32		key = key_of(index, blk);

	/* Buffers of temporary tables are not worth it. */
	if (RelationUsesLocalBuffers(index))
		return ReadBuffer(index, blk);

	Hint	   *hint = hint_of(key);

	if (hint->key != key || hint->buf == InvalidBuffer || ++reads % COUNTED_READ == 0 ||
		!read_hinted(index, blk, hint->buf))
		*hint = (Hint) {key, ReadBuffer(index, blk)};
	return hint->buf;
}

const char *
hx_hint_page(Relation index, BlockNumber blk)
{
	uint32		key = key_of(index, blk);

	if (RelationUsesLocalBuffers(index))
		return NULL;

	const Hint *hint = hint_of(key);

	if (hint->key != key || hint->buf == InvalidBuffer)
		return NULL;
	__builtin_prefetch(GetBufferDescriptor(hint->buf - 1), 1);
	return BufferGetBlock(hint->buf);
}
