/*
 * hnswlib_graph.cpp
 *	  Measures hnswlib in this process, one query a call on one thread: what a graph costs
 *	  without a database around it.
 *
 * Usage: hnswlib_graph -e EF,EF,... -r RUNS [options of measure.c]. Builds with M = 16,
 * ef_construction = 200 and as many threads as there are cores. Prints a JSON object: the
 * seconds of the build, and for each ef the runs' figures.
 */
#include "measure.h"

#include <hnswlib/hnswlib.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <getopt.h>
#include <memory>
#include <string>
#include <thread>
#include <time.h>
#include <vector>

struct Graph
{
	const Task &task;
	hnswlib::L2Space space;
	hnswlib::HierarchicalNSW<float> index;

	explicit Graph(const Task &task)
		: task(task), space(task.base.width), index(&space, task.base.count, 16, 200)
	{
	}
};

static double
now()
{
	using namespace std::chrono;

	return duration<double>(steady_clock::now().time_since_epoch()).count();
}

/* Threads take rows in turn, so that none waits at the end. */
static void
build(Graph &graph)
{
	std::atomic<size_t> next{0};
	std::vector<std::thread> threads;

	for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); i++)
		threads.emplace_back([&]
							 {
								 for (size_t row; (row = next++) < graph.task.base.count;)
									 graph.index.addPoint(rows_at(&graph.task.base, row), row);
							 });
	for (std::thread &thread : threads)
		thread.join();
}

static void
ask(void *state, size_t query, Answer *answer)
{
	Graph	   &graph = *static_cast<Graph *>(state);
	auto		found = graph.index.searchKnn(rows_at(&graph.task.queries, query), graph.task.k);

	for (; !found.empty(); found.pop())
		answer_add(answer, static_cast<int32_t>(found.top().second) + 1);
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
	std::string efforts;
	int			runs = 1;
	int			option;

	while ((option = getopt(argc, argv, "e:r:" TASK_OPTIONS)) != -1)
	{
		if (option == 'e')
			efforts = optarg;
		else if (option == 'r')
			runs = atoi(optarg);
		else
			task_option(&task, option, optarg);
	}
	if (task.queries.count == 0 || task.base.kind != ROWS_FLOATS || task.base.count == 0)
		die("-q and -b are needed, and they must be vectors");

	auto		graph = std::make_unique<Graph>(task);
	double		start = now();

	build(*graph);
	printf("{\"build_seconds\": %.6g, \"points\": [", now() - start);

	Subject		subject = {graph.get(), ask, own_cpu_seconds};
	char	   *rest = &efforts[0];

	for (char *ef = strtok_r(rest, ",", &rest); ef != nullptr; ef = strtok_r(nullptr, ",", &rest))
	{
		printf("%s[", ef == &efforts[0] ? "" : ", ");
		graph->index.setEf(static_cast<size_t>(atoi(ef)));
		for (int run = 0; run < runs; run++)
		{
			printf("%s{", run == 0 ? "" : ", ");
			measure(&task, &subject);
			printf("}");
		}
		printf("]");
	}
	printf("]}\n");
	return 0;
}
