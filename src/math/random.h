/*
 * random.h
 *	  The frozen random numbers: what they decide is stored on disk.
 *
 * Counter-based (SplitMix64; Steele, Lea, Flood 2014): the number depends on
 * (seed, stream, counter) alone, so it can be drawn in any order on any CPU.
 * Never change a line here without a new format version.
 */
#ifndef HX_RANDOM_H
#define HX_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* 64 random bits: number `counter` of stream `stream` of `seed`. */
extern uint64_t hx_random(uint64_t seed, uint64_t stream, uint64_t counter);

/* Numbers 0 .. count - 1 of a stream. */
extern void hx_random_fill(uint64_t seed, uint64_t stream, uint64_t *numbers, size_t count);

#endif							/* HX_RANDOM_H */
