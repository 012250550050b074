/*
 * scan.h
 *	  How the scans of all access methods begin.
 */
#ifndef HX_AM_SCAN_H
#define HX_AM_SCAN_H

#include "hashidx.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "nodes/tidbitmap.h"

/* ambeginscan: a scan whose opaque state is given, with room for the distances it reports. */
extern IndexScanDesc hx_scan_begin(Relation index, int nkeys, int norderbys, void *state);

/* amrescan: takes the keys over. Either may be NULL: the old ones stay. */
extern void hx_scan_take_keys(IndexScanDesc scan, ScanKey keys, ScanKey orderbys);

/*
 * Before the first row is looked for: counts the search. Only scans with an MVCC snapshot may be
 * without a pin on the pages that their rows come from; others are refused.
 */
extern void hx_scan_start(IndexScanDesc scan);

/*
 * A bitmap without conditions: rows with NULLs, which the index does not have, belong to it, so it
 * is all pages of the table. Only PostgreSQL 18 and later ask, with all other scans disabled.
 */
extern int64 hx_scan_all_pages(IndexScanDesc scan, TIDBitmap *bitmap);

#endif							/* HX_AM_SCAN_H */
