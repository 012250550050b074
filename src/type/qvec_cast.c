/*
 * qvec_cast.c
 *	  Casts between qvec and the arrays of PostgreSQL's number types.
 *
 * A number becomes the nearest float; one beyond the range of a float is an
 * error. A float becomes the same number in the other type; only integer[] has
 * to round, half to even as PostgreSQL's own cast from real does.
 */
#include "hashidx.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"

#include "type/qvec.h"
#include "type/toast.h"

HX_FUNCTION(hashidx_array_to_qvec);
HX_FUNCTION(hashidx_qvec_to_real_array);
HX_FUNCTION(hashidx_qvec_to_double_array);
HX_FUNCTION(hashidx_qvec_to_integer_array);
HX_FUNCTION(hashidx_qvec_to_numeric_array);

/* The number of elements of an array that can be a qvec. */
static int
check_array(ArrayType *array)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("only a one-dimensional array can become a qvec"),
				 errdetail("The array has %d dimensions.", ARR_NDIM(array))));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("NULL is not allowed in a qvec")));

	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	hx_qvec_check_dims(count, NULL);
	return count;
}

/* Through text, which rounds once where the way through double would round twice. */
static void
read_numerics(float *values, ArrayType *array, int count)
{
	Datum	   *numerics;

	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &numerics, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, numerics[i]));

		values[i] = strtof(text, NULL);
		pfree(text);
	}
	pfree(numerics);
}

/*
 * array_to_qvec(real[] and others, integer, boolean) returns qvec: one function
 * for the four types. Without NULLs, numbers of fixed size lie side by side.
 */
Datum
hashidx_array_to_qvec(PG_FUNCTION_ARGS)
{
	struct varlena *stored = hx_toast_fetch((struct varlena *) PG_GETARG_POINTER(0));
	ArrayType  *array = DatumGetArrayTypeP(PointerGetDatum(stored));
	int32		typmod = PG_GETARG_INT32(1);
	int			count = check_array(array);
	const void *data = ARR_DATA_PTR(array);

	if (ARR_ELEMTYPE(array) == FLOAT4OID)
		PG_RETURN_POINTER(hx_qvec_make_typmod(data, count, typmod, NULL));

	float	   *values = palloc(count * sizeof(float));

	switch (ARR_ELEMTYPE(array))
	{
		case FLOAT8OID:
			for (int i = 0; i < count; i++)
				values[i] = ((const double *) data)[i];
			break;
		case INT4OID:
			for (int i = 0; i < count; i++)
				values[i] = ((const int32 *) data)[i];
			break;
		case NUMERICOID:
			read_numerics(values, array, count);
			break;
		default:
			elog(ERROR, "cannot make a qvec of array elements of type %u", ARR_ELEMTYPE(array));
	}
	PG_RETURN_POINTER(hx_qvec_make_typmod(values, count, typmod, NULL));
}

static Datum
real_datum(float value)
{
	return Float4GetDatum(value);
}

static Datum
double_datum(float value)
{
	return Float8GetDatum(value);
}

static Datum
integer_datum(float value)
{
	float		rounded = rintf(value);

	if (!FLOAT4_FITS_IN_INT32(rounded))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s out of range", "integer"),
				 errdetail("The qvec holds the number %g.", value)));
	return Int32GetDatum((int32) rounded);
}

/* PostgreSQL's cast from real keeps six digits; the shortest text gives the same float back. */
static Datum
numeric_datum(float value)
{
	char		text[FLOAT_SHORTEST_DECIMAL_LEN];

	float_to_shortest_decimal_buf(value, text);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
}

typedef Datum (*MakeElement) (float value);

static ArrayType *
make_array(FunctionCallInfo fcinfo, MakeElement make, Oid type, int length, bool by_value,
		   char align)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));
	Datum	   *elements = palloc(v.dims * sizeof(Datum));

	for (int i = 0; i < v.dims; i++)
		elements[i] = make(v.values[i]);
	return construct_array(elements, v.dims, type, length, by_value, align);
}

/* qvec_to_real_array(qvec) returns real[] */
Datum
hashidx_qvec_to_real_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(make_array(fcinfo, real_datum, FLOAT4OID, sizeof(float4), true,
									 TYPALIGN_INT));
}

/* qvec_to_double_array(qvec) returns double precision[] */
Datum
hashidx_qvec_to_double_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(make_array(fcinfo, double_datum, FLOAT8OID, sizeof(float8),
									 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* qvec_to_integer_array(qvec) returns integer[] */
Datum
hashidx_qvec_to_integer_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(make_array(fcinfo, integer_datum, INT4OID, sizeof(int32), true,
									 TYPALIGN_INT));
}

/* qvec_to_numeric_array(qvec) returns numeric[] */
Datum
hashidx_qvec_to_numeric_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(make_array(fcinfo, numeric_datum, NUMERICOID, -1, false,
									 TYPALIGN_INT));
}
