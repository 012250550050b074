/*
 * measure.c
 *	  The measuring itself: see measure.h.
 *
 * Options: -q queries, -b base rows, -t truth (files of rows), -k neighbours or
 * -w radius, -s most seconds.
 */
#include "measure.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEAST_QUERIES 10		/* however slow they are */

/* What the run gave. */
typedef struct Sample
{
	double		seconds;
	double		cpu;			/* seconds, or < 0 */
	double	   *latencies;		/* of each query, seconds */
	Answer	   *answers;		/* to each query */
} Sample;

typedef struct Score
{
	double		recall;			/* mean over the queries */
	double		rows;			/* answered, mean */
	size_t		wrong;			/* rows that a range should not have returned, duplicates */
} Score;

void
answer_add(Answer *answer, int32_t id)
{
	if (answer->count == answer->room)
	{
		answer->room = answer->room == 0 ? 256 : 2 * answer->room;
		answer->ids = (int32_t *) realloc(answer->ids, answer->room * sizeof(int32_t));
		if (answer->ids == NULL)
			die("no memory for %zu ids", answer->room);
	}
	answer->ids[answer->count++] = id;
}

Task
task_new(void)
{
	return (Task) {
		.seconds = 5
	};
}

void
task_option(Task *task, int option, const char *value)
{
	switch (option)
	{
		case 'q':
			task->queries = rows_read(value);
			break;
		case 'b':
			task->base = rows_read(value);
			break;
		case 't':
			task->truth = rows_read(value);
			break;
		case 'k':
			task->k = atoi(value);
			break;
		case 'w':
			task->radius = atof(value);
			break;
		case 's':
			task->seconds = atof(value);
			break;
		default:
			die("usage: see the heads of measure.c and of this program");
	}
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

/*
 * Warms up and says how many queries the run can have. All queries are asked that the time is
 * enough for: a connection sees each page of shared memory for the first time once, and that takes
 * longer than reading it.
 */
static size_t
plan_run(const Task *task, const Subject *subject)
{
	size_t		most = task->queries.count;
	size_t		done = 0;
	double		start = now();
	double		spent = 0;
	Answer		answer = {0};

	while (done < most && (done < LEAST_QUERIES || spent < task->seconds / 4))
	{
		answer.count = 0;
		subject->ask(subject->state, done++, &answer);
		spent = now() - start;
	}
	free(answer.ids);

	double		affordable = task->seconds / (spent / (double) done);

	if (affordable >= (double) most)
		return most;
	if (affordable < LEAST_QUERIES)
		return most < LEAST_QUERIES ? most : LEAST_QUERIES;
	return (size_t) affordable;
}

static Sample
run(const Subject *subject, size_t queries)
{
	Sample		sample = {
		.latencies = (double *) calloc(queries, sizeof(double)),
		.answers = (Answer *) calloc(queries, sizeof(Answer)),
	};
	double		cpu = subject->cpu_seconds(subject->state);
	double		start = now();
	double		last = start;

	for (size_t q = 0; q < queries; q++)
	{
		subject->ask(subject->state, q, &sample.answers[q]);

		double		t = now();

		sample.latencies[q] = t - last;
		last = t;
	}
	sample.seconds = last - start;
	sample.cpu = cpu < 0 ? cpu : subject->cpu_seconds(subject->state) - cpu;
	return sample;
}

static int
compare_ids(const void *a, const void *b)
{
	int32_t		x = *(const int32_t *) a;
	int32_t		y = *(const int32_t *) b;

	return (x > y) - (x < y);
}

/*
 * Distances decide, not ids: every row as near as the k-th true neighbour
 * counts, so that ties may be broken in any way. The distances of the answers
 * are computed here, from the rows that the ids stand for.
 */
static void
judge(const Task *task, size_t query, Answer *answer, Score *score)
{
	const float *truth = (const float *) rows_at(&task->truth, query);
	double		reach = task->k > 0 ? truth[task->k - 1] * (1 + 1e-6) : task->radius;
	double		expected = task->k > 0 ? task->k : truth[0];
	size_t		right = 0;

	qsort(answer->ids, answer->count, sizeof(int32_t), compare_ids);
	for (size_t i = 0; i < answer->count; i++)
	{
		int32_t		id = answer->ids[i];

		if (id < 1 || (size_t) id > task->base.count)
			die("query %zu was answered with the row %d, which does not exist", query, id);
		if ((i == 0 || id != answer->ids[i - 1]) &&
			rows_distance(&task->base, (size_t) id - 1, &task->queries, query) <= reach)
			right++;
	}
	if (task->k == 0)
		score->wrong += answer->count - right;
	else if (right > (size_t) task->k)
		right = (size_t) task->k;
	score->recall += expected == 0 ? 1 : (double) right / expected;
	score->rows += (double) answer->count;
}

static Score
judge_all(const Task *task, Answer *answers, size_t queries)
{
	Score		score = {0};

	if (task->truth.count < queries || task->truth.width < (uint32_t) task->k)
		die("the file of true answers is too small");
	for (size_t q = 0; q < queries; q++)
		judge(task, q, &answers[q], &score);
	score.recall /= (double) queries;
	score.rows /= (double) queries;
	return score;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Of sorted values: the smallest that the share p of them does not exceed. */
static double
percentile(const double *sorted, size_t count, double p)
{
	size_t		at = (size_t) (p * (double) count);

	return sorted[at < count ? at : count - 1];
}

void
measure(const Task *task, const Subject *subject)
{
	size_t		queries = plan_run(task, subject);
	Sample		sample = run(subject, queries);

	qsort(sample.latencies, queries, sizeof(double), compare_doubles);
	printf("\"queries\": %zu, \"qps\": %.6g", queries, (double) queries / sample.seconds);
	printf(", \"p50_ms\": %.6g, \"p95_ms\": %.6g, \"p99_ms\": %.6g",
		   1e3 * percentile(sample.latencies, queries, 0.50),
		   1e3 * percentile(sample.latencies, queries, 0.95),
		   1e3 * percentile(sample.latencies, queries, 0.99));
	if (sample.cpu >= 0)
		printf(", \"cpu_ms\": %.6g", 1e3 * sample.cpu / (double) queries);
	if (task->base.count > 0)
	{
		Score		score = judge_all(task, sample.answers, queries);

		printf(", \"recall\": %.5f, \"rows\": %.2f, \"wrong\": %zu",
			   score.recall, score.rows, score.wrong);
	}
	for (size_t q = 0; q < queries; q++)
		free(sample.answers[q].ids);
	free(sample.answers);
	free(sample.latencies);
}
