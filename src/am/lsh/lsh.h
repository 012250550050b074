/*
 * lsh.h
 *	  The parts of hashidx_lsh and what they share; start with README.
 */
#ifndef HX_LSH_AM_H
#define HX_LSH_AM_H

#include "am/common/am.h"
#include "am/lsh/lsh_page.h"
#include "hash/lsh_tune.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "nodes/tidbitmap.h"

/* Strategies of the operator classes. */
#define LSH_STRATEGY_DISTANCE 1 /* ORDER BY value <distance> query */
#define LSH_STRATEGY_WITHIN 2	/* value <@ ball */

/* Support function 1 of an operator class: f(internal) returns its LshMetric. */
#define LSH_SUPPORT_METRIC 1

typedef enum LshMetric
{
	LSH_COSINE = 1,
	LSH_L2 = 2,
	LSH_HAMMING = 3,
	LSH_JACCARD = 4,
} LshMetric;

/* Build phases, after core's PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE (1). */
#define LSH_PHASE_SAMPLE 2
#define LSH_PHASE_TUNE 3
#define LSH_PHASE_READ 4
#define LSH_PHASE_SORT 5
#define LSH_PHASE_WRITE 6
#define LSH_PHASE_LOG 7

/* WITH (...); 0: chosen by the tuner. */
typedef struct LshOptions
{
	int32		vl_len_;		/* varlena header: do not touch directly */
	int			tables;
	int			bits;
	int			bands;
	int			rows;
	int			family;			/* HxLshFamily or 0 */
} LshOptions;

/* What a backend remembers of an index between calls, in rd_amcache; one piece of memory. */
typedef struct LshCache
{
	Size		size;			/* of this piece */
	HxLshShape	shape;			/* tables 0: not known yet; asked for anew each time */
	int			row_bytes;
	int			table_bits;		/* of a key, that hold the table's number */
	float		bucket_share;	/* of the rows, that a bucket near a query has */
	HxLshCurve	curve;
	uint64		lsh[FLEXIBLE_ARRAY_MEMBER]; /* the HxLsh, once the shape is known */
} LshCache;

/* Bits that hold the numbers of so many tables. */
static inline int
lsh_table_bits(uint32 tables)
{
	int			bits = 0;

	while ((UINT32_C(1) << bits) < tables)
		bits++;
	return bits;
}

static inline const HxLsh *
lsh_cache_functions(const LshCache *cache)
{
	return (const HxLsh *) cache->lsh;
}

/* The key of a bucket, from that of the family. */
static inline uint32
lsh_key(int table_bits, uint32 table, uint64 key)
{
	return (uint32) ((((uint64) table << 32) | key >> 32) >> table_bits);
}

/* The table that a key belongs to. */
static inline uint32
lsh_key_table(int table_bits, uint32 key)
{
	return (uint32) ((uint64) key << table_bits >> 32);
}

/* The last key of table 0, which has every row once. */
static inline uint32
lsh_last_key(int table_bits)
{
	return LSH_MAX_KEY >> table_bits;
}

/*
 * The cache of an open index, read from the metapage if there is none. Checks magic,
 * format and shape; takes a share lock on the metapage, so the caller holds no buffer
 * lock. Valid until the next relcache invalidation.
 */
extern LshCache *lsh_cache(Relation index);

/* The metric of the index's operator class. */
extern LshMetric lsh_metric(Relation index);

/*
 * Of the neighbours that a scan may miss, a sixteenth may be lost by looking at sketches; three
 * are left to those that are found too late for the order, and the rest is what buckets may lack.
 */
static inline double
lsh_sketch_loss(double recall)
{
	return (1 - recall) / 16;
}

/* So the probes have to find this share of them. */
static inline double
lsh_probes_recall(double recall)
{
	return 1 - (1 - recall) * 0.75;
}

/*
 * A range's sketches lose next to nothing. But its rows are few and all wanted, and a curve
 * measured on made-up pairs is too hopeful for values whose parts go together: so the probes
 * have to miss half as many rows as may be missed.
 */
static inline double
lsh_range_recall(double recall)
{
	return 1 - (1 - recall) * 0.5;
}

/* What the metapage is told of an index's functions, and of what they were chosen for. */
typedef struct LshTuned
{
	HxLshTuning tuning;
	uint32		set_size;		/* elements of a typical set; 0 for other metrics */
	float		bucket_share;	/* of the rows, that a bucket near a query has */
	double		rows;			/* of the table; 0: it was not sampled */
} LshTuned;

struct LshValue;

/* lsh_sample.c */

/* Dimensions or bits as the column's type tells them, or 0. */
extern uint32 lsh_declared_dims(Relation index, LshMetric metric);

/*
 * The shape as far as type, metric and options tell it, for an index whose first value is
 * this (NULL: none yet). Errors on options and values that do not fit.
 */
extern HxLshShape lsh_wished_shape(Relation index, LshMetric metric, const struct LshValue *first);

/* Completes a shape when nothing is known of the rows but the first one. */
extern void lsh_tune_blindly(LshMetric metric, const HxLshShape *wish,
							 const struct LshValue *first, LshTuned *tuned);

/* Completes a shape from a sample of the table; false: no row in it has a value. */
extern bool lsh_tune_by_sample(Relation heap, Relation index, IndexInfo *info, LshTuned *tuned);

/* Puts a tuning into the metapage. */
extern void lsh_meta_set_tuning(LshMetaPage *meta, const LshTuned *tuned);

/* lsh_build.c */
extern IndexBuildResult *lsh_build(Relation heap, Relation index, IndexInfo *info);
extern void lsh_buildempty(Relation index);

/* lsh_insert.c */
extern bool lsh_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
					   Relation heap, IndexUniqueCheck unique, bool unchanged, IndexInfo *info);

/* lsh_scan.c */
extern IndexScanDesc lsh_beginscan(Relation index, int nkeys, int norderbys);
extern void lsh_rescan(IndexScanDesc scan, ScanKey keys, int nkeys,
					   ScanKey orderbys, int norderbys);
extern bool lsh_gettuple(IndexScanDesc scan, ScanDirection direction);
extern int64 lsh_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap);
extern void lsh_endscan(IndexScanDesc scan);

/* lsh_vacuum.c */
extern IndexBulkDeleteResult *lsh_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
											 IndexBulkDeleteCallback callback, void *state);
extern IndexBulkDeleteResult *lsh_vacuumcleanup(IndexVacuumInfo *info,
												IndexBulkDeleteResult *stats);

/* lsh_cost.c */
extern void lsh_costestimate(struct PlannerInfo *root, struct IndexPath *path,
							 double loop_count, Cost *startup, Cost *total,
							 Selectivity *selectivity, double *correlation, double *pages);

/* lsh_estimate.c */
extern double lsh_rows_within(Relation index, Datum query, double *radius);

/* lsh_check.c */
extern const void *lsh_key_bytes(Relation index, Datum key, Size *bytes);
extern void lsh_check(HxCheck *check);

/* lsh_stats.c */
extern void lsh_stats(Relation index, HxStats *stats);

/* lsh_join.c */
extern void lsh_pairs(Relation heap, Relation index, double radius, HxPairsEmit emit,
					  void *context);

#endif							/* HX_LSH_AM_H */
