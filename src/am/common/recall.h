/*
 * recall.h
 *	  Rows of a table as queries, and their true nearest neighbours.
 */
#ifndef HX_AM_RECALL_H
#define HX_AM_RECALL_H

#include "am/common/am.h"

#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "utils/snapshot.h"

/* The least of all distances offered, ascending: at most `room`. */
typedef struct HxNearest
{
	double	   *distance;
	int			count;
	int			room;
} HxNearest;

/* Offers a distance; NaN, which no answer has, is left out. */
extern void hx_nearest_offer(HxNearest *nearest, double distance);

/* A row of the table whose key is asked for. */
typedef struct HxQuery
{
	ItemPointerData tid;
	Datum		key;
	HxNearest	truth;			/* of the other rows */
} HxQuery;

/* The rows of an index, as its table has them. */
typedef struct HxIndexRows
{
	Relation	heap;
	Relation	index;
	Snapshot	snapshot;
	IndexInfo  *info;
	EState	   *estate;
	ExprState  *predicate;
	TupleTableSlot *slot;		/* the row at hand */
	FmgrInfo	distance;		/* the operator's function */
	MemoryContext distance_context; /* of one call of it */
	Oid			collation;
	Oid			key_type;
} HxIndexRows;

/* Opens the rows that the active snapshot sees, and closes them. */
extern void hx_index_rows_open(HxIndexRows *rows, Relation heap, Relation index);
extern void hx_index_rows_close(HxIndexRows *rows);

/*
 * The key of the row in rows->slot, in memory that the next call frees, or false when the
 * index does not have the row: it fails the predicate, or the key is NULL.
 */
extern bool hx_index_rows_key(HxIndexRows *rows, Datum *key);

/* The distance of two keys. */
extern double hx_index_rows_distance(HxIndexRows *rows, Datum key, Datum query);

/* A random sample of rows as queries, or all if there are fewer: palloc'd, always the same. */
extern HxQuery *hx_recall_sample(HxIndexRows *rows, int sample, int k, int *count);

/* Finds the true answers of all queries, in one pass. */
extern void hx_recall_truth(HxIndexRows *rows, HxQuery *queries, int count);

#endif							/* HX_AM_RECALL_H */
