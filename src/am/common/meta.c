/*
 * meta.c
 *	  Reading the metapage of an index; see meta.h.
 */
#include "am/common/meta.h"

typedef struct MetaHead
{
	uint32		magic;
	uint16		format;
} MetaHead;

void
hx_meta_read(Relation index, uint16 page_id, uint32 magic, uint16 format, void *meta, Size size)
{
	Buffer		buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_SHARE);

	HxPageKind	kind = hx_page_check(index, buf, page_id);
	Page		page = BufferGetPage(buf);
	const MetaHead *head = (const MetaHead *) PageGetContents(page);

	if (kind != HX_PAGE_META || head->magic != magic)
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK, "The page is not the metapage.");
	if (head->format != format)
		hx_meta_report_format(index, "Its format has version %u; this version of hashidx reads version %u.",
							  head->format, format);
	if (((PageHeader) page)->pd_lower < SizeOfPageHeaderData + size)
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
							  "The metapage ends before its contents.");
	memcpy(meta, head, size);
	UnlockReleaseBuffer(buf);
}
