/*
 * hamming_copy.h
 *	  Copies of pages of codes, for searches that compare a page with many others or many
 *	  queries, which takes longer than a lock should be held.
 */
#ifndef HX_HAMMING_COPY_H
#define HX_HAMMING_COPY_H

#include "am/hamming/hamming.h"

/* Whose pages are copied. */
typedef struct HammingSource
{
	Relation	heap;
	Relation	index;
	HammingShape shape;			/* of codes pages */
	bool		is_listed;		/* is every codes page in the list, and no other page? */
	BlockNumber heap_blocks;	/* at least as many blocks the table has; 0 at first */
} HammingSource;

/* A codes page or a leaf. Its rows can be in the table; the run of code c begins at first[c]. */
typedef struct HammingCopy
{
	PGAlignedBlock page;
	HammingView view;
	uint16		first[HAMMING_MAX_CODES + 1];
} HammingCopy;

/* Copies the page of that shape in a locked buffer; damage unless it and its rows are sound. */
extern void hamming_copy_page(HammingSource *source, const HammingShape *shape, Buffer buf,
							  HammingCopy *copy);

/* Copies a block; false when it is no codes page. The caller holds no buffer lock. */
extern bool hamming_copy_codes(HammingSource *source, BlockNumber blk, HammingCopy *copy);

#endif							/* HX_HAMMING_COPY_H */
