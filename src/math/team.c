/*
 * team.c
 *	  The team of threads: the only file that knows OpenMP.
 *
 * Invariants: no thread of ours exists outside hx_team_start .. hx_team_end; all
 * of them have every signal blocked, so that the server's handlers run in the
 * main thread only; a region never uses more threads than the pool was made
 * with, since OpenMP would make the missing ones with signals open.
 */
#include "math/team.h"

/* Ending a pool needs omp_pause_resource_all, which gcc has from version 9 on. */
#if defined(_OPENMP) && (defined(__clang__) || __GNUC__ >= 9)
#define HX_OPENMP
#include <omp.h>
#include <signal.h>
#endif

static int	team_threads = 1;

#ifdef HX_OPENMP

/* Makes the pool of threads, by a region of exactly that many that only counts them. */
static int
create_pool(int threads)
{
	int			created = 1;

#pragma omp parallel num_threads(threads) shared(created)
	{
#pragma omp single
		created = omp_get_num_threads();
	}
	return created;
}

void
hx_team_start(int threads)
{
	sigset_t	all;
	sigset_t	before;

	hx_team_end();
	if (threads > HX_TEAM_MAX_THREADS)
		threads = HX_TEAM_MAX_THREADS;
	if (threads <= 1)
		return;

	/* A new thread inherits the mask of its maker, and keeps it. */
	omp_set_dynamic(0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	team_threads = create_pool(threads);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
hx_team_end(void)
{
	if (team_threads > 1)
		omp_pause_resource_all(omp_pause_hard);
	team_threads = 1;
}

/* Works on [begin, end), a slice for each thread. */
static void
run_round(HxTeamWork work, void *context, size_t begin, size_t end, size_t slice)
{
	/* Without a team, OpenMP is not touched at all. */
	if (team_threads == 1)
	{
		work(context, begin, end);
		return;
	}

#pragma omp parallel num_threads(team_threads)
	{
		/* The stride matters only if OpenMP ever gave fewer threads than the pool has. */
		const size_t stride = (size_t) omp_get_num_threads() * slice;

		for (size_t at = begin + (size_t) omp_get_thread_num() * slice; at < end; at += stride)
			work(context, at, end - at < slice ? end : at + slice);
	}
}

#else

void
hx_team_start(int threads)
{
	(void) threads;
}

void
hx_team_end(void)
{
}

static void
run_round(HxTeamWork work, void *context, size_t begin, size_t end, size_t slice)
{
	(void) slice;
	work(context, begin, end);
}

#endif

int
hx_team_threads(void)
{
	return team_threads;
}

void
hx_team_run(HxTeamWork work, void *context, size_t items, size_t slice,
			HxTeamCheck check, void *check_context)
{
	const size_t threads = (size_t) team_threads;
	size_t		begin = 0;

	if (slice == 0)
		slice = 1;
	/* More than an equal share of a slice would leave threads idle. */
	if (slice > items / threads)
		slice = items / threads + 1;

	while (begin < items)
	{
		const size_t end = items - begin < threads * slice ? items : begin + threads * slice;

		run_round(work, context, begin, end, slice);
		begin = end;
		if (check != NULL)
			check(check_context);
	}
}
