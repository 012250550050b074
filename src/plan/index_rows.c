/*
 * index_rows.c
 *	  Indexes that tell how many rows are within a radius; see index_rows.h.
 */
#include "plan/index_rows.h"

#include "am/common/am.h"
#include "optimizer/paths.h"

/* Does the index have every row of the table, by that column? */
static bool
is_on_column(IndexOptInfo *info, Node *column)
{
	return !info->hypothetical && info->indpred == NIL &&
		match_index_to_operand(column, 0, info);
}

double
hx_index_rows_within(RelOptInfo *table, Node *column, Datum value, double *radius)
{
	ListCell   *cell;
	double		rows = -1;

	foreach(cell, table->indexlist)
	{
		IndexOptInfo *info = lfirst_node(IndexOptInfo, cell);

		if (!is_on_column(info, column))
			continue;

		/* The planner has locked it. A partitioned one has no pages. */
		Relation	index = index_open(info->indexoid, NoLock);
		const HxAmTools *tools = index->rd_rel->relkind == RELKIND_INDEX ? hx_am_tools(index) : NULL;

		if (tools != NULL && tools->rows_within != NULL)
			rows = tools->rows_within(index, value, radius);
		index_close(index, NoLock);
		if (rows >= 0)
			break;
	}
	return rows;
}
