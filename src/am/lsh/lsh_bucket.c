/*
 * lsh_bucket.c
 *	  Reading the rows of one bucket, or of all buckets of a range of keys.
 *
 * One page at a time is locked, and none is pinned in between. Bucket pages are found by
 * key each time, so splits go unnoticed. A long bucket's page may be taken away by vacuum
 * while we are on our way to it; then it is no long page of that key any more, and the
 * bucket is read anew from its beginning.
 */
#include "am/lsh/lsh_bucket.h"

#include "am/lsh/lsh_tree.h"
#include "miscadmin.h"

/* Readings of a bucket after which its chain must be broken, for vacuum is not that fast. */
#define MANY_RESTARTS 1000

BlockNumber
lsh_bucket_head(Relation index, int row_bytes, uint32 key)
{
	Buffer		buf = lsh_find(index, row_bytes, key, BUFFER_LOCK_SHARE);
	int			place = lsh_buckets_reference(BufferGetPage(buf), row_bytes, key);
	BlockNumber head = InvalidBlockNumber;

	if (place >= 0)
	{
		LshRow		row = lsh_buckets_row(BufferGetPage(buf), row_bytes, place);

		head = lsh_row_reference(&row);
	}
	UnlockReleaseBuffer(buf);
	return head;
}

/* Locks a page if it is a long one of that key; InvalidBuffer: vacuum took it away. */
static Buffer
lock_long(Relation index, int row_bytes, uint32 key, BlockNumber blk)
{
	if (blk < LSH_FIRST_BLOCK || blk >= RelationGetNumberOfBlocks(index))
		hx_page_report_damage(index, blk, "A long bucket leads to this block.");

	Buffer		buf = ReadBuffer(index, blk);
	Page		page = BufferGetPage(buf);

	LockBuffer(buf, BUFFER_LOCK_SHARE);

	HxPageKind	kind = hx_page_check(index, buf, HX_PAGE_ID_LSH);
	const char *problem = lsh_page_problem(page, row_bytes);

	if (problem != NULL)
		hx_page_report_damage(index, blk, "%s", problem);
	if (kind == HX_PAGE_LONG && lsh_long(page)->key == key)
		return buf;
	UnlockReleaseBuffer(buf);
	return InvalidBuffer;
}

/* Offers the rows of a long bucket that begins at a block. */
static bool
read_long(Relation index, int row_bytes, uint32 key, BlockNumber blk, LshTake take, void *context)
{
	BlockNumber pages = 0;
	int			restarts = 0;
	bool		wants_more = true;

	while (blk != InvalidBlockNumber && wants_more)
	{
		CHECK_FOR_INTERRUPTS();

		Buffer		buf = lock_long(index, row_bytes, key, blk);

		if (!BufferIsValid(buf))
		{
			if (++restarts > MANY_RESTARTS)
				hx_page_report_damage(index, blk,
									  "A long bucket leads to this page, which is not one of its own.");
			blk = lsh_bucket_head(index, row_bytes, key);
			pages = 0;
			continue;
		}
		if (pages++ > RelationGetNumberOfBlocks(index))
			hx_page_report_damage(index, blk, "The pages of a long bucket go in circles.");

		Page		page = BufferGetPage(buf);

		for (int i = 0; i < lsh_long(page)->count && wants_more; i++)
		{
			LshRow		row = lsh_long_row(page, row_bytes, i);

			wants_more = take(key, &row, blk, context);
		}
		blk = hx_page_opaque(page)->next;
		UnlockReleaseBuffer(buf);
	}
	return wants_more;
}

bool
lsh_bucket_read(Relation index, int row_bytes, uint32 key, LshTake take, void *context)
{
	Buffer		buf = lsh_find(index, row_bytes, key, BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(buf);
	const LshBucketPage *buckets = lsh_buckets(page);
	BlockNumber head = InvalidBlockNumber;
	bool		wants_more = true;

	for (int i = 0; i < buckets->count && wants_more; i++)
	{
		if (buckets->keys[i] != key)
			continue;

		LshRow		row = lsh_buckets_row(page, row_bytes, i);

		if (lsh_row_is_reference(&row))
			head = lsh_row_reference(&row);
		else
			wants_more = take(key, &row, BufferGetBlockNumber(buf), context);
	}
	UnlockReleaseBuffer(buf);
	return wants_more && read_long(index, row_bytes, key, head, take, context);
}

/* A long bucket that a page refers to. */
typedef struct LongBucket
{
	uint32		key;
	BlockNumber head;
} LongBucket;

/* Offers the rows of one bucket page; the long buckets there are noted. Returns how many. */
static int
read_page(Relation index, int row_bytes, Buffer buf, uint32 last, LongBucket *longs,
		  bool *wants_more, LshTake take, void *context)
{
	Page		page = BufferGetPage(buf);
	const LshBucketPage *buckets = lsh_buckets(page);
	int			count = 0;

	for (int i = 0; i < buckets->count && *wants_more; i++)
	{
		LshRow		row = lsh_buckets_row(page, row_bytes, i);

		if (buckets->keys[i] > last)
			continue;
		if (lsh_row_is_reference(&row))
			longs[count++] = (LongBucket) {buckets->keys[i], lsh_row_reference(&row)};
		else
			*wants_more = take(buckets->keys[i], &row, BufferGetBlockNumber(buf), context);
	}
	return count;
}

bool
lsh_buckets_read(Relation index, int row_bytes, uint32 first, uint32 last,
				 LshTake take, void *context)
{
	LongBucket *longs = palloc(lsh_buckets_capacity(row_bytes) * sizeof(LongBucket));
	bool		wants_more = true;
	uint32		key = first;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();

		Buffer		buf = lsh_find(index, row_bytes, key, BUFFER_LOCK_SHARE);
		uint32		high = lsh_buckets(BufferGetPage(buf))->high;
		int			count = read_page(index, row_bytes, buf, last, longs, &wants_more,
									  take, context);

		UnlockReleaseBuffer(buf);
		for (int i = 0; i < count && wants_more; i++)
			wants_more = read_long(index, row_bytes, longs[i].key, longs[i].head, take, context);
		if (!wants_more || high >= last)
			break;
		key = high + 1;
	}
	pfree(longs);
	return wants_more;
}
