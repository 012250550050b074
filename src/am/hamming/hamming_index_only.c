/*
 * hamming_index_only.c
 *	  The tuples that index-only scans return: the code and the INCLUDE values.
 *
 * See README, "Index-only scans and vacuum", for why the visibility map has been
 * asked while the index page was locked.
 */
#include "am/hamming/hamming_scan.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"

/* Does the snapshot see the heap row? Asks the heap. */
static bool
heap_row_visible(IndexScanDesc scan, HammingScan *state, ItemPointerData tid)
{
	bool		call_again = false;
	bool		all_dead = false;

	if (state->heap_fetch == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(state));

		state->heap_fetch = hx_table_fetch_begin(scan->heapRelation);
		state->heap_slot = table_slot_create(scan->heapRelation, NULL);
		MemoryContextSwitchTo(old);
	}

	bool		visible = table_index_fetch_tuple(state->heap_fetch, &tid, scan->xs_snapshot,
												  state->heap_slot, &call_again, &all_dead);

	ExecClearTuple(state->heap_slot);
	return visible;
}

/* Reads the INCLUDE values of a visible row. */
static void
read_payload(IndexScanDesc scan, const HammingFound *found, Datum *values, bool *isnull)
{
	Relation	index = scan->indexRelation;
	BlockNumber blk = ItemPointerGetBlockNumberNoCheck(&found->payload);
	ItemPointerData tid = hamming_key_tid(found->key);
	IndexTuple	payload = NULL;
	Buffer		buf;

	if (blk < HAMMING_FIRST_BLOCK || blk >= RelationGetNumberOfBlocks(index))
		hx_page_report_damage(index, blk, "A row's INCLUDE values should be here, beyond the end.");

	buf = ReadBuffer(index, blk);
	LockBuffer(buf, BUFFER_LOCK_SHARE);
	if (hx_page_check(index, buf, HX_PAGE_ID_HAMMING) == HX_PAGE_PAYLOAD)
		payload = hamming_payload_find(BufferGetPage(buf),
									   ItemPointerGetOffsetNumberNoCheck(&found->payload), &tid);
	if (payload == NULL)
		hx_page_report_damage(index, blk, "The INCLUDE values of row (%u,%u) are missing.",
							  ItemPointerGetBlockNumber(&tid), ItemPointerGetOffsetNumber(&tid));
	payload = CopyIndexTuple(payload);
	UnlockReleaseBuffer(buf);
	if (!hamming_payload_deform(index, payload, values, isnull))
		hx_page_report_damage(index, blk, "The INCLUDE values of row (%u,%u) do not lie within their item.",
							  ItemPointerGetBlockNumber(&tid), ItemPointerGetOffsetNumber(&tid));
}

/*
 * The tuple of a row found without INCLUDE columns. It is formed once: all codes are of one
 * length, and the executor has done with a row when it asks for the next.
 */
static HeapTuple
code_tuple(HammingScan *state, TupleDesc desc, const uint8 *code)
{
	if (state->code_tuple == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->query_context);
		Datum		value = PointerGetDatum(hx_bincode_new(state->shape.bits));
		bool		isnull = false;

		state->code_tuple = heap_form_tuple(desc, &value, &isnull);
		heap_deform_tuple(state->code_tuple, desc, &value, &isnull);
		state->tuple_code = unconstify(uint8 *, hx_bincode_view(value).bytes);
		MemoryContextSwitchTo(old);
	}
	memcpy(state->tuple_code, code, state->shape.code_bytes);
	return state->code_tuple;
}

bool
hamming_form_tuple(IndexScanDesc scan, const HammingFound *found)
{
	HammingScan *state = scan->opaque;
	TupleDesc	desc = RelationGetDescr(scan->indexRelation);
	const uint8 *found_code = state->collector.codes +
		(Size) found->code * state->shape.code_bytes;
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS] = {false};

	if (!found->all_visible && !heap_row_visible(scan, state, hamming_key_tid(found->key)))
		return false;

	scan->xs_hitupdesc = desc;
	if (desc->natts == 1)
	{
		scan->xs_hitup = code_tuple(state, desc, found_code);
		return true;
	}

	MemoryContextReset(state->tuple_context);

	MemoryContext old = MemoryContextSwitchTo(state->tuple_context);
	Bincode    *code = hx_bincode_new(state->shape.bits);

	memcpy(code->data, found_code, state->shape.code_bytes);
	values[0] = PointerGetDatum(code);
	read_payload(scan, found, values, isnull);
	scan->xs_hitup = heap_form_tuple(desc, values, isnull);
	MemoryContextSwitchTo(old);
	return true;
}

void
hamming_end_fetch(HammingScan *state)
{
	if (BufferIsValid(state->vm_buf))
		ReleaseBuffer(state->vm_buf);
	if (state->heap_fetch != NULL)
	{
		table_index_fetch_end(state->heap_fetch);
		ExecDropSingleTupleTableSlot(state->heap_slot);
	}
}
