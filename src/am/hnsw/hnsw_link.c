/*
 * hnsw_link.c
 *	  The choice among a node's links by their codes; see hnsw_link.h.
 *
 * The codes of two neighbours, both relative to their node, tell the angle between them, and a
 * link's factor tells its length. That is enough for the rule of graph/build.h, without reading
 * the neighbours' own pages.
 *
 * Under ip, link distances contain an inner product. For the node v and a neighbour, it is
 * estimated from the neighbour's code with v as the query; for two neighbours it is <a, b> = <v,
 * a> + <v, b> - |v|^2 + <a - v, b - v>.
 */
#include "am/hnsw/hnsw_link.h"

#include "graph/build.h"

struct HnswCircle
{
	const HnswShape *shape;
	const HnswQuery *node;
	unsigned	count;
	const uint8 *code[HNSW_CIRCLE_LINKS];	/* as added */
	float		length[HNSW_CIRCLE_LINKS];	/* of the residuals; not of hamming */
	float		distance[HNSW_CIRCLE_LINKS];	/* search distance to the node */

	/* Sorted by link distance; `node` is the number as added. */
	HxCandidate sorted[HNSW_CIRCLE_LINKS];
	float		sorted_length[HNSW_CIRCLE_LINKS];
	uint8	   *codes;

	/* Of each of the sorted the distances to those before it, when they have been asked for. */
	float	   *pairs;
	bool		has_pairs[HNSW_CIRCLE_LINKS];
	void	   *memory;			/* of hx_link_pairs() */
};

HnswCircle *
hnsw_circle_new(const HnswShape *shape)
{
	HnswCircle *circle = palloc0(sizeof(HnswCircle));

	circle->shape = shape;
	circle->codes = palloc((Size) HNSW_CIRCLE_LINKS * shape->code_bytes);
	circle->pairs = palloc(HNSW_CIRCLE_LINKS * HNSW_CIRCLE_LINKS * sizeof(float));
	circle->memory = (void *) TYPEALIGN(64, palloc(hx_link_query_bytes(&shape->link) + 64));
	return circle;
}

void
hnsw_circle_begin(HnswCircle *circle, const HnswQuery *node)
{
	circle->node = node;
	circle->count = 0;
}

unsigned
hnsw_circle_count(const HnswCircle *circle)
{
	return circle->count;
}

/* The distances of the node to neighbours, as their codes tell. */
static void
find_distances(const HnswCircle *circle, const HxLink *links, const uint8 *codes, unsigned count,
			   const float *length, float *distance)
{
	const HnswQuery *node = circle->node;

	if (circle->shape->link.metric == HX_LINK_L2)
		for (unsigned i = 0; i < count; i++)
			distance[i] = length[i] * length[i];
	else
		for (unsigned i = 0; i < count; i += HX_MAX_LINKS)
			hx_link_estimate(&node->link, (float) -(node->norm * node->norm), links + i,
							 codes + i * circle->shape->code_bytes, Min(count - i, HX_MAX_LINKS),
							 distance + i);
}

void
hnsw_circle_add(HnswCircle *circle, const HxLink *links, const uint8 *codes, unsigned count)
{
	const HnswShape *shape = circle->shape;
	float	   *length = circle->length + circle->count;

	Assert(circle->count + count <= HNSW_CIRCLE_LINKS);
	if (shape->metric != HNSW_HAMMING)
		hx_link_lengths(&shape->link, links, count, length);
	find_distances(circle, links, codes, count, length, circle->distance + circle->count);
	for (unsigned i = 0; i < count; i++)
		circle->code[circle->count + i] = codes + i * shape->code_bytes;
	circle->count += count;
}

static inline double
square(double x)
{
	return x * x;
}

/* The link distance of the node to the neighbour that was added as number i. */
static float
link_distance(const HnswCircle *circle, unsigned i)
{
	return circle->shape->metric != HNSW_IP ? circle->distance[i] :
		hnsw_ip_link_distance(-circle->distance[i], square(circle->length[i]));
}

/* Sorts the circle by distance, and lays the codes out in that order. */
static void
sort_circle(HnswCircle *circle)
{
	HxCandidate *sorted = circle->sorted;
	Size		bytes = circle->shape->code_bytes;

	/* They come nearly sorted: those of the node by distance, then others by estimate. */
	for (unsigned i = 0; i < circle->count; i++)
	{
		const float distance = link_distance(circle, i);
		unsigned	at = i;

		for (; at > 0 && distance < sorted[at - 1].distance; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = (HxCandidate) {distance, i};
	}
	for (unsigned i = 0; i < circle->count; i++)
	{
		circle->sorted_length[i] = circle->length[sorted[i].node];
		circle->has_pairs[i] = false;
		memcpy(circle->codes + i * bytes, circle->code[sorted[i].node], bytes);
	}
}

/* Makes link distances of squared distances to those before `at`. */
static void
add_products(const HnswCircle *circle, unsigned at, float *pairs)
{
	const HxCandidate *sorted = circle->sorted;

	for (unsigned i = 0; i < at; i++)
	{
		/* <a - v, b - v> */
		double		between = (square(circle->sorted_length[at]) +
							   square(circle->sorted_length[i]) - pairs[i]) / 2;

		pairs[i] = hnsw_ip_link_distance(between - circle->distance[sorted[at].node] -
										 circle->distance[sorted[i].node] -
										 square(circle->node->norm), pairs[i]);
	}
}

/* The distances of one of the sorted to those before it. */
static const float *
pairs_of(HnswCircle *circle, unsigned at)
{
	float	   *pairs = circle->pairs + (Size) at * HNSW_CIRCLE_LINKS;

	if (!circle->has_pairs[at])
	{
		hx_link_pairs(&circle->shape->link, circle->codes, circle->sorted_length, at, at,
					  circle->memory, pairs);
		if (circle->shape->metric == HNSW_IP)
			add_products(circle, at, pairs);
		circle->has_pairs[at] = true;
	}
	return pairs;
}

/* HxPairDistance over the sorted */
static float
pair_distance(void *context, unsigned a, unsigned b)
{
	return pairs_of(context, Max(a, b))[Min(a, b)];
}

/* What the rule chooses among. */
static HxChoice
choice_of(HnswCircle *circle)
{
	sort_circle(circle);
	return (HxChoice) {
		.candidates = circle->sorted,
		.count = circle->count,
		.offset = hnsw_link_offset(circle->shape, circle->node->largest_norm),
		.pair = pair_distance,
		.context = circle,
	};
}

unsigned
hnsw_circle_select(HnswCircle *circle, unsigned m, unsigned *chosen)
{
	HxChoice	choice = choice_of(circle);
	unsigned	count = hx_graph_select(&choice, m, chosen);

	for (unsigned i = 0; i < count; i++)
		chosen[i] = circle->sorted[chosen[i]].node;
	return count;
}

int
hnsw_link_place(HnswCircle *circle, const HnswQuery *node, HnswNodeHead *head,
				const HxLink *link, const uint8 *code, const bool *spare)
{
	const HnswShape *shape = circle->shape;
	const HxLink *links = hnsw_node_links(shape, head);

	/* A stale link to the same number is as good as the new one is better. */
	for (unsigned i = 0; i < head->links; i++)
		if (links[i].node == link->node)
			return i;
	if (head->links < shape->m)
		return head->links;

	hnsw_circle_begin(circle, node);
	hnsw_circle_add(circle, links, hnsw_node_code(shape, head, 0), head->links);
	hnsw_circle_add(circle, link, code, 1);

	HxChoice	choice = choice_of(circle);
	bool		sorted_spare[HX_GRAPH_MAX_LINKS + 1];
	unsigned	offered = 0;

	for (unsigned i = 0; i < circle->count; i++)
	{
		sorted_spare[i] = spare[circle->sorted[i].node];
		if (circle->sorted[i].node == head->links)
			offered = i;
	}

	unsigned	least = hx_graph_least(&choice, offered, sorted_spare);

	return least != offered && sorted_spare[least] ? (int) circle->sorted[least].node : -1;
}

void
hnsw_link_put(const HnswShape *shape, HnswNodeHead *head, unsigned place, const HxLink *link,
			  const uint8 *code)
{
	hnsw_node_links(shape, head)[place] = *link;
	memcpy(hnsw_node_code(shape, head, place), code, shape->code_bytes);
	head->links = Max(head->links, place + 1);
}
