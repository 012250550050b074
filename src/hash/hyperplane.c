/*
 * hyperplane.c
 *	  SimHash: signs of projections on random orthogonal directions.
 */
#include "hash/hyperplane.h"

#include <string.h>

#include "kernel/kernel.h"
#include "math/rotation.h"

size_t
hx_simhash_scratch(size_t dims)
{
	return hx_rotation_size(dims);
}

/* The signs of a block as bits begin .. end - 1. Small blocks begin within a byte. */
static void
put_signs(const float *block, size_t begin, size_t end, uint8_t *code)
{
	if (begin % 8 == 0)
	{
		hx_kernels->above(block, NULL, end - begin, code + begin / 8);
		return;
	}
	for (size_t j = begin; j < end; j++)
	{
		if (block[j - begin] > 0)
			code[j / 8] |= (uint8_t) (0x80 >> (j % 8));
	}
}

void
hx_simhash(const float *v, size_t dims, unsigned bits, uint64_t seed,
		   float *scratch, uint8_t *code)
{
	const size_t size = hx_rotation_size(dims);

	memset(code, 0, ((size_t) bits + 7) / 8);
	for (size_t begin = 0; begin < bits; begin += size)
	{
		size_t		end = bits - begin < size ? bits : begin + size;

		hx_rotation_apply(seed, begin / size, v, dims, scratch);
		put_signs(scratch, begin, end, code);
	}
}
