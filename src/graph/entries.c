/*
 * entries.c
 *	  Chooses the nodes where searches begin.
 *
 * Nodes drawn at random find all others as long as the graph leads from everywhere to everywhere.
 * Where the points lie in many clusters, far from each other against their width, all links of a
 * node stay within its cluster, and a search ends in the cluster where it begins. So some of the
 * points are tested. One that a search does not find becomes an entry. So does one that has no
 * entry in its cluster, although links lead there: nodes that are inserted later take the places
 * of these links.
 */
#include "graph/entries.h"

#include <math.h>
#include <string.h>

#include "graph/crew.h"
#include "graph/nearest.h"
#include "math/random.h"

/* One of so many points is looked for, with a beam as narrow as that of a fast scan. */
#define STRIDE 4
#define WIDTH 1

/* Points that are looked for at the same time. */
#define BATCH 4096

/* Streams of the random numbers that draw entries, and points to look for. */
#define ENTRY_STREAM 0x656e747269
#define PROBE_STREAM 0x70726f6265

typedef struct Probe
{
	const HxPoints *points;
	const HxNode *links;
	unsigned	m;
	HxNode	   *entries;
	size_t		entry_count;
	uint64_t	seed;
	double		aloof;			/* hx_graph_aloof() */
	size_t		first;			/* point of the batch */
	bool	   *lost;			/* of each of the batch */
	HxNearest  *workers;
} Probe;

static void
draw_entries(HxNode *entries, size_t count, size_t points, uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
	{
		const size_t begin = i * points / count;
		const size_t end = (i + 1) * points / count;

		entries[i] = (HxNode) (begin + hx_random(seed, ENTRY_STREAM, i) % (end - begin));
	}
}

/* The point of the batch's item: any one of STRIDE points, as rows may come in a pattern. */
static HxNode
point_of(const Probe *probe, size_t item)
{
	const size_t at = probe->first + item * STRIDE;
	const size_t left = probe->points->count - at;
	const size_t among = left < STRIDE ? left : STRIDE;

	return (HxNode) (at + hx_random(probe->seed, PROBE_STREAM, at) % among);
}

/* How far the links of a point reach, and its cluster. */
typedef struct Reach
{
	float		links;
	float		cluster;
} Reach;

/* False: the point has no links. */
static bool
find_reach(const Probe *probe, const HxNearest *worker, HxNode point, Reach *reach)
{
	const HxPoints *points = probe->points;
	const HxNode *links = probe->links + (size_t) point * probe->m;
	unsigned	count = probe->m;
	float		middle;

	while (count > 0 && links[count - 1] == HX_NODE_NONE)
		count--;
	if (count == 0)
		return false;
	points->distances(points->context, worker->scratch, &links[count - 1], 1, &reach->links);
	points->distances(points->context, worker->scratch, &links[count / 2], 1, &middle);
	reach->cluster = (float) (probe->aloof * (middle + points->offset) - points->offset);
	return true;
}

/* Whether the point made ready is farther than the reach from all of the nodes. */
static bool
is_far(const Probe *probe, const HxNearest *worker, float reach, const HxNode *nodes, size_t count)
{
	const HxPoints *points = probe->points;

	for (size_t i = 0; i < count; i++)
	{
		float		distance;

		points->distances(points->context, worker->scratch, &nodes[i], 1, &distance);
		if (distance <= reach)
			return false;
	}
	return true;
}

/* HxCrewWork over the points of the batch: looks for one. */
static void
look_for(void *context, unsigned number, size_t item)
{
	const Probe *probe = context;
	HxNearest  *worker = &probe->workers[number];
	const HxNode point = point_of(probe, item);
	Reach		reach;

	hx_nearest_search(worker, point, probe->links, probe->m, probe->entries, probe->entry_count);

	/* Where nothing is found, the point is itself the only entry. */
	probe->lost[item] = worker->count > 0 && find_reach(probe, worker, point, &reach) &&
		(is_far(probe, worker, reach.links, &worker->beam[0].node, 1) ||
		 is_far(probe, worker, reach.cluster, probe->entries, probe->entry_count));
}

/* Points that were lost become entries, but for those near one that has just become one. */
static void
add_lost(Probe *probe, size_t batch, size_t most)
{
	HxNearest  *worker = &probe->workers[0];
	const size_t before = probe->entry_count;

	for (size_t i = 0; i < batch && probe->entry_count < most; i++)
	{
		const HxNode point = point_of(probe, i);
		Reach		reach;

		if (!probe->lost[i])
			continue;
		probe->points->open(probe->points->context, worker->scratch, point);
		if (find_reach(probe, worker, point, &reach) &&
			is_far(probe, worker, fminf(reach.links, reach.cluster), probe->entries + before,
				   probe->entry_count - before))
			probe->entries[probe->entry_count++] = point;
	}
}

double
hx_graph_aloof(unsigned dims, double nodes, double entries, unsigned links)
{
	const double farther = nodes / fmax(entries * links / 2, 1);

	return dims == 0 ? HX_GRAPH_ALOOF : HX_GRAPH_ALOOF * pow(fmax(farther, 1), 2.0 / dims);
}

size_t
hx_graph_entries(HxCompute *compute, const HxPoints *points, const HxNode *links,
				 const HxGraphOptions *options, HxNode *entries, size_t count, size_t most)
{
	HxScratchMark mark = hx_scratch_mark(compute);
	const size_t threads = (size_t) hx_team_threads();
	Probe		probe = {.points = points,.links = links,.m = options->m,.entries = entries,
		.entry_count = count,.seed = options->seed};

	probe.aloof = hx_graph_aloof(points->dims, (double) points->count, (double) count, options->m);

	draw_entries(entries, count, points->count, options->seed);
	probe.lost = hx_scratch(compute, BATCH, sizeof(bool));
	probe.workers = hx_scratch(compute, threads, sizeof(HxNearest));
	for (size_t i = 0; i < threads; i++)
		hx_nearest_init(&probe.workers[i], compute, points, WIDTH);
	for (; probe.first < points->count && probe.entry_count < most; probe.first += BATCH * STRIDE)
	{
		const size_t left = (points->count - probe.first + STRIDE - 1) / STRIDE;
		const size_t batch = left < BATCH ? left : BATCH;

		hx_crew_run(compute, look_for, &probe, batch, NULL, NULL);
		add_lost(&probe, batch, most);
	}
	hx_scratch_release(compute, mark);
	return probe.entry_count;
}
