/*
 * lsh_candidates.c
 *	  Rows that a scan has found and not yet returned; see lsh_candidates.h.
 */
#include "am/lsh/lsh_candidates.h"

#include "access/htup_details.h"
#include "am/common/page.h"
#include "common/hashfn.h"
#include "utils/memutils.h"

#define FIRST_ROOM 256

ItemPointerData
lsh_checked_tid(Relation index, Relation heap, BlockNumber *heap_blocks, uint64 number,
				bool to_bitmap)
{
	ItemPointerData tid = lsh_tid(number);

	if (!hx_page_tid_is_plausible(heap, heap_blocks, &tid) ||
		(to_bitmap && ItemPointerGetOffsetNumber(&tid) > MaxHeapTuplesPerPage))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" is damaged", RelationGetRelationName(index)),
				 errdetail("It has a row that points to (%u,%u), which cannot be in the table.",
						   ItemPointerGetBlockNumberNoCheck(&tid),
						   ItemPointerGetOffsetNumberNoCheck(&tid)),
				 errhint("Rebuild it with REINDEX INDEX.")));
	return tid;
}

void
lsh_heap_push(LshHeap *heap, LshCandidate candidate)
{
	if (heap->count == heap->room)
	{
		heap->room = Max(heap->room * 2, FIRST_ROOM);
		heap->items = heap->items == NULL ? palloc(heap->room * sizeof(LshCandidate)) :
			repalloc_huge(heap->items, mul_size(heap->room, sizeof(LshCandidate)));
	}

	Size		place = heap->count++;

	while (place > 0)
	{
		Size		parent = (place - 1) / 2;

		if (lsh_candidate_compare(&heap->items[parent], &candidate) <= 0)
			break;
		heap->items[place] = heap->items[parent];
		place = parent;
	}
	heap->items[place] = candidate;
}

LshCandidate
lsh_heap_pop(LshHeap *heap)
{
	LshCandidate top = heap->items[0];
	LshCandidate last = heap->items[--heap->count];
	Size		place = 0;

	for (;;)
	{
		Size		child = 2 * place + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
			lsh_candidate_compare(&heap->items[child + 1], &heap->items[child]) < 0)
			child++;
		if (lsh_candidate_compare(&last, &heap->items[child]) <= 0)
			break;
		heap->items[place] = heap->items[child];
		place = child;
	}
	heap->items[place] = last;
	return top;
}

#define ST_SORT sort_candidates
#define ST_ELEMENT_TYPE LshCandidate
#define ST_COMPARE(a, b) lsh_candidate_compare(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
lsh_best_start(LshBest *best, Size want, const LshCandidate *after)
{
	memset(best, 0, sizeof(*best));
	best->want = want;
	best->items = palloc_extended(mul_size(2 * want, sizeof(LshCandidate)), MCXT_ALLOC_HUGE);
	if (after != NULL)
	{
		best->has_after = true;
		best->after = *after;
	}
}

/* Sorts, drops what was offered twice, and all but the least `want`. */
static void
cut(LshBest *best)
{
	Size		kept = 0;

	sort_candidates(best->items, best->count);
	for (Size i = 0; i < best->count; i++)
	{
		if (kept == 0 || lsh_candidate_compare(&best->items[kept - 1], &best->items[i]) != 0)
			best->items[kept++] = best->items[i];
	}
	if (kept > best->want)
	{
		kept = best->want;
		best->overflowed = true;
	}
	best->count = kept;
}

void
lsh_best_offer(LshBest *best, LshCandidate candidate)
{
	if (best->has_after && lsh_candidate_compare(&candidate, &best->after) <= 0)
		return;
	if (best->has_limit)
	{
		int			order = lsh_candidate_compare(&candidate, &best->limit);

		best->overflowed |= order > 0;
		if (order >= 0)
			return;
	}
	best->items[best->count++] = candidate;
	if (best->count == 2 * best->want)
	{
		cut(best);
		if (best->count == best->want)
		{
			best->has_limit = true;
			best->limit = best->items[best->count - 1];
		}
	}
}

void
lsh_best_finish(LshBest *best)
{
	cut(best);
}

typedef struct SeenEntry
{
	uint64		tid;
	char		status;
} SeenEntry;

#define SH_PREFIX seen
#define SH_ELEMENT_TYPE SeenEntry
#define SH_KEY_TYPE uint64
#define SH_KEY tid
#define SH_HASH_KEY(table, key) ((uint32) murmurhash32((uint32) (key) ^ (uint32) ((key) >> 32)))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct LshSeen
{
	seen_hash  *table;
};

LshSeen *
lsh_seen_create(void)
{
	LshSeen    *set = palloc(sizeof(LshSeen));

	set->table = seen_create(CurrentMemoryContext, 4096, NULL);
	return set;
}

bool
lsh_seen_add(LshSeen *set, uint64 tid)
{
	bool		found;

	seen_insert(set->table, tid, &found);
	return !found;
}

bool
lsh_seen_has(LshSeen *set, uint64 tid)
{
	return seen_lookup(set->table, tid) != NULL;
}

Size
lsh_seen_count(LshSeen *set)
{
	return set->table->members;
}
