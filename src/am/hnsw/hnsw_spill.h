/*
 * hnsw_spill.h
 *	  Records of one size in a temporary file: written one after the other, then read in that
 *	  order, as often as wanted.
 */
#ifndef HX_HNSW_SPILL_H
#define HX_HNSW_SPILL_H

#include "hashidx.h"

#include "storage/buffile.h"

typedef struct HnswSpill
{
	MemoryContext context;		/* of the file's buffer */
	Size		bytes;			/* of a record */
	BufFile    *file;			/* NULL: no record yet */
	size_t		count;
	size_t		next;			/* record to be read next */
} HnswSpill;

/* An empty file of such records, its memory in CurrentMemoryContext. */
extern HnswSpill hnsw_spill_new(Size bytes);

extern void hnsw_spill_add(HnswSpill *spill, void *record);

/* Begins to read from the first record; from then on nothing is added. */
extern void hnsw_spill_rewind(HnswSpill *spill);

/* Reads at most `most` records; returns how many there were. */
extern size_t hnsw_spill_read(HnswSpill *spill, void *records, size_t most);

/* Gives the file back. */
extern void hnsw_spill_end(HnswSpill *spill);

#endif							/* HX_HNSW_SPILL_H */
