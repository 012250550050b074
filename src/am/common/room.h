/*
 * room.h
 *	  Lists of pages with room: where inserts go and what vacuum feeds.
 *
 * A list is a stack threaded through the special areas: the metapage (block 0) names the
 * head, each page the next. HX_PAGE_LISTED tells that a page is in its list, so that
 * vacuum never pushes one twice. Lists change only under an exclusive lock on the metapage,
 * which is always taken before that of the page.
 */
#ifndef HX_AM_ROOM_H
#define HX_AM_ROOM_H

#include "am/common/page.h"

#include "access/generic_xlog.h"

typedef struct HxRoom
{
	uint16		page_id;
	HxPageKind	kind;			/* of the list's pages */
	Size		head;			/* offset of the list's head in the metapage's contents */
	void		(*init) (Page page, const void *context);	/* makes a page without contents */
	const void *context;		/* of init */

	/*
	 * NULL, or: what else has to know of a new page. open() returns its page exclusively locked,
	 * as the metapage is, or InvalidBuffer when there is none; note() registers that with the
	 * record of the new page, whose block it writes down. meta_page is an image there.
	 */
	Buffer		(*open) (Relation index, Page meta_page);
	void		(*note) (GenericXLogState *record, Page meta_page, Buffer buf, BlockNumber blk);

	/*
	 * So many blocks behind each page of the list belong to it: its tail. They come to the index
	 * together with the page; init_tail() makes the last of them, so that a record tells of
	 * all, and the others stay zero until they are written. 0: none, and NULL.
	 */
	BlockNumber tail;
	void		(*init_tail) (Page page, BlockNumber head);
} HxRoom;

/*
 * Reads and exclusively locks a page of a list, as a backend remembers it or the list names
 * it; damage when it is not of the list's kind.
 */
extern Buffer hx_room_lock(Relation index, const HxRoom *room, BlockNumber blk);

/*
 * Finds the next page to try. *blk is the page that has just turned out full, or
 * InvalidBlockNumber; it is dropped if it is still the head of the list. Extends the index if
 * no page is left. The caller holds no buffer lock.
 */
extern void hx_room_advance(Relation index, const HxRoom *room, BlockNumber *blk);

/*
 * Makes a page of the list of blank ones that a crash left behind: of `buf`, and of `last` the end
 * of its tail (invalid when there is none). All buffers are exclusively locked. Not for lists
 * with open().
 */
extern void hx_room_adopt(Relation index, const HxRoom *room, Buffer meta_buf, Buffer buf,
						  Buffer last);

/*
 * Puts a page at the head of its list. Both pages are registered with an open record, their
 * buffers exclusively locked.
 */
extern void hx_room_push(const HxRoom *room, Page meta_page, Page page, BlockNumber blk);

#endif							/* HX_AM_ROOM_H */
