/*
 * lsh_register.h
 *	  All that the rest of the module sees of hashidx_lsh.
 */
#ifndef HX_LSH_REGISTER_H
#define HX_LSH_REGISTER_H

/* At module load. */
extern void hx_lsh_register(void);

#endif							/* HX_LSH_REGISTER_H */
