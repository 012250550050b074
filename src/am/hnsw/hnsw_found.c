/*
 * hnsw_found.c
 *	  Bounds of the distances of nodes found by a search, and heaps of such nodes.
 *
 * The bounds must hold without exception: the executor fails when a row is nearer than its index
 * said. They are therefore wider than the analysis of errors asks for.
 */
#include "am/hnsw/hnsw_found.h"

#include <float.h>
#include <math.h>

#include "utils/memutils.h"

#define FIRST_ROOM 64

/*
 * The share of the terms' sum by which a distance to a stored vector may be wrong (stored.h): up to
 * so many terms, and with more in proportion.
 */
#define FLOAT_SUM_ERROR 1.2e-5
#define FLOAT_SUM_TERMS 4096.0
#define DOUBLE_SUM_ERROR 1.2e-7		/* of rounding the sum to a float */

/* Rounding moves the query's own coordinates by less than these shares of its length. */
#define NORMALISE_ERROR 2e-7
#define ROTATION_ERROR 4e-6

/* The operator itself is wrong by less than this where distances are about 1. */
#define OPERATOR_ERROR 1e-12

/* The nearest floats not above and not below a number; any for NaN. */
static float
round_down(double x)
{
	float		rounded = (float) x;

	return rounded > x ? nextafterf(rounded, -INFINITY) : rounded;
}

static float
round_up(double x)
{
	float		rounded = (float) x;

	return rounded < x ? nextafterf(rounded, INFINITY) : rounded;
}

/* By how much the vectors of query and node, as compared, may be off: the sum of both. */
static double
displacement(const HnswQuery *query, const HnswNodeHead *head)
{
	bool		normalised = query->shape->metric == HNSW_COSINE;
	double		moved = head->error + (normalised ? NORMALISE_ERROR : 0);

	if (query->shape->stored == HX_STORED_INT8)
		moved += ROTATION_ERROR * (normalised ? 1 : query->norm);
	return moved;
}

/* By how much a sum of products may be off that are too small for all the digits of a float. */
static double
vanished(const HnswQuery *query)
{
	return query->shape->dims * FLT_MIN;
}

/* Bounds of the Euclidean distance, from its square as computed. */
static void
bound_l2(const HnswQuery *query, const HnswNodeHead *head, double squared, double sum_error,
		 double *low, double *high)
{
	double		moved = displacement(query, head);

	*low = fmax(sqrt(fmax(squared * (1 - sum_error) - vanished(query), 0)) - moved, 0);
	*high = sqrt(squared * (1 + sum_error) + vanished(query)) + moved;
}

/* Bounds of the negative inner product. No vector is much longer than the longest known. */
static void
bound_ip(const HnswQuery *query, const HnswNodeHead *head, double distance, double sum_error,
		 double *low, double *high)
{
	double		length = fmax(query->largest_norm, fabs(distance) / fmax(query->norm, FLT_MIN));
	double		moved = query->norm * (head->error + 4 * sum_error * length) + vanished(query);

	if (query->shape->stored == HX_STORED_INT8)
		moved += ROTATION_ERROR * query->norm * length;
	*low = distance - moved;
	*high = distance + moved;
}

HnswFound
hnsw_found_make(const HnswQuery *query, HxNode node, const HnswNodeHead *head, float distance)
{
	const HnswShape *shape = query->shape;
	double		sum_error = shape->stored == HX_STORED_F32 ? DOUBLE_SUM_ERROR :
		FLOAT_SUM_ERROR * Max(shape->own_dims / FLOAT_SUM_TERMS, 1);
	double		low = distance;
	double		high = distance;
	HnswFound	found = {
		.distance = distance,
		.node = node,
		.version = head->version,
		.postings = head->postings,
		.rows = head->rows,
		.all_equal = head->error == 0,
	};

	switch (shape->metric)
	{
		case HNSW_L2:
			bound_l2(query, head, distance, sum_error, &low, &high);
			break;
		case HNSW_COSINE:
			/* 1 - cos is half the square, of vectors of length 1. */
			bound_l2(query, head, distance, sum_error, &low, &high);
			low = low * low / 2 - OPERATOR_ERROR;
			high = high * high / 2 + OPERATOR_ERROR;
			break;
		case HNSW_IP:
			bound_ip(query, head, distance, sum_error, &low, &high);
			break;
		case HNSW_HAMMING:
			break;
	}
	found.low = round_down(low);
	found.high = round_up(high);

	/* Of distances beyond what a float holds nothing is known but that. */
	if (!isfinite(found.low) || !isfinite(found.high))
	{
		found.low = -INFINITY;
		found.high = INFINITY;
	}
	memcpy(found.row, head->row, sizeof(found.row));
	return found;
}

void
hnsw_heap_push(HnswFoundHeap *heap, const HnswFound *found)
{
	if (heap->count == heap->room)
	{
		Size		room = heap->room > 0 ? 2 * heap->room : FIRST_ROOM;

		if (heap->found == NULL)
			heap->found = palloc(room * sizeof(HnswFound));
		else
			heap->found = repalloc_huge(heap->found, room * sizeof(HnswFound));
		heap->room = room;
	}

	Size		at = heap->count++;

	for (; at > 0 && hnsw_found_before(found, &heap->found[(at - 1) / 2]); at = (at - 1) / 2)
		heap->found[at] = heap->found[(at - 1) / 2];
	heap->found[at] = *found;
}

HnswFound
hnsw_heap_pop(HnswFoundHeap *heap)
{
	HnswFound	first = heap->found[0];
	HnswFound  *sinking = &heap->found[--heap->count];
	Size		at = 0;

	for (Size child; (child = 2 * at + 1) < heap->count; at = child)
	{
		if (child + 1 < heap->count &&
			hnsw_found_before(&heap->found[child + 1], &heap->found[child]))
			child++;
		if (!hnsw_found_before(&heap->found[child], sinking))
			break;
		heap->found[at] = heap->found[child];
	}
	heap->found[at] = *sinking;
	return first;
}
