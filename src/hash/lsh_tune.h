/*
 * lsh_tune.h
 *	  Which tables and hashes find the near points of a table, and with how many probes.
 */
#ifndef HX_LSH_TUNE_H
#define HX_LSH_TUNE_H

#include "hash/lsh_curve.h"

/* What is known of a table. Distances are the family's, in any order, none NaN. */
typedef struct HxLshSample
{
	const float *neighbours;	/* from rows to their nearest neighbours in the whole table */
	size_t		neighbour_count;	/* 0: unknown; the tuner then takes usual values */
	const float *background;	/* between rows drawn at random */
	size_t		background_count;
	double		rows;			/* of the table, or as many as it is expected to get */
	size_t		set_size;		/* sets: elements of a typical one */
} HxLshSample;

typedef struct HxLshLimits
{
	double		recall;			/* to be reached, in (0, 1) */
	uint32_t	max_tables;		/* what the memory or the disk allows */
	double		probe_cost;		/* cost of a probe, */
	double		candidate_cost; /* and of a candidate in a bucket; only their ratio matters */
} HxLshLimits;

typedef struct HxLshTuning
{
	HxLshShape	shape;			/* complete */
	uint32_t	probes;			/* for limits.recall of nearest neighbours, or OUT_OF_REACH */
	double		recall;			/* predicted with that many */
	double		candidates;		/* rows in the buckets of that many */
	HxLshCurve	curve;
} HxLshTuning;

/*
 * Completes a shape: family, dims, seed and sketch_bytes are given; of tables, hashes,
 * part and width those that are 0 are chosen, the others kept. Takes seconds, with the
 * computation's check on the way.
 */
extern void hx_lsh_tune(const HxLshShape *wish, const HxLshSample *sample,
						const HxLshLimits *limits, const HxCompute *compute,
						HxLshTuning *tuning);

/* Sketch bytes that rank well for the family and dimensions. */
extern uint32_t hx_lsh_default_sketch(uint32_t family, uint32_t dims);

#endif							/* HX_LSH_TUNE_H */
