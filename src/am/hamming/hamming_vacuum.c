/*
 * hamming_vacuum.c
 *	  ambulkdelete and amvacuumcleanup: one sequential pass.
 *
 * A page is first read under a share lock. Only if it has dead rows is it locked again,
 * exclusively and after the metapage. One WAL record rewrites it without them, and puts it on the
 * list of pages with room if that is worth it. Rows of codes pages never move to another page, so
 * no scan can miss one. When a leaf of a chunk table is divided, rows move to a new page at the
 * end of the file; so the pass goes on until it has reached the end that the file has by then.
 */
#include "am/common/vacuum.h"
#include "am/hamming/hamming_list.h"

#include "access/generic_xlog.h"
#include "commands/vacuum.h"
#include "miscadmin.h"

typedef struct HammingVacuum
{
	IndexVacuumInfo *info;
	Relation	index;
	HammingShape shape;
	HammingShape leaf_shape;
	bool		adopts;			/* makes codes pages of pages that a crash left new */
	IndexBulkDeleteCallback callback;	/* NULL: only count */
	void	   *callback_state;
	IndexBulkDeleteResult *stats;
	HammingPacker packer;
	uint64		codes;			/* counted so far */
} HammingVacuum;

static bool
is_dead(HammingVacuum *vacuum, ItemPointerData tid)
{
	return hx_vacuum_is_dead(vacuum->callback, vacuum->callback_state, tid);
}

/* HammingKeep */
static bool
is_alive(const uint8 *code, const HammingRow *row, void *context)
{
	ItemPointerData tid = row->tid;

	return !is_dead(context, tid);
}

/* The dead rows of a codes page or a leaf. */
static int
count_dead(HammingVacuum *vacuum, const HammingView *view)
{
	int			dead = 0;

	for (int i = 0; i < view->row_count; i++)
	{
		bool		continues;
		HammingRow	row = hamming_view_row(view, i, &continues);

		dead += is_dead(vacuum, row.tid);
	}
	return dead;
}

/* The rows of a codes page: counts them all and the dead ones. */
static int
count_dead_rows(HammingVacuum *vacuum, Buffer buf)
{
	HammingView view = hamming_checked_view(vacuum->index, &vacuum->shape, buf,
											BufferGetPage(buf));
	int			dead = count_dead(vacuum, &view);

	vacuum->stats->num_index_tuples += view.row_count - dead;
	vacuum->stats->tuples_removed += dead;
	vacuum->stats->pages_free += (view.row_count == dead);
	vacuum->codes += view.planes.count;
	return dead;
}

/* Is the item the payload of a dead row? */
static bool
is_dead_payload(HammingVacuum *vacuum, BlockNumber blk, Page page, OffsetNumber off)
{
	if (!ItemIdIsUsed(PageGetItemId(page, off)))
		return false;

	IndexTuple	payload = hamming_payload_at(page, off);

	if (payload == NULL)
		hx_page_report_damage(vacuum->index, blk, "Item %u does not lie within the page.", off);
	return is_dead(vacuum, payload->t_tid);
}

static int
count_dead_payloads(HammingVacuum *vacuum, BlockNumber blk, Page page)
{
	int			dead = 0;

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
		dead += is_dead_payload(vacuum, blk, page, off);
	return dead;
}

/*
 * Rewrites a codes page or a leaf without its dead rows; returns the bytes that are
 * then free.
 */
static int
remove_rows(HammingVacuum *vacuum, const HammingShape *shape, Buffer buf, Page page)
{
	HammingView view = hamming_checked_view(vacuum->index, shape, buf, page);

	vacuum->packer.shape = *shape;
	if (!hamming_packer_load(&vacuum->packer, &view, is_alive, vacuum))
		hamming_report_runs(vacuum->index, buf);
	hamming_packer_store(&vacuum->packer, page);
	return hamming_packer_free_bytes(&vacuum->packer);
}

/* Removes the payloads of dead rows; line pointers stay, for rows point to them. */
static int
remove_payloads(HammingVacuum *vacuum, BlockNumber blk, Page page)
{
	for (OffsetNumber off = PageGetMaxOffsetNumber(page); off >= FirstOffsetNumber; off--)
	{
		if (is_dead_payload(vacuum, blk, page, off))
		{
			PageIndexTupleDeleteNoCompact(page, off);
			PageSetHasFreeLinePointers(page);
		}
	}
	return PageGetFreeSpace(page);
}

/* Rewrites a page that has dead rows, or makes an empty one of a page that a crash left new. */
static void
rewrite_page(HammingVacuum *vacuum, Buffer buf)
{
	Relation	index = vacuum->index;
	Buffer		meta_buf = ReadBuffer(index, HX_METABLOCK);
	HammingList list = HAMMING_LIST_CODES;
	int			free_bytes;

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);
	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	bool		is_new = PageIsNew(BufferGetPage(buf));
	GenericXLogState *record = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(record, buf, is_new ? GENERIC_XLOG_FULL_IMAGE : 0);

	if (is_new)
	{
		hamming_codes_init(page, &vacuum->shape);
		free_bytes = HAMMING_CODES_SPACE;
	}
	else if (hx_page_opaque(page)->kind == HX_PAGE_CODES)
		free_bytes = remove_rows(vacuum, &vacuum->shape, buf, page);
	else
	{
		free_bytes = remove_payloads(vacuum, BufferGetBlockNumber(buf), page);
		list = HAMMING_LIST_PAYLOAD;
	}

	if (free_bytes >= HAMMING_ROOM_WORTH_LISTING && !(hx_page_opaque(page)->flags & HX_PAGE_LISTED))
		hamming_list_push(GenericXLogRegisterBuffer(record, meta_buf, 0), list,
						  page, BufferGetBlockNumber(buf));
	GenericXLogFinish(record);
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);
	UnlockReleaseBuffer(meta_buf);
}

/* Rewrites a leaf that had dead rows, unless it has become the inner page of a root since. */
static void
rewrite_leaf(HammingVacuum *vacuum, Buffer buf)
{
	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	if (hx_page_check(vacuum->index, buf, HX_PAGE_ID_HAMMING) == HX_PAGE_CHUNK_LEAF)
	{
		GenericXLogState *record = GenericXLogStart(vacuum->index);

		remove_rows(vacuum, &vacuum->leaf_shape, buf, GenericXLogRegisterBuffer(record, buf, 0));
		GenericXLogFinish(record);
	}
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);
}

/* Has the leaf in a share-locked buffer dead rows? */
static bool
leaf_has_dead(HammingVacuum *vacuum, Buffer buf)
{
	HammingView view = hamming_checked_view(vacuum->index, &vacuum->leaf_shape, buf,
											BufferGetPage(buf));

	return count_dead(vacuum, &view) > 0;
}

static void
vacuum_page(HammingVacuum *vacuum, BlockNumber blk)
{
	bool		rewrite = false;
	HxPageKind	kind = HX_PAGE_CODES;
	Buffer		buf = ReadBufferExtended(vacuum->index, MAIN_FORKNUM, blk, RBM_NORMAL,
										 vacuum->info->strategy);
	Page		page = BufferGetPage(buf);

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	if (!PageIsNew(page))
		kind = hamming_page_kind(vacuum->index, &vacuum->shape, buf);
	if (PageIsNew(page))
	{
		rewrite = vacuum->adopts;
		vacuum->stats->pages_free++;
	}
	else if (kind == HX_PAGE_CODES)
		rewrite = count_dead_rows(vacuum, buf) > 0;
	else if (kind == HX_PAGE_PAYLOAD)
		rewrite = count_dead_payloads(vacuum, blk, page) > 0;
	else if (kind == HX_PAGE_CHUNK_LEAF)
		rewrite = leaf_has_dead(vacuum, buf);
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);

	if (rewrite && kind == HX_PAGE_CHUNK_LEAF)
		rewrite_leaf(vacuum, buf);
	else if (rewrite)
		rewrite_page(vacuum, buf);
	ReleaseBuffer(buf);
}

/* Tells the metapage the counts. */
static void
write_counts(HammingVacuum *vacuum)
{
	const uint64 counts[] = {(uint64) vacuum->stats->num_index_tuples, vacuum->codes};

	StaticAssertStmt(offsetof(HammingMetaPage, codes) ==
					 offsetof(HammingMetaPage, rows) + sizeof(uint64),
					 "the counts lie side by side");
	hx_vacuum_write_counts(vacuum->index, HX_PAGE_ID_HAMMING, offsetof(HammingMetaPage, rows),
						   counts, lengthof(counts));
}

/* The pass over all pages; with callback NULL it only counts and adopts new pages. */
static IndexBulkDeleteResult *
pass(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
	 IndexBulkDeleteCallback callback, void *callback_state)
{
	const HammingCache *cache = hamming_cache(info->index);
	HammingVacuum vacuum = {
		.info = info,
		.index = info->index,
		.shape = cache->shape,
		.leaf_shape = cache->leaf_shape,
		.adopts = cache->shape.bits > 0 && cache->method == HAMMING_METHOD_SCAN,
		.callback = callback,
		.callback_state = callback_state,
	};
	BlockNumber blocks = RelationGetNumberOfBlocks(info->index);

	vacuum.stats = hx_vacuum_begin(stats);
	hamming_packer_init(&vacuum.packer, &vacuum.shape);
	for (BlockNumber blk = HAMMING_FIRST_BLOCK; blk < blocks;)
	{
		vacuum_delay_point(false);
		vacuum_page(&vacuum, blk++);
		if (blk == blocks)
			blocks = RelationGetNumberOfBlocks(info->index);
	}
	vacuum.stats->num_pages = blocks;
	hamming_packer_free(&vacuum.packer);
	write_counts(&vacuum);
	return vacuum.stats;
}

IndexBulkDeleteResult *
hamming_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
				   IndexBulkDeleteCallback callback, void *state)
{
	return pass(info, stats, callback, state);
}

IndexBulkDeleteResult *
hamming_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (info->analyze_only || stats != NULL)
		return stats;
	return pass(info, NULL, NULL, NULL);
}
