/*
 * compute.c
 *	  Scratch memory for computations, and work cut into slices.
 */
#include "math/compute.h"

#include <stdint.h>

#define ALIGNMENT 64
#define SMALLEST_CHUNK ((size_t) 256 << 10)
#define LARGEST_GROWTH ((size_t) 1 << 20)	/* only a larger request makes a larger chunk */

/*
 * Additions that a thread does between checks, 2 to 8 ms; and below what the
 * caller does better alone, within a millisecond: where other processes want the
 * cores too, a round of the team may have to wait for a thread that was put off.
 */
#define SLICE_COST ((size_t) 16 << 20)
#define ALONE_COST ((size_t) 2 << 20)

/* The head of a chunk; `size` bytes of scratch follow it. */
struct HxScratchChunk
{
	HxScratchChunk *next;
	size_t		size;
	char		padding[ALIGNMENT - sizeof(HxScratchChunk *) - sizeof(size_t)];
};

HxScratchMark
hx_scratch_mark(const HxCompute *compute)
{
	return (HxScratchMark) {compute->scratch.current, compute->scratch.used};
}

void
hx_scratch_release(HxCompute *compute, HxScratchMark mark)
{
	HxScratch  *scratch = &compute->scratch;

	/* A mark from before the first chunk. */
	scratch->current = mark.current != NULL ? mark.current : scratch->first;
	scratch->used = mark.used;
}

/* Appends a chunk to the list after `last`, the end of it, with room for at least `bytes`. */
static HxScratchChunk *
append_chunk(HxCompute *compute, HxScratchChunk *last, size_t bytes)
{
	size_t		size = SMALLEST_CHUNK;
	HxScratchChunk *chunk;

	if (last != NULL)
		size = last->size < LARGEST_GROWTH / 2 ? last->size * 2 : LARGEST_GROWTH;
	if (size < bytes)
		size = bytes;
	chunk = hx_allocate(&compute->memory, 1, size + sizeof(HxScratchChunk));
	chunk->next = NULL;
	chunk->size = size;
	if (last != NULL)
		last->next = chunk;
	else
		compute->scratch.first = chunk;
	return chunk;
}

/* Gives back the chunks after `last`. */
static void
drop_chunks(HxCompute *compute, HxScratchChunk *last)
{
	HxScratchChunk *chunk = last->next;

	last->next = NULL;
	while (chunk != NULL)
	{
		HxScratchChunk *next = chunk->next;

		compute->release(compute->memory.context, chunk, chunk->size + sizeof(HxScratchChunk));
		chunk = next;
	}
}

void *
hx_scratch(HxCompute *compute, size_t count, size_t size)
{
	HxScratch  *scratch = &compute->scratch;
	HxScratchChunk *chunk = scratch->current;
	HxScratchChunk *last = NULL;
	size_t		bytes;

	/* What no memory could hold is for allocate() to refuse. */
	if (size != 0 && count > (SIZE_MAX / 2) / size)
		return hx_allocate(&compute->memory, SIZE_MAX, 1);
	bytes = (count * size + ALIGNMENT - 1) & ~(size_t) (ALIGNMENT - 1);

	while (chunk != NULL && chunk->size - scratch->used < bytes)
	{
		/* What lies beyond this chunk is free. */
		if (chunk->next != NULL && chunk->next->size < bytes && compute->release != NULL)
			drop_chunks(compute, chunk);
		last = chunk;
		chunk = chunk->next;
		scratch->used = 0;
	}
	if (chunk == NULL)
		chunk = append_chunk(compute, last, bytes);
	scratch->current = chunk;
	scratch->used += bytes;
	return (char *) (chunk + 1) + scratch->used - bytes;
}

void
hx_compute_run(HxCompute *compute, HxTeamWork work, void *context, size_t items, size_t cost)
{
	if (items == 0)
		return;
	if (cost == 0)
		cost = 1;
	if (cost <= ALONE_COST && items <= ALONE_COST / cost)
	{
		work(context, 0, items);
		hx_compute_check(compute);
	}
	else
		hx_team_run(work, context, items, SLICE_COST / cost + 1,
					compute->check, compute->check_context);
}
