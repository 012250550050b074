/*
 * test_team.c
 *	  The team of threads: that all work is done once, signals stay with the main
 *	  thread, and no thread is left. Built without OpenMP, the same with one thread.
 */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

#include "math/team.h"

/* Threads at the start of the program: one, or more under an emulator. */
static int	own_threads;

/* Threads of this process, as the system counts them; 0 where it cannot tell. */
static int
system_threads(void)
{
	DIR		   *tasks = opendir("/proc/self/task");
	int			count = 0;

	if (tasks == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(tasks)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(tasks);
	return count;
}

/* Threads besides those of the start, after giving those told to end a second to do so. */
static int
threads_left(void)
{
	for (int wait = 0; wait < 1000 && system_threads() > own_threads; wait++)
		usleep(1000);
	return system_threads() - own_threads;
}

/* What a run did: how often each item was worked on. */
typedef struct Tally
{
	unsigned char visits[5000];
	int			checks;
	int			checks_elsewhere;
	pthread_t	main_thread;
} Tally;

static void
visit(void *context, size_t begin, size_t end)
{
	Tally	   *tally = context;

	for (size_t i = begin; i < end; i++)
		tally->visits[i]++;
}

static void
count_check(void *context)
{
	Tally	   *tally = context;

	tally->checks++;
	tally->checks_elsewhere += !pthread_equal(pthread_self(), tally->main_thread);
}

static void
check_coverage(int threads, size_t items, size_t slice)
{
	static Tally tally;
	bool		once = true;

	memset(&tally, 0, sizeof(tally));
	tally.main_thread = pthread_self();
	hx_team_run(visit, &tally, items, slice, count_check, &tally);
	for (size_t i = 0; i < sizeof(tally.visits); i++)
		once = once && tally.visits[i] == (i < items);
	CHECK(once, "%d threads, %zu items, slices of %zu", threads, items, slice);
	CHECK(tally.checks_elsewhere == 0, "check ran in another thread");
	CHECK((tally.checks > 0) == (items > 0), "%d checks", tally.checks);
	if (slice > 0)
		CHECK((size_t) tally.checks * slice * (size_t) hx_team_threads() >= items,
			  "%d threads, %zu items, slices of %zu: only %d checks",
			  threads, items, slice, tally.checks);
}

static void
every_item_once(void)
{
	static const size_t items[] = {0, 1, 2, 3, 7, 64, 1000, 4999, 5000};
	static const size_t slices[] = {0, 1, 2, 3, 10, 999, 5000, 1000000, SIZE_MAX};

	for (int threads = 0; threads <= 5; threads++)
	{
		hx_team_start(threads);
		for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
			for (size_t s = 0; s < sizeof(slices) / sizeof(slices[0]); s++)
				check_coverage(threads, items[i], slices[s]);
		hx_team_end();
	}
}

static void
note_slice(void *context, size_t begin, size_t end)
{
	Tally	   *tally = context;

	/* One item of the tally for each of these; no two threads share one. */
	tally->visits[begin] = (unsigned char) (end - begin);
}

static void
slices_bounded(void)
{
	static Tally tally;
	unsigned	largest = 0;

	hx_team_start(3);
	memset(&tally, 0, sizeof(tally));
	hx_team_run(note_slice, &tally, 5000, 17, NULL, NULL);
	hx_team_end();
	for (size_t i = 0; i < 5000; i++)
		largest = tally.visits[i] > largest ? tally.visits[i] : largest;
	CHECK(largest == 17, "%u", largest);
}

static void
thread_counts(void)
{
#ifdef _OPENMP
	const int	three = 3;
	const int	most = HX_TEAM_MAX_THREADS;
#else
	const int	three = 1;
	const int	most = 1;
#endif

	CHECK(hx_team_threads() == 1, "before any start");
	hx_team_start(3);
	CHECK(hx_team_threads() == three, "%d", hx_team_threads());
	hx_team_end();
	CHECK(hx_team_threads() == 1, "after the end");
	hx_team_start(-5);
	CHECK(hx_team_threads() == 1, "of -5");
	hx_team_end();
	hx_team_start(1000);
	CHECK(hx_team_threads() == most, "of 1000: %d", hx_team_threads());
	hx_team_end();
}

/* Signal masks of the threads, each at the place of an item. */
typedef struct Masks
{
	sigset_t	mask[3];
	pthread_t	thread[3];
} Masks;

static void
read_mask(void *context, size_t begin, size_t end)
{
	Masks	   *masks = context;

	for (size_t i = begin; i < end; i++)
	{
		pthread_sigmask(SIG_BLOCK, NULL, &masks->mask[i]);
		masks->thread[i] = pthread_self();
	}
}

/* In the workers every signal that can be blocked is; in the main thread nothing changed. */
static void
signals_blocked(void)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGHUP, SIGQUIT, SIGCHLD, SIGURG,
	};
	Masks		masks;
	sigset_t	before;
	int			workers = 0;

	pthread_sigmask(SIG_BLOCK, NULL, &before);
	hx_team_start(3);
	/* Long after the start: the masks must last. */
	for (int round = 0; round < 3; round++)
		hx_team_run(read_mask, &masks, 3, 1, NULL, NULL);
	for (int i = 0; i < 3; i++)
	{
		bool		worker = !pthread_equal(masks.thread[i], pthread_self());

		workers += worker;
		for (size_t s = 0; s < sizeof(signals) / sizeof(signals[0]); s++)
			CHECK(sigismember(&masks.mask[i], signals[s]) ==
				  (worker || sigismember(&before, signals[s])),
				  "thread %d, signal %d", i, signals[s]);
	}
	CHECK(workers == hx_team_threads() - 1, "%d workers", workers);
	hx_team_end();
}

static void
no_thread_left(void)
{
	for (int round = 0; round < 5; round++)
	{
		static Tally tally;

		CHECK(threads_left() == 0, "%d threads before", threads_left());
		hx_team_start(4);
		hx_team_run(visit, &tally, 1000, 10, NULL, NULL);
		if (own_threads > 0)
			CHECK(system_threads() == own_threads + hx_team_threads() - 1,
				  "%d threads within", system_threads());
		hx_team_end();
		CHECK(threads_left() == 0, "%d threads after", threads_left());
	}
}

static void
ends_and_starts(void)
{
	hx_team_end();
	hx_team_end();
	hx_team_start(2);
	hx_team_start(3);
	check_coverage(3, 100, 7);
	hx_team_start(2);
	check_coverage(2, 100, 7);
	hx_team_end();
	hx_team_end();
	CHECK(hx_team_threads() == 1 && threads_left() == 0, "%d threads after", threads_left());
	check_coverage(1, 100, 7);
}

static jmp_buf escape;

static void
jump_out(void *context)
{
	Tally	   *tally = context;

	if (++tally->checks == 2)
		longjmp(escape, 1);
}

/* Starts a team, and has its second check leave as an error does. */
static void
leave_once(void)
{
	static Tally tally;
	static bool left;

	memset(&tally, 0, sizeof(tally));
	left = false;
	hx_team_start(3);
	if (setjmp(escape) == 0)
		hx_team_run(visit, &tally, 5000, 10, jump_out, &tally);
	else
		left = true;
	hx_team_end();
	CHECK(left && tally.checks == 2, "%d checks", tally.checks);
	CHECK(threads_left() == 0, "%d threads", threads_left());
}

/* After that the team can be ended and started again. */
static void
check_leaves(void)
{
	for (int round = 0; round < 3; round++)
		leave_once();
	hx_team_start(3);
	check_coverage(3, 1000, 10);
	hx_team_end();
}

int
main(void)
{
	own_threads = system_threads();
	/* First, while no team can have changed the mask. */
	RUN(signals_blocked);
	RUN(thread_counts);
	RUN(every_item_once);
	RUN(slices_bounded);
	RUN(no_thread_left);
	RUN(ends_and_starts);
	RUN(check_leaves);
	return unit_summary();
}
