/*
 * exponential.h
 *	  What e^x is made of, one number at a time (math/functions.c) or many (powers_body.h).
 */
#ifndef HX_EXPONENTIAL_H
#define HX_EXPONENTIAL_H

/* log 2: the first 32 bits, so that a product with an exponent is exact, and the rest. */
#define HX_LOG_2_HIGH 0x1.62e42feep-1
#define HX_LOG_2_LOW 0x1.a39ef35793c76p-33
#define HX_LOG_2_INVERSE 0x1.71547652b82fep+0

/*
 * (e^r - 1 - r) / r^2 for |r| <= log(2) / 2, a double or a vector of them: Taylor's series;
 * the first term left out is 2^-57 of e^r.
 */
#define HX_EXP_SERIES(r) \
	((((((((((((r) * (1 / 6227020800.0) + 1 / 479001600.0) * (r) + 1 / 39916800.0) * (r) + \
			  1 / 3628800.0) * (r) + 1 / 362880.0) * (r) + 1 / 40320.0) * (r) + \
		   1 / 5040.0) * (r) + 1 / 720.0) * (r) + 1 / 120.0) * (r) + 1 / 24.0) * (r) + \
	  1 / 6.0) * (r) + 1 / 2.0)

#endif							/* HX_EXPONENTIAL_H */
