/*
 * hamming_plan.c
 *	  From a query and a radius to the leaves of the chunk tables; see hamming_plan.h.
 *
 * For each table, the keys within its share of the radius are walked in order, and
 * of the leaves only the parents are read: so the price of a search is known before
 * it begins.
 */
#include "am/hamming/hamming_plan.h"

#include <math.h>

#include "am/hamming/hamming_tree.h"
#include "kernel/kernel.h"
#include "miscadmin.h"

#define FIRST_CAPACITY 64

void
hamming_plan_init(HammingPlan *plan, const HammingTables *tables, const HammingShape *shape)
{
	const HxChunks *chunks = &tables->chunks;

	plan->chunks = chunks;
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
add_target(HammingPlan *plan, BlockNumber blk, int chunk, HammingPoint high)
{
	if (plan->count == plan->capacity)
	{
		plan->capacity *= 2;
		plan->targets = repalloc_huge(plan->targets,
									  mul_size(plan->capacity, sizeof(HammingTarget)));
	}
	plan->targets[plan->count++] = (HammingTarget) {.blk = blk,.chunk = chunk,.high = high};
}

/* A walk along the keys of one table that are near enough. */
typedef struct Walk
{
	uint32		query;
	int			bits;
	int			radius;
	HammingPoint point;			/* where it goes on */
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

/* Moves the walk behind a point; false: there is nothing. */
static bool
step_behind(Walk *walk, const HammingPoint *point)
{
	if (hamming_point_compare(point, &hamming_point_last) == 0)
		return false;
	walk->point = *point;
	walk->point.tid.ip_posid++;
	return settle(walk);
}

/*
 * Lists the near leaves below an inner page of level 1, or the leaf itself that is
 * a whole table; false at the walk's end.
 */
static bool
walk_page(HammingPlan *plan, Buffer buf, int chunk, Walk *walk, double most)
{
	Page		page = BufferGetPage(buf);
	const HammingBounds *bounds = hamming_bounds(page);
	int			count;

	if (bounds->level == 0)
	{
		add_target(plan, BufferGetBlockNumber(buf), chunk, bounds->high);
		return step_behind(walk, &bounds->high);
	}

	const HammingBranch *branches = hamming_branches(page, &count);
	int			i = 0;

	while (plan->count <= most)
	{
		i += hamming_branch_find(branches + i, count - i, &walk->point);
		if (i == count)
			return true;
		add_target(plan, branches[i].child, chunk, branches[i].high);
		if (!step_behind(walk, &branches[i].high))
			return false;
	}
	return false;
}

void
hamming_plan_start(HammingPlan *plan, int radius)
{
	plan->radius = radius;
	plan->count = 0;
}

void
hamming_plan_add(HammingPlan *plan, Relation index, const HammingTables *tables, int chunk,
				 uint32 key, double most)
{
	Walk		walk = {
		.query = key,
		.bits = tables->chunks.bits[chunk],
		.radius = hx_chunk_radius(chunk, tables->chunks.count, plan->radius),
		.point = hamming_point_first(0),
	};
	bool		more = settle(&walk);

	while (more)
	{
		CHECK_FOR_INTERRUPTS();

		Buffer		buf = hamming_tree_find(index, tables, chunk, &walk.point, 1,
											BUFFER_LOCK_SHARE);

		more = walk_page(plan, buf, chunk, &walk, most);
		UnlockReleaseBuffer(buf);
	}
}

bool
hamming_plan_make(HammingPlan *plan, Relation index, const HammingTables *tables,
				  const uint8 *query, int radius, double most)
{
	const HxChunks *chunks = &tables->chunks;

	hamming_plan_start(plan, radius);
	for (int k = 0; k < chunks->count && plan->count <= most; k++)
		hamming_plan_add(plan, index, tables, k, hx_chunk_key(chunks, k, query), most);
	return plan->count <= most;
}

bool
hamming_plan_reports(HammingPlan *plan, int chunk, const uint8 *query, const uint8 *code)
{
	int			count = plan->chunks->count;

	for (int i = 0; i < plan->code_bytes; i++)
		plan->difference[i] = query[i] ^ code[i];
	for (int k = 0; k <= chunk; k++)
	{
		int			radius = hx_chunk_radius(k, count, plan->radius);
		const uint8 *mask = plan->masks + k * plan->code_bytes;

		if (radius >= 0 &&
			hx_kernels->popcount_and(plan->difference, mask, plan->code_bytes) <= (uint64) radius)
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
