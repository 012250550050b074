/*
 * hnsw.h
 *	  The parts of hashidx_hnsw and what they share; start with README.
 */
#ifndef HX_HNSW_H
#define HX_HNSW_H

#include "am/common/am.h"
#include "am/hnsw/hnsw_page.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "nodes/tidbitmap.h"

/* The strategy of the operator classes: ORDER BY column <operator> value. */
#define HNSW_STRATEGY_DISTANCE 1

/* Support function 1 of an operator class: hashidx_hnsw_metric_*(internal), its HnswMetric. */
#define HNSW_SUPPORT_METRIC 1

/* An index of so few pages is read as fast as it is searched: scans do not use its codes. */
#define HNSW_FEW_PAGES 32

/* Build phases, after core's PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE (1). */
#define HNSW_PHASE_READ 2
#define HNSW_PHASE_PARTITION 3
#define HNSW_PHASE_GRAPH 4
#define HNSW_PHASE_WRITE 5
#define HNSW_PHASE_LOG 6
#define HNSW_PHASE_MEASURE 7

/* The index's options; 0 and -1 stand for "as the dimensions suggest". */
typedef struct HnswOptions
{
	int32		vl_len_;		/* varlena header: do not touch directly */
	int			m;				/* links of a node: 16 .. 64; 0 */
	int			code_bits;		/* 1 or 2; 0 */
	int			ef_construction;	/* 16 .. 1000; 0 */
	int			format;			/* HxStoredFormat; -1 */
} HnswOptions;

/*
 * What a backend remembers of an index between calls, in rd_amcache: one chunk, gone
 * with the next relcache invalidation, so nobody keeps a pointer into it across anything
 * that may open a relation or detoast a value. The entry set may be stale: what it points
 * to is a node, or is found not to be one, when its page is read.
 */
typedef struct HnswCache
{
	HnswShape	shape;
	uint32		ef_construction;
	uint32		entry_version;
	float		largest_norm;
	uint32		entry_count;
	double		nodes;			/* as the last build or vacuum counted them */
	uint32		curve_points;
	HnswCurvePoint curve[HNSW_MAX_CURVE_POINTS];
	BlockNumber curve_blocks;
	BlockNumber room[HNSW_LISTS];	/* hints: pages that had room lately */
	bool		recode;			/* the links' codes are not yet all those of the centre */
	float	   *centre;			/* link.dims coordinates; NULL: zero, or hamming */
	HxLink	   *entries;		/* entry_count of them, relative to the centre */
	uint8	   *entry_blocks;	/* their codes: blocks for FastScan; of hamming row-major */
} HnswCache;

/*
 * The cache of an open index, made or made anew when the metapage tells of a change.
 * Reads the metapage (one page) each time; checks magic and format. The caller holds no
 * buffer lock.
 */
extern HnswCache *hnsw_cache(Relation index);

/* The shape as far as the index's definition tells it: dims from the column's typmod, or 0. */
extern HnswShape hnsw_declared_shape(Relation index);

/*
 * Sets the dimensions of a shape whose dims are 0, choosing by the options what they leave
 * open. Whatever a column's type allows has a shape.
 */
extern void hnsw_shape_set_dims(Relation index, HnswShape *shape, uint32 dims);

/* Whether the option `format` says how own vectors are stored; a shape for some other form. */
extern bool hnsw_has_format(Relation index);
extern void hnsw_shape_set_stored(HnswShape *shape, HxStoredFormat stored);

/* The index's ef_construction, from its options or the default for the shape's dimensions. */
extern uint32 hnsw_ef_construction(Relation index, const HnswShape *shape);

/* ERRCODE_DATA_EXCEPTION with both numbers unless a vector of that many dimensions belongs here. */
extern void hnsw_check_dims(Relation index, const HnswShape *shape, uint32 dims);

/*
 * The node head in a locked nodes page, checked; NULL when the slot is free. Damage, when
 * the page is no nodes page or the slot not sound. An all-zero page has free slots only.
 */
extern HnswNodeHead *hnsw_read_node(Relation index, const HnswShape *shape, Buffer buf,
									HxNode node);

/* Checks that a page is of that kind (not block 0), in a locked buffer; damage otherwise. */
extern void hnsw_check_kind(Relation index, Buffer buf, HxPageKind kind);

/*
 * For a pass over all pages: the page, share-locked if it has nodes, otherwise InvalidBuffer, not
 * pinned and not locked. *next: the block after it and its tail.
 */
extern Buffer hnsw_lock_nodes(Relation index, const HnswShape *shape,
							  BufferAccessStrategy strategy, BlockNumber blk, BlockNumber *next);

/* hnsw_buffer.c */

/* The buffer of a node's page, pinned; as ReadBuffer, but faster for pages read before. */
extern Buffer hnsw_read_buffer(Relation index, const HnswShape *shape, HxNode node);

/* hnsw_build.c */
extern IndexBuildResult *hnsw_build(Relation heap, Relation index, IndexInfo *info);
extern void hnsw_buildempty(Relation index);

/* hnsw_insert.c */
extern bool hnsw_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
						Relation heap, IndexUniqueCheck unique, bool unchanged, IndexInfo *info);

/* hnsw_scan.c */
extern IndexScanDesc hnsw_beginscan(Relation index, int nkeys, int norderbys);
extern void hnsw_rescan(IndexScanDesc scan, ScanKey keys, int nkeys,
						ScanKey orderbys, int norderbys);
extern bool hnsw_gettuple(IndexScanDesc scan, ScanDirection direction);
extern void hnsw_endscan(IndexScanDesc scan);

/* hnsw_vacuum.c */
extern IndexBulkDeleteResult *hnsw_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
											  IndexBulkDeleteCallback callback, void *state);
extern IndexBulkDeleteResult *hnsw_vacuumcleanup(IndexVacuumInfo *info,
												 IndexBulkDeleteResult *stats);

/* hnsw_cost.c */
extern void hnsw_costestimate(struct PlannerInfo *root, struct IndexPath *path, double loop_count,
							  Cost *startup, Cost *total, Selectivity *selectivity,
							  double *correlation, double *pages);

/* hnsw_check.c */
extern const void *hnsw_key_bytes(Relation index, Datum key, Size *bytes);
extern void hnsw_check(HxCheck *check);
extern void hnsw_stats(Relation index, HxStats *stats);

#endif							/* HX_HNSW_H */
