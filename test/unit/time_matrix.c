/*
 * time_matrix.c
 *	  How long the linear algebra of training takes at the sizes that training
 *	  meets: what the figures in src/math/README were made with. Measures only,
 *	  checks nothing.
 */
#include "numeric.h"

#include <time.h>

#include "math/kmeans.h"

#define ROWS 60000
#define DIMS 784
#define BITS 256

static float *rows;
static double *mean;
static double *square;			/* DIMS x DIMS */
static double *big;				/* 1024 x 1024, three times */
static double *out;				/* ROWS x BITS */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void
time_mean(HxCompute *compute)
{
	hx_mean(compute, rows, ROWS, DIMS, mean);
}

static void
time_covariance(HxCompute *compute)
{
	hx_covariance(compute, rows, ROWS, DIMS, mean, square);
}

static void
time_project(HxCompute *compute)
{
	hx_project(compute, rows, ROWS, DIMS, mean, big, BITS, out);
}

/* Symmetric, of any size up to 1024: noise. */
static void
fill(double *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++)
			a[i * n + j] = a[j * n + i] = unit_uniform();
}

static void
time_eigen(HxCompute *compute, size_t n)
{
	fill(big, n);
	hx_eigen_symmetric(compute, big, n, n, mean, big + 1024 * 1024);
}

static void
time_eigen_784(HxCompute *compute)
{
	time_eigen(compute, 784);
}

static void
time_eigen_1024(HxCompute *compute)
{
	time_eigen(compute, 1024);
}

static void
time_polar_256(HxCompute *compute)
{
	fill(big, 256);
	hx_polar(compute, big, 256, big + 1024 * 1024);
}

static void
time_svd_1024(HxCompute *compute)
{
	fill(big, 1024);
	hx_svd(compute, big, 1024, 1024, big + 1024 * 1024, mean, big + 2 * 1024 * 1024);
}

static void
time_cholesky(HxCompute *compute)
{
	fill(big, 1024);
	for (size_t i = 0; i < 1024; i++)
		big[i * 1025] += 1024;
	hx_cholesky(compute, big, 1024);
}

static void
time_orthogonal(HxCompute *compute)
{
	hx_random_orthogonal(compute, 1, 1024, big);
}

static void
time_kmeans(HxCompute *compute)
{
	hx_kmeans(compute, rows, ROWS / 6, DIMS, BITS, 10, 1, (float *) out, NULL);
}

/* The best of three, in milliseconds. */
static double
best_time(void (*work) (HxCompute *compute), int threads)
{
	double		best = HUGE_VAL;

	for (int repeat = 0; repeat < 3; repeat++)
	{
		HxCompute	compute = numeric_compute();
		double		start;

		hx_team_start(threads);
		start = now();
		work(&compute);
		start = now() - start;
		best = start < best ? start : best;
		hx_team_end();
		numeric_free();
	}
	return best * 1e3;
}

int
main(void)
{
	static const struct
	{
		const char *name;
		void		(*work) (HxCompute *compute);
	}			works[] = {
		{"mean of 60,000 x 784", time_mean},
		{"covariance of 60,000 x 784", time_covariance},
		{"projection of 60,000 x 784 onto 256", time_project},
		{"eigenvectors, 784", time_eigen_784},
		{"eigenvectors, 1024", time_eigen_1024},
		{"polar factor, 256", time_polar_256},
		{"singular vectors, 1024", time_svd_1024},
		{"Cholesky factor, 1024", time_cholesky},
		{"random orthogonal, 1024", time_orthogonal},
		{"k-means, 10,000 x 784, k = 256, 10 rounds", time_kmeans},
	};

	rows = random_floats((size_t) ROWS * DIMS);
	mean = numeric_doubles(1024);
	square = numeric_doubles(DIMS * DIMS);
	big = random_doubles(3 * 1024 * 1024);
	out = numeric_doubles((size_t) ROWS * BITS);

	for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
	{
		if (!hx_kernel_use((HxSimdLevel) level))
			continue;
		printf("%s: milliseconds with one thread, and with two\n",
			   hx_kernel_level_name((HxSimdLevel) level));
		for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		{
			double		one = best_time(works[i].work, 1);

			printf("%-45s %8.0f %8.0f\n", works[i].name, one, best_time(works[i].work, 2));
			fflush(stdout);
		}
	}
	return 0;
}
