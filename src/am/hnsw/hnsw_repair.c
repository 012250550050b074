/*
 * hnsw_repair.c
 *	  Other neighbours for nodes that link to dead ones; see hnsw_repair.h.
 *
 * The dead nodes still have their links, and codes that estimate how far the targets are from the
 * node to be repaired. So the candidates are ranked without reading them. The best few are read
 * for true codes, and the rule of graph/build.h chooses (FreshDiskANN, with estimates). Where
 * whole neighbourhoods have died, chains of dead nodes are followed, nearest first; where that
 * finds too little, a search from the entries does.
 */
#include "am/hnsw/hnsw_repair.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "am/hnsw/hnsw_entries.h"
#include "am/hnsw/hnsw_expand.h"
#include "am/hnsw/hnsw_link.h"
#include "storage/lmgr.h"

/* Dead nodes that are visited for one node. */
#define MOST_VISITS (2 * HX_GRAPH_MAX_LINKS)

/* Candidates that are read: some more than there are links to replace. */
#define MOST_READ (2 * HX_GRAPH_MAX_LINKS)
#define READ_BESIDES 4

/* The effort of a search from the entries. */
#define SEARCH_EFFORT 64

struct HnswRepair
{
	Relation	index;
	const HnswDead *dead;
	const HnswShape *shape;
	HnswCache  *cache;			/* of this node's repair */
	HnswQuery	query;			/* the node */
	HnswQuery	other;			/* a candidate */
	HnswExpander expander;
	HxSearch   *search;
	HxExpansion expansion;

	/* Living nodes met, and dead ones to be visited: ascending by number, or by estimate. */
	HxCandidate *candidates;
	unsigned	candidate_count;
	unsigned	candidate_room;
	HxCandidate chain[MOST_VISITS];	/* dead nodes, those before `visited` done */
	unsigned	chain_count;
	unsigned	visited;

	/* Links to candidates that have been read, relative to the node. */
	HxLink		link[MOST_READ];
	uint8	   *codes;
	unsigned	link_count;
	HnswCircle *circle;
};

HnswRepair *
hnsw_repair_new(Relation index, const HnswDead *dead)
{
	HnswRepair *repair = palloc0(sizeof(HnswRepair));
	HnswShape  *shape = palloc(sizeof(HnswShape));

	*shape = hnsw_cache(index)->shape;
	repair->index = index;
	repair->dead = dead;
	repair->shape = shape;
	repair->query.shape = shape;
	hnsw_expander_init(&repair->expander, index, &repair->query, NULL, NULL);
	repair->search = hnsw_search_new(CurrentMemoryContext);
	repair->codes = palloc((Size) MOST_READ * shape->code_bytes);
	repair->circle = hnsw_circle_new(shape);
	repair->candidate_room = 4 * HX_GRAPH_MAX_LINKS;
	repair->candidates = palloc(repair->candidate_room * sizeof(HxCandidate));
	return repair;
}

static bool
is_linked(const HnswShape *shape, HnswNodeHead *head, HxNode node)
{
	const HxLink *links = hnsw_node_links(shape, head);

	for (unsigned i = 0; i < head->links; i++)
		if (links[i].node == node)
			return true;
	return false;
}

static void
add_candidate(HnswRepair *repair, HxNode node, float distance)
{
	if (repair->candidate_count == repair->candidate_room)
	{
		repair->candidate_room *= 2;
		repair->candidates = repalloc_huge(repair->candidates,
										   repair->candidate_room * sizeof(HxCandidate));
	}
	repair->candidates[repair->candidate_count++] = (HxCandidate) {distance, node};
}

/* Puts a dead node among those to be visited, nearest first; the farthest give way. */
static void
add_to_chain(HnswRepair *repair, HxNode node, float distance)
{
	unsigned	at;

	for (unsigned i = 0; i < repair->chain_count; i++)
		if (repair->chain[i].node == node)
			return;
	if (repair->chain_count < MOST_VISITS)
		repair->chain_count++;
	else if (repair->visited == MOST_VISITS ||
			 distance >= repair->chain[MOST_VISITS - 1].distance)
		return;
	for (at = repair->chain_count - 1;
		 at > repair->visited && distance < repair->chain[at - 1].distance; at--)
		repair->chain[at] = repair->chain[at - 1];
	repair->chain[at] = (HxCandidate) {distance, node};
}

/* Visits a dead node: its links become candidates or, if dead, go to the chain. */
static void
visit_dead(HnswRepair *repair, HxNode node, HnswNodeHead *copy, HxNode dead_node)
{
	HxExpansion *expansion = &repair->expansion;

	if (!hnsw_expand(&repair->expander, dead_node, expansion))
		return;
	for (unsigned i = 0; i < expansion->count; i++)
	{
		HxNode		met = expansion->node[i];

		if (hnsw_dead_has(repair->dead, met))
			add_to_chain(repair, met, expansion->estimate[i]);
		else if (met != node && !is_linked(repair->shape, copy, met))
			add_candidate(repair, met, expansion->estimate[i]);
	}
}

static int
compare_numbers(const void *a, const void *b)
{
	const HxCandidate *left = a;
	const HxCandidate *right = b;

	if (left->node != right->node)
		return left->node < right->node ? -1 : 1;
	return left->distance < right->distance ? -1 : left->distance > right->distance;
}

static int
compare_distances(const void *a, const void *b)
{
	const HxCandidate *left = a;
	const HxCandidate *right = b;

	if (left->distance != right->distance)
		return left->distance < right->distance ? -1 : 1;
	return left->node < right->node ? -1 : left->node > right->node;
}

/* Leaves each candidate once, with its least estimate, the nearest first. */
static void
sort_candidates(HnswRepair *repair)
{
	HxCandidate *candidates = repair->candidates;
	unsigned	kept = 0;

	qsort(candidates, repair->candidate_count, sizeof(HxCandidate), compare_numbers);
	for (unsigned i = 0; i < repair->candidate_count; i++)
		if (i == 0 || candidates[i].node != candidates[i - 1].node)
			candidates[kept++] = candidates[i];
	repair->candidate_count = kept;
	qsort(candidates, kept, sizeof(HxCandidate), compare_distances);
}

/* Candidates from the node's dead neighbours, and from theirs while there are too few. */
static void
follow_dead(HnswRepair *repair, HxNode node, HnswNodeHead *copy, unsigned enough)
{
	const HxLink *links = hnsw_node_links(repair->shape, copy);

	repair->candidate_count = 0;
	repair->chain_count = 0;
	repair->visited = 0;
	for (unsigned i = 0; i < copy->links; i++)
		if (hnsw_dead_has(repair->dead, links[i].node))
			add_to_chain(repair, links[i].node, i);

	unsigned	direct = repair->chain_count;

	for (; repair->visited < direct; repair->visited++)
		visit_dead(repair, node, copy, repair->chain[repair->visited].node);
	sort_candidates(repair);
	while (repair->candidate_count < enough && repair->visited < repair->chain_count)
	{
		visit_dead(repair, node, copy, repair->chain[repair->visited++].node);
		sort_candidates(repair);
	}
}

/* A node that search_candidates() has come by. */
typedef struct Search
{
	HnswRepair *repair;
	HxNode		node;
	HnswNodeHead *copy;
} Search;

/* HnswVisit */
static void
take_visited(void *context, HxNode node, HnswNodeHead *head, float distance)
{
	Search	   *search = context;

	if (head->state == HNSW_NODE && node != search->node &&
		!is_linked(search->repair->shape, search->copy, node))
		add_candidate(search->repair, node, distance);
}

/* Candidates from a search that begins at the entries. */
static void
search_candidates(HnswRepair *repair, HxNode node, HnswNodeHead *copy)
{
	Search		search = {repair, node, copy};

	repair->expander.visit = take_visited;
	repair->expander.context = &search;
	hx_search_begin(repair->search, hnsw_expand, &repair->expander);
	hnsw_seed_entries(repair->search, &repair->query, repair->cache);
	hx_search_run(repair->search, SEARCH_EFFORT);
	repair->expander.visit = NULL;
	sort_candidates(repair);
}

/* Reads a candidate and makes the link to it; false when there is no such node any more. */
static bool
make_link(HnswRepair *repair, HxNode candidate, uint8 *own)
{
	const HnswShape *shape = repair->shape;
	Buffer		buf;
	HnswNodeHead *head = hnsw_lock_node(&repair->expander, candidate, &buf);
	HxLink	   *link = &repair->link[repair->link_count];

	if (head == NULL)
		return false;

	bool		alive = head->state == HNSW_NODE;

	hnsw_own_copy(repair->index, shape, candidate, head, own);
	UnlockReleaseBuffer(buf);
	if (!alive)
		return false;

	hnsw_query_stored(&repair->other, shape, own);
	if (shape->metric != HNSW_HAMMING)
		hnsw_centred(shape, repair->cache->centre, repair->other.x, repair->other.y);
	hnsw_link_make(shape, repair->cache->centre, &repair->query, &repair->other, link,
				   repair->codes + (Size) repair->link_count * shape->code_bytes);
	link->node = candidate;
	return true;
}

/* Makes links to the nearest candidates. */
static void
read_candidates(HnswRepair *repair, unsigned count)
{
	uint8	   *own = palloc(repair->shape->own_bytes);

	repair->link_count = 0;
	for (unsigned i = 0; i < repair->candidate_count && repair->link_count < count; i++)
		if (make_link(repair, repair->candidates[i].node, own))
			repair->link_count++;
	pfree(own);
}

/*
 * Sorts the links that were made by preference: those that the rule chooses beside the ones
 * that the node keeps come first, then the others, each by distance. Positions into *order.
 */
static void
rank_links(HnswRepair *repair, HnswNodeHead *copy, unsigned *order)
{
	const HnswShape *shape = repair->shape;
	HnswCircle *circle = repair->circle;
	unsigned	chosen[HNSW_CIRCLE_LINKS];
	bool		taken[MOST_READ] = {0};
	unsigned	ranked = 0;

	hnsw_circle_begin(circle, &repair->query);
	for (unsigned i = 0; i < copy->links; i++)
		if (!hnsw_dead_has(repair->dead, hnsw_node_links(shape, copy)[i].node))
			hnsw_circle_add(circle, &hnsw_node_links(shape, copy)[i],
							hnsw_node_code(shape, copy, i), 1);

	unsigned	kept = hnsw_circle_count(circle);

	hnsw_circle_add(circle, repair->link, repair->codes, repair->link_count);

	unsigned	count = hnsw_circle_select(circle, copy->links, chosen);

	for (unsigned i = 0; i < count; i++)
	{
		if (chosen[i] >= kept)
		{
			taken[chosen[i] - kept] = true;
			order[ranked++] = chosen[i] - kept;
		}
	}
	for (unsigned i = 0; i < repair->link_count; i++)
		if (!taken[i])
			order[ranked++] = i;
}

/* Writes links in the given order over those to dead nodes, and drops these when none is left. */
static void
replace_links(HnswRepair *repair, HxNode node, uint32 version, const unsigned *order)
{
	const HnswShape *shape = repair->shape;
	Buffer		buf = ReadBuffer(repair->index, hnsw_node_block(shape, node));
	unsigned	next = 0;

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	HnswNodeHead *head = hnsw_read_node(repair->index, shape, buf, node);

	if (head == NULL || head->state != HNSW_NODE || head->version != version)
	{
		UnlockReleaseBuffer(buf);
		return;
	}

	GenericXLogState *record = GenericXLogStart(repair->index);

	head = hnsw_node_head(shape, GenericXLogRegisterBuffer(record, buf, 0),
						  hnsw_node_slot(shape, node));
	for (unsigned i = 0; i < head->links;)
	{
		HxLink	   *links = hnsw_node_links(shape, head);

		if (!hnsw_dead_has(repair->dead, links[i].node))
			i++;
		else if (next == repair->link_count)
		{
			unsigned	last = --head->links;

			if (i < last)
				hnsw_link_put(shape, head, i, &links[last], hnsw_node_code(shape, head, last));
		}
		else
		{
			unsigned	at = order[next++];

			/* An insert may have been faster. */
			if (!is_linked(shape, head, repair->link[at].node))
				hnsw_link_put(shape, head, i++, &repair->link[at],
							  repair->codes + (Size) at * shape->code_bytes);
		}
	}
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
}

void
hnsw_repair_node(HnswRepair *repair, HxNode node, HnswNodeHead *copy, const uint8 *own)
{
	const HnswShape *shape = repair->shape;
	unsigned	order[MOST_READ];
	unsigned	lost = 0;

	for (unsigned i = 0; i < copy->links; i++)
		lost += hnsw_dead_has(repair->dead, hnsw_node_links(shape, copy)[i].node);

	/* The gate: no new centre comes between the making of the codes and their writing. */
	LockPage(repair->index, HX_METABLOCK, ShareLock);
	repair->cache = hnsw_cache(repair->index);
	hnsw_query_stored(&repair->query, shape, own);
	hnsw_query_prepare(&repair->query, repair->cache->centre, repair->cache->largest_norm);
	hnsw_expander_init(&repair->expander, repair->index, &repair->query, NULL, NULL);

	follow_dead(repair, node, copy, lost);
	if (copy->links - lost + repair->candidate_count < shape->m / 2)
		search_candidates(repair, node, copy);
	read_candidates(repair, Min(2 * lost + READ_BESIDES, MOST_READ));
	rank_links(repair, copy, order);
	replace_links(repair, node, copy->version, order);
	UnlockPage(repair->index, HX_METABLOCK, ShareLock);
}

/* Entries */

/* What replaces dead entries, and how many there are at most. */
typedef struct EntryRepair
{
	HnswRepair *repair;
	unsigned	kept;
	unsigned	most;
} EntryRepair;

/* A living neighbour of a dead node; HX_NODE_NONE when it has none. */
static HxNode
find_heir(HnswRepair *repair, HxNode dead_node)
{
	const HnswShape *shape = repair->shape;
	HxNode		heir = HX_NODE_NONE;
	Buffer		buf;
	HnswNodeHead *head = hnsw_lock_node(&repair->expander, dead_node, &buf);

	if (head == NULL)
		return HX_NODE_NONE;
	for (unsigned i = 0; i < head->links && heir == HX_NODE_NONE; i++)
		if (!hnsw_dead_has(repair->dead, hnsw_node_links(shape, head)[i].node))
			heir = hnsw_node_links(shape, head)[i].node;
	UnlockReleaseBuffer(buf);
	return heir;
}

/* The node as an entry, or NULL when it is not alive. */
static uint8 *
make_entry(HnswRepair *repair, HxNode node)
{
	const HnswShape *shape = repair->shape;
	Buffer		buf;
	HnswNodeHead *head = hnsw_lock_node(&repair->expander, node, &buf);

	if (head == NULL)
		return NULL;

	bool		alive = head->state == HNSW_NODE;
	uint8	   *own = palloc(shape->own_bytes);

	hnsw_own_copy(repair->index, shape, node, head, own);
	UnlockReleaseBuffer(buf);
	if (!alive)
		return NULL;

	HnswQuery	query = {0};

	hnsw_query_stored(&query, shape, own);
	if (shape->metric != HNSW_HAMMING)
		hnsw_centred(shape, repair->cache->centre, query.x, query.y);
	return hnsw_entry_make(shape, repair->cache->centre, node, &query);
}

static bool
is_entry(HnswRepair *repair, HxNode node)
{
	for (uint32 i = 0; i < repair->cache->entry_count; i++)
		if (repair->cache->entries[i].node == node)
			return true;
	return false;
}

/* HnswReplaceEntry */
static const uint8 *
replace_entry(void *context, const uint8 *entry)
{
	EntryRepair *entries = context;
	HnswRepair *repair = entries->repair;
	HxNode		node;

	/* Entries lie unaligned. */
	memcpy(&node, entry + offsetof(HxLink, node), sizeof(node));
	if (!hnsw_dead_has(repair->dead, node))
		return entry;
	if (entries->kept >= entries->most)
		return NULL;

	HxNode		heir = find_heir(repair, node);
	const uint8 *replacement = heir == HX_NODE_NONE || is_entry(repair, heir) ? NULL :
		make_entry(repair, heir);

	entries->kept += replacement != NULL;
	return replacement;
}

void
hnsw_repair_entries(HnswRepair *repair, double nodes, HxNode any)
{
	const HnswShape *shape = repair->shape;
	EntryRepair entries = {
		.repair = repair,
		.most = (unsigned) ceil(HNSW_MORE_ENTRIES * sqrt(nodes)),
	};

	LockPage(repair->index, HX_METABLOCK, ShareLock);
	repair->cache = hnsw_cache(repair->index);
	for (uint32 i = 0; i < repair->cache->entry_count; i++)
		entries.kept += !hnsw_dead_has(repair->dead, repair->cache->entries[i].node);

	/* Even if none is dead there: the cache may lack one, added to while it was read. */
	hnsw_entries_replace(repair->index, shape, replace_entry, &entries);

	if (entries.kept == 0 && any != HX_NODE_NONE)
	{
		const uint8 *entry = make_entry(repair, any);

		if (entry != NULL)
			hnsw_entries_add(repair->index, shape, entry);
	}
	UnlockPage(repair->index, HX_METABLOCK, ShareLock);
}
