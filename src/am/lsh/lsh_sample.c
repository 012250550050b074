/*
 * lsh_sample.c
 *	  The hash functions of an index: from its definition, its options, and what a
 *	  sample of the table tells of distances.
 *
 * The sample takes whole blocks and of their rows a reservoir. Distances from some of
 * its rows to their nearest neighbours in it stand for those in the whole table; with
 * a sample of 1/f of the rows, its nearest neighbour is about the f-th nearest, so
 * the tuner sees neighbours a little farther away than they are.
 */
#include "am/lsh/lsh.h"

#include <math.h>

#include "access/tableam.h"
#include "am/lsh/lsh_value.h"
#include "commands/progress.h"
#include "guc.h"
#include "kernel/kernel.h"
#include "math/random.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "type/elements.h"
#include "type/qvec.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/sampling.h"

/* Frozen: two indexes of one shape have the same keys. */
#define SEED UINT64_C(0x68617368696478)

#define SAMPLE_BLOCKS 4000
#define SAMPLE_ROWS 20000
#define MIN_SAMPLE_ROWS 1000

/* Rows of the sample whose neighbours are looked for, and how many neighbours of each. */
#define QUERIES 200
#define NEIGHBOURS 10
#define BACKGROUND_PER_QUERY 20

/* An index that is made before its rows is made for so many of them. */
#define EXPECTED_ROWS 100000

/* Tables that the tuner may choose: each one is a page write of every insert. */
#define MAX_TABLES 12

/* What a probe and a candidate cost, in microseconds, roughly: README, "Costs". */
#define PROBE_COST 1.0
#define CANDIDATE_COST 0.1

/* Options that the metric does not know are errors; which names the others have. */
static void
check_options(LshMetric metric, const LshOptions *options)
{
	bool		sets = metric == LSH_JACCARD;
	const char *odd = NULL;

	if (sets && (options->tables > 0 || options->bits > 0))
		odd = options->tables > 0 ? "tables" : "bits";
	if (!sets && (options->bands > 0 || options->rows > 0))
		odd = options->bands > 0 ? "bands" : "rows";
	if (metric != LSH_COSINE && options->family != 0)
		odd = "family";
	if (odd != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" does not suit the operator class of the index", odd),
				 errdetail("Sets have \"bands\" and \"rows\", vectors and codes \"tables\" and \"bits\", cosine distance \"family\".")));
}

/* The family of an operator class for values of so many dimensions. */
static uint32
choose_family(LshMetric metric, uint32 dims)
{
	switch (metric)
	{
		case LSH_COSINE:
			return dims < 8 ? HX_LSH_HYPERPLANE : HX_LSH_POLYTOPE;
		case LSH_L2:
			return HX_LSH_STABLE;
		case LSH_HAMMING:
			return HX_LSH_BITS;
		case LSH_JACCARD:
			return HX_LSH_MINHASH;
	}
	return 0;
}

uint32
lsh_declared_dims(Relation index, LshMetric metric)
{
	int32		typmod = TupleDescAttr(RelationGetDescr(index), 0)->atttypmod;

	if (typmod < 0 || metric == LSH_JACCARD)
		return 0;
	return metric == LSH_HAMMING ? typmod : hx_qvec_typmod_dims(typmod);
}

/* The shape as the definition of the index wishes it, for values of so many dimensions. */
static HxLshShape
wished_shape(Relation index, LshMetric metric, uint32 dims)
{
	const LshOptions *options = (const LshOptions *) index->rd_options;
	HxLshShape	shape = {.seed = SEED,.dims = dims,.family = choose_family(metric, dims)};

	if (options != NULL)
	{
		check_options(metric, options);
		shape.tables = Max(options->tables, options->bands);
		shape.hashes = Max(options->bits, options->rows);
		if (options->family != 0)
			shape.family = options->family;
	}
	shape.sketch_bytes = hx_lsh_default_sketch(shape.family, dims);
	return shape;
}

HxLshShape
lsh_wished_shape(Relation index, LshMetric metric, const LshValue *value)
{
	uint32		dims = lsh_declared_dims(index, metric);
	HxLshShape	shape = wished_shape(index, metric,
									 value != NULL && dims == 0 ? value->dims : dims);

	if (metric == LSH_JACCARD)
	{
		Oid			type = TupleDescAttr(RelationGetDescr(index), 0)->atttypid;

		hx_elements_check_type(get_base_element_type(type));
	}
	if (value != NULL)
		lsh_value_check(index, &shape, value);
	return shape;
}

/* What a distance can be, or NaN, when hx_lsh_tune() shall not see it. */
static void
add_distance(float *distances, size_t *count, double distance)
{
	if (!isnan(distance))
		distances[(*count)++] = (float) distance;
}

/* Runs the tuner. */
static void
tune(const HxLshShape *wish, const HxLshSample *sample, LshTuned *tuned)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_lsh tuning",
												  ALLOCSET_DEFAULT_SIZES);
	HxCompute	compute = {.memory = hx_am_memory(context),.check = hx_am_check_interrupts};
	HxLshLimits limits = {
		.recall = lsh_probes_recall(hx_guc_recall()),
		.max_tables = MAX_TABLES,
		.probe_cost = PROBE_COST,
		.candidate_cost = CANDIDATE_COST,
	};

	hx_lsh_tune(wish, sample, &limits, &compute, &tuned->tuning);
	MemoryContextDelete(context);
	tuned->set_size = sample->set_size;

	/* The tuner tells candidates of so many probes; beyond the end of its curve, of 2^7 a table. */
	const HxLshTuning *tuning = &tuned->tuning;
	double		probes = tuning->probes == HX_LSH_OUT_OF_REACH ?
		tuning->shape.tables * exp2(HX_LSH_CURVE_PROBES - 1) : tuning->probes;

	tuned->bucket_share = (float) Min(tuning->candidates / probes / Max(sample->rows, 1), 1);

	const char *fault = hx_lsh_shape_fault(&tuned->tuning.shape);

	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot build an index with these options"),
				 errdetail("%s", fault)));
}

void
lsh_tune_blindly(LshMetric metric, const HxLshShape *wish, const LshValue *first, LshTuned *tuned)
{
	float		neighbour;
	float		background;
	HxLshSample sample = {.rows = EXPECTED_ROWS,.set_size = first->point.count};

	if (metric == LSH_L2)
	{
		/* Euclidean distances have no scale of their own: take that of the vector. */
		const float *vector = first->point.vector;
		double		norm = sqrt(hx_kernels->dot(vector, vector, first->dims));

		neighbour = (float) (norm > 0 ? norm / 2 : 0.5);
		background = 2 * neighbour;
		sample.neighbours = &neighbour;
		sample.neighbour_count = 1;
		sample.background = &background;
		sample.background_count = 1;
	}
	tune(wish, &sample, tuned);
	tuned->rows = 0;
}

/* A sample under construction. */
typedef struct Sampler
{
	LshMetric	metric;
	MemoryContext context;		/* of the values */
	MemoryContext row_context;	/* reset after each row */
	LshValue   *values;
	int			count;
	int			wanted;			/* 0: no value seen yet */
	uint64		seen;
	HxLshShape	shape;
	Relation	index;
} Sampler;

/* With the first value it is known how many fit memory. */
static void
start_sample(Sampler *sampler, const LshValue *value)
{
	Size		size = lsh_value_size(sampler->metric, value) + sizeof(LshValue);

	sampler->shape = lsh_wished_shape(sampler->index, sampler->metric, value);
	sampler->wanted = Min((Size) maintenance_work_mem * 1024 / 4 / size, SAMPLE_ROWS);
	sampler->wanted = Max(sampler->wanted, MIN_SAMPLE_ROWS);
	sampler->values = MemoryContextAlloc(sampler->context, sampler->wanted * sizeof(LshValue));
}

/* table_index_build_range_scan's callback: a reservoir (Vitter's algorithm R). */
static void
sample_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *state)
{
	Sampler    *sampler = state;
	uint64		place = sampler->seen;

	if (isnull[0])
		return;
	sampler->seen++;
	if (sampler->wanted > 0 && place >= (uint64) sampler->wanted)
		place = hx_random(SEED, 0, sampler->seen) % sampler->seen;
	if (sampler->wanted > 0 && place >= (uint64) sampler->wanted)
		return;

	MemoryContext old = MemoryContextSwitchTo(sampler->row_context);
	LshValue	value = lsh_value(sampler->metric, values[0]);

	if (sampler->wanted == 0)
		start_sample(sampler, &value);
	lsh_value_check(index, &sampler->shape, &value);
	if (sampler->metric == LSH_JACCARD)
		lsh_value_sort(&value);
	MemoryContextSwitchTo(sampler->context);
	if (place < (uint64) sampler->count)
		pfree(unconstify(uint8 *, sampler->values[place].point.code));
	else
		sampler->count++;
	sampler->values[place] = lsh_value_copy(sampler->metric, &value);
	MemoryContextSwitchTo(old);
	MemoryContextReset(sampler->row_context);
}

/* Reads blocks drawn at random; returns the number of rows that the table seems to have. */
static double
read_sample(Relation heap, IndexInfo *info, Sampler *sampler)
{
	BlockSamplerData blocks;
	BlockNumber total = RelationGetNumberOfBlocks(heap);
	BlockNumber drawn = BlockSampler_Init(&blocks, total, SAMPLE_BLOCKS, 1);

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, LSH_PHASE_SAMPLE);
	while (BlockSampler_HasMore(&blocks))
	{
		CHECK_FOR_INTERRUPTS();
		/* anyvisible is not allowed with the snapshot of a concurrent build. */
		table_index_build_range_scan(heap, sampler->index, info, false, false, false,
									 BlockSampler_Next(&blocks), 1, sample_row, sampler, NULL);
	}
	return Max((double) sampler->seen / Max(drawn, 1) * total, sampler->count);
}

/* Distances of the values nearest to one of them; returns how many are known. */
static int
nearest(const Sampler *sampler, int query, float *distances, int wanted)
{
	int			count = 0;

	for (int i = 0; i < sampler->count; i++)
	{
		double		distance;
		int			place;

		if (i == query)
			continue;
		distance = lsh_value_distance(sampler->metric, &sampler->values[query],
									  &sampler->values[i]);
		if (isnan(distance) || (count == wanted && distance >= distances[count - 1]))
			continue;
		place = count < wanted ? count++ : count - 1;
		for (; place > 0 && distances[place - 1] > distance; place--)
			distances[place] = distances[place - 1];
		distances[place] = (float) distance;
	}
	return count;
}

/* What the sample tells of distances. */
static HxLshSample
measure_sample(const Sampler *sampler, double rows)
{
	int			queries = Min(sampler->count, QUERIES);
	int			wanted = Max(1, (int) rint(NEIGHBOURS * Min(sampler->count / rows, 1)));
	float	   *neighbours = palloc(queries * NEIGHBOURS * sizeof(float));
	float	   *background = palloc(queries * BACKGROUND_PER_QUERY * sizeof(float));
	HxLshSample sample = {.neighbours = neighbours,.background = background,.rows = rows};
	double		elements = 0;

	for (int i = 0; i < queries; i++)
	{
		int			query = (int64) i * sampler->count / queries;

		CHECK_FOR_INTERRUPTS();
		elements += sampler->values[query].point.count;
		sample.neighbour_count += nearest(sampler, query, neighbours + sample.neighbour_count,
										  wanted);
		for (int j = 0; j < BACKGROUND_PER_QUERY; j++)
		{
			int			other = hx_random(SEED, 1, i * BACKGROUND_PER_QUERY + j) % sampler->count;

			if (other != query)
				add_distance(background, &sample.background_count,
							 lsh_value_distance(sampler->metric, &sampler->values[query],
												&sampler->values[other]));
		}
	}
	if (sampler->metric == LSH_JACCARD)
		sample.set_size = (size_t) ceil(elements / queries);
	return sample;
}

bool
lsh_tune_by_sample(Relation heap, Relation index, IndexInfo *info, LshTuned *tuned)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_lsh sample",
												  ALLOCSET_DEFAULT_SIZES);
	Sampler		sampler = {.metric = lsh_metric(index),.context = context,.index = index};

	sampler.row_context = AllocSetContextCreate(context, "hashidx_lsh sample row",
												ALLOCSET_DEFAULT_SIZES);
	tuned->rows = read_sample(heap, info, &sampler);

	/* Options are judged even if there is nothing to use them for yet. */
	if (sampler.count == 0)
		lsh_wished_shape(index, sampler.metric, NULL);
	else
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, LSH_PHASE_TUNE);

		HxLshSample sample = measure_sample(&sampler, tuned->rows);

		tune(&sampler.shape, &sample, tuned);
		MemoryContextSwitchTo(old);
	}
	MemoryContextDelete(context);
	return sampler.count > 0;
}

void
lsh_meta_set_tuning(LshMetaPage *meta, const LshTuned *tuned)
{
	meta->set_size = tuned->set_size;
	meta->shape = tuned->tuning.shape;
	meta->tuned_rows = (uint64) tuned->rows;
	meta->bucket_share = tuned->bucket_share;
	meta->curve = tuned->tuning.curve;
}
