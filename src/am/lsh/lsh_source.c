/*
 * lsh_source.c
 *	  Where the candidates of a scan come from; see lsh_source.h and README, "Scan".
 */
#include "am/lsh/lsh_source.h"

#include <math.h>

#include "am/lsh/lsh_bucket.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

/* Candidates that the first pass over all keeps, and how that grows from pass to pass. */
#define FIRST_WANT 2048
#define WANT_GROWTH 8

/* A bucket page of a pass costs as much as so many probes. */
#define PROBES_PER_PAGE 4

/* hx_lsh_sketch_limit() leaves a few in a million out: so many standard deviations. */
#define LIMIT_DEVIATIONS 4.75

/* Deviations beyond which a normal distribution has this share (Abramowitz, Stegun 26.2.23). */
static double
normal_quantile(double share)
{
	double		t = sqrt(-2 * log(share));

	return t - (2.515517 + t * (0.802853 + t * 0.010328)) /
		(1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

double
lsh_source_cut(const LshSource *source, double distance)
{
	double		limit = hx_lsh_sketch_limit(source->sketch, distance);
	double		deviations = normal_quantile(lsh_sketch_loss(hx_guc_recall()));

	return distance + (limit - distance) * Max(deviations, 0) / LIMIT_DEVIATIONS;
}

/* The value that probes start from: a range alone decides what is to be found. */
static const LshValue *
centre(const LshSource *source)
{
	return source->range_count > 0 ? &source->ranges[0].ball.centre : &source->query;
}

/* Probes that the rows asked for take at first. */
static uint32
first_probes(const LshSource *source)
{
	const HxLshShape *shape = &source->cache->shape;
	const HxLshCurve *curve = &source->cache->curve;
	double		recall = hx_guc_recall();

	if (hx_guc_lsh_probes() > 0)
		return hx_guc_lsh_probes();

	if (source->range_count > 0)
		return hx_lsh_curve_probes(shape, curve, source->ranges[0].ball.radius,
								   lsh_range_recall(recall));
	return hx_lsh_curve_knn_probes(shape, curve, lsh_probes_recall(recall));
}

/* The largest distance that the first probes are enough for. */
static double
first_reach(const LshSource *source)
{
	const HxLshCurve *curve = &source->cache->curve;

	if (hx_guc_lsh_probes() > 0 || source->range_count > 0)
		return get_float8_infinity();
	return curve->neighbour_count > 0 ? curve->neighbours[curve->neighbour_count - 1] : -1;
}

void
lsh_source_start(LshSource *source)
{
	BlockNumber pages = RelationGetNumberOfBlocks(source->index) / source->cache->shape.tables;
	HxMemory	memory = hx_am_memory(source->context);

	const HxLsh *lsh = lsh_cache_functions(source->cache);

	if (source->ordered)
		source->sketch = hx_lsh_query(lsh, source->query.point, &memory);
	for (int i = 0; i < source->range_count; i++)
	{
		LshRange   *range = &source->ranges[i];

		range->sketch = hx_lsh_query(lsh, range->ball.centre.point, &memory);
		range->limit = hx_lsh_sketch_limit(range->sketch, range->ball.radius);
	}
	source->want = FIRST_WANT;
	source->seen_room = Max((Size) work_mem * 1024 / LSH_SEEN_BYTES, FIRST_WANT);
	source->most = Min((uint64) pages * PROBES_PER_PAGE, PG_INT32_MAX);

	/* Without a value to start from, all rows are asked for. */
	if (!source->ordered && source->range_count == 0)
		return;
	source->wanted = first_probes(source);
	source->probing = source->wanted <= Max(source->most, hx_guc_lsh_probes());
	if (source->probing)
	{
		source->reach = first_reach(source);
		source->probes = hx_lsh_probes_begin(lsh, centre(source)->point, &memory);
		source->seen = lsh_seen_create();
	}
}

/* Do the sketches allow that the row is in all ranges? */
static bool
may_be_within(const LshSource *source, const uint8 *sketch)
{
	for (int i = 0; i < source->range_count; i++)
	{
		if (hx_lsh_sketch_distance(source->ranges[i].sketch, sketch) > source->ranges[i].limit)
			return false;
	}
	return true;
}

static LshCandidate
make_candidate(const LshSource *source, const LshRow *row)
{
	return (LshCandidate) {
		.distance = source->ordered ? hx_lsh_sketch_distance(source->sketch, row->sketch) : 0,
		.tid = lsh_tid_number(&row->tid),
	};
}

/* Damage, when a row on a page is none. */
static void
check_row(const LshSource *source, const LshRow *row, BlockNumber blk)
{
	if (!ItemPointerIsValid(&row->tid))
		hx_page_report_damage(source->index, blk, "A row of the page points to (%u,%u).",
							  ItemPointerGetBlockNumberNoCheck(&row->tid),
							  ItemPointerGetOffsetNumberNoCheck(&row->tid));
}

/* LshTake: a row that a probe has met. */
static bool
take_probed(uint32 key, const LshRow *row, BlockNumber blk, void *context)
{
	LshSource  *source = context;

	check_row(source, row, blk);
	if (!lsh_seen_add(source->seen, lsh_tid_number(&row->tid)))
		return true;
	if (may_be_within(source, row->sketch))
		lsh_heap_push(&source->found, make_candidate(source, row));
	return lsh_seen_count(source->seen) < source->seen_room;
}

/* LshTake: a row that a pass has met. */
static bool
take_any(uint32 key, const LshRow *row, BlockNumber blk, void *context)
{
	LshSource  *source = context;

	check_row(source, row, blk);
	if ((source->seen == NULL || !lsh_seen_has(source->seen, lsh_tid_number(&row->tid))) &&
		may_be_within(source, row->sketch))
		lsh_best_offer(&source->best, make_candidate(source, row));
	return true;
}

/* Makes probes until there are as many as wanted; false: no more can or should be made. */
static bool
probe(LshSource *source)
{
	LshCache   *cache = source->cache;

	while (source->made < source->wanted)
	{
		HxLshProbe	probe;

		if (!hx_lsh_probes_next(source->probes, &probe) ||
			!lsh_bucket_read(source->index, cache->row_bytes,
							 lsh_key(cache->table_bits, probe.table, probe.key),
							 take_probed, source))
			return false;
		source->made++;
	}
	return true;
}

/* One pass over table 0: the next best rows. */
static void
pass(LshSource *source)
{
	Size		most = Max((Size) work_mem * 1024 / (2 * sizeof(LshCandidate)), FIRST_WANT);

	lsh_best_start(&source->best, source->want, source->has_last ? &source->last : NULL);
	lsh_buckets_read(source->index, source->cache->row_bytes, 0,
					 lsh_last_key(source->cache->table_bits), take_any, source);
	lsh_best_finish(&source->best);

	/* In ascending order they are a heap without further ado, but for what it holds already. */
	for (Size i = 0; i < source->best.count; i++)
		lsh_heap_push(&source->found, source->best.items[i]);
	source->finished = !source->best.overflowed;
	if (source->best.count > 0)
	{
		source->has_last = true;
		source->last = source->best.items[source->best.count - 1];
	}
	pfree(source->best.items);
	source->want = Min(source->want * WANT_GROWTH, most);
}

bool
lsh_source_next_round(LshSource *source)
{
	MemoryContext old = MemoryContextSwitchTo(source->context);
	bool		is_first = source->made == 0;

	if (source->probing && !is_first)
	{
		/* All rows of a range are sought at once; neighbours for as long as they are wanted. */
		if (source->range_count > 0)
			source->finished = true;
		else
			source->wanted = Min((uint64) source->wanted * 2, PG_INT32_MAX);
		source->probing = !source->finished && source->wanted <= source->most;
	}
	if (source->probing)
		source->probing = probe(source);
	if (!source->probing && !source->finished)
		pass(source);
	MemoryContextSwitchTo(old);
	return source->found.count > 0 || !source->finished;
}

bool
lsh_source_reach(LshSource *source, double distance)
{
	uint32		needed;

	if (!source->probing || distance <= source->reach)
		return false;

	needed = hx_lsh_curve_probes(&source->cache->shape, &source->cache->curve, distance,
								 lsh_probes_recall(hx_guc_recall()));
	source->reach = distance;
	if (needed <= source->made)
		return false;

	MemoryContext old = MemoryContextSwitchTo(source->context);

	source->wanted = needed;
	source->probing = needed <= source->most && probe(source);
	if (!source->probing)
		pass(source);
	MemoryContextSwitchTo(old);
	return true;
}

double
lsh_source_frontier(const LshSource *source)
{
	if (source->found.count > 0)
		return source->found.items[0].distance;
	return source->probing || source->finished || !source->has_last ?
		get_float8_infinity() : source->last.distance;
}
