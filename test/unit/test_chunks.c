/*
 * test_chunks.c
 *	  Chunks against brute force: the pigeonhole over all radii, the walk along near
 *	  keys, and what dealing bits by a sample promises.
 */
#include "unit.h"

#include <math.h>

#include "hash/chunks.h"

#define MAX_BITS 1024
#define MAX_BYTES (MAX_BITS / 8)

static void
flip(uint8_t *code, unsigned bit)
{
	code[bit / 8] ^= (uint8_t) (0x80 >> bit % 8);
}

static unsigned
ones(uint32_t key)
{
	unsigned	count = 0;

	for (; key != 0; key &= key - 1)
		count++;
	return count;
}

/* The radii plus one add up to the whole radius plus one, and differ by one at most. */
static void
radii_add_up(void)
{
	for (unsigned count = 1; count <= HX_MAX_CHUNKS; count++)
		for (int radius = 0; radius <= 1100; radius++)
		{
			int			sum = 0;

			for (unsigned k = 0; k < count; k++)
				sum += hx_chunk_radius(k, count, radius) + 1;
			CHECK(sum == radius + 1, "%u chunks, radius %d: %d", count, radius, sum);
		}
}

/* Is at least one chunk of the pair within its radius? */
static bool
some_chunk_near(const HxChunks *chunks, const uint8_t *a, const uint8_t *b, int radius)
{
	for (unsigned k = 0; k < chunks->count; k++)
	{
		uint32_t	difference = hx_chunk_key(chunks, k, a) ^ hx_chunk_key(chunks, k, b);

		if ((int) ones(difference) <= hx_chunk_radius(k, chunks->count, radius))
			return true;
	}
	return false;
}

/* Pairs at every distance, also those whose bits differ where one chunk looks. */
static void
check_pigeonhole(unsigned bits, unsigned count)
{
	HxChunks	chunks;
	uint8_t		a[MAX_BYTES];
	uint8_t		b[MAX_BYTES];

	hx_chunks_cut(&chunks, bits, count);
	CHECK(hx_chunks_valid(&chunks, bits), "%u chunks of %u bits", count, bits);
	unit_fill(a, sizeof(a));
	for (unsigned radius = 0; radius <= bits; radius++)
		for (unsigned start = 0; start < 3; start++)
		{
			unsigned	first = unit_below(bits);

			memcpy(b, a, sizeof(b));
			for (unsigned i = 0; i < radius; i++)
				flip(b, start == 0 ? i : (first + i * (start == 1 ? 1 : 7)) % bits);
			CHECK(some_chunk_near(&chunks, a, b, (int) radius), "%u bits, %u chunks, radius %u",
				  bits, count, radius);
		}
}

static void
pigeonhole(void)
{
	static const unsigned lengths[] = {1, 8, 13, 32, 64, 100, 256, 1024};

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (unsigned count = 1; count <= HX_MAX_CHUNKS && count <= lengths[i]; count++)
			check_pigeonhole(lengths[i], count);
}

/* All chunks together have as many bits as they can, and about as many each. */
static void
cut_is_even(void)
{
	for (unsigned bits = 1; bits <= 300; bits++)
		for (unsigned count = 1; count <= HX_MAX_CHUNKS && count <= bits; count++)
		{
			HxChunks	chunks;
			unsigned	sum = 0;

			hx_chunks_cut(&chunks, bits, count);
			for (unsigned k = 0; k < count; k++)
			{
				sum += chunks.bits[k];
				CHECK(chunks.bits[0] - chunks.bits[k] <= 1, "%u bits, %u chunks", bits, count);
			}
			CHECK(sum == (bits < count * HX_MAX_CHUNK_BITS ? bits : count * HX_MAX_CHUNK_BITS),
				  "%u bits, %u chunks: %u used", bits, count, sum);
		}
}

/* The walk meets every key within the radius, in order, and nothing else. */
static void
walk_is_complete(void)
{
	for (unsigned bits = 1; bits <= 11; bits++)
		for (int radius = -1; radius <= (int) bits + 1; radius++)
			for (unsigned round = 0; round < 8; round++)
			{
				uint32_t	query = unit_below(1u << bits);
				uint32_t	next = 0;
				bool		more = hx_chunk_next_key(0, query, bits, radius, &next);

				for (uint32_t key = 0; key < 1u << bits; key++)
				{
					bool		near = (int) ones(key ^ query) <= radius;

					CHECK(!(more && next < key), "walk left behind at %u", next);
					CHECK(near == (more && next == key), "%u bits, radius %d, key %u of %u",
						  bits, radius, key, query);
					if (more && next == key)
						more = hx_chunk_next_key(key + 1, query, bits, radius, &next) &&
							key + 1 < 1u << bits;
				}
			}
}

/* Keys of 32 bits: within one of the query, there are 33. */
static void
walk_of_wide_keys(void)
{
	for (unsigned round = 0; round < 1000; round++)
	{
		uint32_t	query = (uint32_t) unit_random();
		uint64_t	from = 0;
		uint32_t	key;
		unsigned	count = 0;

		while (from <= UINT32_MAX && hx_chunk_next_key((uint32_t) from, query, 32, 1, &key))
		{
			CHECK(key >= from && ones(key ^ query) <= 1, "%u is not near %u", key, query);
			count++;
			from = (uint64_t) key + 1;
		}
		CHECK(count == 33, "%u keys near %u", count, query);
	}
}

static void
share_counts_keys(void)
{
	for (unsigned bits = 1; bits <= 12; bits++)
		for (int radius = -1; radius <= 13; radius++)
		{
			unsigned	count = 0;

			for (uint32_t key = 0; key < 1u << bits; key++)
				count += (int) ones(key) <= radius;
			CHECK(fabs(hx_chunk_share(bits, radius) - count / (double) (1u << bits)) < 1e-12,
				  "%u bits, radius %d", bits, radius);
		}
}

/* Which chunk has the bit, or HX_MAX_CHUNKS. */
static unsigned
chunk_of(const HxChunks *chunks, unsigned bit)
{
	for (unsigned k = 0; k < chunks->count; k++)
		for (unsigned i = 0; i < chunks->bits[k]; i++)
			if (chunks->position[k][i] == bit)
				return k;
	return HX_MAX_CHUNKS;
}

/* Bits 2i and 2i + 1 always agree: dealing keeps them apart, cutting does not. */
static void
deal_keeps_twins_apart(void)
{
	enum {bits = 64, codes = 500};
	uint8_t		sample[codes][bits / 8];
	HxChunks	chunks;
	void	   *scratch = unit_alloc(hx_chunks_deal_scratch(bits, 4, codes));

	for (unsigned i = 0; i < codes; i++)
		for (unsigned byte = 0; byte < bits / 8; byte++)
		{
			unsigned	half = unit_below(16);

			sample[i][byte] = 0;
			for (unsigned j = 0; j < 4; j++)
				sample[i][byte] |= (uint8_t) ((half >> j & 1) * 3u << 2 * j);
		}
	hx_chunks_deal(&chunks, bits, 4, sample[0], codes, scratch);
	CHECK(hx_chunks_valid(&chunks, bits), "dealt chunks are not valid");
	for (unsigned i = 0; i < bits; i += 2)
		CHECK(chunk_of(&chunks, i) != chunk_of(&chunks, i + 1), "bit %u stands with its twin", i);
	free(scratch);
}

/* Bits that never change come last, or in no chunk at all. */
static void
deal_avoids_constants(void)
{
	enum {bits = 256, codes = 300};
	uint8_t		sample[codes][bits / 8];
	HxChunks	chunks;
	void	   *scratch = unit_alloc(hx_chunks_deal_scratch(bits, 4, codes));

	unit_fill(sample, sizeof(sample));
	for (unsigned i = 0; i < codes; i++)
		memset(sample[i], 0xFF, 16);
	hx_chunks_deal(&chunks, bits, 4, sample[0], codes, scratch);
	CHECK(hx_chunks_valid(&chunks, bits), "dealt chunks are not valid");
	for (unsigned i = 0; i < 128; i++)
		CHECK(chunk_of(&chunks, i) == HX_MAX_CHUNKS, "bit %u is constant and in a chunk", i);
	free(scratch);
}

static void
damage_is_seen(void)
{
	HxChunks	chunks;
	HxChunks	damaged;

	hx_chunks_cut(&chunks, 64, 4);
	CHECK(hx_chunks_valid(&chunks, 64) && !hx_chunks_valid(&chunks, 63), "positions beyond the end");
	damaged = chunks;
	damaged.count = 0;
	CHECK(!hx_chunks_valid(&damaged, 64), "no chunks");
	damaged.count = HX_MAX_CHUNKS + 1;
	CHECK(!hx_chunks_valid(&damaged, 64), "too many chunks");
	damaged = chunks;
	damaged.bits[2] = 33;
	CHECK(!hx_chunks_valid(&damaged, 64), "a chunk too long");
	damaged = chunks;
	damaged.position[3][0] = damaged.position[0][0];
	CHECK(!hx_chunks_valid(&damaged, 64), "a bit twice");
}

int
main(void)
{
	hx_kernel_init();
	RUN(radii_add_up);
	RUN(pigeonhole);
	RUN(cut_is_even);
	RUN(walk_is_complete);
	RUN(walk_of_wide_keys);
	RUN(share_counts_keys);
	RUN(deal_keeps_twins_apart);
	RUN(deal_avoids_constants);
	RUN(damage_is_seen);
	return unit_summary();
}
