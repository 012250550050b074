/*
 * sample.h
 *	  A random sample of the rows of a table, in random order.
 */
#ifndef HX_ENCODE_SAMPLE_H
#define HX_ENCODE_SAMPLE_H

#include "encode/rows.h"

#define HX_SAMPLE_COLUMNS 2

typedef struct Sample
{
	/* What is wanted. */
	Oid			source;
	FunctionCallInfo call;		/* as for hx_rows_open() */
	RowsColumn	columns[HX_SAMPLE_COLUMNS];
	int			column_count;
	const char *unset;			/* as for hx_rows_open() */
	uint64		wanted;			/* rows, if there are as many */
	bool		exact;			/* more memory than there is is an error; else fewer rows do */
	uint64		seed;

	/* What was found: `count` rows of hx_rows_bytes() a column, without gaps. */
	uint64		count;
	char	   *rows[HX_SAMPLE_COLUMNS];
	int64	   *numbers;		/* where they stood among those read, from 0 */
} Sample;

/*
 * Reads the sample. The rows lie in `context`, and take maintenance_work_mem at most;
 * half of it unless the number is exact.
 * The same rows in the same order, seed and limits give the same sample.
 */
extern void hx_sample_read(Sample *sample, MemoryContext context);

#endif							/* HX_ENCODE_SAMPLE_H */
