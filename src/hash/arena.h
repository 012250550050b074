/*
 * arena.h
 *	  Memory that is taken back all at once, again and again.
 */
#ifndef HX_ARENA_H
#define HX_ARENA_H

#include "math/memory.h"

/* What does not fit into the block comes from `outer`, and is not taken back. */
typedef struct HxArena
{
	HxMemory	memory;			/* to be given to those who allocate */
	const HxMemory *outer;
	char	   *block;
	size_t		size;
	size_t		used;
} HxArena;

static inline void *
hx_arena_allocate(void *context, size_t bytes)
{
	HxArena    *arena = context;

	if (bytes > arena->size - arena->used)
		return hx_allocate(arena->outer, 1, bytes);

	void	   *result = arena->block + arena->used;

	/* The next one is aligned to 64 as well, or does not fit. */
	arena->used += bytes + 63 < arena->size - arena->used ? (bytes + 63) / 64 * 64 :
		arena->size - arena->used;
	return result;
}

/* The arena must stay where it is: its memory knows its address. */
static inline void
hx_arena_make(HxArena *arena, size_t size, const HxMemory *outer)
{
	*arena = (HxArena) {{hx_arena_allocate, arena}, outer, hx_allocate(outer, 1, size), size, 0};
}

static inline void
hx_arena_reset(HxArena *arena)
{
	arena->used = 0;
}

#endif							/* HX_ARENA_H */
