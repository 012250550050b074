/*
 * itq.h
 *	  Iterative quantisation: the rotation that brings numbers nearest to their signs.
 */
#ifndef HX_ITQ_H
#define HX_ITQ_H

#include <stdint.h>

#include "math/compute.h"

/* Of a larger sample, the first so many rows are enough to learn a rotation of m numbers. */
extern size_t hx_itq_rows(size_t count, size_t m);

/*
 * rotation (m x m, orthogonal) from `count` rows of m centred numbers, V: begins with
 * the random one of `seed`, and makes at most `iterations` rounds of B = sign(V R),
 * R = argmin |B - V R|. Each lowers the loss |B - V R|; it ends early when one does
 * not. Gong and Lazebnik 2011.
 */
extern void hx_itq_rotation(HxCompute *compute, const double *v, size_t count, size_t m,
							int iterations, uint64_t seed, double *rotation);

#endif							/* HX_ITQ_H */
