/*
 * hamming_plan.c
 *	  From a query and a radius to the leaves of the chunk tables; see hamming_plan.h.
 *
 * For each table, the keys within its share of the radius are walked in order. Only the parents
 * of the leaves are read, so the price of a search is known before it begins.
 */
#include "am/hamming/hamming_plan.h"

#include <math.h>

#include "am/hamming/hamming_tree.h"
#include "kernel/kernel.h"
#include "miscadmin.h"

#define FIRST_CAPACITY 256

void
hamming_plan_init(HammingPlan *plan, const HammingTables *tables, const HammingShape *shape)
{
	const HxChunks *chunks = &tables->chunks;

	plan->tables = tables;
	plan->code_bytes = shape->code_bytes;
	plan->masks = palloc0(Max(chunks->count, 1) * shape->code_bytes);
	plan->difference = palloc(shape->code_bytes);
	plan->capacity = FIRST_CAPACITY;
	plan->targets = palloc(plan->capacity * sizeof(HammingTarget));
	plan->count = 0;
	for (int k = 0; k < chunks->count; k++)
		for (int i = 0; i < chunks->bits[k]; i++)
		{
			unsigned	position = chunks->position[k][i];

			plan->masks[k * shape->code_bytes + position / 8] |= 0x80 >> position % 8;
		}
}

static void
add_target(HammingPlan *plan, const HammingTarget *target)
{
	if (plan->count == plan->capacity)
	{
		plan->capacity *= 2;
		plan->targets = repalloc_huge(plan->targets,
									  mul_size(plan->capacity, sizeof(HammingTarget)));
	}
	plan->targets[plan->count++] = *target;
}

/* A walk along the keys of one table that are near enough. */
typedef struct Walk
{
	HammingPlan *plan;
	Relation	index;
	int			chunk;
	uint32		query;
	int			bits;
	int			radius;
	HammingPoint point;			/* where it goes on */
	double		most;			/* leaves in the plan, with which it ends */
} Walk;

/* Moves the walk to the first near point not before its own; false: there is none. */
static bool
settle(Walk *walk)
{
	uint32		key;

	if (!hx_chunk_next_key(walk->point.key, walk->query, walk->bits, walk->radius, &key))
		return false;
	if (key > walk->point.key)
		walk->point = hamming_point_first(key);
	return true;
}

/*
 * What a leaf has of its near keys are the ends. All these keys lie between the walk's point
 * and the leaf's highest, so the bits before the first in which those two differ are the same
 * in each; what they differ from the query by there is not left for the end.
 */
static int
end_radius(const Walk *walk, uint32 high)
{
	uint32		spread = walk->point.key ^ high;
	uint32		ends = spread == 0 ? 0 : PG_UINT32_MAX >> __builtin_clz(spread);
	uint32		heads = ~(ends | (HammingKeyEnd) -1);

	return walk->radius - __builtin_popcount((walk->point.key ^ walk->query) & heads);
}

/* Notes a leaf and moves the walk behind it; false: there is nothing, or enough. */
static bool
take_leaf(Walk *walk, BlockNumber blk, const HammingPoint *high)
{
	HammingTarget target = {
		.blk = blk,
		.chunk = walk->chunk,
		.end_radius = end_radius(walk, high->key),
		.high = *high,
	};

	add_target(walk->plan, &target);
	if (walk->plan->count > walk->most || hamming_point_compare(high, &hamming_point_last) == 0)
		return false;
	walk->point = *high;
	walk->point.tid.ip_posid++;
	return settle(walk);
}

static bool walk_pages(Walk *walk, BlockNumber from, BlockNumber blk, int level,
					   HammingPoint end);

/* Notes the near leaves below an inner page; false at the walk's end. */
static bool
walk_branches(Walk *walk, BlockNumber blk, Page page)
{
	int			level = hamming_bounds(page)->level;
	int			count;
	const HammingBranch *branches = hamming_branches(page, &count);
	int			i = 0;
	bool		more = true;

	while (more)
	{
		i += hamming_branch_find(branches + i, count - i, &walk->point);
		if (i == count)
			break;
		more = level == 1 ? take_leaf(walk, branches[i].child, &branches[i].high) :
			walk_pages(walk, blk, branches[i].child, level - 1, branches[i].high);
	}
	return more;
}

/*
 * Walks through a page and what is below it. A page of that level (-1: whatever it has)
 * that has been divided since its parent was read goes on in its right neighbours, up to
 * `end`. Pages above the lowest inner ones are copied: no lock is held on the way down.
 */
static bool
walk_pages(Walk *walk, BlockNumber from, BlockNumber blk, int level, HammingPoint end)
{
	HammingPoint reached = hamming_point_first(0);
	bool		more = true;

	while (more && hamming_point_compare(&reached, &end) < 0)
	{
		CHECK_FOR_INTERRUPTS();

		Buffer		buf = hamming_tree_lock(walk->index, walk->chunk, from, blk,
											BUFFER_LOCK_SHARE);
		Page		page = BufferGetPage(buf);
		HammingBounds bounds = *hamming_bounds(page);
		BlockNumber next = hx_page_opaque(page)->next;

		if ((level >= 0 && bounds.level != level) ||
			hamming_point_compare(&bounds.high, &reached) <= 0)
			hx_page_report_damage(walk->index, blk, "The page is not where it belongs in its chunk table.");
		if (bounds.level > 1)
		{
			PGAlignedBlock copy;

			memcpy(copy.data, page, BLCKSZ);
			UnlockReleaseBuffer(buf);
			more = walk_branches(walk, blk, copy.data);
		}
		else
		{
			more = bounds.level == 1 ? walk_branches(walk, blk, page) :
				take_leaf(walk, blk, &bounds.high);
			UnlockReleaseBuffer(buf);
		}
		reached = bounds.high;
		from = blk;
		blk = next;
	}
	return more;
}

void
hamming_plan_start(HammingPlan *plan, int radius)
{
	const HxChunks *chunks = &plan->tables->chunks;

	plan->radius = radius;
	plan->count = 0;
	for (int k = 0; k < chunks->count; k++)
		plan->radii[k] = hx_chunk_radius(k, chunks->count, radius);
}

void
hamming_plan_add(HammingPlan *plan, Relation index, int chunk, uint32 key, double most)
{
	Walk		walk = {
		.plan = plan,
		.index = index,
		.chunk = chunk,
		.query = key,
		.bits = plan->tables->chunks.bits[chunk],
		.radius = plan->radii[chunk],
		.point = hamming_point_first(0),
		.most = most,
	};

	if (settle(&walk))
		walk_pages(&walk, HX_METABLOCK, plan->tables->root[chunk], -1, hamming_point_last);
}

/* How many tables have fewer leaves than that one. */
static int
rank_of(const int *leaves, int tables, int k)
{
	int			rank = 0;

	for (int j = 0; j < tables; j++)
		rank += leaves[j] < leaves[k] || (leaves[j] == leaves[k] && j < k);
	return rank;
}

/*
 * Adds the leaves of all tables within their shares of the radius. All get the same, some
 * one more, whichever they are: they shall be those with the fewest leaves near the query.
 * That takes little: most of the leaves counted have to be found anyway. False, when they
 * would be more than `most`, as the first quarter of the tables foretells: to find out by
 * noting all of them would cost a third of what reading all codes does.
 */
static bool
share_out(HammingPlan *plan, Relation index, const uint32 *keys, double pages, double most)
{
	int			tables = plan->tables->chunks.count;
	int			least = (plan->radius + 1) / tables - 1;
	int			greater = (plan->radius + 1) % tables;
	int			leaves[HX_MAX_CHUNKS];
	int			kept = 0;
	int			next = 0;
	double		each = most / tables;	/* leaves of a table within its lesser share */

	if (least >= 0)
		each *= hamming_plan_estimate(&plan->tables->chunks, pages, plan->radius - greater) /
			hamming_plan_estimate(&plan->tables->chunks, pages, plan->radius);
	for (int k = 0; k < tables; k++)
	{
		/* Where not all tables are looked at, the leaves of one key tell which are worst. */
		double		limit = least < 0 ? plan->count + each :
			4 * k < tables ? (k + 1) * each : most;

		plan->radii[k] = Max(least, 0);
		leaves[k] = -plan->count;
		hamming_plan_add(plan, index, k, keys[k], limit);
		leaves[k] += plan->count;
		if (least >= 0 && plan->count > limit)
			return false;
	}
	for (int k = 0; k < tables; k++)
	{
		plan->radii[k] = least + (rank_of(leaves, tables, k) < greater);
		if (least < 0 && plan->radii[k] == 0 && leaves[k] > most / tables)
			return false;
	}

	/* The leaves found stay in the plan, but for those of the tables that have another radius. */
	for (int k = 0; k < tables; next += leaves[k++])
	{
		if (plan->radii[k] != Max(least, 0))
			continue;
		memmove(plan->targets + kept, plan->targets + next, leaves[k] * sizeof(HammingTarget));
		kept += leaves[k];
	}
	plan->count = kept;
	for (int k = 0; least >= 0 && plan->count <= most && k < tables; k++)
		if (plan->radii[k] > least)
			hamming_plan_add(plan, index, k, keys[k], most);
	return plan->count <= most;
}

bool
hamming_plan_make(HammingPlan *plan, Relation index, const uint8 *query, int radius,
				  double pages, double most)
{
	const HxChunks *chunks = &plan->tables->chunks;
	uint32		keys[HX_MAX_CHUNKS];

	for (int k = 0; k < chunks->count; k++)
		keys[k] = hx_chunk_key(chunks, k, query);
	hamming_plan_start(plan, radius);
	return share_out(plan, index, keys, pages, most);
}

/* Sets the bits of plan->difference in which two codes differ. */
static void
find_difference(HammingPlan *plan, const uint8 *query, const uint8 *code)
{
	int			at = 0;

	for (; at + (int) sizeof(uint64) <= plan->code_bytes; at += sizeof(uint64))
	{
		uint64		a;
		uint64		b;

		memcpy(&a, query + at, sizeof(a));
		memcpy(&b, code + at, sizeof(b));
		a ^= b;
		memcpy(plan->difference + at, &a, sizeof(a));
	}
	for (; at < plan->code_bytes; at++)
		plan->difference[at] = query[at] ^ code[at];
}

bool
hamming_plan_reports(HammingPlan *plan, int chunk, const uint8 *query, const uint8 *code)
{
	find_difference(plan, query, code);
	for (int k = 0; k <= chunk; k++)
	{
		const uint8 *mask = plan->masks + k * plan->code_bytes;

		if (plan->radii[k] >= 0 &&
			hx_kernels->popcount_and(plan->difference, mask, plan->code_bytes) <=
			(uint64) plan->radii[k])
			return k == chunk;
	}
	return false;
}

double
hamming_plan_estimate(const HxChunks *chunks, double leaves, int radius)
{
	int			telling = ceil(log2(leaves + 1));	/* bits by which leaves are told apart */
	double		sum = 0;

	for (int k = 0; k < chunks->count; k++)
	{
		int			share = hx_chunk_radius(k, chunks->count, radius);

		if (share >= 0)
			sum += 1 + leaves * hx_chunk_share(Min(chunks->bits[k], telling), share);
	}
	return sum;
}
