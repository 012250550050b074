/*
 * hnsw_centre.h
 *	  The centre of an index: written by a build, or chosen when an index that was made before
 *	  its rows has some.
 *
 * What the codes of links tell about a query is the less exact, the farther both are from the
 * centre. An index without one, the origin is it, gets the mean of its nodes while it is so
 * small that scans sweep it, and the codes do not matter: README, "Format and centre".
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
