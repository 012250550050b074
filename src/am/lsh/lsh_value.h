/*
 * lsh_value.h
 *	  Values of the column as points that the hash functions take, and ranges.
 */
#ifndef HX_LSH_VALUE_H
#define HX_LSH_VALUE_H

#include "am/lsh/lsh.h"

/* A value; what it points to is in the datum or palloc'd in CurrentMemoryContext. */
typedef struct LshValue
{
	HxLshPoint	point;
	uint32		dims;			/* of a vector, bits of a code; 0 of a set */
} LshValue;

/*
 * Looks at a value of the column's type; detoasts. ERRCODE_NULL_VALUE_NOT_ALLOWED for a set
 * with null elements, as its distance.
 */
extern LshValue lsh_value(LshMetric metric, Datum datum);

/* ERRCODE_DATA_EXCEPTION unless the value's dimensions are those of the index. */
extern void lsh_value_check(Relation index, const HxLshShape *shape, const LshValue *value);

/* The range that an index condition asks for. */
typedef struct LshBall
{
	LshValue	centre;
	double		radius;			/* < 0: nothing is within, whatever the centre */
} LshBall;

extern LshBall lsh_ball(LshMetric metric, Datum datum);

/* Distance of two values; sets have been through lsh_value_sort(). NaN where there is none. */
extern double lsh_value_distance(LshMetric metric, const LshValue *a, const LshValue *b);

/* Brings a set's elements into ascending order, each once. */
extern void lsh_value_sort(LshValue *set);

/* A copy of a value in one piece of memory in CurrentMemoryContext, and its size. */
extern LshValue lsh_value_copy(LshMetric metric, const LshValue *value);
extern Size lsh_value_size(LshMetric metric, const LshValue *value);

#endif							/* HX_LSH_VALUE_H */
