/*
 * judge.c
 *	  hashidx_encoder_recall(): how many of the true nearest neighbours of a row are
 *	  among the rows of the nearest codes.
 *
 * The source is read twice: once to choose the queries, once to compare every row with
 * each of them. Rows are taken in batches, and of each query only its nearest rows are
 * remembered, so memory does not depend on how many rows there are.
 *
 * Ties, of which codes have many, go to the row that is read first.
 */
#include "hashidx.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "encode/computation.h"
#include "encode/encode.h"
#include "encode/progress.h"
#include "encode/sample.h"
#include "kernel/kernel.h"
#include "type/bincode.h"

HX_FUNCTION(hashidx_encoder_recall);

#define MOST_NEAREST 10000		/* for k and candidates */
#define MOST_QUERIES 10000
#define MOST_BATCH_ROWS 1024
#define BATCH_COST ((Size) 16 << 20)	/* multiplications to encode a batch with: some 10 ms */

typedef double (*Metric) (const float *a, const float *b, size_t n);

/* A row near to a query. */
typedef struct Near
{
	double		distance;		/* NaN is far */
	int64		row;
} Near;

/* The nearest rows so far: a heap with the farthest on top. */
typedef struct Nearest
{
	Near	   *rows;
	int			count;
	int			room;
} Nearest;

typedef struct Judge
{
	Computation computation;
	const HxModel *model;
	Metric		metric;
	int			dims;
	Size		code_bytes;

	/* The queries. */
	int			query_count;
	const float *queries;
	const int64 *query_rows;
	uint8	   *query_codes;
	Nearest    *exact;			/* by the metric */
	Nearest    *coded;			/* by the codes */

	/* The batch. */
	float	   *vectors;
	uint8	   *codes;
	int			batch_room;
	int			batch_count;
	int64		batch_first;	/* row number */

	/* Models run in as many threads as there are scratches. */
	float	   *scratch;
	Size		scratch_size;
	int			scratches;
	bool	   *out_of_range;	/* of each scratch: has a row been? */
} Judge;

static double
inner_product(const float *a, const float *b, size_t n)
{
	return 0 - hx_kernels->dot(a, b, n);
}

/* As cosine_distance(): a vector without direction is far from all. */
static double
cosine(const float *a, const float *b, size_t n)
{
	HxDotNorms	sums = hx_kernels->dot_norms(a, b, n);

	return 0 - sums.dot / sqrt(sums.norm_a * sums.norm_b);
}

/* The square will do: it has the same order. */
static double
l2(const float *a, const float *b, size_t n)
{
	return hx_kernels->l2_squared(a, b, n);
}

static double
l1(const float *a, const float *b, size_t n)
{
	return hx_kernels->l1(a, b, n);
}

static const struct
{
	const char *name;
	Metric		metric;
}			metrics[] = {
	{"l2", l2}, {"cosine", cosine}, {"ip", inner_product}, {"l1", l1},
};

static Metric
need_metric(const char *name)
{
	for (int i = 0; i < lengthof(metrics); i++)
	{
		if (strcmp(metrics[i].name, name) == 0)
			return metrics[i].metric;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown metric \"%s\"", name),
			 errhint("Metrics are l2, cosine, ip, l1.")));
}

static bool
is_farther(Near a, Near b)
{
	if (a.distance != b.distance)
		return isnan(a.distance) ? !isnan(b.distance) || a.row > b.row : a.distance > b.distance;
	return a.row > b.row;
}

/* Puts `near` where the top of the heap was, and restores the order below. */
static void
replace_top(Nearest *nearest, Near near)
{
	int			at = 0;

	for (;;)
	{
		int			child = at * 2 + 1;

		if (child + 1 < nearest->count &&
			is_farther(nearest->rows[child + 1], nearest->rows[child]))
			child++;
		if (child >= nearest->count || !is_farther(nearest->rows[child], near))
			break;
		nearest->rows[at] = nearest->rows[child];
		at = child;
	}
	nearest->rows[at] = near;
}

static void
take(Nearest *nearest, Near near)
{
	if (nearest->count == nearest->room)
	{
		if (is_farther(nearest->rows[0], near))
			replace_top(nearest, near);
		return;
	}

	int			at = nearest->count++;

	for (; at > 0 && is_farther(near, nearest->rows[(at - 1) / 2]); at = (at - 1) / 2)
		nearest->rows[at] = nearest->rows[(at - 1) / 2];
	nearest->rows[at] = near;
}

/* Encodes `count` vectors: every so many-th of them in each thread. */
typedef struct Encoding
{
	Judge	   *judge;
	const float *vectors;
	uint8	   *codes;
	int			count;
} Encoding;

static void
encode_share(void *context, size_t begin, size_t end)
{
	const Encoding *encoding = context;
	Judge	   *judge = encoding->judge;

	for (size_t share = begin; share < end; share++)
	{
		float	   *scratch = judge->scratch + share * judge->scratch_size;

		for (int i = (int) share; i < encoding->count; i += judge->scratches)
		{
			if (!hx_model_run_code(judge->model, encoding->vectors + (Size) i * judge->dims,
								   scratch, encoding->codes + i * judge->code_bytes))
				judge->out_of_range[share] = true;
		}
	}
}

static void
encode(Judge *judge, const float *vectors, uint8 *codes, int count)
{
	HxCompute  *compute = &judge->computation.compute;
	Encoding	encoding = {judge, vectors, codes, count};

	hx_team_run(encode_share, &encoding, judge->scratches, 1,
				compute->check, compute->check_context);
	for (int i = 0; i < judge->scratches; i++)
	{
		if (judge->out_of_range[i])
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a vector is too long for the model")));
	}
}

/* Compares the batch with some of the queries. */
static void
compare_queries(void *context, size_t begin, size_t end)
{
	Judge	   *judge = context;

	for (size_t q = begin; q < end; q++)
	{
		const float *query = judge->queries + q * judge->dims;
		const uint8 *query_code = judge->query_codes + q * judge->code_bytes;

		for (int i = 0; i < judge->batch_count; i++)
		{
			const int64 row = judge->batch_first + i;
			const float *vector = judge->vectors + (Size) i * judge->dims;
			const uint8 *code = judge->codes + i * judge->code_bytes;

			if (row == judge->query_rows[q])
				continue;
			take(&judge->exact[q], (Near) {judge->metric(query, vector, judge->dims), row});
			take(&judge->coded[q],
				 (Near) {(double) hx_kernels->hamming(query_code, code, judge->code_bytes), row});
		}
	}
}

static void
compare_batch(Judge *judge)
{
	hx_progress_report(HX_PHASE_COMPARING, judge->batch_first, 0);
	encode(judge, judge->vectors, judge->codes, judge->batch_count);
	hx_compute_run(&judge->computation.compute, compare_queries, judge, judge->query_count,
				   (Size) judge->batch_count * (judge->dims + judge->code_bytes / 8 + 1));
	judge->batch_first += judge->batch_count;
	judge->batch_count = 0;
}

static void
compare_all(Judge *judge, const Sample *sample)
{
	RowsColumn	column = {.name = sample->columns[0].name, .width = judge->dims};
	Rows	   *rows = hx_rows_open(sample->source, &column, 1, NULL, sample->call);

	while (hx_rows_next(rows))
	{
		memcpy(judge->vectors + (Size) judge->batch_count * judge->dims, column.value,
			   hx_rows_bytes(&column));
		if (++judge->batch_count == judge->batch_room)
			compare_batch(judge);
	}
	if (judge->batch_count > 0)
		compare_batch(judge);
	hx_rows_close(rows);
}

static void *
get_memory(Judge *judge, Size count, Size bytes)
{
	return hx_allocate(&judge->computation.compute.memory, count, bytes);
}

static Nearest *
make_nearest(Judge *judge, int room)
{
	Nearest    *nearest = get_memory(judge, judge->query_count, sizeof(Nearest));
	Near	   *rows = get_memory(judge, (Size) judge->query_count * room, sizeof(Near));

	for (int q = 0; q < judge->query_count; q++)
		nearest[q] = (Nearest) {.rows = rows + (Size) q * room, .room = room};
	return nearest;
}

/* Multiplications to run the model with, about. */
static Size
model_cost(const HxModel *model)
{
	Size		cost = model->dims;

	for (int i = 0; i < model->step_count; i++)
		cost += model->steps[i].param_count + model->steps[i].outputs;
	return cost;
}

/* Makes room for everything; the queries are chosen, the computation has started. */
static void
prepare(Judge *judge, const Sample *sample, int k, int candidates)
{
	const HxModel *model = judge->model;

	judge->dims = (int) model->dims;
	judge->code_bytes = HX_BITS_TO_BYTES(model->outputs);
	judge->query_count = (int) sample->count;
	judge->queries = (const float *) sample->rows[0];
	judge->query_rows = sample->numbers;
	judge->exact = make_nearest(judge, k);
	judge->coded = make_nearest(judge, candidates);
	judge->query_codes = get_memory(judge, judge->query_count, judge->code_bytes);

	judge->batch_room = (int) Max(Min(BATCH_COST / model_cost(model), MOST_BATCH_ROWS), 1);
	judge->vectors = get_memory(judge, judge->batch_room, judge->dims * sizeof(float));
	judge->codes = get_memory(judge, judge->batch_room, judge->code_bytes);

	judge->scratches = hx_team_threads();
	judge->scratch_size = Max(hx_model_scratch(model), 1);
	judge->scratch = get_memory(judge, judge->scratches, judge->scratch_size * sizeof(float));
	judge->out_of_range = get_memory(judge, judge->scratches, sizeof(bool));
	memset(judge->out_of_range, 0, judge->scratches * sizeof(bool));
}

static int
compare_rows(const void *a, const void *b)
{
	const int64 x = ((const Near *) a)->row;
	const int64 y = ((const Near *) b)->row;

	return x < y ? -1 : x > y;
}

/* How many of the true nearest the codes find. */
static int
count_found(Judge *judge, int q)
{
	const Nearest *exact = &judge->exact[q];
	Nearest    *coded = &judge->coded[q];
	int			found = 0;

	qsort(coded->rows, coded->count, sizeof(Near), compare_rows);
	for (int i = 0; i < exact->count; i++)
		found += bsearch(&exact->rows[i], coded->rows, coded->count, sizeof(Near),
						 compare_rows) != NULL;
	return found;
}

static double
share_of(int64 found, int64 wanted)
{
	return wanted > 0 ? (double) found / wanted : 1;
}

static void
check_range(const char *name, int32 value, int32 most)
{
	if (value < 1 || value > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 1 and %d", name, most),
				 errdetail("Asked for were %d.", value)));
}

/* Runs the comparison; mean and least recall of the queries. */
static void
judge_queries(Judge *judge, const Sample *sample, int k, int candidates,
			  double *mean, double *minimum)
{
	int64		all_found = 0;
	int64		all_wanted = 0;

	prepare(judge, sample, k, candidates);
	for (int q = 0; q < judge->query_count; q += judge->batch_room)
		encode(judge, judge->queries + (Size) q * judge->dims,
			   judge->query_codes + q * judge->code_bytes,
			   Min(judge->batch_room, judge->query_count - q));
	compare_all(judge, sample);

	*minimum = 1;
	for (int q = 0; q < judge->query_count; q++)
	{
		int			found = count_found(judge, q);
		int			wanted = judge->exact[q].count;

		CHECK_FOR_INTERRUPTS();
		all_found += found;
		all_wanted += wanted;
		*minimum = Min(*minimum, share_of(found, wanted));
	}
	*mean = share_of(all_found, all_wanted);
}

/*
 * hashidx_encoder_recall(model hashidx_model, source regclass, source_column name,
 * k integer, candidates integer, sample integer, metric text)
 * returns (queries integer, recall_mean double precision, recall_minimum double precision)
 */
Datum
hashidx_encoder_recall(PG_FUNCTION_ARGS)
{
	int32		k = PG_GETARG_INT32(3);
	int32		candidates = PG_GETARG_INT32(4);
	int32		queries = PG_GETARG_INT32(5);
	Judge		judge = {
		.model = hx_model_hold(hx_model_holder_of_call(fcinfo), PG_GETARG_DATUM(0))->model,
		.metric = need_metric(text_to_cstring(PG_GETARG_TEXT_PP(6))),
	};
	Sample		sample = {
		.source = PG_GETARG_OID(1),
		.call = fcinfo,
		.columns = {{.name = NameStr(*PG_GETARG_NAME(2)), .width = (int) judge.model->dims}},
		.column_count = 1,
		.wanted = (uint64) queries,
		.exact = true,
	};
	double		mean = 0;
	double		minimum = 0;
	TupleDesc	row;

	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	check_range("k", k, MOST_NEAREST);
	check_range("candidates", candidates, MOST_NEAREST);
	check_range("sample", queries, MOST_QUERIES);
	hx_encode_check_output(judge.model, HX_OUTPUT_CODE);

	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx sample",
												  ALLOCSET_DEFAULT_SIZES);

	hx_progress_start(PROGRESS_RECALL, sample.source, judge.model->kind);
	hx_sample_read(&sample, context);
	if (sample.count < 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("there are too few rows to measure recall on"),
				 errdetail("Relation \"%s\" has %llu vectors, and at least 2 are needed.",
						   get_rel_name(sample.source), (unsigned long long) sample.count)));

	hx_computation_start(&judge.computation);
	PG_TRY();
	{
		judge_queries(&judge, &sample, k, candidates, &mean, &minimum);
	}
	PG_FINALLY();
	{
		hx_computation_end(&judge.computation);
	}
	PG_END_TRY();
	MemoryContextDelete(context);
	hx_progress_end();

	Datum		values[] = {Int32GetDatum((int32) sample.count), Float8GetDatum(mean),
							Float8GetDatum(minimum)};
	bool		nulls[] = {false, false, false};

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), values, nulls)));
}
