/*
 * householder.h
 *	  Householder reflections H = I - tau v v^T, singly and in blocks. For the
 *	  files of this folder.
 */
#ifndef HX_HOUSEHOLDER_H
#define HX_HOUSEHOLDER_H

#include "math/compute.h"

/* y += factor * x. */
extern void hx_add_multiple(double *y, double factor, const double *x, size_t n);

/*
 * The reflection that turns x into (beta, 0, ..., 0): returns beta, leaves v with
 * v[0] = 1 in x. tau is 0, and H nothing, where x has nothing to remove: where
 * its squares underflow, so let x come from a matrix scaled to about 1. n >= 1.
 */
extern double hx_reflector(double *x, size_t n, double *tau);

/*
 * Z = H_0 H_1 ... H_(count-1) Z for Z (n x m). Row j of `reflectors`, n long, is
 * v_j, zero before element j.
 */
extern void hx_reflect(HxCompute *compute, const double *reflectors, const double *tau,
					   size_t count, size_t n, double *z, size_t m);

#endif							/* HX_HOUSEHOLDER_H */
