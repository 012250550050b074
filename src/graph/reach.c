/*
 * reach.c
 *	  Finds the nodes that no search could find, and gives each a link.
 *
 * Lists of limited length forget: a node may choose neighbours of which each has nearer ones.
 * About one node in a hundred ends without a link to it, and would never be an answer.
 */
#include "graph/reach.h"

#include <math.h>
#include <string.h>

/* Nodes between two calls of the caller's check. */
#define CHECK_NODES 65536

typedef struct Reach
{
	HxCompute  *compute;
	HxNode	   *links;
	float	   *distances;
	size_t		count;
	unsigned	m;
	bool	   *reached;
	uint32_t   *links_in;		/* of each node, how many link to it */
	HxNode	   *queue;			/* nodes reached, in that order */
	size_t		queue_count;
	size_t		walked;			/* so many of them have been walked from */
} Reach;

static void
mark(Reach *reach, HxNode node)
{
	if (reach->reached[node])
		return;
	reach->reached[node] = true;
	reach->queue[reach->queue_count++] = node;
}

/* Marks all that can be reached from the nodes marked so far. */
static void
walk(Reach *reach)
{
	while (reach->walked < reach->queue_count)
	{
		const HxNode *to = reach->links + (size_t) reach->queue[reach->walked++] * reach->m;

		for (unsigned i = 0; i < reach->m && to[i] != HX_NODE_NONE; i++)
			mark(reach, to[i]);
		if (reach->walked % CHECK_NODES == 0)
			hx_compute_check(reach->compute);
	}
}

static void
count_links_in(Reach *reach)
{
	memset(reach->links_in, 0, reach->count * sizeof(uint32_t));
	for (size_t i = 0; i < reach->count * reach->m; i++)
	{
		if (reach->links[i] != HX_NODE_NONE)
			reach->links_in[reach->links[i]]++;
		if (i % ((size_t) CHECK_NODES * reach->m) == 0)
			hx_compute_check(reach->compute);
	}
}

/* Links `from` to `to`: false when all its links are the only ones to where they lead. */
static bool
link_back(Reach *reach, HxNode from, HxNode to, float distance)
{
	HxNode	   *link = reach->links + (size_t) from * reach->m;
	float	   *at_distance = reach->distances + (size_t) from * reach->m;
	unsigned	at = reach->m;

	while (at > 0 && link[at - 1] != HX_NODE_NONE && reach->links_in[link[at - 1]] < 2)
		at--;
	if (at == 0)
		return false;
	at--;
	/* The first free slot, if there is one. */
	while (at > 0 && link[at] == HX_NODE_NONE && link[at - 1] == HX_NODE_NONE)
		at--;
	if (link[at] != HX_NODE_NONE)
		reach->links_in[link[at]]--;
	reach->links_in[to]++;

	/* Keep the order by distance, to either side. */
	for (; at > 0 && at_distance[at - 1] > distance; at--)
	{
		link[at] = link[at - 1];
		at_distance[at] = at_distance[at - 1];
	}
	for (; at + 1 < reach->m && link[at + 1] != HX_NODE_NONE && at_distance[at + 1] < distance;
		 at++)
	{
		link[at] = link[at + 1];
		at_distance[at] = at_distance[at + 1];
	}
	link[at] = to;
	at_distance[at] = distance;
	return true;
}

/* Has a node link to another one, if it is reached and can. */
static bool
attach_to(Reach *reach, HxNode from, HxNode node, float distance)
{
	if (!reach->reached[from] || !link_back(reach, from, node, distance))
		return false;
	mark(reach, node);
	walk(reach);
	return true;
}

/*
 * Has a node that is reached link to this one: the nearest that can of those it links to. They may
 * need all their links, as hubs do that many have been attached to: then one that they link to, or
 * the last that was reached and can. How far that is is not known; it is put last.
 */
static void
attach(Reach *reach, HxNode node)
{
	const size_t row = (size_t) node * reach->m;
	const HxNode *near = reach->links + row;

	for (unsigned i = 0; i < reach->m && near[i] != HX_NODE_NONE; i++)
		if (attach_to(reach, near[i], node, reach->distances[row + i]))
			return;
	for (unsigned i = 0; i < reach->m && near[i] != HX_NODE_NONE; i++)
	{
		const HxNode *far = reach->links + (size_t) near[i] * reach->m;

		for (unsigned l = 0; l < reach->m && far[l] != HX_NODE_NONE; l++)
			if (attach_to(reach, far[l], node, INFINITY))
				return;
	}
	for (size_t i = reach->queue_count; near[0] != HX_NODE_NONE && i-- > 0;)
		if (attach_to(reach, reach->queue[i], node, INFINITY))
			return;
}

void
hx_reach_all(HxCompute *compute, HxNode *links, float *distances, size_t count, unsigned m,
			 HxNode root)
{
	HxScratchMark before = hx_scratch_mark(compute);
	Reach		reach = {.compute = compute,.links = links,.distances = distances,
		.count = count,.m = m};

	reach.reached = hx_scratch(compute, count, sizeof(bool));
	reach.links_in = hx_scratch(compute, count, sizeof(uint32_t));
	reach.queue = hx_scratch(compute, count, sizeof(HxNode));
	memset(reach.reached, 0, count * sizeof(bool));
	count_links_in(&reach);
	mark(&reach, root);
	walk(&reach);
	for (size_t i = 0; i < count; i++)
		if (!reach.reached[i])
			attach(&reach, (HxNode) i);
	hx_scratch_release(compute, before);
}
