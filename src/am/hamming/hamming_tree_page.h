/*
 * hamming_tree_page.h
 *	  The pages of the chunk tables: map, inner pages, leaves; on images, without locks.
 *
 * A chunk table holds every code and row once more, in the order of (key of the chunk, TID). It
 * is a tree of pages; each page tells the highest point that it may hold, and leads to its right
 * neighbour. Beside each code a leaf has the end of its key, in a plane of its own. So the few
 * codes whose keys are near are found without looking at the others. Tables of offsets stand in
 * README.
 */
#ifndef HX_HAMMING_TREE_PAGE_H
#define HX_HAMMING_TREE_PAGE_H

#include "am/hamming/hamming_page.h"
#include "hash/chunks.h"

/* Longer codes leave too few of them on a leaf. */
#define HAMMING_MAX_TABLE_BITS 4096

/* The end of a key, as leaves have it: the bits by which most keys of a leaf differ. */
typedef uint16 HammingKeyEnd;

/* Bytes that a leaf has for a code and the end of its key, at most. */
#define HAMMING_MAX_LEAF_CODE (HAMMING_MAX_TABLE_BITS / 8 + sizeof(HammingKeyEnd))

/* Where a row stands in a chunk table. */
typedef struct HammingPoint
{
	uint32		key;
	ItemPointerData tid;
	uint16		unused;
} HammingPoint;

/* The end of an inner page or a leaf, between pd_upper and the special area. */
typedef struct HammingBounds
{
	HammingPoint high;			/* nothing on the page, or below it, stands behind this */
	uint16		chunk;			/* number of the table */
	uint16		level;			/* 0: leaf */
} HammingBounds;

/* An inner page is an array of these, in order; the last one's high is the page's. */
typedef struct HammingBranch
{
	HammingPoint high;
	BlockNumber child;
} HammingBranch;

/* The map of the chunk tables. It never changes: roots stay where they are. */
typedef struct HammingTables
{
	HxChunks	chunks;
	uint16		key_bytes;		/* of a key on a leaf: 2; 0: leaves have no keys */
	BlockNumber root[HX_MAX_CHUNKS];
} HammingTables;

/* A run of blocks that are codes pages; extents pages are arrays of these. */
typedef struct HammingExtent
{
	BlockNumber first;
	BlockNumber count;
} HammingExtent;

StaticAssertDecl(sizeof(HammingPoint) == 12 && sizeof(HammingBounds) == 16 &&
				 sizeof(HammingBranch) == 16 && sizeof(HammingExtent) == 8 &&
				 offsetof(HammingTables, key_bytes) == 2082 && sizeof(HammingTables) == 2212,
				 "these are part of the format");

#define HAMMING_LEAF_SPACE (HAMMING_CODES_SPACE - sizeof(HammingBounds))
#define HAMMING_MAX_BRANCHES ((HX_PAGE_USABLE - sizeof(HammingBounds)) / sizeof(HammingBranch))
#define HAMMING_MAX_EXTENTS (HX_PAGE_USABLE / sizeof(HammingExtent))

/* The root of a tree of pages has fewer levels than this. */
#define HAMMING_MAX_LEVELS 16

static inline HammingPoint
hamming_point(uint32 key, ItemPointerData tid)
{
	return (HammingPoint) {.key = key,.tid = tid};
}

/* Before all rows with that key, and behind all rows. */
extern HammingPoint hamming_point_first(uint32 key);
extern const HammingPoint hamming_point_last;

static inline int
hamming_point_compare(const HammingPoint *a, const HammingPoint *b)
{
	uint64		major_a = (uint64) a->key << 32 | ItemPointerGetBlockNumberNoCheck(&a->tid);
	uint64		major_b = (uint64) b->key << 32 | ItemPointerGetBlockNumberNoCheck(&b->tid);

	if (major_a != major_b)
		return major_a < major_b ? -1 : 1;
	return (int) a->tid.ip_posid - (int) b->tid.ip_posid;
}

/* Decides whether leaves have keys, given how long codes are. */
extern void hamming_choose_keys(HammingTables *tables, const HammingShape *shape);

/*
 * The shape of leaves, given that of codes pages: code_bytes is what they have for a
 * code, with its key if leaves have keys.
 */
extern HammingShape hamming_leaf_shape(const HammingShape *shape, const HammingTables *tables);

/* The end of a code's key. */
static inline HammingKeyEnd
hamming_key_end(const HammingTables *tables, int chunk, const uint8 *code)
{
	return (HammingKeyEnd) hx_chunk_key(&tables->chunks, chunk, code);
}

/* Writes what a leaf has for a code: leaf_shape->code_bytes of them. */
extern void hamming_leaf_code(const HammingTables *tables, const HammingShape *leaf_shape,
							  int chunk, const uint8 *code, uint8 *leaf_code);

/* Of the planes of a leaf, those of the codes (whole words if there are keys) and of the keys. */
extern HxPlanes hamming_leaf_codes(const HammingTables *tables, const HxPlanes *planes);
extern HxPlanes hamming_leaf_keys(const HammingTables *tables, const HxPlanes *planes);

extern void hamming_map_init(Page page, const HammingTables *tables);

/* NULL, or what is wrong with a map page that hx_page_problem() has passed; else fills tables. */
extern const char *hamming_map_read(Page page, uint32 bits, BlockNumber blocks,
									HammingTables *tables);

/* Empty pages of a tree, in the place of whatever was there. */
extern void hamming_leaf_init(Page page, const HammingShape *leaf_shape, int chunk,
							  HammingPoint high);
extern void hamming_inner_init(Page page, int chunk, int level);

/* The bounds of a page of a tree. */
extern HammingBounds *hamming_bounds(Page page);

/*
 * NULL, or what is wrong with a page of the tree of this chunk: its kind, bounds
 * and the extent of its contents; of leaves, hamming_view() judges the rest.
 */
extern const char *hamming_tree_problem(Page page, int chunk);

/* The branches of a checked inner page. */
extern HammingBranch *hamming_branches(Page page, int *count);

/* Sets them; count <= HAMMING_MAX_BRANCHES. The last one's high becomes the page's. */
extern void hamming_branches_set(Page page, const HammingBranch *branches, int count);

/* The branch that the point belongs to: the first whose high is not before it; count: none. */
extern int	hamming_branch_find(const HammingBranch *branches, int count,
								const HammingPoint *point);

/* The extents of a page of them: NULL when it is damaged. */
extern HammingExtent *hamming_extents(Page page, BlockNumber blocks, int *count);

/* Adds a codes page to the extents; false: the page is full. */
extern bool hamming_extents_add(Page page, HammingExtent extent);

#endif							/* HX_HAMMING_TREE_PAGE_H */
