/*
 * test_dispatch.c
 *	  The choice of a SIMD level.
 */
#include "unit.h"

static void
generic_before_init(void)
{
	CHECK(hx_kernels->level == HX_SIMD_GENERIC, "level %d", hx_kernels->level);
}

static void
best_by_default(void)
{
	hx_kernel_init();
	CHECK(hx_kernels == hx_kernel_level(HX_SIMD_AUTO), "level %d", hx_kernels->level);
	for (int level = HX_SIMD_GENERIC; level < HX_SIMD_LEVELS; level++)
	{
		if (hx_kernel_level((HxSimdLevel) level) != NULL)
			CHECK(hx_kernels->level >= (HxSimdLevel) level,
				  "%d is not the best", hx_kernels->level);
	}
}

static void
every_level_or_none(void)
{
	for (int i = HX_SIMD_GENERIC; i < HX_SIMD_LEVELS; i++)
	{
		HxSimdLevel level = (HxSimdLevel) i;
		const HxKernels *before = hx_kernels;
		const HxKernels *kernels = hx_kernel_level(level);
		bool		used = hx_kernel_use(level);

		CHECK(used == (kernels != NULL), "level %d", i);
		CHECK(hx_kernels == (used ? kernels : before), "level %d", i);
		if (kernels == NULL)
			continue;
		CHECK(kernels->level == level, "level %d says it is %d", i, kernels->level);
		CHECK(kernels->popcount && kernels->hamming && kernels->popcount_and &&
			  kernels->hamming_select && kernels->dot && kernels->l2_squared && kernels->l1 &&
			  kernels->dot_norms && kernels->multiply && kernels->subtract &&
			  kernels->largest && kernels->above && kernels->f16_to_f32 && kernels->hadamard &&
			  kernels->matvec && kernels->column_distances && kernels->dot_doubles &&
			  kernels->multiply_tile && kernels->rotate_strip, "level %d", i);
	}
	CHECK(hx_kernel_use(HX_SIMD_GENERIC), "generic is always there");
	CHECK(hx_kernel_use(HX_SIMD_AUTO), "so is the best");
}

/* Levels of one architecture only. */
static void
right_architecture(void)
{
#if defined(__x86_64__)
	CHECK(hx_kernel_level(HX_SIMD_NEON) == NULL, "NEON on x86");
	/* What the compiler itself may assume must have been found. */
#ifdef __AVX2__
	CHECK(hx_kernel_level(HX_SIMD_AVX2) != NULL, "AVX2 not found");
#endif
#elif defined(__aarch64__)
	CHECK(hx_kernel_level(HX_SIMD_NEON) != NULL, "NEON not found");
	CHECK(hx_kernel_level(HX_SIMD_AVX2) == NULL, "AVX2 on ARM");
#endif
	CHECK(hx_kernel_level(HX_SIMD_GENERIC) != NULL, "generic not found");
}

static void
names(void)
{
	static const char *const expected[HX_SIMD_LEVELS] = {
		"auto", "generic", "x86-64-v2", "avx2", "avx512", "neon"
	};

	for (int level = 0; level < HX_SIMD_LEVELS; level++)
		CHECK(strcmp(hx_kernel_level_name((HxSimdLevel) level), expected[level]) == 0,
			  "level %d is %s", level, hx_kernel_level_name((HxSimdLevel) level));
}

int
main(void)
{
	RUN(generic_before_init);
	RUN(best_by_default);
	RUN(every_level_or_none);
	RUN(right_architecture);
	RUN(names);
	return unit_summary();
}
