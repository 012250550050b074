/*
 * test_lsh_census.c
 *	  How many sets lie near a set, told from buckets and sketches of made-up sets, against
 *	  their true number.
 */
#include "lsh_frame.h"

#include <math.h>

#include "hash/lsh_census.h"
#include "math/random.h"

#define ELEMENTS 60
#define MOST_SETS 4000
#define MOST_TABLES 32
#define BLOCKS_SIZE (8 << 20)

static const HxLshShape one_hash = {
	.seed = 1,.family = HX_LSH_MINHASH,.tables = 12,.hashes = 1,.sketch_bytes = 16,
};
static const HxLshShape three_hashes = {
	.seed = 2,.family = HX_LSH_MINHASH,.tables = 20,.hashes = 3,.sketch_bytes = 16,
};

/* The world around a set: others that share some elements with it. */
typedef struct World
{
	HxLsh	   *lsh;
	HxLshQuery *query;
	void	   *scratch;
	uint64_t	keys[MOST_TABLES];
	HxLshMet	met[MOST_SETS];
	size_t		count;
	uint64_t	made;
} World;

/* A set of as many elements as all others, of which so many are the first ones. */
static HxLshPoint
make_set(World *world, unsigned common)
{
	uint64_t   *elements = allocate(NULL, ELEMENTS * sizeof(uint64_t));

	for (unsigned i = 0; i < ELEMENTS; i++)
		elements[i] = i < common ? hx_random(7, 0, i) : hx_random(7, 1 + world->made, i);
	world->made++;
	return (HxLshPoint) {.elements = elements,.count = ELEMENTS};
}

static void
begin(World *world, const HxLshShape *shape)
{
	*world = (World) {.lsh = make(shape)};

	HxLshPoint	centre = make_set(world, ELEMENTS);

	world->scratch = allocate(NULL, hx_lsh_scratch(world->lsh));
	world->query = hx_lsh_query(world->lsh, centre, &memory);
	hx_lsh_keys(world->lsh, centre, world->scratch, world->keys);
}

/* Adds sets with so many elements in common; those are met whose keys are the same in a table. */
static void
add_sets(World *world, unsigned sets, unsigned common)
{
	const HxLshShape *shape = hx_lsh_shape(world->lsh);

	for (unsigned i = 0; i < sets; i++)
	{
		const size_t before = used;
		HxLshPoint	set = make_set(world, common);
		uint64_t	keys[MOST_TABLES];
		uint8_t		sketch[HX_LSH_MAX_SKETCH];
		uint32_t	tables = 0;

		hx_lsh_keys(world->lsh, set, world->scratch, keys);
		hx_lsh_sketch(world->lsh, set, world->scratch, sketch);
		for (uint32_t t = 0; t < shape->tables; t++)
			tables += keys[t] == world->keys[t];
		if (tables > 0)
			world->met[world->count++] =
				(HxLshMet) {tables, hx_lsh_sketch_distance(world->query, sketch)};
		used = before;
	}
}

static double
census(const World *world, double *radius)
{
	const HxLshShape *shape = hx_lsh_shape(world->lsh);

	return hx_lsh_census(shape, shape->tables, ELEMENTS, world->met, world->count, &memory, radius);
}

static void
check_count(const World *world, double radius, double truth, double factor)
{
	double		told = radius;
	double		sets = census(world, &told);

	CHECK(told == radius, "only up to %g", told);
	CHECK(sets >= truth / factor && sets <= truth * factor, "%g sets within %g, not %g", sets, radius,
		  truth);
}

static void
a_set_alone(void)
{
	World		world;

	begin(&world, &one_hash);
	add_sets(&world, 1, ELEMENTS);
	check_count(&world, 0, 1, 1.01);
	check_count(&world, 0.5, 1, 1.01);
	check_count(&world, 0.9, 1, 1.01);
}

static void
nothing_met(void)
{
	World		world;
	double		radius = 0.5;

	begin(&world, &one_hash);
	CHECK(census(&world, &radius) == 0, "found %g", census(&world, &radius));
}

/* Of 60 elements 45, 24 and 4 in common are similarities of 0.6, 0.25 and 0.034. */
static void
families(void)
{
	World		world;

	begin(&world, &one_hash);
	add_sets(&world, 1, ELEMENTS);
	add_sets(&world, 9, 45);
	add_sets(&world, 90, 24);
	add_sets(&world, 2000, 4);
	check_count(&world, 0.1, 1, 1.5);
	check_count(&world, 0.55, 10, 1.5);
	check_count(&world, 0.85, 100, 1.5);
}

/*
 * What is met rarely counts for more, and far sets cannot be told. As many bins as elements make
 * the chances less exact than they are told to be.
 */
static void
rarely_met(void)
{
	World		world;

	begin(&world, &three_hashes);
	add_sets(&world, 1000, 30);
	CHECK(world.count < 950, "%zu were met", world.count);

	double		radius = 0.9;

	census(&world, &radius);
	CHECK(radius < 0.85, "tells up to %g", radius);
	check_count(&world, 0.72, 1000, 2);
}

int
main(void)
{
	make_blocks(BLOCKS_SIZE);
	RUN(a_set_alone);
	RUN(nothing_met);
	RUN(families);
	RUN(rarely_met);
	return unit_summary();
}
