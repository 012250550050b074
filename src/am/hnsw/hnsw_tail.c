/*
 * hnsw_tail.c
 *	  Tail pages: the rest of own vectors that do not fit their nodes' pages; see hnsw_tail.h.
 */
#include "am/hnsw/hnsw_tail.h"

#include "access/xloginsert.h"
#include "am/common/buffer_hint.h"
#include "am/hnsw/hnsw.h"
#include "am/hnsw/hnsw_room.h"
#include "miscadmin.h"

const char *const hnsw_tail_beyond = "The vector of the node here goes on beyond the end of the index.";

/* The part of the own vector that is in a tail page: where it begins, and its length. */
static uint32
part_begin(const HnswShape *shape, uint32 place)
{
	return shape->head_bytes + place * HNSW_TAIL_BYTES;
}

static uint32
part_bytes(const HnswShape *shape, uint32 place)
{
	return Min(shape->own_bytes - part_begin(shape, place), HNSW_TAIL_BYTES);
}

void
hnsw_tail_init(const HnswShape *shape, Page page, uint32 place, HxNode node, uint32 version,
			   const uint8 *own)
{
	uint32		bytes = part_bytes(shape, place);

	hnsw_tail_blank(page, node);

	HnswTailPage *tail = hnsw_tail(page);

	tail->version = version;
	memcpy(tail->data, own + part_begin(shape, place), bytes);
	hnsw_page_reach(page, offsetof(HnswTailPage, data) + bytes);
}

const char *
hnsw_tail_copy(Relation index, const HnswShape *shape, HxNode node, HnswNodeHead *head,
			   BufferAccessStrategy strategy, uint8 *own, BlockNumber *blk)
{
	const char *problem = NULL;

	memcpy(own, hnsw_node_own(head), shape->head_bytes);
	for (uint32 place = 0; place < shape->tail_pages && problem == NULL; place++)
	{
		*blk = hnsw_node_block(shape, node) + 1 + place;

		Buffer		buf = strategy == NULL ? hx_hint_read(index, *blk) :
			ReadBufferExtended(index, MAIN_FORKNUM, *blk, RBM_NORMAL, strategy);

		LockBuffer(buf, BUFFER_LOCK_SHARE);
		problem = hnsw_tail_problem(BufferGetPage(buf), node);
		if (problem == NULL)
		{
			const HnswTailPage *tail = hnsw_tail(BufferGetPage(buf));

			if (tail->version != head->version)
				problem = "The page has a part of the vector that the node had before.";
			memcpy(own + part_begin(shape, place), tail->data, part_bytes(shape, place));
		}
		UnlockReleaseBuffer(buf);
	}
	return problem;
}

void
hnsw_own_copy(Relation index, const HnswShape *shape, HxNode node, HnswNodeHead *head, uint8 *own)
{
	BlockNumber blk = hnsw_node_block(shape, node);
	const char *problem;

	if (shape->tail_pages > 0 && blk + shape->tail_pages >= RelationGetNumberOfBlocks(index))
		hx_page_report_damage(index, blk, "%s", hnsw_tail_beyond);
	problem = hnsw_tail_copy(index, shape, node, head, NULL, own, &blk);
	if (problem != NULL)
		hx_page_report_damage(index, blk, "%s", problem);
}

/* Exclusively locks a tail page of a free slot: blank, or with what was there before. */
static Buffer
lock_tail(Relation index, BlockNumber blk, HxNode node)
{
	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	const char *problem = PageIsNew(BufferGetPage(buf)) ? NULL :
		hnsw_tail_problem(BufferGetPage(buf), node);

	if (problem != NULL)
		hx_page_report_damage(index, blk, "%s", problem);
	return buf;
}

void
hnsw_tail_write(Relation index, const HnswShape *shape, HxNode node, uint32 version,
				const uint8 *own)
{
	for (uint32 place = 0; place < shape->tail_pages; place++)
	{
		Buffer		buf = lock_tail(index, hnsw_node_block(shape, node) + 1 + place, node);

		START_CRIT_SECTION();
		hnsw_tail_init(shape, BufferGetPage(buf), place, node, version, own);
		MarkBufferDirty(buf);
		if (RelationNeedsWAL(index))
			log_newpage_buffer(buf, true);
		END_CRIT_SECTION();
		UnlockReleaseBuffer(buf);
	}
}
