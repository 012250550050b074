/*
 * build.c
 *	  Construction of a whole graph in memory, on the thread team.
 *
 * The points are inserted in a seeded shuffle, in batches. First all points of a batch search the
 * graph of the points before them and choose their links. Then each node that was chosen is
 * offered the links back; one worker handles all offers to a node. Within a step no worker reads
 * what another writes, so the graph does not depend on the number of threads.
 *
 * The points of a batch are sorted by their nearest landmark. Points that follow each other then
 * search the same part of the graph and find it in the CPU's caches.
 */
#include "graph/build.h"

#include <stdlib.h>
#include <string.h>

#include "graph/crew.h"
#include "graph/links.h"
#include "graph/nearest.h"
#include "graph/reach.h"
#include "math/random.h"

/* A batch is at most this part of all points: those of one batch do not see each other. */
#define BATCH_SHARE 20

/* So many of the first points are where searches begin, and more of them are landmarks. */
#define ENTRIES 256
#define LANDMARKS 256

#define NO_OFFER UINT32_MAX

/* The node that was chosen is offered a link back. */
typedef struct Offer
{
	HxCandidate link;
	uint32_t	next;			/* offer to the same node, or NO_OFFER */
} Offer;

/* What a worker uses alone. */
typedef struct Worker
{
	HxNearest	nearest;
	HxNode		opened;			/* the point that is ready in the scratch, or HX_NODE_NONE */
	unsigned   *chosen;
	HxLinks		links;
} Worker;

typedef struct Build
{
	const HxPoints *points;
	HxCompute  *compute;
	unsigned	m;

	HxNode	   *order;			/* of insertion */
	size_t		inserted;

	/* The graph: of each node m links, their distances and ranks. */
	HxNode	   *links;
	float	   *distances;
	uint8_t    *ranks;

	size_t		batch;			/* points of the running batch */
	uint64_t   *keys;			/* of each: its nearest landmark, and below that its number */
	Offer	   *offers;
	size_t		offer_count;
	uint32_t   *first_offer;	/* of each node */
	HxNode	   *targets;		/* nodes with offers */
	size_t		target_count;

	Worker	   *workers;
	HxGraphProgress progress;
	void	   *progress_context;
} Build;

static void
load_links(const Build *build, HxNode node, HxLinks *links)
{
	const size_t row = (size_t) node * build->m;
	const HxNode *to = build->links + row;

	links->offset = build->points->offset;
	for (links->count = 0; links->count < build->m && to[links->count] != HX_NODE_NONE;
		 links->count++)
		links->link[links->count] =
			(HxCandidate) {build->distances[row + links->count], to[links->count]};
	memcpy(links->rank, build->ranks + row, links->count);
}

static void
store_links(Build *build, HxNode node, const HxLinks *links)
{
	const size_t row = (size_t) node * build->m;

	memcpy(build->ranks + row, links->rank, links->count);
	for (unsigned i = 0; i < links->count; i++)
	{
		build->links[row + i] = links->link[i].node;
		build->distances[row + i] = links->link[i].distance;
	}
	for (unsigned i = links->count; i < build->m; i++)
		build->links[row + i] = HX_NODE_NONE;
}

/* HxPairDistance over the worker's candidates. `a` changes less often than `b`. */
static float
pair_distance(void *context, unsigned a, unsigned b)
{
	Worker	   *worker = context;
	const HxPoints *points = worker->nearest.points;
	const HxNode from = worker->nearest.beam[a].node;
	float		distance;

	if (worker->opened != from)
	{
		points->open(points->context, worker->nearest.scratch, from);
		worker->opened = from;
	}
	points->distances(points->context, worker->nearest.scratch, &worker->nearest.beam[b].node, 1,
					  &distance);
	return distance;
}

/* HxCrewWork over the points of the batch: finds the nearest landmark of one. */
static void
find_landmark(void *context, unsigned number, size_t item)
{
	const Build *build = context;
	const HxPoints *points = build->points;
	void	   *scratch = build->workers[number].nearest.scratch;
	const HxNode node = build->order[build->inserted + item];
	const unsigned count = build->inserted < LANDMARKS ? (unsigned) build->inserted : LANDMARKS;
	float		distance[LANDMARKS];
	unsigned	nearest = 0;

	points->open(points->context, scratch, node);
	points->distances(points->context, scratch, build->order, count, distance);
	for (unsigned i = 1; i < count; i++)
		if (distance[i] < distance[nearest])
			nearest = i;
	build->keys[item] = (uint64_t) nearest << 32 | node;
}

static int
compare_keys(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *) a;
	const uint64_t y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

/* Sorts the points of the batch by landmark. */
static void
sort_batch(Build *build)
{
	hx_crew_run(build->compute, find_landmark, build, build->batch, NULL, NULL);
	qsort(build->keys, build->batch, sizeof(uint64_t), compare_keys);
	for (size_t i = 0; i < build->batch; i++)
		build->order[build->inserted + i] = (HxNode) build->keys[i];
}

/* HxCrewWork over the points of the batch: finds the links of a new point. */
static void
link_point(void *context, unsigned number, size_t item)
{
	Build	   *build = context;
	Worker	   *worker = &build->workers[number];
	const HxNode node = build->order[build->inserted + item];
	const size_t entries = build->inserted < ENTRIES ? build->inserted : ENTRIES;
	HxChoice	choice;

	hx_nearest_search(&worker->nearest, node, build->links, build->m, build->order, entries);
	worker->opened = node;
	choice = (HxChoice) {
		.candidates = worker->nearest.beam,
		.count = worker->nearest.count,
		.offset = build->points->offset,
		.pair = pair_distance,
		.context = worker,
	};
	worker->links.count = hx_links_select(&choice, build->m, worker->chosen, worker->links.rank);
	for (unsigned i = 0; i < worker->links.count; i++)
		worker->links.link[i] = worker->nearest.beam[worker->chosen[i]];
	store_links(build, node, &worker->links);
}

/* Offers links back to all nodes that the points of the batch have links to. */
static void
collect_offers(Build *build)
{
	build->offer_count = 0;
	build->target_count = 0;
	for (size_t i = 0; i < build->batch; i++)
	{
		const HxNode node = build->order[build->inserted + i];
		const size_t row = (size_t) node * build->m;

		for (unsigned l = 0; l < build->m; l++)
		{
			const HxNode to = build->links[row + l];
			uint32_t   *first;

			if (to == HX_NODE_NONE)
				break;
			first = &build->first_offer[to];
			if (*first == NO_OFFER)
				build->targets[build->target_count++] = to;
			build->offers[build->offer_count] =
				(Offer) {{build->distances[row + l], node}, *first};
			*first = (uint32_t) build->offer_count++;
		}
	}
}

/* HxOfferDistance: the worker has opened the node that is offered. */
static float
offer_distance(void *context, HxNode to)
{
	const Worker *worker = context;
	const HxPoints *points = worker->nearest.points;
	float		distance;

	points->distances(points->context, worker->nearest.scratch, &to, 1, &distance);
	return distance;
}

/* HxCrewWork over nodes with offers: takes them into the node's list. */
static void
take_offers(void *context, unsigned number, size_t item)
{
	Build	   *build = context;
	Worker	   *worker = &build->workers[number];
	const HxPoints *points = build->points;
	const HxNode node = build->targets[item];

	load_links(build, node, &worker->links);
	for (uint32_t at = build->first_offer[node]; at != NO_OFFER; at = build->offers[at].next)
	{
		const HxCandidate offered = build->offers[at].link;

		points->open(points->context, worker->nearest.scratch, offered.node);
		hx_links_offer(&worker->links, build->m, offered, offer_distance, worker);
	}
	store_links(build, node, &worker->links);
	build->first_offer[node] = NO_OFFER;
}

/* HxCrewProgress of a batch. */
static void
report_points(void *context, size_t done)
{
	const Build *build = context;

	if (build->progress != NULL)
		build->progress(build->progress_context, build->inserted + done, build->points->count);
}

static size_t
batch_limit(size_t count)
{
	return count / BATCH_SHARE + 1;
}

/*
 * Inserts the points one batch after the other; a batch is no larger than the graph. The first
 * m + 1 come one by one: then all of them are linked, and no slot stays free from there on.
 */
static void
insert_all(Build *build)
{
	const size_t count = build->points->count;

	while (build->inserted < count)
	{
		build->batch = build->inserted > build->m ? build->inserted : 1;
		if (build->batch > batch_limit(count))
			build->batch = batch_limit(count);
		if (build->batch > count - build->inserted)
			build->batch = count - build->inserted;
		sort_batch(build);
		hx_crew_run(build->compute, link_point, build, build->batch, report_points, build);
		collect_offers(build);
		hx_crew_run(build->compute, take_offers, build, build->target_count, NULL, NULL);
		build->inserted += build->batch;
	}
}

/* A seeded shuffle of the points (Fisher and Yates). */
static void
shuffle(HxNode *order, size_t count, uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
	{
		const size_t j = (size_t) (hx_random(seed, 0, i) % (i + 1));

		order[i] = order[j];
		order[j] = (HxNode) i;
	}
}

static void
start_workers(Build *build, unsigned width)
{
	const size_t threads = (size_t) hx_team_threads();

	build->workers = hx_scratch(build->compute, threads, sizeof(Worker));
	for (size_t i = 0; i < threads; i++)
	{
		hx_nearest_init(&build->workers[i].nearest, build->compute, build->points, width);
		build->workers[i].chosen = hx_scratch(build->compute, build->m, sizeof(unsigned));
	}
}

void
hx_graph_build(HxCompute *compute, const HxPoints *points, const HxGraphOptions *options,
			   HxNode *links, HxGraphProgress progress, void *progress_context)
{
	HxScratchMark mark = hx_scratch_mark(compute);
	const size_t count = points->count;
	const size_t most_offers = batch_limit(count) * options->m;
	Build		build = {.points = points,.compute = compute,.m = options->m,.links = links,
		.progress = progress,
		.progress_context = progress_context};

	if (count == 0)
		return;
	build.order = hx_scratch(compute, count, sizeof(HxNode));
	build.distances = hx_scratch(compute, count * options->m, sizeof(float));
	build.ranks = hx_scratch(compute, count * options->m, sizeof(uint8_t));
	build.keys = hx_scratch(compute, batch_limit(count), sizeof(uint64_t));
	build.offers = hx_scratch(compute, most_offers, sizeof(Offer));
	build.targets = hx_scratch(compute, most_offers, sizeof(HxNode));
	build.first_offer = hx_scratch(compute, count, sizeof(uint32_t));
	memset(build.first_offer, 0xff, count * sizeof(uint32_t));
	start_workers(&build, options->ef_construction > options->m ?
				  options->ef_construction : options->m);
	shuffle(build.order, count, options->seed);
	insert_all(&build);
	hx_reach_all(compute, links, build.distances, count, options->m, build.order[0]);
	hx_scratch_release(compute, mark);
}
