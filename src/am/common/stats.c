/*
 * stats.c
 *	  hashidx_index_stats(): what an index consists of, as jsonb; and opening an
 *	  index given by name, for this and other tools.
 */
#include "am/common/am.h"

#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

struct HxStats
{
	HX_JSONB_STATE state;
};

static void
push(HxStats *stats, const char *key, JsonbValue *value)
{
	JsonbValue	name = {.type = jbvString};

	name.val.string.val = (char *) key;
	name.val.string.len = strlen(key);
	pushJsonbValue(&stats->state, WJB_KEY, &name);
	pushJsonbValue(&stats->state, WJB_VALUE, value);
}

void
hx_stats_push_number(HxStats *stats, const char *key, double value, int decimals)
{
	JsonbValue	number = {.type = jbvNumeric};
	char	   *text = psprintf("%.*f", decimals, value);

	number.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
															 ObjectIdGetDatum(InvalidOid),
															 Int32GetDatum(-1)));
	push(stats, key, &number);
}

void
hx_stats_push_text(HxStats *stats, const char *key, const char *value)
{
	JsonbValue	text = {.type = jbvString};

	text.val.string.val = (char *) value;
	text.val.string.len = strlen(value);
	push(stats, key, &text);
}

void
hx_am_open(Oid index_oid, LOCKMODE heap_lock, Relation *heap, Relation *index)
{
	/* The table is locked first, as everywhere; it may be gone by then. */
	Oid			heap_oid = IndexGetRelation(index_oid, true);

	char	   *name = get_rel_name(index_oid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no index with OID %u", index_oid)));

	*heap = OidIsValid(heap_oid) ? table_open(heap_oid, heap_lock) : NULL;
	if (*heap == NULL || get_rel_relkind(index_oid) != RELKIND_INDEX)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not an index with storage", name),
				 errhint("Name an index; for a partitioned index, name its partitions one by one.")));

	*index = index_open(index_oid, AccessShareLock);
	if (hx_am_tools(*index) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not an index of hashidx", RelationGetRelationName(*index))));
	if (IndexGetRelation(index_oid, false) != RelationGetRelid(*heap))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the table of index \"%s\" changed", RelationGetRelationName(*index))));
}

Oid
hx_am_key_type(Relation index)
{
	Oid			type = index->rd_opcintype[0];

	return IsPolymorphicType(type) ?
		getBaseType(TupleDescAttr(RelationGetDescr(index), 0)->atttypid) : type;
}

HX_FUNCTION(hashidx_index_stats);

Datum
hashidx_index_stats(PG_FUNCTION_ARGS)
{
	Relation	heap;
	Relation	index;
	HxStats		stats = {0};

	hx_am_open(PG_GETARG_OID(0), AccessShareLock, &heap, &index);
	hx_am_check_selectable(heap);

	pushJsonbValue(&stats.state, WJB_BEGIN_OBJECT, NULL);
	hx_am_tools(index)->stats(index, &stats);

	JsonbValue *object = hx_jsonb_finish(&stats.state, WJB_END_OBJECT);

	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(object));
}
