/*
 * functions.c
 *	  exp, log and tanh that give the same bits everywhere.
 *
 * Each argument is reduced by exact steps to a small interval, where a series
 * has converged to less than the rounding of its last sum. The series are those
 * of Taylor: a few more terms than a fitted polynomial, and nothing to fit.
 */
#include "math/functions.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernel/exponential.h"
#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/scale.h"

HX_VECTORISE_LOOPS

#define SQRT_2 0x1.6a09e667f3bcdp+0

/* Above, e^x is infinite; below, it is less than half of the least number, 0. */
#define EXP_LARGEST 709.79
#define EXP_SMALLEST (-745.14)

/* Nearer to 0 than this, e^x is a normal number. */
#define NORMAL_EXPONENT 708

/* From here on, tanh rounds to 1; and below, to x itself. */
#define TANH_ONE 22
#define TANH_LINEAR 0x1p-28

/* e^x = 2^n e^r with |r| <= log(2) / 2, and e^r - 1 = r + tail. */
typedef struct Reduced
{
	int			n;
	double		r;
	double		tail;
} Reduced;

static Reduced
reduce_exp(double x)
{
	const double n = floor(x * HX_LOG_2_INVERSE + 0.5);
	const double high = x - n * HX_LOG_2_HIGH;
	const double low = n * HX_LOG_2_LOW;
	const double r = high - low;

	/* What r lost to rounding is part of the tail. */
	return (Reduced) {(int) n, r, (high - r - low) + r * r * HX_EXP_SERIES(r)};
}

double
hx_exp(double x)
{
	Reduced		reduced;
	double		power;

	if (x > EXP_LARGEST)
		return HUGE_VAL;
	if (x < EXP_SMALLEST)
		return 0;

	reduced = reduce_exp(x);
	power = 1 + (reduced.r + reduced.tail);
	hx_scale(&power, 1, reduced.n);
	return power;
}

/* Whether no e^x is infinite, subnormal, zero or no number. */
static bool
powers_are_normal(const double *x, size_t n)
{
	uint64_t	others = 0;

	for (size_t i = 0; i < n; i++)
		others += !(fabs(x[i]) < NORMAL_EXPONENT);
	return others == 0;
}

void
hx_exp_all(const double *x, size_t n, double *out)
{
	hx_kernels->exponentials(x, n, out);
	if (powers_are_normal(x, n))
		return;
	for (size_t i = 0; i < n; i++)
	{
		if (!(fabs(x[i]) < NORMAL_EXPONENT))
			out[i] = hx_exp(x[i]);
	}
}

/* 2 atanh(s) / s - 2, given s^2, for s = (m - 1) / (m + 1) with 1 / sqrt(2) <= m <= sqrt(2). */
static double
log_series(double square)
{
	static const double terms[] = {
		2 / 23.0, 2 / 21.0, 2 / 19.0, 2 / 17.0, 2 / 15.0, 2 / 13.0,
		2 / 11.0, 2 / 9.0, 2 / 7.0, 2 / 5.0, 2 / 3.0,
	};
	double		sum = 0;

	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		sum = (sum + terms[i]) * square;
	return sum;
}

double
hx_log(double x)
{
	uint64_t	bits;
	int			exponent = 0;
	double		m;
	double		f;
	double		s;
	double		half;

	if (x == 0)
		return -HUGE_VAL;
	if (x > 0x1.fffffffffffffp+1023)
		return x;
	if (x < 0x1p-1022)
	{
		x *= 0x1p54;
		exponent = -54;
	}

	/* x = m 2^exponent, with m in [1, 2) at first. */
	memcpy(&bits, &x, sizeof(bits));
	exponent += (int) (bits >> 52) - 1023;
	bits = (bits & (UINT64_MAX >> 12)) | (uint64_t) 1023 << 52;
	memcpy(&m, &bits, sizeof(m));
	if (m > SQRT_2)
	{
		m /= 2;
		exponent++;
	}

	/* log(1 + f) = s (2 + series) = f - f^2 / 2 + s (f^2 / 2 + series), where f is exact. */
	f = m - 1;
	s = f / (2 + f);
	half = f * f / 2;
	return exponent * HX_LOG_2_HIGH -
		((half - (s * (half + log_series(s * s)) + exponent * HX_LOG_2_LOW)) - f);
}

double
hx_tanh(double x)
{
	const double magnitude = fabs(x);
	Reduced		reduced;
	double		power;
	double		grown;
	double		result;

	if (magnitude < TANH_LINEAR)
		return x;
	if (magnitude > TANH_ONE)
		return x > 0 ? 1 : -1;

	/* With g = e^2x - 1, without cancellation, tanh x = g / (g + 2). */
	reduced = reduce_exp(2 * magnitude);
	power = hx_power_of_two(reduced.n);
	grown = power * (reduced.r + reduced.tail) + (power - 1);
	result = grown / (grown + 2);
	return x > 0 ? result : -result;
}
