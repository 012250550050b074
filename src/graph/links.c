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

/* Whether a link stands in the way of a neighbour also when the rule is relaxed. */
static inline bool
is_in_way(float between, float own, float offset)
{
	return RELAXED * (between + offset) < own + offset;
}

/* The distance between a candidate and the first firm link that is nearer to it than the node. */
static float
find_obstacle(const HxChoice *choice, unsigned at, const unsigned *firm, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
	{
		const float between = choice->pair(choice->context, at, firm[i]);

		if (between < choice->candidates[at].distance)
			return between;
	}
	return INFINITY;
}

/*
 * The positions of the firm ones, ascending; returns how many. Also of those which are doubtful:
 * what was found to stand in their way does not when the rule is relaxed.
 */
static unsigned
find_firm(const HxChoice *choice, unsigned m, unsigned *firm, unsigned *doubtful,
		  unsigned *doubtful_count)
{
	unsigned	found = 0;

	*doubtful_count = 0;
	for (unsigned i = 0; i < choice->count && found < m; i++)
	{
		const float between = find_obstacle(choice, i, firm, found);

		if (between == INFINITY)
			firm[found++] = i;
		else if (*doubtful_count < MOST_DOUBTFUL &&
				 !is_in_way(between, choice->candidates[i].distance, choice->offset))
			doubtful[(*doubtful_count)++] = i;
	}
	return found;
}

static bool
is_apart_from(const HxChoice *choice, unsigned at, const unsigned *links, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (is_in_way(choice->pair(choice->context, at, links[i]),
					  choice->candidates[at].distance, choice->offset))
			return false;
	return true;
}

/* Those of the doubtful that stand apart, at most `room`, in the same way. */
static unsigned
find_apart(const HxChoice *choice, const unsigned *doubtful, unsigned count, unsigned room,
		   const unsigned *firm, unsigned firm_count, unsigned *apart)
{
	unsigned	before = 0;		/* firm ones nearer than the candidate */
	unsigned	found = 0;

	for (unsigned i = 0; i < count && found < room; i++)
	{
		const unsigned at = doubtful[i];

		while (before < firm_count && firm[before] < at)
			before++;
		if (is_apart_from(choice, at, firm, before) && is_apart_from(choice, at, apart, found))
			apart[found++] = at;
	}
	return found;
}

unsigned
hx_links_select(const HxChoice *choice, unsigned m, unsigned *chosen, uint8_t *rank)
{
	unsigned	firm[HX_GRAPH_MAX_LINKS];
	unsigned	apart[HX_GRAPH_MAX_LINKS];
	unsigned	doubtful[MOST_DOUBTFUL];
	unsigned	doubtful_count;
	const unsigned firm_count = find_firm(choice, m, firm, doubtful, &doubtful_count);
	const unsigned apart_count = find_apart(choice, doubtful, doubtful_count, m - firm_count,
											firm, firm_count, apart);
	unsigned	filling = m - firm_count - apart_count;
	unsigned	next_firm = 0;
	unsigned	next_apart = 0;
	unsigned	chosen_count = 0;

	/* All ranks in one ascending order. */
	for (unsigned i = 0; i < choice->count && chosen_count < m; i++)
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
hx_graph_select(const HxChoice *choice, unsigned m, unsigned *chosen)
{
	uint8_t		rank[HX_GRAPH_MAX_LINKS];

	return hx_links_select(choice, m, chosen, rank);
}

/* Ranks of candidates, found as they are asked for. */
typedef struct Ranks
{
	const HxChoice *choice;
	bool		known[HX_GRAPH_MAX_LINKS + 1];
	uint8_t		rank[HX_GRAPH_MAX_LINKS + 1];
} Ranks;

/* The rank of a candidate, which depends on those of the nearer ones that are near to it. */
static HxLinkRank
find_rank(Ranks *ranks, unsigned at)
{
	const HxChoice *choice = ranks->choice;
	const float own = choice->candidates[at].distance;
	bool		firm = true;
	bool		apart = true;

	if (ranks->known[at])
		return ranks->rank[at];
	for (unsigned i = 0; i < at && (firm || apart); i++)
	{
		const float between = choice->pair(choice->context, at, i);
		HxLinkRank	rank;

		if (!(between < own))
			continue;
		rank = find_rank(ranks, i);
		if (rank != HX_LINK_FILLING && is_in_way(between, own, choice->offset))
			apart = false;
		if (rank == HX_LINK_FIRM)
			firm = false;
	}
	ranks->known[at] = true;
	ranks->rank[at] = firm ? HX_LINK_FIRM : apart ? HX_LINK_APART : HX_LINK_FILLING;
	return ranks->rank[at];
}

/* What a candidate is worth: its rank; more than any rank if it is not spare. */
static unsigned
find_worth(Ranks *ranks, const bool *spare, unsigned at)
{
	return find_rank(ranks, at) + (spare[at] ? 0 : HX_LINK_FIRM + 1);
}

unsigned
hx_graph_least(const HxChoice *choice, unsigned offered, const bool *spare)
{
	Ranks		ranks = {.choice = choice};
	unsigned	least = choice->count - 1;

	if (find_worth(&ranks, spare, offered) == HX_LINK_FILLING)
		return offered;

	/* Most often the farthest fills, and the ranks of few others tell that. */
	for (unsigned i = choice->count; i-- > 0 && find_worth(&ranks, spare, least) > 0;)
		if (find_worth(&ranks, spare, i) < find_worth(&ranks, spare, least))
			least = i;
	return least;
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
		if (is_in_way(between, offered.distance, links->offset))
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
		if (is_in_way(between, own, links->offset))
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
