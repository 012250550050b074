/*
 * distance_cost.h
 *	  What a call of a distance costs: more for long values, and much more for those that are
 *	  stored out of line.
 */
#ifndef HX_DISTANCE_COST_H
#define HX_DISTANCE_COST_H

#include "hashidx.h"

#include "access/htup.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"

/* What is known of a column's values; all zero: nothing. */
typedef struct HxLength
{
	double		bytes;			/* of one of them, in full */
	double		operators;		/* CPU of its distance beyond the function's own COST */
} HxLength;

/*
 * Tells the length of a column's values from its typmod and its row of pg_statistic, which may
 * be NULL.
 */
typedef HxLength (*HxTellLength) (int32 typmod, HeapTuple statistics);

/* The support function's answer: the request with its costs, or NULL for "as declared". */
extern Node *hx_distance_cost(SupportRequestCost *request, HxTellLength tell);

/* Lengths of qvec, bincode and arrays as sets. */
extern HxLength hx_vector_length(int32 typmod, HeapTuple statistics);
extern HxLength hx_code_length(int32 typmod, HeapTuple statistics);
extern HxLength hx_set_length(int32 typmod, HeapTuple statistics);

#endif							/* HX_DISTANCE_COST_H */
