/*
 * dispatch.c
 *	  The choice of a SIMD level, made once for all callers.
 */
#include "kernel/kernel.h"

#include "kernel/cpu.h"
#include "kernel/levels.h"

const HxKernels *hx_kernels = &hx_kernels_generic;

static const char *const level_names[HX_SIMD_LEVELS] = {
	[HX_SIMD_AUTO] = "auto",
	[HX_SIMD_GENERIC] = "generic",
	[HX_SIMD_X86_64_V2] = "x86-64-v2",
	[HX_SIMD_AVX2] = "avx2",
	[HX_SIMD_AVX512] = "avx512",
	[HX_SIMD_NEON] = "neon",
};

/* NULL for the levels of other architectures. */
static const HxKernels *const built_levels[HX_SIMD_LEVELS] = {
	[HX_SIMD_GENERIC] = &hx_kernels_generic,
#if defined(__x86_64__)
	[HX_SIMD_X86_64_V2] = &hx_kernels_x86_64_v2,
	[HX_SIMD_AVX2] = &hx_kernels_avx2,
	[HX_SIMD_AVX512] = &hx_kernels_avx512,
#elif defined(__aarch64__)
	[HX_SIMD_NEON] = &hx_kernels_neon,
#endif
};

void
hx_kernel_init(void)
{
	(void) hx_kernel_use(HX_SIMD_AUTO);
}

bool
hx_kernel_use(HxSimdLevel level)
{
	const HxKernels *kernels = hx_kernel_level(level);

	if (kernels == NULL)
		return false;
	hx_kernels = kernels;
	return true;
}

const HxKernels *
hx_kernel_level(HxSimdLevel level)
{
	if (level == HX_SIMD_AUTO)
	{
		/* The levels are in order of preference. */
		for (int best = HX_SIMD_LEVELS - 1; best > HX_SIMD_GENERIC; best--)
		{
			if (built_levels[best] != NULL && hx_cpu_has((HxSimdLevel) best))
				return built_levels[best];
		}
		return &hx_kernels_generic;
	}

	return hx_cpu_has(level) ? built_levels[level] : NULL;
}

const char *
hx_kernel_level_name(HxSimdLevel level)
{
	return level_names[level];
}
