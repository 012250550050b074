/*
 * hnsw_build.c
 *	  CREATE INDEX and REINDEX: from the heap to a graph, and from the graph to pages.
 *
 * The heap scan turns rows into points and keeps them in flat arrays of at most
 * maintenance_work_mem. Equal points become one node. The thread team builds the graph in memory,
 * after the heap scan has ended. Then the pages are written once. Some rows are held out of the
 * graph: they are the queries by which the index measures its recall, and are inserted afterwards
 * like any others. When memory does not hold the points, hnsw_parts.c takes over.
 */
#include "am/hnsw/hnsw_build.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "access/tableam.h"
#include "access/xloginsert.h"
#include "am/hnsw/hnsw_centre.h"
#include "am/hnsw/hnsw_effort.h"
#include "am/hnsw/hnsw_entries.h"
#include "am/hnsw/hnsw_format.h"
#include "am/hnsw/hnsw_parts.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "graph/entries.h"
#include "guc.h"
#include "math/group.h"
#include "math/random.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"

/* The arrays are allocated for this many rows and double while memory lasts. */
#define FIRST_ROWS 1024

/* Rows held out to measure by. */
#define HELD_OUT 200

/* Streams of the random numbers that choose them, and as many others. */
#define HELD_OUT_STREAM 0x68656c64
#define MEASURED_STREAM 0x6d656173757265

/* Points with their rows, as many as there are. */
typedef struct Rows
{
	uint8	   *stored;
	float	   *error;
	ItemPointerData *row;
	size_t		count;
} Rows;

/* A row of a node beyond its first. */
typedef struct MoreRow
{
	HxNode		point;
	ItemPointerData row;
} MoreRow;

typedef struct HnswBuild
{
	Relation	heap;
	Relation	index;
	IndexInfo  *info;
	HnswShape	shape;
	MemoryContext context;		/* for as long as the build */
	MemoryContext row_context;	/* reset after each row */
	HxCompute	compute;

	Rows		rows;			/* after collapse(): nodes */
	size_t		capacity;
	size_t		max_capacity;	/* as maintenance_work_mem allows */
	bool		has_format;		/* else it is f32 until some rows tell what it shall be */
	float		largest_norm;
	HnswParts  *parts;			/* when memory did not hold the rows, else NULL */

	Rows		held;			/* out of the graph */
	MoreRow    *more;
	size_t		more_count;

	uint64		row_total;
} HnswBuild;

static void *
allocate_rows(HnswBuild *build, size_t count, Size bytes)
{
	return MemoryContextAllocHuge(build->context, mul_size(count, bytes));
}

/* Bytes that a row takes while the graph is built. */
static Size
bytes_per_row(const HnswShape *shape)
{
	/* In the graph: links, their distances and ranks, and some numbers (graph/README). */
	Size		graph = shape->m * (sizeof(HxNode) + sizeof(float) + sizeof(uint8)) + 72;
	Size		row = shape->own_bytes + sizeof(float) + sizeof(ItemPointerData);

	return row + Max(graph, hx_group_scratch(FIRST_ROWS) / FIRST_ROWS + sizeof(uint32));
}

static void
set_max_capacity(HnswBuild *build)
{
	build->max_capacity = Max((Size) maintenance_work_mem * 1024 / bytes_per_row(&build->shape),
							  FIRST_ROWS);
}

/* The first row tells the dimensions, if the column's type does not. */
static void
start_rows(HnswBuild *build, Datum value)
{
	if (build->shape.dims == 0)
		hnsw_shape_set_dims(build->index, &build->shape, hnsw_value_dims(&build->shape, value));
	build->has_format = build->shape.metric == HNSW_HAMMING || hnsw_has_format(build->index);
	if (!build->has_format)
		hnsw_shape_set_stored(&build->shape, HX_STORED_F32);
	set_max_capacity(build);
	build->capacity = FIRST_ROWS;
	build->rows.stored = allocate_rows(build, build->capacity, build->shape.own_bytes);
	build->rows.error = allocate_rows(build, build->capacity, sizeof(float));
	build->rows.row = allocate_rows(build, build->capacity, sizeof(ItemPointerData));
}

static void
double_capacity(HnswBuild *build)
{
	Rows	   *rows = &build->rows;

	build->capacity = Min(build->capacity * 2, build->max_capacity);
	rows->stored = repalloc_huge(rows->stored, mul_size(build->capacity, build->shape.own_bytes));
	rows->error = repalloc_huge(rows->error, mul_size(build->capacity, sizeof(float)));
	rows->row = repalloc_huge(rows->row, mul_size(build->capacity, sizeof(ItemPointerData)));
}

/* Chooses the format of own vectors by the rows that have been read. */
static void
choose_format(HnswBuild *build)
{
	Rows	   *rows = &build->rows;
	HnswShape	full = build->shape;
	uint8	   *shorter;

	StaticAssertStmt(HNSW_FORMAT_ROWS <= FIRST_ROWS, "all of them are in memory");
	build->has_format = true;
	if (hnsw_format_choose(&full, rows->stored, rows->count) == HX_STORED_F32)
		return;
	hnsw_shape_set_stored(&build->shape, HX_STORED_F16);
	set_max_capacity(build);
	shorter = allocate_rows(build, build->capacity, build->shape.own_bytes);
	for (size_t i = 0; i < rows->count; i++)
		rows->error[i] += hnsw_format_shorten(&full, rows->stored + i * full.own_bytes,
											  shorter + i * build->shape.own_bytes);
	pfree(rows->stored);
	rows->stored = shorter;
}

static void
copy_row(const HnswBuild *build, Rows *to, size_t at, const Rows *from, size_t i)
{
	Size		bytes = build->shape.own_bytes;

	memmove(to->stored + at * bytes, from->stored + i * bytes, bytes);
	to->error[at] = from->error[i];
	to->row[at] = from->row[i];
}

/* Whether a node of one row is held out. */
static bool
is_held_out(const HnswBuild *build, size_t node, size_t nodes)
{
	return nodes >= HNSW_LEAST_TO_MEASURE && build->held.count < 2 * HELD_OUT &&
		hx_random(build->shape.seed, HELD_OUT_STREAM, node) % nodes < HELD_OUT;
}

/* Rows with equal points become one node each; some rows are held out. */
static void
collapse(HnswBuild *build)
{
	Rows	   *rows = &build->rows;
	size_t		count = rows->count;
	uint32	   *order = allocate_rows(build, count, sizeof(uint32));
	void	   *scratch = allocate_rows(build, 1, hx_group_scratch(count));
	size_t		nodes = hx_group_equal(rows->stored, build->shape.own_bytes, count, order, scratch,
									   hx_am_check_interrupts, NULL);
	Size		bytes = build->shape.own_bytes;

	pfree(scratch);
	build->more = allocate_rows(build, count - nodes + 1, sizeof(MoreRow));
	build->held.stored = allocate_rows(build, 2 * HELD_OUT, bytes);
	build->held.error = allocate_rows(build, 2 * HELD_OUT, sizeof(float));
	build->held.row = allocate_rows(build, 2 * HELD_OUT, sizeof(ItemPointerData));

	/* Groups come in the order of their first rows, so that nodes move down only. */
	rows->count = 0;
	for (size_t i = 0, group = 0; i < count; group++)
	{
		size_t		end = i + 1;
		size_t		node = rows->count;

		while (end < count && memcmp(rows->stored + order[i] * bytes,
									 rows->stored + order[end] * bytes, bytes) == 0)
			end++;
		if (end == i + 1 && is_held_out(build, group, nodes))
		{
			copy_row(build, &build->held, build->held.count++, rows, order[i++]);
			continue;
		}
		copy_row(build, rows, rows->count++, rows, order[i]);
		for (i++; i < end; i++)
		{
			rows->error[node] = Max(rows->error[node], rows->error[order[i]]);
			build->more[build->more_count++] = (MoreRow) {node, rows->row[order[i]]};
		}
	}
	pfree(order);
}

static void
start_phase(int phase, size_t total)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, phase);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, total);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, 0);
}

/* HxGraphProgress */
static void
report_progress(void *context, size_t done, size_t total)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
}

/* Block 0, to be completed when the rest is there. */
static void
write_empty_meta(Relation index)
{
	Buffer		buf = hx_page_extend(index);

	if (BufferGetBlockNumber(buf) != HX_METABLOCK)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));

	GenericXLogState *record = GenericXLogStart(index);

	hnsw_meta_init(GenericXLogRegisterBuffer(record, buf, GENERIC_XLOG_FULL_IMAGE));
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
}

static void
write_counts(const HnswBuild *build)
{
	Buffer		buf = ReadBuffer(build->index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	GenericXLogState *record = GenericXLogStart(build->index);
	HnswMetaPage *meta = hnsw_meta(GenericXLogRegisterBuffer(record, buf, 0));

	meta->nodes = build->parts != NULL ? build->parts->nodes :
		build->rows.count + build->held.count;
	meta->rows = build->row_total;
	meta->curve_rows = meta->rows;
	meta->curve_blocks = RelationGetNumberOfBlocks(build->index);
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
}

/* Writes the graph: nodes, centre, entries, metapage. */
static void
write_graph(HnswBuild *build, const HnswGraph *graph, const HxNode *entries, size_t entry_count,
			HxNode *number)
{
	HxNode	   *order = hnsw_order_points(graph);

	start_phase(HNSW_PHASE_WRITE, graph->count);
	hnsw_write_nodes(build->index, &build->compute, graph, order, number);
	if (graph->centre != NULL)
		hnsw_centre_write(build->index, &build->shape, graph->centre, false);
	hnsw_write_meta(build->index, &build->shape, build->largest_norm,
					hnsw_write_entries(build->index, graph->points, graph->centre, entries,
									   entry_count, number));
	pfree(order);
}

/* Builds the graph of the nodes in memory and writes all its pages; sets each node's number. */
static void
build_graph(HnswBuild *build, const HnswPoints *points, HxNode *number)
{
	const HnswShape *shape = &build->shape;
	HxNode	   *links = allocate_rows(build, build->rows.count, shape->m * sizeof(HxNode));
	size_t		wanted = hnsw_entries_wanted(build->rows.count);
	size_t		most = Min(wanted * HNSW_MORE_ENTRIES, build->rows.count);
	HxNode	   *entries = allocate_rows(build, most, sizeof(HxNode));
	size_t		entry_count;
	float	   *centre = NULL;
	HxPoints	graph_points = hnsw_points_for_graph(points, build->rows.count);
	HxGraphOptions options = {
		.m = shape->m,
		.ef_construction = hnsw_ef_construction(build->index, shape),
		.seed = shape->seed,
	};

	start_phase(HNSW_PHASE_GRAPH, build->rows.count);
	hx_graph_build(&build->compute, &graph_points, &options, links, report_progress, NULL);
	entry_count = hx_graph_entries(&build->compute, &graph_points, links, &options, entries,
								   wanted, most);

	if (shape->metric != HNSW_HAMMING)
	{
		centre = palloc(shape->link.dims * sizeof(float));
		hnsw_points_centre(points, build->rows.count, centre);
	}

	HnswGraph	graph = {
		.points = points,
		.count = build->rows.count,
		.links = links,
		.error = build->rows.error,
		.row = build->rows.row,
		.centre = centre,
	};

	write_graph(build, &graph, entries, entry_count, number);
	pfree(entries);
	pfree(links);
}

/* Puts the rows beyond the first of each node where they belong. */
static void
add_more_rows(HnswBuild *build, const HxNode *number)
{
	for (size_t i = 0; i < build->more_count; i++)
	{
		MoreRow    *more = &build->more[i];

		hnsw_write_row(build->index, number[more->point], &more->row,
					   build->rows.error[more->point]);
	}
}

/* Measures the index by the rows that were held out, and by as many that were not. */
static void
measure_index(HnswBuild *build, const HnswPoints *points)
{
	const Rows *held = &build->held;
	size_t		count = held->count;
	Size		bytes = build->shape.own_bytes;
	uint8	   *stored = palloc(2 * count * bytes);
	float	   *nearest = palloc(2 * count * HNSW_CURVE_NEAREST * sizeof(float));
	HnswTrials	outside = {.stored = stored,.nearest = nearest,.count = (int) count};
	HnswTrials	inside = {
		.stored = stored + count * bytes,
		.nearest = nearest + count * HNSW_CURVE_NEAREST,
		.count = (int) count,
	};

	memcpy(stored, held->stored, count * bytes);
	for (size_t i = 0; i < count; i++)
	{
		uint64		drawn = hx_random(build->shape.seed, MEASURED_STREAM, i);

		memcpy(stored + (count + i) * bytes, hnsw_points_at(points, drawn % build->rows.count),
			   bytes);
	}
	hnsw_nearest_begin(nearest, 2 * count);
	hnsw_points_nearest(&build->compute, points, build->rows.count, stored, 2 * count, nearest);
	hnsw_measure_curve(build->index, &outside, &inside);
	pfree(stored);
	pfree(nearest);
}

/* Measures the index, and then inserts the rows that were held out. */
static void
measure_and_insert_held(HnswBuild *build, const HnswPoints *points)
{
	Rows	   *held = &build->held;

	if (held->count > 0)
	{
		start_phase(HNSW_PHASE_MEASURE, held->count);
		measure_index(build, points);
	}
	for (size_t i = 0; i < held->count; i++)
	{
		HnswPoint	point = {
			.stored = held->stored + i * build->shape.own_bytes,
			.error = held->error[i],
			.norm = build->largest_norm,
		};

		CHECK_FOR_INTERRUPTS();
		hnsw_insert_point(build->index, build->info, &point, &held->row[i]);
	}
}

/* From the rows in memory to pages, on the team. */
static void
write_rows(HnswBuild *build)
{
	collapse(build);

	HnswPoints	points = {
		.shape = &build->shape,
		.stored = build->rows.stored,
		.largest_norm = build->largest_norm,
	};
	HxNode	   *number = allocate_rows(build, build->rows.count, sizeof(HxNode));

	build_graph(build, &points, number);
	hnsw_write_log(build->index);
	add_more_rows(build, number);
	measure_and_insert_held(build, &points);
	pfree(number);
	pfree(build->rows.stored);
}

/* Memory is full: what it holds, and all that comes, goes to files. */
static void
start_parts(HnswBuild *build)
{
	Rows	   *rows = &build->rows;
	MemoryContext old = MemoryContextSwitchTo(build->context);

	build->parts = hnsw_parts_begin(build->index, build->info, &build->shape, &build->compute,
									build->max_capacity);
	build->parts->largest_norm = build->largest_norm;
	for (size_t i = 0; i < rows->count; i++)
	{
		HnswPoint	point = {
			.stored = rows->stored + i * build->shape.own_bytes,
			.error = rows->error[i],
		};

		CHECK_FOR_INTERRUPTS();
		hnsw_parts_add(build->parts, &point, &rows->row[i]);
	}
	pfree(rows->stored);
	pfree(rows->error);
	pfree(rows->row);
	MemoryContextSwitchTo(old);
}

/* From the rows that have been read to an index, on the team. */
static void
write_index(HnswBuild *build)
{
	int			threads = hx_guc_build_threads();

	PG_TRY();
	{
		hx_team_start(threads);
		if (build->parts != NULL)
			hnsw_parts_finish(build->parts);
		else
			write_rows(build);
	}
	PG_FINALLY();
	{
		hx_team_end();
	}
	PG_END_TRY();
	write_counts(build);
}

/* Keeps a point in memory, or in the file when memory is full. */
static void
keep_point(HnswBuild *build, HnswPoint *point, ItemPointer tid)
{
	Rows	   *rows = &build->rows;

	if (build->parts == NULL && rows->count == build->max_capacity)
		start_parts(build);
	if (build->parts != NULL)
	{
		hnsw_parts_add(build->parts, point, tid);
		return;
	}
	if (rows->count == build->capacity)
		double_capacity(build);
	copy_row(build, rows, rows->count++,
			 &(Rows) {.stored = point->stored,.error = &point->error,.row = tid}, 0);
	build->largest_norm = Max(build->largest_norm, point->norm);
	if (!build->has_format && rows->count == HNSW_FORMAT_ROWS)
		choose_format(build);
}

/* table_index_build_scan's callback: one row of the table. */
static void
add_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *state)
{
	HnswBuild  *build = state;
	HnswPoint	point;

	if (isnull[0])
		return;

	MemoryContext old = MemoryContextSwitchTo(build->row_context);
	Datum		value = PointerGetDatum(PG_DETOAST_DATUM(values[0]));

	if (build->capacity == 0)
		start_rows(build, value);
	if (hnsw_point_make(index, &build->shape, value, &point))
	{
		keep_point(build, &point, tid);
		build->row_total++;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->row_context);
}

IndexBuildResult *
hnsw_build(Relation heap, Relation index, IndexInfo *info)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hnsw build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HnswBuild	build = {
		.heap = heap,
		.index = index,
		.info = info,
		.shape = hnsw_declared_shape(index),
		.context = context,
		.row_context = AllocSetContextCreate(context, "hashidx_hnsw build row",
											 ALLOCSET_DEFAULT_SIZES),
		.compute = {
			.memory = hx_am_memory(context),
			.check = hx_am_check_interrupts,
		},
	};

	write_empty_meta(index);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HNSW_PHASE_READ);
	double		heap_rows = table_index_build_scan(heap, index, info, true, true,
												   add_row, &build, NULL);

	if (build.row_total > 0)
	{
		if (!build.has_format)
			choose_format(&build);
		write_index(&build);
	}
	else
		hnsw_write_log(index);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);

	IndexBuildResult *result = palloc(sizeof(IndexBuildResult));

	result->heap_tuples = heap_rows;
	result->index_tuples = build.row_total;
	return result;
}

/* The init fork of an unlogged index: an empty index, copied over the main fork after a crash. */
void
hnsw_buildempty(Relation index)
{
	Buffer		buf = ExtendBufferedRel(BMR_REL(index), INIT_FORKNUM, NULL,
										EB_LOCK_FIRST | EB_SKIP_EXTENSION_LOCK);

	START_CRIT_SECTION();
	hnsw_meta_init(BufferGetPage(buf));
	MarkBufferDirty(buf);
	log_newpage_buffer(buf, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buf);
}
