/*
 * hamming.h
 *	  The parts of hashidx_hamming and what they share; start with README.
 */
#ifndef HX_HAMMING_H
#define HX_HAMMING_H

#include "am/common/am.h"
#include "am/hamming/hamming_tree_page.h"
#include "access/itup.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "nodes/tidbitmap.h"

/* Strategies of the operator classes. */
#define HAMMING_STRATEGY_DISTANCE 1	/* ORDER BY code <~> bincode */
#define HAMMING_STRATEGY_WITHIN 2	/* code <@ hamming_ball */

/* Build phases, after core's PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE (1). */
#define HAMMING_PHASE_READ 2
#define HAMMING_PHASE_GROUP 3
#define HAMMING_PHASE_WRITE 4
#define HAMMING_PHASE_TABLES 5
#define HAMMING_PHASE_LOG 6

/*
 * What a backend remembers of an index between calls, in rd_amcache: gone with
 * the next relcache invalidation. The shape never changes once bits are known;
 * room is a hint, wrong hints cost a look at the metapage.
 */
typedef struct HammingCache
{
	HammingShape shape;
	BlockNumber room[HAMMING_LISTS];
	uint16		method;			/* HAMMING_METHOD_* */
	uint16		chunks;			/* as the metapage says */
	HammingShape leaf_shape;
	HammingTables tables;		/* chunks.count is 0 when there are none */
} HammingCache;

/*
 * The cache of an open index, read from the metapage when there is none or when
 * the bits were unknown. Checks magic and format; takes a share lock on the
 * metapage, so the caller holds no buffer lock.
 */
extern HammingCache *hamming_cache(Relation index);

/* The shape as far as the index's definition tells it: bits from the column's typmod, or 0. */
extern HammingShape hamming_declared_shape(Relation index);

/*
 * The runs of blocks in which the codes pages are, in ascending order; palloc'd.
 * Blocks of other kinds lie among them only where there are no chunk tables. The
 * caller holds no buffer lock.
 */
extern HammingExtent *hamming_codes_extents(Relation index, int *count);

/* The kind of the page, not block 0, in a locked buffer; damage unless such a page can be there. */
extern HxPageKind hamming_page_kind(Relation index, const HammingShape *shape, Buffer buf);

/*
 * Does the page, not block 0, in a locked buffer have codes? Damage if not, when it is listed
 * among those that do; but a page that a crash left behind before its first record is empty.
 */
extern bool hamming_has_codes(Relation index, const HammingShape *shape, bool is_listed,
							  Buffer buf);

/* The view of a codes page: the buffer's, or its image in a record; damage unless it is sound. */
extern HammingView hamming_checked_view(Relation index, const HammingShape *shape, Buffer buf,
										Page page);

/* Reports that a page's rows do not match its codes. */
extern void hamming_report_runs(Relation index, Buffer buf);

/* Reports that a row of a page, number i, is none that the table can have. */
extern void hamming_report_row(Relation index, BlockNumber blk, int i, const ItemPointerData *tid);

/* ERRCODE_DATA_EXCEPTION unless a code of that many bits belongs into the index. */
extern void hamming_check_bits(Relation index, const HammingShape *shape, int32 bits);

/* A row for a heap TID, without payload; errors when the table AM's offsets need our flag bit. */
extern HammingRow hamming_row(Relation index, ItemPointer tid);

/* Sets the number of bits; errors when codes so long do not fit a page. */
extern void hamming_shape_set_bits(HammingShape *shape, int32 bits);

/* hamming_payload.c */

/* The tuple of a row's INCLUDE values, t_tid naming the row; errors when it fits no page. */
extern IndexTuple hamming_payload_form(Relation index, Datum *values, bool *isnull,
									   ItemPointer tid);

/* The payload of a used item of a payload page; NULL: the item does not lie within the page. */
extern IndexTuple hamming_payload_at(Page page, OffsetNumber off);

/* The payload at an offset if it is that row's, else NULL: it is gone, or the page is damaged. */
extern IndexTuple hamming_payload_find(Page page, OffsetNumber off, ItemPointer tid);

/* Fills values[1..] and isnull[1..]; they point into the payload. False: it is damaged. */
extern bool hamming_payload_deform(Relation index, IndexTuple payload, Datum *values, bool *isnull);

/* hamming_build.c */
extern IndexBuildResult *hamming_build(Relation heap, Relation index, IndexInfo *info);
extern void hamming_buildempty(Relation index);

/* hamming_insert.c */

/* Bytes that rewriting a full page must free to make it worth while keeping it in use. */
extern int	hamming_worth_keeping(const HammingShape *shape);

/*
 * Appends a code and its row to the codes page or leaf in the exclusively locked buffer, in
 * one record; false, changing nothing: there is no room.
 */
extern bool hamming_append(Relation index, const HammingShape *shape, Buffer buf,
						   const uint8 *code, HammingRow row);
extern bool hamming_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
						   Relation heap, IndexUniqueCheck unique, bool unchanged, IndexInfo *info);

/* hamming_scan.c */
extern IndexScanDesc hamming_beginscan(Relation index, int nkeys, int norderbys);
extern void hamming_rescan(IndexScanDesc scan, ScanKey keys, int nkeys,
						   ScanKey orderbys, int norderbys);
extern bool hamming_gettuple(IndexScanDesc scan, ScanDirection direction);
extern int64 hamming_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap);
extern void hamming_endscan(IndexScanDesc scan);

/* hamming_pairs.c */
extern void hamming_pairs(Relation heap, Relation index, double radius, HxPairsEmit emit,
						  void *context);

/* hamming_nearest.c */
extern void hamming_nearest(Relation heap, Relation index, const Datum *queries, int count, int k,
							HxNearestEmit emit, void *context);
extern int	hamming_nearest_block(int k);

/* hamming_vacuum.c */
extern IndexBulkDeleteResult *hamming_bulkdelete(IndexVacuumInfo *info,
												 IndexBulkDeleteResult *stats,
												 IndexBulkDeleteCallback callback,
												 void *state);
extern IndexBulkDeleteResult *hamming_vacuumcleanup(IndexVacuumInfo *info,
													IndexBulkDeleteResult *stats);

/* hamming_cost.c */
extern void hamming_costestimate(struct PlannerInfo *root, struct IndexPath *path,
								 double loop_count, Cost *startup, Cost *total,
								 Selectivity *selectivity, double *correlation, double *pages);

/* hamming_check.c */
extern const void *hamming_key_bytes(Relation index, Datum key, Size *bytes);
extern void hamming_check(HxCheck *check);
extern void hamming_stats(Relation index, HxStats *stats);

#endif							/* HX_HAMMING_H */
