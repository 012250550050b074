/*
 * hamming_tables.c
 *	  Builds the chunk tables from codes pages.
 *
 * A table is cut into ranges of points that fit memory, by the quantiles of a sample. The rows of
 * one range are gathered, sorted and written to leaves before the next. Each range takes one
 * reading of the codes pages, not of the heap. So memory is bounded without temporary files, and
 * more memory only means fewer readings.
 */
#include "am/hamming/hamming_tables.h"

#include "miscadmin.h"

/* Rows looked at to choose the bits of the chunks and the ranges. */
#define SAMPLE_ROWS 8192

/* A page that a build has written has a tenth left for inserts to come. */
#define FILL(room) ((room) - (room) / 10)

/* A row of the range under way; major and minor make up its point. */
typedef struct Entry
{
	uint64		major;			/* key, then block */
	uint32		slot;			/* of its code and row */
	uint16		minor;			/* offset */
} Entry;

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE Entry
#define ST_COMPARE(a, b) \
	((a)->major != (b)->major ? ((a)->major < (b)->major ? -1 : 1) : \
	 (int) (a)->minor - (int) (b)->minor)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

typedef struct TableBuild
{
	Relation	index;
	HammingShape shape;
	HammingShape leaf_shape;
	const HammingExtent *extents;
	int			extent_count;
	uint64		rows;
	HammingTables tables;
	int			chunk;			/* the table under way */

	/* The sample. */
	uint64		sample_step;
	uint64		seen;
	uint32		sampled;
	uint8	   *sample_codes;
	ItemPointerData *sample_tids;

	/* The range under way: points beyond `after`, up to `until`. */
	HammingPoint after;
	HammingPoint until;
	bool		from_start;
	Entry	   *entries;
	uint8	   *codes;
	HammingRow *entry_rows;
	size_t		count;
	size_t		capacity;

	/* The leaf under way, and those that have been written. */
	HammingPacker packer;
	HammingPoint last;			/* the packer's last point */
	HammingBranch *branches;
	size_t		branch_count;
	size_t		branch_capacity;
} TableBuild;

typedef void (*Visit) (TableBuild *build, const uint8 *code, HammingRow row);

static void
visit_page(TableBuild *build, BlockNumber blk, Visit visit)
{
	uint8		code[HAMMING_MAX_TABLE_BITS / 8];
	uint16		first[HAMMING_MAX_CODES + 1];
	Buffer		buf = ReadBuffer(build->index, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);

	HammingView view = hamming_checked_view(build->index, &build->shape, buf, BufferGetPage(buf));

	if (!hamming_view_runs(&view, first))
		hamming_report_runs(build->index, buf);
	for (unsigned i = 0; i < view.planes.count; i++)
	{
		hx_planes_get(view.planes.base, view.planes.stride, view.planes.code_bytes, i, code);
		for (int r = first[i]; r < first[i + 1]; r++)
		{
			bool		continues;

			visit(build, code, hamming_view_row(&view, r, &continues));
		}
	}
	UnlockReleaseBuffer(buf);
}

static void
visit_all(TableBuild *build, Visit visit)
{
	for (int i = 0; i < build->extent_count; i++)
		for (BlockNumber n = 0; n < build->extents[i].count; n++)
		{
			CHECK_FOR_INTERRUPTS();
			visit_page(build, build->extents[i].first + n, visit);
		}
}

/* Visit: takes every so many-th row into the sample. */
static void
sample_row(TableBuild *build, const uint8 *code, HammingRow row)
{
	if (build->seen++ % build->sample_step != 0)
		return;
	memcpy(build->sample_codes + (size_t) build->sampled * build->shape.code_bytes, code,
		   build->shape.code_bytes);
	build->sample_tids[build->sampled++] = row.tid;
}

static void
take_sample(TableBuild *build)
{
	build->sample_step = build->rows / SAMPLE_ROWS + 1;

	size_t		most = build->rows / build->sample_step + 1;

	build->sample_codes = palloc(most * build->shape.code_bytes);
	build->sample_tids = palloc(most * sizeof(ItemPointerData));
	visit_all(build, sample_row);
}

/* Chooses the bits of the chunks by the sample. */
static void
deal_bits(TableBuild *build, int count)
{
	HxChunks   *chunks = &build->tables.chunks;
	unsigned	bits = build->shape.bits;

	if (build->sampled == 0)
		hx_chunks_cut(chunks, bits, count);
	else
	{
		void	   *scratch = palloc(hx_chunks_deal_scratch(bits, count, build->sampled));

		hx_chunks_deal(chunks, bits, count, build->sample_codes, build->sampled, scratch);
		pfree(scratch);
	}
}

static int
compare_points(const void *a, const void *b)
{
	return hamming_point_compare(a, b);
}

/* The points of the sample in the table under way, in order. */
static HammingPoint *
sample_points(TableBuild *build)
{
	HammingPoint *points = palloc(Max(build->sampled, 1) * sizeof(HammingPoint));

	for (uint32 i = 0; i < build->sampled; i++)
	{
		const uint8 *code = build->sample_codes + (size_t) i * build->shape.code_bytes;

		points[i] = hamming_point(hx_chunk_key(&build->tables.chunks, build->chunk, code),
								  build->sample_tids[i]);
	}
	if (build->sampled > 0)
		qsort(points, build->sampled, sizeof(HammingPoint), compare_points);
	return points;
}

/* Bytes of memory for a row of a range. */
static Size
bytes_per_row(const TableBuild *build)
{
	return sizeof(Entry) + build->shape.code_bytes + sizeof(HammingRow);
}

static void
set_capacity(TableBuild *build, size_t capacity)
{
	build->capacity = capacity;
	build->entries = repalloc_huge(build->entries, mul_size(capacity, sizeof(Entry)));
	build->codes = repalloc_huge(build->codes, mul_size(capacity, build->shape.code_bytes));
	build->entry_rows = repalloc_huge(build->entry_rows, mul_size(capacity, sizeof(HammingRow)));
}

/* Visit: takes a row that belongs to the range. */
static void
gather_row(TableBuild *build, const uint8 *code, HammingRow row)
{
	HammingPoint point = hamming_point(hx_chunk_key(&build->tables.chunks, build->chunk, code),
									   row.tid);

	if ((!build->from_start && hamming_point_compare(&point, &build->after) <= 0) ||
		hamming_point_compare(&point, &build->until) > 0)
		return;
	if (build->count == build->capacity)
		set_capacity(build, build->capacity + build->capacity / 4);

	Entry	   *entry = &build->entries[build->count];

	entry->major = (uint64) point.key << 32 | ItemPointerGetBlockNumberNoCheck(&row.tid);
	entry->minor = ItemPointerGetOffsetNumberNoCheck(&row.tid);
	entry->slot = build->count;
	memcpy(build->codes + build->count * build->shape.code_bytes, code, build->shape.code_bytes);
	build->entry_rows[build->count++] = row;
}

static void
add_branch(TableBuild *build, HammingPoint high, BlockNumber child)
{
	if (build->branch_count == build->branch_capacity)
	{
		build->branch_capacity *= 2;
		build->branches = repalloc_huge(build->branches,
										mul_size(build->branch_capacity, sizeof(HammingBranch)));
	}
	build->branches[build->branch_count++] = (HammingBranch) {.high = high,.child = child};
}

/* A new page of the tree, exclusively locked; the pages of a level follow each other. */
static Buffer
new_page(TableBuild *build, bool follows, BlockNumber before)
{
	Buffer		buf = hx_page_extend(build->index);

	if (follows && BufferGetBlockNumber(buf) != before + 1)
		elog(ERROR, "block %u of index \"%s\" does not follow block %u", BufferGetBlockNumber(buf),
			 RelationGetRelationName(build->index), before);
	return buf;
}

/* Closes a new page, which leads to the next block unless it is the last of its level. */
static void
finish_page(Buffer buf, bool is_last)
{
	if (!is_last)
		hx_page_opaque(BufferGetPage(buf))->next = BufferGetBlockNumber(buf) + 1;
	MarkBufferDirty(buf);
	UnlockReleaseBuffer(buf);
}

/* Writes the leaf under way. */
static void
flush_leaf(TableBuild *build, bool is_last)
{
	size_t		count = build->branch_count;
	Buffer		buf = new_page(build, count > 0, count > 0 ? build->branches[count - 1].child : 0);
	HammingPoint high = is_last ? hamming_point_last : build->last;
	HammingPacker full = build->packer;

	CHECK_FOR_INTERRUPTS();
	full.shape = build->leaf_shape;
	hamming_leaf_init(BufferGetPage(buf), &build->leaf_shape, build->chunk, high);
	hamming_packer_store(&full, BufferGetPage(buf));
	add_branch(build, high, BufferGetBlockNumber(buf));
	finish_page(buf, is_last);
	hamming_packer_reset(&build->packer);
}

static void
add_to_leaf(TableBuild *build, const Entry *entry)
{
	uint8		code[HAMMING_MAX_LEAF_CODE];
	HammingRow	row = build->entry_rows[entry->slot];

	hamming_leaf_code(&build->tables, &build->leaf_shape, build->chunk,
					  build->codes + (size_t) entry->slot * build->shape.code_bytes, code);
	if (!hamming_packer_add(&build->packer, code, row))
	{
		hamming_packer_merge(&build->packer);
		if (hamming_packer_free_bytes(&build->packer) < hamming_worth_keeping(&build->packer.shape))
			flush_leaf(build, false);
		hamming_packer_add(&build->packer, code, row);
	}
	build->last = hamming_point(entry->major >> 32, row.tid);
}

/* Gathers, sorts and writes the rows of one range. */
static void
build_range(TableBuild *build, const HammingPoint *after, HammingPoint until)
{
	build->from_start = after == NULL;
	if (after != NULL)
		build->after = *after;
	build->until = until;
	build->count = 0;
	visit_all(build, gather_row);
	sort_entries(build->entries, build->count);
	for (size_t i = 0; i < build->count; i++)
		add_to_leaf(build, &build->entries[i]);
}

/* Writes a level of inner pages above the pages of build->branches, which it replaces. */
static void
build_level(TableBuild *build, int level)
{
	HammingBranch *below = build->branches;
	size_t		count = build->branch_count;
	BlockNumber before = 0;

	build->branches = palloc(build->branch_capacity * sizeof(HammingBranch));
	build->branch_count = 0;
	for (size_t i = 0; i < count;)
	{
		int			taken = Min(count - i, FILL(HAMMING_MAX_BRANCHES));
		Buffer		buf = new_page(build, i > 0, before);

		before = BufferGetBlockNumber(buf);
		hamming_inner_init(BufferGetPage(buf), build->chunk, level);
		hamming_branches_set(BufferGetPage(buf), below + i, taken);
		i += taken;
		add_branch(build, below[i - 1].high, before);
		finish_page(buf, i == count);
	}
	pfree(below);
}

/* Builds the table under way; returns its root. */
static BlockNumber
build_table(TableBuild *build)
{
	Size		memory = (Size) maintenance_work_mem * 1024;
	uint64		ranges = build->rows * bytes_per_row(build) / memory + 1;
	HammingPoint *points = sample_points(build);
	HammingPoint after;

	ranges = Min(ranges, Max(build->sampled, 1));
	set_capacity(build, Max(build->rows / ranges + build->rows / ranges / 8, 1024));
	for (uint64 range = 0; range < ranges; range++)
	{
		HammingPoint until = range + 1 < ranges ?
			points[(range + 1) * build->sampled / ranges] : hamming_point_last;

		build_range(build, range > 0 ? &after : NULL, until);
		after = until;
	}
	pfree(points);
	flush_leaf(build, true);

	for (int level = 1; build->branch_count > 1; level++)
		build_level(build, level);

	BlockNumber root = build->branches[0].child;

	build->branch_count = 0;
	return root;
}

/* Writes the map. */
static BlockNumber
write_map(TableBuild *build)
{
	Buffer		buf = hx_page_extend(build->index);
	BlockNumber blk = BufferGetBlockNumber(buf);

	hamming_map_init(BufferGetPage(buf), &build->tables);
	MarkBufferDirty(buf);
	UnlockReleaseBuffer(buf);
	return blk;
}

BlockNumber
hamming_tables_build(Relation index, const HammingShape *shape, const HammingExtent *extents,
					 int extent_count, uint64 rows, int count)
{
	TableBuild *build = palloc0(sizeof(TableBuild));

	build->index = index;
	build->shape = *shape;
	build->extents = extents;
	build->extent_count = extent_count;
	build->rows = rows;
	take_sample(build);
	deal_bits(build, count);
	hamming_choose_keys(&build->tables, shape);
	build->leaf_shape = hamming_leaf_shape(shape, &build->tables);

	build->entries = palloc(sizeof(Entry));
	build->codes = palloc(build->shape.code_bytes);
	build->entry_rows = palloc(sizeof(HammingRow));
	build->branch_capacity = 1024;
	build->branches = palloc(build->branch_capacity * sizeof(HammingBranch));
	hamming_packer_init(&build->packer, &build->leaf_shape);
	build->packer.shape.space = FILL(HAMMING_LEAF_SPACE);
	for (build->chunk = 0; build->chunk < count; build->chunk++)
		build->tables.root[build->chunk] = build_table(build);
	return write_map(build);
}
