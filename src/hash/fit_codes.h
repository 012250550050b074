/*
 * fit_codes.h
 *	  Codes for new rows that stand to the codes of old rows, and to each other, as
 *	  the rows do.
 */
#ifndef HX_FIT_CODES_H
#define HX_FIT_CODES_H

#include <stdint.h>

#include "math/compute.h"

typedef struct HxCodeFit
{
	const float *rows;			/* the old ones, then the new ones; dims numbers each */
	uint8_t    *codes;			/* of all, packed as in model.h; those of new rows change */
	size_t		old_count;
	size_t		new_count;
	uint32_t	dims;
	uint32_t	bits;
} HxCodeFit;

/*
 * Changes the codes of the new rows, bit by bit, in at most `sweeps` sweeps over all of
 * them, each change for the better. Returns the mean square, over all pairs with a new
 * row, of how far the agreement of two codes (1: equal, -1: opposite) is from what the
 * rows' cosine lets expect: the line through the old pairs, by least squares.
 */
extern double hx_fit_codes(HxCompute *compute, const HxCodeFit *fit, int sweeps);

#endif							/* HX_FIT_CODES_H */
