/*
 * projection.c
 *	  Projections of a vector on the directions of a seeded rotation.
 */
#include "hash/projection.h"

#include <math.h>
#include <string.h>

#include "kernel/target.h"
#include "math/rotation.h"

/* Three rounds of signs make few different rotations of few dimensions: pad with zeros. */
#define LEAST_SIZE 64

size_t
hx_projection_size(size_t dims)
{
	size_t		size = hx_rotation_size(dims);

	return size < LEAST_SIZE ? LEAST_SIZE : size;
}

size_t
hx_projection_scratch(size_t dims)
{
	return hx_projection_size(dims) + (dims < LEAST_SIZE ? LEAST_SIZE : 0);
}

void
hx_projection_apply(uint64_t seed, uint64_t block, const float *x, size_t dims, float *out)
{
	if (dims < LEAST_SIZE)
	{
		float	   *padded = out + hx_projection_size(dims);

		memset(padded, 0, LEAST_SIZE * sizeof(float));
		memcpy(padded, x, dims * sizeof(float));
		x = padded;
		dims = LEAST_SIZE;
	}
	hx_rotation_apply(seed, block, x, dims, out);
}

double
hx_projection_scale(const float *x, size_t dims)
{
	float		largest = 0;
	int			exponent;

	for (size_t i = 0; i < dims; i++)
		largest = fmaxf(largest, fabsf(x[i]));

	/*
	 * The rotation scales x by 2^-exponent, and its three transforms by size^1.5; a
	 * direction of it has length 1, one of normal numbers size^0.5.
	 */
	(void) frexpf(largest, &exponent);
	return ldexp(1.0 / (double) hx_projection_size(dims), exponent);
}
