/*
 * ball.h
 *	  The type hamming_ball: a centre and a radius, the right-hand side of
 *	  `code <@ hamming_ball(q, r)`, which is what an index condition made from
 *	  hamming_within(code, q, r) looks like.
 *
 * OFFSET  SIZE  MEANING
 *      0     4  varlena length word
 *      4     4  radius in bits, >= -1 (-1, the empty ball, when a caller's radius was negative)
 *      8     4  number of bits of the centre
 *     12     n  the centre's bytes, as in bincode
 */
#ifndef HX_BALL_H
#define HX_BALL_H

#include "type/bincode.h"

typedef struct HammingBall
{
	int32		vl_len_;		/* varlena header: do not touch directly */
	int32		radius;
	int32		bits;
	uint8		data[FLEXIBLE_ARRAY_MEMBER];
} HammingBall;

/* Detoasts if needed; result as hx_bincode_view. */
extern BincodeView hx_ball_view(Datum datum, int32 *radius);

#endif							/* HX_BALL_H */
