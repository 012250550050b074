/*
 * hnsw_space.c
 *	  Values of the column as points of the index's space; see hnsw_space.h.
 */
#include "am/hnsw/hnsw_space.h"

#include <math.h>

#include "kernel/kernel.h"
#include "math/spin.h"
#include "type/bincode.h"
#include "type/qvec.h"

/* Rounding to length 1, and in a rotation, moves a vector by less than this share of its length. */
#define NORMALISE_ERROR 2e-7
#define ROTATION_ERROR 4e-6

/*
 * The digits of a query tell apart what is farther from it than this share of its distance from the
 * centre (squared), within the error that codes have anyway.
 */
#define REFINE_SHARE (1.0f / 32)

static double
norm_of(const float *x, uint32 n)
{
	return sqrt(hx_kernels->dot(x, x, n));
}

/*
 * The coordinates x of a value into out (own_dims of them). Returns by how much rounding may have
 * moved them; *norm is the length of the value itself.
 */
static double
value_coordinates(Relation index, const HnswShape *shape, Datum value, float *out, double *norm)
{
	QvecFloats	vector = hx_qvec_floats(value);
	float	   *plain = shape->own_dims == shape->dims && shape->stored != HX_STORED_INT8 ?
		out : palloc(shape->dims * sizeof(float));
	double		moved = 0;

	hnsw_check_dims(index, shape, vector.dims);
	*norm = norm_of(vector.values, vector.dims);
	memcpy(plain, vector.values, vector.dims * sizeof(float));
	if (shape->metric == HNSW_COSINE && *norm > 0)
	{
		for (uint32 i = 0; i < shape->dims; i++)
			plain[i] = (float) (plain[i] / *norm);
		moved = NORMALISE_ERROR;
	}
	if (plain != out)
	{
		hx_spin_apply(shape->seed, plain, shape->dims, out);
		pfree(plain);
		moved += ROTATION_ERROR * (shape->metric == HNSW_COSINE ? 1 : *norm);
	}
	hx_qvec_release(&vector);
	return moved;
}

static const uint8 *
value_bits(Relation index, const HnswShape *shape, Datum value)
{
	BincodeView code = hx_bincode_view(value);

	hnsw_check_dims(index, shape, code.bits);
	return code.bytes;
}

uint32
hnsw_value_dims(const HnswShape *shape, Datum value)
{
	return shape->metric == HNSW_HAMMING ? (uint32) hx_bincode_view(value).bits :
		(uint32) hx_qvec_header(value).dims;
}

bool
hnsw_point_make(Relation index, const HnswShape *shape, Datum value, HnswPoint *point)
{
	point->stored = palloc(shape->own_bytes);
	point->error = 0;
	point->norm = 0;
	if (shape->metric == HNSW_HAMMING)
	{
		memcpy(point->stored, value_bits(index, shape, value), shape->own_bytes);
		return true;
	}

	float	   *x = palloc(shape->own_dims * sizeof(float));
	double		norm;
	double		error;
	double		moved = value_coordinates(index, shape, value, x, &norm);

	error = hx_stored_encode(shape->stored, x, shape->own_dims, point->stored) + moved;
	if (isnan(error))
	{
		/* Its rotation left the range of floats: zero stands for it, and it may be anywhere. */
		memset(x, 0, shape->own_dims * sizeof(float));
		(void) hx_stored_encode(shape->stored, x, shape->own_dims, point->stored);
		error = INFINITY;
	}
	/* Rounded up, so that it stays an upper bound as a float. */
	point->error = (float) (error * (1 + 1e-6));
	if (shape->metric == HNSW_IP)
		point->norm = (float) norm;
	pfree(x);
	return shape->metric != HNSW_COSINE || norm > 0;
}

void
hnsw_decode(const HnswShape *shape, const uint8 *stored, float *x)
{
	hx_stored_decode(shape->stored, stored, shape->own_dims, x);
}

void
hnsw_centred(const HnswShape *shape, const float *centre, const float *x, float *y)
{
	if (shape->stored == HX_STORED_INT8)
		memcpy(y, x, shape->link.dims * sizeof(float));
	else
		hx_spin_apply(shape->seed, x, shape->dims, y);
	if (centre == NULL)
		return;
	for (uint32 i = 0; i < shape->link.dims; i++)
		y[i] -= centre[i];
}

/* What distances to int8 vectors need of the query. */
static double
sum_of(const HnswShape *shape, const float *x)
{
	return shape->stored == HX_STORED_INT8 ? hx_stored_sum(x, shape->own_dims) : 0;
}

/* Memory of a query, taken at its first use. */
static void
allocate_query(HnswQuery *query, const HnswShape *shape)
{
	if (query->memory != NULL)
		return;
	query->memory = (void *) TYPEALIGN(64, palloc(hx_link_query_bytes(&shape->link) + 64));
	if (shape->tail_pages > 0)
		query->own = palloc(shape->own_bytes);
	if (shape->metric == HNSW_HAMMING)
		return;
	query->x = palloc(shape->own_dims * sizeof(float));
	query->y = palloc(shape->link.dims * sizeof(float));
}

void
hnsw_query_value(HnswQuery *query, Relation index, const HnswShape *shape, Datum value)
{
	allocate_query(query, shape);
	query->shape = shape;
	if (shape->metric == HNSW_HAMMING)
		query->bits = value_bits(index, shape, value);
	else
	{
		(void) value_coordinates(index, shape, value, query->x, &query->norm);
		query->sum = sum_of(shape, query->x);
	}
}

void
hnsw_query_stored(HnswQuery *query, const HnswShape *shape, const uint8 *stored)
{
	allocate_query(query, shape);
	query->shape = shape;
	if (shape->metric == HNSW_HAMMING)
		query->bits = stored;
	else
	{
		hnsw_decode(shape, stored, query->x);
		query->norm = norm_of(query->x, shape->own_dims);
		query->sum = sum_of(shape, query->x);
	}
}

void
hnsw_query_prepare(HnswQuery *query, const float *centre, float largest_norm)
{
	const HnswShape *shape = query->shape;

	if (shape->metric == HNSW_HAMMING)
	{
		hx_link_query_prepare_bits(&query->link, &shape->link, query->bits, query->memory);
		query->refine_below = -INFINITY;
		return;
	}
	hnsw_centred(shape, centre, query->x, query->y);
	query->largest_norm = largest_norm;
	query->refine_below = shape->metric == HNSW_IP ? -INFINITY :
		(float) (REFINE_SHARE * hx_kernels->dot(query->y, query->y, shape->link.dims));
	hx_link_query_prepare(&query->link, &shape->link, query->y, false, query->memory);
}

void
hnsw_query_refine(HnswQuery *query)
{
	query->refine_below = -INFINITY;
	hx_link_query_prepare(&query->link, &query->shape->link, query->y, true, query->memory);
}

static double
l2_squared(const HnswQuery *query, const uint8 *stored)
{
	return hx_stored_l2_squared(query->shape->stored, query->x, stored, query->shape->own_dims);
}

static double
dot(const HnswQuery *query, const uint8 *stored)
{
	return hx_stored_dot(query->shape->stored, query->x, query->sum, stored,
						 query->shape->own_dims);
}

/*
 * A distance as searches compare it. What numbers near the end of a float's range make of it may be
 * none; searches would not end if it was neither nearer than another nor farther.
 */
static float
comparable(double distance)
{
	return isnan(distance) ? INFINITY : (float) distance;
}

float
hnsw_query_distance(const HnswQuery *query, const uint8 *stored)
{
	switch (query->shape->metric)
	{
		case HNSW_HAMMING:
			return (float) hx_kernels->hamming(query->bits, stored, query->shape->own_bytes);
		case HNSW_IP:
			return comparable(-dot(query, stored));
		default:
			return comparable(l2_squared(query, stored));
	}
}

float
hnsw_query_link_distance(const HnswQuery *query, const uint8 *stored)
{
	return query->shape->metric == HNSW_IP ?
		comparable(hnsw_ip_link_distance(dot(query, stored), l2_squared(query, stored))) :
		hnsw_query_distance(query, stored);
}

void
hnsw_link_make(const HnswShape *shape, const float *centre, const HnswQuery *node,
			   const HnswQuery *neighbour, HxLink *link, uint8 *code)
{
	if (shape->metric == HNSW_HAMMING)
		hx_link_encode_bits(&shape->link, neighbour->bits, link, code);
	else
		hx_link_encode(&shape->link, node->y, neighbour->y, centre, link, code);
}
