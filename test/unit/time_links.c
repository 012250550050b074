/*
 * time_links.c
 *	  How long what the graph asks of kernel, math and quant takes at each SIMD level:
 *	  what the figures in their READMEs were made with. Measures only, checks nothing.
 */
#include "unit.h"

#include <time.h>

#include "math/spin.h"
#include "quant/link_code.h"
#include "quant/stored.h"

#define MAX_DIMS 1536
#define LINKS 32
#define REPEATS 15
#define ROUNDS 2000

static float query[MAX_DIMS];
static float vector[MAX_DIMS];
static float result[MAX_DIMS];
static uint8_t stored[4 * MAX_DIMS + 8];
static uint8_t codes[LINKS * MAX_DIMS / 4];
static HxLink links[LINKS];
static float estimate[LINKS];
static size_t dims;
static HxLinkShape shape;
static HxLinkQuery prepared;
static void *memory;
static void *table;
static HxStoredFormat format;

/* Keeps results alive. */
static volatile double sink;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void
distance(void)
{
	sink = hx_stored_l2_squared(format, query, stored, dims);
}

static void
product(void)
{
	sink = hx_stored_dot(format, query, 0, stored, dims);
}

static void
store(void)
{
	sink = (double) hx_stored_encode(format, vector, dims, stored);
}

static void
spin(void)
{
	hx_spin_apply(1, vector, dims, result);
}

static void
encode(void)
{
	hx_link_encode(&shape, query, vector, result, links, codes);
}

static void
prepare(void)
{
	hx_link_query_prepare(&prepared, &shape, query, false, memory);
}

static void
estimate_links(void)
{
	hx_link_estimate(&prepared, 1, links, codes, LINKS, estimate);
}

static void
prepare_table(void)
{
	hx_link_table_prepare(&shape, query, table);
}

static void
estimate_block(void)
{
	hx_link_estimate_blocks(&shape, table, 1, links, codes, LINKS, estimate);
}

/* Prints the nanoseconds of a call; best of some runs. */
static void
measure(const char *name, void (*function) (void))
{
	double		best = 1e9;

	for (int repeat = 0; repeat < REPEATS; repeat++)
	{
		const double start = now();

		for (int i = 0; i < ROUNDS; i++)
			function();
		if (now() - start < best)
			best = now() - start;
	}
	printf(" %s %.0f", name, best / ROUNDS * 1e9);
}

static void
measure_stored(size_t n)
{
	static const char *const names[] = {"f32", "f16", "int8"};

	dims = n;
	printf("  %zu dimensions:", n);
	measure("spin", spin);
	for (int f = 0; f < 3; f++)
	{
		format = (HxStoredFormat) f;
		printf("; %s", names[f]);
		measure("store", store);
		measure("l2", distance);
		measure("dot", product);
	}
	printf("\n");
}

static void
measure_links(uint32_t n, uint32_t bits)
{
	shape = (HxLinkShape) {HX_LINK_L2, n, n, bits};
	memory = aligned_alloc(64, hx_link_query_bytes(&shape));
	table = aligned_alloc(64, hx_link_table_bytes(&shape));
	printf("  %u dimensions of %u bits:", n, bits);
	measure("encode", encode);
	measure("prepare", prepare);
	measure("32 links", estimate_links);
	measure("tables", prepare_table);
	measure("block", estimate_block);
	printf("\n");
	free(memory);
	free(table);
}

static void
time_level(const HxKernels *kernels)
{
	hx_kernel_use(kernels->level);
	printf("%s, nanoseconds\n", hx_kernel_level_name(kernels->level));
	measure_stored(100);
	measure_stored(768);
	measure_links(104, 1);
	measure_links(104, 2);
	measure_links(768, 1);
	measure_links(768, 2);
	measure_links(1536, 1);
}

int
main(void)
{
	for (size_t i = 0; i < MAX_DIMS; i++)
	{
		query[i] = (float) unit_normal();
		vector[i] = (float) unit_normal();
	}
	unit_fill(codes, sizeof(codes));
	unit_each_level(time_level);
	return 0;
}
