/*
 * page_log.c
 *	  WAL of a small change to one page, by those who know which bytes they changed.
 *
 * A record of the server's generic resource manager consists of fragments of each page:
 * offset, length, bytes. GenericXLogFinish() finds them by comparing all of a page with a
 * copy of it: microseconds, where an insert that appends a row knows them beforehand. So the
 * same record is made here without a copy, and replayed by generic_redo() all the same.
 */
#include "am/common/page_log.h"

#include "access/rmgr.h"
#include "access/xloginsert.h"
#include "miscadmin.h"

StaticAssertDecl(sizeof(HxPageRange) == 2 * sizeof(OffsetNumber),
				 "a range is the head of a fragment");

void
hx_page_log_prepare(void)
{
	XLogEnsureRecordSpace(0, 2 * HX_PAGE_MAX_RANGES);
}

void
hx_page_log(Relation index, Buffer buf, const HxPageRange *ranges, int count)
{
	Page		page = BufferGetPage(buf);

	Assert(CritSectionCount > 0 && count <= HX_PAGE_MAX_RANGES);
	MarkBufferDirty(buf);
	if (!RelationNeedsWAL(index))
		return;
	XLogBeginInsert();
	XLogRegisterBuffer(0, buf, REGBUF_STANDARD);
	for (int i = 0; i < count; i++)
	{
		XLogRegisterBufData(0, (char *) &ranges[i], sizeof(HxPageRange));
		XLogRegisterBufData(0, (char *) page + ranges[i].offset, ranges[i].length);
	}

	XLogRecPtr	lsn = XLogInsert(RM_GENERIC_ID, 0);

	PageSetLSN(page, lsn);
}
