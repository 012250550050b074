/*
 * computation.c
 *	  A long computation of the pure layers in a backend: memory, threads, interrupts.
 */
#include "hashidx.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "encode/computation.h"
#include "encode/progress.h"
#include "guc.h"

#define CACHE_LINE 64

/*
 * For HxMemory: one context holds all, and frees what nobody gives back before. Before the
 * aligned memory stands where its chunk begins.
 */
static void *
allocate(void *context, size_t bytes)
{
	Computation *computation = context;
	const Size	limit = (Size) maintenance_work_mem * 1024;
	char	   *chunk;
	char	   *memory;

	if (bytes > MaxAllocHugeSize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the computation takes more memory than can be addressed")));
	computation->used += bytes + CACHE_LINE;
	if (computation->used > limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the computation does not fit into maintenance_work_mem"),
				 errdetail("It takes at least %zu kB beside the rows that it reads, the limit is %d kB.",
						   computation->used / 1024 + 1, maintenance_work_mem),
				 errhint("Raise maintenance_work_mem, or ask for fewer rows, bits or anchors.")));
	chunk = MemoryContextAllocHuge(computation->context, bytes + CACHE_LINE);
	memory = (char *) TYPEALIGN(CACHE_LINE, chunk + sizeof(char *));
	((char **) memory)[-1] = chunk;
	return memory;
}

static void
release(void *context, void *memory, size_t bytes)
{
	Computation *computation = context;

	computation->used -= bytes + CACHE_LINE;
	pfree(((char **) memory)[-1]);
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
			.memory = {.allocate = allocate, .context = computation},
			.release = release,
			.check = check,
			.report = hx_progress_report,
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
