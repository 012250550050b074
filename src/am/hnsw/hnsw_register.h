/*
 * hnsw_register.h
 *	  What the module's entry needs of hashidx_hnsw.
 */
#ifndef HX_HNSW_REGISTER_H
#define HX_HNSW_REGISTER_H

/* At module load: makes the tools and options of the access method known. */
extern void hx_hnsw_register(void);

#endif							/* HX_HNSW_REGISTER_H */
