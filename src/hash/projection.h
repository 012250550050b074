/*
 * projection.h
 *	  Projections of a vector on the directions of a seeded rotation.
 */
#ifndef HX_PROJECTION_H
#define HX_PROJECTION_H

#include <stddef.h>
#include <stdint.h>

/* Directions a block has: a power of two >= dims, and enough of them to be random. */
extern size_t hx_projection_size(size_t dims);

/* Floats that hx_projection_apply() writes to: the projections and, behind them, scratch. */
extern size_t hx_projection_scratch(size_t dims);

/*
 * Projects x on the directions of a block: out[j] times hx_projection_scale() is <a_j, x>,
 * where the a_j are orthogonal and look like vectors of independent standard normal numbers.
 * Frozen. A zero vector gives zeros.
 */
extern void hx_projection_apply(uint64_t seed, uint64_t block, const float *x, size_t dims,
								float *out);

/* The scale of a vector's projections, which is that of all blocks. */
extern double hx_projection_scale(const float *x, size_t dims);

#endif							/* HX_PROJECTION_H */
