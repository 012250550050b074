/*
 * lsh_probe.c
 *	  The order in which a query probes buckets: those of all tables together, the likeliest to
 *	  hold near points first.
 *
 * Each table has a list of steps in order of cost; a step is another value of a single hash. A
 * probe takes some steps, at most one of each hash, and costs the sum of theirs. Probes are drawn
 * in order of cost from one heap (Lv et al. 2007): a set of steps whose last is number i is
 * replaced by two others, one with i + 1 in place of i, one with i + 1 as well. So every set
 * comes exactly once.
 */
#include <string.h>

#include "hash/lsh_family.h"

#define FIRST_ROOM 256

/* A set of steps of one table. */
typedef struct Candidate
{
	float		cost;
	uint32_t	table;
	uint32_t	last;			/* number of its last step */
	uint64_t	earlier;		/* hashes that the steps before the last have changed */
	uint64_t	key;
} Candidate;

struct HxLshProbes
{
	const HxLsh *lsh;
	HxMemory	memory;
	void	   *scratch;
	uint32_t	next_own;		/* table whose own bucket is the next probe */
	uint64_t   *keys;			/* of the own buckets */
	HxLshSteps	steps;
	HxLshStep  *spare;			/* as many as a table has, for sorting */
	Candidate  *heap;			/* the cheapest first */
	size_t		count;
	size_t		room;
};

/* Of equal costs the first table's, then the lowest step's, so that the order is defined. */
static bool
comes_before(const Candidate *a, const Candidate *b)
{
	if (a->cost != b->cost)
		return a->cost < b->cost;
	return a->table != b->table ? a->table < b->table : a->last < b->last;
}

static void
push(HxLshProbes *probes, Candidate candidate)
{
	if (probes->count == probes->room)
	{
		Candidate  *larger = hx_allocate(&probes->memory, 2 * probes->room, sizeof(Candidate));

		memcpy(larger, probes->heap, probes->count * sizeof(Candidate));
		probes->heap = larger;
		probes->room *= 2;
	}

	size_t		at = probes->count++;

	for (; at > 0 && comes_before(&candidate, &probes->heap[(at - 1) / 2]); at = (at - 1) / 2)
		probes->heap[at] = probes->heap[(at - 1) / 2];
	probes->heap[at] = candidate;
}

static Candidate
pop(HxLshProbes *probes)
{
	Candidate  *heap = probes->heap;
	const Candidate first = heap[0];
	const Candidate moved = heap[--probes->count];
	size_t		at = 0;

	for (;;)
	{
		size_t		child = 2 * at + 1;

		if (child + 1 < probes->count && comes_before(&heap[child + 1], &heap[child]))
			child++;
		if (child >= probes->count || !comes_before(&heap[child], &moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
	return first;
}

/* By cost; steps of equal cost stay in their order. In each round, sorted runs twice as long. */
static void
sort_steps(HxLshStep *steps, uint32_t count, HxLshStep *spare)
{
	for (uint32_t run = 1; run < count; run *= 2)
	{
		for (uint32_t begin = 0; begin < count; begin += 2 * run)
		{
			const uint32_t middle = begin + run < count ? begin + run : count;
			const uint32_t end = middle + run < count ? middle + run : count;
			uint32_t	a = begin;
			uint32_t	b = middle;

			for (uint32_t at = begin; at < end; at++)
				spare[at] = b == end || (a < middle && steps[a].cost <= steps[b].cost) ?
					steps[a++] : steps[b++];
		}
		memcpy(steps, spare, count * sizeof(HxLshStep));
	}
}

HxLshProbes *
hx_lsh_probes_begin(const HxLsh *lsh, HxLshPoint query, const HxMemory *memory)
{
	const HxLshFamilyMethods *methods = hx_lsh_methods(lsh->shape.family);
	const uint32_t tables = lsh->shape.tables;
	HxLshProbes *probes = hx_allocate(memory, 1, sizeof(HxLshProbes));
	HxLshSteps *steps = &probes->steps;

	*probes = (HxLshProbes) {.lsh = lsh, .memory = *memory, .room = FIRST_ROOM};
	probes->scratch = hx_allocate(memory, 1, methods->scratch(lsh));
	probes->heap = hx_allocate(memory, probes->room, sizeof(Candidate));
	probes->keys = hx_allocate(memory, tables, sizeof(uint64_t));
	steps->room = lsh->shape.hashes * methods->options(&lsh->shape);
	steps->count = hx_allocate(memory, tables, sizeof(uint32_t));
	steps->steps = hx_allocate(memory, (size_t) tables * steps->room, sizeof(HxLshStep));
	probes->spare = hx_allocate(memory, steps->room, sizeof(HxLshStep));
	hx_lsh_probes_restart(probes, query);
	return probes;
}

void
hx_lsh_probes_restart(HxLshProbes *probes, HxLshPoint query)
{
	const HxLsh *lsh = probes->lsh;
	const uint32_t tables = lsh->shape.tables;
	HxLshSteps *steps = &probes->steps;

	memset(steps->count, 0, tables * sizeof(uint32_t));
	hx_lsh_methods(lsh->shape.family)->locate(lsh, query, probes->scratch, probes->keys, steps);

	probes->next_own = 0;
	probes->count = 0;
	for (uint32_t table = 0; table < tables; table++)
	{
		HxLshStep  *first = &steps->steps[(size_t) table * steps->room];

		sort_steps(first, steps->count[table], probes->spare);
		if (steps->count[table] > 0)
			push(probes, (Candidate) {first->cost, table, 0, 0,
									  probes->keys[table] ^ first->change});
	}
}

/* Puts the sets that follow a candidate on the heap; false when it is itself none. */
static bool
advance(HxLshProbes *probes, const Candidate *from)
{
	const HxLshStep *last = &probes->steps.steps[(size_t) from->table * probes->steps.room +
												 from->last];
	const HxLshStep *next = last + 1;
	const uint64_t slot = UINT64_C(1) << last->slot;
	const bool	is_set = (from->earlier & slot) == 0;

	if (from->last + 1 < probes->steps.count[from->table])
	{
		push(probes, (Candidate) {from->cost - last->cost + next->cost, from->table,
								  from->last + 1, from->earlier,
								  from->key ^ last->change ^ next->change});

		/* What changes a hash twice stays no set, whatever is added. */
		if (is_set)
			push(probes, (Candidate) {from->cost + next->cost, from->table, from->last + 1,
									  from->earlier | slot, from->key ^ next->change});
	}
	return is_set;
}

bool
hx_lsh_probes_next(HxLshProbes *probes, HxLshProbe *probe)
{
	if (probes->next_own < probes->lsh->shape.tables)
	{
		uint32_t	table = probes->next_own++;

		*probe = (HxLshProbe) {table, probes->keys[table]};
		return true;
	}
	while (probes->count > 0)
	{
		const Candidate candidate = pop(probes);

		if (advance(probes, &candidate))
		{
			*probe = (HxLshProbe) {candidate.table, candidate.key};
			return true;
		}
	}
	return false;
}
