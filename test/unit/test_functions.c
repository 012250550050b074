/*
 * test_functions.c
 *	  exp, log and tanh against the C library in long double, the normally distributed
 *	  numbers, and whether numbers are finite. Where long double is no wider than
 *	  double, the library's own error is allowed for.
 */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "math/finite.h"
#include "math/functions.h"
#include "math/normal.h"

#define POINTS 1000000

static const double slack = LDBL_MANT_DIG > DBL_MANT_DIG ? 0 : 1;

/* How far `got` is from `wanted`, in units of the last place of the double nearest to `wanted`. */
static double
ulps(double got, long double wanted)
{
	int			exponent;
	int			last;

	frexp((double) wanted, &exponent);
	last = exponent - 53 < -1074 ? -1074 : exponent - 53;
	return (double) fabsl(ldexpl((long double) got - wanted, -last));
}

/* Uniform between low and high. */
static double
between(double low, double high)
{
	return low + (unit_uniform() + 1) / 2 * (high - low);
}

static void
check_function(const char *name, double (*function) (double), long double (*library) (long double),
			   double low, double high, double allowed)
{
	double		worst = 0;
	double		at = 0;

	for (int i = 0; i < POINTS; i++)
	{
		double		x = between(low, high);
		double		error = ulps(function(x), library((long double) x));

		if (!(error <= worst))
		{
			worst = error;
			at = x;
		}
	}
	CHECK(worst <= allowed + slack, "%s(%a) is off by %g units", name, at, worst);
}

/* Many at a time, they are those that come one by one, ordinary or not, at every level. */
static void
many_exponentials(void)
{
	static const double ranges[] = {1e-300, 1e-5, 1, 2, 50, 708, 760, 1e300};
	static const double odd[] = {
		0, -0.0, 0x1p-1074, -745.13, -745.135, 709.79, 708, -708, HUGE_VAL, -HUGE_VAL
	};
	double		x[77];
	double		out[78];

	for (size_t range = 0; range < sizeof(ranges) / sizeof(ranges[0]); range++)
	{
		for (int round = 0; round < 200; round++)
		{
			for (size_t i = 0; i < 77; i++)
				x[i] = ranges[range] * unit_uniform();
			memcpy(x + 20, odd, sizeof(odd));
			for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
			{
				const size_t n = 77 - (size_t) round % 8;

				if (!hx_kernel_use((HxSimdLevel) level))
					continue;
				out[n] = 77;
				hx_exp_all(x, n, out);
				for (size_t i = 0; i < n; i++)
					CHECK(out[i] == hx_exp(x[i]), "exp(%a) = %a, not %a, %s", x[i], out[i],
						  hx_exp(x[i]), hx_kernel_level_name((HxSimdLevel) level));
				CHECK(out[n] == 77, "beyond the end");
			}
		}
	}
	hx_kernel_init();
}

static void
exponentials(void)
{
	check_function("exp", hx_exp, expl, -708, 709.78, 1);
	check_function("exp", hx_exp, expl, -2, 2, 1);
	check_function("exp", hx_exp, expl, -1e-5, 1e-5, 1);
	check_function("exp", hx_exp, expl, -745.13, -708, 1);

	many_exponentials();
	CHECK(hx_exp(0) == 1 && hx_exp(-0.0) == 1, "exp(0) = %a", hx_exp(0));
	CHECK(hx_exp(0x1p-1074) == 1 && hx_exp(-0x1p-1074) == 1, "exp of the least");
	CHECK(hx_exp(709.782712893383) < HUGE_VAL, "the largest is infinite");
	CHECK(hx_exp(709.782712893385) == HUGE_VAL, "beyond the largest: %a", hx_exp(709.782712893385));
	CHECK(hx_exp(HUGE_VAL) == HUGE_VAL && hx_exp(1e300) == HUGE_VAL, "exp of the large");
	CHECK(hx_exp(-745.13) == 0x1p-1074, "the smallest: %a", hx_exp(-745.13));
	CHECK(hx_exp(-745.14) == 0 && hx_exp(-745.135) == 0, "below the smallest");
	CHECK(hx_exp(-HUGE_VAL) == 0 && hx_exp(-1e300) == 0, "exp of minus the large");
}

static void
logarithms(void)
{
	check_function("log", hx_log, logl, 0, 1, 1);
	check_function("log", hx_log, logl, 0.5, 2, 1);
	check_function("log", hx_log, logl, 1 - 1e-6, 1 + 1e-6, 1);
	check_function("log", hx_log, logl, 0, 1e300, 1);
	check_function("log", hx_log, logl, 0x1p-1074, 0x1p-1021, 1);

	CHECK(hx_log(1) == 0 && !signbit(hx_log(1)), "log(1) = %a", hx_log(1));
	CHECK(hx_log(0) == -HUGE_VAL && hx_log(-0.0) == -HUGE_VAL, "log(0) = %a", hx_log(0));
	CHECK(hx_log(HUGE_VAL) == HUGE_VAL, "log of infinity");
	for (int exponent = -1074; exponent <= 1023; exponent++)
		CHECK(ulps(hx_log(ldexp(1, exponent)), logl(ldexpl(1, exponent))) <= 1 + slack, "log(2^%d)",
			  exponent);
	CHECK(ulps(hx_log(DBL_MAX), logl(DBL_MAX)) <= 1 + slack, "log of the largest");
}

static void
hyperbolic_tangents(void)
{
	check_function("tanh", hx_tanh, tanhl, -25, 25, 3);
	check_function("tanh", hx_tanh, tanhl, -1, 1, 3);
	check_function("tanh", hx_tanh, tanhl, 0.1, 0.7, 3);
	check_function("tanh", hx_tanh, tanhl, -1e-4, 1e-4, 3);
	check_function("tanh", hx_tanh, tanhl, -1e-8, 1e-8, 3);
	check_function("tanh", hx_tanh, tanhl, -0x1p-1030, 0x1p-1030, 3);

	CHECK(hx_tanh(0) == 0 && !signbit(hx_tanh(0)) && signbit(hx_tanh(-0.0)), "tanh(0)");
	CHECK(hx_tanh(22) == 1 && hx_tanh(-22) == -1, "tanh(22) = %a", hx_tanh(22));
	CHECK(hx_tanh(HUGE_VAL) == 1 && hx_tanh(-HUGE_VAL) == -1, "tanh of infinity");
	for (int i = 0; i < POINTS; i++)
	{
		double		x = between(0, 23);

		CHECK(hx_tanh(-x) == -hx_tanh(x) && hx_tanh(x) <= 1, "tanh(%a)", x);
	}
}

/* Bits that must stay: stored models depend on them. */
static void
frozen(void)
{
	CHECK(hx_exp(1) == 0x1.5bf0a8b14576ap+1, "%a", hx_exp(1));
	CHECK(hx_exp(-0.1) == 0x1.cf46d99d52b3ap-1, "%a", hx_exp(-0.1));
	CHECK(hx_exp(100.3) == 0x1.a08a5754ae034p+144, "%a", hx_exp(100.3));
	CHECK(hx_log(10) == 0x1.26bb1bbb55516p+1, "%a", hx_log(10));
	CHECK(hx_tanh(0.5) == 0x1.d9353d7568af3p-2, "%a", hx_tanh(0.5));
	CHECK(hx_tanh(-1.7) == -0x1.deedf00d3e7f5p-1, "%a", hx_tanh(-1.7));
	CHECK(hx_normal(0, 0, 0) == -0x1.3e60ec5a807f2p-1, "%a", hx_normal(0, 0, 0));
	CHECK(hx_normal(1, 2, 3) == -0x1.e70bdc28c25e1p-4, "%a", hx_normal(1, 2, 3));
	CHECK(hx_normal(42, 0, UINT32_MAX) == 0x1.b4cb6821db8fbp-1, "%a", hx_normal(42, 0, UINT32_MAX));
}

/* Shares of the numbers below bounds, and moments. */
static void
normal_numbers(void)
{
	static const double bounds[] = {-3, -2, -1, -0.5, 0, 0.5, 1, 2, 3};
	enum
	{
		BOUNDS = sizeof(bounds) / sizeof(bounds[0])
	};
	double		below[BOUNDS] = {0};
	double		mean = 0;
	double		square = 0;
	double		neighbours = 0;
	double		last = 0;

	for (uint32_t i = 0; i < POINTS; i++)
	{
		double		x = hx_normal(7, i % 3, i / 3);

		for (int b = 0; b < BOUNDS; b++)
			below[b] += x < bounds[b];
		mean += x / POINTS;
		square += x * x / POINTS;
		neighbours += x * last / POINTS;
		last = x;
	}
	for (int b = 0; b < BOUNDS; b++)
	{
		double		expected = erfc(-bounds[b] / sqrt(2)) / 2;

		CHECK(fabs(below[b] / POINTS - expected) < 0.002, "below %g: %g, not %g", bounds[b],
			  below[b] / POINTS, expected);
	}
	CHECK(fabs(mean) < 0.004 && fabs(square - 1) < 0.006 && fabs(neighbours) < 0.004,
		  "mean %g, square %g, neighbours %g", mean, square, neighbours);
}

/* One number of each kind at each place, in vectors of every length up to a few registers. */
static void
finite_numbers(void)
{
	const float kinds[] = {
		0, -0.0f, FLT_MIN / 2, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY, NAN, -NAN
	};

	CHECK(hx_all_finite(NULL, 0), "nothing is not finite");
	for (size_t n = 1; n <= 70; n++)
		for (size_t at = 0; at < n; at++)
			for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			{
				float		x[70];

				for (size_t i = 0; i < n; i++)
					x[i] = (float) i - 35;
				x[at] = kinds[k];
				CHECK(hx_all_finite(x, n) == (isfinite(kinds[k]) != 0), "%g at %zu of %zu",
					  (double) kinds[k], at, n);
			}
}

int
main(void)
{
	RUN(exponentials);
	RUN(logarithms);
	RUN(hyperbolic_tangents);
	RUN(frozen);
	RUN(normal_numbers);
	RUN(finite_numbers);
	return unit_summary();
}
