/*
 * scan.c
 *	  How the scans of all access methods begin; see scan.h.
 */
#include "am/common/scan.h"

#include "access/table.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

IndexScanDesc
hx_scan_begin(Relation index, int nkeys, int norderbys, void *state)
{
	IndexScanDesc scan = RelationGetIndexScan(index, nkeys, norderbys);

	if (norderbys > 0)
	{
		scan->xs_orderbyvals = palloc0(norderbys * sizeof(Datum));
		scan->xs_orderbynulls = palloc0(norderbys * sizeof(bool));
	}
	scan->opaque = state;
	return scan;
}

void
hx_scan_take_keys(IndexScanDesc scan, ScanKey keys, ScanKey orderbys)
{
	if (keys != NULL && scan->numberOfKeys > 0)
		memcpy(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
	if (orderbys != NULL && scan->numberOfOrderBys > 0)
		memcpy(scan->orderByData, orderbys, scan->numberOfOrderBys * sizeof(ScanKeyData));
}

void
hx_scan_start(IndexScanDesc scan)
{
	if (!IsMVCCSnapshot(scan->xs_snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("access method \"%s\" supports MVCC snapshots only",
						get_am_name(scan->indexRelation->rd_rel->relam))));
	hx_count_index_search(scan);
}

int64
hx_scan_all_pages(IndexScanDesc scan, TIDBitmap *bitmap)
{
	Relation	table = table_open(scan->indexRelation->rd_index->indrelid, NoLock);
	BlockNumber pages = RelationGetNumberOfBlocks(table);

	for (BlockNumber blk = 0; blk < pages; blk++)
	{
		CHECK_FOR_INTERRUPTS();
		tbm_add_page(bitmap, blk);
	}
	table_close(table, NoLock);
	return pages;
}
