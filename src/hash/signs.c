/*
 * signs.c
 *	  The code of a model that ends with a matrix, or with sums of a few numbers, and signs:
 *	  which of two ways finds it.
 */
#include "hash/signs.h"

#include "hash/places.h"
#include "hash/whole.h"

/* One of the two; what it points to follows. */
struct HxSigns
{
	HxWhole    *whole;			/* of a matrix, or NULL */
	HxPlaces   *places;			/* of sums of a few numbers, or NULL */
};

size_t
hx_signs_size(const HxModel *model)
{
	const size_t whole = hx_whole_size(model);
	const size_t size = whole != 0 ? whole : hx_places_size(model);

	return size != 0 ? sizeof(HxSigns) + size : 0;
}

HxSigns *
hx_signs_make(const HxModel *model, HxModelPause pause, void *memory)
{
	HxSigns    *signs = memory;

	*signs = (HxSigns) {0};
	if (hx_whole_size(model) != 0)
		signs->whole = hx_whole_make(model, pause, signs + 1);
	else
		signs->places = hx_places_make(model, pause, signs + 1);
	return signs->whole != NULL || signs->places != NULL ? signs : NULL;
}

bool
hx_signs_find(HxSigns *signs, const float *x, uint8_t *code)
{
	if (signs->whole != NULL)
		return hx_whole_find(signs->whole, x, code);
	return hx_places_find(signs->places, x, code);
}
