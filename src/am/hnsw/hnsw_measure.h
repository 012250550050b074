/*
 * hnsw_measure.h
 *	  Measures the curve from effort to recall anew when rows have come and gone.
 */
#ifndef HX_HNSW_MEASURE_H
#define HX_HNSW_MEASURE_H

#include "am/hnsw/hnsw.h"
#include "commands/vacuum.h"

/*
 * At the end of a vacuum that has removed so many rows, and has written the counts: measures the
 * curve if the index has none, or if many of its rows are others than when it was measured.
 */
extern void hnsw_measure_changed(IndexVacuumInfo *info, uint64 removed);

#endif							/* HX_HNSW_MEASURE_H */
