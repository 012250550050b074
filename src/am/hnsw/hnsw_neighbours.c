/*
 * hnsw_neighbours.c
 *	  The neighbours of a new node; see hnsw_neighbours.h.
 *
 * The search keeps the own vectors and versions of the nodes that it visits. So the choice among
 * them reads no page again, and a link back goes only to a node that is unchanged.
 */
#include "am/hnsw/hnsw_neighbours.h"

#include <math.h>

#include "graph/entries.h"
#include "utils/memutils.h"

/*
 * The search pauses after so little effort, about that of a fast scan, to see whether it has met a
 * vector equal to ours, and how near it has come.
 */
#define EFFORT_FOR_EQUAL 24

/* On the beam of estimates a node stands several times: as many nodes need a wider one. */
#define EFFORT_PER_EF 2

/*
 * With fewer dimensions links are shorter than what estimates of entries tell apart, and the first
 * node of a search says nothing of clusters.
 */
#define LEAST_DIMS_ALOOF 3

HnswNeighbours *
hnsw_neighbours_new(void)
{
	HnswNeighbours *neighbours = palloc0(sizeof(HnswNeighbours));

	neighbours->context = CurrentMemoryContext;
	neighbours->search = hnsw_search_new(CurrentMemoryContext);
	return neighbours;
}

static const uint8 *
vector_of(const HnswNeighbours *neighbours, unsigned seen)
{
	return neighbours->vectors + (Size) seen * neighbours->shape.own_bytes;
}

/* Makes room for twice as many seen nodes. */
static void
grow_seen(HnswNeighbours *neighbours)
{
	unsigned	room = neighbours->seen_room > 0 ? 2 * neighbours->seen_room : 256;
	Size		bytes[] = {
		mul_size(room, sizeof(HnswSeen)), mul_size(room, neighbours->shape.own_bytes),
		mul_size(room, sizeof(HxCandidate)), mul_size(room, sizeof(int16)),
	};
	void	   *old[] = {
		neighbours->seen, neighbours->vectors, neighbours->candidates, neighbours->opened_at,
	};
	void	   *larger[lengthof(old)];

	for (int i = 0; i < lengthof(old); i++)
		larger[i] = old[i] != NULL ? repalloc_huge(old[i], bytes[i]) :
			MemoryContextAllocHuge(neighbours->context, bytes[i]);
	neighbours->seen = larger[0];
	neighbours->vectors = larger[1];
	neighbours->candidates = larger[2];
	neighbours->opened_at = larger[3];
	neighbours->seen_room = room;
}

/* HnswVisit: remembers a node and its vector. */
static void
remember_node(void *context, HxNode node, HnswNodeHead *head, float distance)
{
	HnswNeighbours *neighbours = context;
	const uint8 *own = neighbours->expander.own;
	Size		bytes = neighbours->shape.own_bytes;

	if (head->state != HNSW_NODE)
		return;
	if (neighbours->seen_count == neighbours->seen_room)
		grow_seen(neighbours);
	hnsw_offers_meet(neighbours->offers, head);
	if (memcmp(own, neighbours->stored, bytes) == 0)
		neighbours->equal = neighbours->seen_count;
	memcpy(neighbours->vectors + neighbours->seen_count * bytes, own, bytes);
	neighbours->seen[neighbours->seen_count++] = (HnswSeen) {
		node, head->version, neighbours->shape.metric == HNSW_IP ?
		hnsw_query_link_distance(&neighbours->query, own) : distance,
	};
}

/* Makes the vector the query. */
static void
begin_search(HnswNeighbours *neighbours, Relation index)
{
	const HnswCache *cache = neighbours->cache;
	MemoryContext old = MemoryContextSwitchTo(neighbours->context);

	hnsw_query_stored(&neighbours->query, &neighbours->shape, neighbours->stored);
	if (neighbours->offers == NULL)
		neighbours->offers = hnsw_offers_new(&neighbours->shape, &neighbours->expander);
	MemoryContextSwitchTo(old);
	hnsw_offers_begin(neighbours->offers, cache->centre);
	hnsw_query_prepare(&neighbours->query, cache->centre, cache->largest_norm);
	hnsw_expander_init(&neighbours->expander, index, &neighbours->query, remember_node,
					   neighbours);
	hx_search_begin(neighbours->search, hnsw_expand, &neighbours->expander);
	hnsw_seed_entries(neighbours->search, &neighbours->query, cache);
}

void
hnsw_neighbours_find(HnswNeighbours *neighbours, Relation index, HnswCache *cache,
					 const uint8 *stored)
{
	neighbours->shape = cache->shape;
	neighbours->cache = cache;
	neighbours->stored = stored;
	neighbours->seen_count = 0;
	neighbours->equal = -1;
	begin_search(neighbours, index);
	hx_search_run(neighbours->search, EFFORT_FOR_EQUAL);
	neighbours->early = INFINITY;
	for (unsigned i = 0; i < neighbours->seen_count; i++)
		neighbours->early = Min(neighbours->early, neighbours->seen[i].distance);
	if (neighbours->equal < 0)
		hx_search_run(neighbours->search, EFFORT_PER_EF * cache->ef_construction);
}

static int
compare_candidates(const void *a, const void *b)
{
	const HxCandidate *left = a;
	const HxCandidate *right = b;

	if (left->distance != right->distance)
		return left->distance < right->distance ? -1 : 1;
	return left->node < right->node ? -1 : left->node > right->node;
}

/* A candidate as a query, ready for distances and codes. */
static const HnswQuery *
open_candidate(HnswNeighbours *neighbours, unsigned candidate)
{
	if (neighbours->opened_at[candidate] < 0)
	{
		unsigned	at = neighbours->opened_count++;
		MemoryContext old = MemoryContextSwitchTo(neighbours->context);

		hnsw_query_stored(&neighbours->opened[at], &neighbours->shape,
						  vector_of(neighbours, neighbours->candidates[candidate].node));
		hnsw_query_prepare(&neighbours->opened[at], neighbours->cache->centre,
						   neighbours->cache->largest_norm);
		MemoryContextSwitchTo(old);
		neighbours->opened_at[candidate] = at;
	}
	return &neighbours->opened[neighbours->opened_at[candidate]];
}

/* HxPairDistance: the nearer of the two has been chosen, at most m ever are. */
static float
pair_distance(void *context, unsigned a, unsigned b)
{
	HnswNeighbours *neighbours = context;
	const HnswQuery *nearer = open_candidate(neighbours, Min(a, b));

	return hnsw_query_link_distance(nearer,
									vector_of(neighbours, neighbours->candidates[Max(a, b)].node));
}

void
hnsw_neighbours_choose(HnswNeighbours *neighbours)
{
	unsigned	count = neighbours->seen_count;

	/* The first node of an index has seen none, and there are no arrays yet. */
	if (count == 0)
	{
		neighbours->count = 0;
		return;
	}
	for (unsigned i = 0; i < count; i++)
		neighbours->candidates[i] = (HxCandidate) {neighbours->seen[i].distance, i};
	qsort(neighbours->candidates, count, sizeof(HxCandidate), compare_candidates);
	memset(neighbours->opened_at, -1, count * sizeof(int16));
	neighbours->opened_count = 0;

	HxChoice	choice = {
		.candidates = neighbours->candidates,
		.count = count,
		.offset = hnsw_link_offset(&neighbours->shape, neighbours->cache->largest_norm),
		.pair = pair_distance,
		.context = neighbours,
	};

	neighbours->count = hx_graph_select(&choice, neighbours->shape.m, neighbours->chosen);
}

/* The node that was chosen as number i. */
static const HnswSeen *
chosen_node(const HnswNeighbours *neighbours, unsigned i)
{
	return &neighbours->seen[neighbours->candidates[neighbours->chosen[i]].node];
}

void
hnsw_neighbours_link(HnswNeighbours *neighbours, HnswNodeHead *head)
{
	const HnswShape *shape = &neighbours->shape;

	head->links = neighbours->count;
	for (unsigned i = 0; i < neighbours->count; i++)
	{
		HxLink	   *link = &hnsw_node_links(shape, head)[i];

		link->node = chosen_node(neighbours, i)->node;
		hnsw_link_make(shape, neighbours->cache->centre, &neighbours->query,
					   open_candidate(neighbours, neighbours->chosen[i]), link,
					   hnsw_node_code(shape, head, i));
	}
}

unsigned
hnsw_neighbours_offer(HnswNeighbours *neighbours, HxNode number)
{
	HnswOffers *offers = neighbours->offers;

	for (unsigned i = 0; i < neighbours->count; i++)
	{
		HnswOffer  *offer = &offers->offer[i];

		offer->to = chosen_node(neighbours, i)->node;
		offer->version = chosen_node(neighbours, i)->version;
		offer->query = open_candidate(neighbours, neighbours->chosen[i]);
		hnsw_link_make(&neighbours->shape, neighbours->cache->centre, offer->query,
					   &neighbours->query, &offer->link, offer->code);
	}
	offers->count = neighbours->count;
	offers->nearest = offers->count > 0 ? offers->offer[0].to : HX_NODE_NONE;
	return hnsw_offers_give(offers, number);
}

/* How far the neighbour chosen as number i is. */
static float
distance_to(const HnswNeighbours *neighbours, unsigned i)
{
	return neighbours->candidates[neighbours->chosen[i]].distance;
}

bool
hnsw_neighbours_lack(const HnswNeighbours *neighbours, unsigned links_back)
{
	unsigned	count = neighbours->count;

	if (links_back == 0 || neighbours->early > distance_to(neighbours, count - 1))
		return true;
	if (neighbours->shape.metric == HNSW_IP || neighbours->shape.dims < LEAST_DIMS_ALOOF)
		return false;

	double		nodes = hnsw_nodes_in(&neighbours->shape, neighbours->expander.blocks);
	double		aloof = hx_graph_aloof(neighbours->shape.dims, nodes,
									   neighbours->cache->entry_count, neighbours->shape.m);

	return neighbours->seen[0].distance > aloof * distance_to(neighbours, count / 2);
}
