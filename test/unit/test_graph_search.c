/*
 * test_graph_search.c
 *	  Best-first search: what it expands, in which order, and that widening a beam is the
 *	  same as beginning with the wider one. Graphs are random, estimates arbitrary.
 */
#include "numeric.h"

#include <math.h>
#include <stdlib.h>

#include "graph/search.h"

#define NODES 2000
#define LINKS 12

/* A random graph; the estimate of a node differs from parent to parent. */
typedef struct Maze
{
	HxNode		links[NODES][LINKS];
	float		estimate[NODES][LINKS];
	HxNode		gone;			/* there is no such node */
	HxNode		order[NODES];	/* nodes in order of expansion */
	size_t		expanded;
} Maze;

static Maze maze;

static void
make_maze(unsigned levels)
{
	for (unsigned i = 0; i < NODES; i++)
		for (unsigned l = 0; l < LINKS; l++)
		{
			maze.links[i][l] = unit_below(NODES);
			maze.estimate[i][l] = levels == 0 ? (float) unit_uniform() : (float) unit_below(levels);
		}
	maze.gone = HX_NODE_NONE;
}

static bool
expand(void *context, HxNode node, HxExpansion *expansion)
{
	CHECK(context == &maze && node < NODES, "node %u", node);
	if (maze.expanded < NODES)
		maze.order[maze.expanded++] = node;
	if (node == maze.gone)
		return false;
	expansion->distance = 0;
	expansion->count = LINKS;
	memcpy(expansion->node, maze.links[node], sizeof(maze.links[node]));
	memcpy(expansion->estimate, maze.estimate[node], sizeof(maze.estimate[node]));
	return true;
}

static void
begin(HxSearch *search, unsigned seeds)
{
	maze.expanded = 0;
	hx_search_begin(search, expand, &maze);
	for (unsigned i = 0; i < seeds; i++)
		hx_search_seed(search, i * 7 % NODES, (float) i / (float) seeds);
}

static int
compare_candidates(const void *a, const void *b)
{
	const float x = ((const HxCandidate *) a)->distance;
	const float y = ((const HxCandidate *) b)->distance;

	return (x > y) - (x < y);
}

/*
 * By definition, with all candidates in one list: expand the nearest that is not expanded
 * while it is among the best `effort`. The horizon is the last of those.
 */
static size_t
naive_search(unsigned seeds, size_t effort, HxNode *order, float *horizon)
{
	static HxCandidate all[NODES * LINKS + NODES];
	static bool done[NODES * LINKS + NODES];
	static bool visited[NODES];
	size_t		count = 0;
	size_t		visits = 0;

	memset(visited, 0, sizeof(visited));
	for (unsigned i = 0; i < seeds; i++)
	{
		done[count] = false;
		all[count++] = (HxCandidate) {(float) i / (float) seeds, i * 7 % NODES};
	}
	for (;;)
	{
		size_t		best = count;
		size_t		before = 0;

		for (size_t i = 0; i < count; i++)
			if (!done[i] && (best == count || all[i].distance < all[best].distance))
				best = i;
		if (best == count)
			break;
		for (size_t i = 0; i < count; i++)
			before += all[i].distance < all[best].distance;
		if (before >= effort)
			break;
		done[best] = true;
		if (visited[all[best].node])
			continue;
		visited[all[best].node] = true;
		order[visits++] = all[best].node;
		if (all[best].node == maze.gone)
			continue;
		for (unsigned l = 0; l < LINKS; l++)
		{
			const HxNode to = maze.links[all[best].node][l];

			if (visited[to])
				continue;
			done[count] = false;
			all[count++] = (HxCandidate) {maze.estimate[all[best].node][l], to};
		}
	}
	qsort(all, count, sizeof(HxCandidate), compare_candidates);
	*horizon = effort <= count ? all[effort - 1].distance : INFINITY;
	return visits;
}

static void
check_order(const HxSearch *search, unsigned seeds, size_t effort, const char *what)
{
	static HxNode order[NODES];
	float		horizon;
	const size_t visits = naive_search(seeds, effort, order, &horizon);

	CHECK(hx_search_visits(search) == visits && maze.expanded == visits,
		  "%s, effort %zu: %zu visits instead of %zu", what, effort, hx_search_visits(search),
		  visits);
	CHECK(memcmp(order, maze.order, visits * sizeof(HxNode)) == 0, "%s, effort %zu: another order",
		  what, effort);
	CHECK(hx_search_horizon(search) == horizon, "%s, effort %zu: sees as far as %g instead of %g",
		  what, effort, hx_search_horizon(search), horizon);
	for (size_t i = 0; i < visits; i++)
		CHECK(hx_search_visited(search, order[i]), "node %u was visited", order[i]);
}

/* At once, and widened step by step; one search object for all. */
static void
as_defined(void)
{
	static const size_t efforts[] = {1, 2, 10, 63, 64, 65, 100, 300, 1000, 5000};
	HxSearch   *search = hx_search_new((HxMemory) {numeric_allocate, NULL});

	for (int round = 0; round < 4; round++)
	{
		make_maze(0);
		maze.gone = round == 3 ? 7 : HX_NODE_NONE;
		for (size_t e = 0; e < sizeof(efforts) / sizeof(efforts[0]); e++)
		{
			begin(search, 50);
			hx_search_run(search, efforts[e]);
			check_order(search, 50, efforts[e], "at once");
		}
		begin(search, 50);
		for (size_t e = 0; e < sizeof(efforts) / sizeof(efforts[0]); e++)
		{
			hx_search_run(search, efforts[e]);
			check_order(search, 50, efforts[e], "widened");
		}
		/* A smaller effort is content with what has been done. */
		hx_search_run(search, 3);
		check_order(search, 50, 5000, "narrower");
	}
	numeric_free();
}

/* More seeds than the first beam and the first room for others have places. */
static void
many_seeds(void)
{
	HxSearch   *search = hx_search_new((HxMemory) {numeric_allocate, NULL});

	make_maze(0);
	begin(search, 1900);
	hx_search_run(search, 20);
	check_order(search, 1900, 20, "many seeds");
	hx_search_run(search, 1500);
	check_order(search, 1900, 1500, "many seeds");
	numeric_free();
}

/* Without seeds, with a node without neighbours, and to the end of a graph in one piece. */
static void
ends(void)
{
	HxSearch   *search = hx_search_new((HxMemory) {numeric_allocate, NULL});
	size_t		reached = 1;

	make_maze(0);
	begin(search, 0);
	CHECK(hx_search_exhausted(search), "no seeds");
	hx_search_run(search, 10);
	CHECK(hx_search_visits(search) == 0 && hx_search_exhausted(search), "no seeds");

	maze.gone = 0;
	begin(search, 1);
	CHECK(!hx_search_exhausted(search), "one seed");
	hx_search_run(search, 1);
	CHECK(hx_search_visits(search) == 1 && hx_search_exhausted(search), "one seed that is gone");
	CHECK(hx_search_visited(search, 0) && !hx_search_visited(search, 1), "visited");

	maze.gone = HX_NODE_NONE;
	begin(search, 1);
	hx_search_run(search, 1);
	CHECK(!hx_search_exhausted(search), "neighbours are left");
	hx_search_run(search, (size_t) NODES * LINKS);
	CHECK(hx_search_exhausted(search), "nothing is left");
	for (HxNode node = 0; node < NODES; node++)
	{
		if (!hx_search_visited(search, node))
			continue;
		for (unsigned l = 0; l < LINKS; l++)
			CHECK(hx_search_visited(search, maze.links[node][l]), "%u was left out",
				  maze.links[node][l]);
		reached++;
	}
	CHECK(reached > NODES / 2, "%zu nodes", reached);
	numeric_free();
}

/* Equal estimates: all that are as near as the last one allowed may be expanded, none farther. */
static void
ties(void)
{
	HxSearch   *search = hx_search_new((HxMemory) {numeric_allocate, NULL});

	make_maze(3);
	begin(search, 1);
	hx_search_run(search, 200);
	CHECK(hx_search_visits(search) > 0 && hx_search_visits(search) <= 200, "%zu visits",
		  hx_search_visits(search));
	hx_search_run(search, (size_t) NODES * LINKS);
	CHECK(hx_search_exhausted(search), "ties stay");
	numeric_free();
}

/* Once warm, a query takes no more memory. */
static void
no_more_memory(void)
{
	HxSearch   *search = hx_search_new((HxMemory) {numeric_allocate, NULL});
	size_t		bytes = 0;

	make_maze(0);
	for (int query = 0; query < 50; query++)
	{
		begin(search, 100);
		hx_search_run(search, 30);
		hx_search_run(search, 400);
		if (query == 0)
			bytes = numeric_bytes;
		CHECK(numeric_bytes == bytes, "query %d allocates", query);
	}
	numeric_free();
}

int
main(void)
{
	RUN(as_defined);
	RUN(many_seeds);
	RUN(ends);
	RUN(ties);
	RUN(no_more_memory);
	return unit_summary();
}
