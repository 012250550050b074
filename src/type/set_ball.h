/*
 * set_ball.h
 *	  The type jaccard_ball: a set and a radius, the right-hand side of
 *	  `s <%@ jaccard_ball(q, r)`, which is what an index condition made from
 *	  jaccard_within(s, q, r) looks like.
 *
 * OFFSET  SIZE  MEANING
 *      0     4  varlena length word
 *      4     4  0
 *      8     8  radius, >= 0, or -1: the empty ball (of a negative radius)
 *     16     -  the centre: an array with its own length word of four bytes
 */
#ifndef HX_SET_BALL_H
#define HX_SET_BALL_H

#include "hashidx.h"

#include "utils/array.h"

/*
 * The centre, which lies within a palloc'd copy or the value, and the radius. An error when
 * the value is damaged.
 */
extern ArrayType *hx_set_ball_view(Datum ball, double *radius);

#endif							/* HX_SET_BALL_H */
