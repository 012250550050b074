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

/*
 * Opens the next index of the list that is on the column and can tell, from *place on; NULL:
 * there is none. *tools: of its access method.
 */
static Relation
open_telling(RelOptInfo *table, Node *column, int *place, const HxAmTools **tools)
{
	while (*place < list_length(table->indexlist))
	{
		IndexOptInfo *info = list_nth_node(IndexOptInfo, table->indexlist, (*place)++);

		if (!is_on_column(info, column))
			continue;

		/* The planner has locked it. A partitioned one has no pages. */
		Relation	index = index_open(info->indexoid, NoLock);

		*tools = index->rd_rel->relkind == RELKIND_INDEX ? hx_am_tools(index) : NULL;
		if (*tools != NULL && (*tools)->rows_within != NULL)
			return index;
		index_close(index, NoLock);
	}
	return NULL;
}

double
hx_index_rows_within(RelOptInfo *table, Node *column, Datum value, double *radius)
{
	const HxAmTools *tools;
	int			place = 0;
	double		rows = -1;
	Relation	index;

	while (rows < 0 && (index = open_telling(table, column, &place, &tools)) != NULL)
	{
		rows = tools->rows_within(index, value, radius);
		index_close(index, NoLock);
	}
	return rows;
}

bool
hx_index_tells(RelOptInfo *table, Node *column)
{
	const HxAmTools *tools;
	int			place = 0;
	Relation	index = open_telling(table, column, &place, &tools);

	if (index != NULL)
		index_close(index, NoLock);
	return index != NULL;
}
