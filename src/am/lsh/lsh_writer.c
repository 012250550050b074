/*
 * lsh_writer.c
 *	  Writing the pages of a new index from its rows in order of their keys.
 *
 * Bucket pages are filled to nine tenths, one after the other. The rows of one key wait
 * until it is known how many they are: few go to the bucket page together, many become
 * a long bucket, whose last page, the one with room, is its first. The directory is
 * written at the end, level by level, the topmost one into the root.
 */
#include "am/lsh/lsh_writer.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* The children of a directory level, in order. */
typedef struct Level
{
	LshChild   *children;
	Size		count;
	Size		room;
} Level;

/* A page in the making. */
typedef struct Draft
{
	PGAlignedBlock image;
	BlockNumber blk;			/* where it goes */
} Draft;

struct LshWriter
{
	Relation	index;
	MemoryContext context;
	int			row_bytes;
	Level		leaves;			/* the bucket pages */
	Draft		buckets;		/* the bucket page that is being filled */

	/* The rows of the current key: waiting, or already on pages of their own. */
	uint32		key;
	uint8	   *waiting;
	int			waiting_count;
	int			waiting_room;
	bool		is_long;
	Draft		long_page;
};

/* Adds a page to the file; returns its block. */
static BlockNumber
add_block(Relation index)
{
	Buffer		buf = hx_page_extend(index);
	BlockNumber blk = BufferGetBlockNumber(buf);

	UnlockReleaseBuffer(buf);
	return blk;
}

/* Writes a page over its block. */
static void
write_page(Relation index, const Draft *draft)
{
	Buffer		buf = ReadBuffer(index, draft->blk);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);
	memcpy(BufferGetPage(buf), draft->image.data, BLCKSZ);
	MarkBufferDirty(buf);
	UnlockReleaseBuffer(buf);
}

/* Adds a child to a level. */
static void
push_child(Level *level, uint32 low, BlockNumber blk)
{
	if (level->count == level->room)
	{
		level->room = Max(level->room * 2, 1024);
		level->children = level->children == NULL ?
			palloc(level->room * sizeof(LshChild)) :
			repalloc_huge(level->children, mul_size(level->room, sizeof(LshChild)));
	}
	level->children[level->count++] = (LshChild) {low, blk};
}

/* Begins a bucket page for keys from `low` on. */
static void
start_buckets(LshWriter *writer, uint32 low)
{
	writer->buckets.blk = add_block(writer->index);
	lsh_buckets_init(writer->buckets.image.data, low, LSH_MAX_KEY);
	push_child(&writer->leaves, low, writer->buckets.blk);
}

/* Ends a bucket page and begins its right sibling. */
static void
next_buckets(LshWriter *writer, uint32 low)
{
	Draft		full = writer->buckets;

	CHECK_FOR_INTERRUPTS();
	start_buckets(writer, low);
	lsh_buckets(full.image.data)->high = low - 1;
	hx_page_opaque(full.image.data)->next = writer->buckets.blk;
	write_page(writer->index, &full);
}

LshWriter *
lsh_writer_begin(Relation index)
{
	LshWriter  *writer = palloc0(sizeof(LshWriter));

	writer->index = index;
	writer->context = CurrentMemoryContext;
	if (add_block(index) != HX_METABLOCK)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));
	add_block(index);			/* the root */
	start_buckets(writer, 0);
	return writer;
}

void
lsh_writer_set_row_bytes(LshWriter *writer, int row_bytes)
{
	writer->row_bytes = row_bytes;
	writer->waiting_room = lsh_buckets_capacity(row_bytes) / 2;
	writer->waiting = MemoryContextAlloc(writer->context, writer->waiting_room * row_bytes);
}

/* Puts a row on the pages of the current long bucket. */
static void
add_to_long(LshWriter *writer, const uint8 *stored)
{
	LshRow		row = lsh_row_at(stored);
	Draft	   *draft = &writer->long_page;

	if (lsh_long_append(draft->image.data, writer->row_bytes, row.tid, row.sketch))
		return;

	BlockNumber full = draft->blk;

	CHECK_FOR_INTERRUPTS();
	write_page(writer->index, draft);
	draft->blk = add_block(writer->index);
	lsh_long_init(draft->image.data, writer->key);
	hx_page_opaque(draft->image.data)->next = full;
	lsh_long_append(draft->image.data, writer->row_bytes, row.tid, row.sketch);
}

/* The waiting rows are too many to share a page with others. */
static void
start_long(LshWriter *writer)
{
	writer->is_long = true;
	writer->long_page.blk = add_block(writer->index);
	lsh_long_init(writer->long_page.image.data, writer->key);
	for (int i = 0; i < writer->waiting_count; i++)
		add_to_long(writer, writer->waiting + i * writer->row_bytes);
	writer->waiting_count = 0;
}

/* All rows of a key are known: puts them, or the reference to them, on the bucket page. */
static void
finish_key(LshWriter *writer)
{
	int			row_bytes = writer->row_bytes;
	int			needed = writer->is_long ? 1 : writer->waiting_count;
	int			most = lsh_buckets_capacity(row_bytes) / 10 * 9;
	int			count = lsh_buckets(writer->buckets.image.data)->count;

	if (needed == 0)
		return;
	if (count > 0 && count + needed > most)
		next_buckets(writer, writer->key);
	if (writer->is_long)
	{
		ItemPointerData none;

		write_page(writer->index, &writer->long_page);
		ItemPointerSet(&none, writer->long_page.blk, InvalidOffsetNumber);
		lsh_buckets_append(writer->buckets.image.data, row_bytes, writer->key, none, NULL);
	}
	for (int i = 0; i < writer->waiting_count; i++)
	{
		LshRow		row = lsh_row_at(writer->waiting + i * row_bytes);

		lsh_buckets_append(writer->buckets.image.data, row_bytes, writer->key, row.tid, row.sketch);
	}
	writer->waiting_count = 0;
	writer->is_long = false;
}

void
lsh_writer_add(LshWriter *writer, uint32 key, const uint8 *row)
{
	if (key != writer->key)
	{
		finish_key(writer);
		writer->key = key;
	}
	if (!writer->is_long && writer->waiting_count == writer->waiting_room)
		start_long(writer);
	if (writer->is_long)
		add_to_long(writer, row);
	else
		memcpy(writer->waiting + writer->waiting_count++ * writer->row_bytes, row,
			   writer->row_bytes);
}

/* Writes a directory page with some of a level's children, to the right of which is `next`. */
static void
write_directory(Relation index, int level, const LshChild *children, Size count, uint32 high,
				BlockNumber blk, BlockNumber next)
{
	Draft		draft = {.blk = blk};

	lsh_directory_init(draft.image.data, level, children[0].low, high);
	for (Size i = 0; i < count; i++)
		lsh_directory_insert(draft.image.data, children[i]);
	hx_page_opaque(draft.image.data)->next = next;
	write_page(index, &draft);
}

/* Writes the pages of a directory level; returns them as the children of the level above. */
static Level
write_level(Relation index, int number, const Level *level)
{
	Level		above = {0};
	Size		step = LSH_MAX_CHILDREN / 10 * 9;
	BlockNumber blk = add_block(index);

	for (Size i = 0; i < level->count; i += step)
	{
		bool		is_last = i + step >= level->count;
		BlockNumber next = is_last ? InvalidBlockNumber : add_block(index);

		CHECK_FOR_INTERRUPTS();
		push_child(&above, level->children[i].low, blk);
		write_directory(index, number, level->children + i, Min(step, level->count - i),
						is_last ? LSH_MAX_KEY : level->children[i + step].low - 1, blk, next);
		blk = next;
	}
	return above;
}

void
lsh_writer_finish(LshWriter *writer, const LshTuned *tuned, uint64 rows)
{
	Draft		meta = {.blk = HX_METABLOCK};
	Level		level = writer->leaves;
	int			number = 0;

	finish_key(writer);
	level = writer->leaves;
	write_page(writer->index, &writer->buckets);
	for (; level.count > LSH_MAX_CHILDREN; number++)
		level = write_level(writer->index, number, &level);
	write_directory(writer->index, number, level.children, level.count, LSH_MAX_KEY,
					LSH_ROOT, InvalidBlockNumber);

	lsh_meta_init(meta.image.data);
	lsh_meta(meta.image.data)->rows = rows;
	if (tuned != NULL)
		lsh_meta_set_tuning(lsh_meta(meta.image.data), tuned);
	write_page(writer->index, &meta);
}
