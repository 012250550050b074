/*
 * catalogue.c
 *	  Encoders: models with a name, in the table hashidx_encoder of the extension's
 *	  schema; encoding by name, and the trigger that keeps a column of codes current.
 *
 * The table is read and written through SPI as the caller, so its privileges and
 * its row security decide who sees an encoder. All objects of the extension are
 * found in the schema of the function that was called, never through search_path.
 */
#include "hashidx.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "encode/encode.h"
#include "encode/siblings.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

HX_FUNCTION(hashidx_create_encoder);

/* hashidx_create_encoder(name, model) */
Datum
hashidx_create_encoder(PG_FUNCTION_ARGS)
{
	Oid			types[] = {NAMEOID, hx_sibling_type(fcinfo, "hashidx_model")};
	Datum		values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	char	   *query = psprintf("INSERT INTO %s (name, model) VALUES ($1, $2) ON CONFLICT DO NOTHING",
								 hx_sibling_table(fcinfo, "hashidx_encoder"));

	SPI_connect();
	SPI_execute_with_args(query, 2, types, values, NULL, false, 0);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("encoder \"%s\" already exists", NameStr(*PG_GETARG_NAME(0)))));
	SPI_finish();
	PG_RETURN_VOID();
}

/* ERRCODE_UNDEFINED_OBJECT, also for those that the caller may not see. */
static void
report_missing(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("encoder \"%s\" does not exist", name),
			 errhint("Encoders of roles that you are not a member of are not visible to you.")));
}

HX_FUNCTION(hashidx_drop_encoder);

/* hashidx_drop_encoder(name) */
Datum
hashidx_drop_encoder(PG_FUNCTION_ARGS)
{
	Oid			types[] = {NAMEOID};
	Datum		values[] = {PG_GETARG_DATUM(0)};
	char	   *query = psprintf("DELETE FROM %s WHERE name OPERATOR(pg_catalog.=) $1",
								 hx_sibling_table(fcinfo, "hashidx_encoder"));

	SPI_connect();
	SPI_execute_with_args(query, 1, types, values, NULL, false, 0);
	if (SPI_processed == 0)
		report_missing(NameStr(*PG_GETARG_NAME(0)));
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * What a call site remembers: the encoder it used last, for as long as the statement. The call
 * sites of plpgsql live as long as the transaction, in which the encoder may be made anew.
 */
typedef struct EncoderCall
{
	NameData	name;
	CommandId	command;		/* of the lookup */
	TimestampTz statement;
	ModelHolder *holder;
	const CachedModel *cached;	/* NULL: none yet */
} EncoderCall;

/* Reads the named encoder's model into the call's holder. */
static void
look_up(FunctionCallInfo fcinfo, EncoderCall *call, const char *name)
{
	NameData	key;
	Oid			types[] = {NAMEOID};
	Datum		values[] = {NameGetDatum(&key)};
	char	   *query = psprintf("SELECT model FROM %s WHERE name OPERATOR(pg_catalog.=) $1",
								 hx_sibling_table(fcinfo, "hashidx_encoder"));
	bool		isnull;

	namestrcpy(&key, name);
	call->cached = NULL;
	SPI_connect();
	SPI_execute_with_args(query, 1, types, values, NULL, true, 1);
	if (SPI_processed == 0)
		report_missing(name);

	Datum		model = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	const CachedModel *cached = hx_model_hold(call->holder, model);

	hx_encode_check_output(cached->model, HX_OUTPUT_CODE);
	SPI_finish();
	call->name = key;
	call->command = GetCurrentCommandId(false);
	call->statement = GetCurrentStatementStartTimestamp();
	call->cached = cached;
}

/* Has the call site looked the encoder up, and has nothing been done since that may change it? */
static bool
is_remembered(const EncoderCall *call, const char *name)
{
	return call->cached != NULL && strcmp(NameStr(call->name), name) == 0 &&
		call->command == GetCurrentCommandId(false) &&
		call->statement == GetCurrentStatementStartTimestamp();
}

/* The model of the named encoder; looked up once a command and call site. */
static const CachedModel *
encoder_model(FunctionCallInfo fcinfo, const char *name)
{
	EncoderCall *call = fcinfo->flinfo->fn_extra;

	if (call == NULL)
	{
		call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(EncoderCall));
		call->holder = hx_model_holder(fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = call;
	}
	if (!is_remembered(call, name))
		look_up(fcinfo, call, name);
	return call->cached;
}

HX_FUNCTION(hashidx_encode_by_name);

/* hashidx_encode(encoder name, v qvec) returns bincode */
Datum
hashidx_encode_by_name(PG_FUNCTION_ARGS)
{
	const CachedModel *cached = encoder_model(fcinfo, NameStr(*PG_GETARG_NAME(0)));

	PG_RETURN_POINTER(hx_encode_code(cached, PG_GETARG_DATUM(1)));
}

/* The number of a trigger's column, which must be of the type. */
static int
trigger_column(FunctionCallInfo fcinfo, Relation relation, const char *column, const char *type)
{
	TupleDesc	desc = RelationGetDescr(relation);
	int			number = SPI_fnumber(desc, column);

	if (number <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist",
						column, RelationGetRelationName(relation))));
	if (SPI_gettypeid(desc, number) != hx_sibling_type(fcinfo, type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" is not of type %s",
						column, RelationGetRelationName(relation), type)));
	return number;
}

/* Do two versions of a row have the same value in a column of variable length? */
static bool
same_value(HeapTuple a, HeapTuple b, TupleDesc desc, int number)
{
	bool		a_null;
	bool		b_null;
	Datum		a_value = SPI_getbinval(a, desc, number, &a_null);
	Datum		b_value = SPI_getbinval(b, desc, number, &b_null);

	if (a_null || b_null)
		return a_null && b_null;
	return datum_image_eq(a_value, b_value, false, -1);
}

/* Is the code of an updated row still that of its vector? A code set to NULL is asked for anew. */
static bool
is_current(TriggerData *trigger, TupleDesc desc, int vector, int code)
{
	bool		code_null;

	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return false;
	SPI_getbinval(trigger->tg_newtuple, desc, code, &code_null);
	return !code_null &&
		same_value(trigger->tg_trigtuple, trigger->tg_newtuple, desc, vector) &&
		same_value(trigger->tg_trigtuple, trigger->tg_newtuple, desc, code);
}

HX_FUNCTION(hashidx_encode_trigger);

/* hashidx_encode_trigger(encoder, vector column, code column) */
Datum
hashidx_encode_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("hashidx_encode_trigger must be called as a row trigger BEFORE INSERT OR UPDATE")));
	if (trigger->tg_trigger->tgnargs != 3)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("hashidx_encode_trigger takes three arguments, not %d",
						trigger->tg_trigger->tgnargs),
				 errdetail("They are the encoder, the column of vectors and the column of codes.")));

	char	  **args = trigger->tg_trigger->tgargs;
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			vector = trigger_column(fcinfo, trigger->tg_relation, args[1], "qvec");
	int			code = trigger_column(fcinfo, trigger->tg_relation, args[2], "bincode");
	HeapTuple	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
		trigger->tg_newtuple : trigger->tg_trigtuple;

	if (is_current(trigger, desc, vector, code))
		PG_RETURN_POINTER(row);

	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, vector, &isnull);

	if (!isnull)
	{
		Bincode    *encoded = hx_encode_code(encoder_model(fcinfo, args[0]), value);

		/* The server does not look at what a trigger puts in a column. */
		hx_bincode_check_typmod(encoded->bits, TupleDescAttr(desc, code - 1)->atttypmod, NULL);
		value = PointerGetDatum(encoded);
	}
	PG_RETURN_POINTER(heap_modify_tuple_by_cols(row, desc, 1, &code, &value, &isnull));
}
