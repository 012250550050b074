/*
 * lsh_check.c
 *	  What hashidx_check() does to an index of hashidx_lsh.
 *
 * Each page is copied under a share lock and examined without it. Pages may be split
 * meanwhile, so only what no split changes is compared across pages: a page's lowest
 * key, and that its right sibling begins where it ends.
 *
 * Every row must be in each table once. For heapallindexed all entries are sorted by TID;
 * the keys of a row, in the order of tables, are the bytes that it is known by.
 */
#include "am/lsh/lsh.h"

#include "am/lsh/lsh_candidates.h"
#include "am/lsh/lsh_value.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/tuplesort.h"

typedef struct LshChecker
{
	HxCheck    *check;
	const LshCache *cache;
	BlockNumber pages[HX_PAGE_KIND_LAST + 1];	/* of each kind, as seen one by one */
	BlockNumber reached;		/* long pages that references lead to */
	Tuplesortstate *sort;		/* of entries by TID and key; NULL: not asked for */
	TupleTableSlot *slot;
} LshChecker;

/* Copies a block. */
static void
copy_page(Relation index, BlockNumber blk, char *copy)
{
	CHECK_FOR_INTERRUPTS();

	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	memcpy(copy, BufferGetPage(buf), BLCKSZ);
	UnlockReleaseBuffer(buf);
}

/* Copies a page that must be of that kind; false after a warning when it is not, or unsound. */
static bool
copy_linked_page(LshChecker *checker, BlockNumber from, BlockNumber blk, HxPageKind kind,
				 char *copy)
{
	HxCheck    *check = checker->check;

	if (blk < LSH_ROOT || blk >= RelationGetNumberOfBlocks(check->index))
	{
		hx_check_warn(check, from, "The page links to block %u.", blk);
		return false;
	}
	copy_page(check->index, blk, copy);
	if (PageIsNew(copy))
	{
		hx_check_warn(check, from, "The page links to block %u, which was never written.", blk);
		return false;
	}

	/* What is wrong with the page itself is told when all pages are looked at. */
	if (hx_page_problem(copy, HX_PAGE_ID_LSH) != NULL ||
		lsh_page_problem(copy, checker->cache->row_bytes) != NULL)
		return false;
	if (hx_page_opaque(copy)->kind != kind)
	{
		hx_check_warn(check, from, "The page links to block %u, which is of another kind.", blk);
		return false;
	}
	return true;
}

/* One row of one bucket. */
static void
check_row(LshChecker *checker, BlockNumber blk, uint32 key, const LshRow *row)
{
	if (!hx_check_is_plausible(checker->check, &row->tid))
	{
		hx_check_warn(checker->check, blk, "A row points to (%u,%u), which cannot be in the table.",
					  ItemPointerGetBlockNumberNoCheck(&row->tid),
					  ItemPointerGetOffsetNumberNoCheck(&row->tid));
		return;
	}
	if (checker->sort == NULL)
		return;
	ExecClearTuple(checker->slot);
	checker->slot->tts_values[0] = Int64GetDatum(lsh_tid_number(&row->tid));
	checker->slot->tts_values[1] = Int64GetDatum(key);
	checker->slot->tts_isnull[0] = checker->slot->tts_isnull[1] = false;
	ExecStoreVirtualTuple(checker->slot);
	tuplesort_puttupleslot(checker->sort, checker->slot);
}

/* The pages of a long bucket: all of its key, and not in circles. */
static void
check_long(LshChecker *checker, BlockNumber from, uint32 key, BlockNumber blk)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(checker->check->index);
	BlockNumber count = 0;

	while (blk != InvalidBlockNumber)
	{
		PGAlignedBlock copy;

		if (!copy_linked_page(checker, from, blk, HX_PAGE_LONG, copy.data))
			return;
		if (lsh_long(copy.data)->key != key)
		{
			hx_check_warn(checker->check, blk, "The page is of key %u, but linked to from key %u.",
						  lsh_long(copy.data)->key, key);
			return;
		}
		for (int i = 0; i < lsh_long(copy.data)->count; i++)
		{
			LshRow		row = lsh_long_row(copy.data, checker->cache->row_bytes, i);

			check_row(checker, blk, key, &row);
		}
		checker->reached++;
		if (count++ > blocks)
		{
			hx_check_warn(checker->check, from, "The pages of long bucket %u go in circles.", key);
			return;
		}
		from = blk;
		blk = hx_page_opaque(copy.data)->next;
	}
}

/* The rows of a bucket page. */
static void
check_buckets(LshChecker *checker, BlockNumber blk, Page page)
{
	const LshBucketPage *buckets = lsh_buckets(page);
	int			row_bytes = checker->cache->row_bytes;

	for (int i = 0; i < buckets->count; i++)
	{
		uint32		key = buckets->keys[i];
		LshRow		row = lsh_buckets_row(page, row_bytes, i);

		if (key < buckets->low || key > buckets->high)
			hx_check_warn(checker->check, blk, "Row %d has key %u, which does not belong here.", i, key);
		if (lsh_row_is_reference(&row))
			check_long(checker, blk, key, lsh_row_reference(&row));
		else
			check_row(checker, blk, key, &row);
	}
}

/* The right sibling of a page begins where the page ends; false when there is no such one. */
static bool
check_sibling(LshChecker *checker, BlockNumber blk, Page page, uint32 high)
{
	PGAlignedBlock copy;
	BlockNumber next = hx_page_opaque(page)->next;
	HxPageKind	kind = hx_page_opaque(page)->kind;

	if (high == LSH_MAX_KEY && next == InvalidBlockNumber)
		return false;
	if (high == LSH_MAX_KEY || next == InvalidBlockNumber)
	{
		hx_check_warn(checker->check, blk, "The page ends at key %u, but links to block %u.", high, next);
		return false;
	}
	if (!copy_linked_page(checker, blk, next, kind, copy.data))
		return false;

	uint32		low = kind == HX_PAGE_BUCKETS ? lsh_buckets(copy.data)->low :
		lsh_directory(copy.data)->low;

	if (low != high + 1)
		hx_check_warn(checker->check, blk, "The page ends at key %u, the next one begins at %u.", high, low);
	return low == high + 1;
}

/* A directory page and all that is below it. */
static void
check_directory(LshChecker *checker, BlockNumber blk, Page page, uint32 low, int level)
{
	const LshDirectoryPage *directory = lsh_directory(page);

	if (directory->low != low || directory->level != level)
	{
		hx_check_warn(checker->check, blk, "The page is not the one that the directory means.");
		return;
	}
	check_sibling(checker, blk, page, directory->high);
	for (int i = 0; i < directory->count; i++)
	{
		PGAlignedBlock copy;
		LshChild	child = directory->children[i];
		HxPageKind	kind = level == 0 ? HX_PAGE_BUCKETS : HX_PAGE_DIRECTORY;

		if (i == 0 ? child.low != low :
			child.low <= directory->children[i - 1].low || child.low > directory->high)
			hx_check_warn(checker->check, blk, "Entry %d has key %u, out of order.", i, child.low);
		if (!copy_linked_page(checker, blk, child.blk, kind, copy.data))
			continue;
		if (level > 0)
			check_directory(checker, child.blk, copy.data, child.low, level - 1);
		else if (lsh_buckets(copy.data)->low != child.low)
			hx_check_warn(checker->check, child.blk, "The page begins at key %u, the directory says %u.",
						  lsh_buckets(copy.data)->low, child.low);
	}
}

/* All pages, one by one; and from left to right the buckets, as they are linked. */
static void
check_pages(LshChecker *checker)
{
	Relation	index = checker->check->index;
	PGAlignedBlock copy;
	BlockNumber blk;

	for (blk = LSH_ROOT; blk < RelationGetNumberOfBlocks(index); blk++)
	{
		copy_page(index, blk, copy.data);
		if (PageIsNew(copy.data))
			continue;			/* left by a crash; vacuum adopts it */

		const char *problem = hx_page_problem(copy.data, HX_PAGE_ID_LSH);

		if (problem == NULL)
			problem = lsh_page_problem(copy.data, checker->cache->row_bytes);
		if (problem != NULL)
			hx_check_warn(checker->check, blk, "%s", problem);
		else
			checker->pages[hx_page_opaque(copy.data)->kind]++;
	}
}

/* All bucket pages from the first to the last, by their links, so that no split hides a row. */
static void
check_chain(LshChecker *checker)
{
	PGAlignedBlock copy;
	BlockNumber from = LSH_ROOT;
	BlockNumber blk = LSH_ROOT;
	int			level = LSH_MAX_LEVEL + 1;

	/* The leftmost pages of the directory, of falling levels, lead to the first bucket page. */
	do
	{
		if (!copy_linked_page(checker, from, blk, HX_PAGE_DIRECTORY, copy.data) ||
			lsh_directory(copy.data)->level >= level)
			return;
		level = lsh_directory(copy.data)->level;
		from = blk;
		blk = lsh_directory(copy.data)->children[0].blk;
	} while (level > 0);

	/* Each begins where the one before ends, so they have an end. */
	while (copy_linked_page(checker, from, blk, HX_PAGE_BUCKETS, copy.data))
	{
		check_buckets(checker, blk, copy.data);
		if (!check_sibling(checker, blk, copy.data, lsh_buckets(copy.data)->high))
			return;
		from = blk;
		blk = hx_page_opaque(copy.data)->next;
	}
}

/* The list of free pages: all of that kind, and not in circles. */
static void
check_free_pages(LshChecker *checker)
{
	Relation	index = checker->check->index;
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	BlockNumber count = 0;
	PGAlignedBlock copy;

	/* The metapage's lock keeps the list as it is. */
	Buffer		meta_buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_SHARE);
	for (BlockNumber blk = lsh_meta(BufferGetPage(meta_buf))->free; blk != InvalidBlockNumber;
		 blk = hx_page_opaque(copy.data)->next)
	{
		if (!copy_linked_page(checker, HX_METABLOCK, blk, HX_PAGE_FREE, copy.data))
			break;
		if (count++ > blocks)
		{
			hx_check_warn(checker->check, HX_METABLOCK, "The list of free pages goes in circles.");
			break;
		}
	}
	UnlockReleaseBuffer(meta_buf);
}

/* A sort of (TID, key) by both. */
static void
start_sort(LshChecker *checker)
{
	TupleDesc	desc = CreateTemplateTupleDesc(2);
	AttrNumber	columns[] = {1, 2};
	Oid			less[] = {Int8LessOperator, Int8LessOperator};
	Oid			collations[] = {InvalidOid, InvalidOid};
	bool		nulls_first[] = {false, false};

	TupleDescInitEntry(desc, 1, "tid", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, "key", INT8OID, -1, 0);
	checker->sort = tuplesort_begin_heap(desc, 2, columns, less, collations, nulls_first,
										 maintenance_work_mem, NULL, TUPLESORT_NONE);
	checker->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
}

/* The keys of one row are known: a row that is in all tables, once, is in the index. */
static void
finish_row(LshChecker *checker, uint64 number, const uint32 *keys, uint32 count)
{
	const LshCache *cache = checker->cache;
	uint32		table = 0;

	while (table < count && lsh_key_table(cache->table_bits, keys[table]) == table)
		table++;
	if (table == count && count == cache->shape.tables)
		hx_check_add_row(checker->check, lsh_tid(number), keys, count * sizeof(uint32));
}

/*
 * Shows the filter all rows. A row that is in some tables only is not there: it is one that
 * is being inserted or vacuumed, or whose insertion failed, or it is visible to the
 * snapshot and will be reported.
 */
static void
show_rows(LshChecker *checker)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(checker->slot->tts_tupleDescriptor,
													&TTSOpsMinimalTuple);
	uint32		keys[HX_LSH_MAX_TABLES];
	uint32		count = 0;
	uint64		current = 0;

	tuplesort_performsort(checker->sort);
	while (tuplesort_gettupleslot(checker->sort, true, false, slot, NULL))
	{
		bool		isnull;
		uint64		number = DatumGetInt64(slot_getattr(slot, 1, &isnull));
		uint32		key = (uint32) DatumGetInt64(slot_getattr(slot, 2, &isnull));

		CHECK_FOR_INTERRUPTS();
		if (number != current)
		{
			finish_row(checker, current, keys, count);
			current = number;
			count = 0;
		}
		/* A row that moved while we read may come twice. */
		if (count < HX_LSH_MAX_TABLES && (count == 0 || keys[count - 1] != key))
			keys[count++] = key;
	}
	finish_row(checker, current, keys, count);
	ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(checker->slot);
	tuplesort_end(checker->sort);
}

const void *
lsh_key_bytes(Relation index, Datum key, Size *bytes)
{
	LshValue	value = lsh_value(lsh_metric(index), key);
	LshCache   *cache = lsh_cache(index);
	uint64		family_keys[HX_LSH_MAX_TABLES];
	uint32	   *keys = palloc(HX_LSH_MAX_TABLES * sizeof(uint32));

	*bytes = cache->shape.tables * sizeof(uint32);
	if (cache->shape.tables == 0)
		return keys;
	lsh_value_check(index, &cache->shape, &value);
	hx_lsh_keys(lsh_cache_functions(cache), value.point,
				palloc(hx_lsh_scratch(lsh_cache_functions(cache))), family_keys);
	for (uint32 table = 0; table < cache->shape.tables; table++)
		keys[table] = lsh_key(cache->table_bits, table, family_keys[table]);
	return keys;
}

void
lsh_check(HxCheck *check)
{
	LshChecker	checker = {.check = check,.cache = lsh_cache(check->index)};
	PGAlignedBlock root;

	if (check->filter != NULL)
		start_sort(&checker);
	check_pages(&checker);
	if (copy_linked_page(&checker, HX_METABLOCK, LSH_ROOT, HX_PAGE_DIRECTORY, root.data))
		check_directory(&checker, LSH_ROOT, root.data, 0, lsh_directory(root.data)->level);
	check_chain(&checker);
	check_free_pages(&checker);
	if (checker.reached < checker.pages[HX_PAGE_LONG])
		hx_check_warn(check, LSH_ROOT, "%u pages of long buckets cannot be reached.",
					  checker.pages[HX_PAGE_LONG] - checker.reached);
	if (check->filter != NULL)
		show_rows(&checker);
}
