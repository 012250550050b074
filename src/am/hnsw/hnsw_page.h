/*
 * hnsw_page.h
 *	  The page format of hashidx_hnsw, and the shape that all nodes of an index share.
 *
 * Tables of offsets stand in the folder's README. Only the structs of this file are laid over a
 * page, and only after the page has been checked.
 */
#ifndef HX_HNSW_PAGE_H
#define HX_HNSW_PAGE_H

#include "am/common/page.h"
#include "graph/search.h"
#include "quant/link_code.h"
#include "quant/stored.h"
#include "storage/itemptr.h"

#define HNSW_MAGIC 0x4878486e	/* "HxHn" */
#define HNSW_FORMAT 1

#define HNSW_FIRST_BLOCK 1

/* What an index measures distances by; its operator class says it. */
typedef enum HnswMetric
{
	HNSW_L2 = 1,
	HNSW_IP = 2,
	HNSW_COSINE = 3,			/* l2 of vectors brought to length 1 */
	HNSW_HAMMING = 4,
} HnswMetric;

/* A point of the curve from effort to recall. */
typedef struct HnswCurvePoint
{
	uint16		effort;			/* ef_search */
	uint16		recall;			/* of the 10 nearest, in 1/65535 */
} HnswCurvePoint;

#define HNSW_MAX_CURVE_POINTS 24

/* The lists of pages with room, one a page kind. */
typedef enum HnswList
{
	HNSW_LIST_NODES,
	HNSW_LIST_POSTINGS,
} HnswList;

#define HNSW_LISTS 2

typedef struct HnswMetaPage
{
	uint32		magic;
	uint16		format;
	uint8		metric;			/* HnswMetric */
	uint8		stored;			/* HxStoredFormat of the nodes' own vectors; of codes 0 */
	uint32		dims;			/* of the column's vectors, bits of its codes; 0: not known yet */
	uint16		m;				/* links of a node */
	uint16		code_bits;		/* bits a coordinate of the links' codes: 1 or 2 */
	uint32		ef_construction;
	float		largest_norm;	/* of ip: the largest norm seen; else 0 */
	uint64		seed;			/* of the rotation and of the choice of entries */
	BlockNumber room[HNSW_LISTS];	/* heads of the lists of pages with room */
	BlockNumber centre;			/* first page of the centre; InvalidBlockNumber: still zero */
	BlockNumber entries;		/* first page of the entry set, InvalidBlockNumber: it is empty */
	uint32		entry_version;	/* raised whenever the entry set changes */
	uint16		curve_points;
	uint16		tail_pages;		/* blocks of a node behind that of its record */
	uint64		nodes;			/* nodes and rows, as the last build or vacuum counted them */
	uint64		rows;
	HnswCurvePoint curve[HNSW_MAX_CURVE_POINTS];	/* ascending by effort */
	BlockNumber curve_blocks;	/* of the index when the curve was measured, 0: not known */
	uint32		recode;			/* 1: the links' codes are still to be made for the centre; 0 */
	uint64		curve_rows;		/* rows then, and how many of all vacuums have removed since */
	uint64		curve_removed;
} HnswMetaPage;

StaticAssertDecl(sizeof(HnswMetaPage) == 192, "the metapage is part of the format");

/*
 * What all nodes of an index have in common; follows from the metapage's metric,
 * stored, dims, seed, m, code_bits and tail_pages (hnsw_shape_complete), never stored itself.
 */
typedef struct HnswShape
{
	HnswMetric	metric;
	HxStoredFormat stored;
	uint32		dims;			/* 0: not known yet, and what follows `m` is 0 */
	uint64		seed;			/* of the rotation and of the choice of entries */
	uint32		m;
	uint32		own_dims;		/* coordinates of the own vector as stored: dims; of int8 rotated */
	uint32		own_bytes;		/* of hamming: those of the code */
	uint32		tail_pages;		/* of a node that is larger than a page, else 0 */
	uint32		head_bytes;		/* so many of own_bytes are in the record, the rest in the tail */
	HxLinkShape link;
	uint32		code_bytes;		/* of a link's code */
	uint32		links_offset;	/* within a node: own vector, links, codes */
	uint32		codes_offset;
	uint32		node_bytes;		/* a multiple of 4 */
	uint32		nodes_per_page;
} HnswShape;

typedef enum HnswSlotState
{
	HNSW_FREE = 0,
	HNSW_NODE = 1,
	HNSW_DEAD = 2,				/* a node without rows that others still link to */
	HNSW_POSTING = 3,			/* in postings pages: rows of a node */
} HnswSlotState;

#define HNSW_INLINE_ROWS 2

/*
 * A slot of a nodes page: the head of a node. Own vector, links and codes follow
 * at the shape's offsets. Links in use come first.
 */
typedef struct HnswNodeHead
{
	uint8		state;			/* HNSW_FREE, HNSW_NODE or HNSW_DEAD */
	uint8		links;			/* in use */
	uint16		rows;			/* in use of `row` */
	uint32		version;		/* raised whenever the slot is freed */
	uint32		postings;		/* posting slot with more rows, or HNSW_NO_POSTING */
	float		error;			/* upper bound of |vector - own vector as stored| over the rows */
	ItemPointerData row[HNSW_INLINE_ROWS];
	uint32		unused;			/* room for attributes to filter by */
} HnswNodeHead;

StaticAssertDecl(sizeof(HnswNodeHead) == 32, "nodes are part of the format");

/*
 * A tail page: bytes of one node's own vector. The node's page comes first, then its tail pages in
 * order; those of a free slot may be blank, or still have what was there.
 */
typedef struct HnswTailPage
{
	uint32		node;			/* whose bytes these are */
	uint32		version;		/* of that node */
	uint8		data[FLEXIBLE_ARRAY_MEMBER];	/* HNSW_TAIL_BYTES, fewer on the last one */
} HnswTailPage;

StaticAssertDecl(offsetof(HnswTailPage, data) == 8, "tail pages are part of the format");

#define HNSW_TAIL_BYTES (HX_PAGE_USABLE - offsetof(HnswTailPage, data))

/* Postings pages hold slots of one size: some rows of one node each. */
#define HNSW_POSTINGS_PER_PAGE 8
#define HNSW_POSTING_BYTES ((HX_PAGE_USABLE / HNSW_POSTINGS_PER_PAGE) & ~3)
#define HNSW_POSTING_ROWS ((HNSW_POSTING_BYTES - 20) / sizeof(ItemPointerData))
#define HNSW_NO_POSTING PG_UINT32_MAX

typedef struct HnswPosting
{
	uint8		state;			/* HNSW_FREE or HNSW_POSTING */
	uint8		unused;
	uint16		rows;			/* in use */
	uint32		next;			/* the node's next posting, or HNSW_NO_POSTING */
	uint32		node;			/* whose rows these are */
	uint32		version;		/* of that node */
	uint32		order;			/* greater than that of the node's next posting */
	ItemPointerData row[FLEXIBLE_ARRAY_MEMBER];	/* HNSW_POSTING_ROWS of them */
} HnswPosting;

StaticAssertDecl(offsetof(HnswPosting, row) == 20, "postings are part of the format");

/* An entries page: links relative to the centre, each followed by its code. */
typedef struct HnswEntriesPage
{
	uint16		count;
	uint16		unused;
	uint8		data[FLEXIBLE_ARRAY_MEMBER];
} HnswEntriesPage;

/* A centre page: some of the centre's coordinates, rotated; the pages are chained by `next`. */
typedef struct HnswCentrePage
{
	uint32		count;
	float		value[FLEXIBLE_ARRAY_MEMBER];
} HnswCentrePage;

#define HNSW_CENTRE_VALUES \
	((HX_PAGE_USABLE - offsetof(HnswCentrePage, value)) / sizeof(float))

/* Where a node, by its number, lies; and the other way round. Postings likewise. */
static inline BlockNumber
hnsw_node_block(const HnswShape *shape, HxNode node)
{
	return node / shape->nodes_per_page;
}

static inline uint32
hnsw_node_slot(const HnswShape *shape, HxNode node)
{
	return node % shape->nodes_per_page;
}

static inline HxNode
hnsw_node_number(const HnswShape *shape, BlockNumber blk, uint32 slot)
{
	return blk * shape->nodes_per_page + slot;
}

/* Blocks of a nodes page with its tail. */
static inline BlockNumber
hnsw_run_blocks(const HnswShape *shape)
{
	return 1 + shape->tail_pages;
}

/* The block after one of this kind and, if it is a nodes page, after its tail. */
static inline BlockNumber
hnsw_next_block(const HnswShape *shape, BlockNumber blk, HxPageKind kind)
{
	return blk + (kind == HX_PAGE_NODES ? hnsw_run_blocks(shape) : 1);
}

/* Number of a node that was written so many places after another one, with nothing else between. */
static inline HxNode
hnsw_node_after(const HnswShape *shape, HxNode node, size_t places)
{
	return node + (HxNode) places * hnsw_run_blocks(shape);
}

/* And how many places that is. */
static inline size_t
hnsw_node_place(const HnswShape *shape, HxNode first, HxNode node)
{
	return (node - first) / hnsw_run_blocks(shape);
}

/* About how many nodes there are in so many blocks, nearly all of which are theirs. */
static inline double
hnsw_nodes_in(const HnswShape *shape, double blocks)
{
	return blocks / hnsw_run_blocks(shape) * shape->nodes_per_page;
}

static inline HnswNodeHead *
hnsw_node_head(const HnswShape *shape, Page page, uint32 slot)
{
	return (HnswNodeHead *) (PageGetContents(page) + slot * shape->node_bytes);
}

/* The own vector, or the beginning of it that is in the record. */
static inline uint8 *
hnsw_node_own(HnswNodeHead *head)
{
	return (uint8 *) head + sizeof(HnswNodeHead);
}

static inline HxLink *
hnsw_node_links(const HnswShape *shape, HnswNodeHead *head)
{
	return (HxLink *) ((uint8 *) head + shape->links_offset);
}

static inline uint8 *
hnsw_node_code(const HnswShape *shape, HnswNodeHead *head, uint32 link)
{
	return (uint8 *) head + shape->codes_offset + link * shape->code_bytes;
}

static inline HnswPosting *
hnsw_posting_at(Page page, uint32 slot)
{
	return (HnswPosting *) (PageGetContents(page) + slot * HNSW_POSTING_BYTES);
}

static inline uint32
hnsw_entry_bytes(const HnswShape *shape)
{
	return sizeof(HxLink) + shape->code_bytes;
}

static inline uint32
hnsw_entries_capacity(const HnswShape *shape)
{
	return (HX_PAGE_USABLE - offsetof(HnswEntriesPage, data)) / hnsw_entry_bytes(shape);
}

/* hnsw_shape.c */

/*
 * Completes a shape whose metric, stored, seed, m, link.bits, dims > 0 and tail_pages are set.
 * False: nodes of that many dimensions do not fit, or have no use for so many pages.
 */
extern bool hnsw_shape_complete(HnswShape *shape);

/* Pages, as they are before anything is on them; pd_lower tells that all of the page is used. */
extern void hnsw_meta_init(Page page);
extern void hnsw_page_init(Page page, HxPageKind kind);

extern HnswMetaPage *hnsw_meta(Page page);

/* NULL, or what is wrong with it. */
extern const char *hnsw_node_problem(const HnswShape *shape, const HnswNodeHead *head);
extern const char *hnsw_posting_problem(const HnswPosting *posting);
extern const char *hnsw_entries_problem(const HnswShape *shape, Page page);
extern const char *hnsw_centre_problem(Page page);
extern const char *hnsw_tail_problem(Page page, HxNode node);

static inline HnswEntriesPage *
hnsw_entries(Page page)
{
	return (HnswEntriesPage *) PageGetContents(page);
}

static inline HnswTailPage *
hnsw_tail(Page page)
{
	return (HnswTailPage *) PageGetContents(page);
}

static inline HnswCentrePage *
hnsw_centre(Page page)
{
	return (HnswCentrePage *) PageGetContents(page);
}

#endif							/* HX_HNSW_PAGE_H */
