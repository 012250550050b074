/*
 * hnsw_measure.c
 *	  The curve from effort to recall, measured anew by vacuum; see hnsw_measure.h.
 *
 * Some nodes are the queries. One pass over all pages finds the nodes that are truly nearest to
 * each; searches look for them twice, once as if the query's own node was not there
 * (hnsw_effort.c).
 */
#include "am/hnsw/hnsw_measure.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "am/hnsw/hnsw_effort.h"
#include "am/hnsw/hnsw_expand.h"
#include "math/random.h"
#include "utils/memutils.h"

/* The curve is too old when this share of the rows has come or gone. */
#define CHANGED_SHARE 0.25

/* Queries, and how many places are looked at to find that many nodes. */
#define QUERIES 100
#define MOST_TRIES (20 * QUERIES)

/* Stream of the random numbers that choose them. */
#define QUERY_STREAM 0x7175657279

typedef struct Measure
{
	Relation	index;
	BufferAccessStrategy strategy;
	HnswShape	shape;
	BlockNumber blocks;
	int			count;
	HxNode		node[QUERIES];
	uint8	   *stored;			/* of each its own vector */
	HnswQuery	query[QUERIES];
	float	   *nearest;		/* of each HNSW_CURVE_NEAREST distances, ascending */
} Measure;

/* Makes a node a query if it is alive. */
static void
add_query(Measure *measure, HxNode node)
{
	const HnswShape *shape = &measure->shape;
	uint8	   *stored = measure->stored + (Size) measure->count * shape->own_bytes;
	BlockNumber next;
	Buffer		buf = hnsw_lock_nodes(measure->index, shape, measure->strategy,
									  hnsw_node_block(shape, node), &next);

	if (!BufferIsValid(buf))
		return;

	HnswNodeHead *head = hnsw_read_node(measure->index, shape, buf, node);

	if (head != NULL && head->state == HNSW_NODE)
	{
		hnsw_own_copy(measure->index, shape, node, head, stored);
		measure->node[measure->count] = node;
		hnsw_query_stored(&measure->query[measure->count++], shape, stored);
	}
	UnlockReleaseBuffer(buf);
}

/* Draws the queries from all places that nodes have. */
static void
draw_queries(Measure *measure)
{
	HxNode		first = hnsw_node_number(&measure->shape, HNSW_FIRST_BLOCK, 0);
	uint64		places = (uint64) (measure->blocks - HNSW_FIRST_BLOCK) *
		measure->shape.nodes_per_page;

	for (int i = 0; i < MOST_TRIES && measure->count < QUERIES; i++)
	{
		vacuum_delay_point(false);
		add_query(measure, first +
				  (HxNode) (hx_random(measure->shape.seed, QUERY_STREAM, i) % places));
	}
}

/* Compares the nodes of a page with all queries; returns the next block. */
static BlockNumber
compare_page(Measure *measure, HnswExpander *expander, BlockNumber blk)
{
	const HnswShape *shape = &measure->shape;
	BlockNumber next;
	Buffer		buf = hnsw_lock_nodes(measure->index, shape, measure->strategy, blk, &next);

	if (!BufferIsValid(buf))
		return next;
	for (uint32 slot = 0; slot < shape->nodes_per_page; slot++)
	{
		HxNode		node = hnsw_node_number(shape, blk, slot);
		HnswNodeHead *head = hnsw_read_node(measure->index, shape, buf, node);

		if (head == NULL || head->state != HNSW_NODE)
			continue;

		const uint8 *own = hnsw_expander_own(expander, node, head);

		for (int i = 0; i < measure->count; i++)
			if (memcmp(own, measure->stored + i * (Size) shape->own_bytes, shape->own_bytes) != 0)
				hnsw_nearest_offer(measure->nearest + i * HNSW_CURVE_NEAREST,
								   hnsw_query_distance(&measure->query[i], own));
	}
	UnlockReleaseBuffer(buf);
	return next;
}

/* Finds the true neighbours of all queries. */
static void
find_nearest(Measure *measure)
{
	HnswExpander expander;

	hnsw_expander_init(&expander, measure->index, &measure->query[0], NULL, NULL);
	expander.strategy = measure->strategy;
	hnsw_nearest_begin(measure->nearest, measure->count);
	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < measure->blocks;)
	{
		vacuum_delay_point(false);
		blk = compare_page(measure, &expander, blk);
	}
}

/* Measures; false when there were too few nodes. */
static bool
measure_index(IndexVacuumInfo *info)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hnsw measure",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Measure    *measure = palloc0(sizeof(Measure));
	bool		enough;

	measure->index = info->index;
	measure->strategy = info->strategy;
	measure->shape = hnsw_cache(info->index)->shape;
	measure->blocks = RelationGetNumberOfBlocks(info->index);
	measure->stored = palloc(QUERIES * (Size) measure->shape.own_bytes);
	measure->nearest = palloc(QUERIES * HNSW_CURVE_NEAREST * sizeof(float));
	draw_queries(measure);
	enough = measure->count >= QUERIES / 2;
	if (enough)
	{
		find_nearest(measure);

		HnswTrials	inside = {
			.stored = measure->stored,
			.nearest = measure->nearest,
			.count = measure->count,
		};
		HnswTrials	outside = inside;

		outside.hidden = measure->node;
		hnsw_measure_curve(info->index, &outside, &inside);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return enough;
}

/* Whether the curve is too old; *meta is a copy of the metapage, with what has been removed. */
static bool
is_due(const HnswMetaPage *meta)
{
	double		left = (double) meta->curve_rows - (double) meta->curve_removed;
	double		added = fmax((double) meta->rows - left, 0);

	return meta->nodes >= HNSW_LEAST_TO_MEASURE &&
		(meta->curve_points == 0 || added + meta->curve_removed > CHANGED_SHARE * meta->rows);
}

/* Copies the metapage, and writes what has become of its rows. */
static HnswMetaPage
update_meta(Relation index, uint64 removed, bool is_measured)
{
	Buffer		buf = ReadBuffer(index, HX_METABLOCK);
	HnswMetaPage copy;

	LockBuffer(buf, is_measured || removed > 0 ? BUFFER_LOCK_EXCLUSIVE : BUFFER_LOCK_SHARE);
	hnsw_check_kind(index, buf, HX_PAGE_META);
	if (is_measured || removed > 0)
	{
		GenericXLogState *record = GenericXLogStart(index);
		HnswMetaPage *meta = hnsw_meta(GenericXLogRegisterBuffer(record, buf, 0));

		meta->curve_removed += removed;
		if (is_measured)
		{
			meta->curve_blocks = RelationGetNumberOfBlocks(index);
			meta->curve_rows = meta->rows;
			meta->curve_removed = 0;
		}
		GenericXLogFinish(record);
	}
	copy = *hnsw_meta(BufferGetPage(buf));
	UnlockReleaseBuffer(buf);
	return copy;
}

void
hnsw_measure_changed(IndexVacuumInfo *info, uint64 removed)
{
	HnswMetaPage meta = update_meta(info->index, removed, false);

	if (is_due(&meta) && measure_index(info))
		(void) update_meta(info->index, 0, true);
}
