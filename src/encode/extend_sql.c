/*
 * extend_sql.c
 *	  hashidx_extend(): a model that learns from new rows of a table while the codes
 *	  of the old ones, which have one already, stay valid.
 */
#include "hashidx.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "encode/computation.h"
#include "encode/encode.h"
#include "encode/options.h"
#include "encode/progress.h"
#include "encode/sample.h"
#include "hash/extend.h"
#include "type/model.h"

HX_FUNCTION(hashidx_extend);

#define DEFAULT_OLD_ROWS 10000	/* sampled, if there are as many */

/* What the caller wants. */
typedef struct Wish
{
	const HxModel *old;
	double		old_rows;		/* sampled; 0: as many as usual */
	double		agreement;
	double		ridge;
	int64		seed;
} Wish;

/* Extends the model by two samples; the new one is a value in the caller's context. */
static Datum
extend_by(HxExtension *extension)
{
	HxModel		model;

	if (!hx_extend(extension, &model))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot extend the model"),
				 errdetail("%s", extension->problem)));

	Datum		value = hx_model_value_make(&model);

	ereport(NOTICE,
			(errmsg("%.1f%% of the bits of old rows stay as they are stored",
					extension->agreed * 100),
			 errdetail("The old model gives %.1f%% of them; of the bits of new rows %.1f%% differ from its own.",
					   extension->old_agreed * 100, extension->changed * 100)));
	return value;
}

/* The vectors of both samples in one array; those of one without rows are none. */
static const float *
join_rows(Sample *old, Sample *new)
{
	const Size	bytes = hx_rows_bytes(&old->columns[0]);

	if (old->count == 0 || new->count == 0)
		return (const float *) old->rows[0];
	old->rows[0] = repalloc_huge(old->rows[0], (old->count + new->count) * bytes);
	memcpy(old->rows[0] + old->count * bytes, new->rows[0], new->count * bytes);
	pfree(new->rows[0]);
	return (const float *) old->rows[0];
}

static Wish
read_wish(FunctionCallInfo fcinfo)
{
	Wish		wish = {
		.old = hx_model_hold(hx_model_holder_of_call(fcinfo), PG_GETARG_DATUM(0))->model,
		.agreement = HX_EXTEND_AGREEMENT,
		.ridge = HX_EXTEND_RIDGE,
	};
	const Option options[] = {
		{"agreement", OPTION_NUMBER, &wish.agreement, 0, 1},
		{"ridge", OPTION_NUMBER, &wish.ridge, 1e-6, 1e6},
		{"sample", OPTION_WHOLE, &wish.old_rows, HX_EXTEND_LEAST_OLD_ROWS, PG_INT32_MAX},
		{"seed", OPTION_BIGINT, &wish.seed, 0, 0},
	};

	hx_encode_check_output(wish.old, HX_OUTPUT_CODE);
	hx_options_read(PG_GETARG_JSONB_P(4), options, lengthof(options));
	return wish;
}

/* Samples the rows that have a code, with it, and those that have none. */
static void
read_samples(const Wish *wish, FunctionCallInfo fcinfo, MemoryContext context,
			 Sample *replay, Sample *arrivals)
{
	char	   *vectors = NameStr(*PG_GETARG_NAME(2));
	char	   *codes = NameStr(*PG_GETARG_NAME(3));

	*replay = (Sample) {
		.source = PG_GETARG_OID(1),
		.call = fcinfo,
		.columns = {
			{.name = vectors, .width = (int) wish->old->dims},
			{.name = codes, .code = true, .width = (int) wish->old->outputs},
		},
		.column_count = 2,
		.wanted = wish->old_rows > 0 ? (uint64) wish->old_rows : DEFAULT_OLD_ROWS,
		.exact = wish->old_rows > 0,
		.seed = (uint64) wish->seed,
	};
	*arrivals = (Sample) {
		.source = replay->source,
		.call = fcinfo,
		.columns = {replay->columns[0]},
		.column_count = 1,
		.unset = codes,
		.wanted = HX_EXTEND_PAIRED_ROWS,
		.seed = (uint64) wish->seed,
	};
	hx_sample_read(replay, context);
	hx_sample_read(arrivals, context);
}

/*
 * hashidx_extend(model hashidx_model, source regclass, source_column name,
 * codes_column name, options jsonb) returns hashidx_model
 */
Datum
hashidx_extend(PG_FUNCTION_ARGS)
{
	Wish		wish = read_wish(fcinfo);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx sample",
												  ALLOCSET_DEFAULT_SIZES);
	Sample		replay;
	Sample		arrivals;
	Datum		result = (Datum) 0;
	Computation computation;

	hx_progress_start(PROGRESS_EXTEND, PG_GETARG_OID(1), wish.old->kind);
	read_samples(&wish, fcinfo, context, &replay, &arrivals);

	HxExtension extension = {
		.old = wish.old,
		.rows = join_rows(&replay, &arrivals),
		.codes = (const uint8_t *) replay.rows[1],
		.old_count = replay.count,
		.new_count = arrivals.count,
		.agreement = wish.agreement,
		.ridge = wish.ridge,
	};

	hx_computation_start(&computation);
	PG_TRY();
	{
		extension.compute = computation.compute;
		result = extend_by(&extension);
	}
	PG_FINALLY();
	{
		hx_computation_end(&computation);
	}
	PG_END_TRY();
	MemoryContextDelete(context);
	hx_progress_end();
	PG_RETURN_DATUM(result);
}
