/*
 * lsh_frame.h
 *	  What the tests of LSH share: memory that is taken back all at once, and hash functions in it.
 */
#ifndef HX_LSH_FRAME_H
#define HX_LSH_FRAME_H

#include "unit.h"

#include "hash/lsh.h"

static char *blocks;
static size_t blocks_size;
static size_t used;

/* HxMemory's allocate: the next piece of the blocks; `used = 0` takes all of them back. */
static inline void *
allocate(void *context, size_t bytes)
{
	void	   *block = blocks + used;

	(void) context;
	used += (bytes + 63) / 64 * 64;
	if (used > blocks_size)
	{
		printf("# out of memory\n");
		exit(2);
	}
	return block;
}

static const HxMemory memory = {allocate, NULL};

static inline void
make_blocks(size_t size)
{
	blocks = unit_alloc(size);
	blocks_size = size;
}

/* The functions of a shape, in memory that is all taken back. */
static inline HxLsh *
make(const HxLshShape *shape)
{
	HxLsh	   *lsh;

	CHECK(hx_lsh_shape_fault(shape) == NULL, "%s", hx_lsh_shape_fault(shape));
	used = 0;
	lsh = allocate(NULL, hx_lsh_size(shape));
	hx_lsh_init(lsh, shape);
	return lsh;
}

#endif							/* HX_LSH_FRAME_H */
