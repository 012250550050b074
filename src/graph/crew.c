/*
 * crew.c
 *	  Items of very different cost on the thread team.
 *
 * A round ends by the clock, because the cost of an item is unknown: a search may take ten
 * microseconds or ten milliseconds. The clock decides only where rounds end, not what is
 * computed.
 */
#include "graph/crew.h"

#include <stdint.h>
#include <time.h>

#define ROUND_NANOSECONDS INT64_C(30000000)

typedef struct Round
{
	HxCrewWork	work;
	void	   *context;
	size_t		items;
	size_t		next;			/* changed atomically */
	int64_t		end;			/* when workers take no more items */
} Round;

static int64_t
nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* HxTeamWork over workers: items until there are none, or the round ends. */
static void
work_round(void *context, size_t begin, size_t end)
{
	Round	   *round = context;

	for (size_t worker = begin; worker < end; worker++)
	{
		do
		{
			const size_t item = __atomic_fetch_add(&round->next, 1, __ATOMIC_RELAXED);

			if (item >= round->items)
				break;
			round->work(round->context, (unsigned) worker, item);
		} while (nanoseconds() < round->end);
	}
}

void
hx_crew_run(HxCompute *compute, HxCrewWork work, void *context, size_t items,
			HxCrewProgress progress, void *progress_context)
{
	Round		round = {.work = work,.context = context,.items = items};
	const size_t threads = (size_t) hx_team_threads();

	while (round.next < items)
	{
		round.end = nanoseconds() + ROUND_NANOSECONDS;
		hx_team_run(work_round, &round, threads, 1, NULL, NULL);
		hx_compute_check(compute);
		if (progress != NULL)
			progress(progress_context, round.next < items ? round.next : items);
	}
}
