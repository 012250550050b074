/*
 * guc.h
 *	  The settings hashidx.*, in alphabetical order.
 */
#ifndef HX_GUC_H
#define HX_GUC_H

/* Threads an index build may use: hashidx.build_threads with 0 resolved. At least 1. */
extern int	hx_guc_build_threads(void);

/* Defines the settings and reserves their prefix; once, from _PG_init. */
extern void hx_guc_init(void);

#endif							/* HX_GUC_H */
