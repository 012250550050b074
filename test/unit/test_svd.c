/*
 * test_svd.c
 *	  Singular values and the polar factor: reconstruction, orthogonality, known
 *	  values, matrices without full rank.
 */
#include "numeric.h"

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static double
norm_of(const double *x, size_t count)
{
	double		largest = 0;
	double		sum = 0;

	for (size_t i = 0; i < count; i++)
		largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
	if (largest == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		sum += x[i] / largest * (x[i] / largest);
	return largest * sqrt(sum);
}

/* Decomposes a copy of a, checks all that must hold, and returns the singular values. */
static double *
decompose(const double *a, size_t m, size_t n, const char *what)
{
	const size_t r = smaller(m, n);
	const double allowed = 40 * sqrt((double) (m + n)) * 0x1p-53;
	const double norm = norm_of(a, m * n);
	double	   *copy = copy_doubles(a, m * n);
	double	   *u = numeric_doubles(m * r);
	double	   *s = numeric_doubles(r);
	double	   *v = numeric_doubles(n * r);
	HxCompute	compute = numeric_compute();
	double		residual = 0;

	hx_svd(&compute, copy, m, n, u, s, v);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++)
		{
			double		sum = -a[i * n + j];

			for (size_t k = 0; k < r; k++)
				sum += u[i * r + k] * s[k] * v[j * r + k];
			if (!(fabs(sum) <= residual))
				residual = fabs(sum);
		}
	CHECK(residual <= allowed * norm, "%s, %zu x %zu: residual %g of %g", what, m, n, residual,
		  norm);
	CHECK(column_defect(u, m, r) <= allowed, "%s, %zu x %zu: U by %g", what, m, n,
		  column_defect(u, m, r));
	CHECK(column_defect(v, n, r) <= allowed, "%s, %zu x %zu: V by %g", what, m, n,
		  column_defect(v, n, r));
	for (size_t k = 0; k < r; k++)
	{
		CHECK(s[k] >= 0, "%s, %zu x %zu: singular value %g", what, m, n, s[k]);
		CHECK(k == 0 || s[k - 1] >= s[k], "%s, %zu x %zu: order", what, m, n);
	}

	free(copy);
	free(u);
	free(v);
	numeric_free();
	return s;
}

static void
random_matrices(void)
{
	static const size_t sizes[][2] = {
		{1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 3}, {1, 40}, {40, 1}, {5, 9}, {16, 16}, {31, 31},
		{32, 32}, {33, 33}, {34, 33}, {33, 70}, {64, 64}, {65, 65}, {100, 64}, {150, 150},
		{200, 20}, {20, 200},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		const size_t m = sizes[i][0];
		const size_t n = sizes[i][1];
		double	   *a = random_doubles(m * n);
		double	   *at = transposed(a, m, n);
		double	   *s = decompose(a, m, n, "random");
		double	   *st = decompose(at, n, m, "transposed");

		CHECK(fabs(norm_of(s, smaller(m, n)) - norm_of(a, m * n)) <= 1e-14 * norm_of(a, m * n),
			  "%zu x %zu: norm", m, n);
		CHECK(largest_difference(s, st, smaller(m, n)) <= 1e-14 * s[0], "%zu x %zu: transposed", m,
			  n);
		free(a);
		free(at);
		free(s);
		free(st);
	}
}

/* Random orthogonal P (m x m) and Q (n x n): P diag(spectrum) Q^T. */
static double *
with_spectrum(const double *spectrum, size_t m, size_t n)
{
	HxCompute	compute = numeric_compute();
	double	   *p = numeric_doubles(m * m);
	double	   *q = numeric_doubles(n * n);
	double	   *a = numeric_doubles(m * n);

	hx_random_orthogonal(&compute, unit_random(), m, p);
	hx_random_orthogonal(&compute, unit_random(), n, q);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++)
		{
			double		sum = 0;

			for (size_t k = 0; k < smaller(m, n); k++)
				sum += p[i * m + k] * spectrum[k] * q[j * n + k];
			a[i * n + j] = sum;
		}
	free(p);
	free(q);
	numeric_free();
	return a;
}

static double
repeated(size_t k)
{
	return k < 30 ? 5 : 1;
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
cliff(size_t k)
{
	return k < 20 ? 1 : 1e-9;
}

static void
awkward_spectra(void)
{
	static double (*const spectra[]) (size_t k) = {repeated, falling, low_rank, cliff};
	enum
	{
		N = 66
	};

	for (size_t i = 0; i < sizeof(spectra) / sizeof(spectra[0]); i++)
		for (size_t m = N - 20; m <= N + 20; m += 20)
		{
			double		spectrum[N];
			double	   *a;
			double	   *s;

			for (size_t k = 0; k < N; k++)
				spectrum[k] = spectra[i](k);
			a = with_spectrum(spectrum, m, N);
			s = decompose(a, m, N, "spectrum");
			for (size_t k = 0; k < smaller(m, N); k++)
				CHECK(fabs(s[k] - spectrum[k]) <= 1e-14 * spectrum[0],
					  "spectrum %zu, value %zu: %g, not %g",
					  i, k, s[k], spectrum[k]);
			free(a);
			free(s);
		}
}

/*
 * Clusters of singular values: steps must not go on without effect, which many
 * rotations would betray.
 */
static void
clusters(void)
{
	enum
	{
		N = 40
	};

	for (int round = 0; round < 300; round++)
	{
		const double low = ldexp(1, -(int) unit_below(60));
		const size_t high = unit_below(N);
		double		spectrum[N];
		double	   *a;

		for (size_t k = 0; k < N; k++)
			spectrum[k] = k < high ? 1 : low;
		a = with_spectrum(spectrum, N + round % 3, N);
		free(decompose(a, N + round % 3, N, "clusters"));
		free(a);
	}
}

/* Zeros on the diagonal of a matrix that is bidiagonal already, everywhere they could be. */
static void
bidiagonal_zeros(void)
{
	enum
	{
		N = 12
	};

	for (unsigned zeros = 0; zeros < 1u << N; zeros += 1 + unit_below(9))
	{
		double		a[N * N] = {0};

		for (size_t i = 0; i < N; i++)
		{
			a[i * N + i] = zeros >> i & 1 ? 0 : 1 + (double) i;
			if (i + 1 < N)
				a[i * N + i + 1] = zeros % 7 == i % 7 ? 0 : 3 - (double) i;
		}
		free(decompose(a, N, N, "bidiagonal"));
	}
}

static void
simple_matrices(void)
{
	for (size_t n = 1; n <= 70; n += 23)
	{
		double	   *a = numeric_doubles(n * n);
		double	   *s;

		memset(a, 0, n * n * sizeof(double));
		s = decompose(a, n, n, "zero");
		CHECK(s[0] == 0, "zero matrix: %g", s[0]);
		free(s);

		for (size_t i = 0; i < n; i++)
			a[i * n + (i * 7 + 3) % n] = i % 2 ? -(double) i : (double) i;
		if (n % 7 != 0)
		{
			s = decompose(a, n, n, "permutation");
			for (size_t k = 0; k < n; k++)
				CHECK(fabs(s[k] - (double) (n - 1 - k)) < 1e-13, "permutation: %g", s[k]);
			free(s);
		}

		for (size_t i = 0; i < n * n; i++)
			a[i] = 1;
		s = decompose(a, n, n, "ones");
		CHECK(fabs(s[0] - (double) n) < 1e-13 * (double) n, "ones: %g", s[0]);
		free(s);
		free(a);
	}
}

static void
scales(void)
{
	static const int exponents[] = {-1000, -500, 500, 1000};
	enum
	{
		M = 40,
		N = 30
	};
	double	   *a = random_doubles(M * N);
	double	   *s = decompose(a, M, N, "scale");

	for (size_t i = 0; i < sizeof(exponents) / sizeof(exponents[0]); i++)
	{
		HxCompute	compute = numeric_compute();
		double	   *scaled = numeric_doubles(M * N);
		double	   *u = numeric_doubles(M * N);
		double	   *v = numeric_doubles(N * N);
		double		got[N];

		for (size_t j = 0; j < M * N; j++)
			scaled[j] = ldexp(a[j], exponents[i]);
		hx_svd(&compute, scaled, M, N, u, got, v);
		for (size_t k = 0; k < N; k++)
			CHECK(got[k] == ldexp(s[k], exponents[i]), "2^%d, value %zu", exponents[i], k);
		free(scaled);
		free(u);
		free(v);
		numeric_free();
	}
	free(a);
	free(s);
}

/* The polar factor is orthogonal, and no other orthogonal matrix has a larger trace(Q^T A). */
static void
polar(void)
{
	enum
	{
		N = 50
	};

	for (size_t rank = N + 2; rank-- > 0;)
	{
		HxCompute	compute = numeric_compute();
		double		spectrum[N];
		double	   *a;
		double	   *copy;
		double	   *q = numeric_doubles(N * N);
		double		trace = 0;
		double		sum = 0;

		for (size_t k = 0; k < N; k++)
			spectrum[k] = k < rank ? (double) (N - k) : 0;
		a = with_spectrum(spectrum, N, N);
		copy = copy_doubles(a, N * N);
		hx_polar(&compute, copy, N, q);
		for (size_t i = 0; i < N * N; i++)
			trace += q[i] * a[i];
		for (size_t k = 0; k < N; k++)
			sum += spectrum[k];
		CHECK(column_defect(q, N, N) < 1e-13, "rank %zu: %g", rank, column_defect(q, N, N));
		CHECK(fabs(trace - sum) < 1e-12 * N, "rank %zu: %g, not %g", rank, trace, sum);

		/* Of an orthogonal matrix it is that matrix. */
		if (rank == N)
		{
			memcpy(copy, q, N * N * sizeof(double));
			hx_polar(&compute, copy, N, a);
			CHECK(largest_difference(a, q, N * N) < 1e-13, "%g", largest_difference(a, q, N * N));
		}
		free(a);
		free(copy);
		free(q);
		numeric_free();
	}
}

/* Many decompositions in one computation need no more memory than one. */
static void
memory_is_kept(void)
{
	enum
	{
		N = 64
	};
	HxCompute	compute = numeric_compute();
	double	   *a = numeric_doubles(N * N);
	double	   *q = numeric_doubles(N * N);
	size_t		bytes = 0;

	for (int round = 0; round < 50; round++)
	{
		for (size_t i = 0; i < N * N; i++)
			a[i] = unit_uniform();
		hx_polar(&compute, a, N, q);
		if (round == 0)
			bytes = numeric_bytes;
	}
	CHECK(numeric_bytes == bytes, "%zu bytes, then %zu", bytes, numeric_bytes);
	free(a);
	free(q);
	numeric_free();
}

static void
not_a_number(void)
{
	enum
	{
		N = 60
	};
	HxCompute	compute = numeric_compute();
	double	   *a = random_doubles(N * N);
	double	   *q = numeric_doubles(N * N);

	a[77] = NAN;
	hx_polar(&compute, a, N, q);
	CHECK(true, "ended");
	free(a);
	free(q);
	numeric_free();
}

enum
{
	BIG_M = 170,
	BIG_N = 140
};

static void
run_svd(HxCompute *compute, const void *input, double *output)
{
	double	   *copy = copy_doubles(input, BIG_M * BIG_N);

	hx_svd(compute, copy, BIG_M, BIG_N, output, output + BIG_M * BIG_N,
		   output + BIG_M * BIG_N + BIG_N);
	free(copy);
}

static void
same_everywhere(void)
{
	double	   *a;

	numeric_seed();
	a = random_doubles(BIG_M * BIG_N);
	check_same_bits(run_svd, a, BIG_M * BIG_N + BIG_N + BIG_N * BIG_N, "singular vectors",
					UINT64_C(0x29e860c72c5e0c63));
	free(a);
}

int
main(void)
{
	hx_kernel_init();
	RUN(random_matrices);
	RUN(awkward_spectra);
	RUN(clusters);
	RUN(bidiagonal_zeros);
	RUN(simple_matrices);
	RUN(scales);
	RUN(polar);
	RUN(memory_is_kept);
	RUN(not_a_number);
	RUN(same_everywhere);
	return unit_summary();
}
