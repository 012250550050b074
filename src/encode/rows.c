/*
 * rows.c
 *	  Reading a column or two of a table or view, row by row, as its user may.
 *
 * The rows come by SQL through a cursor. So privileges, row security, partitions, views and
 * foreign tables are what they are for every other query. Columns are checked before, for errors
 * that name them.
 */
#include "hashidx.h"

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/syscache.h"

#include "encode/rows.h"
#include "encode/siblings.h"
#include "type/bincode.h"
#include "type/qvec.h"

#define BATCH_ROWS 256			/* fetched at once */

struct Rows
{
	RowsColumn *columns;
	int			count;
	bool		given[2];		/* was the width given? For messages. */
	int			guc_level;
	Portal		portal;
	SPITupleTable *batch;		/* NULL before the first */
	uint64		next;			/* row of the batch */
	uint64		fetched;		/* rows in the batch */
	MemoryContext row_context;	/* for the row at hand */
};

Size
hx_rows_bytes(const RowsColumn *column)
{
	return column->code ? HX_BITS_TO_BYTES(column->width) : (Size) column->width * sizeof(float);
}

/* "schema.table", quoted where needed. */
static char *
source_name(Oid source)
{
	char	   *name = get_rel_name(source);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", source)));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(source)), name);
}

/* The type of a column that is there and not dropped, or InvalidOid. */
static Oid
find_column_type(Oid source, const char *name)
{
	HeapTuple	tuple = SearchSysCacheAttName(source, name);

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;

	Form_pg_attribute attribute = (Form_pg_attribute) GETSTRUCT(tuple);
	Oid			type = attribute->attnum > 0 ? attribute->atttypid : InvalidOid;

	ReleaseSysCache(tuple);
	return type;
}

static Oid
need_column_type(Oid source, const char *name)
{
	Oid			type = find_column_type(source, name);

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, get_rel_name(source))));
	return type;
}

/*
 * How a query reads the column: as it is, or cast, where an INSERT would cast it, too. A type of
 * that name may be anybody's; ours lies with our functions.
 */
static const char *
column_expression(Oid source, const RowsColumn *column, FunctionCallInfo call)
{
	const char *wanted = column->code ? "bincode" : "qvec";
	Oid			wanted_type = hx_sibling_type(call, wanted);
	Oid			type = need_column_type(source, column->name);
	Oid			function;

	if (getBaseType(type) == wanted_type)
		return quote_identifier(column->name);
	if (find_coercion_pathway(wanted_type, getBaseType(type), COERCION_ASSIGNMENT, &function) !=
		COERCION_PATH_FUNC)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of relation \"%s\" is not of type %s",
						column->name, get_rel_name(source), wanted),
				 errdetail("It is of type %s.", format_type_be(type))));
	return psprintf("%s::%s", quote_identifier(column->name),
					format_type_be_qualified(wanted_type));
}

/* All columns are looked at before the first row is. */
static char *
make_query(Oid source, const RowsColumn *columns, int count, const char *unset,
		   FunctionCallInfo call)
{
	char	   *name = source_name(source);
	StringInfoData query;

	initStringInfo(&query);
	for (int i = 0; i < count; i++)
		appendStringInfo(&query, "%s %s", i == 0 ? "SELECT" : ",",
						 column_expression(source, &columns[i], call));
	appendStringInfo(&query, " FROM %s", name);
	for (int i = 0; i < count; i++)
		appendStringInfo(&query, " %s %s IS NOT NULL", i == 0 ? "WHERE" : "AND",
						 quote_identifier(columns[i].name));
	if (unset != NULL)
	{
		(void) need_column_type(source, unset);
		appendStringInfo(&query, " AND %s IS NULL", quote_identifier(unset));
	}
	return query.data;
}

/* Plans the query without parallel workers, whose rows come in any order. */
static Portal
open_cursor(const char *query)
{
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));

	Portal		portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);

	SPI_freeplan(plan);
	return portal;
}

Rows *
hx_rows_open(Oid source, RowsColumn *columns, int count, const char *unset,
			 FunctionCallInfo call)
{
	const char *query = make_query(source, columns, count, unset, call);

	SPI_connect();

	Rows	   *rows = palloc0(sizeof(Rows));

	rows->columns = columns;
	rows->count = count;
	for (int i = 0; i < count; i++)
		rows->given[i] = columns[i].width != 0;

	/* Scans that join others in the middle of the table would change the order. */
	rows->guc_level = NewGUCNestLevel();
	(void) set_config_option("synchronize_seqscans", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	rows->portal = open_cursor(query);
	rows->row_context = AllocSetContextCreate(CurrentMemoryContext, "hashidx row",
											  ALLOCSET_DEFAULT_SIZES);
	return rows;
}

/* Looks at the value of a column; its width must be what it was. */
static void
take_value(Rows *rows, int number, Datum datum)
{
	RowsColumn *column = &rows->columns[number];
	const char *thing = column->code ? "codes" : "vectors";
	const char *measure = column->code ? "bits" : "dimensions";
	int			width;

	if (column->code)
	{
		BincodeView code = hx_bincode_view(datum);

		width = code.bits;
		column->value = code.bytes;
	}
	else
	{
		QvecFloats	vector = hx_qvec_floats(datum);

		width = vector.dims;
		column->value = vector.values;
	}

	if (column->width == 0)
		column->width = width;
	if (column->width == width)
		return;
	if (rows->given[number])
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the %s of column \"%s\" do not fit the model", thing, column->name),
				 errdetail("One has %d %s, the model has %d.", width, measure, column->width)));
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("the %s of column \"%s\" differ in their number of %s",
					thing, column->name, measure),
			 errdetail("One has %d %s, those before it have %d.", width, measure, column->width)));
}

/* Fetches the next batch; false when there is none. */
static bool
fetch(Rows *rows)
{
	SPI_freetuptable(rows->batch);
	SPI_cursor_fetch(rows->portal, true, BATCH_ROWS);
	rows->batch = SPI_tuptable;
	rows->fetched = SPI_processed;
	rows->next = 0;
	return rows->fetched > 0;
}

bool
hx_rows_next(Rows *rows)
{
	CHECK_FOR_INTERRUPTS();
	if (rows->next == rows->fetched && !fetch(rows))
		return false;

	HeapTuple	tuple = rows->batch->vals[rows->next++];

	MemoryContextReset(rows->row_context);
	MemoryContext caller = MemoryContextSwitchTo(rows->row_context);

	for (int i = 0; i < rows->count; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(tuple, rows->batch->tupdesc, i + 1, &isnull);

		/* Nobody promises that a view gives the same twice. */
		if (isnull)
			elog(ERROR, "column \"%s\" is null", rows->columns[i].name);
		take_value(rows, i, value);
	}
	MemoryContextSwitchTo(caller);
	return true;
}

void
hx_rows_close(Rows *rows)
{
	int			guc_level = rows->guc_level;

	SPI_cursor_close(rows->portal);
	SPI_finish();
	AtEOXact_GUC(false, guc_level);
}
