/*
 * column_distances.c
 *	  The share of a column's rows within a radius; see column_distances.h.
 */
#include "plan/column_distances.h"

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "nodes/nodeFuncs.h"
#include "plan/distance_stats.h"
#include "utils/selfuncs.h"

/* Values of each of two columns that are compared with each other. */
#define CROSSED_VALUES 60

typedef struct Column
{
	const HxMeasure *measure;
	VariableStatData variable;
	AttStatsSlot values;		/* these three are all zero when nothing is known */
	AttStatsSlot numbers;
	AttStatsSlot common;		/* the most common values, unless they are among the values, too */
	HxDistanceCurve curve;
} Column;

static void
open_column(PlannerInfo *root, Node *expression, int relation, const HxMeasure *measure,
			Column *column)
{
	HeapTuple	tuple;

	memset(column, 0, sizeof(*column));
	column->measure = measure;
	examine_variable(root, expression, relation, &column->variable);
	tuple = column->variable.statsTuple;
	if (!HeapTupleIsValid(tuple))
		return;
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

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The share within the radius of a query as the values tell; negative: there are none. */
static double
share_of_values(const Column *column, Datum query, double radius)
{
	int			most = column->values.nvalues;
	double	   *distances = palloc(Max(most, 1) * sizeof(double));
	int			count = column->measure->measure(&column->values, query, most, distances);
	double		share = -1;

	if (count > 0)
	{
		qsort(distances, count, sizeof(double), compare_doubles);
		share = hx_query_share(&column->curve, distances, count, radius);
	}
	pfree(distances);
	return share;
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
		if (column->measure->measure(&one, query, 1, &distance) > 0 && distance <= radius)
			within += column->common.numbers[i];
	}
	return within;
}

/* The share of the column's rows within the radius of a query; negative: nothing is known. */
static double
share_of_value(const Column *column, Datum query, double radius)
{
	double		all;
	double		common = share_of_common(column, query, radius, &all);
	double		others = share_of_values(column, query, radius);

	if (others < 0)
		return all > 0 ? common : -1;
	return common + Max(1 - all, 0) * others;
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

/* The share of the pairs of rows of two columns: values of the one are queries to the other. */
static double
share_of_crossed(const Column *a, const Column *b, double radius)
{
	double		sum = 0;
	int			queries = Min(CROSSED_VALUES, b->values.nvalues);
	int			measured = 0;

	for (int i = 0; i < queries; i++)
	{
		Datum		query = b->values.values[(int64) i * b->values.nvalues / queries];
		double		share = share_of_value(a, query, radius);

		if (share >= 0)
		{
			sum += share;
			measured++;
		}
	}
	return measured > 0 ? sum / measured : -1;
}

/* The share of the pairs of different rows of one column; negative: nothing is known. */
static double
share_of_own_pairs(const Column *column, double radius)
{
	if (column->curve.count > 0)
		return hx_curve_share(&column->curve, radius);
	return column->measure->values_are_queries ? share_of_crossed(column, column, radius) : -1;
}

/* The share of the pairs of rows of two columns; negative: nothing is known of the first. */
static double
share_of_pairs(const Column *a, const Column *b, double radius)
{
	double		rows = a->variable.rel != NULL ? a->variable.rel->tuples : 0;

	if (!is_same_column(a, b) && a->measure->values_are_queries && b->values.nvalues > 0)
		return share_of_crossed(a, b, radius);

	/* What is not known of the other side is taken to be of the same kind. */
	double		share = share_of_own_pairs(a, radius);

	/* In a join with itself, each row also meets itself. */
	return share >= 0 && rows > 0 && is_same_column(a, b) ? share + 1 / rows : share;
}

static double
known_or_guessed(double share, const HxMeasure *measure, Node *column, double radius)
{
	if (share < 0)
		share = measure->guess == NULL ? HX_DEFAULT_SHARE :
			measure->guess(exprTypmod(column), radius);
	CLAMP_PROBABILITY(share);
	return share;
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
	close_column(&known);
	return known_or_guessed(share, measure, column, radius);
}

double
hx_share_of_columns(PlannerInfo *root, Node *column, Node *other, int relation, double radius,
					const HxMeasure *measure)
{
	Column		one;
	Column		two;
	double		share;

	if (!(radius >= 0))
		return 0;
	open_column(root, column, relation, measure, &one);
	open_column(root, other, relation, measure, &two);
	share = share_of_pairs(&one, &two, radius);
	if (share < 0)
		share = share_of_pairs(&two, &one, radius);
	close_column(&two);
	close_column(&one);
	return known_or_guessed(share, measure, column, radius);
}
