/*
 * lsh_source.h
 *	  Where the candidates of a scan come from: rounds of probes, then passes over all rows.
 */
#ifndef HX_LSH_SOURCE_H
#define HX_LSH_SOURCE_H

#include "am/lsh/lsh.h"
#include "am/lsh/lsh_candidates.h"
#include "am/lsh/lsh_value.h"

/* A range, ready to sort out candidates by their sketches. */
typedef struct LshRange
{
	LshBall		ball;
	HxLshQuery *sketch;
	float		limit;			/* rows within the radius have estimates up to here */
} LshRange;

typedef struct LshSource
{
	Relation	index;
	MemoryContext context;		/* of one query: reset when it is answered */

	/* The functions of the index, copied: the relcache may forget its own. */
	LshCache   *cache;

	/* What is asked. */
	LshMetric	metric;
	bool		ordered;		/* candidates have estimates of the distance to the query */
	LshValue	query;
	HxLshQuery *sketch;			/* of the query */
	LshRange   *ranges;
	int			range_count;

	/* Probes. */
	bool		probing;
	HxLshProbes *probes;
	uint32		made;			/* probes */
	uint32		wanted;
	uint32		most;			/* more of them would cost more than passes */
	double		reach;			/* up to this distance rows have been probed for */
	LshSeen    *seen;			/* rows that probes have found */
	Size		seen_room;		/* as many as work_mem allows */

	/* Passes over all. */
	LshBest		best;
	Size		want;
	bool		has_last;
	LshCandidate last;			/* of the passes before */
	bool		finished;		/* the last pass has found all that was left */

	LshHeap		found;			/* candidates not yet taken by the scan */
} LshSource;

/* Prepares for a query: what is asked, index, context, cache and metric are set, the rest is 0. */
extern void lsh_source_start(LshSource *source);

/* Looks for more candidates; false: there are no more. */
extern bool lsh_source_next_round(LshSource *source);

/*
 * Makes sure that rows at that distance have been looked for; true when that took another
 * round, which may have found more.
 */
extern bool lsh_source_reach(LshSource *source, double distance);

/* The least estimate that a row not in `found` can have, among those looked for. */
extern double lsh_source_frontier(const LshSource *source);

/*
 * The estimate that a row nearer than `distance` has, but for the share of neighbours
 * that hashidx.recall lets sketches lose.
 */
extern double lsh_source_cut(const LshSource *source, double distance);

#endif							/* HX_LSH_SOURCE_H */
