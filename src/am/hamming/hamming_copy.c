/*
 * hamming_copy.c
 *	  Copies of pages of codes; see hamming_copy.h.
 */
#include "am/hamming/hamming_copy.h"

/* Who gets a copy gives the rows to the table, which believes them. */
static void
check_rows(HammingSource *source, Buffer buf, const HammingView *view)
{
	for (int i = 0; i < view->row_count; i++)
	{
		bool		continues;
		HammingRow	row = hamming_view_row(view, i, &continues);

		if (!hx_page_tid_is_plausible(source->heap, &source->heap_blocks, &row.tid))
			hamming_report_row(source->index, BufferGetBlockNumber(buf), i, &row.tid);
	}
}

void
hamming_copy_page(HammingSource *source, const HammingShape *shape, Buffer buf, HammingCopy *copy)
{
	memcpy(copy->page.data, BufferGetPage(buf), BLCKSZ);
	copy->view = hamming_checked_view(source->index, shape, buf, copy->page.data);
	if (!hamming_view_runs(&copy->view, copy->first))
		hamming_report_runs(source->index, buf);
	check_rows(source, buf, &copy->view);
}

bool
hamming_copy_codes(HammingSource *source, BlockNumber blk, HammingCopy *copy)
{
	Buffer		buf = ReadBuffer(source->index, blk);
	bool		is_codes;

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	is_codes = hamming_has_codes(source->index, &source->shape, source->is_listed, buf);
	if (is_codes)
		hamming_copy_page(source, &source->shape, buf, copy);
	UnlockReleaseBuffer(buf);
	return is_codes;
}
