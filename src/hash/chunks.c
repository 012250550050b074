/*
 * chunks.c
 *	  Cutting codes into chunks, and walking the keys near a key; see chunks.h.
 */
#include "hash/chunks.h"

#include <string.h>

#include "kernel/kernel.h"

/* Sets the number of chunks and the length of each; all together use as many bits as they can. */
static void
share_out(HxChunks *chunks, unsigned bits, unsigned count)
{
	unsigned	used = bits < count * HX_MAX_CHUNK_BITS ? bits : count * HX_MAX_CHUNK_BITS;

	memset(chunks, 0, sizeof(*chunks));
	chunks->count = (uint16_t) count;
	for (unsigned k = 0; k < count; k++)
		chunks->bits[k] = (uint8_t) (used / count + (k < used % count));
}

void
hx_chunks_cut(HxChunks *chunks, unsigned bits, unsigned count)
{
	unsigned	next = 0;

	share_out(chunks, bits, count);
	for (unsigned k = 0; k < count; k++)
		for (unsigned i = 0; i < chunks->bits[k]; i++)
			chunks->position[k][i] = (uint16_t) next++;
}

/* The sample on its side: a row of `words` words for each bit. */
typedef struct Columns
{
	uint64_t   *rows;
	size_t		words;
	size_t		codes;
} Columns;

/* Bytes for the columns, then a byte a bit for "dealt", then worst[chunk][bit]. */
static size_t
columns_bytes(unsigned bits, size_t codes)
{
	return bits * ((codes + 63) / 64) * sizeof(uint64_t);
}

size_t
hx_chunks_deal_scratch(unsigned bits, unsigned count, size_t codes)
{
	return columns_bytes(bits, codes) + (size_t) count * bits * sizeof(uint32_t) + bits;
}

static void
turn(Columns *columns, const uint8_t *sample, unsigned bits)
{
	size_t		code_bytes = (bits + 7) / 8;

	memset(columns->rows, 0, columns_bytes(bits, columns->codes));
	for (size_t i = 0; i < columns->codes; i++)
		for (unsigned j = 0; j < bits; j++)
			columns->rows[j * columns->words + i / 64] |=
				(uint64_t) (sample[i * code_bytes + j / 8] >> (7 - j % 8) & 1u) << i % 64;
}

/* How far a number of ones among the codes is from half of them: 0 .. codes. */
static uint32_t
lopsided(const Columns *columns, uint64_t ones)
{
	uint64_t	twice = 2 * ones;

	return (uint32_t) (twice > columns->codes ? twice - columns->codes : columns->codes - twice);
}

/* Takes up a bit into a chunk: the others are the worse for it the more they go with it. */
static void
take_up(const Columns *columns, unsigned bits, unsigned bit, uint32_t *worst)
{
	const uint8_t *row = (const uint8_t *) (columns->rows + bit * columns->words);

	for (unsigned j = 0; j < bits; j++)
	{
		const uint8_t *other = (const uint8_t *) (columns->rows + j * columns->words);
		uint32_t	alike = lopsided(columns, hx_kernels->hamming(row, other, columns->words * 8));

		if (alike > worst[j])
			worst[j] = alike;
	}
}

void
hx_chunks_deal(HxChunks *chunks, unsigned bits, unsigned count,
			   const uint8_t *sample, size_t codes, void *scratch)
{
	Columns		columns = {.rows = scratch,.words = (codes + 63) / 64,.codes = codes};
	uint32_t   *worst = (uint32_t *) ((uint8_t *) scratch + columns_bytes(bits, codes));
	uint8_t    *dealt = (uint8_t *) (worst + (size_t) count * bits);

	share_out(chunks, bits, count);
	turn(&columns, sample, bits);
	memset(dealt, 0, bits);
	for (unsigned j = 0; j < bits; j++)
	{
		const uint8_t *row = (const uint8_t *) (columns.rows + j * columns.words);

		for (unsigned k = 0; k < count; k++)
			worst[k * bits + j] = lopsided(&columns, hx_kernels->popcount(row, columns.words * 8));
	}

	for (unsigned i = 0; i < chunks->bits[0]; i++)
		for (unsigned k = 0; k < count && i < chunks->bits[k]; k++)
		{
			unsigned	best = bits;

			for (unsigned j = 0; j < bits; j++)
				if (!dealt[j] && (best == bits || worst[k * bits + j] < worst[k * bits + best]))
					best = j;
			dealt[best] = 1;
			chunks->position[k][i] = (uint16_t) best;
			take_up(&columns, bits, best, worst + (size_t) k * bits);
		}
}

bool
hx_chunks_valid(const HxChunks *chunks, unsigned bits)
{
	uint8_t		seen[8192] = {0};

	if (chunks->count < 1 || chunks->count > HX_MAX_CHUNKS || bits > 8 * sizeof(seen))
		return false;
	for (unsigned k = 0; k < chunks->count; k++)
	{
		if (chunks->bits[k] < 1 || chunks->bits[k] > HX_MAX_CHUNK_BITS)
			return false;
		for (unsigned i = 0; i < chunks->bits[k]; i++)
		{
			unsigned	position = chunks->position[k][i];

			if (position >= bits || (seen[position / 8] >> position % 8 & 1u))
				return false;
			seen[position / 8] |= (uint8_t) (1u << position % 8);
		}
	}
	return true;
}

/* A number with the lowest n bits set, n <= 32. */
static uint32_t
low_bits(unsigned n)
{
	return (uint32_t) ((UINT64_C(1) << n) - 1);
}

/* The least number that differs from `query` in its lowest n bits at most `budget` times there. */
static uint32_t
least_tail(uint32_t query, unsigned n, int budget)
{
	uint32_t	tail = query & low_bits(n);

	while (budget-- > 0 && tail != 0)
		tail &= ~(UINT32_C(0x80000000) >> __builtin_clz(tail));
	return tail;
}

bool
hx_chunk_next_key(uint32_t from, uint32_t query, unsigned bits, int radius, uint32_t *key)
{
	uint32_t	difference = from ^ query;
	int			above = __builtin_popcount(difference);

	if (radius < 0)
		return false;
	if (above <= radius)
	{
		*key = from;
		return true;
	}

	/*
	 * A greater key goes with `from` down to a bit that is 0 there and 1 in it; the
	 * lower that bit, the less the key.
	 */
	for (unsigned i = 0; i < bits; i++)
	{
		uint32_t	bit = UINT32_C(1) << i;

		above -= (difference & bit) != 0;
		if ((from & bit) != 0)
			continue;

		int			used = above + ((query & bit) == 0);

		if (used <= radius)
		{
			*key = (from & ~low_bits(i + 1)) | bit | least_tail(query, i, radius - used);
			return true;
		}
	}
	return false;
}

double
hx_chunk_share(unsigned bits, int radius)
{
	double		term = 1;
	double		sum = 0;

	for (int i = 0; i <= radius && i <= (int) bits; i++)
	{
		sum += term;
		term = term * (bits - i) / (i + 1);
	}
	return sum / (double) (UINT64_C(1) << bits);
}
