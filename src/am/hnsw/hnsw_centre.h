/*
 * hnsw_centre.h
 *	  The centre of an index: written by a build, or chosen once an index that was created on an
 *	  empty table has some rows.
 *
 * A code tells less about a query, the farther the query and the node are from the centre. An
 * index without a centre, which is one whose centre is the origin, gets the mean of its nodes.
 * That happens while it is small; scans sweep it meanwhile and use no codes: README, "Format and
 * centre".
 */
#ifndef HX_HNSW_CENTRE_H
#define HX_HNSW_CENTRE_H

#include "am/hnsw/hnsw.h"

/*
 * Writes a centre (link.dims floats) to new pages and tells the metapage; with `recode` also
 * that the codes are still those of another one.
 */
extern void hnsw_centre_write(Relation index, const HnswShape *shape, const float *centre,
							  bool recode);

/* Whether an index of so many blocks is to get its centre now, or the codes that go with it. */
extern bool hnsw_centre_is_due(const HnswCache *cache, BlockNumber blocks);

/*
 * Chooses the centre and makes all codes anew, if that is due once other inserts have ended.
 * The caller, who is about to insert, holds no lock on a page.
 */
extern void hnsw_centre_choose(Relation index);

#endif							/* HX_HNSW_CENTRE_H */
