/*
 * numeric.h
 *	  For the tests of linear algebra: memory for computations, random matrices,
 *	  plain computations to compare with, and running one computation at all SIMD
 *	  levels with several threads.
 */
#ifndef HX_UNIT_NUMERIC_H
#define HX_UNIT_NUMERIC_H

#include "unit.h"

#include <math.h>

#include "kernel/target.h"
#include "math/matrix.h"

/* Blocks given to computations, so that they can be freed. */
static void *numeric_blocks[256];
static int	numeric_block_count;
static size_t numeric_bytes;

static inline void *
numeric_allocate(void *context, size_t bytes)
{
	size_t		rounded = (bytes + 63) / 64 * 64;

	(void) context;
	if (numeric_block_count == 256 || rounded < bytes)
	{
		printf("# a computation asks for too much memory\n");
		exit(2);
	}
	numeric_blocks[numeric_block_count] = aligned_alloc(64, rounded);
	if (numeric_blocks[numeric_block_count] == NULL)
	{
		printf("# out of memory\n");
		exit(2);
	}
	/* No result may depend on what memory held before: not a number spoils it. */
	memset(numeric_blocks[numeric_block_count], 0xff, rounded);
	numeric_bytes += rounded;
	return numeric_blocks[numeric_block_count++];
}

static inline HxCompute
numeric_compute(void)
{
	return (HxCompute) {.memory = {numeric_allocate, NULL}};
}

/* Frees the scratch of all computations. */
static inline void
numeric_free(void)
{
	while (numeric_block_count > 0)
		free(numeric_blocks[--numeric_block_count]);
	numeric_bytes = 0;
}

static inline double *
numeric_doubles(size_t count)
{
	return unit_alloc(count * sizeof(double));
}

static inline double *
random_doubles(size_t count)
{
	double	   *x = numeric_doubles(count);

	for (size_t i = 0; i < count; i++)
		x[i] = unit_uniform();
	return x;
}

static inline float *
random_floats(size_t count)
{
	float	   *x = unit_alloc(count * sizeof(float));

	for (size_t i = 0; i < count; i++)
		x[i] = (float) unit_uniform();
	return x;
}

static inline double *
copy_doubles(const double *x, size_t count)
{
	double	   *copy = numeric_doubles(count);

	memcpy(copy, x, count * sizeof(double));
	return copy;
}

/* Plain C (m x n) = A (m x k) B (k x n). */
static inline void
naive_multiply(const double *a, const double *b, size_t m, size_t k, size_t n, double *c)
{
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++)
		{
			double		sum = 0;

			for (size_t l = 0; l < k; l++)
				sum += a[i * k + l] * b[l * n + j];
			c[i * n + j] = sum;
		}
}

static inline double *
transposed(const double *a, size_t m, size_t n)
{
	double	   *at = numeric_doubles(m * n);

	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++)
			at[j * m + i] = a[i * n + j];
	return at;
}

static inline double
largest_difference(const double *a, const double *b, size_t count)
{
	double		largest = 0;

	/* Not a number counts as infinitely different. */
	for (size_t i = 0; i < count; i++)
		if (!(fabs(a[i] - b[i]) <= largest))
			largest = a[i] - b[i] == a[i] - b[i] ? fabs(a[i] - b[i]) : HUGE_VAL;
	return largest;
}

/* How far the columns of q (n x m) are from orthonormal: max |Q^T Q - I|. */
static inline double
column_defect(const double *q, size_t n, size_t m)
{
	double		largest = 0;

	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j <= i; j++)
		{
			double		sum = i == j ? -1 : 0;

			for (size_t k = 0; k < n; k++)
				sum += q[k * m + i] * q[k * m + j];
			if (!(fabs(sum) <= largest))
				largest = sum == sum ? fabs(sum) : HUGE_VAL;
		}
	return largest;
}

/* FNV-1a over the bits. */
static inline uint64_t
hash_doubles(const double *x, size_t count)
{
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < count; i++)
	{
		uint64_t	bits;

		memcpy(&bits, &x[i], sizeof(bits));
		hash = (hash ^ bits) * UINT64_C(0x100000001b3);
	}
	return hash;
}

/* Makes the random numbers that follow the same in each program. */
static inline void
numeric_seed(void)
{
	unit_state = UINT64_C(0x2545f4914f6cdd1d);
}

/*
 * Runs run(input, output), which writes `count` doubles, at every SIMD level
 * with 1 to 4 threads: all must give the same bits, those with the given hash,
 * which other compilers and CPUs gave.
 */
static inline void
check_same_bits(void (*run) (HxCompute *compute, const void *input, double *output),
				const void *input, size_t count, const char *what, uint64_t hash)
{
	double	   *expected = numeric_doubles(count);
	double	   *output = numeric_doubles(count);
	bool		first = true;

	for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
	{
		if (!hx_kernel_use((HxSimdLevel) level))
			continue;
		for (int threads = 1; threads <= 4; threads++)
		{
			HxCompute	compute = numeric_compute();

			hx_team_start(threads);
			memset(output, 0xff, count * sizeof(double));
			run(&compute, input, output);
			hx_team_end();
			numeric_free();
			if (first)
				memcpy(expected, output, count * sizeof(double));
			first = false;
			CHECK(memcmp(expected, output, count * sizeof(double)) == 0, "%s: %s, %d threads",
				  what, hx_kernel_level_name((HxSimdLevel) level), threads);
		}
	}
	hx_kernel_use(HX_SIMD_AUTO);
	CHECK(hash_doubles(expected, count) == hash, "%s: bits with the hash %llx", what,
		  (unsigned long long) hash_doubles(expected, count));
	free(expected);
	free(output);
}

#endif							/* HX_UNIT_NUMERIC_H */
