/*
 * sdc.h
 *	  Symmetric distance of recurrent codes: the cosine of the values that their
 *	  bits stand for.
 */
#ifndef HX_SDC_H
#define HX_SDC_H

#include <stddef.h>
#include <stdint.h>

#define HX_SDC_MAX_BITS 65536
#define HX_SDC_MAX_PLANES 16

/*
 * A code of `bits` bits holds `planes` planes one after the other, the coarsest
 * first, of m = bits / planes bits each (planes divides bits). With s = 1 for a one
 * and -1 for a zero, number j of the m stands for
 *
 *		value_j = s_0j + s_1j / 2 + s_2j / 4 + ...		s_ij: bit j of plane i
 *
 * The inner product of the values of two codes over their lengths: -1 .. 1, and 1 for equal codes.
 * The product itself is summed exactly. No value is 0, so none has length 0.
 */
extern double hx_sdc_cosine(const uint8_t *a, const uint8_t *b, unsigned bits, unsigned planes);

#endif							/* HX_SDC_H */
