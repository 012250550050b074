/*
 * qvec_ops.c
 *	  Looking into qvecs and computing new ones: parts, arithmetic,
 *	  normalisation. What is computed is always f32, whatever went in.
 */
#include "hashidx.h"

#include <math.h>

#include "utils/builtins.h"

#include "kernel/kernel.h"
#include "type/qvec.h"

HX_FUNCTION(hashidx_qvec_dims);
HX_FUNCTION(hashidx_qvec_format);
HX_FUNCTION(hashidx_l2_normalize);
HX_FUNCTION(hashidx_subvector);
HX_FUNCTION(hashidx_qvec_concat);
HX_FUNCTION(hashidx_qvec_add);
HX_FUNCTION(hashidx_qvec_sub);
HX_FUNCTION(hashidx_qvec_mul);

/* qvec_dims(qvec) returns integer */
Datum
hashidx_qvec_dims(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(hx_qvec_header(PG_GETARG_DATUM(0)).dims);
}

/* qvec_format(qvec) returns text */
Datum
hashidx_qvec_format(PG_FUNCTION_ARGS)
{
	QvecFormat	format = hx_qvec_header(PG_GETARG_DATUM(0)).format;

	PG_RETURN_TEXT_P(cstring_to_text(hx_qvec_format_name(format)));
}

static float *
new_values(int dims)
{
	return palloc(dims * sizeof(float));
}

/* l2_normalize(qvec) returns qvec: a zero vector stays zero */
Datum
hashidx_l2_normalize(PG_FUNCTION_ARGS)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));
	double		norm = sqrt(hx_kernels->dot(v.values, v.values, v.dims));
	double		scale = norm > 0 ? 1 / norm : 0;
	float	   *values = new_values(v.dims);

	for (int i = 0; i < v.dims; i++)
		values[i] = v.values[i] * scale;
	PG_RETURN_POINTER(hx_qvec_from_floats(values, v.dims, QVEC_F32));
}

/*
 * subvector(qvec, start integer, count integer) returns qvec: counts from 1 and
 * cuts off what lies outside the vector, as substring does.
 */
Datum
hashidx_subvector(PG_FUNCTION_ARGS)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));
	int32		start = PG_GETARG_INT32(1);
	int32		count = PG_GETARG_INT32(2);
	int64		first = Max(start, 1);
	int64		last = Min((int64) start + count - 1, v.dims);

	if (first > last)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("subvector would be empty"),
				 errdetail("Start %d and count %d leave nothing of %d dimensions.",
						   start, count, v.dims)));
	PG_RETURN_POINTER(hx_qvec_from_floats(v.values + first - 1, last - first + 1, QVEC_F32));
}

/* qvec_concat(qvec, qvec) returns qvec */
Datum
hashidx_qvec_concat(PG_FUNCTION_ARGS)
{
	QvecFloats	a = hx_qvec_floats(PG_GETARG_DATUM(0));
	QvecFloats	b = hx_qvec_floats(PG_GETARG_DATUM(1));
	float	   *values = new_values(a.dims + b.dims);

	memcpy(values, a.values, a.dims * sizeof(float));
	memcpy(values + a.dims, b.values, b.dims * sizeof(float));
	PG_RETURN_POINTER(hx_qvec_from_floats(values, a.dims + b.dims, QVEC_F32));
}

typedef float (*Combine) (float a, float b);

static float
add(float a, float b)
{
	return a + b;
}

static float
subtract(float a, float b)
{
	return a - b;
}

static float
multiply(float a, float b)
{
	return a * b;
}

/* An overflow makes an infinite number, which hx_qvec_from_floats refuses. */
static inline Datum
combine(FunctionCallInfo fcinfo, Combine one)
{
	QvecFloats	a = hx_qvec_floats(PG_GETARG_DATUM(0));
	QvecFloats	b = hx_qvec_floats(PG_GETARG_DATUM(1));

	hx_qvec_check_same_dims(a.dims, b.dims);

	float	   *values = new_values(a.dims);

	for (int i = 0; i < a.dims; i++)
		values[i] = one(a.values[i], b.values[i]);
	PG_RETURN_POINTER(hx_qvec_from_floats(values, a.dims, QVEC_F32));
}

/* qvec_add(qvec, qvec) returns qvec */
Datum
hashidx_qvec_add(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, add);
}

/* qvec_sub(qvec, qvec) returns qvec */
Datum
hashidx_qvec_sub(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, subtract);
}

/* qvec_mul(qvec, qvec) returns qvec */
Datum
hashidx_qvec_mul(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, multiply);
}
