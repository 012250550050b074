/*
 * qvec_ball.h
 *	  The types l2_ball and cosine_ball: a vector and a radius, the right-hand side of
 *	  `v <@ l2_ball(q, r)`, which is what an index condition made from l2_within(v, q, r)
 *	  looks like.
 *
 * OFFSET  SIZE  MEANING
 *      0     4  varlena length word
 *      4     4  0
 *      8     8  radius, >= 0, or -1: the empty ball (of a negative radius, or NaN)
 *     16     -  the centre: a qvec with its own length word of four bytes
 */
#ifndef HX_QVEC_BALL_H
#define HX_QVEC_BALL_H

#include "type/qvec.h"

/*
 * The centre, a qvec that is not toasted and lies within a palloc'd copy or the value, and
 * the radius. An error when the value is damaged.
 */
extern Datum hx_qvec_ball_view(Datum ball, double *radius);

#endif							/* HX_QVEC_BALL_H */
