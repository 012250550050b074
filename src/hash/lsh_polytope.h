/*
 * lsh_polytope.h
 *	  How often the nearest vertices of two vectors agree.
 */
#ifndef HX_LSH_POLYTOPE_H
#define HX_LSH_POLYTOPE_H

/*
 * Chance that two vectors whose angle is `angle` times pi have the same nearest vertex of a
 * cross-polytope of `part` dimensions, a power of two from 2 to 16,384. Within some 3 per
 * cent of the true value, save beyond 0.95.
 */
extern double hx_lsh_polytope_collision(unsigned part, double angle);

#endif							/* HX_LSH_POLYTOPE_H */
