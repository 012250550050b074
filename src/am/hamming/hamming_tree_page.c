/*
 * hamming_tree_page.c
 *	  Reading and writing the pages of the chunk tables; see hamming_tree_page.h.
 *
 * Works on page images alone: no buffers, locks or WAL here.
 */
#include "am/hamming/hamming_tree_page.h"

#include "storage/off.h"

/*
 * Codes from this length on have keys beside them on leaves. The words of shorter ones
 * are compared in no more time than keys would be.
 */
#define LEAST_CODE_BYTES_WITH_KEYS 16

/* Planes are of words so wide, as far as codes go. */
#define WORD_BYTES 8

const HammingPoint hamming_point_last = {
	.key = PG_UINT32_MAX,
	.tid = {.ip_blkid = {PG_UINT16_MAX, PG_UINT16_MAX},.ip_posid = PG_UINT16_MAX},
};

HammingPoint
hamming_point_first(uint32 key)
{
	return (HammingPoint) {.key = key};
}

void
hamming_choose_keys(HammingTables *tables, const HammingShape *shape)
{
	tables->key_bytes = shape->code_bytes < LEAST_CODE_BYTES_WITH_KEYS ? 0 : sizeof(HammingKeyEnd);
}

HammingShape
hamming_leaf_shape(const HammingShape *shape, const HammingTables *tables)
{
	HammingShape leaf_shape = *shape;

	leaf_shape.space = HAMMING_LEAF_SPACE;
	if (tables->key_bytes > 0)
		leaf_shape.code_bytes = TYPEALIGN(WORD_BYTES, shape->code_bytes) + tables->key_bytes;
	return leaf_shape;
}

void
hamming_leaf_code(const HammingTables *tables, const HammingShape *leaf_shape, int chunk,
				  const uint8 *code, uint8 *leaf_code)
{
	int			words = leaf_shape->code_bytes - tables->key_bytes;
	int			bytes = (leaf_shape->bits + 7) / 8;
	HammingKeyEnd key = hamming_key_end(tables, chunk, code);

	memcpy(leaf_code, code, bytes);
	memset(leaf_code + bytes, 0, words - bytes);
	memcpy(leaf_code + words, &key, tables->key_bytes);
}

HxPlanes
hamming_leaf_codes(const HammingTables *tables, const HxPlanes *planes)
{
	HxPlanes	codes = *planes;

	codes.code_bytes -= tables->key_bytes;
	return codes;
}

HxPlanes
hamming_leaf_keys(const HammingTables *tables, const HxPlanes *planes)
{
	HxPlanes	keys = *planes;

	keys.base += (Size) planes->stride * (planes->code_bytes - tables->key_bytes);
	keys.code_bytes = tables->key_bytes;
	return keys;
}

static void
set_lower(Page page, Size content_bytes)
{
	((PageHeader) page)->pd_lower = SizeOfPageHeaderData + content_bytes;
}

static Size
content_bytes(Page page)
{
	return ((PageHeader) page)->pd_lower - SizeOfPageHeaderData;
}

void
hamming_map_init(Page page, const HammingTables *tables)
{
	hx_page_init(page, HX_PAGE_CHUNK_MAP, HX_PAGE_ID_HAMMING);
	memcpy(PageGetContents(page), tables, sizeof(*tables));
	set_lower(page, sizeof(*tables));
}

const char *
hamming_map_read(Page page, uint32 bits, BlockNumber blocks, HammingTables *tables)
{
	if (hx_page_opaque(page)->kind != HX_PAGE_CHUNK_MAP ||
		content_bytes(page) != sizeof(*tables))
		return "The page is not the map of the chunk tables.";
	memcpy(tables, PageGetContents(page), sizeof(*tables));
	if (!hx_chunks_valid(&tables->chunks, bits))
		return "The chunks are none of these codes.";
	if (tables->key_bytes != 0 && tables->key_bytes != sizeof(HammingKeyEnd))
		return "The leaves have keys of another length.";
	for (int k = 0; k < tables->chunks.count; k++)
		if (tables->root[k] < HAMMING_FIRST_BLOCK || tables->root[k] >= blocks)
			return "The root of a chunk table lies beyond the end.";
	return NULL;
}

/* Initialises a page of a tree, with its bounds behind where its contents may end. */
static void
tree_init(Page page, HxPageKind kind, int chunk, int level, HammingPoint high)
{
	hx_page_init(page, kind, HX_PAGE_ID_HAMMING);
	((PageHeader) page)->pd_upper -= sizeof(HammingBounds);

	HammingBounds *bounds = hamming_bounds(page);

	bounds->high = high;
	bounds->chunk = chunk;
	bounds->level = level;
}

void
hamming_leaf_init(Page page, const HammingShape *leaf_shape, int chunk, HammingPoint high)
{
	tree_init(page, HX_PAGE_CHUNK_LEAF, chunk, 0, high);
	hamming_codes_clear(page, leaf_shape);
}

void
hamming_inner_init(Page page, int chunk, int level)
{
	tree_init(page, HX_PAGE_CHUNK_INNER, chunk, level, hamming_point_last);
}

HammingBounds *
hamming_bounds(Page page)
{
	return (HammingBounds *) ((char *) PageGetSpecialPointer(page) - sizeof(HammingBounds));
}

const char *
hamming_tree_problem(Page page, int chunk)
{
	int			kind = hx_page_opaque(page)->kind;
	const HammingBounds *bounds = hamming_bounds(page);

	if (kind != HX_PAGE_CHUNK_LEAF && kind != HX_PAGE_CHUNK_INNER)
		return "The page does not belong into a chunk table.";
	if (((PageHeader) page)->pd_upper != ((PageHeader) page)->pd_special - sizeof(HammingBounds))
		return "The page's bounds are not where they belong.";
	if (bounds->chunk != chunk)
		return "The page belongs to another chunk table.";
	if ((bounds->level == 0) != (kind == HX_PAGE_CHUNK_LEAF) ||
		bounds->level >= HAMMING_MAX_LEVELS)
		return "The page's level does not fit its kind.";
	if (kind == HX_PAGE_CHUNK_LEAF)
		return NULL;

	int			count;
	const HammingBranch *branches = hamming_branches(page, &count);

	if (count == 0 || content_bytes(page) % sizeof(HammingBranch) != 0 ||
		hamming_point_compare(&branches[count - 1].high, &bounds->high) != 0)
		return "The page's branches do not lead up to its end.";
	return NULL;
}

HammingBranch *
hamming_branches(Page page, int *count)
{
	*count = content_bytes(page) / sizeof(HammingBranch);
	return (HammingBranch *) PageGetContents(page);
}

void
hamming_branches_set(Page page, const HammingBranch *branches, int count)
{
	Assert(count > 0 && count <= (int) HAMMING_MAX_BRANCHES);
	memmove(PageGetContents(page), branches, count * sizeof(HammingBranch));
	set_lower(page, count * sizeof(HammingBranch));
	hamming_bounds(page)->high = branches[count - 1].high;
}

int
hamming_branch_find(const HammingBranch *branches, int count, const HammingPoint *point)
{
	int			low = 0;
	int			high = count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (hamming_point_compare(&branches[middle].high, point) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

HammingExtent *
hamming_extents(Page page, BlockNumber blocks, int *count)
{
	HammingExtent *extents = (HammingExtent *) PageGetContents(page);

	*count = content_bytes(page) / sizeof(HammingExtent);
	if (hx_page_opaque(page)->kind != HX_PAGE_EXTENTS ||
		content_bytes(page) % sizeof(HammingExtent) != 0)
		return NULL;
	for (int i = 0; i < *count; i++)
		if (extents[i].first < HAMMING_FIRST_BLOCK || extents[i].first >= blocks ||
			extents[i].count > blocks - extents[i].first)
			return NULL;
	return extents;
}

bool
hamming_extents_add(Page page, HammingExtent extent)
{
	int			count = content_bytes(page) / sizeof(HammingExtent);
	HammingExtent *extents = (HammingExtent *) PageGetContents(page);

	if (count > 0 && extents[count - 1].first + extents[count - 1].count == extent.first)
	{
		extents[count - 1].count += extent.count;
		return true;
	}
	if (count == (int) HAMMING_MAX_EXTENTS)
		return false;
	extents[count] = extent;
	set_lower(page, (count + 1) * sizeof(HammingExtent));
	return true;
}
