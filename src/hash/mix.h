/*
 * mix.h
 *	  The frozen mixer of 64 bits that hashes of elements and keys of buckets are made by.
 */
#ifndef HX_MIX_H
#define HX_MIX_H

#include <stdint.h>

/* A bijection whose every output bit depends on every input bit (SplitMix64's finish). */
static inline uint64_t
hx_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

#endif							/* HX_MIX_H */
