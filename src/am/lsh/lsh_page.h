/*
 * lsh_page.h
 *	  The page format of hashidx_lsh and the only code that reads and writes it.
 *
 * Tables of offsets stand in the folder's README. Everything here works on page
 * images alone: no buffers, locks or WAL.
 */
#ifndef HX_LSH_PAGE_H
#define HX_LSH_PAGE_H

#include "am/common/page_log.h"
#include "hash/lsh_curve.h"
#include "storage/itemptr.h"

#define LSH_MAGIC 0x48784c73	/* "HxLs" */
#define LSH_FORMAT 1

#define LSH_ROOT 1
#define LSH_FIRST_BLOCK 2

#define LSH_MAX_KEY PG_UINT32_MAX

/* A level of the directory that no index reaches. */
#define LSH_MAX_LEVEL 8

typedef struct LshMetaPage
{
	uint32		magic;
	uint16		format;
	uint16		unused;
	BlockNumber free;			/* head of the list of free pages */
	uint32		set_size;		/* elements of a typical set */
	HxLshShape	shape;			/* tables 0: not known yet */
	uint64		rows;			/* as the last build or vacuum counted them */
	uint64		tuned_rows;		/* that the shape was tuned for; 0: without a sample */
	float		bucket_share;	/* of the rows, that a bucket near a query has */
	uint32		reserved;
	HxLshCurve	curve;
} LshMetaPage;

StaticAssertDecl(sizeof(HxLshShape) == 40 && sizeof(HxLshCurve) == 1188 &&
				 offsetof(LshMetaPage, curve) == 80, "the metapage is part of the format");

/* The entry of a directory page for one child. */
typedef struct LshChild
{
	uint32		low;			/* the least key that belongs there */
	BlockNumber blk;
} LshChild;

typedef struct LshDirectoryPage
{
	uint32		low;
	uint32		high;			/* included */
	uint16		level;			/* 0: children are bucket pages */
	uint16		count;
	LshChild	children[FLEXIBLE_ARRAY_MEMBER];
} LshDirectoryPage;

#define LSH_MAX_CHILDREN \
	((HX_PAGE_USABLE - offsetof(LshDirectoryPage, children)) / sizeof(LshChild))

typedef struct LshBucketPage
{
	uint32		low;
	uint32		high;			/* included */
	uint16		count;
	uint16		unused;
	uint32		keys[FLEXIBLE_ARRAY_MEMBER];
} LshBucketPage;

typedef struct LshLongPage
{
	uint32		key;
	uint16		count;
	uint16		unused;
	uint8		rows[FLEXIBLE_ARRAY_MEMBER];
} LshLongPage;

/* A row in memory; on a page the sketch follows the TID. */
typedef struct LshRow
{
	ItemPointerData tid;
	const uint8 *sketch;		/* on the page */
} LshRow;

/* Bytes of a row on a page. */
#define LSH_ROW_BYTES(sketch_bytes) ((int) (sizeof(ItemPointerData) + (sketch_bytes)))

/* Rows that a page can hold. */
static inline int
lsh_buckets_capacity(int row_bytes)
{
	return (HX_PAGE_USABLE - offsetof(LshBucketPage, keys)) / (sizeof(uint32) + row_bytes);
}

static inline int
lsh_long_capacity(int row_bytes)
{
	return (HX_PAGE_USABLE - offsetof(LshLongPage, rows)) / row_bytes;
}

/* Most rows that any bucket page, and any page, can hold: for arrays. */
#define LSH_MAX_ROWS (HX_PAGE_USABLE / sizeof(ItemPointerData))

static inline LshMetaPage *
lsh_meta(Page page)
{
	return (LshMetaPage *) PageGetContents(page);
}

static inline LshDirectoryPage *
lsh_directory(Page page)
{
	return (LshDirectoryPage *) PageGetContents(page);
}

static inline LshBucketPage *
lsh_buckets(Page page)
{
	return (LshBucketPage *) PageGetContents(page);
}

static inline LshLongPage *
lsh_long(Page page)
{
	return (LshLongPage *) PageGetContents(page);
}

static inline LshRow
lsh_row_at(const uint8 *stored)
{
	LshRow		row = {.sketch = stored + sizeof(ItemPointerData)};

	memcpy(&row.tid, stored, sizeof(row.tid));
	return row;
}

/* Row number i of a bucket page, of a long page. */
static inline LshRow
lsh_buckets_row(Page page, int row_bytes, int i)
{
	return lsh_row_at((uint8 *) PageGetSpecialPointer(page) - (i + 1) * row_bytes);
}

static inline LshRow
lsh_long_row(Page page, int row_bytes, int i)
{
	return lsh_row_at(lsh_long(page)->rows + i * row_bytes);
}

/* Is the row of a bucket page a reference to the pages of a long bucket? Then row->tid's block. */
static inline bool
lsh_row_is_reference(const LshRow *row)
{
	return ItemPointerGetOffsetNumberNoCheck(&row->tid) == InvalidOffsetNumber;
}

static inline BlockNumber
lsh_row_reference(const LshRow *row)
{
	return ItemPointerGetBlockNumberNoCheck(&row->tid);
}

/* The metapage of an empty index without a shape. */
extern void lsh_meta_init(Page page);

/* NULL, or what is wrong with the shape, the curve and the share of rows in a metapage. */
extern const char *lsh_meta_problem(const LshMetaPage *meta);

/* Empty pages. */
extern void lsh_directory_init(Page page, int level, uint32 low, uint32 high);
extern void lsh_buckets_init(Page page, uint32 low, uint32 high);
extern void lsh_long_init(Page page, uint32 key);

/* Makes a free page of it, the head of the list in the metapage. */
extern void lsh_page_free(Page page, BlockNumber blk, Page meta_page);

/*
 * NULL, or what is wrong with a page whose special area is sound: bounds and counts.
 * Constant time; contents are checked as they are used.
 */
extern const char *lsh_page_problem(Page page, int row_bytes);

/* The child that a key belongs to; InvalidBlockNumber: the entries are damaged. */
extern BlockNumber lsh_directory_child(Page page, uint32 key);

/* Adds a child; there must be room. */
extern void lsh_directory_insert(Page page, LshChild child);

/* The lowest key of the upper half of the entries. */
extern uint32 lsh_directory_middle(Page page);

/* Moves the upper half of the entries to an empty page to the right of it, whose block is given. */
extern void lsh_directory_split(Page page, Page right, BlockNumber right_blk);

/* Adds a row, if there is room; the sketch may be NULL: zeros. */
extern bool lsh_buckets_append(Page page, int row_bytes, uint32 key, ItemPointerData tid,
							   const uint8 *sketch);
extern bool lsh_long_append(Page page, int row_bytes, ItemPointerData tid, const uint8 *sketch);

/* The bytes that the last append to a page changed, and how many ranges they are. */
extern int	lsh_buckets_appended(Page page, int row_bytes, HxPageRange *ranges);
extern int	lsh_long_appended(Page page, int row_bytes, HxPageRange *ranges);

/* The number of the row that refers to a long bucket's pages, -1: there is none. */
extern int	lsh_buckets_reference(Page page, int row_bytes, uint32 key);

/* Points reference number i to another page. */
extern void lsh_buckets_set_reference(Page page, int row_bytes, int i, BlockNumber blk);

/* Decides whether a row stays. */
typedef bool (*LshKeep) (uint32 key, const LshRow *row, void *context);

/* Removes the rows that keep() does not want, moving others into their places; how many. */
extern int	lsh_buckets_filter(Page page, int row_bytes, LshKeep keep, void *context);
extern int	lsh_long_filter(Page page, int row_bytes, LshKeep keep, void *context);

/* True with the key that has more than half of the rows that a page can hold. */
extern bool lsh_buckets_crowd(Page page, int row_bytes, uint32 *key);

/* Moves all rows of that key to an empty long page and leaves a reference. */
extern void lsh_buckets_extract(Page page, int row_bytes, uint32 key, Page long_page,
								BlockNumber long_blk);

/* A key near the middle: rows from it on leave in a split. False: all keys are equal. */
extern bool lsh_buckets_middle(Page page, uint32 *key);

/* Moves the rows from that key on to an empty page to the right of it. */
extern void lsh_buckets_split(Page page, int row_bytes, uint32 key, Page right,
							  BlockNumber right_blk);

/* Moves all rows of the next page of a long bucket, for which there must be room, to this one. */
extern void lsh_long_join(Page page, Page next, int row_bytes);

#endif							/* HX_LSH_PAGE_H */
