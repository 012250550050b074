/*
 * usage.c
 *	  hashidx_usage(): the forms of a query that an index serves, and what the planner
 *	  thinks of them.
 *
 * The forms come from the operator class, the index's expression and its condition; the
 * costs from EXPLAIN, with a value of the table as the query, once with the index alone
 * and once without any: a hook hides the other indexes of the table from the planner.
 */
#include "am/common/recall.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_operator.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "optimizer/pathnode.h"
#include "optimizer/plancat.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

/* The type of balls is X_ball where the function of ranges is X_within. */
#define BALL_SUFFIX "_ball"

/* The parts of the queries that an index serves. */
typedef struct Usage
{
	ReturnSetInfo *result;
	Relation	heap;
	Relation	index;
	char	   *table;			/* qualified */
	char	   *key;			/* the indexed column or expression */
	char	   *condition;		/* of a partial index; NULL: none */
	char	   *sample;			/* a value of the key, as a literal; NULL: there is none */
	char	   *age;			/* interval since the table's last ANALYZE; NULL: there was none */
} Usage;

/* One value that a query gives, as text in the caller's memory; NULL for NULL or no row. */
static char *
ask(const char *query, MemoryContext context)
{
	char	   *answer;

	if (SPI_execute(query, false, 1) <= 0 || SPI_processed == 0)
		return NULL;
	answer = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	return answer == NULL ? NULL : MemoryContextStrdup(context, answer);
}

/* What the planner is to see of a table's indexes while the hook is in place. */
static struct
{
	hx_table_hook_type next;
	Oid			table;
	Oid			index;			/* none but this one; InvalidOid: none at all */
} visible;

static void
hide_indexes(HX_TABLE_HOOK_PARAMETERS)
{
	ListCell   *cell;

	if (visible.next != NULL)
		visible.next(HX_TABLE_HOOK_ARGUMENTS);
	if (planner_rt_fetch(rel->relid, root)->relid != visible.table)
		return;
	foreach(cell, rel->indexlist)
	{
		if (lfirst_node(IndexOptInfo, cell)->indexoid != visible.index)
			rel->indexlist = foreach_delete_current(rel->indexlist, cell);
	}
}

/* Plans a query with one index (InvalidOid: none) of its table; EXPLAIN's answer in json. */
static char *
explain(const Usage *usage, const char *query, Oid index, MemoryContext context)
{
	char	   *plan = NULL;

	visible.next = hx_table_hook;
	visible.table = RelationGetRelid(usage->heap);
	visible.index = index;
	hx_table_hook = hide_indexes;
	PG_TRY();
	{
		plan = ask(psprintf("EXPLAIN (FORMAT json) %s", query), context);
	}
	PG_FINALLY();
	{
		hx_table_hook = visible.next;
	}
	PG_END_TRY();
	return plan;
}

/* The planner's price of a query, by the index or without any; NULL: the index is of no use. */
static char *
cost_of(const Usage *usage, const char *query, bool by_index)
{
	static const char *const others[] = {"enable_seqscan", "enable_sort"};
	MemoryContext context = CurrentMemoryContext;
	int			nest_level = NewGUCNestLevel();
	char	   *plan;

	SPI_connect();
	for (int i = 0; i < (int) lengthof(others) && by_index; i++)
		SetConfigOption(others[i], "off", PGC_USERSET, PGC_S_SESSION);
	plan = explain(usage, query, by_index ? RelationGetRelid(usage->index) : InvalidOid, context);
	AtEOXact_GUC(false, nest_level);
	if (plan != NULL)
		plan = ask(psprintf("SELECT p OPERATOR(pg_catalog.->) 0 OPERATOR(pg_catalog.->) 'Plan' "
							"OPERATOR(pg_catalog.->>) 'Total Cost' "
							"FROM (SELECT %s::pg_catalog.jsonb AS p) AS t "
							"WHERE pg_catalog.jsonb_path_exists(p, '$.**.\"Index Name\"') "
							"OPERATOR(pg_catalog.=) %s", quote_literal_cstr(plan),
							by_index ? "true" : "false"), context);
	SPI_finish();
	return plan;
}

/* The WHERE clause of a query that has a condition of its own (or NULL) and the index's. */
static char *
where(const Usage *usage, const char *condition)
{
	if (usage->condition == NULL && condition == NULL)
		return "";
	if (usage->condition == NULL || condition == NULL)
		return psprintf(" WHERE %s", condition == NULL ? usage->condition : condition);
	return psprintf(" WHERE %s AND %s", usage->condition, condition);
}

static void
put(Usage *usage, const char *form, char *const *costs)
{
	Datum		values[6] = {CStringGetTextDatum(form)};
	bool		isnull[6] = {false};

	for (int i = 0; i < 4; i++)
	{
		isnull[1 + i] = costs == NULL || costs[i] == NULL;
		if (!isnull[1 + i])
			values[1 + i] = DirectFunctionCall1(float8in, CStringGetDatum(costs[i]));
	}
	isnull[5] = usage->age == NULL;
	if (!isnull[5])
		values[5] = DirectFunctionCall3(interval_in, CStringGetDatum(usage->age),
										ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	tuplestore_putvalues(usage->result->setResult, usage->result->setDesc, values, isnull);
}

/* An operator: as short as search_path allows, to be shown, or so that it does not matter. */
static char *
operator_name(Oid operator, bool is_shown)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);

	Form_pg_operator form = (Form_pg_operator) GETSTRUCT(tuple);

	if (is_shown && OperatorIsVisible(operator))
		name = pstrdup(NameStr(form->oprname));
	else
		name = psprintf("OPERATOR(%s.%s)",
						quote_identifier(get_namespace_name(form->oprnamespace)),
						NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return name;
}

/* ORDER BY key operator query, with its costs at two limits. */
static void
put_order(Usage *usage, Oid operator, Oid type)
{
	static const int limits[] = {10, 100};
	const char *type_name = format_type_be_qualified(type);
	char	   *value = usage->sample == NULL ? psprintf("(SELECT NULL::%s)", type_name) :
		psprintf("%s::%s", usage->sample, type_name);
	char	   *costs[4];

	for (int i = 0; i < (int) lengthof(limits); i++)
	{
		char	   *query = psprintf("SELECT 1 FROM %s%s ORDER BY %s %s %s LIMIT %d",
									 usage->table, where(usage, NULL), usage->key,
									 operator_name(operator, false), value, limits[i]);

		costs[2 * i] = cost_of(usage, query, true);
		costs[2 * i + 1] = cost_of(usage, query, false);
	}
	put(usage, psprintf("SELECT ... FROM %s%s ORDER BY %s %s query LIMIT n -- query: %s, ascending only",
						usage->table, where(usage, NULL), usage->key,
						operator_name(operator, true), format_type_be(type)), costs);
}

/* WHERE key <@ ball, and the function of ranges that becomes this. */
static void
put_range(Usage *usage, const char *operator, const char *type, const char *query_type)
{
	const char *suffix = strstr(type, BALL_SUFFIX);
	char	   *condition = psprintf("%s %s ball", usage->key, operator);

	if (suffix != NULL && strcmp(suffix, BALL_SUFFIX) == 0)
	{
		char	   *call = psprintf("%.*s_within(%s, query, radius)", (int) (suffix - type), type,
									usage->key);

		put(usage, psprintf("SELECT ... FROM %s%s -- query: %s", usage->table,
							where(usage, call), query_type), NULL);
	}
	put(usage, psprintf("SELECT ... FROM %s%s -- ball: %s", usage->table,
						where(usage, condition), type), NULL);
}

/* All operators of the index's operator class that take what it indexes. */
static void
put_operators(Usage *usage)
{
	Oid			input = hx_am_key_type(usage->index);
	CatCList   *list = SearchSysCacheList1(AMOPSTRATEGY,
										   ObjectIdGetDatum(usage->index->rd_opfamily[0]));

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_amop amop = (Form_pg_amop) GETSTRUCT(&list->members[i]->tuple);

		if (amop->amoplefttype != input)
			continue;
		if (amop->amoppurpose == AMOP_ORDER)
			put_order(usage, amop->amopopr, amop->amoprighttype);
		else
			put_range(usage, operator_name(amop->amopopr, true),
					  format_type_be(amop->amoprighttype), format_type_be(input));
	}
	ReleaseCatCacheList(list);
}

/* The text that a function of the server gives for the index. */
static char *
describe(const char *format, Oid oid)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *text;

	SPI_connect();
	text = ask(psprintf(format, oid), context);
	SPI_finish();
	return text;
}

/*
 * A value of the key, to be asked for. Where row-level security hides rows from the caller the
 * estimates have to do without, for the owner, as whom the key is computed, sees them all.
 */
static char *
read_sample(const Usage *usage)
{
	HxIndexRows rows = {0};
	Datum		key;
	Oid			output;
	bool		is_varlena;
	char	   *value = NULL;

	if (check_enable_rls(RelationGetRelid(usage->heap), InvalidOid, true) == RLS_ENABLED)
		return NULL;

	HxCaller	caller = hx_am_become_owner(usage->heap);

	hx_index_rows_open(&rows, usage->heap, usage->index);

	TableScanDesc scan = hx_table_beginscan(usage->heap, rows.snapshot);

	getTypeOutputInfo(rows.key_type, &output, &is_varlena);
	while (value == NULL && table_scan_getnextslot(scan, ForwardScanDirection, rows.slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (hx_index_rows_key(&rows, &key))
			value = quote_literal_cstr(OidOutputFunctionCall(output, key));
	}
	table_endscan(scan);
	hx_index_rows_close(&rows);
	hx_am_become_caller(caller);
	return value;
}

HX_FUNCTION(hashidx_usage);

Datum
hashidx_usage(PG_FUNCTION_ARGS)
{
	Usage		usage = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Oid			index_oid = PG_GETARG_OID(0);

	hx_am_open(index_oid, AccessShareLock, &usage.heap, &usage.index);
	hx_am_check_selectable(usage.heap);
	hx_am_check_usable(usage.index);

	InitMaterializedSRF(fcinfo, 0);
	usage.table = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(usage.heap)),
											 RelationGetRelationName(usage.heap));
	usage.key = describe("SELECT pg_catalog.pg_get_indexdef(%u, 1, false)", index_oid);
	usage.condition = describe("SELECT pg_catalog.pg_get_expr(indpred, indrelid) "
							   "FROM pg_catalog.pg_index WHERE indexrelid OPERATOR(pg_catalog.=) %u",
							   index_oid);
	usage.sample = read_sample(&usage);
	usage.age = describe("SELECT pg_catalog.now() OPERATOR(pg_catalog.-) GREATEST("
						 "pg_catalog.pg_stat_get_last_analyze_time(o), "
						 "pg_catalog.pg_stat_get_last_autoanalyze_time(o)) "
						 "FROM (SELECT %u::pg_catalog.oid AS o) AS t",
						 RelationGetRelid(usage.heap));
	put_operators(&usage);

	index_close(usage.index, AccessShareLock);
	table_close(usage.heap, AccessShareLock);
	PG_RETURN_NULL();
}
