/*
 * hnsw_postings.h
 *	  The rows of a node: two in its record, the rest in a chain of postings.
 */
#ifndef HX_HNSW_POSTINGS_H
#define HX_HNSW_POSTINGS_H

#include "am/hnsw/hnsw.h"

/* Where the reading of a node's postings stands. */
typedef struct HnswPostingsReader
{
	HxNode		node;
	uint32		version;
	uint32		next;			/* posting to read next, or HNSW_NO_POSTING */
	uint32		order;			/* only postings below this one are still to be read */
} HnswPostingsReader;

/* Begins at a node's head, whose page is locked; the rows of the record itself are the caller's. */
static inline void
hnsw_postings_begin(HnswPostingsReader *reader, HxNode node, const HnswNodeHead *head)
{
	*reader = (HnswPostingsReader) {node, head->version, head->postings, PG_UINT32_MAX};
}

/*
 * Copies the rows of the next posting (at most HNSW_POSTING_ROWS, perhaps none) and sets *count;
 * false when there is none. The caller holds no buffer lock. Rows that were there when the reading
 * began, and that vacuum has not removed, are given exactly once.
 */
extern bool hnsw_postings_read(Relation index, const HnswShape *shape, HnswPostingsReader *reader,
							   ItemPointerData *rows, unsigned *count);

/*
 * Adds a row to a node; `error` is that of its vector (HnswPoint). False when the node is no
 * longer of that version, or dead. The caller holds the gate and no buffer lock.
 */
extern bool hnsw_rows_add(Relation index, HnswCache *cache, HxNode node, uint32 version,
						  ItemPointer tid, float error);

/*
 * Takes the empty postings out of a node's chain and frees them. True when none is left. For
 * vacuum alone, of which there is one at a time; the caller holds no buffer lock.
 */
extern bool hnsw_postings_prune(Relation index, const HnswShape *shape, HxNode node);

#endif							/* HX_HNSW_POSTINGS_H */
