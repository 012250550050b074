/*
 * hamming_extents.h
 *	  The list of codes pages of an index with chunk tables.
 *
 * A scan of all codes must not read the chunk tables, which are several times as large. So the
 * metapage leads to a list of pages with runs of blocks, the newest page first.
 */
#ifndef HX_HAMMING_EXTENTS_H
#define HX_HAMMING_EXTENTS_H

#include "am/hamming/hamming.h"

#include "access/generic_xlog.h"

/*
 * The page, exclusively locked, that has room for one extent more: the first of the
 * list, which begins at `head` (0: there is none), or a new one that is still zero.
 * The caller has the metapage locked exclusively.
 */
extern Buffer hamming_extents_open(Relation index, BlockNumber head);

/*
 * Registers that page with a record and adds the block to it; meta_page is the image
 * of the metapage in the same record.
 */
extern void hamming_extents_note(GenericXLogState *record, Page meta_page, Buffer buf,
								 BlockNumber blk);

/* During a build: writes the list; returns its head. */
extern BlockNumber hamming_extents_build(Relation index, const HammingExtent *extents, int count);

#endif							/* HX_HAMMING_EXTENTS_H */
