/*
 * hnsw_room.c
 *	  The lists of pages with room, what their new pages look like, and the adoption of blank
 *	  pages that a crash left behind.
 */
#include "am/hnsw/hnsw_room.h"

#include "am/hnsw/hnsw.h"

/* An empty page counts as a hole until its slots are used. */
static void
init_page(Page page, HxPageKind kind)
{
	hnsw_page_init(page, kind);
	((PageHeader) page)->pd_lower = SizeOfPageHeaderData;
}

static void
init_nodes_page(Page page, const void *context)
{
	init_page(page, HX_PAGE_NODES);
}

static void
init_postings_page(Page page, const void *context)
{
	init_page(page, HX_PAGE_POSTINGS);
}

void
hnsw_tail_blank(Page page, HxNode node)
{
	init_page(page, HX_PAGE_TAIL);
	hnsw_tail(page)->node = node;
	hnsw_page_reach(page, offsetof(HnswTailPage, data));
}

const HxRoom hnsw_rooms[HNSW_LISTS] = {
	[HNSW_LIST_NODES] = {
		.page_id = HX_PAGE_ID_HNSW,
		.kind = HX_PAGE_NODES,
		.head = offsetof(HnswMetaPage, room[HNSW_LIST_NODES]),
		.init = init_nodes_page,
		.init_tail = hnsw_tail_blank,
	},
	[HNSW_LIST_POSTINGS] = {
		.page_id = HX_PAGE_ID_HNSW,
		.kind = HX_PAGE_POSTINGS,
		.head = offsetof(HnswMetaPage, room[HNSW_LIST_POSTINGS]),
		.init = init_postings_page,
	},
};

HxRoom
hnsw_nodes_room(const HnswShape *shape)
{
	HxRoom		room = hnsw_rooms[HNSW_LIST_NODES];

	room.tail = shape->tail_pages;
	return room;
}

void
hnsw_page_reach(Page page, Size bytes)
{
	PageHeader	header = (PageHeader) page;

	header->pd_lower = Max(header->pd_lower, SizeOfPageHeaderData + bytes);
}

static bool
is_blank(Relation index, BlockNumber blk)
{
	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);

	bool		blank = PageIsNew(BufferGetPage(buf));

	UnlockReleaseBuffer(buf);
	return blank;
}

/*
 * Nobody else writes to blank pages: whoever extends the index keeps the first of its new pages
 * locked until it is no longer blank, and others are not looked at alone.
 */
BlockNumber
hnsw_room_adopt(Relation index, const HnswShape *shape, Buffer buf, BlockNumber end)
{
	HxRoom		room = hnsw_nodes_room(shape);
	BlockNumber blk = BufferGetBlockNumber(buf);
	BlockNumber blank = 1;
	Buffer		last = InvalidBuffer;

	while (blank <= room.tail && blk + blank < end && is_blank(index, blk + blank))
		blank++;
	if (blank <= room.tail)
		room = hnsw_rooms[HNSW_LIST_POSTINGS];
	if (room.tail > 0)
		last = ReadBuffer(index, blk + room.tail);

	Buffer		meta_buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);
	hnsw_check_kind(index, meta_buf, HX_PAGE_META);
	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	if (BufferIsValid(last))
		LockBuffer(last, BUFFER_LOCK_EXCLUSIVE);
	hx_room_adopt(index, &room, meta_buf, buf, last);
	if (BufferIsValid(last))
		UnlockReleaseBuffer(last);
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);
	UnlockReleaseBuffer(meta_buf);
	return blk + 1 + room.tail;
}
