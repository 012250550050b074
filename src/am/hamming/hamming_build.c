/*
 * hamming_build.c
 *	  CREATE INDEX and REINDEX: from the heap to packed pages.
 *
 * The heap scan only copies codes and TIDs into two flat arrays of at most maintenance_work_mem.
 * The thread team groups a full batch by equal codes, outside the heap scan and the server's
 * memory contexts. Then the batch is written page after page; a page that is not full waits for
 * the next batch. Chunk tables are made from these pages at the end. Nothing is logged until
 * then, when the whole file is logged as full pages.
 *
 * INCLUDE values do not fit arrays; they are written to their pages as they come.
 */
#include "am/hamming/hamming_extents.h"
#include "am/hamming/hamming_list.h"
#include "am/hamming/hamming_options.h"
#include "am/hamming/hamming_tables.h"

#include "access/generic_xlog.h"
#include "access/tableam.h"
#include "access/xloginsert.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "guc.h"
#include "math/group.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "type/bincode.h"
#include "utils/memutils.h"

/* The first batch is allocated for this many rows and doubles while memory lasts. */
#define FIRST_BATCH 8192

/* Fewer rows are grouped in less time than a thread takes to begin and end on a busy machine. */
#define MIN_ROWS_PER_THREAD 32768

typedef struct HammingBuild
{
	Relation	index;
	HammingShape shape;
	MemoryContext context;		/* for as long as the build */
	MemoryContext row_context;	/* reset after each row */

	/* The batch. */
	uint8	   *codes;
	HammingRow *rows;
	size_t		count;
	size_t		capacity;
	size_t		max_capacity;	/* as maintenance_work_mem allows; 0: bits still unknown */

	HammingPacker packer;		/* the codes page being filled */
	Buffer		payload_buf;	/* the payload page being filled, pinned, or InvalidBuffer */

	HammingExtent *extents;		/* the codes pages written */
	int			extent_count;
	int			extent_capacity;

	uint64		row_total;
	uint64		code_total;		/* distinct a page */
} HammingBuild;

/* A new page, exclusively locked. */
static Buffer
new_build_page(HammingBuild *build, HxPageKind kind)
{
	Buffer		buf = hx_page_extend(build->index);

	hx_page_init(BufferGetPage(buf), kind, HX_PAGE_ID_HAMMING);
	return buf;
}

/* Notes that the block is a codes page. */
static void
note_codes_page(HammingBuild *build, BlockNumber blk)
{
	HammingExtent *last = build->extents + build->extent_count - 1;

	if (build->extent_count > 0 && last->first + last->count == blk)
	{
		last->count++;
		return;
	}
	if (build->extent_count == build->extent_capacity)
	{
		build->extent_capacity *= 2;
		build->extents = repalloc(build->extents, build->extent_capacity * sizeof(HammingExtent));
	}
	build->extents[build->extent_count++] = (HammingExtent) {.first = blk,.count = 1};
}

/* Writes the codes page that has been packed; returns its block. */
static BlockNumber
flush_packer(HammingBuild *build)
{
	Buffer		buf = new_build_page(build, HX_PAGE_CODES);
	BlockNumber blk = BufferGetBlockNumber(buf);

	hamming_packer_store(&build->packer, BufferGetPage(buf));
	MarkBufferDirty(buf);
	UnlockReleaseBuffer(buf);

	note_codes_page(build, blk);
	build->code_total += build->packer.codes;
	hamming_packer_reset(&build->packer);
	return blk;
}

/* Writes the INCLUDE values of a row; returns where. */
static ItemPointerData
write_payload(HammingBuild *build, IndexTuple payload)
{
	Size		size = IndexTupleSize(payload);

	if (BufferIsValid(build->payload_buf))
	{
		LockBuffer(build->payload_buf, BUFFER_LOCK_EXCLUSIVE);
		if (PageGetFreeSpace(BufferGetPage(build->payload_buf)) < MAXALIGN(size))
		{
			UnlockReleaseBuffer(build->payload_buf);
			build->payload_buf = InvalidBuffer;
		}
	}
	if (!BufferIsValid(build->payload_buf))
		build->payload_buf = new_build_page(build, HX_PAGE_PAYLOAD);

	Page		page = BufferGetPage(build->payload_buf);
	OffsetNumber off = PageAddItem(page, (Pointer) payload, size, InvalidOffsetNumber, false,
								   false);
	ItemPointerData location;

	if (off == InvalidOffsetNumber)
		elog(ERROR, "could not add %zu bytes to a new page of index \"%s\"",
			 size, RelationGetRelationName(build->index));
	ItemPointerSet(&location, BufferGetBlockNumber(build->payload_buf), off);
	MarkBufferDirty(build->payload_buf);
	LockBuffer(build->payload_buf, BUFFER_LOCK_UNLOCK);
	return location;
}

/* Groups the batch by equal codes; returns the order in which to write it. */
static uint32 *
group_batch(HammingBuild *build)
{
	uint32	   *order = palloc_extended(mul_size(build->count, sizeof(uint32)), MCXT_ALLOC_HUGE);
	void	   *scratch = palloc_extended(hx_group_scratch(build->count), MCXT_ALLOC_HUGE);
	int			threads = Min(hx_guc_build_threads(), build->count / MIN_ROWS_PER_THREAD + 1);

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HAMMING_PHASE_GROUP);
	PG_TRY();
	{
		hx_team_start(threads);
		hx_group_equal(build->codes, build->shape.code_bytes, build->count, order, scratch,
					   hx_am_check_interrupts, NULL);
	}
	PG_FINALLY();
	{
		hx_team_end();
	}
	PG_END_TRY();
	pfree(scratch);
	return order;
}

/* Writes the batch to pages, except for what does not fill a page yet. */
static void
flush_batch(HammingBuild *build)
{
	if (build->count == 0)
		return;

	uint32	   *order = group_batch(build);

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HAMMING_PHASE_WRITE);
	for (size_t i = 0; i < build->count; i++)
	{
		const uint8 *code = build->codes + (size_t) order[i] * build->shape.code_bytes;
		HammingRow	row = build->rows[order[i]];

		if (!hamming_packer_add(&build->packer, code, row))
		{
			CHECK_FOR_INTERRUPTS();
			flush_packer(build);
			hamming_packer_add(&build->packer, code, row);
			pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
										 build->row_total - build->count + i);
		}
	}
	pfree(order);
	build->count = 0;
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HAMMING_PHASE_READ);
}

/* The first code tells how long codes are, if the column's type does not. */
static void
start_batch(HammingBuild *build, int32 bits)
{
	if (build->shape.bits == 0)
		hamming_shape_set_bits(&build->shape, bits);

	Size		per_row = build->shape.code_bytes + sizeof(HammingRow) +
		sizeof(uint32) + hx_group_scratch(FIRST_BATCH) / FIRST_BATCH;

	build->max_capacity = Max((Size) maintenance_work_mem * 1024 / per_row, FIRST_BATCH);
	build->max_capacity = Min(build->max_capacity, PG_UINT32_MAX);
	build->capacity = FIRST_BATCH;

	MemoryContext old = MemoryContextSwitchTo(build->context);

	build->codes = palloc(build->capacity * build->shape.code_bytes);
	build->rows = palloc(build->capacity * sizeof(HammingRow));
	hamming_packer_init(&build->packer, &build->shape);
	MemoryContextSwitchTo(old);
}

/* Makes room for one more row: a larger batch while memory allows, else an empty one. */
static void
make_room(HammingBuild *build)
{
	if (build->capacity >= build->max_capacity)
	{
		flush_batch(build);
		return;
	}
	build->capacity = Min(build->capacity * 2, build->max_capacity);
	build->codes = repalloc_huge(build->codes, mul_size(build->capacity, build->shape.code_bytes));
	build->rows = repalloc_huge(build->rows, mul_size(build->capacity, sizeof(HammingRow)));
}

/* table_index_build_scan's callback: one row of the table. */
static void
add_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *state)
{
	HammingBuild *build = state;

	if (isnull[0])
		return;

	MemoryContext old = MemoryContextSwitchTo(build->row_context);
	BincodeView code = hx_bincode_view(values[0]);
	HammingRow	row = hamming_row(index, tid);

	if (build->shape.row_bytes == sizeof(HammingRow))
		row.payload = write_payload(build, hamming_payload_form(index, values, isnull, tid));

	MemoryContextSwitchTo(old);
	if (build->max_capacity == 0)
		start_batch(build, code.bits);
	hamming_check_bits(index, &build->shape, code.bits);
	if (build->count == build->capacity)
		make_room(build);

	memcpy(build->codes + build->count * build->shape.code_bytes, code.bytes,
		   build->shape.code_bytes);
	build->rows[build->count++] = row;
	build->row_total++;
	MemoryContextReset(build->row_context);
}

/* Block 0, to be completed at the end: pages point to it by its number only. */
static void
write_empty_meta(HammingBuild *build)
{
	Buffer		buf = hx_page_extend(build->index);

	if (BufferGetBlockNumber(buf) != HX_METABLOCK)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(build->index));
	hamming_meta_init(BufferGetPage(buf), &build->shape, HAMMING_METHOD_SCAN, 0);
	MarkBufferDirty(buf);
	UnlockReleaseBuffer(buf);
}

/*
 * Decides on chunk tables and makes them. They wait for the first code when its
 * bits are not known yet.
 */
static void
build_tables(HammingBuild *build)
{
	int			chunks;
	int			method = hamming_choose_method(build->index, &build->shape, build->row_total,
											   &chunks);
	BlockNumber map = InvalidBlockNumber;
	BlockNumber extents = 0;

	if (build->shape.bits > 0)
		chunks = hamming_choose_chunks(build->index, &build->shape, method, chunks);
	if (build->shape.bits > 0 && chunks > 0)
	{
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HAMMING_PHASE_TABLES);
		extents = hamming_extents_build(build->index, build->extents, build->extent_count);
		map = hamming_tables_build(build->index, &build->shape, build->extents,
								   build->extent_count, build->row_total, chunks);
	}

	Buffer		meta_buf = ReadBuffer(build->index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);

	HammingMetaPage *meta = hamming_meta(BufferGetPage(meta_buf));

	meta->method = method;
	meta->chunks = chunks;
	meta->chunk_root = map;
	meta->extents = extents;
	MarkBufferDirty(meta_buf);
	UnlockReleaseBuffer(meta_buf);
}

/* Frees the batch: the chunk tables need its memory. */
static void
free_batch(HammingBuild *build)
{
	if (build->max_capacity == 0)
		return;
	pfree(build->codes);
	pfree(build->rows);
}

/* Writes the last page and tells the metapage what has been built and where there is room. */
static void
finish_pages(HammingBuild *build)
{
	Buffer		meta_buf = ReadBuffer(build->index, HX_METABLOCK);
	BlockNumber last[HAMMING_LISTS] = {InvalidBlockNumber, InvalidBlockNumber};

	if (build->max_capacity > 0 && build->packer.rows > 0)
		last[HAMMING_LIST_CODES] = flush_packer(build);
	if (BufferIsValid(build->payload_buf))
	{
		last[HAMMING_LIST_PAYLOAD] = BufferGetBlockNumber(build->payload_buf);
		ReleaseBuffer(build->payload_buf);
	}

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);

	HammingMetaPage *meta = hamming_meta(BufferGetPage(meta_buf));

	for (int list = 0; list < HAMMING_LISTS; list++)
	{
		if (last[list] == InvalidBlockNumber)
			continue;

		Buffer		buf = ReadBuffer(build->index, last[list]);

		LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
		hamming_list_push(BufferGetPage(meta_buf), list, BufferGetPage(buf), last[list]);
		MarkBufferDirty(buf);
		UnlockReleaseBuffer(buf);
	}
	meta->bits = build->shape.bits;
	meta->rows = build->row_total;
	meta->codes = build->code_total;
	MarkBufferDirty(meta_buf);
	UnlockReleaseBuffer(meta_buf);
}

IndexBuildResult *
hamming_build(Relation heap, Relation index, IndexInfo *info)
{
	HammingBuild build = {.index = index,.shape = hamming_declared_shape(index)};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hamming build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	build.context = context;
	build.row_context = AllocSetContextCreate(context, "hashidx_hamming build row",
											  ALLOCSET_DEFAULT_SIZES);
	build.extent_capacity = 64;
	build.extents = palloc(build.extent_capacity * sizeof(HammingExtent));
	write_empty_meta(&build);

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HAMMING_PHASE_READ);
	double		heap_rows = table_index_build_scan(heap, index, info, true, true,
												   add_row, &build, NULL);

	flush_batch(&build);
	finish_pages(&build);
	free_batch(&build);
	build_tables(&build);

	if (RelationNeedsWAL(index))
	{
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HAMMING_PHASE_LOG);
		log_newpage_range(index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(index), true);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);

	IndexBuildResult *result = palloc(sizeof(IndexBuildResult));

	result->heap_tuples = heap_rows;
	result->index_tuples = build.row_total;
	return result;
}

/* The init fork of an unlogged index: an empty index, copied over the main fork after a crash. */
void
hamming_buildempty(Relation index)
{
	HammingShape shape = hamming_declared_shape(index);
	int			chunks;
	int			method = hamming_choose_method(index, &shape, 0, &chunks);

	/* The tables are made with the first code, so the bits must seem to come with it. */
	if (method == HAMMING_METHOD_MIH)
		shape.bits = 0;

	Buffer		buf = ExtendBufferedRel(BMR_REL(index), INIT_FORKNUM, NULL,
										EB_LOCK_FIRST | EB_SKIP_EXTENSION_LOCK);

	START_CRIT_SECTION();
	hamming_meta_init(BufferGetPage(buf), &shape, method, chunks);
	MarkBufferDirty(buf);
	log_newpage_buffer(buf, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buf);
}
