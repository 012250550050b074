/*
 * bincode_analyze.c
 *	  typanalyze of bincode: the usual statistics, and the distribution of distances.
 *
 * Ranges worth asking for keep few rows: a share of one in a million is many. Such a
 * share of pairs can be told from a sample of thousands, for it has as many pairs as
 * the square of that. So all pairs of the sample are compared, as many at a time as a
 * kernel takes, as far as the lowest fiftieth of distances is concerned; for the rest
 * some pairs will do.
 *
 * Most pairs that are near are often those of a few codes in dense places, which say
 * little of a query elsewhere; so the shares are kept once for all codes, for joins, and
 * once as the median over codes, for single queries.
 */
#include "type/bincode.h"
#include "type/distance_curve.h"

#include <math.h>

#include "commands/vacuum.h"
#include "kernel/kernel.h"
#include "math/random.h"
#include "utils/memutils.h"

/* Codes that are kept: this many for each 100 of the statistics target, and bytes in all. */
#define KEPT_CODES 2000
#define KEPT_BYTES 65536

/* Eight-byte words that are compared at most, which takes about a second at worst. */
#define MOST_WORDS 400000000.0

/* Pairs that tell the distribution as a whole, and the share below which all pairs count. */
#define BULK_PAIRS 200000
#define TAIL_SHARE 0.02

/* Codes for which one kernel call is made. */
#define BLOCK_CODES 4096

/* Longer codes have no such statistics. */
#define MOST_BYTES 4096

/* The median is the mean of the codes in the middle, which are this share of all. */
#define MIDDLE_SHARE 0.2

/* Codes of one length, one after the other, and how many pairs lie at each distance. */
typedef struct DistanceSample
{
	int32		bits;
	int			code_bytes;
	uint8	   *codes;
	int			count;
	double	   *share;			/* by distance, 0 .. bits: of all pairs within it */
	double	   *typical;		/* of all codes, within it of a typical one */
} DistanceSample;

/* Takes the codes of the rows; those of another length than the first are left out. */
static void
take_codes(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int rows, DistanceSample *sample)
{
	for (int i = 0; i < rows; i++)
	{
		bool		isnull;
		Datum		value = fetch(stats, i, &isnull);

		vacuum_delay_point(true);
		if (isnull)
			continue;

		BincodeView code = hx_bincode_view(value);

		if (sample->codes == NULL)
		{
			sample->bits = code.bits;
			sample->code_bytes = HX_BITS_TO_BYTES(code.bits);
			sample->codes = palloc_extended(mul_size(rows, sample->code_bytes), MCXT_ALLOC_HUGE);
		}
		if (code.bits == sample->bits)
			memcpy(sample->codes + (Size) sample->count++ * sample->code_bytes, code.bytes,
				   sample->code_bytes);
	}
}

static uint8 *
code_of(const DistanceSample *sample, int i)
{
	return sample->codes + (Size) i * sample->code_bytes;
}

/* Shuffles the codes, which come in the table's order: any part of them is then a sample. */
static void
shuffle(DistanceSample *sample)
{
	uint8	   *spare = palloc(sample->code_bytes);

	for (int i = sample->count - 1; i > 0; i--)
	{
		int			j = hx_random(0, 1, i) % (i + 1);

		memcpy(spare, code_of(sample, i), sample->code_bytes);
		memmove(code_of(sample, i), code_of(sample, j), sample->code_bytes);
		memcpy(code_of(sample, j), spare, sample->code_bytes);
	}
	pfree(spare);
}

/* The whole distribution, from some pairs. */
static void
measure_bulk(DistanceSample *sample)
{
	for (int n = 0; n < BULK_PAIRS; n++)
	{
		uint64		random = hx_random(0, 0, n);
		int			i = (uint32) random % sample->count;
		int			j = (random >> 32) % (sample->count - 1);

		j += (j >= i);
		sample->share[hx_kernels->hamming(code_of(sample, i), code_of(sample, j),
										  sample->code_bytes)] += 1.0 / BULK_PAIRS;
	}
	for (int d = 1; d <= sample->bits; d++)
		sample->share[d] += sample->share[d - 1];
	memcpy(sample->typical, sample->share, (sample->bits + 1) * sizeof(double));
}

/* The largest distance within which less than TAIL_SHARE of the pairs lie; -1: there is none. */
static int
tail_end(const DistanceSample *sample)
{
	int			distance = 0;

	while (distance <= sample->bits && sample->share[distance] < TAIL_SHARE)
		distance++;
	return distance - 1;
}

/*
 * Counts, for each code, those from `begin` to `end` at each distance up to the limit:
 * counts[distance * compared + code].
 */
static void
count_block(const DistanceSample *sample, int compared, int begin, int end, int limit,
			uint32 *counts)
{
	int			size = end - begin;
	uint8	   *planes = palloc0((Size) size * sample->code_bytes);
	HxPlanes	block = {
		.base = planes,
		.stride = size,
		.count = size,
		.code_bytes = sample->code_bytes,
	};
	uint16	   *position = palloc((size + 16) * sizeof(uint16));
	uint16	   *distance = palloc((size + 16) * sizeof(uint16));

	for (int i = begin; i < end; i++)
		hx_planes_put(planes, size, sample->code_bytes, i - begin, code_of(sample, i));
	for (int i = 0; i < compared; i++)
	{
		unsigned	found = hx_kernels->hamming_select(&block, code_of(sample, i), limit,
													   position, distance);

		vacuum_delay_point(true);
		for (unsigned n = 0; n < found; n++)
			if (begin + position[n] != i)
				counts[(Size) distance[n] * compared + i]++;
	}
	pfree(planes);
	pfree(position);
	pfree(distance);
}

static int
compare_counts(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

/* The shares within a distance, from how many codes each code has within it; sorts these. */
static void
share_out(DistanceSample *sample, int distance, uint32 *within, int compared)
{
	int			begin = compared * (1 - MIDDLE_SHARE) / 2;
	int			end = compared - begin;
	double		sum = 0;
	double		middle = 0;

	qsort(within, compared, sizeof(uint32), compare_counts);
	for (int i = 0; i < compared; i++)
	{
		sum += within[i];
		if (i >= begin && i < end)
			middle += within[i];
	}
	sample->share[distance] = sum / ((double) compared * (compared - 1));
	sample->typical[distance] = middle / ((double) (end - begin) * (compared - 1));
}

/* The lower end of the distribution, from all pairs. */
static void
measure_tail(DistanceSample *sample)
{
	int			limit = tail_end(sample);
	double		words = ceil(sample->code_bytes / 8.0);
	int			compared = Min(sample->count, sqrt(MOST_WORDS / words));
	uint32	   *counts;
	uint32	   *within;

	if (limit < 0)
		return;
	counts = palloc_extended(mul_size((limit + 1) * sizeof(uint32), compared),
							 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	within = palloc(compared * sizeof(uint32));
	for (int begin = 0; begin < compared; begin += BLOCK_CODES)
		count_block(sample, compared, begin, Min(begin + BLOCK_CODES, compared), limit, counts);
	for (int d = 0; d <= limit; d++)
	{
		uint32	   *row = counts + (Size) d * compared;

		for (int i = 0; d > 0 && i < compared; i++)
			row[i] += row[i - compared];
		memcpy(within, row, compared * sizeof(uint32));
		share_out(sample, d, within, compared);
	}
	pfree(within);
	pfree(counts);
}

static HxCurveBuilder
form_curve(const DistanceSample *sample)
{
	HxCurveBuilder curve = hx_curve_start();

	for (int d = 0; d < sample->bits; d++)
		hx_curve_add(&curve, d, sample->share[d], sample->typical[d]);
	hx_curve_finish(&curve, sample->bits);
	return curve;
}

/* The values of the slot. */
static Datum *
form_values(const DistanceSample *sample, int target, int *count)
{
	int			most = Min((double) KEPT_CODES * target / 100, KEPT_BYTES / sample->code_bytes + 1);
	Datum	   *values;

	*count = Min(sample->count, Max(most, 1));
	values = palloc(*count * sizeof(Datum));
	for (int i = 0; i < *count; i++)
		values[i] = PointerGetDatum(hx_bincode_from_bytes(code_of(sample, i), sample->bits));
	return values;
}

static void
analyze(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int rows)
{
	DistanceSample sample = {0};
	int			target = Max(stats->minrows / 300, 1);	/* as std_typanalyze sets minrows */

	take_codes(stats, fetch, rows, &sample);
	if (sample.count < 2 || sample.code_bytes > MOST_BYTES)
		return;
	sample.share = palloc0((sample.bits + 1) * sizeof(double));
	sample.typical = palloc((sample.bits + 1) * sizeof(double));
	shuffle(&sample);
	measure_bulk(&sample);
	measure_tail(&sample);

	MemoryContext old = MemoryContextSwitchTo(stats->anl_context);
	HxCurveBuilder curve = form_curve(&sample);
	int			count;
	Datum	   *values = form_values(&sample, target, &count);

	hx_curve_keep(stats, HX_STATISTIC_KIND_DISTANCES, &curve, values, count);
	MemoryContextSwitchTo(old);
}

HX_FUNCTION(hashidx_bincode_typanalyze);

Datum
hashidx_bincode_typanalyze(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(hx_curve_typanalyze((VacAttrStats *) PG_GETARG_POINTER(0), analyze));
}
