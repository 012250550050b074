/*
 * vacuum.h
 *	  What the vacuums of all access methods share: beginning, end, and which rows are dead.
 */
#ifndef HX_AM_VACUUM_H
#define HX_AM_VACUUM_H

#include "hashidx.h"

#include "access/genam.h"

/*
 * The result of a pass over the index: the one that an earlier pass has left (ambulkdelete comes
 * several times when many rows are dead), or a new one. What counts the present is zero.
 */
extern IndexBulkDeleteResult *hx_vacuum_begin(IndexBulkDeleteResult *stats);

/*
 * Is the row gone that an index has an entry for? The callback (NULL: no row is) believes that a
 * TID is one; what damage has made of it is nobody's row.
 */
static inline bool
hx_vacuum_is_dead(IndexBulkDeleteCallback callback, void *state, ItemPointerData tid)
{
	return callback != NULL && ItemPointerIsValid(&tid) && callback(&tid, state);
}

/*
 * Writes what the pass has counted, for cost estimates: so many numbers, at that place of the
 * metapage's contents, unless they stand there already.
 */
extern void hx_vacuum_write_counts(Relation index, uint16 page_id, Size place,
								   const uint64 *counts, int count);

#endif							/* HX_AM_VACUUM_H */
