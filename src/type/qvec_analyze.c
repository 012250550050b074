/*
 * qvec_analyze.c
 *	  typanalyze of qvec: the usual statistics, and the distributions of Euclidean and
 *	  cosine distances, with sketches of some vectors.
 *
 * A vector is often wider than what the usual statistics keep, and too wide to be kept by the
 * hundred. So of each row of the sample only its distances to some others remain, and of
 * some rows a sketch.
 */
#include "type/qvec_sketch.h"
#include "type/distance_curve.h"

#include <math.h>

#include "kernel/kernel.h"
#include "math/random.h"
#include "utils/float.h"
#include "utils/memutils.h"

/* Sketches that are kept: this many for each 100 of the statistics target, and bytes in all. */
#define KEPT_SKETCHES 1000
#define KEPT_BYTES 270336

/* Axes of a sketch, and bytes of all axes. */
#define MOST_AXES 64
#define AXES_BYTES 131072

/* Numbers of the vectors that sketches are made of, while they are in memory. */
#define MOST_NUMBERS 8000000

/*
 * Rows whose distances to all others are taken, half of all at most; these others; numbers that
 * are multiplied.
 */
#define MOST_CENTRES 64
#define MOST_OTHERS 30000
#define MOST_PRODUCTS 2e9

/* Ranks that make a point of the curve: each is so many times the one before. */
#define RANK_STEP 1.25

enum {METRIC_L2, METRIC_COSINE, METRICS};

typedef struct VectorSample
{
	VacAttrStats *stats;
	AnalyzeAttrFetchFunc fetch;
	int		   *known;			/* the rows of ANALYZE that are not NULL */
	int			known_count;
	int			dims;			/* vectors of other dimensions are left out */

	/* Vectors to sketch, and the rows that they stand in. */
	float	   *vectors;
	int		   *row_of;
	int			count;

	/* Distances from some of them, evenly drawn: the centres, to the vectors of other rows. */
	int			centres;
	int			others;
	float	   *distances[METRICS];	/* centres x others; sorted at last */
} VectorSample;

#define ST_SORT sort_distances
#define ST_ELEMENT_TYPE float
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
find_known(VectorSample *sample, int rows)
{
	sample->known = palloc(Max(rows, 1) * sizeof(int));
	for (int row = 0; row < rows; row++)
	{
		bool		isnull;

		sample->fetch(sample->stats, row, &isnull);
		if (!isnull)
			sample->known[sample->known_count++] = row;
	}
}

/*
 * Row number i of so many that are evenly drawn: any one of its part of the known ones, lest rows
 * that come by turns all be of one kind.
 */
static int
drawn_row(const VectorSample *sample, int i, int count)
{
	int			begin = (int64) i * sample->known_count / count;
	int			end = (int64) (i + 1) * sample->known_count / count;

	return sample->known[begin + hx_random(0, count, i) % (end - begin)];
}

/* The vector of a known row; false: it is of other dimensions than those before. */
static bool
fetch_vector(VectorSample *sample, int row, QvecFloats *vector)
{
	bool		isnull;
	Datum		value = sample->fetch(sample->stats, row, &isnull);

	vacuum_delay_point(true);
	*vector = hx_qvec_floats(value);
	if (sample->dims == 0)
		sample->dims = vector->dims;
	if (vector->dims == sample->dims)
		return true;
	hx_qvec_release(vector);
	return false;
}

/* Finds the dimensions, and takes vectors to sketch, evenly drawn. */
static void
take_vectors(VectorSample *sample)
{
	int			target = Max(sample->stats->minrows / 300, 1);	/* as std_typanalyze sets minrows */
	double		most;
	QvecFloats	vector;

	if (sample->known_count == 0)
		return;
	fetch_vector(sample, sample->known[0], &vector);
	hx_qvec_release(&vector);
	most = Min((double) KEPT_SKETCHES * target / 100, (double) MOST_NUMBERS / sample->dims);
	most = Max(Min(most, sample->known_count), 1);
	sample->vectors = palloc_extended((Size) most * sample->dims * sizeof(float), MCXT_ALLOC_HUGE);
	sample->row_of = palloc((int) most * sizeof(int));
	for (int i = 0; i < (int) most; i++)
	{
		int			row = drawn_row(sample, i, most);

		if (!fetch_vector(sample, row, &vector))
			continue;
		memcpy(sample->vectors + (Size) sample->count * sample->dims, vector.values,
			   sample->dims * sizeof(float));
		sample->row_of[sample->count++] = row;
		hx_qvec_release(&vector);
	}
}

/* The vector that is the centre of that number. */
static int
centre_of(const VectorSample *sample, int centre)
{
	return (int64) centre * sample->count / sample->centres;
}

/* The distances of one vector to all centres, as the others' next; cosine: NaN becomes far away. */
static void
add_other(VectorSample *sample, const float *other)
{
	for (int c = 0; c < sample->centres; c++)
	{
		const float *centre = sample->vectors + (Size) centre_of(sample, c) * sample->dims;
		HxDotNorms	sums = hx_kernels->dot_norms(centre, other, sample->dims);
		Size		place = (Size) c * MOST_OTHERS + sample->others;
		double		norms = sqrt(sums.norm_a * sums.norm_b);

		sample->distances[METRIC_L2][place] =
			sqrt(Max(sums.norm_a + sums.norm_b - 2 * sums.dot, 0));
		sample->distances[METRIC_COSINE][place] =
			norms > 0 ? Max(1 - sums.dot / norms, 0) : (double) get_float4_infinity();
	}
	sample->others++;
}

/* Is the row one of the centres? Its distance to itself would count. */
static bool
is_centre(const VectorSample *sample, int row, int *next)
{
	while (*next < sample->centres && sample->row_of[centre_of(sample, *next)] < row)
		(*next)++;
	return *next < sample->centres && sample->row_of[centre_of(sample, *next)] == row;
}

static void
take_distances(VectorSample *sample)
{
	int			others = Min(sample->known_count, MOST_OTHERS);
	double		products = (double) others * sample->dims;
	int			next = 0;
	QvecFloats	vector;

	sample->centres = Min(sample->count, Max(MOST_PRODUCTS / products, 1));
	sample->centres = Min(sample->centres, Min(MOST_CENTRES, (sample->count + 1) / 2));
	for (int m = 0; m < METRICS; m++)
		sample->distances[m] = palloc_extended((Size) sample->centres * MOST_OTHERS * sizeof(float),
											   MCXT_ALLOC_HUGE);
	for (int i = 0; i < others; i++)
	{
		int			row = drawn_row(sample, i, others);

		if (is_centre(sample, row, &next) || !fetch_vector(sample, row, &vector))
			continue;
		add_other(sample, vector.values);
		hx_qvec_release(&vector);
	}
	for (int m = 0; m < METRICS; m++)
		for (int c = 0; c < sample->centres; c++)
		{
			sort_distances(sample->distances[m] + (Size) c * MOST_OTHERS, sample->others);
			vacuum_delay_point(true);
		}
}

/* The distance of the other of that rank, from 0, of one centre. */
static float
ranked(const VectorSample *sample, int metric, int centre, int rank)
{
	return sample->distances[metric][(Size) centre * MOST_OTHERS + rank];
}

/* How many others lie within the distance of one centre. */
static int
count_within(const VectorSample *sample, int metric, int centre, float distance)
{
	int			low = 0;
	int			high = sample->others;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (ranked(sample, metric, centre, middle) <= distance)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The share of all pairs that lie within the distance. */
static double
share_within(const VectorSample *sample, int metric, float distance)
{
	int64		within = 0;

	for (int c = 0; c < sample->centres; c++)
		within += count_within(sample, metric, c, distance);
	return within / ((double) sample->centres * sample->others);
}

/* The rank after that one at which a point is taken. */
static int
next_rank(int rank)
{
	return ceil(rank * RANK_STEP);
}

/* Points nearer than what a typical row has nearest: the shares of pairs in dense places. */
static void
add_tail(const VectorSample *sample, int metric, float limit, HxCurveBuilder *curve)
{
	int			ranks = 0;
	int			count = 0;
	float	   *nearest;

	for (int rank = 1; rank <= sample->others; rank = next_rank(rank))
		ranks++;
	nearest = palloc(mul_size(sample->centres, ranks * sizeof(float)));
	for (int c = 0; c < sample->centres; c++)
		for (int rank = 1; rank <= sample->others; rank = next_rank(rank))
		{
			if (ranked(sample, metric, c, rank - 1) >= limit)
				break;
			nearest[count++] = ranked(sample, metric, c, rank - 1);
		}
	sort_distances(nearest, count);
	for (int i = 0; i < count; i++)
		hx_curve_add(curve, nearest[i], share_within(sample, metric, nearest[i]), 0);
	pfree(nearest);
}

/* The points at which a typical row has 1, 2 ... all others within the distance. */
static void
add_ranks(const VectorSample *sample, int metric, HxCurveBuilder *curve)
{
	float	   *column = palloc(sample->centres * sizeof(float));

	for (int rank = 1; rank <= sample->others; rank = next_rank(rank))
	{
		float		median;

		for (int c = 0; c < sample->centres; c++)
			column[c] = ranked(sample, metric, c, rank - 1);
		sort_distances(column, sample->centres);
		median = column[sample->centres / 2];
		if (isinf(median))
			break;
		if (rank == 1)
			add_tail(sample, metric, median, curve);
		hx_curve_add(curve, median, share_within(sample, metric, median),
					 (double) rank / sample->others);
	}
	pfree(column);
}

/* The largest distance, of all that there are. */
static float
farthest(const VectorSample *sample, int metric)
{
	float		most = 0;

	for (int c = 0; c < sample->centres; c++)
		for (int r = sample->others - 1; r >= 0; r--)
			if (!isinf(ranked(sample, metric, c, r)))
			{
				most = Max(most, ranked(sample, metric, c, r));
				break;
			}
	return most;
}

static HxCurveBuilder
form_curve(const VectorSample *sample, int metric)
{
	HxCurveBuilder curve = hx_curve_start();

	add_ranks(sample, metric, &curve);
	hx_curve_finish(&curve, farthest(sample, metric));
	return curve;
}

/* The values of the slot: axes and sketches. */
static Datum *
form_sketches(const VectorSample *sample, int *count)
{
	int			axes = Min(Min(sample->dims, MOST_AXES),
						   Max(AXES_BYTES / (sample->dims * sizeof(uint16)), 1));
	int			numbers = axes + HX_SKETCH_EXTRA;
	int			most = Min(sample->count, KEPT_BYTES / (numbers * sizeof(float)));
	Datum	   *values = palloc((1 + axes + most) * sizeof(Datum));
	float	   *sketch = palloc(numbers * sizeof(float));
	QvecAxes	found;

	*count = 0;
	if (!hx_qvec_axes_find(sample->vectors, sample->count, sample->dims, axes, &found))
		return values;
	hx_qvec_axes_keep(&found, values);
	*count = 1 + axes;
	for (int i = 0; i < most; i++)
	{
		int			v = (int64) i * sample->count / most;

		if (hx_qvec_sketch(&found, sample->vectors + (Size) v * sample->dims, sketch))
			values[(*count)++] = PointerGetDatum(hx_qvec_from_floats(sketch, numbers, QVEC_F32));
	}
	return values;
}

static void
analyze(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int rows)
{
	VectorSample sample = {.stats = stats,.fetch = fetch};

	find_known(&sample, rows);
	take_vectors(&sample);
	if (sample.count < 2)
		return;
	take_distances(&sample);
	if (sample.others == 0)
		return;

	MemoryContext old = MemoryContextSwitchTo(stats->anl_context);
	HxCurveBuilder l2 = form_curve(&sample, METRIC_L2);
	HxCurveBuilder cosine = form_curve(&sample, METRIC_COSINE);
	int			count;
	Datum	   *values = form_sketches(&sample, &count);

	/* A slot that should have values must not be without. */
	if (count > 0)
	{
		hx_curve_keep(stats, HX_STATISTIC_KIND_DISTANCES, &l2, values, count);
		hx_curve_keep(stats, HX_STATISTIC_KIND_COSINE_DISTANCES, &cosine, NULL, 0);
	}
	MemoryContextSwitchTo(old);
}

HX_FUNCTION(hashidx_qvec_typanalyze);

Datum
hashidx_qvec_typanalyze(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(hx_curve_typanalyze((VacAttrStats *) PG_GETARG_POINTER(0), analyze));
}
