/*
 * hamming_scan.h
 *	  The state of a scan, for the files that make up scans.
 */
#ifndef HX_HAMMING_SCAN_H
#define HX_HAMMING_SCAN_H

#include "am/hamming/hamming.h"
#include "am/hamming/hamming_collect.h"
#include "am/hamming/hamming_plan.h"

#include "access/relscan.h"
#include "type/bincode.h"

typedef struct HammingRange
{
	BincodeView centre;
	int32		radius;
} HammingRange;

typedef struct HammingScan
{
	MemoryContext query_context;	/* reset by rescan: the queries, extents and plan */
	MemoryContext found_context;	/* reset when the collector is made anew */
	MemoryContext tuple_context;	/* reset for each row of an index-only scan */
	const HxKernels *kernels;
	HammingShape shape;
	HammingShape leaf_shape;
	HammingTables tables;

	/* What is asked. */
	bool		nothing;		/* no row can qualify */
	bool		ordered;
	bool		null_query;		/* ORDER BY code <~> NULL: all distances are NULL */
	const uint8 *probe;			/* what the kernel compares with, whole words of it */
	int32		radius;			/* of the ranges around the probe */
	HammingRange *ranges;		/* the other ranges */
	int			range_count;

	/* Where we are. */
	bool		started;
	HammingCollector collector;
	int			next;			/* of the collector's rows */
	uint64		returned;		/* rows since the scan was started */
	int			want;

	/* Reading all codes pages. */
	HammingExtent *extents;
	int			extent_count;
	double		pages;			/* in all extents */
	int			next_extent;	/* unordered scans: the page after those collected */
	BlockNumber next_page;		/* counted within the extent */

	/* Reading leaves of the chunk tables instead. */
	bool		probing;
	HammingPlan plan;			/* ordered scans: all within plan.radius is found by it */
	int			next_target;
	HammingPoint reached;		/* the end of what was read of the target in hand */
	HammingKeyEnd key[HX_MAX_CHUNKS];	/* the probe's, as leaves have them */

	Relation	heap;			/* the table */
	BlockNumber heap_blocks;	/* it has at least as many; 0 at first */

	/* Visibility, for index-only scans. */
	Buffer		vm_buf;
	IndexFetchTableData *heap_fetch;
	TupleTableSlot *heap_slot;

	/* The tuple of an index-only scan without INCLUDE columns: only its code changes. */
	HeapTuple	code_tuple;
	uint8	   *tuple_code;

	/* Scratch for one page. */
	uint16		position[HAMMING_MAX_CODES + 16];
	uint16		distance[HAMMING_MAX_CODES + 16];
	uint16		first[HAMMING_MAX_CODES + 1];
} HammingScan;

/* hamming_index_only.c */

/* Makes the tuple of an index-only scan for a row found; false when it is not visible. */
extern bool hamming_form_tuple(IndexScanDesc scan, const HammingFound *found);

/* Gives back what that has taken. */
extern void hamming_end_fetch(HammingScan *state);

#endif							/* HX_HAMMING_SCAN_H */
