/*
 * stored.h
 *	  A vector as a node of the graph keeps it: f32, f16 with a scale, or int8
 *	  between its least and greatest number; and distances to it.
 *
 * Bytes of a stored vector (at a multiple of 4 bytes, machine byte order):
 *		f32		n floats
 *		f16		float scale, a power of two; n halves, to be multiplied by it
 *		int8	float low, float high, n codes (scalar.h)
 * The f16 scale makes the largest number about 1, so that nothing overflows and small
 * vectors keep their precision; whole numbers up to 2,048 are kept exactly.
 */
#ifndef HX_STORED_H
#define HX_STORED_H

#include <stddef.h>
#include <stdint.h>

typedef enum HxStoredFormat
{
	HX_STORED_F32 = 0,
	HX_STORED_F16 = 1,
	HX_STORED_INT8 = 2,
} HxStoredFormat;

extern size_t hx_stored_bytes(HxStoredFormat format, size_t n);

/* Stores n finite floats; returns an upper bound of |x - what is stored|, 0 when it is exact. */
extern float hx_stored_encode(HxStoredFormat format, const float *x, size_t n, uint8_t *out);

extern void hx_stored_decode(HxStoredFormat format, const uint8_t *stored, size_t n, float *out);

/*
 * Squared Euclidean distance, and inner product, of a float vector and a stored one.
 * `sum` is the sum of q's numbers (hx_stored_sum), which int8 needs. For f32 they are
 * those of kernel.h in double; the others sum in float, within 1e-5 of the terms' sum for up
 * to 4,096 numbers, and in proportion for more.
 */
extern double hx_stored_l2_squared(HxStoredFormat format, const float *q,
								   const uint8_t *stored, size_t n);
extern double hx_stored_dot(HxStoredFormat format, const float *q, double sum,
							const uint8_t *stored, size_t n);
extern double hx_stored_sum(const float *q, size_t n);

#endif							/* HX_STORED_H */
