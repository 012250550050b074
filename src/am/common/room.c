/*
 * room.c
 *	  Lists of pages with room; see room.h.
 */
#include "am/common/room.h"

#include "miscadmin.h"

/* The blocks that can be in a list: not the metapage. */
#define FIRST_BLOCK 1

static BlockNumber *
head_of(const HxRoom *room, Page meta_page)
{
	return (BlockNumber *) (PageGetContents(meta_page) + room->head);
}

Buffer
hx_room_lock(Relation index, const HxRoom *room, BlockNumber blk)
{
	if (blk < FIRST_BLOCK || blk >= RelationGetNumberOfBlocks(index))
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
							  "The list of pages with room leads to block %u.", blk);

	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	if (hx_page_check(index, buf, room->page_id) != room->kind)
		hx_page_report_damage(index, blk, "The page is in a list of pages of another kind.");
	return buf;
}

void
hx_room_push(const HxRoom *room, Page meta_page, Page page, BlockNumber blk)
{
	BlockNumber *head = head_of(room, meta_page);

	hx_page_opaque(page)->next = *head;
	hx_page_opaque(page)->flags |= HX_PAGE_LISTED;
	*head = blk;
}

/* Takes the head of the list off it: the head is full. */
static void
pop_head(Relation index, const HxRoom *room, Buffer meta_buf, Buffer buf)
{
	GenericXLogState *record = GenericXLogStart(index);
	Page		meta_page = GenericXLogRegisterBuffer(record, meta_buf, 0);
	HxPageOpaque *opaque = hx_page_opaque(GenericXLogRegisterBuffer(record, buf, 0));

	*head_of(room, meta_page) = opaque->next;
	opaque->next = InvalidBlockNumber;
	opaque->flags &= ~HX_PAGE_LISTED;
	GenericXLogFinish(record);
}

/* Makes a page of the list, and its tail; `noted` is told of it, unless invalid. */
static void
init_pages(Relation index, const HxRoom *room, Buffer meta_buf, Buffer buf, Buffer last,
		   Buffer noted)
{
	GenericXLogState *record = GenericXLogStart(index);
	Page		meta_page = GenericXLogRegisterBuffer(record, meta_buf, 0);
	Page		page = GenericXLogRegisterBuffer(record, buf, GENERIC_XLOG_FULL_IMAGE);

	room->init(page, room->context);
	hx_room_push(room, meta_page, page, BufferGetBlockNumber(buf));
	if (BufferIsValid(last))
		room->init_tail(GenericXLogRegisterBuffer(record, last, GENERIC_XLOG_FULL_IMAGE),
						BufferGetBlockNumber(buf));
	if (BufferIsValid(noted))
		room->note(record, meta_page, noted, BufferGetBlockNumber(buf));
	GenericXLogFinish(record);
}

void
hx_room_adopt(Relation index, const HxRoom *room, Buffer meta_buf, Buffer buf, Buffer last)
{
	Assert(room->open == NULL);
	init_pages(index, room, meta_buf, buf, last, InvalidBuffer);
}

/* Adds a page to the index, as the head of the list. */
static void
push_new_page(Relation index, const HxRoom *room, Buffer meta_buf)
{
	Buffer		noted = room->open == NULL ? InvalidBuffer :
		room->open(index, BufferGetPage(meta_buf));
	Buffer		last;
	Buffer		buf = hx_page_extend_run(index, room->tail, &last);

	init_pages(index, room, meta_buf, buf, last, noted);
	UnlockReleaseBuffer(buf);
	if (BufferIsValid(last))
		UnlockReleaseBuffer(last);
	if (BufferIsValid(noted))
		UnlockReleaseBuffer(noted);
}

void
hx_room_advance(Relation index, const HxRoom *room, BlockNumber *blk)
{
	CHECK_FOR_INTERRUPTS();

	Buffer		meta_buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);
	hx_page_check(index, meta_buf, room->page_id);

	const BlockNumber *head = head_of(room, BufferGetPage(meta_buf));

	if (*blk != InvalidBlockNumber && *head == *blk)
	{
		Buffer		buf = hx_room_lock(index, room, *blk);

		pop_head(index, room, meta_buf, buf);
		UnlockReleaseBuffer(buf);
	}
	if (*head == InvalidBlockNumber)
		push_new_page(index, room, meta_buf);
	*blk = *head;
	UnlockReleaseBuffer(meta_buf);
}
