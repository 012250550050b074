/*
 * hyperplane.h
 *	  SimHash: signs of projections on random orthogonal directions.
 */
#ifndef HX_HYPERPLANE_H
#define HX_HYPERPLANE_H

#include <stddef.h>
#include <stdint.h>

/* Floats of scratch that hx_simhash needs for vectors of `dims` dimensions. */
extern size_t hx_simhash_scratch(size_t dims);

/*
 * Bit j of the code is 1 when the j-th rotated coordinate is > 0. The first
 * hx_rotation_size(dims) bits come from block 0 of the seeded rotation, the
 * next ones from block 1, and so on. Bits are packed most significant first
 * (bit 0 is the high bit of byte 0), unused bits of the last byte are zero.
 * Invariant under positive scaling by powers of two; a zero vector gives code 0.
 */
extern void hx_simhash(const float *v, size_t dims, unsigned bits, uint64_t seed,
					   float *scratch, uint8_t *code);

#endif							/* HX_HYPERPLANE_H */
