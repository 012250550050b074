/*
 * places.c
 *	  The signs of sums of a few numbers, with the places of these looked up ahead.
 *
 * Each output of a sparse step adds up a few inputs, some of them with a minus. The model stores
 * a place as a float with a sign. Here it is an index into a table of the inputs and of the
 * inputs times -1, so that a number takes only a load and an addition. Several sums are computed
 * side by side, each in its own order: they are the same to the last bit.
 */
#include "hash/places.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/finite.h"

HX_VECTORISE_LOOPS

/* Indexes in a word, and sums side by side: no addition waits for the one before. */
#define WORD 4
#define GROUP 8

/* An index has 16 bits, and the table holds every input twice. */
#define MOST_INPUTS 0x8000

struct HxPlaces
{
	size_t		n;				/* inputs */
	size_t		m;				/* bits */
	size_t		each;			/* inputs that a bit adds up */
	const float *thresholds;
	uint64_t   *index;			/* for each group of bits, number after number: their indexes */
	float	   *table;			/* the inputs, then the inputs times -1 */
	float	   *sums;			/* of whole groups; those beyond m mean nothing */
};

/* Words of all indexes. */
static size_t
word_count(const HxStep *sparse)
{
	return ((size_t) sparse->outputs + GROUP - 1) / GROUP * (GROUP / WORD) * sparse->detail;
}

size_t
hx_places_size(const HxModel *model)
{
	const HxStep *sparse = hx_model_signed_step(model, HX_STEP_SPARSE);
	size_t		n;

	if (sparse == NULL)
		return 0;
	n = hx_model_width(model, sparse->input);
	if (n > MOST_INPUTS)
		return 0;
	return sizeof(HxPlaces) + word_count(sparse) * sizeof(uint64_t) +
		(2 * n + sparse->outputs + GROUP) * sizeof(float);
}

HxPlaces *
hx_places_make(const HxModel *model, HxModelPause pause, void *memory)
{
	const HxStep *sparse = hx_model_signed_step(model, HX_STEP_SPARSE);
	const float *param = sparse->params;
	HxPlaces   *places = memory;

	places->n = hx_model_width(model, sparse->input);
	places->m = sparse->outputs;
	places->each = sparse->detail;
	places->thresholds = sparse[1].params;
	places->index = (uint64_t *) (places + 1);
	places->table = (float *) (places->index + word_count(sparse));
	places->sums = places->table + 2 * places->n;
	for (size_t j = 0; j < places->m; j++)
	{
		uint64_t   *group = places->index + j / GROUP * (GROUP / WORD) * places->each;
		uint64_t   *index = group + j % GROUP / WORD;

		hx_model_pause(pause);
		if (j % GROUP == 0)
			memset(group, 0, GROUP / WORD * places->each * sizeof(uint64_t));
		for (size_t i = 0; i < places->each; i++, param++)
		{
			const uint64_t place = (uint64_t) fabsf(*param) - 1 + (*param < 0 ? places->n : 0);

			index[i * (GROUP / WORD)] |= place << 16 * (j % WORD);
		}
	}
	return places;
}

/* The numbers that four indexes say, each to its sum. */
HX_INLINE void
add_word(const float *table, uint64_t word, float *sum)
{
	sum[0] += table[word & 0xffff];
	sum[1] += table[word >> 16 & 0xffff];
	sum[2] += table[word >> 32 & 0xffff];
	sum[3] += table[word >> 48];
}

static void
add_places(HxPlaces *places)
{
	const uint64_t *index = places->index;
	const float *table = places->table;

	for (size_t j = 0; j < places->m; j += GROUP)
	{
		float		sum[GROUP] = {0};

		for (size_t i = 0; i < places->each; i++, index += GROUP / WORD)
		{
			add_word(table, index[0], sum);
			add_word(table, index[1], sum + WORD);
		}
		memcpy(places->sums + j, sum, sizeof(sum));
	}
}

bool
hx_places_find(HxPlaces *places, const float *x, uint8_t *code)
{
	memcpy(places->table, x, places->n * sizeof(float));
	for (size_t i = 0; i < places->n; i++)
		places->table[places->n + i] = -x[i];
	add_places(places);
	if (!hx_all_finite(places->sums, places->m))
		return false;
	hx_kernels->above(places->sums, places->thresholds, places->m, code);
	return true;
}
