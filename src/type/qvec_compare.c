/*
 * qvec_compare.c
 *	  The order, equality and hashing of qvecs, for btree, hash, DISTINCT,
 *	  GROUP BY and UNIQUE.
 *
 * Numbers count, not formats: qvecs that hold the same numbers are equal and
 * hash alike. The order is that of the first number that differs, and a prefix
 * comes before what it begins. Sorts call these in a long-lived context, hence
 * the copies are freed.
 */
#include "hashidx.h"

#include "common/hashfn.h"

#include "type/qvec.h"

HX_FUNCTION(hashidx_qvec_eq);
HX_FUNCTION(hashidx_qvec_ne);
HX_FUNCTION(hashidx_qvec_lt);
HX_FUNCTION(hashidx_qvec_le);
HX_FUNCTION(hashidx_qvec_gt);
HX_FUNCTION(hashidx_qvec_ge);
HX_FUNCTION(hashidx_qvec_cmp);
HX_FUNCTION(hashidx_qvec_hash);
HX_FUNCTION(hashidx_qvec_hash_extended);

/* Less than, equal to or greater than zero: the first argument against the second. */
static int
compare(FunctionCallInfo fcinfo)
{
	QvecFloats	a = hx_qvec_floats(PG_GETARG_DATUM(0));
	QvecFloats	b = hx_qvec_floats(PG_GETARG_DATUM(1));
	int			common = Min(a.dims, b.dims);
	int			order = 0;

	for (int i = 0; i < common && order == 0; i++)
		order = (a.values[i] > b.values[i]) - (a.values[i] < b.values[i]);
	if (order == 0)
		order = a.dims - b.dims;
	hx_qvec_release(&a);
	hx_qvec_release(&b);
	return order;
}

/* qvec_eq(qvec, qvec) returns boolean */
Datum
hashidx_qvec_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) == 0);
}

/* qvec_ne(qvec, qvec) returns boolean */
Datum
hashidx_qvec_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) != 0);
}

/* qvec_lt(qvec, qvec) returns boolean */
Datum
hashidx_qvec_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

/* qvec_le(qvec, qvec) returns boolean */
Datum
hashidx_qvec_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

/* qvec_gt(qvec, qvec) returns boolean */
Datum
hashidx_qvec_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

/* qvec_ge(qvec, qvec) returns boolean */
Datum
hashidx_qvec_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

/* qvec_cmp(qvec, qvec) returns integer */
Datum
hashidx_qvec_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

/*
 * qvec_hash(qvec) returns integer: the bytes of the floats serve, for equal
 * numbers have equal bytes when there is no -0.
 */
Datum
hashidx_qvec_hash(PG_FUNCTION_ARGS)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));
	Datum		hash = hash_any((const unsigned char *) v.values, v.dims * sizeof(float));

	hx_qvec_release(&v);
	return hash;
}

/* qvec_hash_extended(qvec, bigint) returns bigint */
Datum
hashidx_qvec_hash_extended(PG_FUNCTION_ARGS)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));
	Datum		hash = hash_any_extended((const unsigned char *) v.values,
										 v.dims * sizeof(float), PG_GETARG_INT64(1));

	hx_qvec_release(&v);
	return hash;
}
