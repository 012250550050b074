/*
 * similarity.c
 *	  Measures of how alike two sets are, from the numbers of their elements.
 */
#include "hashidx.h"

#include <math.h>

#include "type/similarity.h"

double
hx_jaccard_distance(SetCounts counts)
{
	uint64		all = counts.a + counts.b - counts.common;

	/* One division, so that the result is the double nearest to the fraction. */
	return all == 0 ? 0.0 : (double) (all - counts.common) / (double) all;
}

bool
hx_jaccard_within(SetCounts counts, double radius)
{
	if (isnan(radius))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("radius must not be NaN")));
	return hx_jaccard_distance(counts) <= radius;
}

/* Refuses what is not a weight. */
static void
check_weight(const char *name, double weight)
{
	if (!(weight >= 0.0) || isinf(weight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight %s of tversky_similarity must be finite and not negative, not %g",
						name, weight)));
}

double
hx_tversky_similarity(SetCounts counts, double alpha, double beta)
{
	check_weight("alpha", alpha);
	check_weight("beta", beta);

	if (counts.a == 0 && counts.b == 0)
		return 1.0;
	if (counts.common == 0)
		return 0.0;

	double		common = (double) counts.common;

	return common / (common
					 + alpha * (double) (counts.a - counts.common)
					 + beta * (double) (counts.b - counts.common));
}
