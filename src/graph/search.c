/*
 * search.c
 *	  Best-first search in a neighbour graph, with a beam that can be widened.
 *
 * The beam is a sorted array of the best candidates seen, as many as the effort asks
 * for; it is short, so that an insertion moves little. What does not fit, or falls off
 * its end, is kept beyond it, in no order until the beam is widened: most searches never
 * look at it. Then it becomes a heap, from which the wider beam takes the nearest.
 *
 * An expanded candidate keeps its place in the beam by its estimate, and so does each
 * further estimate of the same node. README tells what that is good for.
 */
#include "graph/search.h"

#include <string.h>

/* What the arrays begin with; they double when full. */
#define FIRST_BEAM 64
#define FIRST_BEYOND 1024
#define FIRST_SLOTS 1024

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

/* The slot that has the node, or the free one where it belongs. */
static Slot *
find_slot(const HxSearch *search, HxNode node)
{
	const size_t mask = search->slot_count - 1;
	size_t		at = (size_t) (node * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (search->slots[at].epoch == search->epoch && search->slots[at].node != node)
		at = (at + 1) & mask;
	return &search->slots[at];
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

/* Keeps a candidate that the beam has no place for. */
static void
put_beyond(HxSearch *search, HxCandidate candidate)
{
	if (search->beyond_count == search->beyond_room)
	{
		search->beyond = grow(search, search->beyond, search->beyond_count,
							  search->beyond_room * 2);
		search->beyond_room *= 2;
	}
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

/* The first place on the beam whose distance is larger; without branches that depend on it. */
static inline size_t
place_after(const HxSearch *search, float distance)
{
	const HxCandidate *base = search->beam;
	size_t		count = search->beam_count;

	while (count > 1)
	{
		const size_t half = count / 2;

		base += half * (base[half - 1].distance <= distance);
		count -= half;
	}
	return (size_t) (base - search->beam) + (count == 1 && base->distance <= distance);
}

/* Puts a new candidate on the beam, behind its equals, or beyond it. */
static inline void
put(HxSearch *search, HxCandidate candidate)
{
	HxCandidate *beam = search->beam;
	size_t		at;

	search->open_count++;
	if (search->beam_count == search->beam_width)
	{
		if (!is_nearer(candidate, beam[search->beam_count - 1]))
		{
			put_beyond(search, candidate);
			return;
		}
		/* Also when it is expanded: in a wider beam it takes its place again. */
		put_beyond(search, beam[--search->beam_count]);
	}
	at = place_after(search, candidate.distance);
	memmove(beam + at + 1, beam + at, (search->beam_count - at) * sizeof(HxCandidate));
	beam[at] = candidate;
	search->beam_count++;
	if (at < search->next)
		search->next = at;
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
	put(search, (HxCandidate) {estimate, node});
}

/* Expands a node and puts its neighbours on the beam, except those that have been expanded. */
static void
expand_node(HxSearch *search, HxNode node)
{
	HxExpansion *expansion = &search->expansion;

	if (!search->expand(search->context, node, expansion))
		return;
	for (unsigned i = 0; i < expansion->count; i++)
		if (!hx_search_visited(search, expansion->node[i]))
			put(search, (HxCandidate) {expansion->estimate[i], expansion->node[i]});
}

void
hx_search_run(HxSearch *search, size_t effort)
{
	if (effort > search->beam_width)
		widen(search, effort);
	else if (search->visits == 0 && effort > 0)
		narrow(search, effort);

	while (search->next < effort && search->next < search->beam_count)
	{
		HxCandidate *candidate = &search->beam[search->next++];
		const HxNode node = candidate->node;

		if (node == HX_NODE_NONE)
			continue;
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

size_t
hx_search_visits(const HxSearch *search)
{
	return search->visits;
}
