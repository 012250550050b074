/*
 * team.h
 *	  The team of threads: the only file that knows OpenMP.
 *
 * A team works on plain arrays in chunks; between chunks the caller's check
 * runs in the calling thread alone (interrupts, progress). Without OpenMP, or
 * with one thread, everything runs in the caller. See README for the rules.
 */
#ifndef HX_TEAM_H
#define HX_TEAM_H

#include <stdbool.h>
#include <stddef.h>

/* Works on items [begin, end); must not fail, allocate from the server or touch shared state. */
typedef void (*HxTeamWork) (void *context, size_t begin, size_t end);

/* Runs between chunks in the calling thread, no other thread active; may longjmp out. */
typedef void (*HxTeamCheck) (void *context);

/*
 * Starts a team of `threads` threads (1 .. HX_TEAM_MAX_THREADS) with all signals
 * blocked in the workers; ends it and lets its threads exit. Ending twice, or
 * without a start, does nothing, so that it can stand in PG_FINALLY.
 */
#define HX_TEAM_MAX_THREADS 64
extern void hx_team_start(int threads);
extern void hx_team_end(void);

/* Threads of the current team; 1 when there is none or no OpenMP. */
extern int	hx_team_threads(void);

/*
 * Runs work over [0, items) in slices of at most `slice` items spread over the
 * team. After each round of one slice a thread, check(context) runs if not NULL.
 */
extern void hx_team_run(HxTeamWork work, void *context, size_t items, size_t slice,
						HxTeamCheck check, void *check_context);

#endif							/* HX_TEAM_H */
