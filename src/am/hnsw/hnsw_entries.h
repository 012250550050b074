/*
 * hnsw_entries.h
 *	  Changes of the entry set, where searches begin.
 */
#ifndef HX_HNSW_ENTRIES_H
#define HX_HNSW_ENTRIES_H

#include "am/hnsw/hnsw_space.h"

/* The set has about sqrt(n) of n nodes; where the graph needs more, up to so many times that. */
#define HNSW_MORE_ENTRIES 8

/* A link to an entry, relative to the centre, and its code, palloc'd: `query` is the node's. */
extern uint8 *hnsw_entry_make(const HnswShape *shape, const float *centre, HxNode node,
							  const HnswQuery *query);

/* Puts an entry behind the others of a page that has room. */
extern void hnsw_entries_append(const HnswShape *shape, Page page, const uint8 *entry);

/* Adds an entry (hnsw_entry_make) to the set. The caller holds no buffer lock. */
extern void hnsw_entries_add(Relation index, const HnswShape *shape, const uint8 *entry);

/* Given an entry, returns it, or one to put in its place, or NULL to drop it. */
typedef const uint8 *(*HnswReplaceEntry) (void *context, const uint8 *entry);

/*
 * Offers each entry to replace(), with no buffer locked, and writes what changes. For vacuum,
 * and for who has the gate alone: inserts only add entries.
 */
extern void hnsw_entries_replace(Relation index, const HnswShape *shape,
								 HnswReplaceEntry replace, void *context);

#endif							/* HX_HNSW_ENTRIES_H */
