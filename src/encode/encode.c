/*
 * encode.c
 *	  Running models on vectors: codes, vectors and tokens; what a model is; and the
 *	  functions on vectors and codes that belong to a kind of model.
 */
#include "hashidx.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"

#include "encode/encode.h"
#include "hash/sdc.h"
#include "kernel/kernel.h"
#include "type/model.h"
#include "type/qvec.h"

HX_FUNCTION(hashidx_encode);
HX_FUNCTION(hashidx_transform);
HX_FUNCTION(hashidx_tokens);
HX_FUNCTION(hashidx_truncate);
HX_FUNCTION(hashidx_sdc_similarity);
HX_FUNCTION(hashidx_describe);

StaticAssertDecl(HX_MODEL_MAX_WIDTH <= HX_BINCODE_MAX_BITS, "every code of a model is a bincode");
StaticAssertDecl(HX_MODEL_MAX_DIMS <= HX_QVEC_MAX_DIMS, "every vector of a model is a qvec");

/* What comes out of a model, and the function that gives it. */
static const struct
{
	const char *name;
	const char *function;
}			outputs[] = {
	[HX_OUTPUT_VECTOR] = {"vector", "hashidx_transform"},
	[HX_OUTPUT_CODE] = {"code", "hashidx_encode"},
	[HX_OUTPUT_TOKENS] = {"tokens", "hashidx_tokens"},
};

void
hx_encode_check_output(const HxModel *model, HxModelOutput wanted)
{
	HxModelOutput given = hx_model_output(model);

	if (given != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model does not give a result of the sort \"%s\"",
						outputs[wanted].name),
				 errdetail("It is of kind \"%s\", and its output is of the sort \"%s\" (%u).",
						   hx_model_kind_name(model->kind), outputs[given].name, model->outputs),
				 errhint("Use %s().", outputs[given].function)));
}

/* The numbers of a vector that the model takes. */
static const float *
input_of(const HxModel *model, Datum vector)
{
	QvecFloats	v = hx_qvec_floats(vector);

	if (v.dims != (int) model->dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the vector does not fit the model"),
				 errdetail("The vector has %d dimensions, the model takes %u.",
						   v.dims, model->dims)));
	return v.values;
}

/* Reports a run that left the range of floats. */
static void
check_range(bool in_range)
{
	if (!in_range)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range"),
				 errdetail("A number that the model makes of the vector is beyond type %s.",
						   "real")));
}

Bincode *
hx_encode_code(const CachedModel *cached, Datum vector)
{
	const float *input = input_of(cached->model, vector);
	Bincode    *code = hx_bincode_new((int32) cached->model->outputs);

	check_range(hx_signs_run_code(cached->signs, cached->model, input, cached->scratch,
								  code->data));
	return code;
}

/* The model of the call's first argument, with the output that the function gives. */
static const CachedModel *
model_of_call(FunctionCallInfo fcinfo, HxModelOutput wanted)
{
	const CachedModel *cached = hx_model_hold(hx_model_holder_of_call(fcinfo), PG_GETARG_DATUM(0));

	hx_encode_check_output(cached->model, wanted);
	return cached;
}

/* hashidx_encode(model hashidx_model, v qvec) returns bincode */
Datum
hashidx_encode(PG_FUNCTION_ARGS)
{
	const CachedModel *cached = model_of_call(fcinfo, HX_OUTPUT_CODE);

	PG_RETURN_BINCODE_P(hx_encode_code(cached, PG_GETARG_DATUM(1)));
}

/* hashidx_transform(model hashidx_model, v qvec) returns qvec: f32, whatever went in */
Datum
hashidx_transform(PG_FUNCTION_ARGS)
{
	const CachedModel *cached = model_of_call(fcinfo, HX_OUTPUT_VECTOR);
	const HxModel *model = cached->model;
	const float *input = input_of(model, PG_GETARG_DATUM(1));
	float	   *numbers = palloc(model->outputs * sizeof(float));

	check_range(hx_model_run_vector(model, input, cached->scratch, numbers));
	PG_RETURN_POINTER(hx_qvec_from_floats(numbers, (int) model->outputs, QVEC_F32));
}

/* hashidx_tokens(model hashidx_model, v qvec) returns smallint[] */
Datum
hashidx_tokens(PG_FUNCTION_ARGS)
{
	const CachedModel *cached = model_of_call(fcinfo, HX_OUTPUT_TOKENS);
	const HxModel *model = cached->model;
	const float *input = input_of(model, PG_GETARG_DATUM(1));
	uint16	   *tokens = palloc(model->outputs * sizeof(uint16));
	Datum	   *elements = palloc(model->outputs * sizeof(Datum));

	check_range(hx_model_run_tokens(model, input, cached->scratch, tokens));
	for (uint32 i = 0; i < model->outputs; i++)
	{
		if (tokens[i] > PG_INT16_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s out of range", "smallint"),
					 errdetail("Token %u is %u.", i + 1, tokens[i])));
		elements[i] = Int16GetDatum((int16) tokens[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, (int) model->outputs, INT2OID, sizeof(int16),
										  true, TYPALIGN_SHORT));
}

/*
 * hashidx_truncate(v qvec, d integer) returns qvec: the first d numbers, brought to
 * length 1 as l2_normalize does it. For embeddings trained so that a beginning of
 * them is an embedding, too (Kusupati et al.: Matryoshka Representation Learning, 2022).
 */
Datum
hashidx_truncate(PG_FUNCTION_ARGS)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));
	int32		dims = PG_GETARG_INT32(1);

	if (dims < 1 || dims > v.dims)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a vector of %d dimensions cannot be truncated to %d", v.dims, dims)));

	double		norm = sqrt(hx_kernels->dot(v.values, v.values, dims));
	double		scale = norm > 0 ? 1 / norm : 0;
	float	   *values = palloc(dims * sizeof(float));

	for (int i = 0; i < dims; i++)
		values[i] = v.values[i] * scale;
	PG_RETURN_POINTER(hx_qvec_from_floats(values, dims, QVEC_F32));
}

/*
 * sdc_similarity(bincode, bincode, planes integer) returns double precision: the
 * cosine of what two codes of a recurrent model stand for.
 */
Datum
hashidx_sdc_similarity(PG_FUNCTION_ARGS)
{
	BincodeView a = PG_GETARG_BINCODE_VIEW(0);
	BincodeView b = PG_GETARG_BINCODE_VIEW(1);
	int32		planes = PG_GETARG_INT32(2);

	hx_bincode_check_same_bits(a.bits, b.bits);
	if (planes < 1 || planes > HX_SDC_MAX_PLANES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of planes must be between 1 and %d", HX_SDC_MAX_PLANES),
				 errdetail("Asked for were %d.", planes)));
	if (a.bits % planes != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("codes of %d bits do not consist of %d planes", a.bits, planes)));
	PG_RETURN_FLOAT8(hx_sdc_cosine(a.bytes, b.bytes, a.bits, planes));
}

/* One step as JSON. Steps are counted from 1; what is read from 0 is the vector. */
static void
describe_step(const HxModel *model, int number, StringInfo json)
{
	const HxStep *step = &model->steps[number];
	bool		two_fold = step->op == HX_STEP_SUBTRACT || step->op == HX_STEP_CONCAT;

	appendStringInfo(json, "{\"step\": %d, \"op\": \"%s\", \"reads\": [%d",
					 number + 1, hx_model_step_name(step->op), step->input + 1);
	if (two_fold)
		appendStringInfo(json, ", %d", step->input2 + 1);
	appendStringInfo(json, "], \"inputs\": [%u", hx_model_width(model, step->input));
	if (two_fold)
		appendStringInfo(json, ", %u", hx_model_width(model, step->input2));
	appendStringInfo(json, "], \"outputs\": %u, \"parameters\": %u",
					 step->outputs, step->param_count);
	if (step->detail != 0)
		appendStringInfo(json, ", \"detail\": %u", step->detail);
	if (step->op == HX_STEP_ROTATE)
		appendStringInfo(json, ", \"seed\": %lld", (long long) step->seed);
	appendStringInfoChar(json, '}');
}

/* hashidx_describe(model hashidx_model) returns jsonb */
Datum
hashidx_describe(PG_FUNCTION_ARGS)
{
	ModelHolder *holder = hx_model_holder_of_call(fcinfo);
	const HxModel *model = hx_model_hold(holder, PG_GETARG_DATUM(0))->model;
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json,
					 "{\"kind\": \"%s\", \"format\": %d, \"dims\": %u, \"output\": \"%s\", "
					 "\"outputs\": %u, \"bytes\": %zu, \"steps\": [",
					 hx_model_kind_name(model->kind), HX_MODEL_FORMAT, model->dims,
					 outputs[hx_model_output(model)].name, model->outputs,
					 hx_model_stored_size(model));
	for (int number = 0; number < model->step_count; number++)
	{
		appendStringInfoString(&json, number > 0 ? ", " : "");
		describe_step(model, number, &json);
	}
	appendStringInfoString(&json, "]}");
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}
