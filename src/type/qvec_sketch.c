/*
 * qvec_sketch.c
 *	  Sketches of vectors; see qvec_sketch.h.
 */
#include "type/qvec_sketch.h"

#include <math.h>

#include "kernel/kernel.h"
#include "math/finite.h"
#include "math/random.h"

/* Rounds of the iteration that turns the axes towards those of most variance. */
#define ROUNDS 4

/* What is left of an axis after the others, when it is nothing but rounding. */
#define NOTHING_LEFT 1e-6

static void
add_multiple(float *y, float factor, const float *x, int dims)
{
	for (int i = 0; i < dims; i++)
		y[i] += factor * x[i];
}

/* The mean of the rows, which become differences from it. */
static float *
centre(float *rows, int count, int dims)
{
	double	   *sum = palloc0(dims * sizeof(double));
	float	   *mean = palloc(dims * sizeof(float));

	for (int r = 0; r < count; r++)
		for (int i = 0; i < dims; i++)
			sum[i] += rows[(Size) r * dims + i];
	for (int i = 0; i < dims; i++)
		mean[i] = sum[i] / count;
	for (int r = 0; r < count; r++)
		for (int i = 0; i < dims; i++)
			rows[(Size) r * dims + i] -= mean[i];
	pfree(sum);
	return mean;
}

/* Makes the axes orthonormal, one after the other; one that lies among the others becomes 0. */
static void
orthonormalise(float *axes, int count, int dims)
{
	for (int a = 0; a < count; a++)
	{
		float	   *axis = axes + (Size) a * dims;
		double		length = sqrt(hx_kernels->dot(axis, axis, dims));

		/* Twice is enough. */
		for (int b = 0; b < 2 * a; b++)
		{
			const float *other = axes + (Size) (b % a) * dims;

			add_multiple(axis, -hx_kernels->dot(axis, other, dims), other, dims);
		}

		double		left = sqrt(hx_kernels->dot(axis, axis, dims));
		float		scale = left > NOTHING_LEFT * length ? 1 / left : 0;

		for (int i = 0; i < dims; i++)
			axis[i] *= scale;
	}
}

/* Each axis becomes the sum of the rows, as far as they lie along it. */
static void
turn(float *axes, float *next, int count, const float *rows, int row_count, int dims)
{
	memset(next, 0, (Size) count * dims * sizeof(float));
	for (int r = 0; r < row_count; r++)
	{
		const float *row = rows + (Size) r * dims;

		for (int a = 0; a < count; a++)
			add_multiple(next + (Size) a * dims,
						 hx_kernels->dot(row, axes + (Size) a * dims, dims) / row_count, row, dims);
	}
	memcpy(axes, next, (Size) count * dims * sizeof(float));
}

bool
hx_qvec_axes_find(const float *rows, int count, int dims, int axes, QvecAxes *found)
{
	Size		numbers = (Size) axes * dims;
	Size		row_numbers = (Size) count * dims;
	float	   *centred = palloc_extended(row_numbers * sizeof(float), MCXT_ALLOC_HUGE);
	float	   *directions = palloc(numbers * sizeof(float));
	float	   *next = palloc(numbers * sizeof(float));

	memcpy(centred, rows, row_numbers * sizeof(float));
	*found = (QvecAxes) {
		.dims = dims,
		.count = axes,
		.mean = centre(centred, count, dims),
		.axes = directions,
	};
	for (Size i = 0; i < numbers; i++)
		directions[i] = hx_random(0, 2, i) & 1 ? 1 : -1;
	orthonormalise(directions, axes, dims);
	for (int round = 0; round < ROUNDS; round++)
	{
		turn(directions, next, axes, centred, count, dims);
		orthonormalise(directions, axes, dims);
	}
	pfree(centred);
	pfree(next);
	return hx_all_finite(directions, numbers);
}

bool
hx_qvec_sketch(const QvecAxes *axes, const float *v, float *sketch)
{
	float	   *difference = palloc(axes->dims * sizeof(float));
	double		rest;

	for (int i = 0; i < axes->dims; i++)
		difference[i] = v[i] - axes->mean[i];
	rest = hx_kernels->dot(difference, difference, axes->dims);
	for (int a = 0; a < axes->count; a++)
	{
		sketch[a] = hx_kernels->dot(difference, axes->axes + (Size) a * axes->dims, axes->dims);
		rest -= (double) sketch[a] * sketch[a];
	}
	sketch[axes->count] = sqrt(Max(rest, 0));
	sketch[axes->count + 1] = sqrt(hx_kernels->dot(v, v, axes->dims));
	pfree(difference);
	return hx_all_finite(sketch, axes->count + HX_SKETCH_EXTRA);
}

static double
squared_distance(const float *a, const float *b, int axes)
{
	return hx_kernels->l2_squared(a, b, axes) +
		(double) a[axes] * a[axes] + (double) b[axes] * b[axes];
}

double
hx_sketch_l2(const float *a, const float *b, int axes)
{
	return sqrt(squared_distance(a, b, axes));
}

/* |a - b|^2 = |a|^2 + |b|^2 - 2 |a| |b| cos(a, b) */
double
hx_sketch_cosine(const float *a, const float *b, int axes)
{
	double		norm_a = a[axes + 1];
	double		norm_b = b[axes + 1];
	double		distance;

	if (norm_a == 0 || norm_b == 0)
		return NAN;
	distance = (squared_distance(a, b, axes) - (norm_a - norm_b) * (norm_a - norm_b)) /
		(2 * norm_a * norm_b);
	return fmin(fmax(distance, 0), 2);
}

void
hx_qvec_axes_keep(const QvecAxes *axes, Datum *values)
{
	values[0] = PointerGetDatum(hx_qvec_from_floats(axes->mean, axes->dims, QVEC_F32));
	for (int a = 0; a < axes->count; a++)
		values[1 + a] = PointerGetDatum(hx_qvec_from_floats(axes->axes + (Size) a * axes->dims,
															axes->dims, QVEC_F16));
}

bool
hx_qvec_axes_read(const Datum *values, int count, QvecAxes *axes)
{
	int			numbers = count > 0 ? hx_qvec_header(values[count - 1]).dims : 0;
	QvecFloats	mean;
	float	   *directions;

	if (numbers <= HX_SKETCH_EXTRA || count <= 1 + numbers - HX_SKETCH_EXTRA)
		return false;
	mean = hx_qvec_floats(values[0]);
	*axes = (QvecAxes) {
		.dims = mean.dims,
		.count = numbers - HX_SKETCH_EXTRA,
		.mean = mean.values,
	};
	directions = palloc((Size) axes->count * axes->dims * sizeof(float));
	axes->axes = directions;
	for (int a = 0; a < axes->count; a++)
	{
		QvecFloats	axis = hx_qvec_floats(values[1 + a]);

		if (axis.dims != axes->dims)
			return false;
		memcpy(directions + (Size) a * axes->dims, axis.values, axes->dims * sizeof(float));
		hx_qvec_release(&axis);
	}
	return true;
}
