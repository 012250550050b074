/*
 * hamming_plan.h
 *	  The leaves of the chunk tables that hold everything within a radius of a code.
 */
#ifndef HX_HAMMING_PLAN_H
#define HX_HAMMING_PLAN_H

#include "am/hamming/hamming.h"

/* What a leaf costs, found by way of its tree, in codes pages read one after the other. */
#define HAMMING_LEAF_COST 1.4

/* A leaf to read. It may have been divided since: then its right neighbours up to high, too. */
typedef struct HammingTarget
{
	BlockNumber blk;
	uint16		chunk;
	uint16		end_radius;		/* of the ends of keys that are near enough as wholes */
	HammingPoint high;
} HammingTarget;

typedef struct HammingPlan
{
	const HammingTables *tables;
	int			code_bytes;
	uint8	   *masks;			/* for each chunk, a code with its bits set */
	uint8	   *difference;		/* scratch, of a code's length */
	int			radius;
	int			radii[HX_MAX_CHUNKS];	/* of each table's keys; -1: it is not looked at */
	HammingTarget *targets;
	int			count;
	int			capacity;
} HammingPlan;

/* Allocates in CurrentMemoryContext; the tables must outlive the plan. */
extern void hamming_plan_init(HammingPlan *plan, const HammingTables *tables,
							  const HammingShape *shape);

/* Empties the plan; from now on it is one for this radius, shared out alike for every query. */
extern void hamming_plan_start(HammingPlan *plan, int radius);

/*
 * Adds the leaves of one table to read for a key, and stops when the plan has more than
 * `most`. The caller holds no buffer lock.
 */
extern void hamming_plan_add(HammingPlan *plan, Relation index, int chunk, uint32 key,
							 double most);

/*
 * Lists the leaves to read for all codes within `radius` of the query, which is shared out
 * so that they are few; false, when they would be more than `most`, or seem to be, by what
 * is found in the first tables. pages: codes pages. The caller holds no buffer lock.
 */
extern bool hamming_plan_make(HammingPlan *plan, Relation index, const uint8 *query, int radius,
							  double pages, double most);

/*
 * A code within the radius stands in every table and may be met in several: is it
 * this table's to report? That is the first one in which its chunk is near enough.
 */
extern bool hamming_plan_reports(HammingPlan *plan, int chunk, const uint8 *query,
								 const uint8 *code);

/* The leaves that are likely to be read, if each table has `leaves` and bits are independent. */
extern double hamming_plan_estimate(const HxChunks *chunks, double leaves, int radius);

#endif							/* HX_HAMMING_PLAN_H */
