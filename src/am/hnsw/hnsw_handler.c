/*
 * hnsw_handler.c
 *	  The IndexAmRoutine of hashidx_hnsw, its options, and what follows from the definition of
 *	  an index.
 */
#include "am/hnsw/hnsw.h"

#include "access/reloptions.h"
#include "am/hnsw/hnsw_effort.h"
#include "am/hnsw/hnsw_register.h"
#include "commands/progress.h"
#include "type/qvec.h"

#define LEAST_M 16

/*
 * Candidates kept when the neighbours of a node are looked for: with few dimensions a node has
 * many that are about as near, and the links are better when more of them are known.
 */
#define EF_CONSTRUCTION 64
#define FEW_DIMS 256
#define EF_CONSTRUCTION_FEW_DIMS 128

#define LEAST_EF_CONSTRUCTION 16
#define MOST_EF_CONSTRUCTION 1000

/* The rotation of every index: nothing is gained by another one for each. */
#define SEED 1

static relopt_kind option_kind;

static const HxAmTools hnsw_tools = {
	.build = hnsw_build,
	.key_bytes = hnsw_key_bytes,
	.check = hnsw_check,
	.stats = hnsw_stats,
	.effort_setting = "ef_search",
	.efforts = hnsw_efforts,
};

static relopt_enum_elt_def format_values[] = {
	{"f32", HX_STORED_F32},
	{"f16", HX_STORED_F16},
	{"int8", HX_STORED_INT8},
	{NULL, 0}
};

void
hx_hnsw_register(void)
{
	option_kind = add_reloption_kind();
	add_int_reloption(option_kind, "m", "Links of a node; 0 takes 32.",
					  0, 0, HX_MAX_LINKS, AccessExclusiveLock);
	add_int_reloption(option_kind, "code_bits",
					  "Bits a coordinate of the links' codes, 1 or 2; 0 chooses by dimensions.",
					  0, 0, 2, AccessExclusiveLock);
	add_int_reloption(option_kind, "ef_construction",
					  "Candidates kept when the neighbours of a node are looked for; 0 chooses by dimensions.",
					  0, 0, MOST_EF_CONSTRUCTION, ShareUpdateExclusiveLock);
	add_enum_reloption(option_kind, "format",
					   "How a node keeps its own vector; by default f16, or f32 if that would blur what is near.",
					   format_values, -1, "Valid values are \"f32\", \"f16\" and \"int8\".",
					   AccessExclusiveLock);
	hx_am_register(&hnsw_tools);
}

/* A value below an option's least one that is not 0. */
static void
refuse_small(const char *name, int value, int least)
{
	if (value != 0 && value < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value %d out of bounds for option \"%s\"", value, name),
				 errdetail("It must be 0 or at least %d.", least)));
}

static bytea *
parse_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{.optname = "m",.opttype = RELOPT_TYPE_INT,.offset = offsetof(HnswOptions, m)},
		{.optname = "code_bits",.opttype = RELOPT_TYPE_INT,.offset = offsetof(HnswOptions, code_bits)},
		{.optname = "ef_construction",.opttype = RELOPT_TYPE_INT,.offset = offsetof(HnswOptions, ef_construction)},
		{.optname = "format",.opttype = RELOPT_TYPE_ENUM,.offset = offsetof(HnswOptions, format)},
	};
	HnswOptions *options = (HnswOptions *) build_reloptions(reloptions, validate, option_kind,
															sizeof(HnswOptions), table,
															lengthof(table));

	if (validate && options != NULL)
	{
		refuse_small("m", options->m, LEAST_M);
		refuse_small("ef_construction", options->ef_construction, LEAST_EF_CONSTRUCTION);
	}
	return (bytea *) options;
}

/* The metric of the index's operator class. */
static HnswMetric
declared_metric(Relation index)
{
	FmgrInfo   *info = index_getprocinfo(index, 1, HNSW_SUPPORT_METRIC);

	return (HnswMetric) DatumGetInt32(FunctionCall1(info, PointerGetDatum(NULL)));
}

HnswShape
hnsw_declared_shape(Relation index)
{
	int32		typmod = TupleDescAttr(RelationGetDescr(index), 0)->atttypmod;
	HnswShape	shape = {.metric = declared_metric(index),.seed = SEED};
	uint32		dims = 0;

	if (typmod > 0)
		dims = shape.metric == HNSW_HAMMING ? typmod : hx_qvec_typmod_dims(typmod);
	if (dims > 0)
		hnsw_shape_set_dims(index, &shape, dims);
	return shape;
}

uint32
hnsw_ef_construction(Relation index, const HnswShape *shape)
{
	const HnswOptions *options = (const HnswOptions *) index->rd_options;

	if (options != NULL && options->ef_construction > 0)
		return options->ef_construction;
	return shape->metric != HNSW_HAMMING && shape->dims < FEW_DIMS ?
		EF_CONSTRUCTION_FEW_DIMS : EF_CONSTRUCTION;
}

void
hnsw_check_dims(Relation index, const HnswShape *shape, uint32 dims)
{
	if (shape->dims == dims)
		return;
	if (shape->metric == HNSW_HAMMING)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("index \"%s\" holds codes of another length", RelationGetRelationName(index)),
				 errdetail("The index has codes of %u bits, this one has %u bits.", shape->dims, dims)));
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("index \"%s\" holds vectors of other dimensions", RelationGetRelationName(index)),
			 errdetail("The index has vectors of %u dimensions, this one has %u.", shape->dims, dims)));
}

static char *
build_phase_name(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case HNSW_PHASE_READ:
			return "reading vectors";
		case HNSW_PHASE_PARTITION:
			return "partitioning vectors";
		case HNSW_PHASE_GRAPH:
			return "building the graph";
		case HNSW_PHASE_WRITE:
			return "writing pages";
		case HNSW_PHASE_LOG:
			return "writing WAL";
		case HNSW_PHASE_MEASURE:
			return "measuring recall";
		default:
			return NULL;
	}
}

static bool
validate_opclass(Oid opclass)
{
	static const HxAmOperator operators[] = {
		{.strategy = HNSW_STRATEGY_DISTANCE,.orders = true,.right_type = NULL},
	};

	return hx_am_validate(opclass, operators, lengthof(operators));
}

HX_FUNCTION(hashidx_hnsw_handler);

Datum
hashidx_hnsw_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = hx_am_new_routine();

	routine->amstrategies = HNSW_STRATEGY_DISTANCE;
	routine->amsupport = HNSW_SUPPORT_METRIC;
	routine->amoptions = parse_options;
	routine->ambuild = hnsw_build;
	routine->ambuildempty = hnsw_buildempty;
	routine->aminsert = hnsw_insert;
	routine->ambulkdelete = hnsw_bulkdelete;
	routine->amvacuumcleanup = hnsw_vacuumcleanup;
	routine->amcostestimate = hnsw_costestimate;
	routine->ambuildphasename = build_phase_name;
	routine->amvalidate = validate_opclass;
	routine->ambeginscan = hnsw_beginscan;
	routine->amrescan = hnsw_rescan;
	routine->amgettuple = hnsw_gettuple;
	routine->amendscan = hnsw_endscan;
	PG_RETURN_POINTER(routine);
}

/* Support function 1 of the operator classes: the metric. */
HX_FUNCTION(hashidx_hnsw_metric_l2);
HX_FUNCTION(hashidx_hnsw_metric_ip);
HX_FUNCTION(hashidx_hnsw_metric_cosine);
HX_FUNCTION(hashidx_hnsw_metric_hamming);

Datum
hashidx_hnsw_metric_l2(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(HNSW_L2);
}

Datum
hashidx_hnsw_metric_ip(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(HNSW_IP);
}

Datum
hashidx_hnsw_metric_cosine(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(HNSW_COSINE);
}

Datum
hashidx_hnsw_metric_hamming(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(HNSW_HAMMING);
}
