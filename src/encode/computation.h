/*
 * computation.h
 *	  A long computation of the pure layers in a backend: memory, threads, interrupts.
 *
 *		hx_computation_start(&computation);
 *		PG_TRY();
 *			... computation.compute ...
 *		PG_FINALLY();
 *			hx_computation_end(&computation);
 *		PG_END_TRY();
 *
 * It takes maintenance_work_mem at most, beside what the caller has: more is
 * ERRCODE_PROGRAM_LIMIT_EXCEEDED.
 */
#ifndef HX_ENCODE_COMPUTATION_H
#define HX_ENCODE_COMPUTATION_H

#include "hashidx.h"

#include "math/compute.h"

typedef struct Computation
{
	MemoryContext context;		/* all memory of the computation, under the caller's context */
	Size		used;			/* bytes of it */
	HxCompute	compute;
} Computation;

/*
 * Begins, with hashidx.build_threads threads; it reports its progress (encode/progress.h).
 * The computation must stay where it is until the end.
 */
extern void hx_computation_start(Computation *computation);

/* Ends the threads and frees the memory. */
extern void hx_computation_end(Computation *computation);

#endif							/* HX_ENCODE_COMPUTATION_H */
