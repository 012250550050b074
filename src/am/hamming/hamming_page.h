/*
 * hamming_page.h
 *	  The page format of hashidx_hamming, and the only code that reads and writes it.
 *
 * Tables of offsets stand in the folder's README. Only the structs of this file are laid over a
 * page, and only after the page has been checked.
 */
#ifndef HX_HAMMING_PAGE_H
#define HX_HAMMING_PAGE_H

#include "am/common/page_log.h"
#include "kernel/kernel.h"
#include "storage/itemptr.h"

#define HAMMING_MAGIC 0x48784861	/* "HxHa" */
#define HAMMING_FORMAT 1

#define HAMMING_FIRST_BLOCK 1

/*
 * How the index answers: by reading all codes, or also by way of chunk tables. (2 was
 * chunk tables whose leaves had no keys.)
 */
#define HAMMING_METHOD_SCAN 1
#define HAMMING_METHOD_MIH 3

/* The lists of pages with room, one a page kind. */
typedef enum HammingList
{
	HAMMING_LIST_CODES,
	HAMMING_LIST_PAYLOAD,
} HammingList;

#define HAMMING_LISTS 2

typedef struct HammingMetaPage
{
	uint32		magic;
	uint16		format;
	uint16		method;			/* HAMMING_METHOD_* */
	uint32		bits;			/* of each code; 0 until the first code is known */
	uint16		row_bytes;		/* of a row: 6, or 12 with INCLUDE columns */
	uint16		chunks;			/* chunk tables: as asked for (0: by our choice), then as made */
	BlockNumber room[HAMMING_LISTS];	/* heads of the lists of pages with room */
	BlockNumber chunk_root;		/* the map of the chunk tables; InvalidBlockNumber: none */
	BlockNumber extents;		/* with chunk tables: the list of codes pages; else 0 */
	uint64		rows;			/* rows and distinct codes a page, as counted by */
	uint64		codes;			/* the last build or vacuum */
} HammingMetaPage;

StaticAssertDecl(sizeof(HammingMetaPage) == 48, "the metapage is part of the format");

typedef struct HammingCodesPage
{
	uint16		stride;			/* codes that the planes have room for */
	uint16		codes;			/* codes in use */
	uint16		rows;			/* rows in use, >= codes */
	uint16		unused;
	uint8		data[FLEXIBLE_ARRAY_MEMBER];	/* planes, then rows */
} HammingCodesPage;

#define HAMMING_CODES_HEADER offsetof(HammingCodesPage, data)
#define HAMMING_CODES_SPACE (HX_PAGE_USABLE - HAMMING_CODES_HEADER)

/* A row as it lies on the page: unaligned, row_bytes of it. */
typedef struct HammingRow
{
	ItemPointerData tid;		/* heap row; the offset's high bit is HAMMING_ROW_CONTINUES */
	ItemPointerData payload;	/* where its INCLUDE values are; absent without INCLUDE */
} HammingRow;

StaticAssertDecl(sizeof(HammingRow) == 12, "rows are part of the format");

/* The row has the same code as the row before it. */
#define HAMMING_ROW_CONTINUES 0x8000

/* What all codes and rows of an index have in common. */
typedef struct HammingShape
{
	uint32		bits;			/* 0: not known yet */
	uint16		code_bytes;
	uint16		row_bytes;
	uint16		space;			/* bytes of a page that planes and rows may take */
} HammingShape;

/*
 * The largest code: it fits a page together with one row, and its distances fit the 16 bits that
 * kernels give them, which counts where pages are larger than 8 kB.
 */
#define HAMMING_MAX_CODE_BYTES(row_bytes) Min(HAMMING_CODES_SPACE - (row_bytes), PG_UINT16_MAX / 8)

/* Most rows, and most codes, that one page can hold, for arrays. */
#define HAMMING_MAX_ROWS (HAMMING_CODES_SPACE / sizeof(ItemPointerData))
#define HAMMING_MAX_CODES (HAMMING_CODES_SPACE / (sizeof(ItemPointerData) + 1))

/* A checked codes page, ready to be read. */
typedef struct HammingView
{
	HxPlanes	planes;
	const uint8 *rows;
	int			row_count;
	int			row_bytes;
} HammingView;

extern void hamming_meta_init(Page page, const HammingShape *shape, int method, int chunks);
extern HammingMetaPage *hamming_meta(Page page);

extern void hamming_codes_init(Page page, const HammingShape *shape);

/* Makes an empty codes area of a page that has been initialised, with shape->space bytes. */
extern void hamming_codes_clear(Page page, const HammingShape *shape);

/*
 * Checks a codes page that hx_page_problem() has passed and points the view
 * into it: NULL, or what is wrong. Constant time: all bounds, no contents.
 */
extern const char *hamming_view(Page page, const HammingShape *shape, HammingView *view);

/* Row number i of a page; the heap row's TID comes without the flag. */
static inline HammingRow
hamming_view_row(const HammingView *view, int i, bool *continues)
{
	const uint8 *stored = view->rows + i * view->row_bytes;
	HammingRow	row;

	memcpy(&row.tid, stored, sizeof(row.tid));
	if (view->row_bytes == sizeof(row))
		memcpy(&row.payload, stored + sizeof(row.tid), sizeof(row.payload));
	else
		ItemPointerSetInvalid(&row.payload);
	*continues = (row.tid.ip_posid & HAMMING_ROW_CONTINUES) != 0;
	row.tid.ip_posid &= ~HAMMING_ROW_CONTINUES;
	return row;
}

/*
 * Fills first[0 .. codes] so that the rows of code c are first[c] .. first[c+1]-1.
 * False when the rows do not add up to the codes: the page is damaged.
 */
extern bool hamming_view_runs(const HammingView *view, uint16 *first);

/* Adds a code and its row at the end of a codes page; false, changing nothing, without room. */
extern bool hamming_codes_append(Page page, const HammingShape *shape, const uint8 *code,
								 HammingRow row);

/* Are codes so short that an append changes no more ranges of bytes than hx_page_log() takes? */
extern bool hamming_codes_are_short(const HammingShape *shape);

/* Of short codes: the bytes that the last append changed, and how many ranges they are. */
extern int	hamming_codes_appended(Page page, const HammingShape *shape, HxPageRange *ranges);

/*
 * The contents of one codes page in memory, row-major: for writing pages as a
 * whole. Rows of equal codes added one after the other share the code.
 */
typedef struct HammingPacker
{
	HammingShape shape;
	int			codes;
	int			rows;
	uint8	   *code_data;
	HammingRow *row_data;		/* offsets carry HAMMING_ROW_CONTINUES */
} HammingPacker;

extern void hamming_packer_init(HammingPacker *packer, const HammingShape *shape);
extern void hamming_packer_free(HammingPacker *packer);
extern void hamming_packer_reset(HammingPacker *packer);

/* False, adding nothing, when the page would be over-full. */
extern bool hamming_packer_add(HammingPacker *packer, const uint8 *code, HammingRow row);

/* Bytes still free on the page that the packer describes. */
extern int	hamming_packer_free_bytes(const HammingPacker *packer);

/*
 * Writes the packer's contents over a codes page. Planes get the room that lets
 * codes with one row each fill the rest of the page.
 */
extern void hamming_packer_store(const HammingPacker *packer, Page page);

/* Brings equal codes together, each once; what is then free shows in hamming_packer_free_bytes. */
extern void hamming_packer_merge(HammingPacker *packer);

/* Decides whether a row, which has the code, stays. */
typedef bool (*HammingKeep) (const uint8 *code, const HammingRow *row, void *context);

/*
 * Takes over a page's rows for which keep() says so (all if NULL), each code
 * once. False when the page's rows are damaged.
 */
extern bool hamming_packer_load(HammingPacker *packer, const HammingView *view,
								HammingKeep keep, void *context);

#endif							/* HX_HAMMING_PAGE_H */
