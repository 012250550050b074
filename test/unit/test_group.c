/*
 * test_group.c
 *	  Groups of equal strings, against comparing all pairs; with equal hashes, one
 *	  group, few groups, and any number of threads.
 *
 * Includes the source under test, so as to make strings with equal hashes.
 */
#include "unit.h"

#include "math/group.c"

#define MAX_THREADS 4

static int	checks_run;

static void
count_check(void *context)
{
	CHECK(context == &checks_run, "another context");
	checks_run++;
}

/* By definition: for each string, in order, that equals none before it, all that equal it. */
static size_t
naive_group(const uint8_t *strings, size_t width, size_t count, uint32_t *order)
{
	bool	   *done = unit_alloc(count);
	size_t		groups = 0;
	size_t		next = 0;

	memset(done, 0, count);
	for (size_t i = 0; i < count; i++)
	{
		if (done[i])
			continue;
		groups++;
		for (size_t j = i; j < count; j++)
		{
			if (!done[j] && memcmp(strings + i * width, strings + j * width, width) == 0)
			{
				done[j] = true;
				order[next++] = (uint32_t) j;
			}
		}
	}
	free(done);
	return groups;
}

/* Groups with 1 to 4 threads; what is written past the scratch or the result is noticed. */
static void
check_order(const uint8_t *strings, size_t width, size_t count,
			const uint32_t *expected, size_t groups, const char *what)
{
	size_t		scratch_bytes = hx_group_scratch(count);
	uint8_t    *scratch = unit_alloc(scratch_bytes + 8);
	uint32_t   *order = unit_alloc((count + 1) * sizeof(uint32_t));

	for (int threads = 1; threads <= MAX_THREADS; threads++)
	{
		size_t		found;

		memset(scratch, 0x5a, scratch_bytes + 8);
		memset(order, 0xff, (count + 1) * sizeof(uint32_t));
		hx_team_start(threads);
		checks_run = 0;
		found = hx_group_equal(strings, width, count, order, scratch, count_check, &checks_run);
		hx_team_end();
		CHECK(found == groups,
			  "%s, %d threads: %zu groups instead of %zu", what, threads, found, groups);
		CHECK(memcmp(order, expected, count * sizeof(uint32_t)) == 0,
			  "%s, %zu strings of %zu, %d threads: wrong order", what, count, width, threads);
		CHECK(order[count] == UINT32_MAX && scratch[scratch_bytes] == 0x5a,
			  "%s: wrote too far", what);
		CHECK(count == 0 || checks_run > 0, "%s: no interrupt check", what);
	}
	free(scratch);
	free(order);
}

static void
check_strings(const uint8_t *strings, size_t width, size_t count, const char *what)
{
	uint32_t   *expected = unit_alloc(count * sizeof(uint32_t));
	size_t		groups = naive_group(strings, width, count, expected);

	check_order(strings, width, count, expected, groups, what);
	free(expected);
}

/* `kinds` different strings at most, at random. */
static void
check_random(size_t width, size_t count, unsigned kinds)
{
	uint8_t    *strings = unit_alloc(count * width);
	uint8_t    *kind = unit_alloc(kinds * width);

	unit_fill(kind, kinds * width);
	for (size_t i = 0; i < count; i++)
		memcpy(strings + i * width, kind + unit_below(kinds) * width, width);
	check_strings(strings, width, count, "random");
	free(strings);
	free(kind);
}

static void
small_arrays(void)
{
	for (size_t width = 1; width <= 40; width++)
	{
		check_random(width, 0, 1);
		check_random(width, 1, 1);
		check_random(width, 2, 2);
		check_random(width, 70, 1);
		check_random(width, 70, 20);
		check_random(width, 300, 100000);
	}
	check_random(1000, 500, 200);
	check_random(8191, 50, 20);
}

static void
several_partitions(void)
{
	check_random(16, 10000, 1);
	check_random(16, 10000, 3);
	check_random(16, 12000, 6000);
	check_random(7, 9000, 1000000);
}

/* Strings of no bytes are all equal. */
static void
no_width(void)
{
	uint8_t		nothing = 0;

	check_strings(&nothing, 0, 100, "no width");
}

/* Strings that differ in the last bit, or in the first byte, only. */
static void
near_strings(void)
{
	enum
	{
		COUNT = 512,
		WIDTH = 33
	};
	static uint8_t strings[COUNT * WIDTH];

	for (size_t i = 0; i < COUNT; i++)
	{
		memset(strings + i * WIDTH, 0, WIDTH);
		strings[i * WIDTH] = (uint8_t) (i / 4);
		strings[i * WIDTH + WIDTH - 1] = (uint8_t) (i % 2);
	}
	check_strings(strings, WIDTH, COUNT, "near");
}

/*
 * Two-word strings with one hash: the second word undoes what the first one
 * did. Mixed with their own duplicates and with others.
 */
static void
equal_hashes(void)
{
	enum
	{
		COUNT = 600,
		WIDTH = 16
	};
	static uint8_t strings[COUNT * WIDTH];
	uint64_t	hash = 0;
	unsigned	colliding = 0;

	for (size_t i = 0; i < COUNT; i++)
	{
		uint64_t	first = unit_below(50);
		uint64_t	second = UINT64_C(0x123456789abcdef) ^ mix(WIDTH ^ first);

		if (unit_below(4) == 0)
			second = unit_below(3);
		memcpy(strings + i * WIDTH, &first, 8);
		memcpy(strings + i * WIDTH + 8, &second, 8);
		if (i == 0)
			hash = mix(UINT64_C(0x123456789abcdef));
		colliding += hash_string(strings + i * WIDTH, WIDTH) == hash;
	}
	CHECK(colliding > COUNT / 2, "only %u strings collide", colliding);
	check_strings(strings, WIDTH, COUNT, "equal hashes");
}

/* More than one slice of every step: too many for the naive way, but easy to foretell. */
static void
a_million(void)
{
	enum
	{
		COUNT = 1200000,
		WIDTH = 8
	};
	static const uint32_t kinds[] = {1, 2, 1000, COUNT / 2, COUNT};
	uint64_t   *strings = unit_alloc(COUNT * sizeof(uint64_t));
	uint32_t   *expected = unit_alloc(COUNT * sizeof(uint32_t));

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
	{
		size_t		next = 0;

		/* String i is of kind i mod kinds; an odd factor keeps kinds apart. */
		for (uint64_t i = 0; i < COUNT; i++)
			strings[i] = i % kinds[k] * UINT64_C(0x9e3779b97f4a7c15);
		for (uint32_t first = 0; first < kinds[k]; first++)
			for (uint32_t i = first; i < COUNT; i += kinds[k])
				expected[next++] = i;
		check_order((const uint8_t *) strings, WIDTH, COUNT, expected, kinds[k], "a million");
	}
	free(strings);
	free(expected);
}

int
main(void)
{
	RUN(small_arrays);
	RUN(several_partitions);
	RUN(no_width);
	RUN(near_strings);
	RUN(equal_hashes);
	RUN(a_million);
	return unit_summary();
}
