/*
 * hamming_insert.c
 *	  aminsert: adds one row, on a page with room and to each chunk table.
 *
 * One WAL record changes one codes page. When a page is full, its equal codes are merged; if that
 * frees too little, the insert moves on to another page. So a code that comes a million times
 * ends as runs of TIDs that fill whole pages, whatever it is mixed with.
 */
#include "am/hamming/hamming_list.h"
#include "am/hamming/hamming_options.h"
#include "am/hamming/hamming_tree.h"

#include "access/generic_xlog.h"
#include "miscadmin.h"
#include "type/bincode.h"

int
hamming_worth_keeping(const HammingShape *shape)
{
	return Max(shape->space / 32, shape->code_bytes + shape->row_bytes);
}

/*
 * Rewrites a full page with each code once, and with the planes' unused room given
 * back. *changed tells whether the page is another now; true when a code and its
 * row fit and the page is worth keeping.
 */
static bool
make_room(Relation index, Buffer buf, Page page, const HammingShape *shape, bool *changed)
{
	HammingView view = hamming_checked_view(index, shape, buf, page);
	HammingPacker packer;

	hamming_packer_init(&packer, shape);
	if (!hamming_packer_load(&packer, &view, NULL, NULL))
		hamming_report_runs(index, buf);

	bool		merged = packer.codes < (int) view.planes.count;
	bool		worth = hamming_packer_free_bytes(&packer) >= hamming_worth_keeping(shape);

	*changed = merged || worth;
	if (*changed)
		hamming_packer_store(&packer, page);
	hamming_packer_free(&packer);
	return worth;
}

bool
hamming_append(Relation index, const HammingShape *shape, Buffer buf, const uint8 *code,
			   HammingRow row)
{
	Page		page = BufferGetPage(buf);
	HxPageRange ranges[HX_PAGE_MAX_RANGES];
	bool		placed;

	/* Before a record is begun: it must not be finished for a damaged page. */
	hamming_checked_view(index, shape, buf, page);
	if (!hamming_codes_are_short(shape))
	{
		GenericXLogState *record = GenericXLogStart(index);

		placed = hamming_codes_append(GenericXLogRegisterBuffer(record, buf, 0), shape, code, row);
		if (placed)
			GenericXLogFinish(record);
		else
			GenericXLogAbort(record);
		return placed;
	}

	hx_page_log_prepare();
	START_CRIT_SECTION();
	placed = hamming_codes_append(page, shape, code, row);
	if (placed)
		hx_page_log(index, buf, ranges, hamming_codes_appended(page, shape, ranges));
	END_CRIT_SECTION();
	return placed;
}

/*
 * Puts a code and its row on the codes page in the exclusively locked buffer, in one
 * record, merging its equal codes if need be; false: it is full.
 */
static bool
place(Relation index, const HammingShape *shape, Buffer buf, const uint8 *code, HammingRow row)
{
	if (hamming_append(index, shape, buf, code, row))
		return true;

	GenericXLogState *record = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(record, buf, 0);
	bool		changed;
	bool		placed = make_room(index, buf, page, shape, &changed) &&
		hamming_codes_append(page, shape, code, row);

	if (changed)
		GenericXLogFinish(record);
	else
		GenericXLogAbort(record);
	return placed;
}

typedef struct CodeInsert
{
	const HammingShape *shape;
	const uint8 *code;
	HammingRow	row;
} CodeInsert;

/* HammingPlace: puts the code and its row on the codes page. */
static bool
place_code(Relation index, Buffer buf, void *context)
{
	CodeInsert *insert = context;

	return place(index, insert->shape, buf, insert->code, insert->row);
}

typedef struct PayloadInsert
{
	IndexTuple	payload;
	ItemPointerData location;	/* result */
} PayloadInsert;

/* HammingPlace: puts the values of INCLUDE columns on the page. */
static bool
place_payload(Relation index, Buffer buf, void *context)
{
	PayloadInsert *insert = context;
	Size		size = IndexTupleSize(insert->payload);

	if (PageGetFreeSpace(BufferGetPage(buf)) < MAXALIGN(size))
		return false;

	GenericXLogState *record = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(record, buf, 0);
	OffsetNumber off = PageAddItem(page, (Pointer) insert->payload, size, InvalidOffsetNumber,
								   false, false);

	if (off == InvalidOffsetNumber)
		elog(ERROR, "could not add %zu bytes to block %u of index \"%s\"",
			 size, BufferGetBlockNumber(buf), RelationGetRelationName(index));
	GenericXLogFinish(record);
	ItemPointerSet(&insert->location, BufferGetBlockNumber(buf), off);
	return true;
}

/*
 * Fixes the index's number of bits at its first code, and makes its chunk tables if it
 * is to have some; another backend may have been first.
 */
static void
fix_bits(Relation index, HammingCache *cache, int32 bits)
{
	HammingShape shape = cache->shape;
	Buffer		buf = ReadBuffer(index, HX_METABLOCK);
	HammingTables tables;
	int			chunks;

	hamming_shape_set_bits(&shape, bits);
	chunks = hamming_choose_chunks(index, &shape, cache->method, cache->chunks);
	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	hx_page_check(index, buf, HX_PAGE_ID_HAMMING);
	if (hamming_meta(BufferGetPage(buf))->bits == 0)
	{
		BlockNumber map = chunks == 0 ? InvalidBlockNumber :
			hamming_tree_create(index, &shape, chunks, &tables);
		GenericXLogState *record = GenericXLogStart(index);
		HammingMetaPage *meta = hamming_meta(GenericXLogRegisterBuffer(record, buf, 0));

		meta->bits = bits;
		meta->chunks = chunks;
		meta->chunk_root = map;
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
	hamming_cache(index);
}

bool
hamming_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
			   Relation heap, IndexUniqueCheck unique, bool unchanged, IndexInfo *info)
{
	if (isnull[0])
		return false;

	/* What may detoast comes first: opening a TOAST table can make the server forget the cache. */
	BincodeView code = hx_bincode_view(values[0]);
	PayloadInsert payload = {0};

	if (IndexRelationGetNumberOfAttributes(index) > 1)
		payload.payload = hamming_payload_form(index, values, isnull, tid);

	HammingCache *cache = hamming_cache(index);

	if (cache->shape.bits == 0)
		fix_bits(index, cache, code.bits);
	hamming_check_bits(index, &cache->shape, code.bits);

	CodeInsert	insert = {.shape = &cache->shape,.code = code.bytes};

	insert.row = hamming_row(index, tid);
	if (payload.payload != NULL)
	{
		hamming_list_place(index, cache, HAMMING_LIST_PAYLOAD, place_payload, &payload);
		insert.row.payload = payload.location;
	}
	hamming_list_place(index, cache, HAMMING_LIST_CODES, place_code, &insert);
	for (int k = 0; k < cache->tables.chunks.count; k++)
		hamming_tree_insert(index, cache, k, code.bytes, insert.row);
	return false;
}
