/*
 * measure.h
 *	  Measures anything that answers queries with row ids: a warm-up, a run over
 *	  the queries, recall against true answers, one result line.
 *
 * The server's client and the in-process libraries both come through here, so
 * that their figures mean the same.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "rows.h"

#ifdef __cplusplus
extern "C"
{
#endif

/* The ids that answered a query, in the order they came. */
typedef struct Answer
{
	int32_t    *ids;
	size_t		count;
	size_t		room;
} Answer;

extern void answer_add(Answer *answer, int32_t id);

/* What is measured. */
typedef struct Subject
{
	void	   *state;

	/* Appends the ids that answer query number `query`. */
	void		(*ask) (void *state, size_t query, Answer *answer);

	/* Seconds of CPU the answering process has used, or -1 if unknown. */
	double		(*cpu_seconds) (void *state);
} Subject;

/* What it is asked. Parsed from the command line by task_option. */
typedef struct Task
{
	Rows		queries;
	Rows		base;			/* all the rows; none: recall is not judged */
	Rows		truth;			/* nearest: the k smallest distances; range: the number within */
	int			k;				/* nearest neighbours asked for, or 0: a range */
	double		radius;			/* of the range */
	double		seconds;		/* the run should not take longer; then it has fewer queries */
} Task;

/* The options of every measuring program, for getopt: see measure.c. */
#define TASK_OPTIONS "q:b:t:k:w:s:"

extern Task task_new(void);
extern void task_option(Task *task, int option, const char *value);

/*
 * Measures and prints the members of a JSON object, without the braces, so that
 * the caller can add its own.
 */
extern void measure(const Task *task, const Subject *subject);

#ifdef __cplusplus
}
#endif

#endif							/* BENCH_MEASURE_H */
