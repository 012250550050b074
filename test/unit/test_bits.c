/*
 * test_bits.c
 *	  Counting bits, planes, and hamming_select at every SIMD level, against bit
 *	  by bit computations.
 */
#include "unit.h"

#include "guarded.h"

#define SENTINEL 0xeeee
#define OVERRUN 16				/* entries that hamming_select may write past the last */

static unsigned
bit_of(const uint8_t *code, size_t bit)
{
	return code[bit / 8] >> (bit % 8) & 1;
}

static uint64_t
naive_popcount(const uint8_t *a, size_t bytes)
{
	uint64_t	sum = 0;

	for (size_t i = 0; i < bytes * 8; i++)
		sum += bit_of(a, i);
	return sum;
}

static uint64_t
naive_hamming(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	uint64_t	sum = 0;

	for (size_t i = 0; i < bytes * 8; i++)
		sum += bit_of(a, i) != bit_of(b, i);
	return sum;
}

static uint64_t
naive_and(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	uint64_t	sum = 0;

	for (size_t i = 0; i < bytes * 8; i++)
		sum += bit_of(a, i) & bit_of(b, i);
	return sum;
}

static void
check_counts(const HxKernels *kernels, const uint8_t *a, const uint8_t *b, size_t bytes)
{
	const char *level = hx_kernel_level_name(kernels->level);

	CHECK(kernels->popcount(a, bytes) == naive_popcount(a, bytes),
		  "%s, %zu bytes", level, bytes);
	CHECK(kernels->hamming(a, b, bytes) == naive_hamming(a, b, bytes),
		  "%s, %zu bytes", level, bytes);
	CHECK(kernels->popcount_and(a, b, bytes) == naive_and(a, b, bytes),
		  "%s, %zu bytes", level, bytes);
}

/* Every length, strings that begin at any alignment and end at unreadable memory. */
static void
counts_at(const HxKernels *kernels)
{
	static const size_t large[] = {255, 256, 511, 992, 1000, 1024, 2047, 4096, 8191, 8192};
	Guarded		a = guarded_new(9000);
	Guarded		b = guarded_new(9000);

	unit_fill(a.end - 9000, 9000);
	unit_fill(b.end - 9000, 9000);
	for (size_t bytes = 0; bytes <= 200; bytes++)
	{
		check_counts(kernels, a.end - bytes, b.end - bytes, bytes);
		check_counts(kernels, a.end - bytes - bytes % 7, b.end - bytes - bytes % 13, bytes);
	}
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++)
	{
		check_counts(kernels, a.end - large[i], b.end - large[i], large[i]);

		/* All ones: the greatest sums that bytes must hold. */
		memset(a.end - 9000, 0xff, 9000);
		check_counts(kernels, a.end - large[i], b.end - large[i], large[i]);
		memset(b.end - 9000, 0, 9000);
		check_counts(kernels, a.end - large[i], b.end - large[i], large[i]);
		unit_fill(a.end - 9000, 9000);
		unit_fill(b.end - 9000, 9000);
	}
	guarded_free(&a);
	guarded_free(&b);
}

static void
counts(void)
{
	unit_each_level(counts_at);
}

/* What is put in a block comes back, from where the header says it lies. */
static void
planes_layout(void)
{
	for (unsigned code_bytes = 1; code_bytes <= 80; code_bytes++)
	{
		unsigned	stride = 1 + unit_below(20);
		size_t		block_bytes = (size_t) stride * code_bytes;
		uint8_t    *block = unit_alloc(block_bytes);
		uint8_t    *codes = unit_alloc(block_bytes);
		uint8_t		back[80];

		unit_fill(codes, block_bytes);
		for (unsigned i = 0; i < stride; i++)
			hx_planes_put(block, stride, code_bytes, i, codes + (size_t) i * code_bytes);
		for (unsigned i = 0; i < stride; i++)
		{
			const uint8_t *code = codes + (size_t) i * code_bytes;
			const uint8_t *plane = block;

			hx_planes_get(block, stride, code_bytes, i, back);
			CHECK(memcmp(back, code, code_bytes) == 0, "%u bytes, position %u", code_bytes, i);

			for (unsigned w = 0; w < code_bytes / 8; w++, plane += (size_t) stride * 8)
				CHECK(memcmp(plane + i * 8, code + w * 8, 8) == 0,
					  "%u bytes, word %u", code_bytes, w);
			code += code_bytes / 8 * 8;
			for (unsigned width = 4; width > 0; width /= 2)
			{
				if (code_bytes & width)
				{
					CHECK(memcmp(plane + (size_t) i * width, code, width) == 0,
						  "%u bytes, narrow word of %u", code_bytes, width);
					plane += (size_t) stride * width;
					code += width;
				}
			}
		}
		free(block);
		free(codes);
	}
}

/* One selection, against the naive distance of each code. */
static void
check_select(const HxKernels *kernels, const HxPlanes *planes, const uint8_t *query, unsigned limit)
{
	const char *level = hx_kernel_level_name(kernels->level);
	size_t		room = (size_t) planes->count + OVERRUN;
	uint16_t   *position = unit_alloc((room + 1) * sizeof(uint16_t));
	uint16_t   *distance = unit_alloc((room + 1) * sizeof(uint16_t));
	uint8_t    *code = unit_alloc(planes->code_bytes);
	unsigned	expected = 0;
	unsigned	found;
	bool		same = true;

	position[room] = distance[room] = SENTINEL;
	found = kernels->hamming_select(planes, query, limit, position, distance);
	for (unsigned i = 0; i < planes->count; i++)
	{
		uint64_t	d;

		hx_planes_get(planes->base, planes->stride, planes->code_bytes, i, code);
		d = naive_hamming(code, query, planes->code_bytes);
		if (d <= limit)
		{
			same = same && expected < found && position[expected] == i && distance[expected] == d;
			expected++;
		}
	}
	CHECK(same && found == expected,
		  "%s: %u bytes, stride %u, count %u, limit %u: %u found, not %u",
		  level, planes->code_bytes, planes->stride, planes->count, limit, found, expected);
	CHECK(position[room] == SENTINEL && distance[room] == SENTINEL,
		  "%s: wrote past the room for its results", level);
	free(position);
	free(distance);
	free(code);
}

/*
 * A block of random codes, some near the query, up against unreadable memory or
 * `shift` bytes before it; the part not in use is noise.
 */
static void
check_block(const HxKernels *kernels, unsigned code_bytes, unsigned stride, unsigned count,
			size_t shift)
{
	size_t		block_bytes = (size_t) stride * code_bytes;
	Guarded		memory = guarded_new(block_bytes + shift);
	uint8_t    *base = memory.end - block_bytes - shift;
	uint8_t    *query = unit_alloc(code_bytes);
	uint8_t    *code = unit_alloc(code_bytes);
	const HxPlanes planes = {base, stride, count, code_bytes};
	unsigned	bits = code_bytes * 8;

	unit_fill(base, block_bytes);
	unit_fill(query, code_bytes);
	for (unsigned i = 0; i < stride; i++)
	{
		if (unit_below(3) == 0)
		{
			memcpy(code, query, code_bytes);
			for (unsigned flips = unit_below(4); flips > 0; flips--)
				code[unit_below(code_bytes)] ^= (uint8_t) (1u << unit_below(8));
			hx_planes_put(base, stride, code_bytes, i, code);
		}
	}
	check_select(kernels, &planes, query, 0);
	check_select(kernels, &planes, query, 2);
	check_select(kernels, &planes, query, bits / 2);
	check_select(kernels, &planes, query, bits);
	check_select(kernels, &planes, query, UINT16_MAX + 1);
	check_select(kernels, &planes, query, UINT32_MAX);
	free(query);
	free(code);
	guarded_free(&memory);
}

static void
select_lengths_at(const HxKernels *kernels)
{
	static const unsigned large[] = {
		96, 128, 247, 248, 249, 256, 511, 1024, 2047, 4095, 8190, 8191,
	};

	for (unsigned code_bytes = 1; code_bytes <= 80; code_bytes++)
	{
		unsigned	stride = 1 + unit_below(70);

		check_block(kernels, code_bytes, stride, stride, 0);
		check_block(kernels, code_bytes, stride, unit_below(stride + 1), 0);
		check_block(kernels, code_bytes, 100, unit_below(101), code_bytes % 9);
	}
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++)
	{
		check_block(kernels, large[i], 21, 21, 0);
		check_block(kernels, large[i], 34, 33, 3);
	}
}

static void
select_lengths(void)
{
	unit_each_level(select_lengths_at);
}

static void
select_counts_at(const HxKernels *kernels)
{
	static const unsigned lengths[] = {1, 2, 3, 4, 5, 7, 8, 12, 13, 15, 16, 24, 32, 40, 64, 71};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		for (unsigned count = 0; count <= 67; count++)
		{
			check_block(kernels, lengths[i], count + (count == 0), count, 0);
			check_block(kernels, lengths[i], 67, count, 1);
		}
	}
	check_block(kernels, 8, 582, 582, 0);
	check_block(kernels, 16, 400, 399, 0);
	check_block(kernels, 1, 65535, 65535, 0);
	check_block(kernels, 32, 214, 214, 5);
}

static void
select_counts(void)
{
	unit_each_level(select_counts_at);
}

/* Complements of the query: the greatest distances, which byte and 16-bit sums must hold. */
static void
select_farthest_at(const HxKernels *kernels)
{
	static const unsigned lengths[] = {1, 7, 8, 56, 57, 63, 64, 248, 249, 256, 1000, 4096, 8191};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		unsigned	code_bytes = lengths[i];
		unsigned	bits = code_bytes * 8;
		size_t		block_bytes = (size_t) 37 * code_bytes;
		uint8_t    *base = unit_alloc(block_bytes);
		uint8_t    *query = unit_alloc(code_bytes);
		const HxPlanes planes = {base, 37, 37, code_bytes};

		memset(base, 0xff, block_bytes);
		memset(query, 0, code_bytes);
		check_select(kernels, &planes, query, bits);
		check_select(kernels, &planes, query, bits - 1);
		check_select(kernels, &planes, query, 0);
		free(base);
		free(query);
	}
}

static void
select_farthest(void)
{
	unit_each_level(select_farthest_at);
}

int
main(void)
{
	RUN(counts);
	RUN(planes_layout);
	RUN(select_lengths);
	RUN(select_counts);
	RUN(select_farthest);
	return unit_summary();
}
