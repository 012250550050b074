/*
 * qvec_distance.c
 *	  Distances between qvecs, of any mix of formats: both are read as floats
 *	  and the kernels sum in double.
 */
#include "hashidx.h"

#include <math.h>

#include "kernel/kernel.h"
#include "type/qvec.h"

HX_FUNCTION(hashidx_l2_distance);
HX_FUNCTION(hashidx_inner_product);
HX_FUNCTION(hashidx_negative_inner_product);
HX_FUNCTION(hashidx_cosine_distance);
HX_FUNCTION(hashidx_l1_distance);
HX_FUNCTION(hashidx_l2_within);
HX_FUNCTION(hashidx_cosine_within);
HX_FUNCTION(hashidx_poincare_distance);
HX_FUNCTION(hashidx_qvec_norm);

/* The first two arguments of a function, known to have the same dimensions. */
typedef struct QvecPair
{
	const float *a;
	const float *b;
	int			dims;
} QvecPair;

static QvecPair
get_pair(FunctionCallInfo fcinfo)
{
	QvecFloats	a = hx_qvec_floats(PG_GETARG_DATUM(0));
	QvecFloats	b = hx_qvec_floats(PG_GETARG_DATUM(1));

	hx_qvec_check_same_dims(a.dims, b.dims);
	return (QvecPair) {a.values, b.values, a.dims};
}

static double
l2_distance(QvecPair pair)
{
	return sqrt(hx_kernels->l2_squared(pair.a, pair.b, pair.dims));
}

/*
 * 1 - cos(a, b), kept within [0, 2] against rounding. A zero vector has no
 * direction: its distance to anything is NaN, which sorts last.
 */
static double
cosine_distance(QvecPair pair)
{
	HxDotNorms	sums = hx_kernels->dot_norms(pair.a, pair.b, pair.dims);

	if (sums.norm_a == 0 || sums.norm_b == 0)
		return NAN;

	/* In range: norms of floats lie between 1e-90 and 1e82. The root of a square is exact. */
	double		cosine = sums.dot / sqrt(sums.norm_a * sums.norm_b);

	return 1 - fmin(fmax(cosine, -1), 1);
}

/* l2_distance(qvec, qvec) returns float8 */
Datum
hashidx_l2_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(l2_distance(get_pair(fcinfo)));
}

/* inner_product(qvec, qvec) returns float8 */
Datum
hashidx_inner_product(PG_FUNCTION_ARGS)
{
	QvecPair	pair = get_pair(fcinfo);

	PG_RETURN_FLOAT8(hx_kernels->dot(pair.a, pair.b, pair.dims));
}

/*
 * negative_inner_product(qvec, qvec) returns float8: 0 - x rather than -x, so
 * that orthogonal vectors give 0 and not -0.
 */
Datum
hashidx_negative_inner_product(PG_FUNCTION_ARGS)
{
	QvecPair	pair = get_pair(fcinfo);

	PG_RETURN_FLOAT8(0 - hx_kernels->dot(pair.a, pair.b, pair.dims));
}

/* cosine_distance(qvec, qvec) returns float8 */
Datum
hashidx_cosine_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(cosine_distance(get_pair(fcinfo)));
}

/* l1_distance(qvec, qvec) returns float8 */
Datum
hashidx_l1_distance(PG_FUNCTION_ARGS)
{
	QvecPair	pair = get_pair(fcinfo);

	PG_RETURN_FLOAT8(hx_kernels->l1(pair.a, pair.b, pair.dims));
}

/* l2_within(qvec, qvec, float8) returns boolean: false when the radius is NaN */
Datum
hashidx_l2_within(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(l2_distance(get_pair(fcinfo)) <= PG_GETARG_FLOAT8(2));
}

/* cosine_within(qvec, qvec, float8) returns boolean: false when distance or radius is NaN */
Datum
hashidx_cosine_within(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(cosine_distance(get_pair(fcinfo)) <= PG_GETARG_FLOAT8(2));
}

/* 1 - |x|^2 of a point of the open unit ball. */
static double
poincare_room(double squared_norm)
{
	if (squared_norm >= 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("point outside the Poincare ball"),
				 errdetail("Its norm is %g and must be less than 1.", sqrt(squared_norm))));
	return 1 - squared_norm;
}

/*
 * poincare_distance(qvec, qvec) returns float8
 *
 * acosh(1 + z) with z = 2 |x-y|^2 / ((1-|x|^2) (1-|y|^2)), in the form that
 * keeps its digits for near points, where 1 + z would lose them.
 */
Datum
hashidx_poincare_distance(PG_FUNCTION_ARGS)
{
	QvecPair	pair = get_pair(fcinfo);
	double		room_a = poincare_room(hx_kernels->dot(pair.a, pair.a, pair.dims));
	double		room_b = poincare_room(hx_kernels->dot(pair.b, pair.b, pair.dims));
	double		z = 2 * hx_kernels->l2_squared(pair.a, pair.b, pair.dims) / (room_a * room_b);

	PG_RETURN_FLOAT8(log1p(z + sqrt(z * (z + 2))));
}

/* qvec_norm(qvec) returns float8 */
Datum
hashidx_qvec_norm(PG_FUNCTION_ARGS)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));

	PG_RETURN_FLOAT8(sqrt(hx_kernels->dot(v.values, v.values, v.dims)));
}
