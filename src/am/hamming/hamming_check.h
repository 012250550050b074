/*
 * hamming_check.h
 *	  What the parts of hashidx_check() for hashidx_hamming share.
 */
#ifndef HX_HAMMING_CHECK_H
#define HX_HAMMING_CHECK_H

#include "am/hamming/hamming.h"

/* Copies a block. */
extern void hamming_read_page(Relation index, BlockNumber blk, char *copy);

/*
 * Examines the codes and rows of a codes page (copy 0) or of a leaf of chunk table
 * number copy - 1, whose shape is given.
 */
extern void hamming_check_codes(HxCheck *check, BlockNumber blk, Page page,
								const HammingShape *shape, int copy);

/* hamming_check_tables.c */

/* Examines one page of those that only indexes with chunk tables have. */
extern void hamming_check_table_page(HxCheck *check, const HammingCache *cache, BlockNumber blk,
									 Page page);

/* Examines how the pages of the chunk tables, and the list of codes pages, hang together. */
extern void hamming_check_tables(HxCheck *check, const HammingCache *cache);

#endif							/* HX_HAMMING_CHECK_H */
