/*
 * lsh_bits.c
 *	  The family for Hamming distance: bits of the code.
 *
 * Positions are dealt out like cards: a permutation of all bits is used up before the
 * next one begins. So no position comes twice in a table, and while there are bits enough
 * the tables have none in common, which finds more than independent choices would.
 */
#include <math.h>
#include <string.h>

#include "hash/lsh_family.h"
#include "math/random.h"

/* Streams of random numbers, apart from those of rotations; the sketch has the first. */
#define POSITION_STREAM (UINT64_C(1) << 51)

static uint32_t
sketch_bits(const HxLshShape *shape)
{
	uint32_t	bits = 8 * shape->sketch_bytes;

	return bits < shape->dims ? bits : shape->dims;
}

/* Those of the tables, those of the sketch, and a permutation being dealt out. */
size_t
hx_lsh_position_count(const HxLshShape *shape)
{
	return (size_t) shape->tables * shape->hashes + sketch_bits(shape) + shape->dims;
}

static void
shuffle(uint32_t *cards, uint32_t count, uint64_t seed, uint64_t number)
{
	for (uint32_t i = 0; i < count; i++)
		cards[i] = i;
	for (uint32_t i = count; i > 1; i--)
	{
		uint64_t	random = hx_random(seed, POSITION_STREAM + number, i) >> 32;
		uint32_t	other = (uint32_t) (random * i >> 32);
		uint32_t	card = cards[other];

		cards[other] = cards[i - 1];
		cards[i - 1] = card;
	}
}

void
hx_lsh_choose_positions(HxLsh *lsh)
{
	const HxLshShape *shape = &lsh->shape;
	const size_t key_positions = (size_t) shape->tables * shape->hashes;
	uint32_t   *sketch = lsh->positions + key_positions;
	uint32_t   *cards = sketch + sketch_bits(shape);
	uint32_t	dealt = shape->dims;
	uint64_t	number = 0;

	shuffle(cards, shape->dims, shape->seed, number++);
	memcpy(sketch, cards, sketch_bits(shape) * sizeof(uint32_t));
	for (size_t i = 0; i < key_positions; i += shape->hashes, dealt += shape->hashes)
	{
		if (dealt + shape->hashes > shape->dims)
		{
			shuffle(cards, shape->dims, shape->seed, number++);
			dealt = 0;
		}
		memcpy(lsh->positions + i, cards + dealt, shape->hashes * sizeof(uint32_t));
	}
}

static bool
bit_at(const uint8_t *code, uint32_t position)
{
	return code[position / 8] >> (7 - position % 8) & 1;
}

static size_t
scratch_size(const HxLsh *lsh)
{
	(void) lsh;
	return 0;
}

static void
locate(const HxLsh *lsh, HxLshPoint point, void *scratch, uint64_t *keys, HxLshSteps *steps)
{
	const HxLshShape *shape = &lsh->shape;
	const uint32_t *position = lsh->positions;

	(void) scratch;
	memset(keys, 0, shape->tables * sizeof(*keys));
	for (uint32_t table = 0; table < shape->tables; table++)
	{
		for (uint32_t slot = 0; slot < shape->hashes; slot++)
		{
			bool		bit = bit_at(point.code, *position++);
			uint64_t	share = hx_lsh_share(lsh, table, slot, bit);

			keys[table] ^= share;
			if (steps != NULL)	/* any bit is as likely to differ as any other */
				hx_lsh_add_step(steps, table, slot, 1,
								share ^ hx_lsh_share(lsh, table, slot, !bit));
		}
	}
}

static uint32_t
options(const HxLshShape *shape)
{
	(void) shape;
	return 1;
}

static double
collision(const HxLshShape *shape, double distance)
{
	return 1 - fmin(fmax(distance / shape->dims, 0), 1);
}

/* Sketches: bits at positions of their own, or the whole code where there is room for it. */

static void
sketch(const HxLsh *lsh, HxLshPoint point, void *scratch, uint8_t *out)
{
	const uint32_t bits = sketch_bits(&lsh->shape);
	const uint32_t *positions =
		lsh->positions + (size_t) lsh->shape.tables * lsh->shape.hashes;

	(void) scratch;
	memset(out, 0, lsh->shape.sketch_bytes);
	for (uint32_t i = 0; i < bits; i++)
	{
		if (bit_at(point.code, positions[i]))
			out[i / 8] |= (uint8_t) (0x80 >> (i % 8));
	}
}

/* The bits that differ, times how many bits each of the sketch stands for. */
static float
estimate(const HxLshQuery *base, const uint8_t *sketch)
{
	const HxLshBitQuery *query = (const HxLshBitQuery *) base;

	return query->unit * (float) hx_kernels->hamming(query->sketch, sketch, query->bytes);
}

static float
limit(const HxLshQuery *base, double distance)
{
	const HxLshBitQuery *query = (const HxLshBitQuery *) base;
	const double bits = query->bits;
	const double differing = distance < 0 ? 0 : distance;
	const double share = fmin(differing / (bits * query->unit), 1);

	/* Never more bits than differ in all. */
	return query->unit * (float) fmin(hx_lsh_most_differing(share, bits), differing);
}

static HxLshQuery *
make_query(const HxLsh *lsh, HxLshPoint point, const HxMemory *memory)
{
	HxLshBitQuery *query = hx_allocate(memory, 1, sizeof(HxLshBitQuery));
	const uint32_t bits = sketch_bits(&lsh->shape);

	query->base = (HxLshQuery) {estimate, limit};
	query->bytes = lsh->shape.sketch_bytes;
	query->bits = bits;
	query->unit = (float) lsh->shape.dims / (float) bits;
	sketch(lsh, point, NULL, query->sketch);
	return &query->base;
}

const HxLshFamilyMethods hx_lsh_bits = {
	scratch_size, locate, options, collision, sketch, make_query,
};
