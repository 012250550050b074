/*
 * hnsw_format.c
 *	  f32 or f16 for own vectors; see hnsw_format.h.
 *
 * The error of f16 is a share of the numbers themselves. Where vectors have much in common - all
 * far from zero, or in narrow clusters - it is a large part of the distance between two
 * neighbours, and scans have to fetch row after row to tell which is nearer.
 */
#include "am/hnsw/hnsw_format.h"

#include <math.h>

#include "kernel/kernel.h"

/* The rounding of f16 may be this part of the distance to the nearest other vector. */
#define MOST_ROUNDING 0.01

/* f32 it is when it is more for this share of the vectors. */
#define BLURRED_SHARE 0.25

static const float *
vector_at(const HnswShape *shape, const uint8 *stored, size_t i)
{
	return (const float *) (stored + i * shape->own_bytes);
}

float
hnsw_format_shorten(const HnswShape *shape, const uint8 *stored, uint8 *shorter)
{
	return hx_stored_encode(HX_STORED_F16, vector_at(shape, stored, 0), shape->own_dims, shorter);
}

/* The distance to the nearest of the others that is another vector. */
static double
nearest_of(const HnswShape *shape, const uint8 *stored, size_t count, size_t at)
{
	double		nearest = INFINITY;

	for (size_t i = 0; i < count; i++)
	{
		double		squared = hx_kernels->l2_squared(vector_at(shape, stored, at),
													 vector_at(shape, stored, i), shape->own_dims);

		if (squared > 0)
			nearest = Min(nearest, squared);
	}
	return sqrt(nearest);
}

/* How far the coordinates of a vector are from their mean. */
static double
spread_of(const float *x, size_t n)
{
	double		sum = 0;
	double		squares = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i];
	for (size_t i = 0; i < n; i++)
		squares += (x[i] - sum / n) * (x[i] - sum / n);
	return sqrt(squares);
}

HxStoredFormat
hnsw_format_choose(const HnswShape *shape, const uint8 *stored, size_t count)
{
	uint8	   *shorter = palloc(hx_stored_bytes(HX_STORED_F16, shape->own_dims));
	size_t		blurred = 0;

	for (size_t i = 0; i < count; i++)
	{
		double		apart = count > 1 ? nearest_of(shape, stored, count, i) :
			spread_of(vector_at(shape, stored, 0), shape->own_dims);

		blurred += hnsw_format_shorten(shape, stored + i * shape->own_bytes, shorter) >
			MOST_ROUNDING * apart;
	}
	pfree(shorter);
	return blurred > BLURRED_SHARE * count ? HX_STORED_F32 : HX_STORED_F16;
}
