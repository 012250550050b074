/*
 * nearest.c
 *	  Search with exact distances and a beam of fixed width, in memory of fixed size.
 *
 * The nodes seen are remembered in a cache in which a newer node overwrites an older one (as
 * ParlayANN's filter does). So it never grows, and it stays in the first-level cache of the CPU.
 * A node that was forgotten costs its distance once more; if it is on the beam, it is recognized
 * there, because its distance is the same.
 */
#include "graph/nearest.h"

#include <string.h>

#define SEEN_BITS 12
#define SEEN_SLOTS ((size_t) 1 << SEEN_BITS)

/* Entries whose distances are asked for together. */
#define ENTRY_BLOCK HX_GRAPH_MAX_LINKS

void
hx_nearest_init(HxNearest *nearest, HxCompute *compute, const HxPoints *points, unsigned width)
{
	nearest->points = points;
	nearest->width = width;
	nearest->count = 0;
	nearest->scratch = hx_scratch(compute, 1, points->scratch_bytes);
	nearest->beam = hx_scratch(compute, width + 1, sizeof(HxCandidate));
	nearest->expanded = hx_scratch(compute, width + 1, sizeof(bool));
	nearest->seen = hx_scratch(compute, SEEN_SLOTS, sizeof(HxNode));
	nearest->ask = hx_scratch(compute, ENTRY_BLOCK, sizeof(HxNode));
	nearest->answer = hx_scratch(compute, ENTRY_BLOCK, sizeof(float));
}

/* Remembers the node; false when it is remembered already. */
static bool
remember(HxNearest *nearest, HxNode node)
{
	HxNode	   *slot = &nearest->seen[node * UINT32_C(0x9e3779b1) >> (32 - SEEN_BITS)];

	if (*slot == node)
		return false;
	*slot = node;
	return true;
}

/* The order of the beam: by distance, equals by number. */
static inline bool
is_before(HxCandidate a, HxCandidate b)
{
	return (a.distance < b.distance) | ((a.distance == b.distance) & (a.node < b.node));
}

/* Where the candidate belongs on the beam. No processor could predict the branches of a search. */
static unsigned
find_place(const HxNearest *nearest, HxCandidate candidate)
{
	unsigned	place = 0;

	for (unsigned left = nearest->count; left > 0;)
	{
		const unsigned half = (left + 1) / 2;

		place += is_before(nearest->beam[place + half - 1], candidate) ? half : 0;
		left -= half;
	}
	return place;
}

/* Puts a candidate on the beam; returns its place, or the width when it has none. */
static unsigned
put(HxNearest *nearest, HxCandidate candidate)
{
	HxCandidate *beam = nearest->beam;
	unsigned	at;

	if (nearest->count == nearest->width &&
		candidate.distance >= beam[nearest->count - 1].distance)
		return nearest->width;
	at = find_place(nearest, candidate);
	if (at < nearest->count && beam[at].node == candidate.node)
		return nearest->width;

	/* There is room for one more than the width: the last falls off. */
	memmove(beam + at + 1, beam + at, (nearest->count - at) * sizeof(HxCandidate));
	memmove(nearest->expanded + at + 1, nearest->expanded + at,
			(nearest->count - at) * sizeof(bool));
	beam[at] = candidate;
	nearest->expanded[at] = false;
	if (nearest->count < nearest->width)
		nearest->count++;
	return at;
}

/*
 * Asks for the distances of those of the nodes that are new; returns the first place taken. The
 * links of those that take one are loaded, as they may be asked for next.
 */
static unsigned
look_at(HxNearest *nearest, HxNode from, const HxNode *nodes, size_t count, const HxNode *links,
		unsigned m)
{
	unsigned	first = nearest->width;
	unsigned	asked = 0;

	for (size_t i = 0; i < count && nodes[i] != HX_NODE_NONE; i++)
		if (nodes[i] != from && remember(nearest, nodes[i]))
			nearest->ask[asked++] = nodes[i];
	nearest->points->distances(nearest->points->context, nearest->scratch, nearest->ask, asked,
							   nearest->answer);
	for (unsigned i = 0; i < asked; i++)
	{
		const unsigned at = put(nearest, (HxCandidate) {nearest->answer[i], nearest->ask[i]});

		if (at < first)
		{
			const HxNode *next = links + (size_t) nearest->ask[i] * m;

			__builtin_prefetch(next);
			__builtin_prefetch(next + m - 1);
			first = at;
		}
	}
	return first;
}

void
hx_nearest_search(HxNearest *nearest, HxNode from, const HxNode *links, unsigned m,
				  const HxNode *entries, size_t entry_count)
{
	unsigned	next = 0;

	nearest->points->open(nearest->points->context, nearest->scratch, from);
	memset(nearest->seen, 0xff, SEEN_SLOTS * sizeof(HxNode));
	nearest->count = 0;
	for (size_t i = 0; i < entry_count; i += ENTRY_BLOCK)
		look_at(nearest, from, entries + i,
				entry_count - i < ENTRY_BLOCK ? entry_count - i : ENTRY_BLOCK, links, m);

	while (next < nearest->count)
	{
		unsigned	first;

		if (nearest->expanded[next])
		{
			next++;
			continue;
		}
		nearest->expanded[next] = true;
		first = look_at(nearest, from, links + (size_t) nearest->beam[next].node * m, m, links,
						m);
		next = first <= next ? first : next + 1;
	}
}
