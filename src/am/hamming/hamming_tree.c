/*
 * hamming_tree.c
 *	  The trees of the chunk tables: descent, insert, split; see README, "Chunk tables".
 *
 * A full page is divided in one record with its parent, which has been given room before. So a
 * tree is whole after every record. Whoever comes to a page by way of a parent read earlier may
 * find that his point has moved, always to the right: he compares it with the page's high point
 * and follows the link.
 */
#include "am/hamming/hamming_tree.h"

#include "access/generic_xlog.h"
#include "am/common/buffer_hint.h"
#include "am/hamming/hamming_leaf.h"
#include "miscadmin.h"

/* Right links followed from one page before we say that they go in circles. */
#define MAX_STEPS_RIGHT 1000000

BlockNumber
hamming_tree_check(Relation index, Buffer buf, int chunk)
{
	Page		page = BufferGetPage(buf);

	hx_page_check(index, buf, HX_PAGE_ID_HAMMING);

	const char *problem = hamming_tree_problem(page, chunk);

	if (problem != NULL)
		hx_page_report_damage(index, BufferGetBlockNumber(buf), "%s", problem);
	return hx_page_opaque(page)->next;
}

Buffer
hamming_tree_lock(Relation index, int chunk, BlockNumber from, BlockNumber blk, int mode)
{
	if (blk < HAMMING_FIRST_BLOCK || blk == InvalidBlockNumber)
		hx_page_report_damage(index, from, "A chunk table leads from here to nowhere.");

	Buffer		buf = hx_hint_read(index, blk);

	LockBuffer(buf, mode);
	hamming_tree_check(index, buf, chunk);
	return buf;
}

/* Number of the branch that a point belongs to; damage when there is none. */
static int
branch_of(Relation index, Buffer buf, const HammingPoint *point)
{
	int			count;
	const HammingBranch *branches = hamming_branches(BufferGetPage(buf), &count);
	int			i = hamming_branch_find(branches, count, point);

	if (i == count)
		hx_page_report_damage(index, BufferGetBlockNumber(buf),
							  "A chunk table ends before its last point.");
	return i;
}

/* Where to go from a locked page to come to the point: the page itself when it is there. */
static BlockNumber
next_step(Relation index, Buffer buf, const HammingPoint *point, int level, bool *down)
{
	Page		page = BufferGetPage(buf);
	const HammingBounds *bounds = hamming_bounds(page);

	*down = false;
	if (hamming_point_compare(point, &bounds->high) > 0)
		return hx_page_opaque(page)->next;
	if (bounds->level <= level)
		return BufferGetBlockNumber(buf);

	int			count;

	*down = true;
	return hamming_branches(page, &count)[branch_of(index, buf, point)].child;
}

Buffer
hamming_tree_find(Relation index, const HammingTables *tables, int chunk,
				  const HammingPoint *point, int level, int mode)
{
	BlockNumber blk = tables->root[chunk];
	BlockNumber from = HX_METABLOCK;
	int			lock = BUFFER_LOCK_SHARE;
	int			levels = 0;
	int			steps = 0;

	for (;;)
	{
		Buffer		buf = hamming_tree_lock(index, chunk, from, blk, lock);
		bool		down;

		from = blk;
		blk = next_step(index, buf, point, level, &down);
		if (blk == from && lock == mode)
			return buf;

		/* There, but locked too weakly: come again. A root may have grown by then. */
		if (blk == from)
			lock = mode;
		else if (down)
			lock = BUFFER_LOCK_SHARE;
		UnlockReleaseBuffer(buf);

		levels += down;
		steps++;
		if (levels > HAMMING_MAX_LEVELS || steps > MAX_STEPS_RIGHT)
			hx_page_report_damage(index, from, "The pages of a chunk table lead in circles.");
	}
}

/* A page that may be full, and how it is divided. */
typedef struct Division
{
	int			chunk;
	HammingPacker contents;		/* of a leaf: each code once */
	HammingPoint point;			/* the last one on the left */
} Division;

/*
 * Divides the leaf in `buf` between two pages, images that are registered with a
 * record; one of them may be the leaf's own.
 */
static void
divide_leaf(Relation index, const HammingCache *cache, Buffer buf, Page left, Page right,
			Division *division)
{
	HammingPoint high = hamming_bounds(BufferGetPage(buf))->high;
	HammingPacker halves[2];

	hamming_packer_init(&halves[0], &cache->leaf_shape);
	hamming_packer_init(&halves[1], &cache->leaf_shape);
	if (!hamming_leaf_divide(&cache->tables, division->chunk, &division->contents,
							 &halves[0], &halves[1], &division->point))
		hx_page_report_damage(index, BufferGetBlockNumber(buf),
							  "The page is full of one row of the table.");

	hamming_leaf_init(right, &cache->leaf_shape, division->chunk, high);
	hamming_packer_store(&halves[1], right);
	hamming_leaf_init(left, &cache->leaf_shape, division->chunk, division->point);
	hamming_packer_store(&halves[0], left);
	hamming_packer_free(&halves[0]);
	hamming_packer_free(&halves[1]);
}

/* The same for an inner page. */
static void
divide_inner(Buffer buf, Page left, Page right, Division *division)
{
	int			count;
	const HammingBranch *branches = hamming_branches(BufferGetPage(buf), &count);
	int			level = hamming_bounds(BufferGetPage(buf))->level;
	int			half = count / 2;

	division->point = branches[half - 1].high;
	hamming_inner_init(right, division->chunk, level);
	hamming_branches_set(right, branches + half, count - half);
	hamming_inner_init(left, division->chunk, level);
	hamming_branches_set(left, branches, half);
}

/* Divides a page of either kind and links the right half in between left and its neighbour. */
static void
divide(Relation index, const HammingCache *cache, Buffer buf, Page left, Page right,
	   BlockNumber right_blk, Division *division)
{
	BlockNumber next = hx_page_opaque(BufferGetPage(buf))->next;

	if (hamming_bounds(BufferGetPage(buf))->level == 0)
		divide_leaf(index, cache, buf, left, right, division);
	else
		divide_inner(buf, left, right, division);
	hx_page_opaque(left)->next = right_blk;
	hx_page_opaque(right)->next = next;
}

/*
 * Is there too little room on a page to be worth while? A leaf counts its equal codes once;
 * division->contents, which the caller frees, are then what it holds.
 */
static bool
is_full(Relation index, const HammingCache *cache, Buffer buf, Division *division)
{
	if (hamming_bounds(BufferGetPage(buf))->level > 0)
	{
		int			count;

		hamming_branches(BufferGetPage(buf), &count);
		return count == (int) HAMMING_MAX_BRANCHES;
	}

	HammingView view = hamming_checked_view(index, &cache->leaf_shape, buf, BufferGetPage(buf));

	hamming_packer_init(&division->contents, &cache->leaf_shape);
	if (!hamming_packer_load(&division->contents, &view, NULL, NULL))
		hamming_report_runs(index, buf);
	return hamming_packer_free_bytes(&division->contents) <
		hamming_worth_keeping(&cache->leaf_shape);
}

/* Writes a leaf anew, each code once: that has made room. */
static void
merge_leaf(Relation index, Buffer buf, const Division *division)
{
	GenericXLogState *record = GenericXLogStart(index);

	hamming_packer_store(&division->contents, GenericXLogRegisterBuffer(record, buf, 0));
	GenericXLogFinish(record);
}

/* The root, exclusively locked, is full: what it holds goes to two pages below it. */
static void
split_root(Relation index, const HammingCache *cache, Buffer root, Division *division)
{
	Buffer		left = hx_page_extend(index);
	Buffer		right = hx_page_extend(index);
	int			level = hamming_bounds(BufferGetPage(root))->level + 1;
	HammingBranch branches[2] = {
		{.child = BufferGetBlockNumber(left)},
		{.child = BufferGetBlockNumber(right),.high = hamming_point_last},
	};
	GenericXLogState *record = GenericXLogStart(index);
	Page		root_page = GenericXLogRegisterBuffer(record, root, 0);
	Page		left_page = GenericXLogRegisterBuffer(record, left, GENERIC_XLOG_FULL_IMAGE);
	Page		right_page = GenericXLogRegisterBuffer(record, right, GENERIC_XLOG_FULL_IMAGE);

	if (level >= HAMMING_MAX_LEVELS)
		hx_page_report_damage(index, BufferGetBlockNumber(root), "A chunk table has no end.");
	divide(index, cache, root, left_page, right_page, branches[1].child, division);
	branches[0].high = division->point;
	hamming_inner_init(root_page, division->chunk, level);
	hamming_branches_set(root_page, branches, 2);
	GenericXLogFinish(record);
	UnlockReleaseBuffer(right);
	UnlockReleaseBuffer(left);
}

/* A child is full, its parent is not; both exclusively locked. branch: that of the child. */
static void
split_child(Relation index, const HammingCache *cache, Buffer parent, int branch, Buffer child,
			Division *division)
{
	Buffer		right = hx_page_extend(index);
	GenericXLogState *record = GenericXLogStart(index);
	Page		parent_page = GenericXLogRegisterBuffer(record, parent, 0);
	bool		is_leaf = hamming_bounds(BufferGetPage(child))->level == 0;
	Page		child_page = GenericXLogRegisterBuffer(record, child,
														is_leaf ? GENERIC_XLOG_FULL_IMAGE : 0);
	Page		right_page = GenericXLogRegisterBuffer(record, right, GENERIC_XLOG_FULL_IMAGE);
	HammingBranch branches[HAMMING_MAX_BRANCHES];
	int			count;
	const HammingBranch *old = hamming_branches(BufferGetPage(parent), &count);

	divide(index, cache, child, child_page, right_page, BufferGetBlockNumber(right), division);
	memcpy(branches, old, (branch + 1) * sizeof(HammingBranch));
	memcpy(branches + branch + 1, old + branch, (count - branch) * sizeof(HammingBranch));
	branches[branch].high = division->point;
	branches[branch + 1].child = BufferGetBlockNumber(right);
	hamming_branches_set(parent_page, branches, count + 1);
	GenericXLogFinish(record);
	UnlockReleaseBuffer(right);
}

/* Damage unless a point belongs on the locked page, or below it. */
static void
check_reach(Relation index, Buffer buf, const HammingPoint *point)
{
	if (hamming_point_compare(point, &hamming_bounds(BufferGetPage(buf))->high) > 0)
		hx_page_report_damage(index, BufferGetBlockNumber(buf),
							  "A chunk table ends before its last point.");
}

/*
 * Divides the topmost full page on the way to the point, or, if there is none, merges the
 * equal codes of its leaf. The parent stays locked while its child is looked at, so that
 * both are what they seem. Who needed the room tries again, and comes back if there is none yet.
 */
static void
make_room(Relation index, const HammingCache *cache, int chunk, const HammingPoint *point)
{
	Division	division = {.chunk = chunk};
	Buffer		buf = hamming_tree_lock(index, chunk, HX_METABLOCK,
										cache->tables.root[chunk], BUFFER_LOCK_EXCLUSIVE);

	check_reach(index, buf, point);

	bool		done = is_full(index, cache, buf, &division);

	if (done)
		split_root(index, cache, buf, &division);
	while (!done && hamming_bounds(BufferGetPage(buf))->level > 0)
	{
		int			count;
		int			branch = branch_of(index, buf, point);
		BlockNumber blk = hamming_branches(BufferGetPage(buf), &count)[branch].child;
		Buffer		child = hamming_tree_lock(index, chunk, BufferGetBlockNumber(buf), blk,
											  BUFFER_LOCK_EXCLUSIVE);

		if (hamming_bounds(BufferGetPage(child))->level !=
			hamming_bounds(BufferGetPage(buf))->level - 1)
			hx_page_report_damage(index, blk, "The page is not one level below its parent.");
		check_reach(index, child, point);
		done = is_full(index, cache, child, &division);
		if (done)
			split_child(index, cache, buf, branch, child, &division);
		UnlockReleaseBuffer(buf);
		buf = child;
	}
	if (!done)
		merge_leaf(index, buf, &division);
	if (division.contents.code_data != NULL)
		hamming_packer_free(&division.contents);
	UnlockReleaseBuffer(buf);
}

void
hamming_tree_insert(Relation index, const HammingCache *cache, int chunk, const uint8 *code,
					HammingRow row)
{
	HammingPoint point = hamming_point(hx_chunk_key(&cache->tables.chunks, chunk, code), row.tid);
	uint8		leaf_code[HAMMING_MAX_LEAF_CODE];

	hamming_leaf_code(&cache->tables, &cache->leaf_shape, chunk, code, leaf_code);
	for (;;)
	{
		Buffer		buf = hamming_tree_find(index, &cache->tables, chunk, &point, 0,
											BUFFER_LOCK_EXCLUSIVE);
		bool		placed = hamming_append(index, &cache->leaf_shape, buf, leaf_code, row);

		UnlockReleaseBuffer(buf);
		if (placed)
			return;
		CHECK_FOR_INTERRUPTS();
		make_room(index, cache, chunk, &point);
	}
}

/* An empty leaf as the root of a table. */
static BlockNumber
create_root(Relation index, const HammingShape *leaf_shape, int chunk)
{
	Buffer		buf = hx_page_extend(index);
	BlockNumber blk = BufferGetBlockNumber(buf);
	GenericXLogState *record = GenericXLogStart(index);

	hamming_leaf_init(GenericXLogRegisterBuffer(record, buf, GENERIC_XLOG_FULL_IMAGE), leaf_shape,
					  chunk, hamming_point_last);
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
	return blk;
}

BlockNumber
hamming_tree_create(Relation index, const HammingShape *shape, int count, HammingTables *tables)
{
	memset(tables, 0, sizeof(*tables));
	hx_chunks_cut(&tables->chunks, shape->bits, count);
	hamming_choose_keys(tables, shape);

	HammingShape leaf_shape = hamming_leaf_shape(shape, tables);

	for (int k = 0; k < count; k++)
		tables->root[k] = create_root(index, &leaf_shape, k);

	Buffer		buf = hx_page_extend(index);
	BlockNumber blk = BufferGetBlockNumber(buf);
	GenericXLogState *record = GenericXLogStart(index);

	hamming_map_init(GenericXLogRegisterBuffer(record, buf, GENERIC_XLOG_FULL_IMAGE), tables);
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
	return blk;
}
