/*
 * unit.h
 *	  The harness of the unit tests: each program is a list of named tests, each
 *	  test a function of checks. Prints one line "ok" or "not ok" a test and a
 *	  summary, and fails when a test did.
 */
#ifndef HX_UNIT_H
#define HX_UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"

static unsigned long unit_checks;	/* of the running test */
static unsigned long unit_failures;
static int	unit_passed;
static int	unit_failed;

/* Records one check; the first few failures of a test are explained. */
#define CHECK(condition, ...) \
	do { \
		unit_checks++; \
		if (!(condition) && unit_failures++ < 5) \
		{ \
			printf("# %s:%d: %s: ", __FILE__, __LINE__, #condition); \
			printf(__VA_ARGS__); \
			printf("\n"); \
		} \
	} while (0)

/* A test that checked nothing has failed too. */
static inline void
unit_run(const char *name, void (*test) (void))
{
	unit_checks = 0;
	unit_failures = 0;
	test();
	if (unit_failures == 0 && unit_checks > 0)
	{
		unit_passed++;
		printf("ok %s (%lu checks)\n", name, unit_checks);
	}
	else
	{
		unit_failed++;
		printf("not ok %s (%lu of %lu checks failed)\n", name, unit_failures, unit_checks);
	}
	fflush(stdout);
}

#define RUN(test) unit_run(#test, test)

static inline int
unit_summary(void)
{
	printf("%d passed, %d failed\n", unit_passed, unit_failed);
	return unit_failed == 0 ? 0 : 1;
}

/* Calls check(kernels) for every level this machine has. */
static inline void
unit_each_level(void (*check) (const HxKernels *kernels))
{
	for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
	{
		const HxKernels *kernels = hx_kernel_level((HxSimdLevel) level);

		if (kernels != NULL)
			check(kernels);
	}
}

static inline void *
unit_alloc(size_t bytes)
{
	void	   *memory = malloc(bytes > 0 ? bytes : 1);

	if (memory == NULL)
	{
		printf("# out of memory\n");
		exit(2);
	}
	return memory;
}

/* Random numbers of the tests: an xorshift generator, unlike the one under test. */
static uint64_t unit_state = UINT64_C(0x9b60933458e17d7d);

static inline uint64_t
unit_random(void)
{
	unit_state ^= unit_state << 13;
	unit_state ^= unit_state >> 7;
	unit_state ^= unit_state << 17;
	return unit_state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline unsigned
unit_below(unsigned bound)
{
	return (unsigned) ((unit_random() >> 32) % bound);
}

/* Uniform in [-1, 1). */
static inline double
unit_uniform(void)
{
	return (double) (int64_t) unit_random() * 0x1p-63;
}

/* Bell-shaped with variance 1: the sum of 12 uniform numbers. */
static inline double
unit_normal(void)
{
	double		sum = 0;

	for (int i = 0; i < 12; i++)
		sum += unit_uniform() / 2;
	return sum;
}

static inline void
unit_fill(void *memory, size_t bytes)
{
	uint8_t    *p = memory;

	for (size_t i = 0; i < bytes; i++)
		p[i] = (uint8_t) (unit_random() >> 40);
}

#endif							/* HX_UNIT_H */
