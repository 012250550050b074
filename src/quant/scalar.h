/*
 * scalar.h
 *	  Scalar quantisation of float vectors: half precision, and 8 or 4 bits
 *	  between a vector's own least and greatest value.
 *
 * Frozen: what is stored depends on the numbers alone, not on the CPU. Encoding
 * what was decoded gives the same bytes back (see README for the argument).
 */
#ifndef HX_SCALAR_H
#define HX_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Half precision, rounded to nearest even; false when one is beyond +-65504 (its index in *bad). */
extern bool hx_f16_encode(const float *in, uint16_t *out, size_t n, size_t *bad);

/*
 * 8 or 4 bits a number (`bits`): the least number maps to code 0, the greatest
 * to the highest code, others to the nearest step. 4-bit codes lie two a byte,
 * the lower dimension in the low nibble, an unused last nibble is zero. When all
 * numbers are equal, all codes are 0. The bounds come back in *low and *high.
 */
extern void hx_scalar_encode(const float *in, size_t n, int bits, uint8_t *codes,
							 float *low, float *high);
extern void hx_scalar_decode(const uint8_t *codes, size_t n, int bits, float low, float high,
							 float *out);

/* Bytes that n codes of `bits` bits take. */
extern size_t hx_scalar_bytes(size_t n, int bits);

#endif							/* HX_SCALAR_H */
