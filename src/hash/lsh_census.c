/*
 * lsh_census.c
 *	  How many sets lie near a set; see lsh_census.h.
 */
#include "hash/lsh_census.h"

#include <math.h>
#include <stdlib.h>

/* Distances that sets are taken to be at; the last ones only explain what is met by chance. */
#define STEPS 32
#define LAST_SIMILARITY 0.004

#define ITERATIONS 25

/* Sets that are met more rarely would count for too many. */
#define LEAST_CHANCE 0.2

/* Chances are at least this far from 0 and 1, for they have logarithms. */
#define MARGIN 1e-6

/* Sets that were met alike. */
typedef struct Cell
{
	uint32_t	tables;
	uint32_t	differing;		/* bits of the sketch */
	double		sets;
	double	   *chance;			/* of a set at each step; up to a factor of the cell's own */
} Cell;

typedef struct Census
{
	double		hashes;
	double		tables;
	double		bits;			/* of a sketch */
	double		told_by_tables; /* values that are independent, of one: a small set has few */
	double		told_by_bits;
	double		met[STEPS];		/* chance that a set at a step is met at all */
	double		sets[STEPS];	/* that are there */
	Cell	   *cells;
	size_t		count;
} Census;

/* Similarities lie closer together the smaller they are. */
static double
similarity_of(double step)
{
	const double left = fmax(1 - step / (STEPS - 1), 0);

	return LAST_SIMILARITY + (1 - LAST_SIMILARITY) * left * left;
}

static double
within_margin(double chance)
{
	return fmin(fmax(chance, MARGIN), 1 - MARGIN);
}

/* The share of `bins` that so many elements fill; the empty set has keys as if it had one. */
static double
filled_share(double bins, size_t elements)
{
	return 1 - exp(-fmax((double) elements, 1) / bins);
}

static int
compare_met(const void *a, const void *b)
{
	const HxLshMet *x = a;
	const HxLshMet *y = b;

	if (x->tables != y->tables)
		return x->tables < y->tables ? -1 : 1;
	return (x->distance > y->distance) - (x->distance < y->distance);
}

/* Gathers what was met into cells. */
static void
form_cells(Census *census, const HxLshMet *met, size_t count, const HxMemory *memory)
{
	HxLshMet   *sorted = hx_allocate(memory, count + 1, sizeof(HxLshMet));

	for (size_t i = 0; i < count; i++)
		sorted[i] = met[i];
	qsort(sorted, count, sizeof(HxLshMet), compare_met);
	census->cells = hx_allocate(memory, count + 1, sizeof(Cell));
	for (size_t i = 0; i < count; i++)
	{
		const uint32_t differing = (uint32_t) lround(sorted[i].distance / 2 * census->bits);
		Cell	   *last = census->cells + census->count - 1;

		if (census->count > 0 && last->tables == sorted[i].tables && last->differing == differing)
			last->sets++;
		else
			census->cells[census->count++] = (Cell) {sorted[i].tables, differing, 1, NULL};
	}
}

/* The chances of all cells at all steps. */
static void
find_chances(Census *census, const HxMemory *memory)
{
	double	   *chance = hx_allocate(memory, census->count * STEPS + 1, sizeof(double));

	for (size_t i = 0; i < census->count; i++)
		census->cells[i].chance = chance + i * STEPS;
	for (int step = 0; step < STEPS; step++)
	{
		const double similarity = similarity_of(step);
		const double shared = within_margin(pow(similarity, census->hashes));
		const double alike = within_margin((1 + similarity) / 2);

		census->met[step] = 1 - pow(1 - shared, census->tables * census->told_by_tables);
		census->sets[step] = 1;
		for (size_t i = 0; i < census->count; i++)
		{
			Cell	   *cell = census->cells + i;

			cell->chance[step] =
				census->told_by_tables * (cell->tables * log(shared) +
										  (census->tables - cell->tables) * log1p(-shared)) +
				census->told_by_bits * (cell->differing * log1p(-alike) +
										(census->bits - cell->differing) * log(alike));
		}
	}

	/* The likeliest step of a cell has 1, lest all vanish. */
	for (size_t i = 0; i < census->count; i++)
	{
		Cell	   *cell = census->cells + i;
		double		most = -INFINITY;

		for (int step = 0; step < STEPS; step++)
			most = fmax(most, cell->chance[step]);
		for (int step = 0; step < STEPS; step++)
			cell->chance[step] = exp(cell->chance[step] - most);
	}
}

/* Moves the numbers of sets to where they make likelier what was met. */
static void
improve(Census *census)
{
	double		factor[STEPS] = {0};

	for (size_t i = 0; i < census->count; i++)
	{
		const Cell *cell = census->cells + i;
		double		expected = 0;

		for (int step = 0; step < STEPS; step++)
			expected += census->sets[step] * cell->chance[step];
		for (int step = 0; step < STEPS; step++)
			factor[step] += cell->sets * cell->chance[step] / expected;
	}
	for (int step = 0; step < STEPS; step++)
		census->sets[step] *= factor[step] / census->met[step];
}

/* The sets up to a distance: those of a step are spread evenly between the steps beside it. */
static double
sets_within(const Census *census, double radius)
{
	double		sets = census->sets[0];

	for (int step = 1; step < STEPS; step++)
	{
		const double near = 1 - similarity_of(step - 0.5);
		const double far = 1 - similarity_of(step + 0.5);

		sets += census->sets[step] * fmin(fmax((radius - near) / (far - near), 0), 1);
	}
	return sets;
}

double
hx_lsh_census(const HxLshShape *shape, uint32_t tables, size_t set_size, const HxLshMet *met,
			  size_t count, const HxMemory *memory, double *radius)
{
	Census		census = {
		.hashes = shape->hashes,
		.tables = tables,
		.bits = 8.0 * shape->sketch_bytes,
		.told_by_tables = filled_share((double) shape->tables * shape->hashes, set_size),
		.told_by_bits = filled_share(8.0 * shape->sketch_bytes, set_size),
	};

	form_cells(&census, met, count, memory);
	find_chances(&census, memory);
	for (int i = 0; i < ITERATIONS; i++)
		improve(&census);

	int			last = STEPS - 1;

	while (last > 0 && census.met[last] < LEAST_CHANCE)
		last--;
	*radius = fmin(*radius, 1 - similarity_of(last));
	return sets_within(&census, *radius);
}
