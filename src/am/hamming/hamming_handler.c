/*
 * hamming_handler.c
 *	  The IndexAmRoutine of hashidx_hamming, and the cached shape that the parts of the access
 *	  method share.
 */
#include "am/hamming/hamming.h"

#include "am/common/meta.h"
#include "am/hamming/hamming_options.h"
#include "am/hamming/hamming_register.h"
#include "catalog/pg_type.h"
#include "commands/progress.h"
#include "type/bincode.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static const HxAmTools hamming_tools = {
	.build = hamming_build,
	.key_bytes = hamming_key_bytes,
	.check = hamming_check,
	.stats = hamming_stats,
	.pairs = hamming_pairs,
	.nearest = hamming_nearest,
	.nearest_block = hamming_nearest_block,
};

void
hx_hamming_register(void)
{
	hx_am_register(&hamming_tools);
	hamming_options_register();
}

void
hamming_shape_set_bits(HammingShape *shape, int32 bits)
{
	Size		bytes = HX_BITS_TO_BYTES(bits);
	Size		most = HAMMING_MAX_CODE_BYTES(shape->row_bytes);

	if (bytes > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("codes of %d bits are too long for access method \"hashidx_hamming\"", bits),
				 errdetail("A code and its row must fit one page, and distances 16 bits: at most %zu bits here.", most * 8)));
	shape->bits = bits;
	shape->code_bytes = bytes;
}

HammingShape
hamming_declared_shape(Relation index)
{
	TupleDesc	desc = RelationGetDescr(index);
	bool		has_payload = IndexRelationGetNumberOfAttributes(index) > 1;
	int32		typmod = TupleDescAttr(desc, 0)->atttypmod;
	HammingShape shape = {0};

	shape.row_bytes = has_payload ? sizeof(HammingRow) : sizeof(ItemPointerData);
	shape.space = HAMMING_CODES_SPACE;
	if (typmod > 0)
		hamming_shape_set_bits(&shape, typmod);
	return shape;
}

void
hamming_check_bits(Relation index, const HammingShape *shape, int32 bits)
{
	if (shape->bits != (uint32) bits)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("index \"%s\" holds codes of another length", RelationGetRelationName(index)),
				 errdetail("The index has codes of %u bits, this one has %d bits.", shape->bits, bits)));
}

HxPageKind
hamming_page_kind(Relation index, const HammingShape *shape, Buffer buf)
{
	HxPageKind	kind = hx_page_check(index, buf, HX_PAGE_ID_HAMMING);

	if (kind != HX_PAGE_CODES && (kind < HX_PAGE_CHUNK_MAP || kind > HX_PAGE_EXTENTS) &&
		!(kind == HX_PAGE_PAYLOAD && shape->row_bytes == sizeof(HammingRow)))
		hx_page_report_damage(index, BufferGetBlockNumber(buf),
							  "The page is of a kind that does not belong here.");
	return kind;
}

bool
hamming_has_codes(Relation index, const HammingShape *shape, bool is_listed, Buffer buf)
{
	if (PageIsNew(BufferGetPage(buf)))
		return false;

	bool		has_codes = hamming_page_kind(index, shape, buf) == HX_PAGE_CODES;

	if (is_listed && !has_codes)
		hx_page_report_damage(index, BufferGetBlockNumber(buf),
							  "The page is listed as one of codes, and is not.");
	return has_codes;
}

HammingView
hamming_checked_view(Relation index, const HammingShape *shape, Buffer buf, Page page)
{
	HammingView view;
	const char *problem = hamming_view(page, shape, &view);

	if (problem != NULL)
		hx_page_report_damage(index, BufferGetBlockNumber(buf), "%s", problem);
	return view;
}

void
hamming_report_runs(Relation index, Buffer buf)
{
	hx_page_report_damage(index, BufferGetBlockNumber(buf),
						  "The rows of the page do not add up to its codes.");
}

void
hamming_report_row(Relation index, BlockNumber blk, int i, const ItemPointerData *tid)
{
	hx_page_report_damage(index, blk, "Row %d points to (%u,%u), which cannot be in the table.", i,
						  ItemPointerGetBlockNumberNoCheck(tid),
						  ItemPointerGetOffsetNumberNoCheck(tid));
}

HammingRow
hamming_row(Relation index, ItemPointer tid)
{
	HammingRow	row = {.tid = *tid};

	if (ItemPointerGetOffsetNumber(tid) & HAMMING_ROW_CONTINUES)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" cannot hold row number %u of a block",
						RelationGetRelationName(index), ItemPointerGetOffsetNumber(tid)),
				 errdetail("The table's access method numbers rows beyond %u.", HAMMING_ROW_CONTINUES - 1)));
	ItemPointerSetInvalid(&row.payload);
	return row;
}

/* Reads the map of the chunk tables into the cache. */
static void
read_map(Relation index, BlockNumber blk, HammingCache *cache)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	const char *problem;

	if (blk < HAMMING_FIRST_BLOCK || blk >= blocks)
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
							  "The map of the chunk tables should be at block %u.", blk);

	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	hx_page_check(index, buf, HX_PAGE_ID_HAMMING);
	problem = hamming_map_read(BufferGetPage(buf), cache->shape.bits, blocks, &cache->tables);
	if (problem == NULL && cache->tables.chunks.count != cache->chunks)
		problem = "The map and the metapage tell different numbers of chunk tables.";
	if (problem != NULL)
		hx_page_report_damage(index, blk, "%s", problem);
	UnlockReleaseBuffer(buf);
}

/* Reads the metapage into the cache. */
static void
read_meta(Relation index, HammingCache *cache)
{
	HammingMetaPage meta;

	hx_meta_read(index, HX_PAGE_ID_HAMMING, HAMMING_MAGIC, HAMMING_FORMAT, &meta, sizeof(meta));
	if (meta.method != HAMMING_METHOD_SCAN && meta.method != HAMMING_METHOD_MIH)
		hx_meta_report_format(index, "It is built by method %u; this version of hashidx reads methods %u and %u.",
							  meta.method, HAMMING_METHOD_SCAN, HAMMING_METHOD_MIH);

	/* Chunk tables that are made with the first code have it seem to bring the bits, too. */
	bool		awaits_tables = meta.method == HAMMING_METHOD_MIH && meta.bits == 0;

	cache->shape = hamming_declared_shape(index);
	if (meta.row_bytes != cache->shape.row_bytes ||
		(cache->shape.bits != 0 && meta.bits != cache->shape.bits && !awaits_tables) ||
		HX_BITS_TO_BYTES(meta.bits) > HAMMING_MAX_CODE_BYTES(meta.row_bytes))
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
							  "The metapage contradicts the definition of the index.");
	hamming_shape_set_bits(&cache->shape, meta.bits);
	memcpy(cache->room, meta.room, sizeof(cache->room));
	cache->method = meta.method;
	cache->chunks = meta.chunks;
	memset(&cache->tables, 0, sizeof(cache->tables));
	if (meta.method == HAMMING_METHOD_MIH && meta.bits != 0)
		read_map(index, meta.chunk_root, cache);
	cache->leaf_shape = hamming_leaf_shape(&cache->shape, &cache->tables);
}

HammingCache *
hamming_cache(Relation index)
{
	HammingCache *cache = index->rd_amcache;

	if (cache == NULL)
	{
		HammingCache fresh;

		read_meta(index, &fresh);
		cache = MemoryContextAlloc(index->rd_indexcxt, sizeof(HammingCache));
		*cache = fresh;
		index->rd_amcache = cache;
	}
	else if (cache->shape.bits == 0)
		read_meta(index, cache);
	return cache;
}

static bool
can_return(Relation index, int attno)
{
	return true;
}

static char *
build_phase_name(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case HAMMING_PHASE_READ:
			return "reading codes";
		case HAMMING_PHASE_GROUP:
			return "grouping equal codes";
		case HAMMING_PHASE_WRITE:
			return "writing pages";
		case HAMMING_PHASE_TABLES:
			return "building chunk tables";
		case HAMMING_PHASE_LOG:
			return "writing WAL";
		default:
			return NULL;
	}
}

static bool
validate_opclass(Oid opclass)
{
	static const HxAmOperator operators[] = {
		{.strategy = HAMMING_STRATEGY_DISTANCE,.orders = true,.right_type = NULL},
		{.strategy = HAMMING_STRATEGY_WITHIN,.orders = false,.right_type = "hamming_ball"},
	};

	return hx_am_validate(opclass, operators, lengthof(operators));
}

HX_FUNCTION(hashidx_hamming_handler);

Datum
hashidx_hamming_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = hx_am_new_routine();

	routine->amstrategies = HAMMING_STRATEGY_WITHIN;
	routine->amcaninclude = true;
	routine->amcanreturn = can_return;
	routine->amoptions = hamming_options;
	routine->ambuild = hamming_build;
	routine->ambuildempty = hamming_buildempty;
	routine->aminsert = hamming_insert;
	routine->ambulkdelete = hamming_bulkdelete;
	routine->amvacuumcleanup = hamming_vacuumcleanup;
	routine->amcostestimate = hamming_costestimate;
	routine->ambuildphasename = build_phase_name;
	routine->amvalidate = validate_opclass;
	routine->ambeginscan = hamming_beginscan;
	routine->amrescan = hamming_rescan;
	routine->amgettuple = hamming_gettuple;
	routine->amgetbitmap = hamming_getbitmap;
	routine->amendscan = hamming_endscan;
	PG_RETURN_POINTER(routine);
}
