/*
 * labels.c
 *	  Which rows of a sample are alike and which are not: what supervised hashing learns from.
 *
 * Every row is compared with every other one. The matrix of labels is never written out:
 * it has few numbers that are not zero, and all that is asked of it are products.
 */
#include "hash/labels.h"

#include <stdbool.h>
#include <string.h>

#include "kernel/kernel.h"

/* Rows that are compared with all at a time. */
#define AT_ONCE ((size_t) 64)

/* A row and how far it is from another one. */
typedef struct Distance
{
	double		square;
	uint32_t	row;
} Distance;

/* Of equal distances that of the higher row counts as the greater. */
static bool
is_greater(Distance a, Distance b)
{
	return a.square > b.square || (a.square == b.square && a.row > b.row);
}

/* Sinks the element at `at` in a heap of n whose root is the greatest. */
static void
sink(Distance *heap, size_t n, size_t at)
{
	for (;;)
	{
		size_t		child = 2 * at + 1;
		Distance	swap = heap[at];

		if (child >= n)
			return;
		if (child + 1 < n && is_greater(heap[child + 1], heap[child]))
			child++;
		if (!is_greater(heap[child], swap))
			return;
		heap[at] = heap[child];
		heap[child] = swap;
		at = child;
	}
}

/* The t least of the distances, times `sign`; ties go to the lower row. heap: t of scratch. */
static void
select_least(const double *squares, size_t n, double sign, size_t itself, Distance *heap, size_t t,
			 uint32_t *chosen)
{
	size_t		held = 0;

	for (size_t j = 0; j < n; j++)
	{
		const Distance one = {sign * squares[j], (uint32_t) j};

		if (j == itself)
			continue;
		if (held < t)
		{
			heap[held++] = one;
			for (size_t at = held / 2; held == t && at-- > 0;)
				sink(heap, t, at);
		}
		else if (one.square < heap[0].square)
		{
			heap[0] = one;
			sink(heap, t, 0);
		}
	}
	for (size_t p = 0; p < t; p++)
		chosen[p] = heap[p].row;
}

typedef struct LabelWork
{
	const HxLabels *labels;
	const float *f;
	size_t		d;
	double	   *squares;		/* numbers of scratch for each row: all rows */
	Distance   *heaps;			/* labels->each for each row */
	size_t		first;			/* the row that item 0 is */
} LabelWork;

/* HxTeamWork: the similar and dissimilar rows of some rows. */
static void
label_rows(void *context, size_t begin, size_t end)
{
	const LabelWork *work = context;
	const HxLabels *labels = work->labels;
	const size_t n = labels->rows;
	const size_t t = labels->each;

	for (size_t item = begin; item < end; item++)
	{
		const size_t i = work->first + item;
		double	   *squares = work->squares + item * n;
		Distance   *heap = work->heaps + item * t;

		for (size_t j = 0; j < n; j++)
			squares[j] = hx_kernels->l2_squared(work->f + i * work->d, work->f + j * work->d,
												work->d);
		select_least(squares, n, 1, i, heap, t, labels->near + i * t);
		select_least(squares, n, -1, i, heap, t, labels->far + i * t);
	}
}

HxLabels
hx_labels_find(HxCompute *compute, const float *f, size_t rows, size_t d, size_t each)
{
	const HxLabels labels = {
		.rows = rows,
		.each = each,
		.near = hx_scratch(compute, rows * each, sizeof(uint32_t)),
		.far = hx_scratch(compute, rows * each, sizeof(uint32_t)),
	};
	const HxScratchMark mark = hx_scratch_mark(compute);
	LabelWork	work = {.labels = &labels, .f = f, .d = d};

	work.squares = hx_scratch(compute, AT_ONCE * rows, sizeof(double));
	work.heaps = hx_scratch(compute, AT_ONCE * each, sizeof(Distance));
	for (; work.first < rows; work.first += AT_ONCE)
		hx_compute_run(compute, label_rows, &work,
					   rows - work.first < AT_ONCE ? rows - work.first : AT_ONCE, rows * d);
	hx_scratch_release(compute, mark);
	return labels;
}

void
hx_labels_multiply(const HxLabels *labels, const double *x, double *y)
{
	memset(y, 0, labels->rows * sizeof(double));
	for (size_t i = 0; i < labels->rows; i++)
	{
		for (size_t p = 0; p < labels->each; p++)
		{
			const uint32_t near = labels->near[i * labels->each + p];
			const uint32_t far = labels->far[i * labels->each + p];

			y[i] += (x[near] - x[far]) / 2;
			y[near] += x[i] / 2;
			y[far] -= x[i] / 2;
		}
	}
}
