/*
 * page.h
 *	  What all pages of our access methods share: the special area, the kinds,
 *	  and the way a damaged page is reported.
 *
 * Special area, at the end of every page:
 *
 * OFFSET  SIZE  MEANING
 *      0     4  next: the next page of the list this page is in (see the AM's README)
 *      4     1  kind: HxPageKind
 *      5     1  flags: HX_PAGE_LISTED
 *      6     2  page id of the access method, for pg_filedump and for us
 */
#ifndef HX_AM_PAGE_H
#define HX_AM_PAGE_H

#include "hashidx.h"

#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

/* A node of the graph with the most links, and the map of chunk tables, need so much. */
#if BLCKSZ < 8192
#error "hashidx needs a PostgreSQL whose pages have 8 kB or more (configure --with-blocksize)"
#endif

/* Last two bytes of a page. In use elsewhere: 0xFF80-0xFF83 core, bloom; 0xFF84, 0xFF90 pgvector */
#define HX_PAGE_ID_HAMMING 0xFFA1
#define HX_PAGE_ID_HNSW 0xFFA2
#define HX_PAGE_ID_LSH 0xFFA3

#define HX_METABLOCK 0

typedef enum HxPageKind
{
	HX_PAGE_META = 1,			/* HX_METABLOCK */
	HX_PAGE_CODES = 2,			/* codes and the rows that have them */
	HX_PAGE_PAYLOAD = 3,		/* values of INCLUDE columns */
	HX_PAGE_NODES = 4,			/* nodes of a graph */
	HX_PAGE_POSTINGS = 5,		/* rows of nodes that have many */
	HX_PAGE_ENTRIES = 6,		/* where searches of the graph begin */
	HX_PAGE_CENTRE = 7,			/* the centre of its vectors */
	HX_PAGE_DIRECTORY = 8,		/* lsh: where buckets are */
	HX_PAGE_BUCKETS = 9,		/* lsh: rows of several buckets */
	HX_PAGE_LONG = 10,			/* lsh: rows of one long bucket */
	HX_PAGE_FREE = 11,			/* lsh: nothing, to be used again */
	HX_PAGE_CHUNK_MAP = 12,		/* hamming: which chunk tables there are */
	HX_PAGE_CHUNK_LEAF = 13,	/* hamming: codes and rows in the order of a chunk */
	HX_PAGE_CHUNK_INNER = 14,	/* hamming: the way to the leaves */
	HX_PAGE_EXTENTS = 15,		/* hamming: where its codes pages are */
	HX_PAGE_TAIL = 16,			/* what does not fit a node's page */
	HX_PAGE_KIND_LAST = HX_PAGE_TAIL,
} HxPageKind;

/* The page stands in its kind's list of pages with room. */
#define HX_PAGE_LISTED 0x01

typedef struct HxPageOpaque
{
	BlockNumber next;
	uint8		kind;
	uint8		flags;
	uint16		page_id;
} HxPageOpaque;

StaticAssertDecl(sizeof(HxPageOpaque) == 8, "the special area is part of the format");

#define HX_PAGE_USABLE (BLCKSZ - SizeOfPageHeaderData - MAXALIGN(sizeof(HxPageOpaque)))

static inline HxPageOpaque *
hx_page_opaque(Page page)
{
	return (HxPageOpaque *) PageGetSpecialPointer(page);
}

/*
 * Reports damage: ERRCODE_INDEX_CORRUPTED, index and block, the given detail
 * (a printf format and its arguments, a whole sentence) and what to do.
 */
#define hx_page_report_damage(index, blk, ...) \
	ereport(ERROR, \
			(errcode(ERRCODE_INDEX_CORRUPTED), \
			 errmsg("index \"%s\" is damaged at block %u", \
					RelationGetRelationName(index), (blk)), \
			 errdetail(__VA_ARGS__), \
			 errhint("Rebuild it with REINDEX INDEX.")))

/* Makes an empty page of the given kind, in no list. */
extern void hx_page_init(Page page, HxPageKind kind, uint16 page_id);

/*
 * NULL when header and special area are those of a page of ours, otherwise what
 * is wrong, as a sentence. Reads nothing that could lie outside the page.
 */
extern const char *hx_page_problem(Page page, uint16 page_id);

/* The kind of the page in a locked buffer; hx_page_report_damage() when it is not one of ours. */
extern HxPageKind hx_page_check(Relation index, Buffer buf, uint16 page_id);

/*
 * Can the table have a row with a TID that stood on a page? The server believes an index: it reads,
 * or even adds, any block named. *blocks: the table has at least as many; 0 at first.
 */
extern bool hx_page_tid_is_plausible(Relation heap, BlockNumber *blocks,
									 const ItemPointerData *tid);

/* Extends the main fork by one zero page; returns its buffer, exclusively locked. */
extern Buffer hx_page_extend(Relation index);

/*
 * Extends it by a page and so many more right behind it, with none of others between. Returns the
 * first one's buffer, and in *last that of the last (invalid when there are no more), exclusively
 * locked both.
 */
extern Buffer hx_page_extend_run(Relation index, BlockNumber more, Buffer *last);

#endif							/* HX_AM_PAGE_H */
