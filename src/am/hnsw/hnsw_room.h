/*
 * hnsw_room.h
 *	  The lists of pages with room for nodes and postings.
 */
#ifndef HX_HNSW_ROOM_H
#define HX_HNSW_ROOM_H

#include "am/common/room.h"
#include "am/hnsw/hnsw_page.h"

/* The lists, by HnswList; that of nodes pages as long as their tails do not matter. */
extern const HxRoom hnsw_rooms[HNSW_LISTS];

/* The list of nodes pages, with the tail that a page of this shape has. */
extern HxRoom hnsw_nodes_room(const HnswShape *shape);

/* Makes a tail page behind the page of this node, with nothing of a vector yet. */
extern void hnsw_tail_blank(Page page, HxNode node);

/*
 * For vacuum: adopts a blank page, left by a crash between the extension of the file and the first
 * record. With the blank ones behind it, before block `end`, it becomes a nodes page and its tail;
 * if there are too few, a postings page. The buffer is not locked. Returns the next block.
 */
extern BlockNumber hnsw_room_adopt(Relation index, const HnswShape *shape, Buffer buf,
								   BlockNumber end);

/*
 * Tells in a page's header that its contents are used up to here, in bytes. What lies behind
 * was never used, is zero, and is left out of images in WAL.
 */
extern void hnsw_page_reach(Page page, Size bytes);

#endif							/* HX_HNSW_ROOM_H */
