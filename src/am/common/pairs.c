/*
 * pairs.c
 *	  hashidx_pairs(): all pairs of rows that lie within a radius of each other, as an
 *	  index finds them.
 *
 * The access method streams pairs of index entries; here each entry becomes the row
 * that the query's snapshot sees, so that a join on ctid finds it, or is dropped.
 * The result is gathered in a tuplestore, which work_mem bounds.
 */
#include "am/common/am.h"

#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

typedef struct Pairs
{
	ReturnSetInfo *result;
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;

	/* The last entry looked up: pairs come with the same one many times. */
	ItemPointerData entry;
	ItemPointerData row;		/* not valid: no row is to be seen there */
} Pairs;

/* The row that the snapshot sees at the end of an index entry; not valid: none. */
static ItemPointerData
visible_row(Pairs *pairs, ItemPointerData entry)
{
	bool		call_again = false;
	bool		all_dead = false;
	ItemPointerData tid = entry;

	if (!table_index_fetch_tuple(pairs->fetch, &tid, GetActiveSnapshot(), pairs->slot,
								 &call_again, &all_dead))
		ItemPointerSetInvalid(&tid);
	ExecClearTuple(pairs->slot);
	return tid;
}

/* HxPairsEmit */
static void
emit(void *context, ItemPointerData first, ItemPointerData second, double distance)
{
	Pairs	   *pairs = context;
	bool		isnull[3] = {false};

	if (!ItemPointerIsValid(&pairs->entry) || !ItemPointerEquals(&pairs->entry, &first))
	{
		pairs->entry = first;
		pairs->row = visible_row(pairs, first);
	}
	if (!ItemPointerIsValid(&pairs->row))
		return;

	ItemPointerData other = visible_row(pairs, second);
	Datum		values[3] = {
		PointerGetDatum(&pairs->row),
		PointerGetDatum(&other),
		Float8GetDatum(distance),
	};

	if (ItemPointerIsValid(&other))
		tuplestore_putvalues(pairs->result->setResult, pairs->result->setDesc, values, isnull);
}

HX_FUNCTION(hashidx_pairs);

Datum
hashidx_pairs(PG_FUNCTION_ARGS)
{
	double		radius = PG_GETARG_FLOAT8(1);
	Pairs		pairs = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Relation	heap;
	Relation	index;

	hx_am_open(PG_GETARG_OID(0), AccessShareLock, &heap, &index);
	hx_am_check_readable(heap, index);
	if (hx_am_tools(index)->pairs == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" cannot list pairs", RelationGetRelationName(index)),
				 errhint("Indexes of hashidx_hamming and hashidx_lsh can.")));
	if (!(radius >= 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the radius of pairs must be a number from 0 on"),
				 errdetail("It is %g.", radius)));

	InitMaterializedSRF(fcinfo, 0);
	hx_am_lock_predicate(index);
	pairs.fetch = hx_table_fetch_begin(heap);
	pairs.slot = table_slot_create(heap, NULL);
	ItemPointerSetInvalid(&pairs.entry);
	hx_am_tools(index)->pairs(heap, index, radius, emit, &pairs);
	table_index_fetch_end(pairs.fetch);
	ExecDropSingleTupleTableSlot(pairs.slot);

	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
	PG_RETURN_NULL();
}
