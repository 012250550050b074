/*
 * test_graph_build.c
 *	  The choice of links against its definition; whole graphs: well-formed, the same for any
 *	  number of threads, every node to be found, and good enough to find the nearest.
 */
#include "graphs.h"

#include "graph/entries.h"
#include "graph/links.h"
#include "graph/reach.h"
#include "math/random.h"

#define MAX_THREADS 4

/* Candidates around a point, sorted; the distances between them from their rows. */
typedef struct Candidates
{
	Cloud		cloud;
	HxCandidate nearest[300];
	float		offset;
} Candidates;

static float
pair(void *context, unsigned a, unsigned b)
{
	const Candidates *c = context;

	return cloud_distance(&c->cloud, c->cloud.rows + c->nearest[a].node * c->cloud.d,
						  c->nearest[b].node);
}

/*
 * Of a candidate: does none of those before that have at least this rank stand in its way, when
 * distances between two of them count `factor` times?
 */
static bool
naive_clear(Candidates *c, unsigned at, const uint8_t *rank, int least, float factor)
{
	for (unsigned i = 0; i < at; i++)
		if (rank[i] >= least &&
			factor * (pair(c, at, i) + c->offset) < c->nearest[at].distance + c->offset)
			return false;
	return true;
}

/* The ranks of all by definition: first as many firm ones as there are, then those apart. */
static void
naive_ranks(Candidates *c, unsigned m, uint8_t *rank)
{
	memset(rank, HX_LINK_FILLING, c->cloud.count);
	for (unsigned i = 0; i < c->cloud.count && m > 0; i++)
		if (naive_clear(c, i, rank, HX_LINK_FIRM, 1))
		{
			rank[i] = HX_LINK_FIRM;
			m--;
		}
	for (unsigned i = 0; i < c->cloud.count && m > 0; i++)
		if (rank[i] != HX_LINK_FIRM && naive_clear(c, i, rank, HX_LINK_APART, 1.25f))
		{
			rank[i] = HX_LINK_APART;
			m--;
		}
}

static HxChoice
choice_of(Candidates *c, unsigned count)
{
	return (HxChoice) {
		.candidates = c->nearest,.count = count,.offset = c->offset,.pair = pair,.context = c,
	};
}

static void
selection(void)
{
	for (unsigned count = 0; count <= 300; count += count < 5 ? 1 : 59)
		for (unsigned m = 1; m <= HX_GRAPH_MAX_LINKS; m += 9)
		{
			const float origin[4] = {0};
			Candidates	c = {
				.cloud = {count, 4, random_floats(count * 4)},.offset = (float) (m % 2) * 0.1f,
			};
			uint8_t		expected[300];
			uint8_t		rank[HX_GRAPH_MAX_LINKS];
			unsigned	chosen[HX_GRAPH_MAX_LINKS];
			unsigned	filling = count < m ? count : m;
			unsigned	got;
			unsigned	next = 0;
			HxChoice	choice = choice_of(&c, count);

			cloud_nearest(&c.cloud, origin, count, c.nearest);
			naive_ranks(&c, m, expected);
			got = hx_links_select(&choice, m, chosen, rank);
			CHECK(got == filling, "%u of %u: %u", m, count, got);
			for (unsigned i = 0; i < count; i++)
				filling -= expected[i] != HX_LINK_FILLING;

			/* All that have a rank; of the others the nearest, as many as fill the list. */
			for (unsigned i = 0; i < count; i++)
			{
				if (expected[i] == HX_LINK_FILLING)
				{
					if (filling == 0)
						continue;
					filling--;
				}
				CHECK(next < got && chosen[next] == i, "%u of %u: candidate %u", m, count, i);
				CHECK(rank[next] == expected[i], "%u of %u: rank of %u", m, count, i);
				next++;
			}
			free(c.cloud.rows);
		}
}

/*
 * The one that is left out is the one that a choice of all but one does not have, or the offered
 * one that would fill.
 */
static void
least(void)
{
	for (unsigned count = 2; count <= HX_GRAPH_MAX_LINKS + 1; count++)
	{
		const unsigned dims = 2 + count % 20;
		float	   *origin = random_floats(dims);
		Candidates	c = {
			.cloud = {count, dims, random_floats(count * dims)},
			.offset = (float) (count % 3) * 0.1f,
		};
		HxChoice	choice = choice_of(&c, count);
		bool		spare[HX_GRAPH_MAX_LINKS + 1];
		unsigned	chosen[HX_GRAPH_MAX_LINKS];
		uint8_t		rank[HX_GRAPH_MAX_LINKS];
		unsigned	left = 0;

		cloud_nearest(&c.cloud, origin, count, c.nearest);
		CHECK(hx_links_select(&choice, count - 1, chosen, rank) == count - 1, "%u", count);
		while (left < count - 1 && chosen[left] == left)
			left++;
		memset(spare, true, sizeof(spare));
		for (unsigned offered = 0; offered < count; offered++)
		{
			const bool	fills = offered != left &&
				rank[offered - (offered > left)] == HX_LINK_FILLING;
			const unsigned expected = fills ? offered : left;
			const unsigned got = hx_graph_least(&choice, offered, spare);

			CHECK(got == expected, "%u of %u: %u, not %u", offered, count, got, expected);
		}

		/* What is not spare stays if anything else is spare, whatever the ranks. */
		spare[left] = false;
		CHECK(hx_graph_least(&choice, left, spare) != left, "%u: not spare, and given up", count);
		memset(spare, false, sizeof(spare));
		spare[count / 2] = true;
		CHECK(hx_graph_least(&choice, 0, spare) == count / 2, "%u: the only one spare stays", count);
		free(c.cloud.rows);
		free(origin);
	}
}

/* A node of a cloud that is offered. */
typedef struct Offered
{
	const Cloud *cloud;
	HxNode		node;
} Offered;

static float
offer_distance(void *context, HxNode to)
{
	const Offered *offered = context;

	return cloud_distance(offered->cloud, offered->cloud->rows + offered->node * offered->cloud->d,
						  to);
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
		uint8_t		rank[HX_GRAPH_MAX_LINKS];
		unsigned	count;
		HxChoice	choice = choice_of(&c, 100);

		cloud_nearest(&c.cloud, origin, 100, c.nearest);
		for (unsigned i = 0; i < 100; i++)
		{
			Offered		offered = {&c.cloud, c.nearest[i].node};

			hx_links_offer(&links, m, c.nearest[i], offer_distance, &offered);
			hx_links_offer(&links, m, c.nearest[i], offer_distance, &offered);
		}
		count = hx_links_select(&choice, m, chosen, rank);
		CHECK(links.count == count, "m %u", m);
		for (unsigned i = 0; i < count; i++)
			CHECK(links.link[i].node == c.nearest[chosen[i]].node && links.rank[i] == rank[i],
				  "m %u, link %u", m, i);
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
			Offered		offered = {&cloud, node};

			hx_links_offer(&links, m,
						   (HxCandidate) {cloud_distance(&cloud, origin, node), node},
						   offer_distance, &offered);
		}
		CHECK(links.count == m, "%u links of %u", links.count, m);
		CHECK(links.rank[0] == HX_LINK_FIRM, "the nearest is not firm");
		for (unsigned i = 1; i < links.count; i++)
		{
			CHECK(links.link[i - 1].distance < links.link[i].distance, "not ascending");
			for (unsigned j = 0; j < i; j++)
				CHECK(links.rank[i] != HX_LINK_FIRM || links.rank[j] != HX_LINK_FIRM ||
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

/*
 * Hubs that link to each other, and many nodes that link to hubs only: the hubs have not enough
 * links for all of them, which therefore link to each other. The hubs keep a way to all hubs.
 */
static void
hubs(void)
{
	enum
	{
		HUBS = 5,
		M = 4,
		COUNT = 400,
	};
	HxNode	   *links = unit_alloc(COUNT * M * sizeof(HxNode));
	float	   *distances = unit_alloc(COUNT * M * sizeof(float));
	bool		reached[COUNT] = {true};
	HxNode		queue[COUNT] = {0};
	size_t		queued = 1;
	HxCompute	compute = numeric_compute();

	for (HxNode node = 0; node < COUNT; node++)
		for (unsigned i = 0; i < M; i++)
		{
			links[node * M + i] = node < HUBS ? (node + 1 + i) % HUBS : (node + i) % HUBS;
			distances[node * M + i] = (float) i;
		}
	hx_reach_all(&compute, links, distances, COUNT, M, 0);
	for (size_t walked = 0; walked < queued; walked++)
		for (unsigned i = 0; i < M; i++)
		{
			const HxNode to = links[queue[walked] * M + i];

			if (!reached[to])
				queue[queued++] = to;
			reached[to] = true;
		}
	CHECK(queued == COUNT, "%zu of %d can be reached", queued, COUNT);
	free(links);
	free(distances);
	numeric_free();
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

/* The distance at which a search ends that goes from node to node as long as it comes nearer. */
static float
descend(const Cloud *cloud, const HxNode *links, unsigned m, const HxNode *entries, size_t count,
		HxNode to)
{
	const float *row = cloud->rows + to * cloud->d;
	float		nearest = INFINITY;
	HxNode		at = HX_NODE_NONE;
	const HxNode *next = entries;

	for (size_t left = count; left > 0;)
	{
		const HxNode before = at;

		for (size_t i = 0; i < left && next[i] != HX_NODE_NONE; i++)
			if (next[i] != to && cloud_distance(cloud, row, next[i]) < nearest)
			{
				at = next[i];
				nearest = cloud_distance(cloud, row, at);
			}
		if (at == before)
			break;
		next = links + at * m;
		left = m;
	}
	return nearest;
}

/* Of each point whether such a search comes as near as its farthest link. */
static size_t
count_found(const Cloud *cloud, const HxNode *links, unsigned m, const HxNode *entries,
			size_t count)
{
	size_t		found = 0;

	for (HxNode i = 0; i < cloud->count; i++)
		found += descend(cloud, links, m, entries, count, i) <=
			cloud_distance(cloud, cloud->rows + i * cloud->d, links[i * m + m - 1]);
	return found;
}

/* Entries for 200 clusters of 50 points, or of one cloud; the same for all threads. */
static void
entries(void)
{
	const HxGraphOptions options = {16, 64, 3};
	HxNode		drawn[800];
	HxNode		chosen[800];

	for (int clusters = 1; clusters <= 200; clusters += 199)
	{
		Cloud		cloud = {10000, 16, random_floats(160000)};
		const HxPoints points = cloud_points(&cloud);
		HxNode	   *links;
		size_t		count = 0;
		size_t		found;

		for (size_t i = 0; clusters > 1 && i < cloud.count * cloud.d; i++)
			cloud.rows[i] = cloud.rows[i] * 0.01f +
				(float) (hx_random(1, i / cloud.d % 200, i % cloud.d) % 1000) / 250;
		links = cloud_build(&cloud, options.m, 64, 3, 2);
		for (int threads = 1; threads <= MAX_THREADS; threads++)
		{
			HxCompute	compute = numeric_compute();
			size_t		got;

			memcpy(drawn, chosen, sizeof(chosen));
			hx_team_start(threads);
			got = hx_graph_entries(&compute, &points, links, &options, chosen, 100, 800);
			hx_team_end();
			numeric_free();
			CHECK(threads == 1 ||
				  (got == count && memcmp(drawn, chosen, count * sizeof(HxNode)) == 0),
				  "%d threads", threads);
			count = got;
		}
		found = count_found(&cloud, links, options.m, chosen, count);
		CHECK(found >= cloud.count * 95 / 100, "%d clusters: %zu found", clusters, found);
		CHECK(clusters == 1 || count > 120, "%d clusters: %zu entries", clusters, count);
		CHECK(clusters == 1 || count_found(&cloud, links, options.m, chosen, 100) < found,
			  "the first entries are enough");
		free(links);
		free(cloud.rows);
	}
}

/*
 * Built with a beam that sees beyond clusters, the graph leads to all of them; yet nearly every one
 * gets an entry of its own. And of a few points one entry may be all there is.
 */
static void
entries_of_clusters(void)
{
	const HxGraphOptions options = {32, 128, 3};
	Cloud		cloud = {10000, 16, random_floats(160000)};
	HxPoints	points = cloud_points(&cloud);
	HxCompute	compute = numeric_compute();
	HxNode	   *links;
	HxNode		chosen[800];
	bool		has_entry[200] = {false};
	size_t		clusters = 0;
	size_t		count;

	for (size_t i = 0; i < cloud.count * cloud.d; i++)
		cloud.rows[i] = cloud.rows[i] * 0.01f +
			(float) (hx_random(1, i / cloud.d % 200, i % cloud.d) % 1000) / 250;
	links = cloud_build(&cloud, options.m, options.ef_construction, 3, 2);
	hx_team_start(2);
	count = hx_graph_entries(&compute, &points, links, &options, chosen, 100, 800);
	for (size_t i = 0; i < count; i++)
		has_entry[chosen[i] % 200] = true;
	for (size_t i = 0; i < 200; i++)
		clusters += has_entry[i];
	CHECK(clusters >= 198, "only %zu of 200 clusters have an entry", clusters);
	free(links);

	cloud.count = 40;
	points = cloud_points(&cloud);
	links = cloud_build(&cloud, options.m, options.ef_construction, 3, 2);
	compute = numeric_compute(); /* the build has freed the memory of all of them */
	for (unsigned seed = 0; seed < 40; seed++)
	{
		const HxGraphOptions other = {32, 128, seed};
		size_t		got = hx_graph_entries(&compute, &points, links, &other, chosen, 1, 8);

		CHECK(got >= 1 && got <= 8, "%zu entries", got);
		for (size_t i = 0; i < got; i++)
			CHECK(chosen[i] < cloud.count, "entry %u", chosen[i]);
	}
	hx_team_end();
	numeric_free();
	free(links);
	free(cloud.rows);
}

/*
 * In few dimensions the nearest of some entries is farther than the links of a point, without any
 * clusters: told how few, the choice adds hardly any to those drawn.
 */
static void
entries_in_few_dimensions(void)
{
	const HxGraphOptions options = {32, 128, 3};

	for (unsigned d = 1; d <= 3; d++)
	{
		Cloud		cloud = {8000, d, random_floats(8000 * d)};
		HxPoints	points = cloud_points(&cloud);
		HxNode	   *links = cloud_build(&cloud, options.m, options.ef_construction, 3, 2);
		HxNode		chosen[800];
		size_t		count[2];

		for (int told = 0; told < 2; told++)
		{
			HxCompute	compute = numeric_compute();

			points.dims = told ? d : 0;
			hx_team_start(2);
			count[told] = hx_graph_entries(&compute, &points, links, &options, chosen, 100, 800);
			hx_team_end();
			numeric_free();
		}
		CHECK(count[1] <= 125, "%u dimensions: %zu entries", d, count[1]);
		CHECK(count[0] > count[1], "%u dimensions: %zu entries if not told", d, count[0]);
		free(links);
		free(cloud.rows);
	}
}

int
main(void)
{
	hx_kernel_init();
	RUN(selection);
	RUN(least);
	RUN(offers);
	RUN(offers_shuffled);
	RUN(small_graphs);
	RUN(degenerate);
	RUN(hubs);
	RUN(same_for_all_threads);
	RUN(finds_the_nearest);
	RUN(far_apart);
	RUN(entries);
	RUN(entries_of_clusters);
	RUN(entries_in_few_dimensions);
	return unit_summary();
}
