/*
 * hamming_list.c
 *	  The lists of pages with room (am/common/room.h), and what their new pages look like;
 *	  see hamming_list.h and README.
 */
#include "am/hamming/hamming_list.h"

#include "am/common/room.h"
#include "am/hamming/hamming_extents.h"

/* Of HxRoom, for codes: the context is the shape. */
static void
init_codes_page(Page page, const void *context)
{
	hamming_codes_init(page, context);
}

static void
init_payload_page(Page page, const void *context)
{
	hx_page_init(page, HX_PAGE_PAYLOAD, HX_PAGE_ID_HAMMING);
}

/* Of HxRoom: beside chunk tables, codes pages must be in the list of extents. */
static Buffer
open_extents(Relation index, Page meta_page)
{
	const HammingMetaPage *meta = hamming_meta(meta_page);

	return meta->method == HAMMING_METHOD_MIH ? hamming_extents_open(index, meta->extents) :
		InvalidBuffer;
}

static const HxRoom rooms[HAMMING_LISTS] = {
	[HAMMING_LIST_CODES] = {
		.page_id = HX_PAGE_ID_HAMMING,
		.kind = HX_PAGE_CODES,
		.head = offsetof(HammingMetaPage, room[HAMMING_LIST_CODES]),
		.init = init_codes_page,
		.open = open_extents,
		.note = hamming_extents_note,
	},
	[HAMMING_LIST_PAYLOAD] = {
		.page_id = HX_PAGE_ID_HAMMING,
		.kind = HX_PAGE_PAYLOAD,
		.head = offsetof(HammingMetaPage, room[HAMMING_LIST_PAYLOAD]),
		.init = init_payload_page,
	},
};

void
hamming_list_push(Page meta_page, HammingList list, Page page, BlockNumber blk)
{
	hx_room_push(&rooms[list], meta_page, page, blk);
}

void
hamming_list_place(Relation index, HammingCache *cache, HammingList list,
				   HammingPlace place, void *context)
{
	HxRoom		room = rooms[list];
	BlockNumber *blk = &cache->room[list];

	for (room.context = &cache->shape;; hx_room_advance(index, &room, blk))
	{
		if (*blk == InvalidBlockNumber)
			continue;

		Buffer		buf = hx_room_lock(index, &room, *blk);
		bool		placed = place(index, buf, context);

		UnlockReleaseBuffer(buf);
		if (placed)
			return;
	}
}
