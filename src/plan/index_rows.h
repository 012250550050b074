/*
 * index_rows.h
 *	  What an index of the column tells of the rows within a radius, where they are too few for
 *	  statistics to see.
 */
#ifndef HX_INDEX_ROWS_H
#define HX_INDEX_ROWS_H

#include "hashidx.h"

#include "nodes/pathnodes.h"

/*
 * How many rows of a table have the column within the radius of a value, by the first index on it
 * that can tell; lowers the radius to what that index can tell. Negative: there is none.
 */
extern double hx_index_rows_within(RelOptInfo *table, Node *column, Datum value, double *radius);

/* Is there an index that may tell that? */
extern bool hx_index_tells(RelOptInfo *table, Node *column);

#endif							/* HX_INDEX_ROWS_H */
