/*
 * guc.c
 *	  The settings hashidx.*, and the function that tells the SIMD level in use.
 */
#include "hashidx.h"

#include <unistd.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "guc.h"
#include "kernel/kernel.h"
#include "math/team.h"

HX_FUNCTION(hashidx_simd);

static int	build_threads = 0;
static int	simd = HX_SIMD_AUTO;

static const struct config_enum_entry simd_entries[] = {
	{"auto", HX_SIMD_AUTO, false},
	{"generic", HX_SIMD_GENERIC, false},
	{"x86-64-v2", HX_SIMD_X86_64_V2, false},
	{"avx2", HX_SIMD_AVX2, false},
	{"avx512", HX_SIMD_AVX512, false},
	{"neon", HX_SIMD_NEON, false},
	{NULL, 0, false}
};

/* Refuses a level that this CPU or this build lacks. */
static bool
check_simd(int *newval, void **extra, GucSource source)
{
	if (*newval == HX_SIMD_AUTO || hx_kernel_level((HxSimdLevel) *newval) != NULL)
		return true;

	StringInfoData available;

	initStringInfo(&available);
	appendStringInfoString(&available, hx_kernel_level_name(HX_SIMD_AUTO));
	for (int level = HX_SIMD_AUTO + 1; level < HX_SIMD_LEVELS; level++)
	{
		if (hx_kernel_level((HxSimdLevel) level) != NULL)
			appendStringInfo(&available, ", %s", hx_kernel_level_name((HxSimdLevel) level));
	}
	GUC_check_errdetail("This machine and this build have: %s.", available.data);
	return false;
}

/* Cannot fail: the check hook has seen the value. */
static void
assign_simd(int newval, void *extra)
{
	(void) hx_kernel_use((HxSimdLevel) newval);
}

void
hx_guc_init(void)
{
	DefineCustomIntVariable("hashidx.build_threads",
							"Threads that build an index.",
							"0 takes max_parallel_maintenance_workers + 1, at most one a CPU.",
							&build_threads,
							0, 0, HX_TEAM_MAX_THREADS,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomEnumVariable("hashidx.simd",
							 "Instruction set of the distance kernels.",
							 "All levels give the same results; auto takes the fastest one.",
							 &simd,
							 HX_SIMD_AUTO, simd_entries,
							 PGC_USERSET, 0,
							 check_simd, assign_simd, NULL);

	MarkGUCPrefixReserved("hashidx");
}

int
hx_guc_build_threads(void)
{
	if (build_threads > 0)
		return build_threads;

	long		cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int			threads = Min(max_parallel_maintenance_workers + 1, HX_TEAM_MAX_THREADS);

	return cpus > 0 ? (int) Min(threads, cpus) : 1;
}

/* hashidx_simd() returns text: the level in use, never "auto". */
Datum
hashidx_simd(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(hx_kernel_level_name(hx_kernels->level)));
}
