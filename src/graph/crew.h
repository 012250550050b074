/*
 * crew.h
 *	  The thread team on items of very different cost: each thread is a worker with its own
 *	  scratch, and takes the next item when it has finished one.
 */
#ifndef HX_GRAPH_CREW_H
#define HX_GRAPH_CREW_H

#include "math/compute.h"

/* Works on one item as worker number `worker`; the rules of HxTeamWork hold. */
typedef void (*HxCrewWork) (void *context, unsigned worker, size_t item);

/* Tells how many items are done, in the calling thread between rounds. */
typedef void (*HxCrewProgress) (void *context, size_t done);

/*
 * Works on items 0 .. items - 1. Workers are numbered from 0 to hx_team_threads() - 1.
 * Which worker gets an item is chance: the result must not depend on it. The
 * computation's check runs every 30 ms, and progress with it (unless NULL).
 */
extern void hx_crew_run(HxCompute *compute, HxCrewWork work, void *context, size_t items,
						HxCrewProgress progress, void *progress_context);

#endif							/* HX_GRAPH_CREW_H */
