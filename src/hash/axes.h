/*
 * axes.h
 *	  The mean of a sample and its axes of most variance (principal components).
 */
#ifndef HX_AXES_H
#define HX_AXES_H

#include "hash/train.h"

typedef struct HxAxes
{
	double	   *mean;			/* dims */
	double	   *directions;		/* dims x m, unit columns */
	double	   *variances;		/* m, descending, all positive */
} HxAxes;

/* Rows that are enough to find the axes of so many dimensions. */
extern size_t hx_axes_sample_size(uint32_t dims, uint32_t outputs);

/*
 * The first m axes of training->rows, in scratch; false, with the problem told, when
 * there are fewer.
 */
extern bool hx_axes_find(HxTraining *training, size_t m, HxAxes *axes);

/*
 * Directions (d x m, m <= d) that hold nearly as much of the squares of the rows (count x d)
 * as their first m axes do, without a matrix of d x d: for many dimensions and few axes. They
 * are orthonormal, but where the rows do not vary there are zeros instead.
 */
extern void hx_axes_estimate(HxCompute *compute, const float *rows, size_t count, size_t d,
							 size_t m, uint64_t seed, double *directions);

#endif							/* HX_AXES_H */
