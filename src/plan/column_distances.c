/*
 * column_distances.c
 *	  The share of a column's rows within a radius; see column_distances.h.
 */
#include "plan/column_distances.h"

#include <float.h>
#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "nodes/nodeFuncs.h"
#include "plan/distance_stats.h"
#include "plan/index_rows.h"
#include "utils/selfuncs.h"

/* Values of each of two columns that are compared with each other. */
#define CROSSED_VALUES 60
#define CROSSED_COMMON_VALUES 10

/*
 * What lies near a query where values are too few to tell: mostly itself and a row or
 * two like it.
 */
#define UNSEEN_ROWS 2.0

/* The server's statistics of varlena types have no values wider than that. */
#define WIDE_VALUE 1024

typedef struct Column
{
	const HxMeasure *measure;
	Node	   *expression;
	VariableStatData variable;
	AttStatsSlot values;		/* these three are all zero when nothing is known */
	AttStatsSlot numbers;
	AttStatsSlot common;		/* the most common values, unless they are among the values, too */
	HxDistanceCurve curve;
	double		known;			/* the share of rows that are not NULL: NULL is within nothing */
} Column;

static void
open_column(PlannerInfo *root, Node *expression, int relation, const HxMeasure *measure,
			Column *column)
{
	HeapTuple	tuple;

	memset(column, 0, sizeof(*column));
	column->measure = measure;
	column->expression = expression;
	column->known = 1;
	examine_variable(root, expression, relation, &column->variable);
	tuple = column->variable.statsTuple;
	if (!HeapTupleIsValid(tuple))
		return;
	column->known = 1 - ((Form_pg_statistic) GETSTRUCT(tuple))->stanullfrac;
	get_attstatsslot(&column->values, tuple, measure->values_kind, InvalidOid, ATTSTATSSLOT_VALUES);
	if (measure->curve_kind != 0 &&
		get_attstatsslot(&column->numbers, tuple, measure->curve_kind, InvalidOid,
						 ATTSTATSSLOT_NUMBERS))
		column->curve = (HxDistanceCurve) {
			.points = column->numbers.numbers,
			.count = column->numbers.nnumbers / 3,
		};
	if (measure->values_kind == STATISTIC_KIND_HISTOGRAM)
		get_attstatsslot(&column->common, tuple, STATISTIC_KIND_MCV, InvalidOid,
						 ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS);
}

static void
close_column(Column *column)
{
	free_attstatsslot(&column->values);
	free_attstatsslot(&column->numbers);
	free_attstatsslot(&column->common);
	ReleaseVariableStats(column->variable);
}

/* The distances of a query to the values; returns how many there are. */
static int
measure_values(const Column *column, Datum query, double **distances)
{
	*distances = palloc(Max(column->values.nvalues, 1) * sizeof(double));
	return column->measure->measure(&column->values, query, *distances);
}

/* Adds up the shares of the most common values that lie within the radius; *all: of them all. */
static double
share_of_common(const Column *column, Datum query, double radius, double *all)
{
	double		within = 0;

	*all = 0;
	for (int i = 0; i < column->common.nvalues; i++)
	{
		AttStatsSlot one = {.values = column->common.values + i,.nvalues = 1};
		double		distance;

		*all += column->common.numbers[i];
		if (column->measure->measure(&one, query, &distance) > 0 && distance <= radius)
			within += column->common.numbers[i];
	}
	return within;
}

/* The share of the rows beside the most common values that have one such value. */
static double
share_of_equal(const Column *column, double rest)
{
	const RelOptInfo *table = column->variable.rel;
	bool		is_default;

	if (table == NULL)
		return 0;

	VariableStatData variable = column->variable;
	double		rows = Max(rest * table->tuples, 1);
	double		values = get_variable_numdistinct(&variable, &is_default) - column->common.nvalues;
	double		mean = is_default || values < 1 ? 0 : rows / values;

	/* Of several partitions only one has them. */
	double		least = IS_OTHER_REL(table) ? 1 : UNSEEN_ROWS;

	return Min(Max(least, mean) / rows, 1);
}

/* The share within the radius of a query as statistics alone tell it; negative: there are none. */
static double
share_by_statistics(const Column *column, Datum query, const double *distances, int count,
					double radius)
{
	double		all;
	double		common = share_of_common(column, query, radius, &all);

	if (count == 0)
		return all > 0 ? common : -1;

	double		rest = Max(column->known - all, 0);

	if (column->measure->curve_kind == 0)
		return common + rest * hx_set_share(distances, count, radius,
											share_of_equal(column, rest));
	return common + rest * hx_query_share(&column->curve, distances, count, radius);
}

/* Are the values wide ones, which the server leaves out of its statistics? */
static bool
has_wide_values(const Column *column)
{
	HeapTuple	tuple = column->variable.statsTuple;

	return HeapTupleIsValid(tuple) &&
		((Form_pg_statistic) GETSTRUCT(tuple))->stawidth > WIDE_VALUE / 2;
}

/*
 * The same by an index, which sees the few rows near a query; beyond what it can tell, between that
 * and where the sample begins to tell. Negative: no index tells, or the sample does.
 */
static double
share_by_index(const Column *column, Datum query, const double *distances, int count,
			   double radius)
{
	RelOptInfo *table = column->variable.rel;
	double		near = radius;
	double		far;
	double		rows;

	if (!column->measure->asks_index || table == NULL || table->tuples < 1)
		return -1;
	far = hx_telling_distance(distances, count);
	if (far >= 0 && far <= radius && !has_wide_values(column))
		return -1;
	rows = hx_index_rows_within(table, column->expression, query, &near);
	if (rows < 0 || near >= radius)
		return rows < 0 ? -1 : rows / table->tuples;
	if (far < 0)
		return Max(rows / table->tuples, HX_DEFAULT_SHARE);
	if (far <= radius)
		return share_by_statistics(column, query, distances, count, radius);
	return hx_bridged_share(radius, near, Max(rows, 1) / table->tuples, far,
							share_by_statistics(column, query, distances, count, far));
}

/* The share of the column's rows within the radius of a query; negative: nothing is known. */
static double
share_of_value(const Column *column, Datum query, double radius)
{
	double	   *distances;
	int			count = measure_values(column, query, &distances);
	double		share = share_by_index(column, query, distances, count, radius);

	if (share < 0)
		share = share_by_statistics(column, query, distances, count, radius);
	pfree(distances);
	return share;
}

/* Is it one column, joined with itself? */
static bool
is_same_column(const Column *a, const Column *b)
{
	if (!HeapTupleIsValid(a->variable.statsTuple) || !HeapTupleIsValid(b->variable.statsTuple))
		return false;

	Form_pg_statistic one = (Form_pg_statistic) GETSTRUCT(a->variable.statsTuple);
	Form_pg_statistic other = (Form_pg_statistic) GETSTRUCT(b->variable.statsTuple);

	return one->starelid == other->starelid && one->staattnum == other->staattnum;
}

/* Is there an index that can tell the rows within a radius? */
static bool
has_index(const Column *column)
{
	return column->variable.rel != NULL &&
		hx_index_tells(column->variable.rel, column->expression);
}

/* The mean share that values of the other column have within the radius, and how many have one. */
static double
mean_share(const Column *column, const Datum *values, int count, int most, double radius,
		   int *measured)
{
	int			queries = Min(most, count);
	double		sum = 0;

	*measured = 0;
	for (int i = 0; i < queries; i++)
	{
		double		share = share_of_value(column, values[(int64) i * count / queries], radius);

		if (share >= 0)
		{
			sum += share;
			(*measured)++;
		}
	}
	return *measured > 0 ? sum / *measured : 0;
}

/*
 * The mean share of the one column's rows that a value of the other has within the radius;
 * negative: nothing is known. The most common values count by how common they are, all others
 * alike.
 */
static double
share_of_crossed(const Column *a, const Column *b, double radius)
{
	int			most = a->measure->asks_index ? CROSSED_VALUES / 2 : CROSSED_VALUES;
	int			common = Min(CROSSED_COMMON_VALUES, b->common.nvalues);
	double		sum = 0;
	double		weight = 0;
	int			measured;

	for (int i = 0; i < common; i++)
	{
		double		share = mean_share(a, b->common.values + i, 1, 1, radius, &measured);

		sum += measured * b->common.numbers[i] * share;
		weight += measured * b->common.numbers[i];
	}

	double		others = mean_share(a, b->values.values, b->values.nvalues, most, radius,
									&measured);

	if (measured > 0)
	{
		double		rest = Max(b->known - weight, 0);

		sum += rest * others;
		weight += rest;
	}
	return weight > 0 ? sum / weight : -1;
}

static bool
has_queries(const Column *column)
{
	return column->measure->values_are_queries &&
		column->values.nvalues + column->common.nvalues > 0;
}

/*
 * The share of the one column's rows, but for itself, that a row of the other has within the
 * radius if its value is not NULL; negative: nothing is known.
 */
static double
share_of_row(const Column *a, const Column *b, double radius)
{
	if (has_queries(b) && !is_same_column(a, b))
		return share_of_crossed(a, b, radius);

	/* What is not known of the other side is taken to be of the same kind. */
	if (a->curve.count > 0)
		return a->known * hx_curve_share(&a->curve, radius);
	return has_queries(a) ? share_of_crossed(a, a, radius) : -1;
}

/* Of two columns the one that has an index is asked, if the other has values to ask with. */
static bool
asks_other(const Column *a, const Column *b)
{
	return a->measure->asks_index && !has_index(a) && has_index(b) && has_queries(a);
}

/*
 * The share of the pairs of rows of two columns; negative: nothing is known of the first, and the
 * second is not to be asked. In a join with itself, each row also meets itself.
 */
static double
share_of_pairs(const Column *a, const Column *b, bool meets_itself, double radius)
{
	double		rows = a->variable.rel != NULL ? a->variable.rel->tuples : 0;
	double		share = asks_other(a, b) ? -1 : share_of_row(a, b, radius);

	if (share >= 0 && rows > 0 && meets_itself && is_same_column(a, b))
		share += 1 / rows;
	return share >= 0 ? share * b->known : -1;
}

/* Is the column on the inner side of a semijoin or antijoin? */
static bool
is_inner(const Column *column, const SpecialJoinInfo *join)
{
	return column->variable.rel != NULL &&
		bms_is_subset(column->variable.rel->relids, join->syn_righthand);
}

/*
 * The share of the outer rows that have a partner, given the share of pairs. A row is taken for
 * no partner of its own, since who asks for partners excludes it.
 */
static double
share_with_partner(double pairs, const Column *outer, const Column *inner)
{
	double		partners = pairs / Max(outer->known, FLT_MIN) * inner->variable.rel->rows;

	return outer->known * (1 - exp(-partners));
}

/* A share that is known, or what is assumed in its place. */
static double
known_or_guessed(double share, const Column *column, double radius)
{
	const HxMeasure *measure = column->measure;

	if (share >= 0)
		return share;
	share = measure->guess == NULL ? HX_DEFAULT_SHARE :
		measure->guess(exprTypmod(column->expression), radius);
	return share * column->known;
}

double
hx_share_of_query(PlannerInfo *root, Node *column, int relation, Datum query, double radius,
				  const HxMeasure *measure)
{
	Column		known;
	double		share;

	if (!(radius >= 0))
		return 0;
	open_column(root, column, relation, measure, &known);
	share = share_of_value(&known, query, radius);
	share = known_or_guessed(share, &known, radius);
	close_column(&known);
	CLAMP_PROBABILITY(share);
	return share;
}

double
hx_share_of_columns(PlannerInfo *root, Node *column, Node *other, int relation,
					const SpecialJoinInfo *join, double radius, const HxMeasure *measure)
{
	bool		is_half = join != NULL &&
		(join->jointype == JOIN_SEMI || join->jointype == JOIN_ANTI);
	Column		one;
	Column		two;
	double		share;

	if (!(radius >= 0))
		return 0;
	open_column(root, column, relation, measure, &one);
	open_column(root, other, relation, measure, &two);
	share = share_of_pairs(&one, &two, !is_half, radius);
	if (share < 0)
		share = share_of_pairs(&two, &one, !is_half, radius);
	share = known_or_guessed(share, &one, radius);
	if (is_half && is_inner(&one, join))
		share = share_with_partner(share, &two, &one);
	else if (is_half && is_inner(&two, join))
		share = share_with_partner(share, &one, &two);
	close_column(&two);
	close_column(&one);
	CLAMP_PROBABILITY(share);
	return share;
}
