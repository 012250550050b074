/*
 * labels.h
 *	  Which rows of a sample are alike and which are not: what supervised hashing learns from.
 */
#ifndef HX_LABELS_H
#define HX_LABELS_H

#include <stdint.h>

#include "math/compute.h"

/* Of each row some that are most similar to it, and as many that are least. */
typedef struct HxLabels
{
	size_t		rows;
	size_t		each;			/* of both for each row: 1 .. (rows - 1) / 2 */
	uint32_t   *near;			/* rows x each */
	uint32_t   *far;			/* rows x each */
} HxLabels;

/* The labels of some rows of d floats, by their distances, in scratch. */
extern HxLabels hx_labels_find(HxCompute *compute, const float *f, size_t rows, size_t d,
							   size_t each);

/*
 * y = S x: S_ij counts, halved, how often i and j are among each other's similar
 * rows, less how often among each other's dissimilar ones.
 */
extern void hx_labels_multiply(const HxLabels *labels, const double *x, double *y);

#endif							/* HX_LABELS_H */
