/*
 * hamming_insert.c
 *	  aminsert: adds one row, on a page with room.
 *
 * One codes page is changed by one WAL record. When a page is full, its equal
 * codes are merged; if that frees too little, the insert moves on to another
 * page. So a code that comes a million times ends as runs of TIDs
 * that fill whole pages, whatever it is mixed with.
 */
#include "am/hamming/hamming_list.h"

#include "access/generic_xlog.h"
#include "type/bincode.h"

/*
 * A full page stays in use while rewriting it makes this much room. Less would
 * have it rewritten again every few rows.
 */
#define WORTH_KEEPING (HAMMING_CODES_SPACE / 32)

typedef struct CodeInsert
{
	const HammingShape *shape;
	const uint8 *code;
	HammingRow	row;
} CodeInsert;

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
	bool		worth = hamming_packer_free_bytes(&packer) >=
		Max(WORTH_KEEPING, shape->code_bytes + shape->row_bytes);

	*changed = merged || worth;
	if (*changed)
		hamming_packer_store(&packer, page);
	hamming_packer_free(&packer);
	return worth;
}

/* HammingPlace: puts the code and its row on the page. */
static bool
place_code(Relation index, Buffer buf, void *context)
{
	CodeInsert *insert = context;
	const HammingShape *shape = insert->shape;

	/* Before a record is begun: it must not be finished for a damaged page. */
	hamming_checked_view(index, shape, buf, BufferGetPage(buf));

	GenericXLogState *record = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(record, buf, 0);
	bool		placed = hamming_codes_append(page, shape, insert->code, insert->row);
	bool		changed = placed;

	if (!placed && make_room(index, buf, page, shape, &changed))
		placed = hamming_codes_append(page, shape, insert->code, insert->row);

	if (changed)
		GenericXLogFinish(record);
	else
		GenericXLogAbort(record);
	return placed;
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
	OffsetNumber off = PageAddItem(page, (Item) insert->payload, size, InvalidOffsetNumber,
								   false, false);

	if (off == InvalidOffsetNumber)
		elog(ERROR, "could not add %zu bytes to block %u of index \"%s\"",
			 size, BufferGetBlockNumber(buf), RelationGetRelationName(index));
	GenericXLogFinish(record);
	ItemPointerSet(&insert->location, BufferGetBlockNumber(buf), off);
	return true;
}

/* Fixes the index's number of bits at its first code; another backend may have been first. */
static void
fix_bits(Relation index, HammingCache *cache, int32 bits)
{
	HammingShape shape = cache->shape;
	Buffer		buf = ReadBuffer(index, HAMMING_METABLOCK);

	hamming_shape_set_bits(&shape, bits);
	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	hx_page_check(index, buf, HX_PAGE_ID_HAMMING);
	if (hamming_meta(BufferGetPage(buf))->bits == 0)
	{
		GenericXLogState *record = GenericXLogStart(index);

		hamming_meta(GenericXLogRegisterBuffer(record, buf, 0))->bits = bits;
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
	return false;
}
