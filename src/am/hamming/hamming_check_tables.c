/*
 * hamming_check_tables.c
 *	  The part of hashidx_check() that examines chunk tables.
 *
 * Each page is copied under a share lock and examined without it. Leaves may be
 * divided meanwhile, so a level is followed by its right links alone.
 */
#include "am/hamming/hamming_check.h"

#include "storage/bufmgr.h"

/*
 * What a leaf has for a code must end with its key; no row may stand behind the leaf's end,
 * or before its beginning, the end of the leaf before it.
 */
static void
check_order(HxCheck *check, const HammingCache *cache, BlockNumber blk, Page page, int chunk,
			const HammingPoint *before)
{
	HammingView view;
	uint16		first[HAMMING_MAX_CODES + 1];
	uint8		code[HAMMING_MAX_LEAF_CODE];
	uint8		right[HAMMING_MAX_LEAF_CODE];
	HammingPoint high = hamming_bounds(page)->high;

	/* What is wrong with these has been told. */
	if (hamming_view(page, &cache->leaf_shape, &view) != NULL || !hamming_view_runs(&view, first))
		return;
	for (unsigned i = 0; i < view.planes.count; i++)
	{
		hx_planes_get(view.planes.base, view.planes.stride, view.planes.code_bytes, i, code);
		hamming_leaf_code(&cache->tables, &cache->leaf_shape, chunk, code, right);
		if (memcmp(code, right, view.planes.code_bytes) != 0)
			hx_check_warn(check, blk, "Code %u has another's key beside it.", i);
		for (int r = first[i]; r < first[i + 1]; r++)
		{
			bool		continues;
			HammingRow	row = hamming_view_row(&view, r, &continues);
			HammingPoint point = hamming_point(hx_chunk_key(&cache->tables.chunks, chunk, code),
											   row.tid);

			if (hamming_point_compare(&point, &high) > 0)
				hx_check_warn(check, blk, "Row %d stands behind the end of its page.", r);
			else if (hamming_point_compare(&point, before) <= 0)
				hx_check_warn(check, blk, "Row %d stands before the beginning of its page.", r);
		}
	}
}

void
hamming_check_table_page(HxCheck *check, const HammingCache *cache, BlockNumber blk, Page page)
{
	HxPageKind	kind = hx_page_opaque(page)->kind;
	int			chunk = kind == HX_PAGE_CHUNK_LEAF || kind == HX_PAGE_CHUNK_INNER ?
		hamming_bounds(page)->chunk : 0;
	const char *problem;
	int			count;

	if (cache->method != HAMMING_METHOD_MIH)
		hx_check_warn(check, blk, "The index has no chunk tables, but a page of them.");
	else if (kind == HX_PAGE_EXTENTS)
	{
		if (hamming_extents(page, RelationGetNumberOfBlocks(check->index), &count) == NULL)
			hx_check_warn(check, blk, "The list of codes pages is damaged.");
	}
	else if (kind != HX_PAGE_CHUNK_MAP)
	{
		problem = hamming_tree_problem(page, chunk);
		if (problem == NULL && chunk >= cache->tables.chunks.count)
			problem = "The page is of a chunk table that there is not.";
		if (problem != NULL)
			hx_check_warn(check, blk, "%s", problem);
		else if (kind == HX_PAGE_CHUNK_LEAF)
			hamming_check_codes(check, blk, page, &cache->leaf_shape, chunk + 1);
	}
}

/* Copies a page of a tree; NULL, or what keeps it from being one of that level. */
static const char *
read_tree_page(HxCheck *check, int chunk, int level, BlockNumber blk, char *copy)
{
	const char *problem;

	if (blk < HAMMING_FIRST_BLOCK || blk >= RelationGetNumberOfBlocks(check->index))
		return "A chunk table leads beyond the end.";
	hamming_read_page(check->index, blk, copy);
	problem = hx_page_problem(copy, HX_PAGE_ID_HAMMING);
	if (problem == NULL)
		problem = hamming_tree_problem(copy, chunk);
	if (problem == NULL && level >= 0 && hamming_bounds(copy)->level != level)
		problem = "The page is not of the level of those that lead to it.";
	return problem;
}

/*
 * The page that branch i leads to must end behind the branch before it and where the branch
 * does, with the next branch's page as its neighbour: earlier only if it has been divided since.
 */
static void
check_child(HxCheck *check, BlockNumber blk, const HammingBranch *branches, int i, int count,
			Page child)
{
	HammingPoint high = hamming_bounds(child)->high;
	int			order = hamming_point_compare(&high, &branches[i].high);

	if (order > 0 || (i > 0 && hamming_point_compare(&high, &branches[i - 1].high) <= 0))
		hx_check_warn(check, blk, "Branch %d leads to block %u, which holds other points.", i,
					  branches[i].child);
	else if (order == 0 && i + 1 < count && hx_page_opaque(child)->next != branches[i + 1].child)
		hx_check_warn(check, branches[i].child,
					  "The page's neighbour is not what its parent, block %u, says.", blk);
}

/* The branches of an inner page must be in order, and each lead to the page it names. */
static void
check_branches(HxCheck *check, int chunk, BlockNumber blk, Page page)
{
	int			level = hamming_bounds(page)->level - 1;
	PGAlignedBlock copy;
	int			count;
	const HammingBranch *branches = hamming_branches(page, &count);

	for (int i = 0; i < count; i++)
	{
		const char *problem = read_tree_page(check, chunk, level, branches[i].child, copy.data);

		if (i > 0 && hamming_point_compare(&branches[i].high, &branches[i - 1].high) <= 0)
			hx_check_warn(check, blk, "Branch %d does not lead further than the one before.", i);
		if (problem != NULL)
			hx_check_warn(check, blk, "Branch %d leads to block %u. %s", i, branches[i].child,
						  problem);
		else
			check_child(check, blk, branches, i, count, copy.data);
	}
}

/* What a page of a tree holds; before: the end of its left neighbour. */
static void
check_contents(HxCheck *check, const HammingCache *cache, int chunk, BlockNumber blk, Page page,
			   const HammingPoint *before)
{
	if (hx_page_opaque(page)->kind == HX_PAGE_CHUNK_LEAF)
		check_order(check, cache, blk, page, chunk, before);
	else
		check_branches(check, chunk, blk, page);
}

/* Follows a level from its first page to its last: each must end behind the one before. */
static void
check_level(HxCheck *check, const HammingCache *cache, int chunk, int level, BlockNumber blk)
{
	PGAlignedBlock copy;
	HammingPoint before = hamming_point_first(0);
	BlockNumber pages = 0;

	while (blk != InvalidBlockNumber)
	{
		const char *problem = read_tree_page(check, chunk, level, blk, copy.data);
		HammingPoint high = hamming_bounds(copy.data)->high;

		if (problem == NULL && (hamming_point_compare(&high, &before) <= 0 ||
								pages++ > RelationGetNumberOfBlocks(check->index)))
			problem = "The page does not lead further than the one before.";
		if (problem != NULL)
		{
			hx_check_warn(check, blk, "%s", problem);
			return;
		}
		check_contents(check, cache, chunk, blk, copy.data, &before);
		before = high;
		blk = hx_page_opaque(copy.data)->next;
	}
	if (hamming_point_compare(&before, &hamming_point_last) != 0)
		hx_check_warn(check, cache->tables.root[chunk],
					  "Level %d of chunk table %d ends before its last point.", level, chunk);
}

/*
 * Examines the root of a table as it is at first, for it may grow under us, and follows each
 * level below it, from the first branch of the level above.
 */
static void
check_tree(HxCheck *check, const HammingCache *cache, int chunk)
{
	PGAlignedBlock copy;
	HammingPoint before = hamming_point_first(0);
	BlockNumber blk = cache->tables.root[chunk];
	const char *problem = read_tree_page(check, chunk, -1, blk, copy.data);

	if (problem == NULL)
	{
		check_contents(check, cache, chunk, blk, copy.data, &before);
		if (hx_page_opaque(copy.data)->next != InvalidBlockNumber ||
			hamming_point_compare(&hamming_bounds(copy.data)->high, &hamming_point_last) != 0)
			hx_check_warn(check, blk, "The root of chunk table %d ends before its last point.",
						  chunk);
	}
	while (problem == NULL && hamming_bounds(copy.data)->level > 0)
	{
		int			level = hamming_bounds(copy.data)->level - 1;
		int			count;

		blk = hamming_branches(copy.data, &count)[0].child;
		problem = read_tree_page(check, chunk, level, blk, copy.data);
		if (problem == NULL)
			check_level(check, cache, chunk, level, blk);
	}
	if (problem != NULL)
		hx_check_warn(check, blk, "%s", problem);
}

static bool
is_listed(const HammingExtent *extents, int count, BlockNumber blk)
{
	for (int i = 0; i < count; i++)
		if (blk >= extents[i].first && blk - extents[i].first < extents[i].count)
			return true;
	return false;
}

/* The list of codes pages must name codes pages, all of them, and each once. */
static void
check_extents(HxCheck *check)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(check->index);
	int			count;
	HammingExtent *extents = hamming_codes_extents(check->index, &count);

	for (int i = 1; i < count; i++)
		if (extents[i].first - extents[i - 1].first < extents[i - 1].count)
			hx_check_warn(check, extents[i].first, "The page is listed twice as one of codes.");

	for (BlockNumber blk = HAMMING_FIRST_BLOCK; blk < blocks; blk++)
	{
		PGAlignedBlock copy;

		hamming_read_page(check->index, blk, copy.data);
		if (PageIsNew(copy.data) || hx_page_problem(copy.data, HX_PAGE_ID_HAMMING) != NULL)
			continue;

		bool		is_codes = hx_page_opaque(copy.data)->kind == HX_PAGE_CODES;

		/* One that has become a codes page since has been listed with that. */
		if (is_codes && !is_listed(extents, count, blk))
		{
			pfree(extents);
			extents = hamming_codes_extents(check->index, &count);
		}
		if (is_codes != is_listed(extents, count, blk))
			hx_check_warn(check, blk, is_codes ?
						  "The page has codes, and is not listed as one that has." :
						  "The page is listed as one of codes, and is not.");
	}
}

void
hamming_check_tables(HxCheck *check, const HammingCache *cache)
{
	if (cache->method != HAMMING_METHOD_MIH)
		return;
	for (int k = 0; k < cache->tables.chunks.count; k++)
		check_tree(check, cache, k);
	check_extents(check);
}
