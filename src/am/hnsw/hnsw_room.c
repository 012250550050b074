/*
 * hnsw_room.c
 *	  The lists of pages with room, and what their new pages look like.
 */
#include "am/hnsw/hnsw_room.h"

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
