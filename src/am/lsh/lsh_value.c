/*
 * lsh_value.c
 *	  Values of the column as points that the hash functions take, and ranges.
 */
#include "am/lsh/lsh_value.h"

#include <math.h>

#include "kernel/kernel.h"
#include "type/ball.h"
#include "type/bincode.h"
#include "type/elements.h"
#include "type/qvec_ball.h"
#include "type/set_ball.h"

/* The elements of an array, as a set. */
static LshValue
set_value(ArrayType *array)
{
	LshValue	value = {0};
	Size		count;

	value.point.elements = hx_elements_hash(array, &count);
	value.point.count = count;
	return value;
}

static LshValue
vector_value(Datum datum)
{
	QvecFloats	vector = hx_qvec_floats(datum);

	return (LshValue) {.point = {.vector = vector.values},.dims = vector.dims};
}

LshValue
lsh_value(LshMetric metric, Datum datum)
{
	if (metric == LSH_JACCARD)
		return set_value(DatumGetArrayTypeP(datum));
	if (metric == LSH_HAMMING)
	{
		BincodeView code = hx_bincode_view(datum);

		return (LshValue) {.point = {.code = code.bytes},.dims = code.bits};
	}
	return vector_value(datum);
}

void
lsh_value_check(Relation index, const HxLshShape *shape, const LshValue *value)
{
	if (shape->dims != value->dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("index \"%s\" holds values of another length", RelationGetRelationName(index)),
				 shape->family == HX_LSH_BITS ?
				 errdetail("The index has codes of %u bits, this one has %u bits.",
						   shape->dims, value->dims) :
				 errdetail("The index has vectors of %u dimensions, this one has %u.",
						   shape->dims, value->dims)));
}

static int
compare_elements(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

void
lsh_value_sort(LshValue *set)
{
	uint64	   *elements = unconstify(uint64 *, set->point.elements);
	size_t		kept = 0;

	qsort(elements, set->point.count, sizeof(uint64), compare_elements);
	for (size_t i = 0; i < set->point.count; i++)
	{
		if (kept == 0 || elements[kept - 1] != elements[i])
			elements[kept++] = elements[i];
	}
	set->point.count = kept;
}

static double
jaccard_distance(const HxLshPoint *a, const HxLshPoint *b)
{
	size_t		common = 0;

	for (size_t i = 0, j = 0; i < a->count && j < b->count;)
	{
		uint64		x = a->elements[i];
		uint64		y = b->elements[j];

		common += x == y;
		i += x <= y;
		j += y <= x;
	}

	size_t		all = a->count + b->count - common;

	return all == 0 ? 0 : (double) (all - common) / all;
}

static double
cosine_distance(const float *a, const float *b, size_t dims)
{
	HxDotNorms	sums = hx_kernels->dot_norms(a, b, dims);

	return sums.norm_a > 0 && sums.norm_b > 0 ?
		1 - fmin(fmax(sums.dot / sqrt(sums.norm_a * sums.norm_b), -1), 1) : NAN;
}

double
lsh_value_distance(LshMetric metric, const LshValue *a, const LshValue *b)
{
	switch (metric)
	{
		case LSH_COSINE:
			return cosine_distance(a->point.vector, b->point.vector, a->dims);
		case LSH_L2:
			return sqrt(hx_kernels->l2_squared(a->point.vector, b->point.vector, a->dims));
		case LSH_HAMMING:
			return hx_kernels->hamming(a->point.code, b->point.code, HX_BITS_TO_BYTES(a->dims));
		case LSH_JACCARD:
			return jaccard_distance(&a->point, &b->point);
	}
	return NAN;
}

Size
lsh_value_size(LshMetric metric, const LshValue *value)
{
	switch (metric)
	{
		case LSH_HAMMING:
			return HX_BITS_TO_BYTES(value->dims);
		case LSH_JACCARD:
			return value->point.count * sizeof(uint64);
		default:
			return value->dims * sizeof(float);
	}
}

LshValue
lsh_value_copy(LshMetric metric, const LshValue *value)
{
	Size		size = lsh_value_size(metric, value);
	void	   *data = palloc_extended(Max(size, 1), MCXT_ALLOC_HUGE);
	LshValue	copy = *value;

	/* All members of the point's union are pointers to what is copied. */
	memcpy(data, value->point.code, size);
	copy.point.code = data;
	return copy;
}

LshBall
lsh_ball(LshMetric metric, Datum datum)
{
	LshBall		ball;

	if (metric == LSH_HAMMING)
	{
		int32		radius;
		BincodeView centre = hx_ball_view(datum, &radius);

		ball.centre = (LshValue) {.point = {.code = centre.bytes},.dims = centre.bits};
		ball.radius = radius;
	}
	else if (metric == LSH_JACCARD)
		ball.centre = set_value(hx_set_ball_view(datum, &ball.radius));
	else
		ball.centre = vector_value(hx_qvec_ball_view(datum, &ball.radius));
	return ball;
}
