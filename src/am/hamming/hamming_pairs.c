/*
 * hamming_pairs.c
 *	  All pairs of rows within a radius of each other, for hashidx_pairs().
 *
 * Two pages are copied, and one kernel call for each code of the first finds its partners on the
 * second. With chunk tables, a leaf is compared with the leaves that hold what is near its keys,
 * table after table; a pair is reported by the first table in which its keys are near enough.
 * Without tables, or where they would be dearer, every codes page is compared with every other.
 */
#include "am/hamming/hamming_copy.h"
#include "am/hamming/hamming_plan.h"
#include "am/hamming/hamming_tree.h"

#include "miscadmin.h"
#include "utils/memutils.h"

typedef struct PairSearch
{
	HammingSource source;
	HammingCache cache;
	int			radius;
	HxPairsEmit emit;
	void	   *context;
	HammingPlan plan;
	HammingCopy left;
	HammingCopy right;
	uint16		position[HAMMING_MAX_CODES + 16];
	uint16		distance[HAMMING_MAX_CODES + 16];
} PairSearch;

/* Emits the rows of two equal or near codes, in the one order of the two in which it is asked. */
static void
emit_runs(PairSearch *search, int left, int right, unsigned distance, bool both_orders)
{
	for (int i = search->left.first[left]; i < search->left.first[left + 1]; i++)
		for (int j = search->right.first[right]; j < search->right.first[right + 1]; j++)
		{
			bool		continues;
			HammingRow	a = hamming_view_row(&search->left.view, i, &continues);
			HammingRow	b = hamming_view_row(&search->right.view, j, &continues);

			CHECK_FOR_INTERRUPTS();
			if (both_orders || ItemPointerCompare(&a.tid, &b.tid) < 0)
				search->emit(search->context, a.tid, b.tid, distance);
		}
}

/* All pairs of a row on the left page with one on the right; chunk: their table's, or -1. */
static void
compare_pages(PairSearch *search, int chunk, bool both_orders)
{
	HxPlanes	left = search->left.view.planes;
	HxPlanes	right = search->right.view.planes;
	uint8		code[BLCKSZ];
	uint8		other[BLCKSZ];

	CHECK_FOR_INTERRUPTS();
	if (chunk >= 0)
	{
		left = hamming_leaf_codes(&search->cache.tables, &left);
		right = hamming_leaf_codes(&search->cache.tables, &right);
	}
	for (unsigned i = 0; i < left.count; i++)
	{
		hx_planes_get(left.base, left.stride, left.code_bytes, i, code);

		unsigned	count = hx_kernels->hamming_select(&right, code, search->radius,
													   search->position, search->distance);

		for (unsigned n = 0; n < count; n++)
		{
			int			j = search->position[n];

			if (chunk >= 0)
			{
				hx_planes_get(right.base, right.stride, right.code_bytes, j, other);
				if (!hamming_plan_reports(&search->plan, chunk, code, other))
					continue;
			}
			emit_runs(search, i, j, search->distance[n], both_orders);
		}
	}
}

/*
 * Copies a leaf, which must reach beyond *high, the end of what was read before it: links that lead
 * in circles do not. Sets *high to its own end; returns the block of its right neighbour.
 */
static BlockNumber
read_leaf(PairSearch *search, int chunk, BlockNumber blk, HammingPoint *high, HammingCopy *copy)
{
	Relation	index = search->source.index;

	/* To the server this number is a wish for one page more. */
	if (blk == InvalidBlockNumber)
		hx_page_report_damage(index, search->cache.tables.root[chunk],
							  "A chunk table ends before its last point.");

	Buffer		buf = ReadBuffer(index, blk);

	LockBuffer(buf, BUFFER_LOCK_SHARE);

	BlockNumber next = hamming_tree_check(index, buf, chunk);
	const HammingBounds *bounds = hamming_bounds(BufferGetPage(buf));

	if (bounds->level > 0 || hamming_point_compare(&bounds->high, high) <= 0)
		hx_page_report_damage(index, blk, "A chunk table does not lead to all its leaves.");
	*high = bounds->high;
	hamming_copy_page(&search->source, &search->cache.leaf_shape, buf, copy);
	UnlockReleaseBuffer(buf);
	return next;
}

static int
compare_targets(const void *a, const void *b)
{
	return hamming_point_compare(&((const HammingTarget *) a)->high,
								 &((const HammingTarget *) b)->high);
}

static int
compare_keys(const void *a, const void *b)
{
	uint32		key_a = *(const uint32 *) a;
	uint32		key_b = *(const uint32 *) b;

	return key_a < key_b ? -1 : key_a > key_b;
}

/* Plans the leaves that are near any code of the left page: each of them once, in order. */
static void
plan_leaves(PairSearch *search, int chunk)
{
	const HxPlanes *planes = &search->left.view.planes;
	HammingPlan *plan = &search->plan;
	uint32		keys[HAMMING_MAX_CODES];
	uint8		code[HAMMING_MAX_LEAF_CODE];
	int			kept = 0;

	for (unsigned i = 0; i < planes->count; i++)
	{
		hx_planes_get(planes->base, planes->stride, planes->code_bytes, i, code);
		keys[i] = hx_chunk_key(&search->cache.tables.chunks, chunk, code);
	}
	qsort(keys, planes->count, sizeof(uint32), compare_keys);

	hamming_plan_start(plan, search->radius);
	for (unsigned i = 0; i < planes->count; i++)
		if (i == 0 || keys[i] != keys[i - 1])
			hamming_plan_add(plan, search->source.index, chunk, keys[i], MaxBlockNumber);

	/* A leaf that was divided between two walks is planned by both, whole and in parts. */
	qsort(plan->targets, plan->count, sizeof(HammingTarget), compare_targets);
	for (int i = 0; i < plan->count; i++)
		if (kept == 0 || compare_targets(&plan->targets[i], &plan->targets[kept - 1]) != 0)
			plan->targets[kept++] = plan->targets[i];
	plan->count = kept;
}

/* The left page, a leaf, meets the leaves that are near it. */
static void
meet_leaves(PairSearch *search, int chunk)
{
	HammingPoint done = {0};

	plan_leaves(search, chunk);
	for (int i = 0; i < search->plan.count; i++)
	{
		HammingTarget target = search->plan.targets[i];
		HammingPoint high = hamming_point_first(0);

		do
		{
			target.blk = read_leaf(search, chunk, target.blk, &high, &search->right);
			if (i == 0 || hamming_point_compare(&high, &done) > 0)
				compare_pages(search, chunk, false);
		} while (hamming_point_compare(&high, &target.high) < 0);
		done = high;
	}
}

/* All leaves of one table, one after the other. */
static void
search_table(PairSearch *search, int chunk)
{
	HammingPoint high = hamming_point_first(0);
	Buffer		buf;
	BlockNumber blk;

	if (hx_chunk_radius(chunk, search->cache.tables.chunks.count, search->radius) < 0)
		return;
	buf = hamming_tree_find(search->source.index, &search->cache.tables, chunk, &high, 0,
							BUFFER_LOCK_SHARE);
	blk = BufferGetBlockNumber(buf);
	UnlockReleaseBuffer(buf);
	do
	{
		blk = read_leaf(search, chunk, blk, &high, &search->left);
		meet_leaves(search, chunk);
	} while (hamming_point_compare(&high, &hamming_point_last) < 0);
}

/* Every codes page meets itself and those behind it. */
static void
search_all(PairSearch *search, const BlockNumber *blocks, BlockNumber count)
{
	for (BlockNumber i = 0; i < count; i++)
	{
		if (!hamming_copy_codes(&search->source, blocks[i], &search->left))
			continue;
		search->right = search->left;
		compare_pages(search, -1, false);
		for (BlockNumber j = i + 1; j < count; j++)
			if (hamming_copy_codes(&search->source, blocks[j], &search->right))
				compare_pages(search, -1, true);
	}
}

/* The blocks of all extents. */
static BlockNumber *
list_blocks(Relation index, BlockNumber *count)
{
	int			extent_count;
	HammingExtent *extents = hamming_codes_extents(index, &extent_count);
	BlockNumber *blocks;

	*count = 0;
	for (int i = 0; i < extent_count; i++)
		*count += extents[i].count;
	blocks = palloc_extended(mul_size(Max(*count, 1), sizeof(BlockNumber)), MCXT_ALLOC_HUGE);
	*count = 0;
	for (int i = 0; i < extent_count; i++)
		for (BlockNumber n = 0; n < extents[i].count; n++)
			blocks[(*count)++] = extents[i].first + n;
	return blocks;
}

void
hamming_pairs(Relation heap, Relation index, double radius, HxPairsEmit emit, void *context)
{
	PairSearch *search = palloc0(sizeof(PairSearch));
	const HxChunks *chunks = &search->cache.tables.chunks;
	BlockNumber count;
	BlockNumber *blocks = list_blocks(index, &count);

	search->cache = *hamming_cache(index);
	search->source.heap = heap;
	search->source.index = index;
	search->source.shape = search->cache.shape;
	search->source.is_listed = chunks->count > 0;
	search->radius = (int) Min(radius, search->cache.shape.bits);
	search->emit = emit;
	search->context = context;

	/* Each leaf meets so many others, where else each page meets half of all. */
	if (chunks->count > 0 &&
		hamming_plan_estimate(chunks, count, search->radius) < count / 2.0)
	{
		hamming_plan_init(&search->plan, &search->cache.tables, &search->cache.shape);
		for (int k = 0; k < chunks->count; k++)
			search_table(search, k);
	}
	else if (search->cache.shape.bits > 0)
		search_all(search, blocks, count);
}
