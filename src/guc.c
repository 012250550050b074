/*
 * guc.c
 *	  The settings hashidx.*, and the function that tells the SIMD level in use.
 */
#include "hashidx.h"

#include <limits.h>
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
static int	ef_search = 0;
static int	lsh_probes = 0;
static int	max_scan_tuples = 0;
static double recall = 0.95;
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

	DefineCustomIntVariable("hashidx.ef_search",
							"Candidates that a scan of a hashidx_hnsw index keeps.",
							"0 takes as many as the index found to be needed for hashidx.recall.",
							&ef_search,
							0, 0, HX_MAX_EF_SEARCH,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("hashidx.lsh_probes",
							"Buckets that a scan of a hashidx_lsh index reads first.",
							"0 takes as many as the index found to be needed for hashidx.recall.",
							&lsh_probes,
							0, 0, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("hashidx.max_scan_tuples",
							"Rows after which an approximate ordered scan of an index ends.",
							"0 lets it go on for as long as rows are asked for.",
							&max_scan_tuples,
							0, 0, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomRealVariable("hashidx.recall",
							 "Share of the true nearest neighbours that an approximate scan is to find.",
							 "Each index knows from its build what effort that takes.",
							 &recall,
							 0.95, 0.01, 0.9999,
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

int
hx_guc_ef_search(void)
{
	return ef_search;
}

int
hx_guc_lsh_probes(void)
{
	return lsh_probes;
}

int
hx_guc_max_scan_tuples(void)
{
	return max_scan_tuples;
}

double
hx_guc_recall(void)
{
	return recall;
}

/* hashidx_simd() returns text: the level in use, never "auto". */
Datum
hashidx_simd(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(hx_kernel_level_name(hx_kernels->level)));
}
