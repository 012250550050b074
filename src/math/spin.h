/*
 * spin.h
 *	  A seeded fast rotation of any number of dimensions that keeps all distances.
 *
 * Four rounds of random signs and a Walsh-Hadamard transform, in turn of the first and of
 * the last 2^k coordinates, and after each two a Kac step that mixes the two halves. Unlike
 * rotation.h it is orthonormal and pads to a multiple of 8 only. The result is frozen: the
 * same floats on every CPU and at every SIMD level.
 */
#ifndef HX_SPIN_H
#define HX_SPIN_H

#include <stddef.h>
#include <stdint.h>

/* Coordinates that a spin of `dims` dimensions gives: dims rounded up to a multiple of 8. */
extern size_t hx_spin_dims(size_t dims);

/* Rotates x (`dims` floats) into out (hx_spin_dims(dims) floats, no overlap with x). */
extern void hx_spin_apply(uint64_t seed, const float *x, size_t dims, float *out);

#endif							/* HX_SPIN_H */
