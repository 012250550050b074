/*
 * hnsw_tail.h
 *	  Own vectors of nodes that are larger than a page: the part in the node's record, and the
 *	  part in the tail pages behind it.
 *
 * A tail page is read and written under the lock of its node's page, and written only while the
 * slot there is free: README, "Large nodes".
 */
#ifndef HX_HNSW_TAIL_H
#define HX_HNSW_TAIL_H

#include "am/hnsw/hnsw_page.h"

#include "utils/rel.h"

/* What is wrong when tail pages lie beyond the end of the index. */
extern const char *const hnsw_tail_beyond;

/* Makes tail page `place` (from 0) of a node's run: a page's image, or a page. */
extern void hnsw_tail_init(const HnswShape *shape, Page page, uint32 place, HxNode node,
						   uint32 version, const uint8 *own);

/*
 * Copies a node's own vector, own_bytes, from its record and its tail, which lies within the
 * index. The node's page is locked. NULL, or what is wrong with block *blk.
 */
extern const char *hnsw_tail_copy(Relation index, const HnswShape *shape, HxNode node,
								  HnswNodeHead *head, BufferAccessStrategy strategy,
								  uint8 *own, BlockNumber *blk);

/* The same; damage when something is wrong, or the tail does not lie within the index. */
extern void hnsw_own_copy(Relation index, const HnswShape *shape, HxNode node,
						  HnswNodeHead *head, uint8 *own);

/*
 * Writes and logs the tail of a node that is about to be put into a free slot, whose page is
 * exclusively locked. Nothing to do for nodes without a tail.
 */
extern void hnsw_tail_write(Relation index, const HnswShape *shape, HxNode node, uint32 version,
							const uint8 *own);

#endif							/* HX_HNSW_TAIL_H */
