/*
 * hamming_check.c
 *	  What hashidx_check() does to an index of hashidx_hamming.
 *
 * Each page is copied under a share lock and examined without it.
 */
#include "am/hamming/hamming_check.h"

#include "access/tableam.h"
#include "miscadmin.h"
#include "type/bincode.h"
#include "utils/snapmgr.h"

void
hamming_read_page(Relation index, BlockNumber blk, char *copy)
{
	CHECK_FOR_INTERRUPTS();

	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	memcpy(copy, BufferGetPage(buf), BLCKSZ);
	UnlockReleaseBuffer(buf);
}

const void *
hamming_key_bytes(Relation index, Datum key, Size *bytes)
{
	BincodeView code = hx_bincode_view(key);

	*bytes = HX_BITS_TO_BYTES(code.bits);
	return code.bytes;
}

/* The planes beyond the codes in use must be zero, and so must the bits beyond a code's end. */
static void
check_padding(HxCheck *check, BlockNumber blk, const HammingShape *shape, const HammingView *view)
{
	const HxPlanes *planes = &view->planes;
	uint8		code[BLCKSZ];
	int			used = shape->bits % 8;

	for (unsigned i = 0; i < planes->stride; i++)
	{
		hx_planes_get(planes->base, planes->stride, planes->code_bytes, i, code);
		if (i < planes->count)
		{
			if (used != 0 && (code[shape->bits / 8] & (0xFF >> used)) != 0)
				hx_check_warn(check, blk, "Code %u has bits beyond its %u.", i, shape->bits);
		}
		else if (hx_kernels->popcount(code, planes->code_bytes) != 0)
			hx_check_warn(check, blk, "Unused code slot %u is not zero.", i);
	}
}

/* The INCLUDE values of a row must be where the row says. */
static void
check_payload_link(HxCheck *check, BlockNumber blk, HammingRow *row)
{
	PGAlignedBlock copy;
	BlockNumber payload_blk = ItemPointerGetBlockNumberNoCheck(&row->payload);

	if (payload_blk >= HAMMING_FIRST_BLOCK && payload_blk < RelationGetNumberOfBlocks(check->index))
	{
		hamming_read_page(check->index, payload_blk, copy.data);
		if (hx_page_problem(copy.data, HX_PAGE_ID_HAMMING) == NULL &&
			hx_page_opaque(copy.data)->kind == HX_PAGE_PAYLOAD &&
			hamming_payload_find(copy.data, ItemPointerGetOffsetNumberNoCheck(&row->payload),
								 &row->tid) != NULL)
			return;
	}

	/*
	 * Vacuum may have taken the values and not yet the row: it was interrupted,
	 * or, on a standby, goes on while we look. But never those of a row that
	 * somebody can see.
	 */
	bool		all_dead;

	if (table_index_fetch_tuple_check(check->heap, &row->tid, GetActiveSnapshot(), &all_dead))
		hx_check_warn(check, blk, "The INCLUDE values of row (%u,%u) are not at (%u,%u).",
					  ItemPointerGetBlockNumberNoCheck(&row->tid),
					  ItemPointerGetOffsetNumberNoCheck(&row->tid),
					  payload_blk, ItemPointerGetOffsetNumberNoCheck(&row->payload));
}

/* The rows of one code, on a codes page (copy 0) or a leaf of chunk table copy - 1. */
static void
check_run(HxCheck *check, BlockNumber blk, const HammingShape *shape, const HammingView *view,
		  int begin, int end, const uint8 *code, int copy)
{
	for (int i = begin; i < end; i++)
	{
		bool		continues;
		HammingRow	row = hamming_view_row(view, i, &continues);

		if (!hx_check_is_plausible(check, &row.tid))
		{
			hx_check_warn(check, blk, "Row %d points to (%u,%u), which cannot be in the table.", i,
						  ItemPointerGetBlockNumberNoCheck(&row.tid),
						  ItemPointerGetOffsetNumberNoCheck(&row.tid));
			continue;
		}
		if (view->row_bytes == sizeof(HammingRow))
			check_payload_link(check, blk, &row);
		if (check->filter != NULL)
			hx_check_add_copy(check, copy, row.tid, code, HX_BITS_TO_BYTES(shape->bits));
	}
}

void
hamming_check_codes(HxCheck *check, BlockNumber blk, Page page, const HammingShape *shape, int copy)
{
	HammingView view;
	uint16		first[HAMMING_MAX_CODES + 1];
	uint8		code[BLCKSZ];
	const char *problem = hamming_view(page, shape, &view);

	if (problem != NULL)
	{
		hx_check_warn(check, blk, "%s", problem);
		return;
	}
	check_padding(check, blk, shape, &view);
	if (!hamming_view_runs(&view, first))
	{
		hx_check_warn(check, blk, "The rows of the page do not add up to its codes.");
		return;
	}
	for (unsigned i = 0; i < view.planes.count; i++)
	{
		hx_planes_get(view.planes.base, view.planes.stride, view.planes.code_bytes, i, code);
		check_run(check, blk, shape, &view, first[i], first[i + 1], code, copy);
	}
}

static void
check_payload_page(HxCheck *check, BlockNumber blk, Page page)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];

	if (IndexRelationGetNumberOfAttributes(check->index) == 1)
	{
		hx_check_warn(check, blk, "The index has no INCLUDE columns, but a page for their values.");
		return;
	}
	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		ItemId		item = PageGetItemId(page, off);

		if (!ItemIdIsUsed(item))
			continue;

		IndexTuple	payload = hamming_payload_at(page, off);

		if (payload == NULL)
			hx_check_warn(check, blk, "Item %u does not lie within the page.", off);
		else if (!hamming_payload_deform(check->index, payload, values, isnull))
			hx_check_warn(check, blk, "The values of item %u do not lie within it.", off);
	}
}

/* Every page in a list must say so; a list that is longer than the index goes in circles. */
static void
check_list(HxCheck *check, HammingList list, HxPageKind kind)
{
	BlockNumber length = 0;

	/* The metapage's lock keeps the list as it is. */
	Buffer		meta_buf = ReadBuffer(check->index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_SHARE);

	BlockNumber blk = hamming_meta(BufferGetPage(meta_buf))->room[list];
	BlockNumber blocks = RelationGetNumberOfBlocks(check->index);

	while (blk != InvalidBlockNumber && blk >= HAMMING_FIRST_BLOCK && blk < blocks &&
		   length++ < blocks)
	{
		PGAlignedBlock copy;

		hamming_read_page(check->index, blk, copy.data);
		if (hx_page_problem(copy.data, HX_PAGE_ID_HAMMING) != NULL ||
			hx_page_opaque(copy.data)->kind != kind ||
			!(hx_page_opaque(copy.data)->flags & HX_PAGE_LISTED))
		{
			hx_check_warn(check, blk, "The page does not belong to the list of pages it is in.");
			break;
		}
		blk = hx_page_opaque(copy.data)->next;
	}
	if (length > blocks)
		hx_check_warn(check, HX_METABLOCK, "A list of pages with room goes in circles.");
	else if (blk != InvalidBlockNumber && (blk < HAMMING_FIRST_BLOCK || blk >= blocks))
		hx_check_warn(check, HX_METABLOCK, "A list of pages leads to block %u.", blk);
	UnlockReleaseBuffer(meta_buf);
}

/* One page. */
static void
check_page(HxCheck *check, const HammingCache *cache, BlockNumber blk)
{
	PGAlignedBlock copy;
	const char *problem;

	hamming_read_page(check->index, blk, copy.data);
	if (PageIsNew(copy.data))
		return;					/* left by a crash; vacuum adopts it */
	problem = hx_page_problem(copy.data, HX_PAGE_ID_HAMMING);
	if (problem != NULL)
	{
		hx_check_warn(check, blk, "%s", problem);
		return;
	}

	HxPageKind	kind = hx_page_opaque(copy.data)->kind;

	if (kind == HX_PAGE_CODES)
		hamming_check_codes(check, blk, copy.data, &cache->shape, 0);
	else if (kind == HX_PAGE_PAYLOAD)
		check_payload_page(check, blk, copy.data);
	else if (kind >= HX_PAGE_CHUNK_MAP && kind <= HX_PAGE_EXTENTS)
		hamming_check_table_page(check, cache, blk, copy.data);
	else
		hx_check_warn(check, blk, "There is a page of a kind that does not belong here.");
}

void
hamming_check(HxCheck *check)
{
	HammingCache cache = *hamming_cache(check->index);
	BlockNumber blocks = RelationGetNumberOfBlocks(check->index);

	check->copies = cache.tables.chunks.count;

	/* What a leaf that is divided meanwhile gives away is behind the end as it was. */
	for (BlockNumber blk = HAMMING_FIRST_BLOCK; blk < blocks;)
	{
		check_page(check, &cache, blk++);
		if (blk == blocks)
			blocks = RelationGetNumberOfBlocks(check->index);
	}
	check_list(check, HAMMING_LIST_CODES, HX_PAGE_CODES);
	check_list(check, HAMMING_LIST_PAYLOAD, HX_PAGE_PAYLOAD);
	hamming_check_tables(check, &cache);
}
