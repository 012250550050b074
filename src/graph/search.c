/*
 * search.c
 *	  Best-first search in a neighbour graph, with a beam that can be widened.
 *
 * The beam is a sorted array of the best candidates seen, as many as the effort asks for. It may
 * be long. So new candidates first gather in a short sorted array of recent ones; when there are
 * many they are merged into the beam, which moves it once for all of them. What does not fit, or
 * falls off the end of the beam, is kept beyond it, unordered, because most searches never look
 * at it. When the beam is widened, it becomes a heap, from which the wider beam takes the
 * nearest.
 *
 * An expanded candidate keeps its place in the beam by its estimate, and so does each further
 * estimate of the same node; README, "Search", tells why.
 */
#include "graph/search.h"

#include <math.h>
#include <string.h>

/* What the arrays begin with; they double when full. */
#define FIRST_BEAM 64
#define FIRST_BEYOND 1024
#define FIRST_SLOTS 1024

/*
 * So many recent candidates may wait for the next expansion, which adds one for each link. A new
 * one is moved into its place among them step by step: more of them would take longer than
 * merging them more often.
 */
#define MOST_RECENT 24

/* A slot of the visited set; used when its epoch is the query's. */
typedef struct Slot
{
	HxNode		node;
	uint32_t	epoch;
} Slot;

struct HxSearch
{
	HxMemory	memory;
	HxExpand	expand;
	void	   *context;

	HxCandidate *beam;			/* ascending; the node of an expanded one is HX_NODE_NONE */
	size_t		beam_count;
	size_t		beam_width;		/* candidates the beam may hold */
	size_t		beam_room;		/* and has memory for */
	size_t		next;			/* all before this one are expanded */

	/* To be merged into the beam; likewise ascending. */
	HxCandidate recent[MOST_RECENT + HX_GRAPH_MAX_LINKS];
	size_t		recent_count;
	size_t		recent_next;	/* all before this one are expanded */

	HxCandidate *beyond;		/* none nearer than the last of the beam, if that is full */
	size_t		beyond_count;
	size_t		beyond_room;
	size_t		heap_count;		/* so many of them are a heap, the nearest on top */

	Slot	   *slots;			/* visited nodes, open addressing */
	size_t		slot_count;		/* a power of two */
	uint32_t	epoch;
	size_t		visits;

	size_t		open_count;		/* candidates, on the beam and beyond, not taken up yet */
	HxExpansion expansion;
};

static inline bool
is_nearer(HxCandidate a, HxCandidate b)
{
	return a.distance < b.distance;
}

/* A larger array with the same items. The smaller one is given up: its memory goes with all. */
static HxCandidate *
grow(HxSearch *search, const HxCandidate *items, size_t count, size_t room)
{
	HxCandidate *larger = hx_allocate(&search->memory, room, sizeof(HxCandidate));

	memcpy(larger, items, count * sizeof(HxCandidate));
	return larger;
}

static Slot *
new_slots(HxSearch *search, size_t count)
{
	Slot	   *slots = hx_allocate(&search->memory, count, sizeof(Slot));

	memset(slots, 0, count * sizeof(Slot));
	return slots;
}

HxSearch *
hx_search_new(HxMemory memory)
{
	HxSearch   *search = hx_allocate(&memory, 1, sizeof(HxSearch));

	memset(search, 0, sizeof(HxSearch));
	search->memory = memory;
	search->beam_width = FIRST_BEAM;
	search->beam_room = FIRST_BEAM;
	search->beam = hx_allocate(&memory, FIRST_BEAM, sizeof(HxCandidate));
	search->beyond_room = FIRST_BEYOND;
	search->beyond = hx_allocate(&memory, FIRST_BEYOND, sizeof(HxCandidate));
	search->slot_count = FIRST_SLOTS;
	search->slots = new_slots(search, FIRST_SLOTS);
	return search;
}

void
hx_search_begin(HxSearch *search, HxExpand expand, void *context)
{
	search->expand = expand;
	search->context = context;
	search->beam_count = 0;
	search->beam_width = FIRST_BEAM;
	search->next = 0;
	search->recent_count = 0;
	search->recent_next = 0;
	search->beyond_count = 0;
	search->heap_count = 0;
	search->visits = 0;
	search->open_count = 0;

	/* A new epoch empties the visited set, until the numbers of epochs are used up. */
	if (++search->epoch == 0)
	{
		memset(search->slots, 0, search->slot_count * sizeof(Slot));
		search->epoch = 1;
	}
}

/* The slot where a node belongs; it is in it or in one that follows, without a free one between. */
static inline Slot *
home_of(const HxSearch *search, HxNode node)
{
	const uint64_t hash = node * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	return &search->slots[hash & (search->slot_count - 1)];
}

/* The slot that has the node, or the free one that it would take. */
static Slot *
find_slot(const HxSearch *search, HxNode node)
{
	Slot	   *slot = home_of(search, node);

	while (slot->epoch == search->epoch && slot->node != node)
		if (++slot == search->slots + search->slot_count)
			slot = search->slots;
	return slot;
}

bool
hx_search_visited(const HxSearch *search, HxNode node)
{
	return find_slot(search, node)->epoch == search->epoch;
}

static void
grow_slots(HxSearch *search)
{
	const Slot *old = search->slots;
	const size_t old_count = search->slot_count;

	search->slots = new_slots(search, old_count * 2);
	search->slot_count = old_count * 2;
	for (size_t i = 0; i < old_count; i++)
		if (old[i].epoch == search->epoch)
			*find_slot(search, old[i].node) = old[i];
}

/*
 * Adds the node to the visited set; false when it is there. At most a quarter of the slots
 * are used, so that most look-ups end at the first.
 */
static bool
visit(HxSearch *search, HxNode node)
{
	Slot	   *slot;

	if (search->visits * 4 >= search->slot_count)
		grow_slots(search);
	slot = find_slot(search, node);
	if (slot->epoch == search->epoch)
		return false;
	*slot = (Slot) {node, search->epoch};
	search->visits++;
	return true;
}

/* Makes room beyond the beam for so many candidates more. */
static inline void
reserve_beyond(HxSearch *search, size_t count)
{
	if (search->beyond_count + count <= search->beyond_room)
		return;
	search->beyond = grow(search, search->beyond, search->beyond_count, search->beyond_room * 2);
	search->beyond_room *= 2;
}

/* Keeps a candidate that the beam has no place for. */
static inline void
put_beyond(HxSearch *search, HxCandidate candidate)
{
	reserve_beyond(search, 1);
	search->beyond[search->beyond_count++] = candidate;
}

/* Makes all that is beyond the beam a heap. */
static void
complete_heap(HxSearch *search)
{
	HxCandidate *heap = search->beyond;

	for (; search->heap_count < search->beyond_count; search->heap_count++)
	{
		size_t		at = search->heap_count;
		const HxCandidate rising = heap[at];

		for (; at > 0 && is_nearer(rising, heap[(at - 1) / 2]); at = (at - 1) / 2)
			heap[at] = heap[(at - 1) / 2];
		heap[at] = rising;
	}
}

/* Takes the nearest from the complete heap, which is not empty. */
static HxCandidate
take_nearest(HxSearch *search)
{
	HxCandidate *heap = search->beyond;
	const HxCandidate nearest = heap[0];
	const HxCandidate sinking = heap[--search->beyond_count];
	const size_t count = search->heap_count = search->beyond_count;
	size_t		at = 0;

	for (size_t child; (child = 2 * at + 1) < count; at = child)
	{
		if (child + 1 < count && is_nearer(heap[child + 1], heap[child]))
			child++;
		if (!is_nearer(heap[child], sinking))
			break;
		heap[at] = heap[child];
	}
	heap[at] = sinking;
	return nearest;
}

/*
 * Merges the recent candidates into the beam, each behind its equals. What falls off its end
 * is kept, also when it is expanded: a wider beam gives it its place back.
 */
static void
merge_recent(HxSearch *search)
{
	HxCandidate *beam = search->beam;
	const size_t width = search->beam_width;
	const size_t total = search->beam_count + search->recent_count;
	size_t		old = search->beam_count;
	size_t		at = total;

	while (search->recent_count > 0)
	{
		const HxCandidate recent = search->recent[search->recent_count - 1];
		const bool	take_old = old > 0 && is_nearer(recent, beam[old - 1]);
		const HxCandidate last = take_old ? beam[--old] : recent;

		search->recent_count -= !take_old;
		if (--at < width)
			beam[at] = last;
		else
			put_beyond(search, last);
	}
	search->beam_count = total < width ? total : width;
	search->recent_next = 0;
	if (at < search->next)
		search->next = at;
}

/* Adds a candidate to the recent ones, for which there is room, behind its equals. */
static inline void
put_recent(HxSearch *search, HxCandidate candidate)
{
	HxCandidate *recent = search->recent;
	size_t		at = search->recent_count++;

	for (; at > 0 && is_nearer(candidate, recent[at - 1]); at--)
		recent[at] = recent[at - 1];
	recent[at] = candidate;
	if (at < search->recent_next)
		search->recent_next = at;
}

/* Makes room for `effort` candidates and takes them from beyond. */
static void
widen(HxSearch *search, size_t effort)
{
	if (effort > search->beam_room)
	{
		size_t		room = search->beam_room;

		while (room < effort)
			room *= 2;
		search->beam = grow(search, search->beam, search->beam_count, room);
		search->beam_room = room;
	}
	search->beam_width = effort;
	complete_heap(search);
	while (search->beam_count < effort && search->beyond_count > 0)
		search->beam[search->beam_count++] = take_nearest(search);
}

/* The first effort of a query is the width it begins with. */
static void
narrow(HxSearch *search, size_t effort)
{
	search->beam_width = effort;
	while (search->beam_count > effort)
		put_beyond(search, search->beam[--search->beam_count]);
}

void
hx_search_seed(HxSearch *search, HxNode node, float estimate)
{
	search->open_count++;
	put_recent(search, (HxCandidate) {estimate, node});
	if (search->recent_count > MOST_RECENT)
		merge_recent(search);
}

/*
 * Expands a node and takes up its neighbours, except those that have been expanded.
 *
 * Where each of them goes, to the beam or beyond it, cannot be predicted: it is written to
 * all places, and counted in one. Those whose home in the visited set is taken, by themselves
 * or by others, are looked at again.
 */
static void
expand_node(HxSearch *search, HxNode node)
{
	HxExpansion *expansion = &search->expansion;
	HxCandidate near[HX_GRAPH_MAX_LINKS];
	HxCandidate doubtful[HX_GRAPH_MAX_LINKS];
	size_t		near_count = 0;
	size_t		doubtful_count = 0;

	if (!search->expand(search->context, node, expansion))
		return;

	const bool	full = search->beam_count == search->beam_width;
	const float last = full ? search->beam[search->beam_count - 1].distance : 0;
	const size_t before = search->beyond_count;

	reserve_beyond(search, expansion->count);
	for (unsigned i = 0; i < expansion->count; i++)
	{
		const HxCandidate candidate = {expansion->estimate[i], expansion->node[i]};
		const bool	is_near = !full || candidate.distance < last;
		const bool	is_doubtful = home_of(search, candidate.node)->epoch == search->epoch;

		doubtful[doubtful_count] = candidate;
		doubtful_count += is_doubtful;
		near[near_count] = candidate;
		near_count += is_near & !is_doubtful;
		search->beyond[search->beyond_count] = candidate;
		search->beyond_count += !is_near & !is_doubtful;
	}
	for (size_t i = 0; i < doubtful_count; i++)
	{
		if (hx_search_visited(search, doubtful[i].node))
			continue;
		if (!full || doubtful[i].distance < last)
			near[near_count++] = doubtful[i];
		else
			put_beyond(search, doubtful[i]);
	}
	search->open_count += near_count + (search->beyond_count - before);

	for (size_t i = 0; i < near_count; i++)
		put_recent(search, near[i]);
	if (search->recent_count > MOST_RECENT)
		merge_recent(search);
}

/* Passes over expanded candidates. */
static inline size_t
next_open(const HxCandidate *candidates, size_t next, size_t count)
{
	while (next < count && candidates[next].node == HX_NODE_NONE)
		next++;
	return next;
}

/* The nearest candidate that is not expanded; NULL: none. */
static HxCandidate *
nearest_open(HxSearch *search)
{
	HxCandidate *const recent = search->recent;
	HxCandidate *const beam = search->beam;

	search->next = next_open(beam, search->next, search->beam_count);
	search->recent_next = next_open(recent, search->recent_next, search->recent_count);
	if (search->recent_next < search->recent_count &&
		(search->next == search->beam_count ||
		 is_nearer(recent[search->recent_next], beam[search->next])))
		return &recent[search->recent_next];
	return search->next < search->beam_count ? &beam[search->next] : NULL;
}

/*
 * The same among those whose place among all is before `effort`. Before it are those that both
 * arrays have passed over; when some of the beam's are farther than the recent one that is
 * nearest, those are too many, but a merge makes the number right.
 */
static HxCandidate *
nearest_within(HxSearch *search, size_t effort)
{
	for (;;)
	{
		HxCandidate *nearest = nearest_open(search);

		if (nearest != NULL && search->next + search->recent_next < effort)
			return nearest;
		if (search->recent_count == 0)
			return NULL;
		merge_recent(search);
	}
}

void
hx_search_run(HxSearch *search, size_t effort)
{
	HxCandidate *candidate;

	merge_recent(search);
	if (effort > search->beam_width)
		widen(search, effort);
	else if (search->visits == 0 && effort > 0)
		narrow(search, effort);

	while ((candidate = nearest_within(search, effort)) != NULL)
	{
		const HxNode node = candidate->node;

		candidate->node = HX_NODE_NONE;
		search->open_count--;
		if (visit(search, node))
			expand_node(search, node);
	}
}

bool
hx_search_exhausted(const HxSearch *search)
{
	return search->open_count == 0;
}

float
hx_search_horizon(const HxSearch *search)
{
	return search->beam_count < search->beam_width ? INFINITY :
		search->beam[search->beam_count - 1].distance;
}

size_t
hx_search_visits(const HxSearch *search)
{
	return search->visits;
}
