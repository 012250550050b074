/*
 * normal.h
 *	  Frozen random numbers from the normal distribution.
 */
#ifndef HX_NORMAL_H
#define HX_NORMAL_H

#include <stdint.h>

/*
 * A normally distributed number, mean 0, variance 1: number `counter` of `stream` of
 * `seed`. Like hx_random() it depends on these alone, and is stored on disk. Do not
 * draw from hx_random() with the same seed and stream what must be independent.
 */
extern double hx_normal(uint64_t seed, uint64_t stream, uint32_t counter);

#endif							/* HX_NORMAL_H */
