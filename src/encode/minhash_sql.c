/*
 * minhash_sql.c
 *	  hashidx_minhash: signatures of sets, given as arrays or row by row.
 *
 * A signature is a bigint[] of as many values as asked for. All values of the empty set's
 * are -1, so that it agrees with itself and nothing else.
 */
#include "hashidx.h"

#include "catalog/pg_type_d.h"
#include "libpq/pqformat.h"

#include "hash/minhash.h"
#include "type/elements.h"

HX_FUNCTION(hashidx_minhash);
HX_FUNCTION(hashidx_minhash_accum);
HX_FUNCTION(hashidx_minhash_combine);
HX_FUNCTION(hashidx_minhash_serialize);
HX_FUNCTION(hashidx_minhash_deserialize);
HX_FUNCTION(hashidx_minhash_final);

/* Bins of the elements seen so far; all transition states of an aggregate are of one shape. */
typedef struct MinhashState
{
	uint64		seed;
	Size		count;			/* bins */
	uint64		bins[FLEXIBLE_ARRAY_MEMBER];
} MinhashState;

static void
check_count(int32 count)
{
	if (count < 1 || count > HX_MINHASH_MAX_HASHES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of hashes must be between 1 and %d", HX_MINHASH_MAX_HASHES),
				 errdetail("Asked for were %d.", count)));
}

static MinhashState *
new_state(MemoryContext context, Size count, uint64 seed)
{
	MinhashState *state = MemoryContextAlloc(context, offsetof(MinhashState, bins) +
											 count * sizeof(uint64));

	state->seed = seed;
	state->count = count;
	hx_minhash_begin(state->bins, count);
	return state;
}

/* The signature of a state's bins as a bigint[]. */
static Datum
make_signature(const MinhashState *state)
{
	const int	count = state->count;
	uint32	   *donors = palloc(2 * state->count * sizeof(uint32));
	ArrayType  *signature = palloc0(ARR_OVERHEAD_NONULLS(1) + count * sizeof(int64));

	hx_minhash_donors(state->bins, count, state->seed, donors);
	SET_VARSIZE(signature, ARR_OVERHEAD_NONULLS(1) + count * sizeof(int64));
	signature->ndim = 1;
	signature->elemtype = INT8OID;
	ARR_DIMS(signature)[0] = count;
	ARR_LBOUND(signature)[0] = 1;
	for (int i = 0; i < count; i++)
		((uint64 *) ARR_DATA_PTR(signature))[i] = state->bins[donors[i]];
	pfree(donors);
	return PointerGetDatum(signature);
}

/* hashidx_minhash(anyarray, hashes integer, seed bigint) returns bigint[] */
Datum
hashidx_minhash(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int32		count = PG_GETARG_INT32(1);
	uint64		seed = (uint64) PG_GETARG_INT64(2);
	Size		elements;

	check_count(count);

	uint64	   *hashes = hx_elements_hash(array, &elements);
	MinhashState *state = new_state(CurrentMemoryContext, count, seed);

	hx_minhash_add(state->bins, count, seed, hashes, elements);
	return make_signature(state);
}

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

static MinhashState *
get_state(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : (MinhashState *) PG_GETARG_POINTER(argument);
}

/* A state that saw no element is NULL, so that the result is. */
static Datum
return_state(FunctionCallInfo fcinfo, MinhashState *state)
{
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* All rows of a group must ask for the same signature. */
static void
check_same_shape(const MinhashState *state, Size count, uint64 seed)
{
	if (state->count != count || state->seed != seed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of hashes and seed must be the same for all rows"),
				 errdetail("There are %zu hashes and %zu, seed " INT64_FORMAT " and " INT64_FORMAT
						   ".", state->count, count, (int64) state->seed, (int64) seed)));
}

/*
 * hashidx_minhash_accum(internal, anyelement, hashes integer [, seed bigint]) returns
 * internal; elements that are null are left out, as aggregates do.
 */
Datum
hashidx_minhash_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	MinhashState *state = get_state(fcinfo, 0);
	const bool	has_seed = PG_NARGS() > 3;

	if (PG_ARGISNULL(1))
		return return_state(fcinfo, state);
	if (PG_ARGISNULL(2) || (has_seed && PG_ARGISNULL(3)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("number of hashes and seed must not be null")));

	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	int32		count = PG_GETARG_INT32(2);
	uint64		seed = has_seed ? (uint64) PG_GETARG_INT64(3) : 0;

	if (state == NULL)
	{
		check_count(count);
		hx_elements_check_type(type);
		state = new_state(context, count, seed);
	}
	check_same_shape(state, count, seed);

	uint64		hash = hx_element_hash(PG_GETARG_DATUM(1), type);

	hx_minhash_add(state->bins, state->count, seed, &hash, 1);
	return return_state(fcinfo, state);
}

/* hashidx_minhash_combine(internal, internal) returns internal; the second may be short-lived */
Datum
hashidx_minhash_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	MinhashState *state = get_state(fcinfo, 0);
	MinhashState *other = get_state(fcinfo, 1);

	if (other == NULL)
		return return_state(fcinfo, state);
	if (state == NULL)
		state = new_state(context, other->count, other->seed);
	check_same_shape(state, other->count, other->seed);
	hx_minhash_merge(state->bins, other->bins, state->count);
	return return_state(fcinfo, state);
}

/* hashidx_minhash_serialize(internal) returns bytea */
Datum
hashidx_minhash_serialize(PG_FUNCTION_ARGS)
{
	MinhashState *state = (MinhashState *) PG_GETARG_POINTER(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint64(&message, state->seed);
	pq_sendint32(&message, state->count);
	for (Size i = 0; i < state->count; i++)
		pq_sendint64(&message, state->bins[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* hashidx_minhash_deserialize(bytea, internal) returns internal */
Datum
hashidx_minhash_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData message;

	initStringInfo(&message);
	appendBinaryStringInfo(&message, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));

	uint64		seed = pq_getmsgint64(&message);
	int32		count = pq_getmsgint(&message, sizeof(count));

	check_count(count);

	MinhashState *state = new_state(CurrentMemoryContext, count, seed);

	for (int i = 0; i < count; i++)
		state->bins[i] = pq_getmsgint64(&message);
	pq_getmsgend(&message);
	PG_RETURN_POINTER(state);
}

/* hashidx_minhash_final(internal) returns bigint[]; further arguments only carry the types */
Datum
hashidx_minhash_final(PG_FUNCTION_ARGS)
{
	MinhashState *state = get_state(fcinfo, 0);

	if (state == NULL)
		PG_RETURN_NULL();
	return make_signature(state);
}
