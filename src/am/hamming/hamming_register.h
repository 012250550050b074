/*
 * hamming_register.h
 *	  What the module's entry needs of hashidx_hamming.
 */
#ifndef HX_HAMMING_REGISTER_H
#define HX_HAMMING_REGISTER_H

/* At module load. */
extern void hx_hamming_register(void);

#endif							/* HX_HAMMING_REGISTER_H */
