/*
 * rotation.h
 *	  A seeded fast pseudo-random rotation: three rounds of random signs and a
 *	  Walsh-Hadamard transform (HD3 HD2 HD1).
 *
 * The result is frozen: the same floats on every CPU and at every SIMD level.
 */
#ifndef HX_ROTATION_H
#define HX_ROTATION_H

#include <stddef.h>
#include <stdint.h>

#define HX_ROTATION_MAX_DIMS 65536

/* The power of two >= dims that a rotation of `dims` dimensions works in. */
extern size_t hx_rotation_size(size_t dims);

/*
 * Rotates x (`dims` floats, HX_ROTATION_MAX_DIMS at most) by the rotation (seed, block) into out
 * (hx_rotation_size(dims) floats; may not overlap x). The input is first scaled
 * by a power of two so that nothing overflows, and the transform is not
 * normalised: only signs and ratios of the output mean anything. A zero vector
 * gives zeros.
 */
extern void hx_rotation_apply(uint64_t seed, uint64_t block, const float *x, size_t dims,
							  float *out);

#endif							/* HX_ROTATION_H */
