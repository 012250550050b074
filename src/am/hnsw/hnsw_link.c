/*
 * hnsw_link.c
 *	  The choice among a node's links by their codes; see hnsw_link.h.
 *
 * The codes of two neighbours, both relative to their node, tell the angle between them, and
 * a link's factor tells its length. That is enough for the rule of graph/build.h without
 * reading the neighbours' own pages.
 */
#include "am/hnsw/hnsw_link.h"

#include "graph/build.h"

void
hnsw_circle_init(HnswCircle *circle, const HnswShape *shape, const uint8 *node_own)
{
	circle->shape = shape;
	circle->node_own = node_own;
	circle->count = 0;
}

void
hnsw_circle_add(HnswCircle *circle, const HxLink *links, const uint8 *codes, unsigned count)
{
	Assert(circle->count + count <= HNSW_CIRCLE_LINKS);
	hx_link_lengths(&circle->shape->link, circle->node_own, links, codes, count,
					circle->squared + circle->count);
	for (unsigned i = 0; i < count; i++)
		circle->code[circle->count + i] = codes + i * circle->shape->code_bytes;
	circle->count += count;
}

/* The circle's positions sorted by distance. */
typedef struct Sorted
{
	const HnswCircle *circle;
	HxCandidate candidate[HNSW_CIRCLE_LINKS];	/* node: the position */
} Sorted;

/* HxPairDistance */
static float
pair_distance(void *context, unsigned a, unsigned b)
{
	const Sorted *sorted = context;
	const HnswCircle *circle = sorted->circle;
	HxNode		at_a = sorted->candidate[a].node;
	HxNode		at_b = sorted->candidate[b].node;

	return hx_link_pair(&circle->shape->link, circle->code[at_a], circle->squared[at_a],
						circle->code[at_b], circle->squared[at_b]);
}

unsigned
hnsw_circle_select(const HnswCircle *circle, unsigned m, unsigned *chosen)
{
	Sorted		sorted = {.circle = circle};

	/* They come nearly sorted: those of the node by distance, then others by estimate. */
	for (unsigned i = 0; i < circle->count; i++)
	{
		unsigned	at = i;

		for (; at > 0 && circle->squared[i] < sorted.candidate[at - 1].distance; at--)
			sorted.candidate[at] = sorted.candidate[at - 1];
		sorted.candidate[at] = (HxCandidate) {circle->squared[i], i};
	}

	unsigned	count = hx_graph_select(sorted.candidate, circle->count, m, pair_distance,
										&sorted, chosen);

	for (unsigned i = 0; i < count; i++)
		chosen[i] = sorted.candidate[chosen[i]].node;
	return count;
}

int
hnsw_link_place(const HnswShape *shape, HnswNodeHead *head, const HxLink *link, const uint8 *code)
{
	const HxLink *links = hnsw_node_links(shape, head);
	HnswCircle	circle;
	unsigned	chosen[HX_GRAPH_MAX_LINKS];
	uint64		kept = 0;

	/* A stale link to the same number is as good as the new one is better. */
	for (unsigned i = 0; i < head->links; i++)
		if (links[i].node == link->node)
			return i;
	if (head->links < shape->m)
		return head->links;

	hnsw_circle_init(&circle, shape, hnsw_node_own(head));
	hnsw_circle_add(&circle, links, hnsw_node_code(shape, head, 0), head->links);
	hnsw_circle_add(&circle, link, code, 1);

	unsigned	count = hnsw_circle_select(&circle, shape->m, chosen);

	for (unsigned i = 0; i < count; i++)
		if (chosen[i] < head->links)
			kept |= UINT64_C(1) << chosen[i];
	for (unsigned i = 0; i < head->links; i++)
		if (!(kept & (UINT64_C(1) << i)))
			return i;
	return -1;
}

void
hnsw_link_put(const HnswShape *shape, HnswNodeHead *head, unsigned place, const HxLink *link,
			  const uint8 *code)
{
	hnsw_node_links(shape, head)[place] = *link;
	memcpy(hnsw_node_code(shape, head, place), code, shape->code_bytes);
	head->links = Max(head->links, place + 1);
}
