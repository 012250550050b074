/*
 * test_eigen.c
 *	  Symmetric eigenproblems: residuals, orthogonality, known and awkward spectra.
 */
#include "numeric.h"

static double *
random_symmetric(size_t d)
{
	double	   *a = random_doubles(d * d);

	for (size_t i = 0; i < d; i++)
		for (size_t j = 0; j < i; j++)
			a[i * d + j] = a[j * d + i];
	return a;
}

static double
largest_of(const double *x, size_t count)
{
	double		largest = 0;

	for (size_t i = 0; i < count; i++)
		largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
	return largest;
}

/* Largest component of each vector, the first of equals, is positive. */
static bool
has_signs(const double *vectors, size_t d, size_t m)
{
	for (size_t j = 0; j < m; j++)
	{
		double		largest = 0;

		for (size_t i = 0; i < d; i++)
			if (fabs(vectors[i * m + j]) > fabs(largest))
				largest = vectors[i * m + j];
		if (!(largest > 0))
			return false;
	}
	return true;
}

/* Decomposes a copy of a, checks all that must hold, and returns the m values. */
static double *
decompose(const double *a, size_t d, size_t m, const char *what)
{
	double	   *copy = copy_doubles(a, d * d);
	double	   *values = numeric_doubles(m);
	double	   *vectors = numeric_doubles(d * m);
	HxCompute	compute = numeric_compute();
	const double allowed = 20 * sqrt((double) d) * 0x1p-53;
	double		residual = 0;
	double		norm;
	double		least;			/* what subnormal numbers cannot tell from zero */

	hx_eigen_symmetric(&compute, copy, d, m, values, vectors);
	norm = largest_of(a, d * d) * (double) d;
	least = (double) d * 0x1p-1074;
	for (size_t j = 0; j < m; j++)
		for (size_t i = 0; i < d; i++)
		{
			double		sum = -values[j] * vectors[i * m + j];

			for (size_t k = 0; k < d; k++)
				sum += a[i * d + k] * vectors[k * m + j];
			if (!(fabs(sum) <= residual))
				residual = fabs(sum);
		}
	CHECK(residual <= allowed * norm + least, "%s, d = %zu: residual %g of %g", what, d, residual,
		  norm);
	CHECK(column_defect(vectors, d, m) <= 4 * allowed, "%s, d = %zu: not orthonormal by %g",
		  what, d, column_defect(vectors, d, m));
	CHECK(has_signs(vectors, d, m), "%s, d = %zu: signs", what, d);
	for (size_t j = 0; j + 1 < m; j++)
		CHECK(values[j] >= values[j + 1], "%s, d = %zu: order of values", what, d);

	free(copy);
	free(vectors);
	numeric_free();
	return values;
}

static void
random_matrices(void)
{
	static const size_t sizes[] = {1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 34, 63, 64, 65, 100,
								   200};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
	{
		const size_t d = sizes[s];
		double	   *a = random_symmetric(d);
		double	   *values = decompose(a, d, d, "random");
		double	   *few = decompose(a, d, d / 3 + 1, "the largest");
		double		trace = 0;

		for (size_t i = 0; i < d; i++)
			trace += a[i * d + i] - values[i];
		CHECK(fabs(trace) <= 1e-13 * (double) d, "d = %zu: trace differs by %g", d, trace);
		CHECK(memcmp(values, few, (d / 3 + 1) * sizeof(double)) == 0, "d = %zu", d);
		free(a);
		free(values);
		free(few);
	}
}

/* The second difference has the eigenvalues 2 - 2 cos(k pi / (d + 1)). */
static void
known_spectrum(void)
{
	for (size_t d = 1; d <= 150; d += 37)
	{
		double	   *a = numeric_doubles(d * d);
		double	   *values;

		for (size_t i = 0; i < d; i++)
			for (size_t j = 0; j < d; j++)
				a[i * d + j] = i == j ? 2 : i + 1 == j || j + 1 == i ? -1 : 0;
		values = decompose(a, d, d, "second difference");
		for (size_t k = 0; k < d; k++)
		{
			double		expected = 2 - 2 * cos((double) (d - k) * M_PI / (double) (d + 1));

			CHECK(fabs(values[k] - expected) < 1e-14 * 8, "value %zu of %zu: %.17g", k, d,
				  values[k]);
		}
		free(a);
		free(values);
	}
}

/* Q diag(values) Q^T with a random orthogonal Q. */
static double *
with_spectrum(const double *spectrum, size_t d)
{
	HxCompute	compute = numeric_compute();
	double	   *q = numeric_doubles(d * d);
	double	   *scaled = numeric_doubles(d * d);
	double	   *a = numeric_doubles(d * d);

	hx_random_orthogonal(&compute, unit_random(), d, q);
	for (size_t i = 0; i < d; i++)
		for (size_t j = 0; j < d; j++)
			scaled[i * d + j] = q[i * d + j] * spectrum[j];
	hx_multiply_bt(&compute, scaled, q, d, d, d, a);
	for (size_t i = 0; i < d; i++)
		for (size_t j = 0; j < i; j++)
			a[i * d + j] = a[j * d + i];
	free(q);
	free(scaled);
	numeric_free();
	return a;
}

static double
repeated(size_t k)
{
	return k < 30 ? 5 : k < 60 ? 1 : -2;
}

static double
falling(size_t k)
{
	return ldexp(1, -(int) k);
}

static double
low_rank(size_t k)
{
	return k < 7 ? (double) (10 - k) : 0;
}

static double
two_close(size_t k)
{
	return k == 0 ? 1 : k == 1 ? 1 - 0x1p-50 : -(double) k;
}

static void
awkward_spectra(void)
{
	static const struct
	{
		const char *name;
		double		(*value) (size_t k);
	}			spectra[] = {
		{"repeated", repeated},
		{"falling", falling},
		{"low rank", low_rank},
		{"two close", two_close},
	};
	enum
	{
		D = 90
	};

	for (size_t s = 0; s < sizeof(spectra) / sizeof(spectra[0]); s++)
	{
		double		spectrum[D];
		double	   *a;
		double	   *values;
		double		largest = 0;

		for (size_t k = 0; k < D; k++)
		{
			spectrum[k] = spectra[s].value(k);
			largest = fabs(spectrum[k]) > largest ? fabs(spectrum[k]) : largest;
		}
		a = with_spectrum(spectrum, D);
		values = decompose(a, D, D, spectra[s].name);
		for (size_t k = 0; k < D; k++)
			CHECK(fabs(values[k] - spectrum[k]) <= 1e-14 * largest, "%s, value %zu: %g, not %g",
				  spectra[s].name, k, values[k], spectrum[k]);
		free(a);
		free(values);
	}
}

/*
 * Clusters of eigenvalues: steps must not go on without effect, which many
 * rotations would betray.
 */
static void
clusters(void)
{
	enum
	{
		D = 40
	};

	for (int round = 0; round < 300; round++)
	{
		const double low = ldexp(unit_below(2) ? 1 : -1, -(int) unit_below(60));
		const size_t high = unit_below(D);
		double		spectrum[D];
		double	   *a;

		for (size_t k = 0; k < D; k++)
			spectrum[k] = k < high ? 1 : low;
		a = with_spectrum(spectrum, D);
		free(decompose(a, D, D, "clusters"));
		free(a);
	}
}

/* Nothing, one thing, and things already diagonal. */
static void
simple_matrices(void)
{
	for (size_t d = 1; d <= 70; d += 23)
	{
		double	   *a = numeric_doubles(d * d);
		double	   *values;

		memset(a, 0, d * d * sizeof(double));
		values = decompose(a, d, d, "zero");
		for (size_t k = 0; k < d; k++)
			CHECK(values[k] == 0, "zero matrix: %g", values[k]);
		free(values);

		for (size_t i = 0; i < d; i++)
			a[i * d + i] = (double) i;
		values = decompose(a, d, d, "diagonal");
		for (size_t k = 0; k < d; k++)
			CHECK(values[k] == (double) (d - 1 - k), "diagonal matrix: %g", values[k]);
		free(values);

		for (size_t i = 0; i < d * d; i++)
			a[i] = 1;
		values = decompose(a, d, d, "ones");
		CHECK(fabs(values[0] - (double) d) < 1e-13 * (double) d, "ones: %g", values[0]);
		free(values);
		free(a);
	}
}

/* Scaling by a power of two changes nothing but the scale, to the ends of the range. */
static void
scales(void)
{
	static const int exponents[] = {-1000, -600, -300, 300, 600, 1000};
	enum
	{
		D = 40
	};
	double	   *a = random_symmetric(D);
	double	   *values = decompose(a, D, D, "scale");

	for (size_t s = 0; s < sizeof(exponents) / sizeof(exponents[0]); s++)
	{
		HxCompute	compute = numeric_compute();
		double	   *scaled = numeric_doubles(D * D);
		double	   *vectors = numeric_doubles(D * D);
		double		got[D];

		for (size_t i = 0; i < D * D; i++)
			scaled[i] = ldexp(a[i], exponents[s]);
		hx_eigen_symmetric(&compute, scaled, D, D, got, vectors);
		for (size_t k = 0; k < D; k++)
			CHECK(got[k] == ldexp(values[k], exponents[s]), "2^%d, value %zu: %g", exponents[s], k,
				  got[k]);
		CHECK(column_defect(vectors, D, D) < 1e-13, "2^%d: vectors", exponents[s]);
		free(scaled);
		free(vectors);
		numeric_free();
	}

	/* Subnormal numbers have lost digits, but an answer there is. */
	for (size_t i = 0; i < D * D; i++)
		a[i] = (double) (int) (a[i] * 100) * 0x1p-1074;
	free(decompose(a, D, D, "subnormal"));
	free(a);
	free(values);
}

/* Elements far smaller than others: what of them is squared underflows. */
static void
tiny_elements(void)
{
	enum
	{
		D = 50
	};
	double	   *a = random_symmetric(D);
	double	   *values;

	for (size_t i = 0; i < D; i++)
		for (size_t j = 0; j < D; j++)
			if (i >= D / 2 || j >= D / 2)
				a[i * D + j] *= i >= D / 2 && j >= D / 2 ? 0x1p-540 : 0x1p-1000;
	values = decompose(a, D, D, "tiny");
	free(values);
	free(a);
}

/* Damaged numbers give no meaning, but an end. */
static void
not_a_number(void)
{
	enum
	{
		D = 60
	};
	HxCompute	compute = numeric_compute();
	double	   *a = random_symmetric(D);
	double		values[D];
	double	   *vectors = numeric_doubles(D * D);

	a[7 * D + 9] = a[9 * D + 7] = NAN;
	hx_eigen_symmetric(&compute, a, D, D, values, vectors);
	CHECK(true, "ended");
	free(a);
	free(vectors);
	numeric_free();
}

enum
{
	BIG = 180
};

static void
run_eigen(HxCompute *compute, const void *input, double *output)
{
	double	   *copy = copy_doubles(input, BIG * BIG);

	hx_eigen_symmetric(compute, copy, BIG, BIG, output, output + BIG);
	free(copy);
}

static void
same_everywhere(void)
{
	double	   *a;

	numeric_seed();
	a = random_symmetric(BIG);
	check_same_bits(run_eigen, a, BIG + BIG * BIG, "eigenvectors", UINT64_C(0x00c36b60bab1060d));
	free(a);
}

int
main(void)
{
	hx_kernel_init();
	RUN(random_matrices);
	RUN(known_spectrum);
	RUN(awkward_spectra);
	RUN(clusters);
	RUN(simple_matrices);
	RUN(scales);
	RUN(tiny_elements);
	RUN(not_a_number);
	RUN(same_everywhere);
	return unit_summary();
}
