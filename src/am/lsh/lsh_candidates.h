/*
 * lsh_candidates.h
 *	  Rows that a scan has found and not yet returned: heaps, the best of a pass, TIDs seen.
 */
#ifndef HX_LSH_CANDIDATES_H
#define HX_LSH_CANDIDATES_H

#include "hashidx.h"

#include <math.h>

#include "storage/itemptr.h"
#include "utils/rel.h"

/* A row and its distance, estimated or exact. Their order is total: distance, NaN last, TID. */
typedef struct LshCandidate
{
	double		distance;
	uint64		tid;			/* block and offset as one number */
} LshCandidate;

static inline uint64
lsh_tid_number(const ItemPointerData *tid)
{
	return (uint64) ItemPointerGetBlockNumberNoCheck(tid) << 16 |
		ItemPointerGetOffsetNumberNoCheck(tid);
}

static inline ItemPointerData
lsh_tid(uint64 number)
{
	ItemPointerData tid;

	ItemPointerSet(&tid, (BlockNumber) (number >> 16), (OffsetNumber) number);
	return tid;
}

/*
 * The TID of a row that stood on some page; damage when the table cannot have such a one, or when
 * it is to go to a bitmap, which takes no offsets beyond a heap's. For *heap_blocks see
 * hx_page_tid_is_plausible().
 */
extern ItemPointerData lsh_checked_tid(Relation index, Relation heap, BlockNumber *heap_blocks,
									   uint64 number, bool to_bitmap);

static inline int
lsh_candidate_compare(const LshCandidate *a, const LshCandidate *b)
{
	if (a->distance < b->distance)
		return -1;
	if (a->distance > b->distance)
		return 1;
	if (isnan(a->distance) != isnan(b->distance))
		return isnan(a->distance) ? 1 : -1;
	return (a->tid > b->tid) - (a->tid < b->tid);
}

/* A binary heap, the least candidate on top; zeroed, it is empty. */
typedef struct LshHeap
{
	LshCandidate *items;
	Size		count;
	Size		room;
} LshHeap;

/* Adds a candidate. The first one decides the context: CurrentMemoryContext. */
extern void lsh_heap_push(LshHeap *heap, LshCandidate candidate);

/* Takes the least candidate away; the heap must not be empty. */
extern LshCandidate lsh_heap_pop(LshHeap *heap);

/* Keeps the least `want` of the candidates that are offered, among those greater than `after`. */
typedef struct LshBest
{
	LshCandidate *items;		/* room for twice as many as wanted */
	Size		count;
	Size		want;
	bool		has_after;
	LshCandidate after;
	bool		has_limit;
	LshCandidate limit;			/* what is not less is not among the least */
	bool		overflowed;		/* something was dropped */
} LshBest;

/* Begins; after NULL: from the least on. Allocates in CurrentMemoryContext. */
extern void lsh_best_start(LshBest *best, Size want, const LshCandidate *after);
extern void lsh_best_offer(LshBest *best, LshCandidate candidate);

/* Sorts; each candidate is there once, however often it was offered. */
extern void lsh_best_finish(LshBest *best);

/* A set of TIDs. */
typedef struct LshSeen LshSeen;

/* Allocates in CurrentMemoryContext. */
extern LshSeen *lsh_seen_create(void);

/* Adds; true when it was not there. */
extern bool lsh_seen_add(LshSeen *seen, uint64 tid);
extern bool lsh_seen_has(LshSeen *seen, uint64 tid);
extern Size lsh_seen_count(LshSeen *seen);

/* About the memory of a TID seen together with its candidate. */
#define LSH_SEEN_BYTES 48

#endif							/* HX_LSH_CANDIDATES_H */
