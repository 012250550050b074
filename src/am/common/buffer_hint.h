/*
 * buffer_hint.h
 *	  Reading pages that were read before, without looking them up again.
 *
 * A search reads hundreds of pages that lie anywhere in shared memory, and each look-up in the
 * buffer manager's hash table costs several cache misses. A backend therefore remembers in
 * which buffer it saw a page last; the buffer manager verifies, once the buffer is pinned, that
 * the page is still there, so a stale hint costs a look-up and nothing else.
 */
#ifndef HX_AM_BUFFER_HINT_H
#define HX_AM_BUFFER_HINT_H

#include "hashidx.h"

#include "storage/bufmgr.h"
#include "utils/rel.h"

/* The page of the main fork, pinned, as ReadBuffer() returns it. */
extern Buffer hx_hint_read(Relation index, BlockNumber blk);

/*
 * The page as it is in the buffer where it was seen last, for the processor to fetch it before
 * it is read: NULL when there is none, and another page if that has changed. What is needed to
 * pin the buffer is fetched by this already.
 */
extern const char *hx_hint_page(Relation index, BlockNumber blk);

#endif							/* HX_AM_BUFFER_HINT_H */
