/*
 * memory.h
 *	  How pure C asks its caller for memory that lasts as long as a computation.
 */
#ifndef HX_MEMORY_H
#define HX_MEMORY_H

#include <stddef.h>

/*
 * allocate() returns `bytes` bytes aligned to 64, never NULL: where memory cannot
 * be had it leaves by longjmp. It is called in the calling thread only, never from
 * a team's work. Nothing is given back; the caller frees all at once.
 */
typedef struct HxMemory
{
	void	   *(*allocate) (void *context, size_t bytes);
	void	   *context;
} HxMemory;

static inline void *
hx_allocate(const HxMemory *memory, size_t count, size_t size)
{
	/* The caller's allocate() refuses what is too much; an overflow becomes that. */
	return memory->allocate(memory->context,
							size != 0 && count > (size_t) -1 / size ? (size_t) -1 : count * size);
}

#endif							/* HX_MEMORY_H */
