/*
 * normal.c
 *	  Frozen random numbers from the normal distribution, by Marsaglia's polar
 *	  method.
 */
#include "math/normal.h"

#include <math.h>

#include "kernel/target.h"
#include "math/functions.h"
#include "math/random.h"

/* Uniform in [-1, 1), in steps of 2^-52. */
static double
uniform(uint64_t seed, uint64_t stream, uint64_t counter)
{
	return (double) (hx_random(seed, stream, counter) >> 11) * 0x1p-52 - 1;
}

double
hx_normal(uint64_t seed, uint64_t stream, uint32_t counter)
{
	/* Each number has 2^32 of the uniform ones to itself; four out of five pairs will do. */
	for (uint64_t at = (uint64_t) counter << 32;; at += 2)
	{
		double		x = uniform(seed, stream, at);
		double		y = uniform(seed, stream, at + 1);
		double		square = x * x + y * y;

		if (square < 1 && square > 0)
			return x * sqrt(-2 * hx_log(square) / square);
	}
}
