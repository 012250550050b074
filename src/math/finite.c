/*
 * finite.c
 *	  Whether numbers are finite.
 */
#include "math/finite.h"

#include <math.h>

#include "kernel/kernel.h"

bool
hx_all_finite(const float *x, size_t n)
{
	return hx_kernels->largest(x, n) < INFINITY;
}
