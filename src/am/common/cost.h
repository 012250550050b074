/*
 * cost.h
 *	  What the estimates of all access methods have in common.
 */
#ifndef HX_AM_COST_H
#define HX_AM_COST_H

#include "hashidx.h"

#include "nodes/pathnodes.h"

/* Keeps the planner from a scan that the index cannot do: no other is dearer. */
extern void hx_am_refuse(IndexPath *path, Cost *startup, Cost *total);

/*
 * What the server leaves out of the price of an ordered scan of so many rows, with conditions
 * that drop some. It prices the table's pages for all rows, of which a LIMIT takes its part; but
 * the rows to go through for a LIMIT are few, and each from another page. To be added to the
 * scan's total.
 */
extern Cost hx_am_scattered_cost(PlannerInfo *root, const IndexOptInfo *info, double rows);

/* The share of the table's rows that are in the index: fewer than all in a partial one. */
extern double hx_am_index_share(const IndexOptInfo *info);

/*
 * The share of the rows that satisfy a path's conditions: as the user wrote them, whose selectivity
 * the planner remembers, not as the index evaluates them.
 */
extern Selectivity hx_am_range_selectivity(PlannerInfo *root, const IndexPath *path);

/* What the page of a row anywhere in the table costs, when rows are looked at one by one. */
extern Cost hx_am_visit_cost(const IndexOptInfo *info);

/*
 * The correlation to tell the server for a range of so many rows, which lie anywhere in the table.
 * By it the server prices the pages of a row by row scan: as random ones at 0, which is
 * far too much where all of them are surely cached. So it is what makes the price that which is
 * given, as far as that goes. Bitmaps do not pay it.
 */
extern double hx_am_range_correlation(PlannerInfo *root, const IndexOptInfo *info, double rows,
									  Cost price);

/* The ball of a condition `column <@ ball`; NULL: it is none. */
extern const Node *hx_am_range_ball(const Expr *clause);

/* The radius of a ball that is made when the query runs, if that is a constant; else NULL. */
extern const Const *hx_am_ball_radius(const Node *ball);

#endif							/* HX_AM_COST_H */
