/*
 * lsh_handler.c
 *	  hashidx_lsh to the server: the routine, options, and the cache that the parts
 *	  of the access method share.
 */
#include "am/lsh/lsh.h"

#include "access/reloptions.h"
#include "am/common/meta.h"
#include "am/lsh/lsh_register.h"
#include "commands/progress.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static const int efforts[] = {4, 8, 16, 32, 64, 128, 256, 512, 1024, 0};

static const HxAmTools lsh_tools = {
	.build = lsh_build,
	.key_bytes = lsh_key_bytes,
	.check = lsh_check,
	.stats = lsh_stats,
	.pairs = lsh_pairs,
	.rows_within = lsh_rows_within,
	.effort_setting = "lsh_probes",
	.efforts = efforts,
};

void
hx_lsh_register(void)
{
	hx_am_register(&lsh_tools);
}

LshMetric
lsh_metric(Relation index)
{
	FmgrInfo   *support = index_getprocinfo(index, 1, LSH_SUPPORT_METRIC);

	return (LshMetric) DatumGetInt32(FunctionCall1(support, PointerGetDatum(NULL)));
}

/* Does the shape in the metapage hash what the operator class indexes? */
static bool
family_fits(LshMetric metric, uint32 family)
{
	switch (metric)
	{
		case LSH_COSINE:
			return family == HX_LSH_HYPERPLANE || family == HX_LSH_POLYTOPE;
		case LSH_L2:
			return family == HX_LSH_STABLE;
		case LSH_HAMMING:
			return family == HX_LSH_BITS;
		case LSH_JACCARD:
			return family == HX_LSH_MINHASH;
	}
	return false;
}

/* Does it belong to the index's operator class and column? */
static bool
fits_definition(Relation index, const HxLshShape *shape)
{
	LshMetric	metric = lsh_metric(index);
	uint32		dims = lsh_declared_dims(index, metric);

	return family_fits(metric, shape->family) && (dims == 0 || dims == shape->dims);
}

LshCache *
lsh_cache(Relation index)
{
	LshCache   *cache = index->rd_amcache;

	if (cache != NULL && cache->shape.tables > 0)
		return cache;

	LshMetaPage meta;

	hx_meta_read(index, HX_PAGE_ID_LSH, LSH_MAGIC, LSH_FORMAT, &meta, sizeof(meta));

	const char *problem = lsh_meta_problem(&meta);
	bool		is_known = meta.shape.tables > 0;

	if (problem != NULL)
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK, "%s", problem);
	if (is_known && !fits_definition(index, &meta.shape))
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
							  "The metapage contradicts the definition of the index.");

	Size		size = offsetof(LshCache, lsh) + (is_known ? hx_lsh_size(&meta.shape) : 0);

	cache = MemoryContextAllocZero(index->rd_indexcxt, size);
	cache->size = size;
	cache->shape = meta.shape;
	cache->curve = meta.curve;
	cache->bucket_share = meta.bucket_share;
	cache->row_bytes = LSH_ROW_BYTES(meta.shape.sketch_bytes);
	if (is_known)
	{
		cache->table_bits = lsh_table_bits(meta.shape.tables);
		hx_lsh_init((HxLsh *) cache->lsh, &meta.shape);
	}
	if (index->rd_amcache != NULL)
		pfree(index->rd_amcache);
	index->rd_amcache = cache;
	return cache;
}

static relopt_enum_elt_def families[] = {
	{"auto", 0},
	{"hyperplane", HX_LSH_HYPERPLANE},
	{"polytope", HX_LSH_POLYTOPE},
	{NULL, 0}
};

/* amoptions: which of them suit the operator class, lsh_declared_shape() knows. */
static bytea *
options(Datum reloptions, bool validate)
{
	static relopt_kind kind = 0;
	static const relopt_parse_elt elements[] = {
		{.optname = "tables",.opttype = RELOPT_TYPE_INT,.offset = offsetof(LshOptions, tables)},
		{.optname = "bits",.opttype = RELOPT_TYPE_INT,.offset = offsetof(LshOptions, bits)},
		{.optname = "bands",.opttype = RELOPT_TYPE_INT,.offset = offsetof(LshOptions, bands)},
		{.optname = "rows",.opttype = RELOPT_TYPE_INT,.offset = offsetof(LshOptions, rows)},
		{.optname = "family",.opttype = RELOPT_TYPE_ENUM,.offset = offsetof(LshOptions, family)},
	};

	if (kind == 0)
	{
		LOCKMODE	lock = AccessExclusiveLock;

		kind = add_reloption_kind();
		add_int_reloption(kind, "tables", "Hash tables; 0: as many as hashidx.recall asks for",
						  0, 0, HX_LSH_MAX_TABLES, lock);
		add_int_reloption(kind, "bits", "Hash functions that make a table's key; 0: as the rows ask for",
						  0, 0, HX_LSH_MAX_HASHES, lock);
		add_int_reloption(kind, "bands", "Bands of a set's signature, each a table; 0: as hashidx.recall asks for",
						  0, 0, HX_LSH_MAX_TABLES, lock);
		add_int_reloption(kind, "rows", "Rows of a band; 0: as the rows ask for",
						  0, 0, HX_LSH_MAX_HASHES, lock);
		add_enum_reloption(kind, "family", "Hash functions of cosine distance",
						   families, 0, "Valid values are \"auto\", \"hyperplane\" and \"polytope\".", lock);
	}
	return build_reloptions(reloptions, validate, kind, sizeof(LshOptions), elements,
							lengthof(elements));
}

static char *
build_phase_name(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case LSH_PHASE_SAMPLE:
			return "sampling the table";
		case LSH_PHASE_TUNE:
			return "tuning";
		case LSH_PHASE_READ:
			return "hashing rows";
		case LSH_PHASE_SORT:
			return "sorting buckets";
		case LSH_PHASE_WRITE:
			return "writing pages";
		case LSH_PHASE_LOG:
			return "writing WAL";
		default:
			return NULL;
	}
}

HX_FUNCTION(hashidx_lsh_metric_cosine);
HX_FUNCTION(hashidx_lsh_metric_l2);
HX_FUNCTION(hashidx_lsh_metric_hamming);
HX_FUNCTION(hashidx_lsh_metric_jaccard);

/* Support function 1 of the operator classes. */
Datum
hashidx_lsh_metric_cosine(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(LSH_COSINE);
}

Datum
hashidx_lsh_metric_l2(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(LSH_L2);
}

Datum
hashidx_lsh_metric_hamming(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(LSH_HAMMING);
}

Datum
hashidx_lsh_metric_jaccard(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(LSH_JACCARD);
}

/* The metric of an operator class that may lack its support function: 0 then. */
static LshMetric
opclass_metric(Oid opclass)
{
	Oid			type = get_opclass_input_type(opclass);
	Oid			support = get_opfamily_proc(get_opclass_family(opclass), type, type,
											LSH_SUPPORT_METRIC);

	return OidIsValid(support) ?
		(LshMetric) DatumGetInt32(OidFunctionCall1(support, PointerGetDatum(NULL))) : 0;
}

static bool
validate_opclass(Oid opclass)
{
	static const char *const balls[] = {
		[LSH_COSINE] = "cosine_ball",
		[LSH_L2] = "l2_ball",
		[LSH_HAMMING] = "hamming_ball",
		[LSH_JACCARD] = "jaccard_ball",
	};
	LshMetric	metric = opclass_metric(opclass);
	const HxAmOperator operators[] = {
		{.strategy = LSH_STRATEGY_DISTANCE,.orders = true,.right_type = NULL},
		{.strategy = LSH_STRATEGY_WITHIN,.orders = false,
		.right_type = metric < lengthof(balls) && balls[metric] != NULL ? balls[metric] : ""},
	};

	return hx_am_validate(opclass, operators, lengthof(operators));
}

HX_FUNCTION(hashidx_lsh_handler);

Datum
hashidx_lsh_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = hx_am_new_routine();

	routine->amstrategies = LSH_STRATEGY_WITHIN;
	routine->amsupport = LSH_SUPPORT_METRIC;
	routine->amoptions = options;
	routine->ambuild = lsh_build;
	routine->ambuildempty = lsh_buildempty;
	routine->aminsert = lsh_insert;
	routine->ambulkdelete = lsh_bulkdelete;
	routine->amvacuumcleanup = lsh_vacuumcleanup;
	routine->amcostestimate = lsh_costestimate;
	routine->ambuildphasename = build_phase_name;
	routine->amvalidate = validate_opclass;
	routine->ambeginscan = lsh_beginscan;
	routine->amrescan = lsh_rescan;
	routine->amgettuple = lsh_gettuple;
	routine->amgetbitmap = lsh_getbitmap;
	routine->amendscan = lsh_endscan;
	PG_RETURN_POINTER(routine);
}
