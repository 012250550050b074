/*
 * hnsw_cache.c
 *	  What a backend caches of an index: the shape, the centre, and the entry set ready for
 *	  scanning. Also the checks of pages that all parts share.
 *
 * The cache is one chunk, as rd_amcache must be: the struct, then the centre, the entries' links
 * and their codes.
 */
#include "am/hnsw/hnsw.h"

#include "am/common/meta.h"
#include "miscadmin.h"
#include "utils/memutils.h"

void
hnsw_check_kind(Relation index, Buffer buf, HxPageKind kind)
{
	if (hx_page_check(index, buf, HX_PAGE_ID_HNSW) != kind)
		hx_page_report_damage(index, BufferGetBlockNumber(buf),
							  "The page is of another kind than is looked for here.");
}

HnswNodeHead *
hnsw_read_node(Relation index, const HnswShape *shape, Buffer buf, HxNode node)
{
	Page		page = BufferGetPage(buf);

	if (PageIsNew(page))
		return NULL;
	hnsw_check_kind(index, buf, HX_PAGE_NODES);

	HnswNodeHead *head = hnsw_node_head(shape, page, hnsw_node_slot(shape, node));
	const char *problem = hnsw_node_problem(shape, head);

	if (problem != NULL)
		hx_page_report_damage(index, BufferGetBlockNumber(buf), "%s", problem);
	return head->state == HNSW_FREE ? NULL : head;
}

Buffer
hnsw_lock_nodes(Relation index, const HnswShape *shape, BufferAccessStrategy strategy,
				BlockNumber blk, BlockNumber *next)
{
	Buffer		buf = ReadBufferExtended(index, MAIN_FORKNUM, blk, RBM_NORMAL, strategy);
	HxPageKind	kind = 0;

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	/* A page that a crash left behind before its first record is empty. */
	if (!PageIsNew(BufferGetPage(buf)))
		kind = hx_page_check(index, buf, HX_PAGE_ID_HNSW);
	*next = hnsw_next_block(shape, blk, kind);
	if (kind == HX_PAGE_NODES)
		return buf;
	UnlockReleaseBuffer(buf);
	return InvalidBuffer;
}

/* The shape that the metapage tells. */
static HnswShape
stored_shape(Relation index, const HnswMetaPage *meta)
{
	HnswShape	declared = hnsw_declared_shape(index);
	HnswShape	shape = {
		.metric = declared.metric,
		.stored = meta->stored,
		.dims = meta->dims,
		.seed = meta->seed,
		.m = meta->m,
		.link.bits = meta->code_bits,
		.tail_pages = meta->tail_pages,
	};

	if (meta->dims == 0)
		return declared;
	if (meta->metric != (uint8) declared.metric ||
		(declared.dims != 0 && declared.dims != meta->dims) ||
		meta->stored > HX_STORED_INT8 || meta->m < 1 || meta->m > HX_MAX_LINKS ||
		meta->code_bits < 1 || meta->code_bits > 2 ||
		meta->dims > 8 * BLCKSZ || meta->curve_points > HNSW_MAX_CURVE_POINTS ||
		!hnsw_shape_complete(&shape))
		hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
							  "The metapage contradicts the definition of the index.");
	return shape;
}

/* Visits a page of a chain, its buffer share-locked. */
typedef void (*VisitPage) (HnswCache *cache, Page page, void *state);

/* Visits the pages of a chain in order, checking each. */
static void
walk_chain(Relation index, HnswCache *cache, BlockNumber blk, HxPageKind kind,
		   VisitPage visit, void *state)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(index);

	for (BlockNumber seen = 0; blk != InvalidBlockNumber; seen++)
	{
		CHECK_FOR_INTERRUPTS();
		if (blk >= blocks || seen > blocks)
			hx_page_report_damage(index, (BlockNumber) HX_METABLOCK,
								  "A chain of pages leaves the index or never ends.");

		Buffer		buf = ReadBuffer(index, blk);

		LockBuffer(buf, BUFFER_LOCK_SHARE);
		hnsw_check_kind(index, buf, kind);

		Page		page = BufferGetPage(buf);
		const char *problem = kind == HX_PAGE_CENTRE ? hnsw_centre_problem(page) :
			hnsw_entries_problem(&cache->shape, page);

		if (problem != NULL)
			hx_page_report_damage(index, blk, "%s", problem);
		visit(cache, page, state);
		blk = hx_page_opaque(page)->next;
		UnlockReleaseBuffer(buf);
	}
}

/* Takes over a centre page; state counts the coordinates so far. */
static void
take_centre(HnswCache *cache, Page page, void *state)
{
	uint32	   *taken = state;
	const HnswCentrePage *stored = hnsw_centre(page);
	uint32		count = Min(stored->count, cache->shape.link.dims - *taken);

	memcpy(cache->centre + *taken, stored->value, count * sizeof(float));
	*taken += count;
}

/* Counts entries; state is the count. */
static void
count_entries(HnswCache *cache, Page page, void *state)
{
	*(uint32 *) state += hnsw_entries(page)->count;
}

/* Takes over an entries page, as far as the chunk has room: more may have come since the count. */
static void
take_entries(HnswCache *cache, Page page, void *state)
{
	const HnswShape *shape = &cache->shape;
	uint32		room = *(const uint32 *) state;
	const HnswEntriesPage *stored = hnsw_entries(page);

	for (uint32 i = 0; i < stored->count && cache->entry_count < room; i++)
	{
		const uint8 *entry = stored->data + i * hnsw_entry_bytes(shape);
		const uint8 *code = entry + sizeof(HxLink);

		memcpy(&cache->entries[cache->entry_count], entry, sizeof(HxLink));
		if (shape->metric == HNSW_HAMMING)
			memcpy(cache->entry_blocks + (Size) cache->entry_count * shape->code_bytes, code,
				   shape->code_bytes);
		else
			hx_link_block_put(&shape->link, cache->entry_blocks, cache->entry_count, code);
		cache->entry_count++;
	}
}

/* Bytes that the codes of so many entries take in memory. */
static Size
entry_code_bytes(const HnswShape *shape, uint32 entries)
{
	if (shape->metric == HNSW_HAMMING)
		return (Size) entries * shape->code_bytes;
	return (entries + 31) / 32 * hx_link_block_bytes(&shape->link);
}

/* Copies what the metapage may change without changing the entry set. */
static void
copy_counts(HnswCache *cache, const HnswMetaPage *meta)
{
	cache->ef_construction = meta->ef_construction;
	cache->largest_norm = meta->largest_norm;
	cache->nodes = meta->nodes;
	cache->curve_points = Min(meta->curve_points, HNSW_MAX_CURVE_POINTS);
	memcpy(cache->curve, meta->curve, sizeof(cache->curve));
	cache->curve_blocks = meta->curve_blocks;
	cache->recode = meta->recode != 0;
	memcpy(cache->room, meta->room, sizeof(cache->room));
}

/* A new cache, from the metapage, the centre's and the entries' pages. */
static HnswCache *
make_cache(Relation index, const HnswMetaPage *meta)
{
	HnswCache	header = {.shape = stored_shape(index, meta),.entry_version = meta->entry_version};
	const HnswShape *shape = &header.shape;
	uint32		entries = 0;
	Size		centre_bytes = 0;
	Size		bytes = MAXALIGN(sizeof(HnswCache));

	if (shape->dims > 0)
		walk_chain(index, &header, meta->entries, HX_PAGE_ENTRIES, count_entries, &entries);
	if (meta->centre != InvalidBlockNumber)
		centre_bytes = MAXALIGN(shape->link.dims * sizeof(float));

	bytes = add_size(bytes, centre_bytes);
	bytes = add_size(bytes, mul_size(entries, sizeof(HxLink)));
	bytes = add_size(bytes, entry_code_bytes(shape, entries));

	HnswCache  *cache = MemoryContextAllocExtended(index->rd_indexcxt, bytes,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	char	   *at = (char *) cache + MAXALIGN(sizeof(HnswCache));
	uint32		taken = 0;

	*cache = header;
	copy_counts(cache, meta);
	if (centre_bytes > 0)
		cache->centre = (float *) at;
	at += centre_bytes;
	cache->entries = (HxLink *) at;
	cache->entry_blocks = (uint8 *) (at + entries * sizeof(HxLink));

	PG_TRY();
	{
		if (centre_bytes > 0)
			walk_chain(index, cache, meta->centre, HX_PAGE_CENTRE, take_centre, &taken);
		if (entries > 0)
			walk_chain(index, cache, meta->entries, HX_PAGE_ENTRIES, take_entries, &entries);
	}
	PG_CATCH();
	{
		pfree(cache);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return cache;
}

HnswCache *
hnsw_cache(Relation index)
{
	HnswMetaPage meta;

	hx_meta_read(index, HX_PAGE_ID_HNSW, HNSW_MAGIC, HNSW_FORMAT, &meta, sizeof(meta));

	HnswCache  *cache = index->rd_amcache;

	if (cache != NULL && cache->shape.dims == meta.dims &&
		cache->entry_version == meta.entry_version)
	{
		copy_counts(cache, &meta);
		return cache;
	}

	HnswCache  *fresh = make_cache(index, &meta);

	/* Reading pages may have let an invalidation in, which frees the old one. */
	if (index->rd_amcache != NULL)
		pfree(index->rd_amcache);
	index->rd_amcache = fresh;
	return fresh;
}
