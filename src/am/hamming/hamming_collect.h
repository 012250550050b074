/*
 * hamming_collect.h
 *	  The rows that a scan has found and not yet returned.
 */
#ifndef HX_HAMMING_COLLECT_H
#define HX_HAMMING_COLLECT_H

#include "am/hamming/hamming_page.h"

/* Rows that the first pass of an ordered scan keeps, and how that grows from pass to pass. */
#define HAMMING_FIRST_WANT 128
#define HAMMING_WANT_GROWTH 8

/* Twice as many are counted in an int. */
#define HAMMING_MAX_WANT (PG_INT32_MAX / 4)

/*
 * A row found. The key orders by distance and then by TID, which is the order of
 * the answer: distance in the upper 16 bits, block and offset below.
 */
typedef struct HammingFound
{
	uint64		key;
	ItemPointerData payload;
	bool		all_visible;	/* the heap page was all-visible while the index page was locked */
	uint32		code;			/* slot of its code, when codes are kept */
} HammingFound;

static inline uint64
hamming_key(unsigned distance, const ItemPointerData *tid)
{
	return (uint64) distance << 48 | (uint64) ItemPointerGetBlockNumberNoCheck(tid) << 16 |
		ItemPointerGetOffsetNumberNoCheck(tid);
}

static inline unsigned
hamming_key_distance(uint64 key)
{
	return key >> 48;
}

static inline ItemPointerData
hamming_key_tid(uint64 key)
{
	ItemPointerData tid;

	ItemPointerSet(&tid, (BlockNumber) (key >> 16), (OffsetNumber) key);
	return tid;
}

/*
 * Keeps the `want` least rows of all that are offered, among those above `after`.
 * Twice as many have room; when that is full, the lesser half stays. That bounds
 * memory and gives the pruning limit for free.
 */
typedef struct HammingCollector
{
	HammingFound *found;
	int			count;
	int			want;
	uint64		after;			/* keys up to here have been returned already */
	uint64		limit;			/* keys from here on cannot be among the least */
	bool		overflowed;		/* something was dropped: there is more to find */

	int			code_bytes;		/* 0: codes are not kept */
	uint8	   *codes;			/* 2 * want slots */
	uint8	   *spare;			/* as many, for moving */
} HammingCollector;

/* Allocates in CurrentMemoryContext, for `want` rows. code_bytes 0: no codes kept. */
extern void hamming_collector_init(HammingCollector *collector, int want, int code_bytes);

/* Bytes that a collector takes for each wanted row. */
extern Size hamming_collector_row_size(int code_bytes);

/* Forgets what was found; from now on keys above `after` count. */
extern void hamming_collector_start(HammingCollector *collector, uint64 after);

/* Would a row with this key be taken? */
static inline bool
hamming_collector_wants(const HammingCollector *collector, uint64 key)
{
	return key > collector->after && key < collector->limit;
}

/* Takes a row that is wanted; code is read only when codes are kept. */
extern void hamming_collector_take(HammingCollector *collector, uint64 key, ItemPointerData payload,
								   bool all_visible, const uint8 *code);

/* Sorts what was found; at most `want` rows remain. */
extern void hamming_collector_finish(HammingCollector *collector);

/* Sorts what was found; all rows remain, of which less than twice `want` have been taken. */
extern void hamming_collector_finish_all(HammingCollector *collector);

#endif							/* HX_HAMMING_COLLECT_H */
