/*
 * recall_truth.c
 *	  Rows of a table as queries, and their true nearest neighbours: one pass over the table
 *	  for each.
 */
#include "am/common/recall.h"

#include <math.h>

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* The sample is the same each time, so that what is measured can be compared. */
#define SEED 1

void
hx_nearest_offer(HxNearest *nearest, double distance)
{
	if (isnan(distance))
		return;
	if (nearest->count < nearest->room)
		nearest->count++;
	else if (distance >= nearest->distance[nearest->count - 1])
		return;

	int			at = nearest->count - 1;

	for (; at > 0 && distance < nearest->distance[at - 1]; at--)
		nearest->distance[at] = nearest->distance[at - 1];
	nearest->distance[at] = distance;
}

void
hx_index_rows_open(HxIndexRows *rows, Relation heap, Relation index)
{
	Oid			type = hx_am_key_type(index);
	Oid			operator = get_opfamily_member(index->rd_opfamily[0], type, type,
											   HX_STRATEGY_DISTANCE);

	if (!OidIsValid(operator))
		elog(ERROR, "index \"%s\" has no operator to order by", RelationGetRelationName(index));
	rows->heap = heap;
	rows->index = index;
	rows->snapshot = RegisterSnapshot(GetActiveSnapshot());
	rows->info = BuildIndexInfo(index);
	rows->estate = CreateExecutorState();
	rows->slot = table_slot_create(heap, NULL);
	GetPerTupleExprContext(rows->estate)->ecxt_scantuple = rows->slot;
	rows->predicate = ExecPrepareQual(rows->info->ii_Predicate, rows->estate);
	rows->collation = index->rd_indcollation[0];
	rows->key_type = TupleDescAttr(RelationGetDescr(index), 0)->atttypid;
	fmgr_info(get_opcode(operator), &rows->distance);
	rows->distance_context = AllocSetContextCreate(CurrentMemoryContext, "hashidx distance",
												   ALLOCSET_DEFAULT_SIZES);
}

void
hx_index_rows_close(HxIndexRows *rows)
{
	ExecDropSingleTupleTableSlot(rows->slot);
	FreeExecutorState(rows->estate);
	MemoryContextDelete(rows->distance_context);
	UnregisterSnapshot(rows->snapshot);
}

bool
hx_index_rows_key(HxIndexRows *rows, Datum *key)
{
	ExprContext *context = GetPerTupleExprContext(rows->estate);
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];

	ResetExprContext(context);
	if (!ExecQual(rows->predicate, context))
		return false;

	MemoryContext old = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);

	FormIndexDatum(rows->info, rows->slot, rows->estate, values, isnull);
	if (!isnull[0])
		*key = PointerGetDatum(PG_DETOAST_DATUM(values[0]));
	MemoryContextSwitchTo(old);
	return !isnull[0];
}

double
hx_index_rows_distance(HxIndexRows *rows, Datum key, Datum query)
{
	MemoryContext old = MemoryContextSwitchTo(rows->distance_context);
	double		distance = DatumGetFloat8(FunctionCall2Coll(&rows->distance, rows->collation,
															key, query));

	/* A row may have thousands of them, and the copies of sets are large. */
	MemoryContextSwitchTo(old);
	MemoryContextReset(rows->distance_context);
	return distance;
}

/* Makes the row at hand the query. */
static void
set_query(HxIndexRows *rows, HxQuery *query, Datum key)
{
	if (DatumGetPointer(query->key) != NULL)
		pfree(DatumGetPointer(query->key));
	query->key = datumCopy(key, false, -1);
	query->tid = rows->slot->tts_tid;
}

HxQuery *
hx_recall_sample(HxIndexRows *rows, int sample, int k, int *count)
{
	HxQuery    *queries = palloc0(sample * sizeof(HxQuery));
	TableScanDesc scan = hx_table_beginscan(rows->heap, rows->snapshot);
	pg_prng_state random;
	uint64		seen = 0;

	pg_prng_seed(&random, SEED);
	while (table_scan_getnextslot(scan, ForwardScanDirection, rows->slot))
	{
		Datum		key;

		CHECK_FOR_INTERRUPTS();
		if (!hx_index_rows_key(rows, &key))
			continue;

		/* Each row so far has the same chance to be among the sample. */
		uint64		at = seen < (uint64) sample ? seen : pg_prng_uint64_range(&random, 0, seen);

		seen++;
		if (at < (uint64) sample)
			set_query(rows, &queries[at], key);
	}
	table_endscan(scan);

	*count = (int) Min(seen, (uint64) sample);
	for (int i = 0; i < *count; i++)
	{
		queries[i].truth.room = k;
		queries[i].truth.distance = palloc(k * sizeof(double));
	}
	return queries;
}

void
hx_recall_truth(HxIndexRows *rows, HxQuery *queries, int count)
{
	TableScanDesc scan = hx_table_beginscan(rows->heap, rows->snapshot);

	while (table_scan_getnextslot(scan, ForwardScanDirection, rows->slot))
	{
		Datum		key;

		CHECK_FOR_INTERRUPTS();
		if (!hx_index_rows_key(rows, &key))
			continue;
		for (int i = 0; i < count; i++)
			if (!ItemPointerEquals(&rows->slot->tts_tid, &queries[i].tid))
				hx_nearest_offer(&queries[i].truth,
								 hx_index_rows_distance(rows, key, queries[i].key));
	}
	table_endscan(scan);
}
