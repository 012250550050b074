/*
 * hamming_register.h
 *	  All that the rest of the module sees of hashidx_hamming.
 */
#ifndef HX_HAMMING_REGISTER_H
#define HX_HAMMING_REGISTER_H

/* At module load. */
extern void hx_hamming_register(void);

#endif							/* HX_HAMMING_REGISTER_H */
