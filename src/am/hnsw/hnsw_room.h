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
 * Tells in a page's header that its contents are used up to here, in bytes. What lies behind
 * was never used, is zero, and is left out of images in WAL.
 */
extern void hnsw_page_reach(Page page, Size bytes);

#endif							/* HX_HNSW_ROOM_H */
