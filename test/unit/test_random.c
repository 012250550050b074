/*
 * test_random.c
 *	  The frozen random numbers: golden values, and that they look random.
 */
#include "unit.h"

#include "math/random.h"

typedef struct Golden
{
	uint64_t	seed;
	uint64_t	stream;
	uint64_t	counter;
	uint64_t	number;
} Golden;

/* Computed apart from the C code. They must never change: what they decided is on disk. */
static const Golden goldens[] = {
	{0, 0, 0, UINT64_C(0x238275bc38fcbe91)},
	{0, 0, 1, UINT64_C(0x421daf3033e887a3)},
	{0, 1, 0, UINT64_C(0xda47fb2041b77535)},
	{1, 0, 0, UINT64_C(0xb18a02f46d8d86c3)},
	{1, 0, 1, UINT64_C(0x6c5795e14b3b7e33)},
	{42, 7, 1000000, UINT64_C(0xe0facebc041ac1d9)},
	{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_C(0x0e71ba823f182ada)},
	{UINT64_C(1) << 63, 3, UINT64_C(1) << 40, UINT64_C(0xde59c3f68ba1e917)},
};

static void
golden(void)
{
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++)
	{
		const Golden *g = &goldens[i];

		CHECK(hx_random(g->seed, g->stream, g->counter) == g->number, "golden %zu", i);
	}
}

static void
filled(void)
{
	uint64_t	numbers[40];

	for (uint64_t stream = 0; stream < 10; stream++)
	{
		numbers[39] = 77;
		hx_random_fill(stream * 5, stream, numbers, 39);
		for (uint64_t i = 0; i < 39; i++)
			CHECK(numbers[i] == hx_random(stream * 5, stream, i), "number %d", (int) i);
		CHECK(numbers[39] == 77, "beyond the end");
	}
}

/* Neighbours in each argument differ in about half of the bits, and every bit takes part. */
static void
neighbours(void)
{
	for (int argument = 0; argument < 3; argument++)
	{
		unsigned	flips[64] = {0};

		for (uint64_t i = 0; i < 1000; i++)
		{
			uint64_t	at[3] = {i / 100, i / 10 % 10, i % 10};
			uint64_t	here = hx_random(at[0], at[1], at[2]);
			uint64_t	there;

			at[argument]++;
			there = hx_random(at[0], at[1], at[2]);
			for (int bit = 0; bit < 64; bit++)
				flips[bit] += (unsigned) ((here ^ there) >> bit & 1);
		}
		/* 500 expected; 100 is more than six standard deviations. */
		for (int bit = 0; bit < 64; bit++)
			CHECK(flips[bit] > 400 && flips[bit] < 600,
				  "argument %d, bit %d: %u", argument, bit, flips[bit]);
	}
}

static int
compare_numbers(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

/* Small seeds, streams and counters share no numbers. */
static void
no_repetition(void)
{
	enum
	{
		EACH = 40,
		ALL = EACH * EACH * EACH
	};
	uint64_t   *numbers = unit_alloc(ALL * sizeof(uint64_t));
	unsigned	repeated = 0;

	for (uint64_t i = 0; i < ALL; i++)
		numbers[i] = hx_random(i / EACH / EACH, i / EACH % EACH, i % EACH);
	qsort(numbers, ALL, sizeof(uint64_t), compare_numbers);
	for (int i = 1; i < ALL; i++)
		repeated += numbers[i] == numbers[i - 1];
	CHECK(repeated == 0, "%u repeated", repeated);
	free(numbers);
}

int
main(void)
{
	RUN(golden);
	RUN(filled);
	RUN(neighbours);
	RUN(no_repetition);
	return unit_summary();
}
