/*
 * scale.h
 *	  Exact scaling by powers of two. For the files of this folder.
 */
#ifndef HX_SCALE_H
#define HX_SCALE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* 2^exponent, for -1022 <= exponent <= 1023. */
static inline double
hx_power_of_two(int exponent)
{
	uint64_t	bits = (uint64_t) (exponent + 1023) << 52;
	double		power;

	memcpy(&power, &bits, sizeof(power));
	return power;
}

/*
 * The exponent e of the largest magnitude, 2^e <= |x| < 2^(e+1); -1023 for
 * subnormal numbers and zeros.
 */
static inline int
hx_largest_exponent(const double *x, size_t n)
{
	uint64_t	largest = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint64_t	bits;

		memcpy(&bits, &x[i], sizeof(bits));
		bits &= UINT64_MAX >> 1;
		largest = bits > largest ? bits : largest;
	}
	return (int) (largest >> 52) - 1023;
}

/*
 * x = x * 2^exponent, for -2044 <= exponent <= 2046, in two steps so that each
 * factor is a normal number.
 */
static inline void
hx_scale(double *x, size_t n, int exponent)
{
	const double first = hx_power_of_two(exponent / 2);
	const double second = hx_power_of_two(exponent - exponent / 2);

	for (size_t i = 0; i < n; i++)
		x[i] = x[i] * first * second;
}

#endif							/* HX_SCALE_H */
