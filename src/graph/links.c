/*
 * links.c
 *	  The choice of a node's links: all at once, or one more at a time.
 */
#include "graph/links.h"

#include <string.h>

/* No firm one of those before is nearer to the candidate than the node is. */
static bool
stands_apart(const HxCandidate *candidates, unsigned at, const unsigned *firm, unsigned count,
			 HxPairDistance pair, void *context)
{
	for (unsigned i = 0; i < count; i++)
		if (pair(context, at, firm[i]) < candidates[at].distance)
			return false;
	return true;
}

unsigned
hx_links_select(const HxCandidate *candidates, unsigned count, unsigned m,
				HxPairDistance pair, void *context, unsigned *chosen, uint64_t *firm)
{
	unsigned	firm_at[HX_GRAPH_MAX_LINKS];
	unsigned	firm_count = 0;
	unsigned	chosen_count = 0;
	unsigned	filling;

	for (unsigned i = 0; i < count && firm_count < m; i++)
		if (stands_apart(candidates, i, firm_at, firm_count, pair, context))
			firm_at[firm_count++] = i;

	/* Both kinds in one ascending order. */
	filling = m - firm_count;
	*firm = 0;
	for (unsigned i = 0, next = 0; i < count && chosen_count < m; i++)
	{
		if (next < firm_count && firm_at[next] == i)
		{
			*firm |= UINT64_C(1) << chosen_count;
			next++;
		}
		else if (filling > 0)
			filling--;
		else
			continue;
		chosen[chosen_count++] = i;
	}
	return chosen_count;
}

unsigned
hx_graph_select(const HxCandidate *candidates, unsigned count, unsigned m,
				HxPairDistance pair, void *context, unsigned *chosen)
{
	uint64_t	firm;

	return hx_links_select(candidates, count, m, pair, context, chosen, &firm);
}

static void
remove_link(HxLinks *links, unsigned at)
{
	const uint64_t below = (UINT64_C(1) << at) - 1;

	links->firm = (links->firm & below) | (links->firm >> 1 & ~below);
	links->count--;
	memmove(links->link + at, links->link + at + 1, (links->count - at) * sizeof(HxCandidate));
}

/* Inserts a link before link `at`. */
static void
insert_link(HxLinks *links, unsigned at, HxCandidate candidate, bool firm)
{
	const uint64_t below = (UINT64_C(1) << at) - 1;

	links->firm = (links->firm & below) | (links->firm & ~below) << 1;
	if (firm)
		links->firm |= UINT64_C(1) << at;
	memmove(links->link + at + 1, links->link + at, (links->count - at) * sizeof(HxCandidate));
	links->link[at] = candidate;
	links->count++;
}

/* The place of the farthest link that only fills, or `count` when all are firm. */
static unsigned
farthest_filling(const HxLinks *links)
{
	for (unsigned i = links->count; i-- > 0;)
		if (!hx_links_is_firm(links, i))
			return i;
	return links->count;
}

/* Makes room for one more link in a full list: false when the offered one is what must go. */
static bool
make_room(HxLinks *links, HxCandidate offered, bool firm)
{
	unsigned	victim = farthest_filling(links);

	if (victim == links->count && firm)
		victim = links->count - 1;
	else if (victim < links->count && firm)
	{
		remove_link(links, victim);
		return true;
	}
	if (victim == links->count || links->link[victim].distance <= offered.distance)
		return false;
	remove_link(links, victim);
	return true;
}

void
hx_links_offer(HxLinks *links, unsigned m, HxCandidate offered, const float *between)
{
	bool		firm = true;
	unsigned	at = 0;

	for (unsigned i = 0; i < links->count; i++)
		if (links->link[i].node == offered.node)
			return;

	/* Links before it may stand in its way; it may stand in the way of those after it. */
	for (; at < links->count && links->link[at].distance <= offered.distance; at++)
		if (hx_links_is_firm(links, at) && between[at] < offered.distance)
			firm = false;
	if (firm)
		for (unsigned i = at; i < links->count; i++)
			if (hx_links_is_firm(links, i) && between[i] < links->link[i].distance)
				links->firm &= ~(UINT64_C(1) << i);

	if (links->count == m)
	{
		if (!make_room(links, offered, firm))
			return;
		at = 0;
		while (at < links->count && links->link[at].distance <= offered.distance)
			at++;
	}
	insert_link(links, at, offered, firm);
}
