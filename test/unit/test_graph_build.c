/*
 * test_graph_build.c
 *	  The choice of links against its definition; whole graphs: well-formed, the same for any
 *	  number of threads, every node to be found, and good enough to find the nearest.
 */
#include "graphs.h"

#include "graph/links.h"

#define MAX_THREADS 4

/* Candidates around a point, sorted; the distances between them from their rows. */
typedef struct Candidates
{
	Cloud		cloud;
	HxCandidate nearest[300];
} Candidates;

static float
pair(void *context, unsigned a, unsigned b)
{
	const Candidates *c = context;

	return cloud_distance(&c->cloud, c->cloud.rows + c->nearest[a].node * c->cloud.d,
						  c->nearest[b].node);
}

/* Is `at` firm by definition, given which of those before are? */
static bool
naive_firm(Candidates *c, unsigned at, const bool *firm)
{
	for (unsigned i = 0; i < at; i++)
		if (firm[i] && pair(c, at, i) < c->nearest[at].distance)
			return false;
	return true;
}

static void
selection(void)
{
	for (unsigned count = 0; count <= 300; count += count < 5 ? 1 : 59)
		for (unsigned m = 1; m <= HX_GRAPH_MAX_LINKS; m += 9)
		{
			const float origin[4] = {0};
			Candidates	c = {.cloud = {count, 4, random_floats(count * 4)}};
			bool		firm[300];
			bool		taken[300] = {false};
			unsigned	chosen[HX_GRAPH_MAX_LINKS];
			unsigned	expected = count < m ? count : m;
			unsigned	firm_left = m;
			unsigned	got;

			cloud_nearest(&c.cloud, origin, count, c.nearest);
			for (unsigned i = 0; i < count; i++)
			{
				firm[i] = firm_left > 0 && naive_firm(&c, i, firm);
				firm_left -= firm[i];
			}
			got = hx_graph_select(c.nearest, count, m, pair, &c, chosen);
			CHECK(got == expected, "%u of %u: %u", m, count, got);
			for (unsigned i = 0; i < got; i++)
			{
				CHECK(chosen[i] < count && (i == 0 || chosen[i] > chosen[i - 1]), "not ascending");
				taken[chosen[i]] = true;
			}
			/* All firm ones; of the others the nearest, as many as fill the list. */
			for (unsigned i = 0, filling = firm_left; i < count; i++)
			{
				const bool wanted = firm[i] || filling > 0;

				filling -= !firm[i] && filling > 0;
				CHECK(taken[i] == wanted, "%u of %u: candidate %u", m, count, i);
			}
			free(c.cloud.rows);
		}
}

/* Offers in order of distance make the list that choosing at once makes. */
static void
offers(void)
{
	for (unsigned m = 1; m <= HX_GRAPH_MAX_LINKS; m++)
	{
		const float origin[6] = {0};
		Candidates	c = {.cloud = {100, 6, random_floats(100 * 6)}};
		HxLinks		links = {0};
		unsigned	chosen[HX_GRAPH_MAX_LINKS];
		uint64_t	firm;
		unsigned	count;

		cloud_nearest(&c.cloud, origin, 100, c.nearest);
		for (unsigned i = 0; i < 100; i++)
		{
			float		between[HX_GRAPH_MAX_LINKS] = {0};

			for (unsigned l = 0; l < links.count; l++)
				between[l] = cloud_distance(&c.cloud, c.cloud.rows + c.nearest[i].node * 6,
											links.link[l].node);
			hx_links_offer(&links, m, c.nearest[i], between);
			hx_links_offer(&links, m, c.nearest[i], between);
		}
		count = hx_links_select(c.nearest, 100, m, pair, &c, chosen, &firm);
		CHECK(links.count == count && links.firm == firm, "m %u", m);
		for (unsigned i = 0; i < count; i++)
			CHECK(links.link[i].node == c.nearest[chosen[i]].node, "m %u, link %u", m, i);
		free(c.cloud.rows);
	}
}

/* In any order: sorted, no node twice, and firm links stand in front of none of each other. */
static void
offers_shuffled(void)
{
	for (unsigned round = 0; round < 200; round++)
	{
		const float origin[6] = {0};
		const unsigned m = 1 + unit_below(HX_GRAPH_MAX_LINKS);
		Cloud		cloud = {150, 6, random_floats(150 * 6)};
		HxLinks		links = {0};

		for (HxNode node = 0; node < 150; node++)
		{
			float		between[HX_GRAPH_MAX_LINKS] = {0};

			for (unsigned l = 0; l < links.count; l++)
				between[l] = cloud_distance(&cloud, cloud.rows + node * 6, links.link[l].node);
			hx_links_offer(&links, m,
						   (HxCandidate) {cloud_distance(&cloud, origin, node), node}, between);
		}
		CHECK(links.count == m, "%u links of %u", links.count, m);
		CHECK(hx_links_is_firm(&links, 0), "the nearest is not firm");
		for (unsigned i = 1; i < links.count; i++)
		{
			CHECK(links.link[i - 1].distance < links.link[i].distance, "not ascending");
			for (unsigned j = 0; j < i; j++)
				CHECK(!hx_links_is_firm(&links, i) || !hx_links_is_firm(&links, j) ||
					  cloud_distance(&cloud, cloud.rows + links.link[i].node * 6,
									 links.link[j].node) >= links.link[i].distance,
					  "a firm link stands in front of another");
		}
		free(cloud.rows);
	}
}

/* Links are other nodes, ascending by distance, as many as there can be. */
static void
check_links(const Cloud *cloud, const HxNode *links, unsigned m, const char *what)
{
	for (size_t node = 0; node < cloud->count; node++)
	{
		float		last = -1;

		for (unsigned i = 0; i < m; i++)
		{
			const HxNode to = links[node * m + i];
			float		distance;

			CHECK((to == HX_NODE_NONE) == (i >= cloud->count - 1), "%s: node %zu of %zu, slot %u",
				  what, node, cloud->count, i);
			if (to == HX_NODE_NONE)
				continue;
			CHECK(to < cloud->count && to != node, "%s: %zu links to %u", what, node, to);
			distance = cloud_distance(cloud, cloud->rows + node * cloud->d, to);
			CHECK(distance >= last, "%s: links of %zu are not sorted", what, node);
			last = distance;
			for (unsigned j = 0; j < i; j++)
				CHECK(links[node * m + j] != to, "%s: %zu links twice to %u", what, node, to);
		}
	}
}

/* And all nodes can be reached, from any of them: the graph is in one piece. */
static void
check_graph(const Cloud *cloud, const HxNode *links, unsigned m, const char *what)
{
	bool	   *reached = unit_alloc(cloud->count);
	HxNode	   *queue = unit_alloc(cloud->count * sizeof(HxNode));
	size_t		queued = 0;

	check_links(cloud, links, m, what);
	memset(reached, 0, cloud->count);
	if (cloud->count > 0)
	{
		queue[queued++] = unit_below((unsigned) cloud->count);
		reached[queue[0]] = true;
	}
	for (size_t walked = 0; walked < queued; walked++)
		for (unsigned i = 0; i < m && links[queue[walked] * m + i] != HX_NODE_NONE; i++)
		{
			const HxNode to = links[queue[walked] * m + i];

			if (!reached[to])
				queue[queued++] = to;
			reached[to] = true;
		}
	CHECK(queued == cloud->count, "%s: %zu of %zu can be reached", what, queued, cloud->count);
	free(reached);
	free(queue);
}

static void
small_graphs(void)
{
	static const size_t counts[] = {0, 1, 2, 3, 7, 8, 9, 10, 33, 64, 65, 66, 300};

	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
		for (unsigned m = 8; m <= HX_GRAPH_MAX_LINKS; m *= 2)
		{
			Cloud		cloud = {counts[c], 5, random_floats(counts[c] * 5)};
			HxNode	   *links = cloud_build(&cloud, m, 100, 1, 1);

			check_graph(&cloud, links, m, "small");
			free(links);
			free(cloud.rows);
		}
}

/* All points equal, which the caller should have collapsed, and points on a line. */
static void
degenerate(void)
{
	Cloud		cloud = {500, 3, random_floats(1500)};
	HxNode	   *links;

	memset(cloud.rows, 0, 1500 * sizeof(float));
	links = cloud_build(&cloud, 8, 32, 1, 2);
	check_links(&cloud, links, 8, "equal");
	free(links);
	for (size_t i = 0; i < 500; i++)
		cloud.rows[i * 3] = (float) i;
	links = cloud_build(&cloud, 8, 32, 1, 2);
	check_graph(&cloud, links, 8, "line");
	free(links);
	free(cloud.rows);
}

static void
same_for_all_threads(void)
{
	Cloud		cloud = {4000, 8, random_floats(32000)};
	HxNode	   *one = cloud_build(&cloud, 16, 40, 7, 1);
	HxNode	   *other;

	check_graph(&cloud, one, 16, "4,000 points");
	for (int threads = 2; threads <= MAX_THREADS; threads++)
	{
		HxNode	   *links = cloud_build(&cloud, 16, 40, 7, threads);

		CHECK(memcmp(links, one, cloud.count * 16 * sizeof(HxNode)) == 0, "%d threads", threads);
		free(links);
	}
	other = cloud_build(&cloud, 16, 40, 8, 1);
	CHECK(memcmp(other, one, cloud.count * 16 * sizeof(HxNode)) != 0, "the seed does not matter");
	free(other);
	free(one);
	free(cloud.rows);
}

/* A search over the finished graph, with exact distances as estimates. */
typedef struct Walk
{
	const Cloud *cloud;
	const HxNode *links;
	unsigned	m;
	const float *query;
	HxCandidate best[10];
} Walk;

static bool
expand(void *context, HxNode node, HxExpansion *expansion)
{
	Walk	   *walk = context;
	unsigned	at;

	expansion->distance = cloud_distance(walk->cloud, walk->query, node);
	for (expansion->count = 0; expansion->count < walk->m; expansion->count++)
	{
		const HxNode to = walk->links[node * walk->m + expansion->count];

		expansion->node[expansion->count] = to;
		expansion->estimate[expansion->count] = cloud_distance(walk->cloud, walk->query, to);
	}
	if (expansion->distance >= walk->best[9].distance)
		return true;
	for (at = 9; at > 0 && walk->best[at - 1].distance > expansion->distance; at--)
		walk->best[at] = walk->best[at - 1];
	walk->best[at] = (HxCandidate) {expansion->distance, node};
	return true;
}

/* Share of the ten nearest found with the given effort, from one entry. */
static double
recall(const Cloud *cloud, const HxNode *links, unsigned m, size_t effort)
{
	HxSearch   *search = hx_search_new((HxMemory) {numeric_allocate, NULL});
	unsigned	hits = 0;

	for (int q = 0; q < 100; q++)
	{
		float	   *query = random_floats(cloud->d);
		Walk		walk = {.cloud = cloud,.links = links,.m = m,.query = query};
		HxCandidate nearest[10];

		for (int i = 0; i < 10; i++)
			walk.best[i] = (HxCandidate) {HUGE_VALF, HX_NODE_NONE};
		cloud_nearest(cloud, query, 10, nearest);
		hx_search_begin(search, expand, &walk);
		hx_search_seed(search, 0, 0);
		hx_search_run(search, effort);
		for (int i = 0; i < 10; i++)
			for (int j = 0; j < 10; j++)
				hits += walk.best[i].node == nearest[j].node;
		free(query);
	}
	numeric_free();
	return hits / 1000.0;
}

static void
finds_the_nearest(void)
{
	Cloud		flat = {5000, 6, random_floats(30000)};
	Cloud		high = {5000, 24, random_floats(120000)};
	HxNode	   *links = cloud_build(&flat, 32, 64, 1, 2);
	double		found = recall(&flat, links, 32, 40);

	CHECK(found >= 0.98, "6 dimensions: %.3f", found);
	free(links);
	links = cloud_build(&high, 32, 64, 1, 2);
	found = recall(&high, links, 32, 100);
	CHECK(found >= 0.9, "24 dimensions: %.3f", found);
	free(links);
	free(flat.rows);
	free(high.rows);
}

/* Heaps far apart: nothing but the links of the first points joins them. */
static void
far_apart(void)
{
	Cloud		cloud = {6000, 4, random_floats(24000)};
	HxNode	   *links;

	for (size_t i = 0; i < cloud.count; i++)
		cloud.rows[i * 4] = cloud.rows[i * 4] * 0.001f + (float) (i % 60) * 100;
	links = cloud_build(&cloud, 16, 64, 3, 2);
	check_graph(&cloud, links, 16, "far apart");
	free(links);
	free(cloud.rows);
}

int
main(void)
{
	hx_kernel_init();
	RUN(selection);
	RUN(offers);
	RUN(offers_shuffled);
	RUN(small_graphs);
	RUN(degenerate);
	RUN(same_for_all_threads);
	RUN(finds_the_nearest);
	RUN(far_apart);
	return unit_summary();
}
