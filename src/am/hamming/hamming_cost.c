/*
 * hamming_cost.c
 *	  amcostestimate. README, "Costs", has the model and where its constants come from.
 */
#include "am/hamming/hamming.h"
#include "am/hamming/hamming_collect.h"

#include <math.h>

#include "access/genam.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/* CPU of a page's visit and of one 8-byte word of a code, in units of cpu_operator_cost. */
#define OPERATORS_PER_PAGE 15.0
#define OPERATORS_PER_WORD 0.04

/* A read page that is surely cached costs this share of seq_page_cost. */
#define CACHED_PAGE_SHARE 0.05

#define LOG2(x) (log(x) / M_LN2)

/* One pass over all pages. */
static Cost
pass_cost(const IndexOptInfo *info, int bits)
{
	double		seq_page_cost;
	double		words = Max(ceil(bits / 64.0), 1);

	get_tablespace_page_costs(info->reltablespace, NULL, &seq_page_cost);
	if (info->pages < effective_cache_size / 4.0)
		seq_page_cost *= CACHED_PAGE_SHARE;
	return info->pages * (seq_page_cost + OPERATORS_PER_PAGE * cpu_operator_cost) +
		info->tuples * words * OPERATORS_PER_WORD * cpu_operator_cost;
}

/*
 * All passes of an ordered scan that returns `rows` of the rows it sees. A pass
 * that keeps k of n rows takes about k (1 + ln(n / k)) of them in, at the price
 * of sorting them.
 */
static Cost
ordered_cost(const IndexOptInfo *info, int bits, int code_bytes, double rows)
{
	Cost		pass = pass_cost(info, bits);
	Cost		total = 0;
	double		most = Max(work_mem * 1024.0 / hamming_collector_row_size(code_bytes),
						   HAMMING_FIRST_WANT);
	double		want = HAMMING_FIRST_WANT;
	double		got = 0;

	for (;;)
	{
		double		kept = Min(want, rows);
		double		taken = kept * (1 + log(Max(rows / kept, 1)));
		Cost		one = pass + taken * 2 * cpu_operator_cost * LOG2(2 * kept + 1);

		/* Once the passes have grown to their largest, the rest are alike. */
		if (want >= most)
			return total + one * ceil((rows - got) / want);
		total += one;
		got += want;
		if (got >= rows)
			return total;
		want = Min(want * HAMMING_WANT_GROWTH, most);
	}
}

/* Bits of the index's codes; a guess when they are not known. */
static int
code_bits(const IndexOptInfo *info)
{
	int			bits = 0;

	if (!info->hypothetical)
	{
		Relation	index = index_open(info->indexoid, NoLock);

		bits = hamming_cache(index)->shape.bits;
		index_close(index, NoLock);
	}
	return bits > 0 ? bits : 64;
}

void
hamming_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					 Cost *startup, Cost *total, Selectivity *selectivity,
					 double *correlation, double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	bool		ordered = path->indexorderbys != NIL;

	*correlation = 0;			/* neighbours lie anywhere in the table */
	*pages = info->pages;
	*selectivity = 1;

	/* Rows with NULL codes are not here, and only one distance can be ordered by. */
	if ((!ordered && path->indexclauses == NIL) || list_length(path->indexorderbys) > 1)
	{
		*startup = *total = get_float8_infinity();
		hx_disable_path(&path->path);
		return;
	}

	if (path->indexclauses != NIL)
		*selectivity = clauselist_selectivity(root, get_quals_from_indexclauses(path->indexclauses),
											  info->rel->relid, JOIN_INNER, NULL);

	double		rows = clamp_row_est(*selectivity * info->tuples);
	int			bits = code_bits(info);
	Cost		pass = pass_cost(info, bits);
	bool		index_only = path->path.pathtype == T_IndexOnlyScan;

	/* An ordered scan has read all before its first row; an unordered one returns as it reads. */
	*startup = ordered ? pass : 0;
	*total = rows * cpu_index_tuple_cost +
		(ordered ? ordered_cost(info, bits, index_only ? (bits + 7) / 8 : 0, rows) : pass);
}
