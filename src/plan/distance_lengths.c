/*
 * distance_lengths.c
 *	  The support functions of distances that are not ranges: what a call costs, by the length
 *	  of the values (distance_cost.h).
 */
#include "plan/distance_cost.h"

#include <math.h>

#include "access/detoast.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "type/bincode.h"
#include "type/qvec.h"
#include "utils/lsyscache.h"

/* Of vectors, numbers to an operator: as they are, or when they are to be decoded first. */
#define FLOATS_PER_OPERATOR 16.0
#define CODES_PER_OPERATOR 8.0

/* Of codes, bytes to an operator, whole ones only: the distance of short codes costs nothing. */
#define CODE_BYTES_PER_OPERATOR 64.0

/* Of sets: operators for an element, which is sorted or looked up; the bytes of a text. */
#define OPERATORS_PER_ELEMENT 7.0
#define TEXT_BYTES 16.0

/* Vectors out of line are thought to be so long when nothing tells their dimensions. */
#define GUESSED_VECTOR_BYTES (2.0 * TOAST_MAX_CHUNK_SIZE)

/* The mean width as stored; 0: there are no statistics. */
static double
stored_width(HeapTuple statistics)
{
	return HeapTupleIsValid(statistics) ?
		((Form_pg_statistic) GETSTRUCT(statistics))->stawidth : 0;
}

HxLength
hx_vector_length(int32 typmod, HeapTuple statistics)
{
	HxLength	length = {.bytes = stored_width(statistics)};

	if (typmod < 0)
	{
		if (length.bytes == TOAST_POINTER_SIZE)
			length.bytes = GUESSED_VECTOR_BYTES;
		length.operators = length.bytes / sizeof(float4) / FLOATS_PER_OPERATOR;
		return length;
	}

	int			dims = hx_qvec_typmod_dims(typmod);
	QvecFormat	format = hx_qvec_typmod_format(typmod);

	length.bytes = HX_QVEC_HEADER + hx_qvec_data_bytes(dims, format);
	length.operators = dims /
		(format == QVEC_F32 || format == QVEC_F16 ? FLOATS_PER_OPERATOR : CODES_PER_OPERATOR);
	return length;
}

HxLength
hx_code_length(int32 typmod, HeapTuple statistics)
{
	double		bytes = typmod < 0 ? stored_width(statistics) :
		HX_BINCODE_HEADER + HX_BITS_TO_BYTES(typmod);

	return (HxLength) {.bytes = bytes,.operators = floor(bytes / CODE_BYTES_PER_OPERATOR)};
}

/* ANALYZE keeps how many elements the arrays have; the last number is their mean. */
HxLength
hx_set_length(int32 typmod, HeapTuple statistics)
{
	HxLength	length = {.bytes = stored_width(statistics)};
	AttStatsSlot counts;

	if (!HeapTupleIsValid(statistics) ||
		!get_attstatsslot(&counts, statistics, STATISTIC_KIND_DECHIST, InvalidOid,
						  ATTSTATSSLOT_NUMBERS))
		return length;
	if (counts.nnumbers > 0)
	{
		double		elements = counts.numbers[counts.nnumbers - 1];

		length.operators = elements * OPERATORS_PER_ELEMENT;
		if (length.bytes == TOAST_POINTER_SIZE)
			length.bytes = elements * TEXT_BYTES;
	}
	free_attstatsslot(&counts);
	return length;
}

/* Of l2_distance(), cosine_distance(), ... and of operators on balls. */
HX_FUNCTION(hashidx_vector_distance_support);
HX_FUNCTION(hashidx_code_distance_support);
HX_FUNCTION(hashidx_set_distance_support);

static Datum
answer(FunctionCallInfo fcinfo, HxTellLength tell)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	PG_RETURN_POINTER(IsA(request, SupportRequestCost) ?
					  hx_distance_cost((SupportRequestCost *) request, tell) : NULL);
}

Datum
hashidx_vector_distance_support(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, hx_vector_length);
}

Datum
hashidx_code_distance_support(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, hx_code_length);
}

Datum
hashidx_set_distance_support(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, hx_set_length);
}
