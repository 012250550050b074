/*
 * random.c
 *	  The frozen random numbers.
 *
 * test/unit/test_random.c holds numbers that this file must give for ever.
 */
#include "math/random.h"

/* 2^64 divided by the golden ratio: SplitMix64's step from number to number. */
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* The SplitMix64 number that follows state x. */
static uint64_t
splitmix64(uint64_t x)
{
	x += GOLDEN;
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * Where a stream starts. Seed and stream are hashed before the counter is added. Unhashed,
 * small seeds would give the same numbers in another order.
 */
static uint64_t
start_of(uint64_t seed, uint64_t stream)
{
	return splitmix64(splitmix64(seed) ^ (stream * GOLDEN));
}

uint64_t
hx_random(uint64_t seed, uint64_t stream, uint64_t counter)
{
	return splitmix64(start_of(seed, stream) + counter);
}

void
hx_random_fill(uint64_t seed, uint64_t stream, uint64_t *numbers, size_t count)
{
	const uint64_t start = start_of(seed, stream);

	for (size_t i = 0; i < count; i++)
		numbers[i] = splitmix64(start + i);
}
