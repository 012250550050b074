/*
 * vacuum.c
 *	  How the vacuums of all access methods begin and end; see vacuum.h.
 */
#include "am/common/vacuum.h"

#include "access/generic_xlog.h"
#include "am/common/page.h"

IndexBulkDeleteResult *
hx_vacuum_begin(IndexBulkDeleteResult *stats)
{
	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	stats->estimated_count = false;
	stats->num_index_tuples = 0;
	stats->pages_free = 0;
	return stats;
}

void
hx_vacuum_write_counts(Relation index, uint16 page_id, Size place, const uint64 *counts, int count)
{
	Buffer		buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	if (hx_page_check(index, buf, page_id) != HX_PAGE_META)
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK, "The page is not the metapage.");
	if (memcmp(PageGetContents(BufferGetPage(buf)) + place, counts, count * sizeof(uint64)) != 0)
	{
		GenericXLogState *record = GenericXLogStart(index);
		Page		page = GenericXLogRegisterBuffer(record, buf, 0);

		memcpy(PageGetContents(page) + place, counts, count * sizeof(uint64));
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
}
