/*
 * hamming_list.c
 *	  The lists of pages with room; see hamming_list.h and README.
 *
 * A list is a stack threaded through the special areas: the metapage names the
 * head, each page the next. HX_PAGE_LISTED tells that a page is in its list, so
 * that vacuum never pushes one twice. Lists change only under an exclusive lock
 * on the metapage, which is always taken before that of the page.
 */
#include "am/hamming/hamming_list.h"

#include "am/hamming/hamming_extents.h"
#include "access/generic_xlog.h"
#include "miscadmin.h"

static HxPageKind
kind_of_list(HammingList list)
{
	return list == HAMMING_LIST_CODES ? HX_PAGE_CODES : HX_PAGE_PAYLOAD;
}

void
hamming_list_push(Page meta_page, HammingList list, Page page, BlockNumber blk)
{
	HammingMetaPage *meta = hamming_meta(meta_page);

	hx_page_opaque(page)->next = meta->room[list];
	hx_page_opaque(page)->flags |= HX_PAGE_LISTED;
	meta->room[list] = blk;
}

/* Takes the head of the list off it: the head is full. */
static void
pop_head(Relation index, Buffer meta_buf, HammingList list, Buffer buf)
{
	GenericXLogState *record = GenericXLogStart(index);
	HammingMetaPage *meta = hamming_meta(GenericXLogRegisterBuffer(record, meta_buf, 0));
	HxPageOpaque *opaque = hx_page_opaque(GenericXLogRegisterBuffer(record, buf, 0));

	meta->room[list] = opaque->next;
	opaque->next = InvalidBlockNumber;
	opaque->flags &= ~HX_PAGE_LISTED;
	GenericXLogFinish(record);
}

/* Adds a page to the index, as the head of the list. */
static void
push_new_page(Relation index, const HammingShape *shape, Buffer meta_buf, HammingList list)
{
	const HammingMetaPage *meta = hamming_meta(BufferGetPage(meta_buf));
	bool		noted = list == HAMMING_LIST_CODES && meta->method == HAMMING_METHOD_MIH;
	Buffer		extents = noted ? hamming_extents_open(index, meta->extents) : InvalidBuffer;
	Buffer		buf = hx_page_extend(index);
	GenericXLogState *record = GenericXLogStart(index);
	Page		meta_page = GenericXLogRegisterBuffer(record, meta_buf, 0);
	Page		page = GenericXLogRegisterBuffer(record, buf, GENERIC_XLOG_FULL_IMAGE);

	if (list == HAMMING_LIST_CODES)
		hamming_codes_init(page, shape);
	else
		hx_page_init(page, HX_PAGE_PAYLOAD, HX_PAGE_ID_HAMMING);
	hamming_list_push(meta_page, list, page, BufferGetBlockNumber(buf));
	if (noted)
		hamming_extents_note(record, meta_page, extents, BufferGetBlockNumber(buf));
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
	if (noted)
		UnlockReleaseBuffer(extents);
}

/* Reads and exclusively locks a page of a list; damage when it is not of the list's kind. */
static Buffer
lock_listed_page(Relation index, HammingList list, BlockNumber blk)
{
	if (blk < HAMMING_FIRST_BLOCK || blk >= RelationGetNumberOfBlocks(index))
		hx_page_report_damage(index, (BlockNumber) HAMMING_METABLOCK,
							  "The list of pages with room leads to block %u.", blk);

	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	if (hx_page_check(index, buf, HX_PAGE_ID_HAMMING) != kind_of_list(list))
		hx_page_report_damage(index, blk, "The page is in a list of pages of another kind.");
	return buf;
}

/*
 * Finds the next page to try and remembers it in the cache: drops the page that
 * has just turned out full if it is still the head, extends if no page is left.
 */
static void
advance(Relation index, HammingCache *cache, HammingList list, BlockNumber full)
{
	Buffer		meta_buf = ReadBuffer(index, HAMMING_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);
	hx_page_check(index, meta_buf, HX_PAGE_ID_HAMMING);

	HammingMetaPage *meta = hamming_meta(BufferGetPage(meta_buf));

	if (full != InvalidBlockNumber && meta->room[list] == full)
	{
		Buffer		buf = lock_listed_page(index, list, full);

		pop_head(index, meta_buf, list, buf);
		UnlockReleaseBuffer(buf);
	}
	if (meta->room[list] == InvalidBlockNumber)
		push_new_page(index, &cache->shape, meta_buf, list);
	cache->room[list] = meta->room[list];
	UnlockReleaseBuffer(meta_buf);
}

void
hamming_list_place(Relation index, HammingCache *cache, HammingList list,
				   HammingPlace place, void *context)
{
	for (;;)
	{
		BlockNumber blk = cache->room[list];

		if (blk != InvalidBlockNumber)
		{
			Buffer		buf = lock_listed_page(index, list, blk);
			bool		placed = place(index, buf, context);

			UnlockReleaseBuffer(buf);
			if (placed)
				return;
		}
		CHECK_FOR_INTERRUPTS();
		advance(index, cache, list, blk);
	}
}
