/*
 * hamming_extents.c
 *	  The list of codes pages of an index with chunk tables; see hamming_extents.h.
 */
#include "am/hamming/hamming_extents.h"

#include "miscadmin.h"

/* An empty page before those which the list has. */
static void
init_page(Page page, BlockNumber next)
{
	hx_page_init(page, HX_PAGE_EXTENTS, HX_PAGE_ID_HAMMING);
	hx_page_opaque(page)->next = next;
}

/* The extents of a locked page, or damage. */
static HammingExtent *
checked_extents(Relation index, Buffer buf, int *count)
{
	hx_page_check(index, buf, HX_PAGE_ID_HAMMING);

	HammingExtent *extents = hamming_extents(BufferGetPage(buf), RelationGetNumberOfBlocks(index),
											 count);

	if (extents == NULL)
		hx_page_report_damage(index, BufferGetBlockNumber(buf),
							  "The list of codes pages is damaged.");
	return extents;
}

Buffer
hamming_extents_open(Relation index, BlockNumber head)
{
	int			count;

	if (head != 0)
	{
		Buffer		buf = ReadBuffer(index, head);

		LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
		checked_extents(index, buf, &count);
		if (count < (int) HAMMING_MAX_EXTENTS)
			return buf;
		UnlockReleaseBuffer(buf);
	}
	return hx_page_extend(index);
}

void
hamming_extents_note(GenericXLogState *record, Page meta_page, Buffer buf, BlockNumber blk)
{
	bool		is_new = PageIsNew(BufferGetPage(buf));
	Page		page = GenericXLogRegisterBuffer(record, buf, is_new ? GENERIC_XLOG_FULL_IMAGE : 0);
	HammingMetaPage *meta = hamming_meta(meta_page);

	if (is_new)
	{
		init_page(page, meta->extents == 0 ? InvalidBlockNumber : meta->extents);
		meta->extents = BufferGetBlockNumber(buf);
	}
	hamming_extents_add(page, (HammingExtent) {.first = blk,.count = 1});
}

BlockNumber
hamming_extents_build(Relation index, const HammingExtent *extents, int count)
{
	BlockNumber head = InvalidBlockNumber;

	for (int i = 0; i < count;)
	{
		Buffer		buf = hx_page_extend(index);

		init_page(BufferGetPage(buf), head);
		head = BufferGetBlockNumber(buf);
		while (i < count && hamming_extents_add(BufferGetPage(buf), extents[i]))
			i++;
		MarkBufferDirty(buf);
		UnlockReleaseBuffer(buf);
	}
	return head == InvalidBlockNumber ? 0 : head;
}

static int
compare_extents(const void *a, const void *b)
{
	BlockNumber first_a = ((const HammingExtent *) a)->first;
	BlockNumber first_b = ((const HammingExtent *) b)->first;

	return first_a < first_b ? -1 : first_a > first_b;
}

/* The head of the list, 0 when there is none. */
static BlockNumber
read_head(Relation index)
{
	Buffer		buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	hx_page_check(index, buf, HX_PAGE_ID_HAMMING);

	BlockNumber head = hamming_meta(BufferGetPage(buf))->extents;

	UnlockReleaseBuffer(buf);
	return head;
}

/* All blocks but the metapage: what an index without chunk tables consists of. */
static HammingExtent *
whole_index(Relation index, int *count)
{
	HammingExtent *whole = palloc(sizeof(HammingExtent));

	whole->first = HAMMING_FIRST_BLOCK;
	whole->count = RelationGetNumberOfBlocks(index) - HAMMING_FIRST_BLOCK;
	*count = 1;
	return whole;
}

HammingExtent *
hamming_codes_extents(Relation index, int *count)
{
	if (hamming_cache(index)->method == HAMMING_METHOD_SCAN)
		return whole_index(index, count);

	BlockNumber blk = read_head(index);
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	HammingExtent *all = palloc(sizeof(HammingExtent));
	int			found = 0;

	for (BlockNumber pages = 0; blk != 0 && blk != InvalidBlockNumber; pages++)
	{
		CHECK_FOR_INTERRUPTS();
		if (blk >= blocks || pages > blocks)
			hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
								  "The list of codes pages leads to block %u.", blk);

		Buffer		buf = ReadBuffer(index, blk);
		int			more;

		LockBuffer(buf, BUFFER_LOCK_SHARE);

		const HammingExtent *extents = checked_extents(index, buf, &more);

		all = repalloc_huge(all, mul_size(found + more + 1, sizeof(HammingExtent)));
		memcpy(all + found, extents, more * sizeof(HammingExtent));
		found += more;
		blk = hx_page_opaque(BufferGetPage(buf))->next;
		UnlockReleaseBuffer(buf);
	}
	qsort(all, found, sizeof(HammingExtent), compare_extents);
	*count = found;
	return all;
}
