/*
 * hnsw_entries.c
 *	  Changes of the entry set; see hnsw_entries.h.
 */
#include "am/hnsw/hnsw_entries.h"

#include "access/generic_xlog.h"
#include "miscadmin.h"

uint8 *
hnsw_entry_make(const HnswShape *shape, const float *centre, HxNode node, const HnswQuery *query)
{
	uint8	   *entry = palloc0(hnsw_entry_bytes(shape));
	HxLink	   *link = (HxLink *) entry;
	HnswQuery	origin = {.shape = shape};

	/* The centre itself: its centred coordinates are zero. */
	if (shape->metric != HNSW_HAMMING)
		origin.y = palloc0(shape->link.dims * sizeof(float));
	hnsw_link_make(shape, centre, &origin, query, link, entry + sizeof(HxLink));
	link->node = node;
	if (origin.y != NULL)
		pfree(origin.y);
	return entry;
}

/* Exclusively locks an entries page, checked. */
static Buffer
lock_entries(Relation index, const HnswShape *shape, BlockNumber blk)
{
	if (blk < HNSW_FIRST_BLOCK || blk >= RelationGetNumberOfBlocks(index))
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
							  "The chain of entries leads to block %u.", blk);

	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	hnsw_check_kind(index, buf, HX_PAGE_ENTRIES);

	const char *problem = hnsw_entries_problem(shape, BufferGetPage(buf));

	if (problem != NULL)
		hx_page_report_damage(index, blk, "%s", problem);
	return buf;
}

void
hnsw_entries_append(const HnswShape *shape, Page page, const uint8 *entry)
{
	HnswEntriesPage *entries = hnsw_entries(page);

	memcpy(entries->data + entries->count++ * hnsw_entry_bytes(shape), entry,
		   hnsw_entry_bytes(shape));
}

/* The first page of the chain that has room, exclusively locked, or an invalid buffer. */
static Buffer
lock_page_with_room(Relation index, const HnswShape *shape, BlockNumber blk)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(index);

	for (BlockNumber seen = 0; blk != InvalidBlockNumber; seen++)
	{
		Buffer		buf = lock_entries(index, shape, blk);
		Page		page = BufferGetPage(buf);

		if (hnsw_entries(page)->count < hnsw_entries_capacity(shape))
			return buf;
		blk = hx_page_opaque(page)->next;
		UnlockReleaseBuffer(buf);
		if (seen > blocks)
			hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
								  "The chain of entries never ends.");
	}
	return InvalidBuffer;
}

void
hnsw_entries_add(Relation index, const HnswShape *shape, const uint8 *entry)
{
	Buffer		meta_buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);
	hnsw_check_kind(index, meta_buf, HX_PAGE_META);

	Buffer		buf = lock_page_with_room(index, shape,
										  hnsw_meta(BufferGetPage(meta_buf))->entries);
	bool		is_new = !BufferIsValid(buf);

	if (is_new)
		buf = hx_page_extend(index);

	GenericXLogState *record = GenericXLogStart(index);
	HnswMetaPage *meta = hnsw_meta(GenericXLogRegisterBuffer(record, meta_buf, 0));
	Page		page = GenericXLogRegisterBuffer(record, buf, is_new ? GENERIC_XLOG_FULL_IMAGE : 0);

	/* A new page becomes the first one. */
	if (is_new)
	{
		hnsw_page_init(page, HX_PAGE_ENTRIES);
		hx_page_opaque(page)->next = meta->entries;
		meta->entries = BufferGetBlockNumber(buf);
	}
	hnsw_entries_append(shape, page, entry);
	meta->entry_version++;
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
	UnlockReleaseBuffer(meta_buf);
}

/* The entries of a page as they shall be; those behind `seen` were added since they were read. */
typedef struct Entries
{
	unsigned	seen;
	unsigned	count;
	uint8	   *data;
} Entries;

/* Exchanges the entries that were seen on a page. The page's other entries move up. */
static void
write_entries(Relation index, const HnswShape *shape, BlockNumber blk, const Entries *entries)
{
	Size		bytes = hnsw_entry_bytes(shape);
	Buffer		meta_buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);
	hnsw_check_kind(index, meta_buf, HX_PAGE_META);

	Buffer		buf = lock_entries(index, shape, blk);
	GenericXLogState *record = GenericXLogStart(index);
	HnswMetaPage *meta = hnsw_meta(GenericXLogRegisterBuffer(record, meta_buf, 0));
	HnswEntriesPage *page = hnsw_entries(GenericXLogRegisterBuffer(record, buf, 0));
	unsigned	added = page->count - entries->seen;

	memmove(page->data + entries->count * bytes, page->data + entries->seen * bytes, added * bytes);
	memcpy(page->data, entries->data, entries->count * bytes);
	page->count = entries->count + added;
	meta->entry_version++;
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
	UnlockReleaseBuffer(meta_buf);
}

/* Replaces the entries of one page; returns the next one of the chain. */
static BlockNumber
replace_on_page(Relation index, const HnswShape *shape, BlockNumber blk,
				HnswReplaceEntry replace, void *context)
{
	Size		bytes = hnsw_entry_bytes(shape);
	uint8	   *seen = palloc(BLCKSZ);
	Entries		entries = {.data = palloc(BLCKSZ)};
	Buffer		buf = lock_entries(index, shape, blk);
	Page		page = BufferGetPage(buf);
	BlockNumber next = hx_page_opaque(page)->next;
	bool		changed = false;

	entries.seen = hnsw_entries(page)->count;
	memcpy(seen, hnsw_entries(page)->data, entries.seen * bytes);
	UnlockReleaseBuffer(buf);

	for (unsigned i = 0; i < entries.seen; i++)
	{
		const uint8 *entry = replace(context, seen + i * bytes);

		changed |= entry != seen + i * bytes;
		if (entry != NULL)
			memcpy(entries.data + entries.count++ * bytes, entry, bytes);
	}
	if (changed)
		write_entries(index, shape, blk, &entries);
	pfree(entries.data);
	pfree(seen);
	return next;
}

void
hnsw_entries_replace(Relation index, const HnswShape *shape, HnswReplaceEntry replace,
					 void *context)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	Buffer		meta_buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_SHARE);
	hnsw_check_kind(index, meta_buf, HX_PAGE_META);

	BlockNumber blk = hnsw_meta(BufferGetPage(meta_buf))->entries;

	UnlockReleaseBuffer(meta_buf);
	for (BlockNumber seen = 0; blk != InvalidBlockNumber && seen < blocks; seen++)
	{
		CHECK_FOR_INTERRUPTS();
		blk = replace_on_page(index, shape, blk, replace, context);
	}
}
