/*
 * test_minhash.c
 *	  MinHash: frozen hashes, bins against their definition, densified signatures that agree
 *	  as often as sets are similar, codes of their lowest bits.
 */
#include "unit.h"

#include <math.h>

#include "hash/minhash.h"

#define MAX_COUNT 512

static uint32_t donors[2 * MAX_COUNT];

static void
make_signature(const uint64_t *set, size_t size, size_t count, uint64_t seed, uint64_t *signature)
{
	uint64_t	bins[MAX_COUNT];

	hx_minhash_begin(bins, count);
	hx_minhash_add(bins, count, seed, set, size);
	hx_minhash_donors(bins, count, seed, donors);
	for (size_t i = 0; i < count; i++)
		signature[i] = bins[donors[i]];
}

/* These may never change: they are stored. */
static void
frozen(void)
{
	static const uint64_t set[] = {1, 2, 3};
	uint64_t	signature[4];

	CHECK(hx_element_hash_integer(0) == UINT64_C(0xe220a8397b1dcdaf), "%016llx",
		  (unsigned long long) hx_element_hash_integer(0));
	CHECK(hx_element_hash_integer(-1) == UINT64_C(0xe4d971771b652c20), "%016llx",
		  (unsigned long long) hx_element_hash_integer(-1));
	CHECK(hx_element_hash_bytes("", 0) == UINT64_C(0xb1a6d212199b7394), "%016llx",
		  (unsigned long long) hx_element_hash_bytes("", 0));
	CHECK(hx_element_hash_bytes("shingles", 8) == UINT64_C(0xd51e05627ac2fb7b), "%016llx",
		  (unsigned long long) hx_element_hash_bytes("shingles", 8));
	CHECK(hx_element_hash_bytes("shingles and more", 17) == UINT64_C(0x4c5ff437c26fd845), "%016llx",
		  (unsigned long long) hx_element_hash_bytes("shingles and more", 17));

	make_signature(set, 3, 4, 7, signature);
	for (int i = 0; i < 4; i++)
	{
		static const uint64_t expected[] = {
			UINT64_C(0x3d41bf495cd3075f), UINT64_C(0x46a6c8e56922a525),
			UINT64_C(0x3d41bf495cd3075f), UINT64_C(0x3d41bf495cd3075f),
		};

		CHECK(signature[i] == expected[i], "%d: %016llx", i, (unsigned long long) signature[i]);
	}
}

/* No two of many short strings have the same hash, nor do strings that begin alike. */
static void
strings_differ(void)
{
	enum
	{
		STRINGS = 3000
	};
	static uint64_t hashes[STRINGS];
	char		text[STRINGS];
	unsigned	equal = 0;

	memset(text, 'a', sizeof(text));
	for (int i = 0; i < STRINGS; i++)
	{
		hashes[i] = hx_element_hash_bytes(text, (size_t) i);
		for (int j = 0; j < i; j++)
			equal += hashes[j] == hashes[i];
	}
	CHECK(equal == 0, "%u pairs", equal);
}

/* Each bin has the least value of the elements in it; order and duplicates do not matter. */
static void
bins_by_definition(void)
{
	static const size_t counts[] = {1, 2, 7, 64, 500};

	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
	{
		const size_t count = counts[k];
		uint64_t	set[200];
		uint64_t	bins[MAX_COUNT];
		unsigned	wrong = 0;

		unit_fill(set, 100 * sizeof(uint64_t));
		for (int i = 0; i < 100; i++)
			set[199 - i] = set[i];
		hx_minhash_begin(bins, count);
		hx_minhash_add(bins, count, k, set, 200);
		for (size_t bin = 0; bin < count; bin++)
		{
			uint64_t	least = HX_MINHASH_EMPTY;

			for (int i = 0; i < 100; i++)
			{
				uint64_t	value = hx_minhash_value(set[i], hx_mix(k));

				if (hx_minhash_bin(value, count) == bin && value < least)
					least = value;
			}
			wrong += bins[bin] != least;
		}
		CHECK(wrong == 0, "%zu bins: %u wrong", count, wrong);
	}
}

/* The bins of two sets merge into those of their union. */
static void
merging(void)
{
	uint64_t	set[300];
	uint64_t	whole[64];
	uint64_t	part[64];
	uint64_t	rest[64];

	unit_fill(set, sizeof(set));
	hx_minhash_begin(whole, 64);
	hx_minhash_begin(part, 64);
	hx_minhash_begin(rest, 64);
	hx_minhash_add(whole, 64, 5, set, 300);
	hx_minhash_add(part, 64, 5, set, 200);
	hx_minhash_add(rest, 64, 5, set + 100, 200);
	hx_minhash_merge(part, rest, 64);
	CHECK(memcmp(whole, part, sizeof(whole)) == 0, "union");
}

/* Donors are not empty, and bins that are not empty keep their own value. */
static void
densification(void)
{
	static const size_t sizes[] = {1, 2, 10, 100, 1000};
	uint64_t	set[1000];
	uint64_t	bins[MAX_COUNT];

	unit_fill(set, sizeof(set));
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
	{
		unsigned	wrong = 0;

		hx_minhash_begin(bins, MAX_COUNT);
		hx_minhash_add(bins, MAX_COUNT, 9, set, sizes[k]);
		hx_minhash_donors(bins, MAX_COUNT, 9, donors);
		for (size_t i = 0; i < MAX_COUNT; i++)
			wrong += bins[donors[i]] == HX_MINHASH_EMPTY ||
				(bins[i] != HX_MINHASH_EMPTY && donors[i] != i);
		CHECK(wrong == 0, "%zu elements: %u wrong", sizes[k], wrong);
	}
	hx_minhash_begin(bins, MAX_COUNT);
	hx_minhash_donors(bins, MAX_COUNT, 9, donors);
	for (size_t i = 0; i < MAX_COUNT; i++)
		CHECK(donors[i] == i, "of the empty set");
}

/*
 * The share of values that agree is the Jaccard similarity, with no bias even where most
 * bins are empty: its mean over many seeds, four standard errors wide.
 */
static void
agreement(void)
{
	static const size_t sizes[] = {2, 5, 30, 300};
	static const double shares[] = {0.2, 0.5, 0.8};
	enum
	{
		COUNT = 64, SEEDS = 400
	};

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]) * 3; k++)
	{
		const size_t size = sizes[k / 3];
		const size_t common = (size_t) round(shares[k % 3] * (double) size);
		const double similarity = (double) common / (double) (2 * size - common);
		double		sum = 0;
		double		squares = 0;

		for (uint64_t seed = 0; seed < SEEDS; seed++)
		{
			uint64_t	a[300];
			uint64_t	b[300];
			uint64_t	of_a[COUNT];
			uint64_t	of_b[COUNT];

			unit_fill(a, size * sizeof(uint64_t));
			unit_fill(b, size * sizeof(uint64_t));
			memcpy(b, a, common * sizeof(uint64_t));
			make_signature(a, size, COUNT, seed, of_a);
			make_signature(b, size, COUNT, seed, of_b);

			double		share = (double) hx_minhash_matches(of_a, of_b, COUNT) / COUNT;

			sum += share;
			squares += share * share;
		}

		const double mean = sum / SEEDS;
		const double error = sqrt((squares / SEEDS - mean * mean) / SEEDS);

		CHECK(fabs(mean - similarity) <= 4 * error + 1e-9, "%zu elements, %zu common: %f, not %f",
			  size, common, mean, similarity);
	}
}

/* b bits of a value agree by chance too: similarity = (share - 2^-b) / (1 - 2^-b). */
static void
lowest_bits(void)
{
	static const uint64_t signature[] = {0x5, 0x2, 0xfffffffffffffffd};
	uint8_t		code[2];

	hx_minhash_pack(signature, 3, 1, code);
	CHECK(code[0] == 0xa0, "one bit: %02x", code[0]);
	hx_minhash_pack(signature, 3, 3, code);
	CHECK(code[0] == 0xaa && code[1] == 0x80, "three bits: %02x%02x", code[0], code[1]);

	enum
	{
		COUNT = 512, SIZE = 3000, COMMON = 2000
	};
	static uint64_t a[SIZE];
	static uint64_t b[SIZE];
	uint64_t	of_a[COUNT];
	uint64_t	of_b[COUNT];
	uint8_t		code_a[COUNT / 8];
	uint8_t		code_b[COUNT / 8];
	double		sum = 0;

	for (uint64_t seed = 0; seed < 50; seed++)
	{
		unit_fill(a, sizeof(a));
		unit_fill(b, sizeof(b));
		memcpy(b, a, COMMON * sizeof(uint64_t));
		make_signature(a, SIZE, COUNT, seed, of_a);
		make_signature(b, SIZE, COUNT, seed, of_b);
		hx_minhash_pack(of_a, COUNT, 1, code_a);
		hx_minhash_pack(of_b, COUNT, 1, code_b);
		sum += 1 - 2.0 * (double) hx_kernels->hamming(code_a, code_b, sizeof(code_a)) / COUNT;
	}
	/* Standard error: 2 sqrt(.25 * .75 / (50 * 512)) = 0.0054. */
	CHECK(fabs(sum / 50 - 0.5) < 0.022, "estimate %f, not 0.5", sum / 50);
}

int
main(void)
{
	hx_kernel_init();
	RUN(frozen);
	RUN(strings_differ);
	RUN(bins_by_definition);
	RUN(merging);
	RUN(densification);
	RUN(agreement);
	RUN(lowest_bits);
	return unit_summary();
}
