/*
 * hamming_list.h
 *	  The lists of pages with room: where an insert goes and what vacuum feeds.
 */
#ifndef HX_HAMMING_LIST_H
#define HX_HAMMING_LIST_H

#include "am/hamming/hamming.h"

/*
 * Tries to put what `context` holds on a page of the list's kind, which is
 * exclusively locked; true when done.
 */
typedef bool (*HammingPlace) (Relation index, Buffer buf, void *context);

/*
 * Offers pages with room to place() until it takes one: the one remembered, the
 * head of the list after dropping heads that are full, at last a new page.
 * Takes and releases all locks; see README for their order.
 */
extern void hamming_list_place(Relation index, HammingCache *cache, HammingList list,
							   HammingPlace place, void *context);

/* Bytes of a page that must be free before vacuum puts it back on the list. */
#define HAMMING_ROOM_WORTH_LISTING (BLCKSZ / 16)

/*
 * Registers the metapage with an open record and puts the page, registered too,
 * at the head of its list. Both buffers are exclusively locked.
 */
extern void hamming_list_push(Page meta_page, HammingList list, Page page, BlockNumber blk);

#endif							/* HX_HAMMING_LIST_H */
