/*
 * lsh_stable.c
 *	  The family for Euclidean distance: projections cut into cells of one width.
 *
 * A hash function's value is floor(<a, x> / width + b), with b uniform in [0, 1).
 */
#include <math.h>
#include <string.h>

#include "hash/lsh_family.h"
#include "hash/projection.h"
#include "math/random.h"

/* Streams of random numbers, apart from those of rotations. */
#define OFFSET_STREAM (UINT64_C(1) << 50)

/* Sketches cut a cell into so many, of which they keep the number modulo 256. */
#define SKETCH_CELLS 16

/* Parts of a sketch's cell that a query's place is known to. */
#define FRACTIONS 256

/* Natural logarithm of the share of points that a limit may leave out. */
#define LOG_MISSED 13

static size_t
scratch_size(const HxLsh *lsh)
{
	return hx_projection_scratch(lsh->shape.dims) * sizeof(float);
}

/* Walks over the projections of a vector, block after block. */
typedef struct Walk
{
	const HxLshShape *shape;
	const float *vector;
	float	   *block;			/* scratch */
	size_t		size;
	size_t		at;				/* the next one in the block */
	uint64_t	next;			/* block */
	double		cells;			/* cells that 1 of the block is */
} Walk;

static Walk
begin_walk(const HxLsh *lsh, HxLshPoint point, uint64_t first, void *scratch)
{
	const HxLshShape *shape = &lsh->shape;
	const size_t size = hx_projection_size(shape->dims);
	const double cells = hx_projection_scale(point.vector, shape->dims) / shape->width;

	return (Walk) {shape, point.vector, scratch, size, size, first, cells};
}

/* The next projection, in cells. */
static double
next_projection(Walk *walk)
{
	if (walk->at == walk->size)
	{
		hx_projection_apply(walk->shape->seed, walk->next++, walk->vector, walk->shape->dims,
							walk->block);
		walk->at = 0;
	}
	return walk->block[walk->at++] * walk->cells;
}

/* The offset of a hash function, in [0, 1). */
static double
offset(const HxLshShape *shape, uint64_t number)
{
	return (double) (hx_random(shape->seed, OFFSET_STREAM, number) >> 11) * 0x1p-53;
}

/* A cell's number; those so far out that a double has no fractions there are put together. */
static uint64_t
cell_number(double cell)
{
	return (uint64_t) (int64_t) fmin(fmax(cell, -0x1p62), 0x1p62);
}

static void
locate(const HxLsh *lsh, HxLshPoint point, void *scratch, uint64_t *keys, HxLshSteps *steps)
{
	const HxLshShape *shape = &lsh->shape;
	Walk		walk = begin_walk(lsh, point, 0, scratch);

	memset(keys, 0, shape->tables * sizeof(*keys));
	for (uint32_t table = 0; table < shape->tables; table++)
	{
		for (uint32_t slot = 0; slot < shape->hashes; slot++)
		{
			double		place = next_projection(&walk) +
				offset(shape, (uint64_t) table * shape->hashes + slot);
			double		cell = floor(place);
			uint64_t	share = hx_lsh_share(lsh, table, slot, cell_number(cell));

			keys[table] ^= share;
			if (steps == NULL)
				continue;

			/* The two cells beside, each as far away as its border. */
			float		below = (float) (place - cell);
			float		above = 1 - below;

			hx_lsh_add_step(steps, table, slot, below * below,
							share ^ hx_lsh_share(lsh, table, slot, cell_number(cell - 1)));
			hx_lsh_add_step(steps, table, slot, above * above,
							share ^ hx_lsh_share(lsh, table, slot, cell_number(cell + 1)));
		}
	}
}

static uint32_t
options(const HxLshShape *shape)
{
	(void) shape;
	return 2;
}

/* Datar, Immorlica, Indyk, Mirrokni 2004. */
static double
collision(const HxLshShape *shape, double distance)
{
	double		ratio = shape->width / distance;	/* infinite when they are equal */

	if (!(distance > 0))
		return 1;
	return 1 - erfc(ratio / sqrt(2)) -
		sqrt(2 / 3.14159265358979323846) / ratio * (1 - exp(-ratio * ratio / 2));
}

/*
 * Sketches: projections in narrower cells, numbered modulo 256. Nothing needs to be known
 * of the range of the data: the difference of two numbers is right as long as it is below
 * 128 cells, 8 widths, which is far for a near point.
 */
static void
sketch(const HxLsh *lsh, HxLshPoint point, void *scratch, uint8_t *out)
{
	Walk		walk = begin_walk(lsh, point, HX_LSH_SKETCH_BLOCK, scratch);

	for (uint32_t i = 0; i < lsh->shape.sketch_bytes; i++)
		out[i] = (uint8_t) cell_number(floor(next_projection(&walk) * SKETCH_CELLS));
}

typedef struct StableQuery
{
	HxLshQuery	base;
	uint32_t	count;
	float		unit;			/* width of a fraction of a sketch's cell */
	uint16_t	places[HX_LSH_MAX_SKETCH];	/* in fractions, modulo 256 cells */
} StableQuery;

/* Root of the mean square of differences, less what the cells' width adds to it. */
static float
estimate(const HxLshQuery *base, const uint8_t *sketch)
{
	const StableQuery *query = (const StableQuery *) base;
	const float noise = FRACTIONS * FRACTIONS / 12.0f;
	float		sum = 0;

	for (uint32_t i = 0; i < query->count; i++)
	{
		/* From the middle of the cell. */
		uint16_t	place = (uint16_t) (sketch[i] * FRACTIONS + FRACTIONS / 2);
		float		difference = (int16_t) (uint16_t) (place - query->places[i]);

		sum += difference * difference;
	}
	return query->unit * sqrtf(fmaxf(sum / (float) query->count - noise, 0));
}

/*
 * Squared differences of normal numbers follow a chi-squared distribution, of which
 * Laurent and Massart bound the tail: sum <= n + 2 sqrt(n t) + 2 t but for e^-t.
 */
static float
limit(const HxLshQuery *base, double distance)
{
	const StableQuery *query = (const StableQuery *) base;
	const double n = query->count;
	const double cell = (double) query->unit * FRACTIONS;
	const double factor = 1 + 2 * sqrt(LOG_MISSED / n) + 2 * LOG_MISSED / n;

	/* The middle of a cell is at most half of it away. */
	return (float) (distance * sqrt(factor) + cell / 2);
}

static HxLshQuery *
make_query(const HxLsh *lsh, HxLshPoint point, const HxMemory *memory)
{
	StableQuery *query = hx_allocate(memory, 1, sizeof(StableQuery));
	Walk		walk = begin_walk(lsh, point, HX_LSH_SKETCH_BLOCK,
								  hx_allocate(memory, 1, scratch_size(lsh)));

	query->base = (HxLshQuery) {estimate, limit};
	query->count = lsh->shape.sketch_bytes;
	query->unit = lsh->shape.width / (SKETCH_CELLS * FRACTIONS);
	for (uint32_t i = 0; i < query->count; i++)
		query->places[i] = (uint16_t)
			cell_number(floor(next_projection(&walk) * SKETCH_CELLS * FRACTIONS));
	return &query->base;
}

const HxLshFamilyMethods hx_lsh_stable = {
	scratch_size, locate, options, collision, sketch, make_query,
};
