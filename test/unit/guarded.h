/*
 * guarded.h
 *	  Memory at whose ends reading is a crash.
 */
#ifndef HX_GUARDED_H
#define HX_GUARDED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Memory that ends at a page no one may read, so that a read past a block is a
 * crash and not luck.
 */
typedef struct Guarded
{
	uint8_t    *end;
	uint8_t    *mapping;
	size_t		mapped;
} Guarded;

static inline Guarded
guarded_new(size_t bytes)
{
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);
	Guarded		memory;

	memory.mapped = (bytes + page - 1) / page * page + 2 * page;
	memory.mapping = mmap(NULL, memory.mapped, PROT_READ | PROT_WRITE,
						  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory.mapping == MAP_FAILED ||
		mprotect(memory.mapping, page, PROT_NONE) != 0 ||
		mprotect(memory.mapping + memory.mapped - page, page, PROT_NONE) != 0)
	{
		printf("# mmap failed\n");
		exit(2);
	}
	memory.end = memory.mapping + memory.mapped - page;
	return memory;
}

static inline void
guarded_free(Guarded *memory)
{
	munmap(memory->mapping, memory->mapped);
}

#endif							/* HX_GUARDED_H */
