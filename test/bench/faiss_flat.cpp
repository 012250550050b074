/*
 * faiss_flat.cpp
 *	  Measures faiss's IndexBinaryFlat in this process, on one thread, one
 *	  query a call: what exact search costs without a database around it.
 *
 * Usage: faiss_flat [options of measure.c]. Prints a JSON object on one line.
 */
#include "measure.h"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <getopt.h>
#include <omp.h>
#include <time.h>

#include <vector>

struct Flat
{
	const Task &task;
	faiss::IndexBinaryFlat index;
	std::vector<int32_t> distances;
	std::vector<int64_t> labels;

	explicit Flat(const Task &task)
		: task(task), index(task.base.width), distances(task.k), labels(task.k)
	{
		index.add(task.base.count, task.base.data);
	}
};

static void
ask(void *state, size_t query, Answer *answer)
{
	Flat	   &flat = *static_cast<Flat *>(state);
	const uint8_t *code = rows_at(&flat.task.queries, query);

	if (flat.task.k > 0)
	{
		flat.index.search(1, code, flat.task.k, flat.distances.data(), flat.labels.data());
		for (int64_t label : flat.labels)
			answer_add(answer, static_cast<int32_t>(label) + 1);
		return;
	}

	faiss::RangeSearchResult result(1);

	/* Its range is open: distances below the radius. */
	flat.index.range_search(1, code, static_cast<int>(flat.task.radius) + 1, &result);
	for (size_t i = 0; i < result.lims[1]; i++)
		answer_add(answer, static_cast<int32_t>(result.labels[i]) + 1);
}

static double
own_cpu_seconds(void *)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

int
main(int argc, char **argv)
{
	Task		task = task_new();
	int			option;

	while ((option = getopt(argc, argv, TASK_OPTIONS)) != -1)
		task_option(&task, option, optarg);
	if (task.queries.count == 0 || task.base.kind != ROWS_CODES || task.base.count == 0)
		die("-q and -b are needed, and they must be codes");

	omp_set_num_threads(1);

	Flat		flat(task);
	Subject		subject = {&flat, ask, own_cpu_seconds};

	printf("{");
	measure(&task, &subject);
	printf("}\n");
	return 0;
}
