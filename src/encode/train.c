/*
 * train.c
 *	  hashidx_train() and hashidx_train_pair(): models learned from the rows of a table.
 *
 * The sample is read in full before anything is learned: the threads see plain arrays.
 */
#include "hashidx.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "encode/computation.h"
#include "encode/options.h"
#include "encode/progress.h"
#include "encode/sample.h"
#include "hash/train.h"
#include "type/model.h"

HX_FUNCTION(hashidx_train);
HX_FUNCTION(hashidx_train_pair);

/* Options of every kind, beside those of the trainer. */
#define COMMON_OPTIONS 4

/* What the caller wants. */
typedef struct Wish
{
	const HxTrainer *trainer;
	const char *kind;
	Oid			source;
	FunctionCallInfo call;
	char	   *first_column;
	char	   *second_column;	/* or NULL */
	uint32		outputs;
	double		sample;			/* rows; 0: as the trainer says */
	int64		seed;
	double		median;
	double		options[HX_TRAINER_MAX_OPTIONS];
} Wish;

static const HxTrainer *
need_trainer(const char *kind)
{
	const HxTrainer *trainer = hx_trainer_find(kind);
	StringInfoData known;

	if (trainer != NULL)
		return trainer;

	initStringInfo(&known);
	for (const HxTrainer *const *t = hx_trainers; *t != NULL; t++)
		appendStringInfo(&known, "%s%s", known.len > 0 ? ", " : "",
						 hx_model_kind_name((*t)->kind));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown kind of model \"%s\"", kind),
			 errhint("Kinds that can be trained are %s.", known.data)));
}

/* Kinds whose output has bits, and so thresholds. */
static bool
gives_codes(HxModelKind kind)
{
	return kind < HX_MODEL_PROJECTION;
}

static bool
learns_from_two(const HxTrainer *trainer)
{
	return trainer->two_columns || trainer->second_optional;
}

/* Reads the options; `pair` says that the second column is an argument of its own. */
static void
read_options(Wish *wish, Jsonb *json, bool pair)
{
	const HxTrainer *trainer = wish->trainer;
	Option		options[HX_TRAINER_MAX_OPTIONS + COMMON_OPTIONS];
	int			count = 0;

	for (int i = 0; i < HX_TRAINER_MAX_OPTIONS && trainer->options[i].name != NULL; i++)
	{
		const HxTrainerOption *own = &trainer->options[i];

		wish->options[i] = own->fallback;
		options[count++] = (Option) {
			.name = own->name,
			.sort = own->boolean ? OPTION_BOOLEAN : own->whole ? OPTION_WHOLE : OPTION_NUMBER,
			.value = &wish->options[i],
			.least = own->least,
			.most = own->most,
		};
	}
	if (gives_codes(trainer->kind))
		options[count++] = (Option) {"median", OPTION_BOOLEAN, &wish->median, 0, 1};
	options[count++] = (Option) {"sample", OPTION_WHOLE, &wish->sample, 1, PG_INT32_MAX};
	if (learns_from_two(trainer) && !pair)
		options[count++] = (Option) {"second_column", OPTION_NAME, &wish->second_column, 0, 0};
	options[count++] = (Option) {"seed", OPTION_BIGINT, &wish->seed, 0, 0};
	hx_options_read(json, options, count);
}

static Wish
read_wish(FunctionCallInfo fcinfo, int bits_argument, bool pair)
{
	char	   *kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int32		outputs = PG_GETARG_INT32(bits_argument);
	Wish		wish = {
		.trainer = need_trainer(kind),
		.kind = kind,
		.source = PG_GETARG_OID(1),
		.call = fcinfo,
		.first_column = NameStr(*PG_GETARG_NAME(2)),
		.second_column = pair ? NameStr(*PG_GETARG_NAME(3)) : NULL,
		.outputs = (uint32) outputs,
	};

	if (outputs < 1 || outputs > HX_MODEL_MAX_WIDTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bits must be between 1 and %d", HX_MODEL_MAX_WIDTH),
				 errdetail("Asked for were %d.", outputs)));
	if (pair && !learns_from_two(wish.trainer))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind \"%s\" learns from one column", kind),
				 errhint("Use %s.", "hashidx_train()")));
	read_options(&wish, PG_GETARG_JSONB_P(bits_argument + 1), pair);
	if (wish.trainer->two_columns && wish.second_column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind \"%s\" learns from two columns", kind),
				 errhint("Name the other one in option \"second_column\", "
						 "or call %s, which returns both models.", "hashidx_train_pair()")));
	return wish;
}

/* Dimensions of the first row, on which default sizes of samples depend; 0 without a row. */
static uint32
peek_dims(const Wish *wish)
{
	RowsColumn	column = {.name = wish->first_column};
	Rows	   *rows = hx_rows_open(wish->source, &column, 1, NULL, wish->call);
	bool		found = hx_rows_next(rows);

	hx_rows_close(rows);
	return found ? (uint32) column.width : 0;
}

static Sample
read_sample(const Wish *wish, MemoryContext context)
{
	Sample		sample = {
		.source = wish->source,
		.call = wish->call,
		.columns = {{.name = wish->first_column}, {.name = wish->second_column}},
		.column_count = wish->second_column != NULL ? 2 : 1,
		.wanted = (uint64) wish->sample,
		.exact = wish->sample > 0,
		.seed = (uint64) wish->seed,
	};

	if (!sample.exact)
		sample.wanted = wish->trainer->sample_size(peek_dims(wish), wish->outputs);
	hx_sample_read(&sample, context);
	if (sample.count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("cannot train a model of kind \"%s\"", wish->kind),
				 errdetail("Relation \"%s\" has no row with a vector to learn from.",
						   get_rel_name(wish->source))));
	return sample;
}

/* Trains on a sample; the models are values in the caller's context. */
static void
train_on(const Wish *wish, const Sample *sample, HxCompute compute, Datum models[2])
{
	HxModel		first;
	HxModel		second;
	HxTraining	training = {
		.rows = (const float *) sample->rows[0],
		.count = sample->count,
		.dims = (uint32) sample->columns[0].width,
		.second_rows = (const float *) sample->rows[1],
		.second_dims = (uint32) sample->columns[1].width,
		.outputs = wish->outputs,
		.seed = (uint64) wish->seed,
		.median = wish->median != 0,
		.options = wish->options,
		.compute = compute,
	};

	if (!wish->trainer->train(&training, &first, &second))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot train a model of kind \"%s\"", wish->kind),
				 errdetail("%s", training.problem)));
	models[0] = hx_model_value_make(&first);
	if (training.second_rows != NULL)
		models[1] = hx_model_value_make(&second);
}

/* Grants the wish; the second model is made when there is a second column. */
static void
train(const Wish *wish, Datum models[2])
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx sample",
												  ALLOCSET_DEFAULT_SIZES);
	Sample		sample;
	Computation computation;

	hx_progress_start(PROGRESS_TRAIN, wish->source, wish->trainer->kind);
	sample = read_sample(wish, context);
	hx_computation_start(&computation);
	PG_TRY();
	{
		train_on(wish, &sample, computation.compute, models);
	}
	PG_FINALLY();
	{
		hx_computation_end(&computation);
	}
	PG_END_TRY();
	MemoryContextDelete(context);
	hx_progress_end();
}

/*
 * hashidx_train(kind text, source regclass, source_column name, bits integer,
 * options jsonb) returns hashidx_model
 */
Datum
hashidx_train(PG_FUNCTION_ARGS)
{
	Wish		wish = read_wish(fcinfo, 3, false);
	Datum		models[2];

	train(&wish, models);
	PG_RETURN_DATUM(models[0]);
}

/*
 * hashidx_train_pair(kind text, source regclass, first_column name, second_column name,
 * bits integer, options jsonb) returns a row of two models
 */
Datum
hashidx_train_pair(PG_FUNCTION_ARGS)
{
	Wish		wish = read_wish(fcinfo, 4, true);
	bool		nulls[2] = {false, false};
	Datum		models[2];
	TupleDesc	row;

	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	train(&wish, models);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), models, nulls)));
}
