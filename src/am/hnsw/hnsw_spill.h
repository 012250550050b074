/*
 * hnsw_spill.h
 *	  Records of one size in a temporary file: written one after the other, then read in
 *	  that order, as often as wanted.
 */
#ifndef HX_HNSW_SPILL_H
#define HX_HNSW_SPILL_H

#include "hashidx.h"

#include "storage/buffile.h"

typedef struct HnswSpill
{
	BufFile    *file;			/* NULL: no record yet */
	Size		bytes;			/* of a record */
	size_t		count;
	size_t		next;			/* record to be read next */
} HnswSpill;

extern void hnsw_spill_add(HnswSpill *spill, void *record);

/* Begins to read from the first record; from then on nothing is added. */
extern void hnsw_spill_rewind(HnswSpill *spill);

/* Reads at most `most` records; returns how many there were. */
extern size_t hnsw_spill_read(HnswSpill *spill, void *records, size_t most);

/* Gives the file back. */
extern void hnsw_spill_end(HnswSpill *spill);

#endif							/* HX_HNSW_SPILL_H */
