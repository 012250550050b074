/*
 * matrix.h
 *	  Dense linear algebra for training, on the thread team, in double.
 *
 * Matrices are row-major without gaps; outputs must not overlap inputs unless it
 * is said that something is done in place. Numbers are finite. Every result is
 * the same, bit for bit, for every number of threads and at every SIMD level:
 * each element is summed in one order by one thread.
 */
#ifndef HX_MATRIX_H
#define HX_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

#include "math/compute.h"

/* mean[d] of `count` rows of d floats; count > 0. */
extern void hx_mean(HxCompute *compute, const float *rows, size_t count, size_t d, double *mean);

/* The mean squared difference from `mean`, dimension by dimension; count > 0. */
extern void hx_variances(HxCompute *compute, const float *rows, size_t count, size_t d,
						 const double *mean, double *variances);

/* out (count x d): the rows less the mean, at length 1; the mean itself becomes zero. */
extern void hx_unit_rows(HxCompute *compute, const float *rows, size_t count, size_t d,
						 const double *mean, float *out);

/* C (d x d) = sum over rows of (x - mean)(x - mean)^T / count; mean NULL: not centred. */
extern void hx_covariance(HxCompute *compute, const float *rows, size_t count, size_t d,
						  const double *mean, double *covariance);

/* Same between two sets of paired rows: C (dx x dy). */
extern void hx_cross_covariance(HxCompute *compute, const float *x, size_t dx, const double *mean_x,
								const float *y, size_t dy, const double *mean_y,
								size_t count, double *covariance);

/* C (m x n) = A (m x k) B (k x n), and with A or B transposed. */
extern void hx_multiply(HxCompute *compute, const double *a, const double *b,
						size_t m, size_t k, size_t n, double *c);
extern void hx_multiply_at(HxCompute *compute, const double *a, const double *b,	/* A is k x m */
						   size_t m, size_t k, size_t n, double *c);
extern void hx_multiply_bt(HxCompute *compute, const double *a, const double *b,	/* B is n x k */
						   size_t m, size_t k, size_t n, double *c);

/* Projections of float rows: out (count x m) = (rows - mean) W, W is d x m; mean may be NULL. */
extern void hx_project(HxCompute *compute, const float *rows, size_t count, size_t d,
					   const double *mean, const double *w, size_t m, double *out);

/*
 * The m largest eigenvalues, descending, of a symmetric d x d matrix and their
 * unit eigenvectors as the columns of vectors (d x m), m <= d. Of each vector the
 * component largest in magnitude (the first of equals) is positive. The matrix
 * is destroyed.
 */
extern void hx_eigen_symmetric(HxCompute *compute, double *matrix, size_t d, size_t m,
							   double *values, double *vectors);

/*
 * A (m x n) = U diag(s) V^T with r = min(m, n): s[r] descending, U (m x r) and V
 * (n x r) with orthonormal columns, whatever the rank of A. The largest component of each
 * column of V is positive. A is destroyed.
 */
extern void hx_svd(HxCompute *compute, double *a, size_t m, size_t n, double *u, double *s,
				   double *v);

/*
 * The orthogonal Q nearest to A (n x n): U V^T of its SVD, where trace(Q^T A) is
 * largest (Procrustes: min |A - Q|, or min |B - V R| by R = Q of V^T B). Where A is
 * singular, one of the nearest. A is destroyed.
 */
extern void hx_polar(HxCompute *compute, double *a, size_t n, double *q);

/*
 * Lower L with A = L L^T, in place of the symmetric A (n x n), zeros above the
 * diagonal; false, with A spoiled, when A is not positive definite.
 */
extern bool hx_cholesky(HxCompute *compute, double *a, size_t n);

/* Solves L X = B, and L^T X = B, in place of B (n x m). */
extern void hx_solve_lower(HxCompute *compute, const double *l, size_t n, double *b, size_t m);
extern void hx_solve_lower_transposed(HxCompute *compute, const double *l, size_t n, double *b,
									  size_t m);

/*
 * A random orthogonal n x n matrix, uniform over all of them (Haar): the rows of a
 * matrix of Gaussians (normal.h), orthonormalised in order.
 */
extern void hx_random_orthogonal(HxCompute *compute, uint64_t seed, size_t n, double *q);

#endif							/* HX_MATRIX_H */
