/*
 * cpu.c
 *	  Which SIMD levels this machine can run.
 *
 * On x86, __builtin_cpu_supports also asks whether the operating system saves
 * the wide registers. AArch64 always has NEON.
 */
#include "kernel/cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>

/* Older compilers cannot ask for F16C by name. It needs no more of the system than AVX does. */
static bool
has_f16c(void)
{
	unsigned	eax;
	unsigned	ebx;
	unsigned	ecx;
	unsigned	edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & (1u << 29)) != 0;
}

static bool
has_x86_64_v2(void)
{
	return __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("sse4.2");
}

static bool
has_avx2(void)
{
	return has_x86_64_v2() && __builtin_cpu_supports("avx2") && has_f16c();
}

static bool
has_avx512(void)
{
	return has_avx2() &&
		__builtin_cpu_supports("avx512f") &&
		__builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("avx512vpopcntdq");
}

bool
hx_cpu_has(HxSimdLevel level)
{
	__builtin_cpu_init();

	switch (level)
	{
		case HX_SIMD_GENERIC:
			return true;
		case HX_SIMD_X86_64_V2:
			return has_x86_64_v2();
		case HX_SIMD_AVX2:
			return has_avx2();
		case HX_SIMD_AVX512:
			return has_avx512();
		default:
			return false;
	}
}

#elif defined(__aarch64__)

bool
hx_cpu_has(HxSimdLevel level)
{
	return level == HX_SIMD_GENERIC || level == HX_SIMD_NEON;
}

#else

bool
hx_cpu_has(HxSimdLevel level)
{
	return level == HX_SIMD_GENERIC;
}

#endif
