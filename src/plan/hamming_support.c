/*
 * hamming_support.c
 *	  What the planner learns about hamming_within and code <@ hamming_ball.
 */
#include "plan/within.h"

#include <math.h>

#include "kernel/kernel.h"
#include "type/ball.h"
#include "type/distance_curve.h"

static int
measure_codes(const AttStatsSlot *slot, Datum query, double *out)
{
	BincodeView centre = hx_bincode_view(query);
	int			measured = 0;

	for (int i = 0; i < slot->nvalues; i++)
	{
		/* Elements of an array are never out of line. */
		BincodeView code = hx_bincode_view_packed((const struct varlena *)
												  DatumGetPointer(slot->values[i]));

		if (code.bits == centre.bits)
			out[measured++] = hx_kernels->hamming(centre.bytes, code.bytes,
												  HX_BITS_TO_BYTES(code.bits));
	}
	return measured;
}

/*
 * The share of a normal distribution: that of bits which are independent but for a doubled
 * spread, since those of real codes are correlated.
 */
static double
guess_share(int32 bits, double radius)
{
	return bits <= 0 ? HX_DEFAULT_SHARE :
		0.5 * erfc((bits / 2.0 - 0.5 - radius) / sqrt(2.0 * bits));
}

static Datum
view_ball(Datum ball, double *radius)
{
	int32		bits;
	BincodeView centre = hx_ball_view(ball, &bits);

	*radius = bits;
	return PointerGetDatum(hx_bincode_from_bytes(centre.bytes, centre.bits));
}

static double
integer_radius(Datum radius)
{
	return DatumGetInt32(radius);
}

static const HxMeasure measure = {
	.values_kind = HX_STATISTIC_KIND_DISTANCES,
	.curve_kind = HX_STATISTIC_KIND_DISTANCES,
	.measure = measure_codes,
	.values_are_queries = true,
	.guess = guess_share,
};

static const HxWithin within = {
	.constructor = "hamming_ball",
	.view = view_ball,
	.radius = integer_radius,
	.measure = &measure,
	.length = hx_code_length,
};

HX_FUNCTION(hashidx_hamming_within_support);
HX_FUNCTION(hashidx_hamming_ball_sel);
HX_FUNCTION(hashidx_hamming_ball_joinsel);

Datum
hashidx_hamming_within_support(PG_FUNCTION_ARGS)
{
	return hx_within_support(fcinfo, &within);
}

Datum
hashidx_hamming_ball_sel(PG_FUNCTION_ARGS)
{
	return hx_within_ball_restriction(fcinfo, &within);
}

Datum
hashidx_hamming_ball_joinsel(PG_FUNCTION_ARGS)
{
	return hx_within_ball_join(fcinfo, &within);
}
