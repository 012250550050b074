/*
 * time_layers.c
 *	  How long the functions of math, quant and hash take: what the figures in
 *	  their READMEs were made with. Measures only, checks nothing.
 */
#include "unit.h"

#include <time.h>

#include "hash/hyperplane.h"
#include "math/group.h"
#include "math/rotation.h"
#include "math/team.h"
#include "quant/scalar.h"

#define DIMS 768
#define STRINGS 1000000

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static double
milliseconds_to_group(size_t width, uint64_t kinds, int threads)
{
	uint8_t    *strings = unit_alloc(STRINGS * width);
	uint32_t   *order = unit_alloc(STRINGS * sizeof(uint32_t));
	void	   *scratch = unit_alloc(hx_group_scratch(STRINGS));
	double		best = 1e9;

	for (size_t i = 0; i < STRINGS; i++)
	{
		uint64_t	kind = unit_random() % kinds;

		memset(strings + i * width, 0, width);
		memcpy(strings + i * width + width - 8, &kind, 8);
	}
	for (int repeat = 0; repeat < 5; repeat++)
	{
		double		start;

		hx_team_start(threads);
		start = now();
		hx_group_equal(strings, width, STRINGS, order, scratch, NULL, NULL);
		if (now() - start < best)
			best = now() - start;
		hx_team_end();
	}
	free(strings);
	free(order);
	free(scratch);
	return best * 1e3;
}

static float vector[DIMS];
static float result[1024];
static uint8_t codes[DIMS];
static uint16_t halves[DIMS];
static float low;
static float high;

static void
rotate(void)
{
	hx_rotation_apply(1, 0, vector, DIMS, result);
}

static void
simhash_256(void)
{
	hx_simhash(vector, DIMS, 256, 0, result, codes);
}

static void
encode_8(void)
{
	hx_scalar_encode(vector, DIMS, 8, codes, &low, &high);
}

static void
decode_8(void)
{
	hx_scalar_decode(codes, DIMS, 8, low, high, result);
}

static void
encode_4(void)
{
	hx_scalar_encode(vector, DIMS, 4, codes, &low, &high);
}

static void
decode_4(void)
{
	hx_scalar_decode(codes, DIMS, 4, low, high, result);
}

static void
encode_half(void)
{
	size_t		bad;

	hx_f16_encode(vector, halves, DIMS, &bad);
}

static void
time_vector(const char *name, void (*function) (void))
{
	double		best = 1e9;

	for (int repeat = 0; repeat < 7; repeat++)
	{
		double		start = now();

		for (int i = 0; i < 2000; i++)
			function();
		if (now() - start < best)
			best = now() - start;
	}
	printf("%-12s of %d dimensions %.2f us\n", name, DIMS, best / 2000 * 1e6);
}

int
main(void)
{
	static const uint64_t kinds[] = {UINT64_MAX, STRINGS / 2, 1000, 2, 1};

	hx_kernel_init();
	for (size_t i = 0; i < DIMS; i++)
		vector[i] = (float) unit_normal();
	time_vector("rotation", rotate);
	time_vector("simhash 256", simhash_256);
	time_vector("encode int8", encode_8);
	time_vector("decode int8", decode_8);
	time_vector("encode int4", encode_4);
	time_vector("decode int4", decode_4);
	time_vector("encode f16", encode_half);
	for (int threads = 1; threads <= 2; threads++)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			printf("group %d strings of 32 bytes, of %llu kinds, %d threads: %.1f ms\n",
				   STRINGS, (unsigned long long) kinds[i], threads,
				   milliseconds_to_group(32, kinds[i], threads));
	return 0;
}
