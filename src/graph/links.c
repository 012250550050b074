/*
 * links.c
 *	  The choice of a node's links: all at once, or one more at a time.
 */
#include "graph/links.h"

#include <math.h>
#include <string.h>

/* How much farther apart two neighbours seem when the rule is relaxed: of squared distances. */
#define RELAXED 1.25f

/* So many candidates are remembered that are not firm, but may stand apart. */
#define MOST_DOUBTFUL 256

/* The distance between a candidate and the first link that is nearer to it than the node is. */
static float
find_obstacle(const HxCandidate *candidates, unsigned at, const unsigned *links, unsigned count,
			  float factor, HxPairDistance pair, void *context)
{
	for (unsigned i = 0; i < count; i++)
	{
		const float between = pair(context, at, links[i]);

		if (factor * between < candidates[at].distance)
			return between;
	}
	return INFINITY;
}

/*
 * The positions of the firm ones, ascending; returns how many. Also of those which are doubtful:
 * what was found to stand in their way does not when the rule is relaxed.
 */
static unsigned
find_firm(const HxCandidate *candidates, unsigned count, unsigned m, HxPairDistance pair,
		  void *context, unsigned *firm, unsigned *doubtful, unsigned *doubtful_count)
{
	unsigned	found = 0;

	*doubtful_count = 0;
	for (unsigned i = 0; i < count && found < m; i++)
	{
		const float between = find_obstacle(candidates, i, firm, found, 1, pair, context);

		if (between == INFINITY)
			firm[found++] = i;
		else if (RELAXED * between >= candidates[i].distance && *doubtful_count < MOST_DOUBTFUL)
			doubtful[(*doubtful_count)++] = i;
	}
	return found;
}

/* Those of the doubtful that stand apart, at most `room`, in the same way. */
static unsigned
find_apart(const HxCandidate *candidates, const unsigned *doubtful, unsigned count, unsigned room,
		   HxPairDistance pair, void *context, const unsigned *firm, unsigned firm_count,
		   unsigned *apart)
{
	unsigned	before = 0;		/* firm ones nearer than the candidate */
	unsigned	found = 0;

	for (unsigned i = 0; i < count && found < room; i++)
	{
		const unsigned at = doubtful[i];

		while (before < firm_count && firm[before] < at)
			before++;
		if (find_obstacle(candidates, at, firm, before, RELAXED, pair, context) == INFINITY &&
			find_obstacle(candidates, at, apart, found, RELAXED, pair, context) == INFINITY)
			apart[found++] = at;
	}
	return found;
}

unsigned
hx_links_select(const HxCandidate *candidates, unsigned count, unsigned m,
				HxPairDistance pair, void *context, unsigned *chosen, uint8_t *rank)
{
	unsigned	firm[HX_GRAPH_MAX_LINKS];
	unsigned	apart[HX_GRAPH_MAX_LINKS];
	unsigned	doubtful[MOST_DOUBTFUL];
	unsigned	doubtful_count;
	const unsigned firm_count = find_firm(candidates, count, m, pair, context, firm, doubtful,
										  &doubtful_count);
	const unsigned apart_count = find_apart(candidates, doubtful, doubtful_count, m - firm_count,
											pair, context, firm, firm_count, apart);
	unsigned	filling = m - firm_count - apart_count;
	unsigned	next_firm = 0;
	unsigned	next_apart = 0;
	unsigned	chosen_count = 0;

	/* All ranks in one ascending order. */
	for (unsigned i = 0; i < count && chosen_count < m; i++)
	{
		HxLinkRank	is = HX_LINK_FILLING;

		if (next_firm < firm_count && firm[next_firm] == i)
		{
			is = HX_LINK_FIRM;
			next_firm++;
		}
		else if (next_apart < apart_count && apart[next_apart] == i)
		{
			is = HX_LINK_APART;
			next_apart++;
		}
		else if (filling > 0)
			filling--;
		else
			continue;
		rank[chosen_count] = (uint8_t) is;
		chosen[chosen_count++] = i;
	}
	return chosen_count;
}

unsigned
hx_graph_select(const HxCandidate *candidates, unsigned count, unsigned m,
				HxPairDistance pair, void *context, unsigned *chosen)
{
	uint8_t		rank[HX_GRAPH_MAX_LINKS];

	return hx_links_select(candidates, count, m, pair, context, chosen, rank);
}

/* The rank of an offered node among the links that are no farther. */
static HxLinkRank
rank_among(const HxLinks *links, HxCandidate offered, HxOfferDistance distance, void *context)
{
	bool		firm = true;
	bool		apart = true;

	for (unsigned i = 0; i < links->count && links->link[i].distance <= offered.distance; i++)
	{
		float		between;

		if (links->rank[i] == HX_LINK_FILLING)
			continue;
		between = distance(context, links->link[i].node);
		if (RELAXED * between < offered.distance)
			apart = false;
		if (links->rank[i] == HX_LINK_FIRM && between < offered.distance)
			firm = false;
		if (!firm && !apart)
			return HX_LINK_FILLING;
	}
	return firm ? HX_LINK_FIRM : HX_LINK_APART;
}

/* Links behind an offered one that has this rank lose theirs where it stands in their way. */
static void
lower_behind(HxLinks *links, HxCandidate offered, HxLinkRank rank, HxOfferDistance distance,
			 void *context)
{
	for (unsigned i = 0; i < links->count; i++)
	{
		const float own = links->link[i].distance;
		float		between;

		if (own <= offered.distance || links->rank[i] == HX_LINK_FILLING ||
			links->rank[i] > rank)
			continue;
		between = distance(context, links->link[i].node);
		if (RELAXED * between < own)
			links->rank[i] = HX_LINK_FILLING;
		else if (rank == HX_LINK_FIRM && between < own)
			links->rank[i] = HX_LINK_APART;
	}
}

/* The link to give up first: of the lowest rank the farthest. */
static unsigned
find_least(const HxLinks *links)
{
	unsigned	least = links->count - 1;

	for (unsigned i = links->count - 1; i-- > 0;)
		if (links->rank[i] < links->rank[least])
			least = i;
	return least;
}

static void
remove_link(HxLinks *links, unsigned at)
{
	links->count--;
	memmove(links->link + at, links->link + at + 1, (links->count - at) * sizeof(HxCandidate));
	memmove(links->rank + at, links->rank + at + 1, links->count - at);
}

/* Inserts a link behind those that are as near. */
static void
insert_link(HxLinks *links, HxCandidate link, HxLinkRank rank)
{
	unsigned	at = links->count++;

	for (; at > 0 && links->link[at - 1].distance > link.distance; at--)
	{
		links->link[at] = links->link[at - 1];
		links->rank[at] = links->rank[at - 1];
	}
	links->link[at] = link;
	links->rank[at] = (uint8_t) rank;
}

void
hx_links_offer(HxLinks *links, unsigned m, HxCandidate offered, HxOfferDistance distance,
			   void *context)
{
	HxLinkRank	rank;

	for (unsigned i = 0; i < links->count; i++)
		if (links->link[i].node == offered.node)
			return;
	rank = rank_among(links, offered, distance, context);
	if (rank != HX_LINK_FILLING)
		lower_behind(links, offered, rank, distance, context);
	if (links->count == m)
	{
		const unsigned least = find_least(links);

		if (links->rank[least] > rank ||
			(links->rank[least] == rank && links->link[least].distance <= offered.distance))
			return;
		remove_link(links, least);
	}
	insert_link(links, offered, rank);
}
