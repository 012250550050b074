/*
 * computation.c
 *	  A long computation of the pure layers in a backend: memory, threads, interrupts.
 */
#include "hashidx.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "encode/computation.h"
#include "guc.h"

#define CACHE_LINE 64

/* For HxMemory: one context holds all, so nothing is freed by itself. */
static void *
allocate(void *context, size_t bytes)
{
	if (bytes > MaxAllocHugeSize - CACHE_LINE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the computation takes more memory than can be addressed")));
	return (void *) TYPEALIGN(CACHE_LINE, MemoryContextAllocHuge(context, bytes + CACHE_LINE));
}

static void
check(void *context)
{
	CHECK_FOR_INTERRUPTS();
}

void
hx_computation_start(Computation *computation)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx computation",
												  ALLOCSET_DEFAULT_SIZES);

	*computation = (Computation) {
		.context = context,
		.compute = {
			.memory = {.allocate = allocate, .context = context},
			.check = check,
		},
	};
	hx_team_start(hx_guc_build_threads());
}

void
hx_computation_end(Computation *computation)
{
	hx_team_end();
	MemoryContextDelete(computation->context);
}
