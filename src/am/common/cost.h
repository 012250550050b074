/*
 * cost.h
 *	  What the estimates of all access methods have in common.
 */
#ifndef HX_AM_COST_H
#define HX_AM_COST_H

#include "hashidx.h"

#include "nodes/pathnodes.h"

/*
 * What the server leaves out of the price of an ordered scan of so many rows, with conditions
 * that drop some. It prices the table's pages for all rows, of which a LIMIT takes its part; but
 * the rows to go through for a LIMIT are few, and each from another page. To be added to the
 * scan's total.
 */
extern Cost hx_am_scattered_cost(PlannerInfo *root, const IndexOptInfo *info, double rows);

#endif							/* HX_AM_COST_H */
