/*
 * check.c
 *	  hashidx_check(): proves that an index is sound, in the manner of amcheck.
 *
 * Takes ShareUpdateExclusiveLock on the table, which keeps vacuum away but
 * neither readers nor writers; on a standby, where that is not to be had, only
 * AccessShareLock. Works as the table's owner, for index expressions may run
 * that owner's functions. Reports every problem as a warning, then fails.
 */
#include "am/common/am.h"
#include "am/common/page.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "common/pg_prng.h"
#include "lib/bloomfilter.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

void
hx_check_warn(HxCheck *check, BlockNumber blk, const char *detail,...)
{
	char		message[256];
	va_list		arguments;

	va_start(arguments, detail);
	vsnprintf(message, sizeof(message), detail, arguments);
	va_end(arguments);

	check->problems++;
	ereport(WARNING,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" has a problem at block %u", RelationGetRelationName(check->index), blk),
			 errdetail_internal("%s", message)));
}

bool
hx_check_is_plausible(HxCheck *check, const ItemPointerData *tid)
{
	return hx_page_tid_is_plausible(check->heap, &check->heap_blocks, tid);
}

/* What the filter is fed with: the number of the copy, the TID, then the key. */
static void
fingerprint(StringInfo buffer, int copy, ItemPointerData tid, const void *key, Size bytes)
{
	resetStringInfo(buffer);
	appendBinaryStringInfo(buffer, (const char *) &copy, sizeof(copy));
	appendBinaryStringInfo(buffer, (const char *) &tid, sizeof(tid));
	appendBinaryStringInfo(buffer, key, bytes);
}

void
hx_check_add_row(HxCheck *check, ItemPointerData tid, const void *key, Size bytes)
{
	hx_check_add_copy(check, 0, tid, key, bytes);
}

void
hx_check_add_copy(HxCheck *check, int copy, ItemPointerData tid, const void *key, Size bytes)
{
	StringInfoData buffer;

	initStringInfo(&buffer);
	fingerprint(&buffer, copy, tid, key, bytes);
	bloom_add_element(check->filter, (unsigned char *) buffer.data, buffer.len);
	pfree(buffer.data);
}

/* table_index_build_scan's callback: the row must be in the filter, with all its copies. */
static void
expect_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *state)
{
	HxCheck    *check = state;

	if (isnull[0])
		return;

	MemoryContext old = MemoryContextSwitchTo(check->row_context);
	Size		bytes;
	const void *key = hx_am_tools(index)->key_bytes(index, values[0], &bytes);
	StringInfoData buffer;
	bool		lacks = false;

	initStringInfo(&buffer);
	for (int copy = 0; key != NULL && copy <= check->copies && !lacks; copy++)
	{
		fingerprint(&buffer, copy, *tid, key, bytes);
		lacks = bloom_lacks_element(check->filter, (unsigned char *) buffer.data, buffer.len);
	}
	if (lacks)
	{
		check->problems++;
		ereport(WARNING,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("row (%u,%u) of table \"%s\" is missing from index \"%s\"",
						ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid),
						RelationGetRelationName(check->heap), RelationGetRelationName(index))));
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(check->row_context);
}

/* Compares the table, as the snapshot sees it, with the filter. */
static void
expect_all_rows(HxCheck *check, Snapshot snapshot)
{
	IndexInfo  *info = BuildIndexInfo(check->index);
	TableScanDesc scan = table_beginscan_strat(check->heap, snapshot, 0, NULL, true, true);

	/* As in CREATE INDEX CONCURRENTLY: rows that the snapshot sees, under their roots' TIDs. */
	check->row_context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_check",
											   ALLOCSET_DEFAULT_SIZES);
	info->ii_Concurrent = true;
	info->ii_Unique = false;
	info->ii_ExclusionOps = NULL;
	info->ii_ExclusionProcs = NULL;
	info->ii_ExclusionStrats = NULL;
	table_index_build_scan(check->heap, check->index, info, true, false, expect_row, check, scan);
	MemoryContextDelete(check->row_context);
}

/* The check proper, with relations open and the user switched. */
static void
run_check(HxCheck *check, bool heapallindexed)
{
	Snapshot	snapshot = NULL;

	if (heapallindexed)
	{
		/* The snapshot first: what it sees is in the index before the index is read. */
		snapshot = RegisterSnapshot(GetTransactionSnapshot());
		if (IsolationUsesXactSnapshot() && check->index->rd_index->indcheckxmin &&
			!TransactionIdPrecedes(HeapTupleHeaderGetXmin(check->index->rd_indextuple->t_data),
								   snapshot->xmin))
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("index \"%s\" cannot be checked with this transaction's snapshot",
							RelationGetRelationName(check->index))));

		/* Two bytes a row; more rows than expected only make the filter coarser. */
		int64		rows = Max((int64) check->heap->rd_rel->reltuples,
							   RelationGetNumberOfBlocks(check->heap) * (int64) 64);

		check->filter = bloom_create(rows, maintenance_work_mem,
									 pg_prng_uint64(&pg_global_prng_state));
	}

	hx_am_tools(check->index)->check(check);
	if (heapallindexed)
	{
		expect_all_rows(check, snapshot);
		UnregisterSnapshot(snapshot);
		bloom_free(check->filter);
	}
}

/* Errors unless the index is the caller's: before the table is locked, which others would feel. */
static void
authorize(Oid index)
{
	if (get_rel_name(index) != NULL &&
		!object_ownercheck(RelationRelationId, index, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(index));
}

HX_FUNCTION(hashidx_check);

Datum
hashidx_check(PG_FUNCTION_ARGS)
{
	bool		heapallindexed = PG_GETARG_BOOL(1);
	LOCKMODE	lock = RecoveryInProgress() ? AccessShareLock : ShareUpdateExclusiveLock;
	HxCheck		check = {0};

	authorize(PG_GETARG_OID(0));
	hx_am_open(PG_GETARG_OID(0), lock, &check.heap, &check.index);
	hx_am_check_usable(check.index);

	HxCaller	caller = hx_am_become_owner(check.heap);

	run_check(&check, heapallindexed);
	hx_am_become_caller(caller);

	if (check.problems > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg_plural("index \"%s\" has %lld problem", "index \"%s\" has %lld problems",
							   check.problems, RelationGetRelationName(check.index),
							   (long long) check.problems),
				 errhint("Rebuild it with REINDEX INDEX.")));

	index_close(check.index, AccessShareLock);
	table_close(check.heap, lock);
	PG_RETURN_VOID();
}
