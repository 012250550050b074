/*
 * test_digits.c
 *	  Weighted counts of differing bits, and sums of table entries for blocks of codes,
 *	  at every SIMD level against plain computations.
 */
#include "unit.h"

#include "guarded.h"

#define MAX_COUNT 70

static unsigned
bits_of(uint8_t byte)
{
	unsigned	sum = 0;

	for (; byte != 0; byte = (uint8_t) (byte >> 1))
		sum += byte & 1;
	return sum;
}

static uint32_t
naive_count(const HxDigits *query, const uint8_t *code)
{
	uint32_t	sum = 0;

	for (unsigned b = 0; b < query->planes; b++)
		for (unsigned i = 0; i < query->bytes; i++)
			sum += bits_of((uint8_t) ((code[i] ^ query->plane[b * query->stride + i]) &
									  query->mask[b * query->stride + i])) << b;
	return sum;
}

/* A query of random planes; sometimes of all bits, so that sums are as large as can be. */
static HxDigits
random_query(unsigned bytes, unsigned planes, uint8_t *memory)
{
	HxDigits	query = {.planes = planes,.bytes = bytes,.stride = (bytes + 63) / 64 * 64};
	const bool	extreme = unit_below(4) == 0;

	query.plane = memory;
	query.mask = memory + (size_t) planes * query.stride;
	unit_fill(memory, 2 * (size_t) planes * query.stride);
	if (extreme)
		memset(memory, 0xff, 2 * (size_t) planes * query.stride);
	for (unsigned b = 0; b < planes; b++)
		memset(memory + (size_t) (planes + b) * query.stride + bytes, 0, query.stride - bytes);
	return query;
}

static void
check_digits(const HxKernels *kernels, unsigned bytes, unsigned planes, unsigned count,
			 uint8_t *memory)
{
	Guarded		guarded = guarded_new((size_t) bytes * count);
	uint8_t    *codes = guarded.end - (size_t) bytes * count;
	HxDigits	query = random_query(bytes, planes, memory);
	uint32_t	out[MAX_COUNT + 1];

	unit_fill(codes, (size_t) bytes * count);
	if (unit_below(4) == 0)
		memset(codes, 0, (size_t) bytes * count);
	memset(out, 0xee, sizeof(out));
	kernels->digit_counts(&query, codes, count, out);
	for (unsigned i = 0; i < count; i++)
		CHECK(out[i] == naive_count(&query, codes + (size_t) i * bytes),
			  "%s: %u bytes, %u planes, %u codes, code %u: %u",
			  hx_kernel_level_name(kernels->level), bytes, planes, count, i, out[i]);
	CHECK(out[count] == UINT32_C(0xeeeeeeee), "written beyond the last");
	guarded_free(&guarded);
}

/* All lengths of short codes, codes that end where memory ends, all numbers of planes. */
static void
digits_at(const HxKernels *kernels)
{
	uint8_t    *memory = unit_alloc(2 * (size_t) HX_MAX_DIGITS * HX_MAX_DIGITS_BYTES);

	for (unsigned bytes = 1; bytes <= 140; bytes++)
		for (unsigned count = 0; count <= 9; count += 3)
			check_digits(kernels, bytes, 1 + unit_below(HX_MAX_DIGITS), count, memory);
	for (unsigned planes = 1; planes <= HX_MAX_DIGITS; planes++)
	{
		static const unsigned bytes[] = {3, 13, 16, 26, 32, 33, 98, 192};

		for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
			check_digits(kernels, bytes[i], planes, 1 + unit_below(MAX_COUNT), memory);
	}
	check_digits(kernels, 2000, 8, 3, memory);
	check_digits(kernels, HX_MAX_DIGITS_BYTES, HX_MAX_DIGITS, 2, memory);
	free(memory);
}

static void
digits(void)
{
	unit_each_level(digits_at);
}

static void
check_block(const HxKernels *kernels, size_t groups, bool extreme)
{
	Guarded		block = guarded_new(groups * 16);
	Guarded		table = guarded_new(groups * 16);
	uint8_t    *codes = block.end - groups * 16;
	uint8_t    *entries = table.end - groups * 16;
	uint32_t	out[HX_BLOCK];

	unit_fill(codes, groups * 16);
	unit_fill(entries, groups * 16);
	if (extreme)
		memset(entries, 0xff, groups * 16);
	kernels->scan_block(codes, entries, groups, out);
	for (size_t i = 0; i < HX_BLOCK; i++)
	{
		uint32_t	sum = 0;

		for (size_t g = 0; g < groups; g++)
		{
			const unsigned byte = codes[g * 16 + i % 16];

			sum += entries[g * 16 + (i < 16 ? byte & 15 : byte >> 4)];
		}
		CHECK(out[i] == sum, "%s: %zu groups, code %zu: %u, not %u",
			  hx_kernel_level_name(kernels->level), groups, i, out[i], sum);
	}
	guarded_free(&block);
	guarded_free(&table);
}

static void
blocks_at(const HxKernels *kernels)
{
	for (size_t groups = 0; groups <= 1200; groups += groups < 64 ? 4 : 52)
	{
		check_block(kernels, groups, false);
		check_block(kernels, groups, true);
	}
}

static void
blocks(void)
{
	unit_each_level(blocks_at);
}

int
main(void)
{
	RUN(digits);
	RUN(blocks);
	return unit_summary();
}
