/*
 * compute.h
 *	  What all longer computations need: memory, scratch that is used again, and
 *	  the caller's check.
 */
#ifndef HX_COMPUTE_H
#define HX_COMPUTE_H

#include "math/memory.h"
#include "math/team.h"

/*
 * Scratch is a stack: what is taken after a mark is given back by releasing the
 * mark, and serves the next computation. Its memory comes from HxMemory in
 * chunks, which are kept; where the next one in order is too small for what is wanted, all
 * that are free are given back, if the caller takes them.
 */
typedef struct HxScratchChunk HxScratchChunk;

typedef struct HxScratch
{
	HxScratchChunk *first;		/* the chunks in order; NULL before the first use */
	HxScratchChunk *current;	/* those before this one are in use, */
	size_t		used;			/* and so many bytes of this one */
} HxScratch;

/*
 * Is told where a computation is: in a phase, which the caller of this layer has numbered,
 * `done` of `total` (0: nobody knows). Runs in the calling thread, and must return.
 */
typedef void (*HxReport) (int phase, size_t done, size_t total);

/*
 * Set memory, check and check_context, the rest begins as zero:
 *		HxCompute	compute = {.memory = memory, .check = check, .check_context = context};
 * check (may be NULL) runs between chunks of at most 50 ms, as in team.h. Keep one
 * HxCompute for a whole training: a second one would allocate scratch of its own.
 */
typedef struct HxCompute
{
	HxMemory	memory;			/* lives until the caller frees all */
	/* Takes scratch back, which memory.allocate has given; or NULL. */
	void		(*release) (void *context, void *memory, size_t bytes);
	HxTeamCheck check;
	void	   *check_context;
	HxReport	report;			/* may be NULL */
	HxScratch	scratch;
} HxCompute;

typedef struct HxScratchMark
{
	HxScratchChunk *current;
	size_t		used;
} HxScratchMark;

/* Where the stack stands, and going back there. */
extern HxScratchMark hx_scratch_mark(const HxCompute *compute);
extern void hx_scratch_release(HxCompute *compute, HxScratchMark mark);

/*
 * `count` items of `size` bytes, aligned to 64, not initialised; longjmps like
 * HxMemory. Only in the calling thread.
 */
extern void *hx_scratch(HxCompute *compute, size_t count, size_t size);

/* Runs the caller's check, for loops that the team does not run. */
static inline void
hx_compute_check(const HxCompute *compute)
{
	if (compute->check != NULL)
		compute->check(compute->check_context);
}

static inline void
hx_compute_report(const HxCompute *compute, int phase, size_t done, size_t total)
{
	if (compute->report != NULL)
		compute->report(phase, done, total);
}

/*
 * hx_team_run with the computation's check. `cost` is what one item takes, in
 * additions or in numbers read, whichever is more: it makes slices of at most 50 ms,
 * and what takes less than a millisecond is done by the caller alone.
 */
extern void hx_compute_run(HxCompute *compute, HxTeamWork work, void *context,
						   size_t items, size_t cost);

#endif							/* HX_COMPUTE_H */
