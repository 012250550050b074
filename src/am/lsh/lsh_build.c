/*
 * lsh_build.c
 *	  CREATE INDEX and REINDEX: from the heap to buckets.
 *
 * The heap scan collects values in batches, which the thread team hashes; each row and
 * table becomes a tuple (key, row as on pages) of a tuplesort that keeps to
 * maintenance_work_mem. In order of keys the tuples fill pages (lsh_writer.h), which
 * are logged at the end, as a whole file.
 */
#include "am/lsh/lsh.h"

#include "access/tableam.h"
#include "access/xloginsert.h"
#include "am/lsh/lsh_value.h"
#include "am/lsh/lsh_writer.h"
#include "catalog/index.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "commands/progress.h"
#include "executor/tuptable.h"
#include "guc.h"
#include "math/team.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

/* Rows that are hashed at once, at most. */
#define BATCH_ROWS 8192
#define BATCH_BYTES (8 * 1024 * 1024)

/* Of them a thread takes so many at a time: some milliseconds of work. */
#define SLICE_ROWS 128
#define SLICE_BYTES (256 * 1024)

typedef struct LshBuild
{
	Relation	index;
	LshMetric	metric;
	LshTuned	tuned;
	bool		is_tuned;
	HxLsh	   *lsh;
	int			row_bytes;
	int			table_bits;
	MemoryContext context;		/* for as long as the build */
	MemoryContext row_context;	/* reset after each row */
	MemoryContext batch_context;	/* the batch's values */

	/* The batch. */
	LshValue   *values;
	ItemPointerData *tids;
	uint64	   *keys;			/* of all tables, row by row */
	uint8	   *sketches;
	int			slice_rows;
	uint8	   *scratch;		/* of each slice */
	Size		scratch_bytes;
	int			count;
	Size		bytes;

	Tuplesortstate *sort;
	TupleTableSlot *in;			/* a tuple for the sort */
	TupleTableSlot *out;		/* and from it */
	struct varlena *payload;	/* a row as on pages, for `in` */
	uint64		rows;
} LshBuild;

/* A sort of (int8, bytea) by the first. */
static void
start_sort(LshBuild *build)
{
	TupleDesc	desc = CreateTemplateTupleDesc(2);
	AttrNumber	column = 1;
	Oid			less = Int8LessOperator;
	Oid			collation = InvalidOid;
	bool		nulls_first = false;

	TupleDescInitEntry(desc, 1, "key", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, "row", BYTEAOID, -1, 0);
	build->sort = tuplesort_begin_heap(desc, 1, &column, &less, &collation, &nulls_first,
									   maintenance_work_mem, NULL, TUPLESORT_NONE);
	build->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	build->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

/* With the functions known: room for a batch, and the sort. */
static void
start_hashing(LshBuild *build)
{
	const HxLshShape *shape = &build->tuned.tuning.shape;
	MemoryContext old = MemoryContextSwitchTo(build->context);

	build->is_tuned = true;
	build->lsh = palloc(hx_lsh_size(shape));
	hx_lsh_init(build->lsh, shape);
	build->row_bytes = LSH_ROW_BYTES(shape->sketch_bytes);
	build->table_bits = lsh_table_bits(shape->tables);
	build->values = palloc(BATCH_ROWS * sizeof(LshValue));
	build->tids = palloc(BATCH_ROWS * sizeof(ItemPointerData));
	build->keys = palloc(BATCH_ROWS * shape->tables * sizeof(uint64));
	build->sketches = palloc(BATCH_ROWS * shape->sketch_bytes);
	build->scratch_bytes = MAXALIGN(hx_lsh_scratch(build->lsh));
	build->payload = palloc(VARHDRSZ + build->row_bytes);
	SET_VARSIZE(build->payload, VARHDRSZ + build->row_bytes);
	start_sort(build);
	MemoryContextSwitchTo(old);
}

/* HxTeamWork: keys and sketches of some slices of the batch, each with scratch of its own. */
static void
hash_slices(void *context, size_t begin, size_t end)
{
	LshBuild   *build = context;
	const HxLshShape *shape = hx_lsh_shape(build->lsh);
	size_t		last = Min(end * build->slice_rows, (size_t) build->count);

	for (size_t i = begin * build->slice_rows; i < last; i++)
	{
		uint8	   *scratch = build->scratch + i / build->slice_rows * build->scratch_bytes;

		hx_lsh_keys(build->lsh, build->values[i].point, scratch, build->keys + i * shape->tables);
		hx_lsh_sketch(build->lsh, build->values[i].point, scratch,
					  build->sketches + i * shape->sketch_bytes);
	}
}

/* Hashes the batch on the team's threads. */
static void
hash_batch(LshBuild *build)
{
	Size		row_bytes = Max(build->bytes / build->count, 1);

	build->slice_rows = (int) Max(Min(SLICE_BYTES / row_bytes, SLICE_ROWS), 1);

	int			slices = (build->count + build->slice_rows - 1) / build->slice_rows;
	int			threads = Min(hx_guc_build_threads(), slices);

	build->scratch = MemoryContextAllocHuge(build->batch_context,
											mul_size(slices, build->scratch_bytes));
	PG_TRY();
	{
		hx_team_start(threads);
		hx_team_run(hash_slices, build, slices, 1, hx_am_check_interrupts, NULL);
	}
	PG_FINALLY();
	{
		hx_team_end();
	}
	PG_END_TRY();
}

/* Gives the entries of one row of the batch to the sort. */
static void
sort_row(LshBuild *build, int row)
{
	const HxLshShape *shape = hx_lsh_shape(build->lsh);
	uint8	   *stored = (uint8 *) VARDATA(build->payload);

	memcpy(stored, &build->tids[row], sizeof(ItemPointerData));
	memcpy(stored + sizeof(ItemPointerData), build->sketches + row * shape->sketch_bytes,
		   shape->sketch_bytes);
	for (uint32 table = 0; table < shape->tables; table++)
	{
		uint32		key = lsh_key(build->table_bits, table,
								  build->keys[row * shape->tables + table]);

		ExecClearTuple(build->in);
		build->in->tts_values[0] = Int64GetDatum(key);
		build->in->tts_values[1] = PointerGetDatum(build->payload);
		build->in->tts_isnull[0] = build->in->tts_isnull[1] = false;
		ExecStoreVirtualTuple(build->in);
		tuplesort_puttupleslot(build->sort, build->in);
	}
}

static void
flush_batch(LshBuild *build)
{
	if (build->count == 0)
		return;
	hash_batch(build);
	for (int i = 0; i < build->count; i++)
		sort_row(build, i);
	build->rows += build->count;
	build->count = 0;
	build->bytes = 0;
	MemoryContextReset(build->batch_context);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, build->rows);
}

/* table_index_build_scan's callback: one row of the table. */
static void
add_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *state)
{
	LshBuild   *build = state;

	if (isnull[0])
		return;

	MemoryContext old = MemoryContextSwitchTo(build->row_context);
	LshValue	value = lsh_value(build->metric, values[0]);

	if (!build->is_tuned)
	{
		/* The blocks that were sampled had no values. */
		HxLshShape	wish = lsh_wished_shape(index, build->metric, &value);

		lsh_tune_blindly(build->metric, &wish, &value, &build->tuned);
		start_hashing(build);
	}
	lsh_value_check(index, hx_lsh_shape(build->lsh), &value);

	MemoryContextSwitchTo(build->batch_context);
	build->tids[build->count] = *tid;
	build->values[build->count++] = lsh_value_copy(build->metric, &value);
	build->bytes += lsh_value_size(build->metric, &value);
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->row_context);
	if (build->count == BATCH_ROWS || build->bytes >= BATCH_BYTES)
		flush_batch(build);
}

/* Writes all entries, in order, to pages. */
static void
write_entries(LshBuild *build, LshWriter *writer)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, LSH_PHASE_SORT);
	tuplesort_performsort(build->sort);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, LSH_PHASE_WRITE);
	lsh_writer_set_row_bytes(writer, build->row_bytes);
	while (tuplesort_gettupleslot(build->sort, true, false, build->out, NULL))
	{
		bool		isnull;
		uint32		key = (uint32) DatumGetInt64(slot_getattr(build->out, 1, &isnull));
		Datum		row = slot_getattr(build->out, 2, &isnull);

		lsh_writer_add(writer, key, (uint8 *) VARDATA_ANY(DatumGetPointer(row)));
	}
	tuplesort_end(build->sort);
	ExecDropSingleTupleTableSlot(build->in);
	ExecDropSingleTupleTableSlot(build->out);
}

IndexBuildResult *
lsh_build(Relation heap, Relation index, IndexInfo *info)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_lsh build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	LshBuild   *build = palloc0(sizeof(LshBuild));

	build->index = index;
	build->metric = lsh_metric(index);
	build->context = context;
	build->row_context = AllocSetContextCreate(context, "hashidx_lsh build row",
											   ALLOCSET_DEFAULT_SIZES);
	build->batch_context = AllocSetContextCreate(context, "hashidx_lsh build batch",
												 ALLOCSET_DEFAULT_SIZES);
	if (lsh_tune_by_sample(heap, index, info, &build->tuned))
		start_hashing(build);

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, LSH_PHASE_READ);
	double		heap_rows = table_index_build_scan(heap, index, info, true, true,
												   add_row, build, NULL);
	LshWriter  *writer = lsh_writer_begin(index);

	if (build->is_tuned)
	{
		flush_batch(build);
		write_entries(build, writer);
	}
	lsh_writer_finish(writer, build->is_tuned ? &build->tuned : NULL, build->rows);

	if (RelationNeedsWAL(index))
	{
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, LSH_PHASE_LOG);
		log_newpage_range(index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(index), true);
	}

	IndexBuildResult *result;

	MemoryContextSwitchTo(old);
	result = palloc(sizeof(IndexBuildResult));
	result->heap_tuples = heap_rows;
	result->index_tuples = build->rows;
	MemoryContextDelete(context);
	return result;
}

/* One page of the init fork. */
static void
write_init_page(Relation index, Page image)
{
	Buffer		buf = ExtendBufferedRel(BMR_REL(index), INIT_FORKNUM, NULL,
										EB_LOCK_FIRST | EB_SKIP_EXTENSION_LOCK);

	START_CRIT_SECTION();
	memcpy(BufferGetPage(buf), image, BLCKSZ);
	MarkBufferDirty(buf);
	log_newpage_buffer(buf, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buf);
}

/* The init fork of an unlogged index: an empty index, copied over the main fork after a crash. */
void
lsh_buildempty(Relation index)
{
	PGAlignedBlock meta;
	PGAlignedBlock root;
	PGAlignedBlock buckets;

	lsh_meta_init(meta.data);
	lsh_directory_init(root.data, 0, 0, LSH_MAX_KEY);
	lsh_directory_insert(root.data, (LshChild) {0, LSH_FIRST_BLOCK});
	lsh_buckets_init(buckets.data, 0, LSH_MAX_KEY);
	write_init_page(index, meta.data);
	write_init_page(index, root.data);
	write_init_page(index, buckets.data);
}
