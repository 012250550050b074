/*
 * lsh_vacuum.c
 *	  ambulkdelete and amvacuumcleanup: one sequential pass, then the long buckets that
 *	  have lost rows.
 *
 * The pass must meet every row that was there when it began. Rows move only to pages that
 * a concurrent insert makes new. For as long as the pass runs there are therefore no free
 * pages: the list is emptied first, new pages come at the end of the file, where the pass
 * gets to them, and what it finds to be free is listed again at the end. If it does not
 * get there, the next vacuum finds them.
 */
#include "am/lsh/lsh.h"

#include "access/generic_xlog.h"
#include "am/common/vacuum.h"
#include "am/lsh/lsh_bucket.h"
#include "am/lsh/lsh_tree.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A growing list of numbers, of blocks or keys. */
typedef struct Numbers
{
	uint32	   *items;
	Size		count;
	Size		room;
} Numbers;

typedef struct LshVacuum
{
	IndexVacuumInfo *info;
	Relation	index;
	int			row_bytes;
	uint32		last_key;		/* of table 0, whose rows are counted */
	IndexBulkDeleteCallback callback;	/* NULL: only count */
	void	   *callback_state;
	IndexBulkDeleteResult *stats;
	Numbers		free;			/* blocks to be listed */
	Numbers		shrunk;			/* keys of long buckets that lost rows */
} LshVacuum;

static void
push(Numbers *numbers, uint32 number)
{
	if (numbers->count == numbers->room)
	{
		numbers->room = Max(numbers->room * 2, 256);
		numbers->items = numbers->items == NULL ? palloc(numbers->room * sizeof(uint32)) :
			repalloc_huge(numbers->items, mul_size(numbers->room, sizeof(uint32)));
	}
	numbers->items[numbers->count++] = number;
}

static bool
is_dead(LshVacuum *vacuum, const LshRow *row)
{
	return !lsh_row_is_reference(row) &&
		hx_vacuum_is_dead(vacuum->callback, vacuum->callback_state, row->tid);
}

/* LshKeep */
static bool
is_alive(uint32 key, const LshRow *row, void *context)
{
	return !is_dead(context, row);
}

/* Counts a row; true when it is dead. */
static bool
count_row(LshVacuum *vacuum, uint32 key, const LshRow *row)
{
	bool		dead = is_dead(vacuum, row);

	if (key <= vacuum->last_key && !lsh_row_is_reference(row))
	{
		vacuum->stats->num_index_tuples += !dead;
		vacuum->stats->tuples_removed += dead;
	}
	return dead;
}

/* Counts the rows of a page; how many are dead. */
static int
count_rows(LshVacuum *vacuum, Page page)
{
	int			dead = 0;

	if (hx_page_opaque(page)->kind == HX_PAGE_BUCKETS)
	{
		for (int i = 0; i < lsh_buckets(page)->count; i++)
		{
			LshRow		row = lsh_buckets_row(page, vacuum->row_bytes, i);

			dead += count_row(vacuum, lsh_buckets(page)->keys[i], &row);
		}
	}
	else if (hx_page_opaque(page)->kind == HX_PAGE_LONG)
	{
		for (int i = 0; i < lsh_long(page)->count; i++)
		{
			LshRow		row = lsh_long_row(page, vacuum->row_bytes, i);

			dead += count_row(vacuum, lsh_long(page)->key, &row);
		}
	}
	return dead;
}

/* Removes the dead rows of a page, which may have changed since they were counted. */
static void
remove_rows(LshVacuum *vacuum, Buffer buf)
{
	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	GenericXLogState *record = GenericXLogStart(vacuum->index);
	Page		page = GenericXLogRegisterBuffer(record, buf, 0);

	if (hx_page_opaque(page)->kind == HX_PAGE_BUCKETS)
		lsh_buckets_filter(page, vacuum->row_bytes, is_alive, vacuum);
	else
	{
		lsh_long_filter(page, vacuum->row_bytes, is_alive, vacuum);
		push(&vacuum->shrunk, lsh_long(page)->key);
	}
	GenericXLogFinish(record);
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);
}

static void
vacuum_page(LshVacuum *vacuum, BlockNumber blk)
{
	int			dead = 0;
	Buffer		buf = ReadBufferExtended(vacuum->index, MAIN_FORKNUM, blk, RBM_NORMAL,
										 vacuum->info->strategy);
	Page		page = BufferGetPage(buf);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	if (PageIsNew(page))
		push(&vacuum->free, blk);
	else
	{
		HxPageKind	kind = hx_page_check(vacuum->index, buf, HX_PAGE_ID_LSH);
		const char *problem = lsh_page_problem(page, vacuum->row_bytes);

		if (problem != NULL)
			hx_page_report_damage(vacuum->index, blk, "%s", problem);
		if (kind != HX_PAGE_FREE)
			dead = count_rows(vacuum, page);
		else if (vacuum->callback != NULL)
			push(&vacuum->free, blk);
	}
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);
	if (dead > 0)
		remove_rows(vacuum, buf);
	ReleaseBuffer(buf);
}

/* The metapage, exclusively locked. */
static Buffer
lock_meta(Relation index)
{
	Buffer		buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	hx_page_check(index, buf, HX_PAGE_ID_LSH);
	return buf;
}

/* Empties the list of free pages. */
static void
forget_free_pages(Relation index)
{
	Buffer		buf = lock_meta(index);

	if (lsh_meta(BufferGetPage(buf))->free != InvalidBlockNumber)
	{
		GenericXLogState *record = GenericXLogStart(index);

		lsh_meta(GenericXLogRegisterBuffer(record, buf, 0))->free = InvalidBlockNumber;
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
}

/*
 * Puts a page on the list of free ones, unless it is in use: a page that was all zero
 * when it was looked at may have been about to be written.
 */
static void
list_free_page(Relation index, BlockNumber blk)
{
	Buffer		buf = ReadBuffer(index, blk);
	Buffer		meta_buf = lock_meta(index);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	if (PageIsNew(BufferGetPage(buf)) ||
		hx_page_check(index, buf, HX_PAGE_ID_LSH) == HX_PAGE_FREE)
	{
		GenericXLogState *record = GenericXLogStart(index);
		Page		meta_page = GenericXLogRegisterBuffer(record, meta_buf, 0);
		Page		page = GenericXLogRegisterBuffer(record, buf, GENERIC_XLOG_FULL_IMAGE);

		lsh_page_free(page, blk, meta_page);
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
	UnlockReleaseBuffer(meta_buf);
}

/* Locks a page of a long bucket; only vacuum takes such pages away, so it is still there. */
static Buffer
lock_long(LshVacuum *vacuum, BlockNumber blk, uint32 key)
{
	Buffer		buf = lsh_lock_page(vacuum->index, vacuum->row_bytes, blk, HX_PAGE_LONG,
									BUFFER_LOCK_EXCLUSIVE);

	if (lsh_long(BufferGetPage(buf))->key != key)
		hx_page_report_damage(vacuum->index, blk, "The page is of key %u, but linked to from key %u.",
							  lsh_long(BufferGetPage(buf))->key, key);
	return buf;
}

/* Joins a page of a long bucket with the next if both fit one; returns the page to go on with. */
static BlockNumber
join_with_next(LshVacuum *vacuum, BlockNumber blk, uint32 key)
{
	Buffer		buf = lock_long(vacuum, blk, key);
	BlockNumber next = hx_page_opaque(BufferGetPage(buf))->next;

	if (next == blk)
		hx_page_report_damage(vacuum->index, blk, "A page of a long bucket links to itself.");
	if (next != InvalidBlockNumber)
	{
		Buffer		next_buf = lock_long(vacuum, next, key);

		if (lsh_long(BufferGetPage(buf))->count + lsh_long(BufferGetPage(next_buf))->count <=
			lsh_long_capacity(vacuum->row_bytes))
		{
			Buffer		meta_buf = lock_meta(vacuum->index);
			GenericXLogState *record = GenericXLogStart(vacuum->index);
			Page		page = GenericXLogRegisterBuffer(record, buf, 0);
			Page		next_page = GenericXLogRegisterBuffer(record, next_buf, 0);

			lsh_long_join(page, next_page, vacuum->row_bytes);
			lsh_page_free(next_page, next, GenericXLogRegisterBuffer(record, meta_buf, 0));
			GenericXLogFinish(record);
			UnlockReleaseBuffer(meta_buf);
			next = blk;
		}
		UnlockReleaseBuffer(next_buf);
	}
	UnlockReleaseBuffer(buf);
	return next;
}

/* LshKeep: all but the row of that key, which is a reference. */
static bool
is_other_key(uint32 key, const LshRow *row, void *context)
{
	return key != *(uint32 *) context;
}

/* A long bucket whose only page has no row left is none any more. */
static void
remove_if_empty(LshVacuum *vacuum, uint32 key)
{
	Relation	index = vacuum->index;
	Buffer		buf = lsh_find(index, vacuum->row_bytes, key, BUFFER_LOCK_EXCLUSIVE);
	int			place = lsh_buckets_reference(BufferGetPage(buf), vacuum->row_bytes, key);

	if (place >= 0)
	{
		LshRow		row = lsh_buckets_row(BufferGetPage(buf), vacuum->row_bytes, place);
		BlockNumber blk = lsh_row_reference(&row);
		Buffer		long_buf = lock_long(vacuum, blk, key);
		Page		long_page = BufferGetPage(long_buf);

		if (lsh_long(long_page)->count == 0 &&
			hx_page_opaque(long_page)->next == InvalidBlockNumber)
		{
			Buffer		meta_buf = lock_meta(index);
			GenericXLogState *record = GenericXLogStart(index);
			Page		page = GenericXLogRegisterBuffer(record, buf, 0);

			long_page = GenericXLogRegisterBuffer(record, long_buf, 0);
			lsh_buckets_filter(page, vacuum->row_bytes, is_other_key, &key);
			lsh_page_free(long_page, blk, GenericXLogRegisterBuffer(record, meta_buf, 0));
			GenericXLogFinish(record);
			UnlockReleaseBuffer(meta_buf);
			vacuum->stats->pages_deleted++;
		}
		UnlockReleaseBuffer(long_buf);
	}
	UnlockReleaseBuffer(buf);
}

/* Joins what is left of a long bucket. */
static void
shrink_long(LshVacuum *vacuum, uint32 key)
{
	BlockNumber blk = lsh_bucket_head(vacuum->index, vacuum->row_bytes, key);
	BlockNumber blocks = RelationGetNumberOfBlocks(vacuum->index);
	BlockNumber passed = 0;

	while (blk != InvalidBlockNumber)
	{
		vacuum_delay_point(false);

		BlockNumber next = join_with_next(vacuum, blk, key);

		if (next != blk && passed++ > blocks)
			hx_page_report_damage(vacuum->index, blk, "The pages of a long bucket go in circles.");
		blk = next;
	}
	remove_if_empty(vacuum, key);
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

/* Returns the space of long buckets, and lists all free pages. */
static void
return_space(LshVacuum *vacuum)
{
	Numbers    *shrunk = &vacuum->shrunk;

	qsort(shrunk->items, shrunk->count, sizeof(uint32), compare_numbers);
	for (Size i = 0; i < shrunk->count; i++)
	{
		if (i == 0 || shrunk->items[i] != shrunk->items[i - 1])
			shrink_long(vacuum, shrunk->items[i]);
	}
	for (Size i = vacuum->free.count; i-- > 0;)
	{
		vacuum_delay_point(false);
		list_free_page(vacuum->index, vacuum->free.items[i]);
	}
	vacuum->stats->pages_free += vacuum->free.count;
}

/* The pass over all pages; with callback NULL it only counts and adopts zero pages. */
static IndexBulkDeleteResult *
pass(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
	 IndexBulkDeleteCallback callback, void *callback_state)
{
	LshCache   *cache = lsh_cache(info->index);
	LshVacuum	vacuum = {
		.info = info,
		.index = info->index,
		.row_bytes = cache->row_bytes,
		.last_key = lsh_last_key(cache->table_bits),
		.callback = callback,
		.callback_state = callback_state,
	};
	BlockNumber blk = LSH_ROOT;
	BlockNumber blocks;

	vacuum.stats = hx_vacuum_begin(stats);
	if (callback != NULL)
		forget_free_pages(info->index);
	while (blk < (blocks = RelationGetNumberOfBlocks(info->index)))
	{
		for (; blk < blocks; blk++)
		{
			vacuum_delay_point(false);
			vacuum_page(&vacuum, blk);
		}
	}
	vacuum.stats->num_pages = blocks;
	return_space(&vacuum);

	uint64		rows = (uint64) vacuum.stats->num_index_tuples;

	hx_vacuum_write_counts(info->index, HX_PAGE_ID_LSH, offsetof(LshMetaPage, rows), &rows, 1);
	return vacuum.stats;
}

IndexBulkDeleteResult *
lsh_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
			   IndexBulkDeleteCallback callback, void *state)
{
	return pass(info, stats, callback, state);
}

IndexBulkDeleteResult *
lsh_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (info->analyze_only || stats != NULL)
		return stats;
	return pass(info, NULL, NULL, NULL);
}
