/*
 * test_factor.c
 *	  Cholesky factors, triangular systems and random orthogonal matrices.
 */
#include "numeric.h"

static const size_t sizes[] = {1, 2, 3, 15, 16, 17, 33, 100, 150};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* A A^T + n I: positive definite and well-conditioned. */
static double *
random_definite(size_t n)
{
	double	   *a = random_doubles(n * n);
	double	   *at = transposed(a, n, n);
	double	   *product = numeric_doubles(n * n);

	naive_multiply(a, at, n, n, n, product);
	for (size_t i = 0; i < n; i++)
		product[i * n + i] += (double) n;
	free(a);
	free(at);
	return product;
}

static void
cholesky(void)
{
	for (size_t s = 0; s < SIZES; s++)
	{
		const size_t n = sizes[s];
		HxCompute	compute = numeric_compute();
		double	   *a = random_definite(n);
		double	   *l = copy_doubles(a, n * n);
		double	   *lt;
		double	   *product = numeric_doubles(n * n);

		CHECK(hx_cholesky(&compute, l, n), "n = %zu", n);
		lt = transposed(l, n, n);
		naive_multiply(l, lt, n, n, n, product);
		CHECK(largest_difference(a, product, n * n) <= 1e-15 * 4 * (double) n, "n = %zu: %g", n,
			  largest_difference(a, product, n * n));
		for (size_t i = 0; i < n; i++)
			for (size_t j = i + 1; j < n; j++)
				CHECK(l[i * n + j] == 0, "n = %zu: %g above the diagonal", n, l[i * n + j]);
		free(a);
		free(l);
		free(lt);
		free(product);
		numeric_free();
	}
}

static void
not_definite(void)
{
	for (size_t s = 0; s < SIZES; s++)
	{
		const size_t n = sizes[s];
		HxCompute	compute = numeric_compute();
		double	   *a = random_definite(n);
		double	   *copy = copy_doubles(a, n * n);

		copy[(n / 2) * n + n / 2] = -1;
		CHECK(!hx_cholesky(&compute, copy, n), "n = %zu: negative diagonal", n);
		memset(copy, 0, n * n * sizeof(double));
		CHECK(!hx_cholesky(&compute, copy, n), "n = %zu: zero", n);
		memcpy(copy, a, n * n * sizeof(double));
		copy[n * n - 1] = NAN;
		CHECK(!hx_cholesky(&compute, copy, n), "n = %zu: not a number", n);
		free(a);
		free(copy);
		numeric_free();
	}
}

static void
systems(void)
{
	for (size_t s = 0; s < SIZES; s++)
		for (size_t m = 1; m <= 40; m += 13)
		{
			const size_t n = sizes[s];
			HxCompute	compute = numeric_compute();
			double	   *l = random_definite(n);
			double	   *lt;
			double	   *x = random_doubles(n * m);
			double	   *b = numeric_doubles(n * m);

			hx_cholesky(&compute, l, n);
			lt = transposed(l, n, n);
			naive_multiply(l, x, n, n, m, b);
			hx_solve_lower(&compute, l, n, b, m);
			CHECK(largest_difference(x, b, n * m) < 1e-13, "L, n = %zu, m = %zu: %g", n, m,
				  largest_difference(x, b, n * m));
			naive_multiply(lt, x, n, n, m, b);
			hx_solve_lower_transposed(&compute, l, n, b, m);
			CHECK(largest_difference(x, b, n * m) < 1e-13, "L^T, n = %zu, m = %zu: %g", n, m,
				  largest_difference(x, b, n * m));
			free(l);
			free(lt);
			free(x);
			free(b);
			numeric_free();
		}
}

static void
random_orthogonal(void)
{
	for (size_t s = 0; s < SIZES; s++)
	{
		const size_t n = sizes[s];
		HxCompute	compute = numeric_compute();
		double	   *q = numeric_doubles(n * n);
		double	   *other = numeric_doubles(n * n);

		hx_random_orthogonal(&compute, 5, n, q);
		hx_random_orthogonal(&compute, 6, n, other);
		CHECK(column_defect(q, n, n) < 1e-14, "n = %zu: %g", n, column_defect(q, n, n));
		CHECK(n == 1 || memcmp(q, other, n * n * sizeof(double)) != 0, "n = %zu: seeds", n);
		free(q);
		free(other);
		numeric_free();
	}
}

/*
 * Uniform over all: every element of a 3 x 3 has mean 0 and variance 1/3, and
 * so has its trace 1.
 */
static void
random_orthogonal_is_uniform(void)
{
	enum
	{
		ROUNDS = 40000
	};
	double		mean[9] = {0};
	double		square[9] = {0};
	double		trace = 0;
	HxCompute	compute = numeric_compute();

	for (uint64_t seed = 0; seed < ROUNDS; seed++)
	{
		double		q[9];

		hx_random_orthogonal(&compute, seed, 3, q);
		for (int i = 0; i < 9; i++)
		{
			mean[i] += q[i] / ROUNDS;
			square[i] += q[i] * q[i] / ROUNDS;
		}
		trace += (q[0] + q[4] + q[8]) * (q[0] + q[4] + q[8]) / ROUNDS;
	}
	for (int i = 0; i < 9; i++)
	{
		CHECK(fabs(mean[i]) < 0.015, "element %d: mean %g", i, mean[i]);
		CHECK(fabs(square[i] - 1.0 / 3) < 0.008, "element %d: square %g", i, square[i]);
	}
	CHECK(fabs(trace - 1) < 0.04, "square of the trace: %g", trace);
	numeric_free();
}

enum
{
	BIG = 130,
	BIG_M = 200
};

static void
run_all(HxCompute *compute, const void *input, double *output)
{
	double	   *l = output;
	double	   *b = l + BIG * BIG;
	double	   *c = b + BIG * BIG_M;

	memcpy(l, input, BIG * BIG * sizeof(double));
	hx_cholesky(compute, l, BIG);
	for (size_t i = 0; i < BIG * BIG_M; i++)
		b[i] = c[i] = ((const double *) input)[i % (BIG * BIG)];
	hx_solve_lower(compute, l, BIG, b, BIG_M);
	hx_solve_lower_transposed(compute, l, BIG, c, BIG_M);
	hx_random_orthogonal(compute, 9, BIG, c + BIG * BIG_M);
}

static void
same_everywhere(void)
{
	double	   *a;

	numeric_seed();
	a = random_definite(BIG);
	check_same_bits(run_all, a, 2 * BIG * BIG + 2 * BIG * BIG_M, "factors",
					UINT64_C(0xc08edd09182519e3));
	free(a);
}

int
main(void)
{
	hx_kernel_init();
	RUN(cholesky);
	RUN(not_definite);
	RUN(systems);
	RUN(random_orthogonal);
	RUN(random_orthogonal_is_uniform);
	RUN(same_everywhere);
	return unit_summary();
}
