/*
 * product.h
 *	  The matrix product under all of matrix.h, on parts of matrices and with
 *	  its operands in any form. For the files of this folder.
 */
#ifndef HX_PRODUCT_H
#define HX_PRODUCT_H

#include <stdbool.h>

#include "math/compute.h"

/*
 * One side of a product: lines, as long as the product is deep. Lines are the
 * rows of the left factor and the columns of the right one, whichever way the
 * numbers are stored.
 */
typedef struct HxOperand
{
	const double *doubles;		/* row-major; or, when NULL, floats */
	const float *floats;
	size_t		stride;			/* numbers from one stored row to the next */
	bool		lines_are_rows; /* as stored; else they are columns */
	bool		negative;		/* take the numbers with the other sign */
	const double *mean;			/* first subtracted from each stored row, unless NULL */
} HxOperand;

/*
 * C += A B: C is m x n, its rows `stride` apart, and the product `depth` deep.
 * Each element takes in its products one by one in order of depth, each product
 * and each sum rounded: as three plain loops would do it.
 *
 * If a and b are the same pointer, C must be symmetric (m = n), and only half of
 * it is computed.
 */
extern void hx_product(HxCompute *compute, const HxOperand *a, const HxOperand *b,
					   size_t m, size_t depth, size_t n, double *c, size_t stride);

#endif							/* HX_PRODUCT_H */
