/*
 * functions.h
 *	  exp, log and tanh that give the same bits everywhere.
 *
 * libm's differ between C libraries and versions; what is computed here decides
 * bits that are stored. Additions, multiplications and divisions in double only.
 */
#ifndef HX_FUNCTIONS_H
#define HX_FUNCTIONS_H

#include <stddef.h>

/* e^x, within 1 unit in the last place; 0 below -745.14, infinity above 709.79. x is not NaN. */
extern double hx_exp(double x);

/* out[i] = hx_exp(x[i]), many at a time; out is not x. */
extern void hx_exp_all(const double *x, size_t n, double *out);

/* The natural logarithm, within 1 unit in the last place; minus infinity of 0. x >= 0. */
extern double hx_log(double x);

/* tanh x, within 3 units in the last place. x is not NaN. */
extern double hx_tanh(double x);

#endif							/* HX_FUNCTIONS_H */
