/*
 * hamming_tree.h
 *	  Finding a place in the chunk tables, and putting rows there.
 */
#ifndef HX_HAMMING_TREE_H
#define HX_HAMMING_TREE_H

#include "am/hamming/hamming.h"

/*
 * The page of a table's tree, of that level or of the root's if that is lower, to
 * which the point belongs; locked in that mode (BUFFER_LOCK_SHARE, _EXCLUSIVE) and
 * checked. The caller holds no lock on a page of the index.
 */
extern Buffer hamming_tree_find(Relation index, const HammingTables *tables, int chunk,
								const HammingPoint *point, int level, int mode);

/* Reads, locks and checks a page of a table's tree; `from`: the block that has told its number. */
extern Buffer hamming_tree_lock(Relation index, int chunk, BlockNumber from, BlockNumber blk,
								int mode);

/* Damage unless the locked page belongs to the tree of the chunk; its right neighbour's block. */
extern BlockNumber hamming_tree_check(Relation index, Buffer buf, int chunk);

/* Puts a code and its row into one table; takes and releases all locks. */
extern void hamming_tree_insert(Relation index, const HammingCache *cache, int chunk,
								const uint8 *code, HammingRow row);

/*
 * Makes empty tables and their map, in a sequence of records of which the caller's
 * to the metapage is the last; returns the map's block. The caller has the metapage
 * locked exclusively.
 */
extern BlockNumber hamming_tree_create(Relation index, const HammingShape *shape, int count,
									   HammingTables *tables);

#endif							/* HX_HAMMING_TREE_H */
