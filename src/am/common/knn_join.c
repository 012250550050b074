/*
 * knn_join.c
 *	  hashidx_knn_join(): the nearest rows to each row of another table, many queries at
 *	  a time.
 *
 * The queries are read by SQL, as the caller's, in blocks; the access method visits each of
 * its pages once for a block. The entries that it finds become the rows that the query's snapshot
 * sees, or are passed over, so that a join on ctid finds them.
 */
#include "am/common/am.h"

#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

typedef struct KnnJoin
{
	ReturnSetInfo *result;
	Relation	heap;
	Relation	index;
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;
	int			k;

	/* The block of queries in hand. */
	ItemPointerData *tids;
	Datum	   *values;
	int			count;
} KnnJoin;

/* HxNearestEmit */
static bool
emit(void *context, int query, ItemPointerData entry, double distance)
{
	KnnJoin    *join = context;
	bool		call_again = false;
	bool		all_dead = false;
	bool		isnull[3] = {false};
	ItemPointerData row = entry;
	bool		visible = table_index_fetch_tuple(join->fetch, &row, GetActiveSnapshot(),
												  join->slot, &call_again, &all_dead);

	ExecClearTuple(join->slot);
	if (visible)
	{
		Datum		values[3] = {
			PointerGetDatum(&join->tids[query]),
			PointerGetDatum(&row),
			Float8GetDatum(distance),
		};

		tuplestore_putvalues(join->result->setResult, join->result->setDesc, values, isnull);
	}
	return visible;
}

static char *
qualified_name(Oid table)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)),
									  get_rel_name(table));
}

/*
 * Of an index that answers one query at a time: errors, and says which lateral join has it do so,
 * once for each row of the queries.
 */
static void
refuse(const KnnJoin *join, Oid queries, const char *column)
{
	Relation	index = join->index;
	Oid			type = hx_am_key_type(index);
	const char *key = pg_get_indexdef_columns(RelationGetRelid(index), false);
	const char *distance =
		psprintf("%s %s q.%s", key,
				 get_opname(get_opfamily_member(index->rd_opfamily[0], type, type,
												HX_STRATEGY_DISTANCE)),
				 quote_identifier(column));

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("index \"%s\" answers one query at a time", RelationGetRelationName(index)),
			 errhint("Join laterally: SELECT q.ctid, n.* FROM %s AS q, LATERAL "
					 "(SELECT ctid, %s AS distance FROM %s ORDER BY %s LIMIT %d) AS n.",
					 qualified_name(queries), distance,
					 qualified_name(RelationGetRelid(join->heap)), distance, join->k)));
}

/* SELECT ctid, column FROM table; errors unless it is a table of its own and has such a column. */
static char *
queries_statement(Oid table, const char *column, Oid type)
{
	char		kind = get_rel_relkind(table);
	char	   *name = get_rel_name(table);
	AttrNumber	attribute = name == NULL ? InvalidAttrNumber : get_attnum(table, column);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or materialized view", name),
				 errdetail("The rows of the answer are told by their place in a table.")));
	if (attribute == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", column, name)));
	if (get_atttype(table, attribute) != type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of relation \"%s\" cannot be compared with the index", column,
						name),
				 errdetail("It is of type %s, the index is of %s.",
						   format_type_be(get_atttype(table, attribute)), format_type_be(type))));
	return psprintf("SELECT ctid, %s FROM ONLY %s WHERE %s IS NOT NULL", quote_identifier(column),
					qualified_name(table), quote_identifier(column));
}

/* Takes the rows that a fetch has brought as the next block. */
static void
take_block(KnnJoin *join, const SPITupleTable *rows, uint64 count)
{
	bool		isnull;

	for (uint64 i = 0; i < count; i++)
	{
		Datum		tid = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);

		join->tids[i] = *(ItemPointer) DatumGetPointer(tid);
		join->values[i] = SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull);
	}
	join->count = count;
}

/* Answers all queries, block by block. */
static void
answer(KnnJoin *join, const char *statement)
{
	const HxAmTools *tools = hx_am_tools(join->index);
	int			block = tools->nearest_block(join->k);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx kNN join",
												  ALLOCSET_DEFAULT_SIZES);
	Portal		portal;

	join->tids = palloc(block * sizeof(ItemPointerData));
	join->values = palloc(block * sizeof(Datum));
	SPI_connect();
	portal = SPI_cursor_open_with_args(NULL, statement, 0, NULL, NULL, NULL, true, 0);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, block);
		if (SPI_processed == 0)
			break;
		take_block(join, SPI_tuptable, SPI_processed);

		MemoryContext old = MemoryContextSwitchTo(context);

		tools->nearest(join->heap, join->index, join->values, join->count, join->k, emit, join);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
	MemoryContextDelete(context);
}

HX_FUNCTION(hashidx_knn_join);

Datum
hashidx_knn_join(PG_FUNCTION_ARGS)
{
	Oid			queries = PG_GETARG_OID(1);
	const char *column = NameStr(*PG_GETARG_NAME(2));
	KnnJoin		join = {.result = (ReturnSetInfo *) fcinfo->resultinfo,.k = PG_GETARG_INT32(3)};

	hx_am_open(PG_GETARG_OID(0), AccessShareLock, &join.heap, &join.index);
	hx_am_check_readable(join.heap, join.index);
	if (join.k < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be at least 1, not %d", join.k)));

	/* What its name is, and the names of its columns, is asked for several times. */
	LockRelationOid(queries, AccessShareLock);

	const char *statement = queries_statement(queries, column, hx_am_key_type(join.index));

	if (hx_am_tools(join.index)->nearest == NULL)
		refuse(&join, queries, column);

	InitMaterializedSRF(fcinfo, 0);
	hx_am_lock_predicate(join.index);
	join.fetch = hx_table_fetch_begin(join.heap);
	join.slot = table_slot_create(join.heap, NULL);
	answer(&join, statement);
	table_index_fetch_end(join.fetch);
	ExecDropSingleTupleTableSlot(join.slot);

	index_close(join.index, AccessShareLock);
	table_close(join.heap, AccessShareLock);
	PG_RETURN_NULL();
}
