/*
 * finite.h
 *	  Whether numbers are finite, many at a time.
 */
#ifndef HX_FINITE_H
#define HX_FINITE_H

#include <stdbool.h>
#include <stddef.h>

/* No infinity and no NaN among n floats. */
extern bool hx_all_finite(const float *x, size_t n);

#endif							/* HX_FINITE_H */
