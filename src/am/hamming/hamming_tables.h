/*
 * hamming_tables.h
 *	  Builds the chunk tables from codes pages.
 */
#ifndef HX_HAMMING_TABLES_H
#define HX_HAMMING_TABLES_H

#include "am/hamming/hamming.h"

/*
 * Makes `count` chunk tables from all rows on the codes pages, without WAL; returns the
 * block of their map. Only for an index that nobody else can see; memory: maintenance_work_mem.
 */
extern BlockNumber hamming_tables_build(Relation index, const HammingShape *shape,
										const HammingExtent *extents, int extent_count,
										uint64 rows, int count);

#endif							/* HX_HAMMING_TABLES_H */
