/*
 * guc.h
 *	  The settings hashidx.*, in alphabetical order.
 */
#ifndef HX_GUC_H
#define HX_GUC_H

/* The most candidates that a graph search keeps at first. */
#define HX_MAX_EF_SEARCH 100000

/* Threads an index build may use: hashidx.build_threads with 0 resolved. At least 1. */
extern int	hx_guc_build_threads(void);

/* hashidx.ef_search: candidates that a graph scan keeps; 0: as hx_guc_recall() asks. */
extern int	hx_guc_ef_search(void);

/* hashidx.lsh_probes: buckets that an LSH scan reads first; 0: as hx_guc_recall() asks. */
extern int	hx_guc_lsh_probes(void);

/* hashidx.max_scan_tuples: rows after which an approximate ordered scan ends; 0: never. */
extern int	hx_guc_max_scan_tuples(void);

/* hashidx.recall: the share of the true neighbours that an approximate scan is to find. */
extern double hx_guc_recall(void);

/* Defines the settings and reserves their prefix; once, from _PG_init. */
extern void hx_guc_init(void);

#endif							/* HX_GUC_H */
