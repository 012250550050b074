/*
 * kmeans.c
 *	  k-means: seeds by k-means++, then Lloyd's algorithm.
 *
 * The nearest centroid of a row x is the one of largest <x, c> - <c, c> / 2, so
 * that the distances of many rows are one product of matrices.
 */
#include "math/kmeans.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/product.h"
#include "math/random.h"

/* Scores in hand: rows times centroids, 8 MB, or 64 rows of more. */
#define CHUNK_SCORES ((size_t) 1 << 20)
#define CHUNK_LEAST_ROWS 64

/* What the steps work on; each uses the fields it needs. */
typedef struct Clustering
{
	const float *rows;
	size_t		count;
	size_t		d;
	float	   *centroids;
	size_t		k;
	uint32_t   *assignment;		/* count */
	double	   *distance;		/* count: squared, to the nearest seed or own centroid */
	const float *seed;			/* the newest */
	size_t		chunk_begin;	/* the rows whose scores are in hand */
	double	   *scores;			/* [row of chunk][k] */
	uint32_t   *members;		/* count: the rows of centroid 0, those of 1, ... */
	uint32_t   *bounds;			/* k + 1: where those of each begin */
	double	   *sums;			/* k x d */
} Clustering;

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Over rows: brings the distances up to date with the newest seed. Seeds have -1. */
static void
compare_with_seed(void *context, size_t begin, size_t end)
{
	const Clustering *c = context;

	for (size_t i = begin; i < end; i++)
	{
		double		distance = hx_kernels->l2_squared(c->rows + i * c->d, c->seed, c->d);

		if (distance < c->distance[i])
			c->distance[i] = distance;
	}
}

/*
 * The row of the next seed: drawn with a probability proportional to the squared
 * distance from the seeds so far, or, if all rows stand on seeds, the first that
 * is not a seed itself.
 */
static size_t
draw_seed(const Clustering *c, double uniform)
{
	double		total = 0;
	double		sum = 0;
	size_t		chosen = c->count;

	for (size_t i = 0; i < c->count; i++)
		if (c->distance[i] > 0)
			total += c->distance[i];

	for (size_t i = 0; i < c->count; i++)
	{
		if (c->distance[i] < 0 || (c->distance[i] == 0 && total > 0))
			continue;
		chosen = i;
		sum += c->distance[i];
		if (sum >= uniform * total)
			break;
	}
	return chosen;
}

/* k-means++ (Arthur and Vassilvitskii 2007); the first row is drawn uniformly. */
static void
choose_seeds(HxCompute *compute, Clustering *c, uint64_t seed)
{
	for (size_t i = 0; i < c->count; i++)
		c->distance[i] = HUGE_VAL;

	for (size_t j = 0; j < c->k; j++)
	{
		uint64_t	random = hx_random(seed, 0, j);
		size_t		row;

		if (j == 0)
			row = (size_t) ((random >> 32) * c->count >> 32);
		else
			row = draw_seed(c, (double) (random >> 11) * 0x1p-53);
		memcpy(c->centroids + j * c->d, c->rows + row * c->d, c->d * sizeof(float));
		c->distance[row] = -1;
		c->seed = c->rows + row * c->d;
		hx_compute_run(compute, compare_with_seed, c, c->count, c->d);
	}
}

/* Over rows of the chunk: the best score, the first of equals. */
static void
choose_best(void *context, size_t begin, size_t end)
{
	const Clustering *c = context;

	for (size_t i = begin; i < end; i++)
	{
		const double *scores = c->scores + i * c->k;
		size_t		best = 0;

		for (size_t j = 1; j < c->k; j++)
			if (scores[j] > scores[best])
				best = j;
		c->assignment[c->chunk_begin + i] = (uint32_t) best;
	}
}

static void
assign_rows(HxCompute *compute, Clustering *c)
{
	const size_t wanted = CHUNK_SCORES / c->k;
	const size_t chunk = smaller(wanted > CHUNK_LEAST_ROWS ? wanted : CHUNK_LEAST_ROWS, c->count);
	HxScratchMark mark = hx_scratch_mark(compute);
	double	   *start = hx_scratch(compute, c->k, sizeof(double));
	const HxOperand centroids = {.floats = c->centroids, .stride = c->d, .lines_are_rows = true};

	c->scores = hx_scratch(compute, chunk * c->k, sizeof(double));
	for (size_t j = 0; j < c->k; j++)
		start[j] = hx_kernels->dot(c->centroids + j * c->d, c->centroids + j * c->d, c->d) / -2;

	for (c->chunk_begin = 0; c->chunk_begin < c->count; c->chunk_begin += chunk)
	{
		const size_t rows = smaller(c->count - c->chunk_begin, chunk);
		const HxOperand operand = {.floats = c->rows + c->chunk_begin * c->d, .stride = c->d,
								   .lines_are_rows = true};

		for (size_t i = 0; i < rows; i++)
			memcpy(c->scores + i * c->k, start, c->k * sizeof(double));
		hx_product(compute, &operand, &centroids, rows, c->d, c->k, c->scores, c->k);
		hx_compute_run(compute, choose_best, c, rows, c->k);
	}
	hx_scratch_release(compute, mark);
}

/* Lists the rows of each centroid, in order. */
static void
list_members(Clustering *c)
{
	memset(c->bounds, 0, (c->k + 1) * sizeof(uint32_t));
	for (size_t i = 0; i < c->count; i++)
		c->bounds[c->assignment[i]]++;
	for (size_t j = 1; j <= c->k; j++)
		c->bounds[j] += c->bounds[j - 1];
	/* Each bound stands at the end of its rows and moves to their beginning. */
	for (size_t i = c->count; i-- > 0;)
		c->members[--c->bounds[c->assignment[i]]] = (uint32_t) i;
}

/* Over rows: distances to their own centroids. */
static void
measure_rows(void *context, size_t begin, size_t end)
{
	const Clustering *c = context;

	for (size_t i = begin; i < end; i++)
		c->distance[i] = hx_kernels->l2_squared(c->rows + i * c->d,
												c->centroids + c->assignment[i] * c->d, c->d);
}

/*
 * Gives each centroid without rows the row farthest from its own. A row alone
 * with its centroid stays.
 */
static void
fill_empty(HxCompute *compute, Clustering *c)
{
	bool		measured = false;

	list_members(c);
	for (size_t j = 0; j < c->k; j++)
		c->bounds[j] = c->bounds[j + 1] - c->bounds[j];

	for (size_t j = 0; j < c->k; j++)
	{
		size_t		farthest = c->count;
		double		distance = 0;

		if (c->bounds[j] > 0)
			continue;
		if (!measured)
			hx_compute_run(compute, measure_rows, c, c->count, c->d);
		measured = true;
		hx_compute_check(compute);

		for (size_t i = 0; i < c->count; i++)
		{
			if (c->distance[i] > distance && c->bounds[c->assignment[i]] > 1)
			{
				farthest = i;
				distance = c->distance[i];
			}
		}
		if (farthest == c->count)
			break;
		c->bounds[c->assignment[farthest]]--;
		c->bounds[j]++;
		c->assignment[farthest] = (uint32_t) j;
		c->distance[farthest] = 0;
	}
	list_members(c);
}

/* Over centroids: each becomes the mean of its rows; without rows it stays. */
static void
average_members(void *context, size_t begin, size_t end)
{
	const Clustering *c = context;

	for (size_t j = begin; j < end; j++)
	{
		const uint32_t first = c->bounds[j];
		const uint32_t last = c->bounds[j + 1];
		double	   *sum = c->sums + j * c->d;

		if (first == last)
			continue;
		memset(sum, 0, c->d * sizeof(double));
		for (uint32_t m = first; m < last; m++)
		{
			const float *row = c->rows + c->members[m] * c->d;

			for (size_t x = 0; x < c->d; x++)
				sum[x] += row[x];
		}
		for (size_t x = 0; x < c->d; x++)
			c->centroids[j * c->d + x] = (float) (sum[x] / (double) (last - first));
	}
}

/*
 * One round of Lloyd's algorithm. Returns whether a row has moved; `before` is
 * room for the assignment.
 */
static bool
improve(HxCompute *compute, Clustering *c, uint32_t *before)
{
	fill_empty(compute, c);
	memcpy(before, c->assignment, c->count * sizeof(uint32_t));
	hx_compute_run(compute, average_members, c, c->k, (c->count / c->k + 1) * c->d);
	assign_rows(compute, c);
	return memcmp(before, c->assignment, c->count * sizeof(uint32_t)) != 0;
}

void
hx_kmeans(HxCompute *compute, const float *rows, size_t count, size_t d, size_t k,
		  int iterations, uint64_t seed, float *centroids, uint32_t *assignment)
{
	HxScratchMark mark = hx_scratch_mark(compute);
	uint32_t   *before = hx_scratch(compute, count, sizeof(uint32_t));
	Clustering	c = {.rows = rows, .count = count, .d = d, .k = k, .centroids = centroids};

	c.distance = hx_scratch(compute, count, sizeof(double));
	c.members = hx_scratch(compute, count, sizeof(uint32_t));
	c.bounds = hx_scratch(compute, k + 1, sizeof(uint32_t));
	c.sums = hx_scratch(compute, k * d, sizeof(double));
	c.assignment = assignment != NULL ? assignment : hx_scratch(compute, count, sizeof(uint32_t));

	choose_seeds(compute, &c, seed);
	if (iterations > 0 || assignment != NULL)
		assign_rows(compute, &c);
	while (iterations-- > 0 && improve(compute, &c, before))
		;
	hx_scratch_release(compute, mark);
}
