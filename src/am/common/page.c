/*
 * page.c
 *	  Making, checking and adding pages of our access methods.
 */
#include "am/common/page.h"

#include "storage/lmgr.h"

void
hx_page_init(Page page, HxPageKind kind, uint16 page_id)
{
	PageInit(page, BLCKSZ, sizeof(HxPageOpaque));

	HxPageOpaque *opaque = hx_page_opaque(page);

	opaque->next = InvalidBlockNumber;
	opaque->kind = kind;
	opaque->flags = 0;
	opaque->page_id = page_id;
}

const char *
hx_page_problem(Page page, uint16 page_id)
{
	const PageHeaderData *header = (const PageHeaderData *) page;

	if (PageIsNew(page))
		return "The page was never written.";
	if (header->pd_special != BLCKSZ - MAXALIGN(sizeof(HxPageOpaque)) ||
		header->pd_lower < SizeOfPageHeaderData ||
		header->pd_lower > header->pd_upper ||
		header->pd_upper > header->pd_special)
		return "The page header is out of bounds.";
	if (hx_page_opaque(page)->page_id != page_id)
		return "The page belongs to another access method.";
	if (hx_page_opaque(page)->kind < HX_PAGE_META || hx_page_opaque(page)->kind > HX_PAGE_KIND_LAST)
		return "The page is of an unknown kind.";
	return NULL;
}

HxPageKind
hx_page_check(Relation index, Buffer buf, uint16 page_id)
{
	Page		page = BufferGetPage(buf);
	const char *problem = hx_page_problem(page, page_id);

	if (problem != NULL)
		hx_page_report_damage(index, BufferGetBlockNumber(buf), "%s", problem);
	return hx_page_opaque(page)->kind;
}

bool
hx_page_tid_is_plausible(Relation heap, BlockNumber *blocks, const ItemPointerData *tid)
{
	if (!ItemPointerIsValid(tid))
		return false;
	/* The table may have grown since its end was looked up. */
	if (ItemPointerGetBlockNumber(tid) >= *blocks)
		*blocks = RelationGetNumberOfBlocks(heap);
	return ItemPointerGetBlockNumber(tid) < *blocks;
}

Buffer
hx_page_extend(Relation index)
{
	return ExtendBufferedRel(BMR_REL(index), MAIN_FORKNUM, NULL, EB_LOCK_FIRST);
}

Buffer
hx_page_extend_run(Relation index, BlockNumber more, Buffer *last)
{
	bool		shared = more > 0 && !RELATION_IS_LOCAL(index);

	/* The server lets us take this lock again for each page. */
	if (shared)
		LockRelationForExtension(index, ExclusiveLock);

	Buffer		first = hx_page_extend(index);

	*last = InvalidBuffer;
	for (; more > 0; more--)
	{
		if (BufferIsValid(*last))
			UnlockReleaseBuffer(*last);
		*last = hx_page_extend(index);
	}
	if (shared)
		UnlockRelationForExtension(index, ExclusiveLock);
	return first;
}
