/*
 * hamming_leaf.h
 *	  Divides the contents of a full leaf of a chunk table in two; in memory, without locks.
 */
#ifndef HX_HAMMING_LEAF_H
#define HX_HAMMING_LEAF_H

#include "am/hamming/hamming_tree_page.h"

/*
 * Divides the contents of a leaf, of which each code comes once, near the middle between two
 * points that differ: *last becomes the last one on the left. Both halves, which the caller
 * has initialised, get their codes in the order of keys. False: all is one point.
 */
extern bool hamming_leaf_divide(const HammingTables *tables, int chunk,
								const HammingPacker *contents, HammingPacker *left,
								HammingPacker *right, HammingPoint *last);

#endif							/* HX_HAMMING_LEAF_H */
