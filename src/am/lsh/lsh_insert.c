/*
 * lsh_insert.c
 *	  aminsert: adds one row to its bucket in each table.
 *
 * One page is changed and one WAL record written for each table. The records are not
 * tied to each other: a crash between them leaves a row, whose transaction is then
 * undone, in some of its tables. README has locks and pseudo-code.
 */
#include "am/lsh/lsh_tree.h"
#include "am/lsh/lsh_value.h"

#include "access/generic_xlog.h"
#include "miscadmin.h"

/* What is added. */
typedef struct LshEntry
{
	uint32		key;
	ItemPointerData tid;
	const uint8 *sketch;
} LshEntry;

/* Gives a long bucket one more page, with the row on it, in front of the others. */
static void
grow_long(Relation index, int row_bytes, Buffer buf, int place, BlockNumber head,
		  const LshEntry *entry)
{
	LshNewPage	new_page = lsh_new_page(index, row_bytes);
	GenericXLogState *record = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(record, buf, 0);
	Page		long_page = lsh_new_page_register(record, &new_page);

	lsh_long_init(long_page, entry->key);
	hx_page_opaque(long_page)->next = head;
	lsh_long_append(long_page, row_bytes, entry->tid, entry->sketch);
	lsh_buckets_set_reference(page, row_bytes, place, BufferGetBlockNumber(new_page.buf));
	GenericXLogFinish(record);
	lsh_new_page_release(&new_page);
}

/* Adds the row to the long bucket that reference number `place` of a bucket page leads to. */
static void
add_to_long(Relation index, int row_bytes, Buffer buf, int place, const LshEntry *entry)
{
	LshRow		reference = lsh_buckets_row(BufferGetPage(buf), row_bytes, place);
	BlockNumber head = lsh_row_reference(&reference);
	Buffer		head_buf = lsh_lock_page(index, row_bytes, head, HX_PAGE_LONG,
										 BUFFER_LOCK_EXCLUSIVE);
	const LshLongPage *contents = lsh_long(BufferGetPage(head_buf));

	if (contents->key != entry->key)
		hx_page_report_damage(index, head, "The page is of key %u, but linked to from key %u.",
							  contents->key, entry->key);
	if (contents->count >= lsh_long_capacity(row_bytes))
		grow_long(index, row_bytes, buf, place, head, entry);
	else
	{
		Page		page = BufferGetPage(head_buf);
		HxPageRange ranges[HX_PAGE_MAX_RANGES];

		hx_page_log_prepare();
		START_CRIT_SECTION();
		lsh_long_append(page, row_bytes, entry->tid, entry->sketch);
		hx_page_log(index, head_buf, ranges, lsh_long_appended(page, row_bytes, ranges));
		END_CRIT_SECTION();
	}
	UnlockReleaseBuffer(head_buf);
}

/* Moves a bucket that crowds its page to pages of its own. */
static void
make_long(Relation index, int row_bytes, Buffer buf, uint32 key)
{
	LshNewPage	new_page = lsh_new_page(index, row_bytes);
	GenericXLogState *record = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(record, buf, 0);
	Page		long_page = lsh_new_page_register(record, &new_page);

	lsh_buckets_extract(page, row_bytes, key, long_page, BufferGetBlockNumber(new_page.buf));
	GenericXLogFinish(record);
	lsh_new_page_release(&new_page);
}

/* Tries to put the row on its bucket page, which is locked; false: that must be split first. */
static bool
add_to_page(Relation index, int row_bytes, Buffer buf, const LshEntry *entry)
{
	for (;;)
	{
		Page		page = BufferGetPage(buf);
		int			place = lsh_buckets_reference(page, row_bytes, entry->key);
		uint32		crowd;

		if (place >= 0)
		{
			add_to_long(index, row_bytes, buf, place, entry);
			return true;
		}
		if (lsh_buckets(page)->count < lsh_buckets_capacity(row_bytes))
		{
			HxPageRange ranges[HX_PAGE_MAX_RANGES];

			hx_page_log_prepare();
			START_CRIT_SECTION();
			lsh_buckets_append(page, row_bytes, entry->key, entry->tid, entry->sketch);
			hx_page_log(index, buf, ranges, lsh_buckets_appended(page, row_bytes, ranges));
			END_CRIT_SECTION();
			return true;
		}
		if (!lsh_buckets_crowd(page, row_bytes, &crowd))
			return false;
		make_long(index, row_bytes, buf, crowd);
	}
}

static void
add_entry(Relation index, int row_bytes, const LshEntry *entry)
{
	for (;;)
	{
		Buffer		buf = lsh_find(index, row_bytes, entry->key, BUFFER_LOCK_EXCLUSIVE);
		bool		added = add_to_page(index, row_bytes, buf, entry);

		UnlockReleaseBuffer(buf);
		if (added)
			return;
		CHECK_FOR_INTERRUPTS();
		lsh_split(index, row_bytes, entry->key);
	}
}

/* Fixes the index's shape at its first row; another backend may have been first. */
static void
fix_shape(Relation index, const LshValue *value)
{
	LshMetric	metric = lsh_metric(index);
	HxLshShape	wish = lsh_wished_shape(index, metric, value);
	LshTuned   *tuned = palloc(sizeof(LshTuned));

	lsh_tune_blindly(metric, &wish, value, tuned);

	Buffer		buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	hx_page_check(index, buf, HX_PAGE_ID_LSH);
	if (lsh_meta(BufferGetPage(buf))->shape.tables == 0)
	{
		GenericXLogState *record = GenericXLogStart(index);

		lsh_meta_set_tuning(lsh_meta(GenericXLogRegisterBuffer(record, buf, 0)), tuned);
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
	pfree(tuned);
}

bool
lsh_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
		   Relation heap, IndexUniqueCheck unique, bool unchanged, IndexInfo *info)
{
	if (isnull[0])
		return false;

	/* What may detoast comes first: opening a TOAST table can make the server forget the cache. */
	LshValue	value = lsh_value(lsh_metric(index), values[0]);

	if (lsh_cache(index)->shape.tables == 0)
		fix_shape(index, &value);

	LshCache   *cache = lsh_cache(index);
	const HxLsh *lsh = lsh_cache_functions(cache);
	uint64		keys[HX_LSH_MAX_TABLES];
	uint8		sketch[HX_LSH_MAX_SKETCH];
	void	   *scratch = palloc(hx_lsh_scratch(lsh));

	lsh_value_check(index, &cache->shape, &value);
	hx_lsh_keys(lsh, value.point, scratch, keys);
	hx_lsh_sketch(lsh, value.point, scratch, sketch);
	for (uint32 table = 0; table < cache->shape.tables; table++)
	{
		LshEntry	entry = {lsh_key(cache->table_bits, table, keys[table]), *tid, sketch};

		add_entry(index, cache->row_bytes, &entry);
	}
	return false;
}
