/*
 * time_kernel.c
 *	  Nanoseconds a code, or a number, of the kernels at each SIMD level: what the
 *	  table in src/kernel/README was made with. Measures only, checks nothing.
 */
#include "unit.h"

#include <time.h>

#define REPEATS 7

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

/* Keeps results alive. */
static volatile double sink;

/* Selection over blocks as large as a page, all from the cache; best of some runs, a code. */
static double
time_select(const HxKernels *kernels, unsigned code_bytes, unsigned count, unsigned limit)
{
	enum
	{
		BLOCKS = 16
	};
	size_t		block_bytes = (size_t) count * code_bytes;
	uint8_t    *base = unit_alloc(block_bytes * BLOCKS);
	uint8_t    *query = unit_alloc(code_bytes);
	uint16_t   *position = unit_alloc((count + 16) * 2);
	uint16_t   *distance = unit_alloc((count + 16) * 2);
	unsigned	rounds = 4000000 / (code_bytes + 8) / count;
	double		best = 1e9;

	unit_fill(base, block_bytes * BLOCKS);
	unit_fill(query, code_bytes);
	for (int repeat = 0; repeat < REPEATS; repeat++)
	{
		double		start = now();
		unsigned	found = 0;

		for (unsigned round = 0; round < rounds; round++)
		{
			for (unsigned b = 0; b < BLOCKS; b++)
			{
				const HxPlanes planes = {base + b * block_bytes, count, count, code_bytes};

				found += kernels->hamming_select(&planes, query, limit, position, distance);
			}
		}
		sink = found;
		double		took = (now() - start) / rounds / BLOCKS / count;

		best = took < best ? took : best;
	}
	free(base);
	free(query);
	free(position);
	free(distance);
	return best * 1e9;
}

/* A function of two vectors of n floats; nanoseconds a call. */
static double
time_sum(const HxKernels *kernels, int which, size_t n)
{
	float	   *a = unit_alloc(n * sizeof(float));
	float	   *b = unit_alloc(n * sizeof(float));
	uint16_t   *halves = unit_alloc(n * 2);
	double		best = 1e9;
	int			rounds = 20000;

	for (size_t i = 0; i < n; i++)
	{
		a[i] = (float) unit_uniform();
		b[i] = (float) unit_uniform();
		halves[i] = (uint16_t) (unit_below(0x7c00));
	}
	for (int repeat = 0; repeat < REPEATS; repeat++)
	{
		double		start = now();
		double		sum = 0;

		for (int round = 0; round < rounds; round++)
		{
			switch (which)
			{
				case 0:
					sum += kernels->dot(a, b, n);
					break;
				case 1:
					sum += kernels->l2_squared(a, b, n);
					break;
				case 2:
					sum += kernels->l1(a, b, n);
					break;
				case 3:
					sum += kernels->dot_norms(a, b, n).dot;
					break;
				case 4:
					kernels->f16_to_f32(halves, b, n);
					break;
				default:
					for (size_t i = 0; i < n; i += 64)
						a[i] = 1;
					memset(b, 0, n * sizeof(float));
					kernels->hadamard(b, n, NULL);
					break;
			}
		}
		sink = sum;
		double		took = (now() - start) / rounds;

		best = took < best ? took : best;
	}
	free(a);
	free(b);
	free(halves);
	return best * 1e9;
}

static double
time_hamming(const HxKernels *kernels, size_t bytes)
{
	uint8_t    *a = unit_alloc(bytes);
	uint8_t    *b = unit_alloc(bytes);
	double		best = 1e9;

	unit_fill(a, bytes);
	unit_fill(b, bytes);
	for (int repeat = 0; repeat < REPEATS; repeat++)
	{
		double		start = now();
		uint64_t	sum = 0;

		for (int round = 0; round < 100000; round++)
			sum += kernels->hamming(a, b, bytes);
		sink = (double) sum;
		double		took = (now() - start) / 100000;

		best = took < best ? took : best;
	}
	free(a);
	free(b);
	return best * 1e9;
}

static void
time_level(const HxKernels *kernels)
{
	static const unsigned bits[] = {32, 64, 128, 256, 512, 1024, 72, 192};
	static const char *const sums[] = {"dot", "l2_squared", "l1", "dot_norms", "f16_to_f32"};

	printf("%s\n", hx_kernel_level_name(kernels->level));
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
	{
		unsigned	count = 8096 * 8 / (bits[i] + 48);

		printf("  select %4u bits, %4u codes: none %.3f, a few %.3f, half %.3f, all %.3f ns/code\n",
			   bits[i], count,
			   time_select(kernels, bits[i] / 8, count, bits[i] / 16),
			   time_select(kernels, bits[i] / 8, count, bits[i] * 3 / 8),
			   time_select(kernels, bits[i] / 8, count, bits[i] / 2),
			   time_select(kernels, bits[i] / 8, count, bits[i]));
	}
	printf("  hamming 64 bits %.1f, 256 %.1f, 1024 %.1f, 65536 %.1f ns\n",
		   time_hamming(kernels, 8), time_hamming(kernels, 32), time_hamming(kernels, 128),
		   time_hamming(kernels, 8192));
	for (int which = 0; which < 5; which++)
		printf("  %-10s of 768 floats %.1f ns, of 16 %.1f ns\n", sums[which],
			   time_sum(kernels, which, 768), time_sum(kernels, which, 16));
	printf("  hadamard of 1024 floats %.1f ns\n", time_sum(kernels, 5, 1024));
}

int
main(void)
{
	unit_each_level(time_level);
	return 0;
}
