/*
 * qvec_agg.c
 *	  The aggregates sum(qvec) and avg(qvec).
 *
 * One state serves both: a count and the sums in double, in the aggregate's
 * memory context. Partial states of parallel workers travel as bytea: int64
 * count, int32 dimensions and a float8 for each sum, in network order. Sums in
 * double of numbers that are floats hardly depend on the order of the rows, but
 * their last bit may.
 */
#include "hashidx.h"

#include "libpq/pqformat.h"

#include "type/qvec.h"

HX_FUNCTION(hashidx_qvec_accum);
HX_FUNCTION(hashidx_qvec_combine);
HX_FUNCTION(hashidx_qvec_serialize);
HX_FUNCTION(hashidx_qvec_deserialize);
HX_FUNCTION(hashidx_qvec_sum_final);
HX_FUNCTION(hashidx_qvec_avg_final);

typedef struct QvecSums
{
	int64		count;			/* rows that went in */
	int			dims;
	double		sums[FLEXIBLE_ARRAY_MEMBER];
} QvecSums;

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

static QvecSums *
new_sums(MemoryContext context, int dims)
{
	QvecSums   *state = MemoryContextAllocZero(context, offsetof(QvecSums, sums) +
											   dims * sizeof(double));

	state->dims = dims;
	return state;
}

static QvecSums *
get_sums(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : (QvecSums *) PG_GETARG_POINTER(argument);
}

/* A state that saw no row is NULL, so that the result is. */
static Datum
return_sums(FunctionCallInfo fcinfo, QvecSums *state)
{
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* qvec_accum(internal, qvec) returns internal */
Datum
hashidx_qvec_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	QvecSums   *state = get_sums(fcinfo, 0);

	if (PG_ARGISNULL(1))
		return return_sums(fcinfo, state);

	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(1));

	if (state == NULL)
		state = new_sums(context, v.dims);
	hx_qvec_check_same_dims(state->dims, v.dims);
	state->count++;
	for (int i = 0; i < v.dims; i++)
		state->sums[i] += v.values[i];
	hx_qvec_release(&v);
	return return_sums(fcinfo, state);
}

/*
 * qvec_combine(internal, internal) returns internal: the second state may live in
 * a shorter-lived context, so its numbers are always taken over.
 */
Datum
hashidx_qvec_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	QvecSums   *state = get_sums(fcinfo, 0);
	QvecSums   *other = get_sums(fcinfo, 1);

	if (other == NULL)
		return return_sums(fcinfo, state);
	if (state == NULL)
		state = new_sums(context, other->dims);
	hx_qvec_check_same_dims(state->dims, other->dims);
	state->count += other->count;
	for (int i = 0; i < state->dims; i++)
		state->sums[i] += other->sums[i];
	return return_sums(fcinfo, state);
}

/* qvec_serialize(internal) returns bytea */
Datum
hashidx_qvec_serialize(PG_FUNCTION_ARGS)
{
	QvecSums   *state = (QvecSums *) PG_GETARG_POINTER(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint64(&message, state->count);
	pq_sendint32(&message, state->dims);
	for (int i = 0; i < state->dims; i++)
		pq_sendfloat8(&message, state->sums[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* qvec_deserialize(bytea, internal) returns internal */
Datum
hashidx_qvec_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData message;

	initStringInfo(&message);
	appendBinaryStringInfo(&message, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));

	int64		count = pq_getmsgint64(&message);
	QvecSums   *state = new_sums(CurrentMemoryContext, pq_getmsgint(&message, 4));

	state->count = count;
	for (int i = 0; i < state->dims; i++)
		state->sums[i] = pq_getmsgfloat8(&message);
	pq_getmsgend(&message);
	PG_RETURN_POINTER(state);
}

/* The sums over `divisor`; beyond the range of a float they are refused as infinite. */
static Datum
return_quotient(const QvecSums *state, double divisor)
{
	float	   *values = palloc(state->dims * sizeof(float));

	for (int i = 0; i < state->dims; i++)
		values[i] = state->sums[i] / divisor;
	PG_RETURN_POINTER(hx_qvec_from_floats(values, state->dims, QVEC_F32));
}

/* qvec_sum_final(internal) returns qvec */
Datum
hashidx_qvec_sum_final(PG_FUNCTION_ARGS)
{
	return return_quotient((QvecSums *) PG_GETARG_POINTER(0), 1);
}

/* qvec_avg_final(internal) returns qvec */
Datum
hashidx_qvec_avg_final(PG_FUNCTION_ARGS)
{
	QvecSums   *state = (QvecSums *) PG_GETARG_POINTER(0);

	return return_quotient(state, state->count);
}
