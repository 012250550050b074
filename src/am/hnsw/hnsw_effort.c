/*
 * hnsw_effort.c
 *	  The curve from effort to recall: measured at the end of a build and anew when much has
 *	  changed (hnsw_measure.c), read by scans.
 */
#include "am/hnsw/hnsw_effort.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "am/hnsw/hnsw_expand.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* The efforts that are measured: from 10 on, each a fifth more than the one before. */
#define LEAST_EFFORT 10
#define EFFORT_GROWTH 1.22

/* Where the curve ends: more recall than that is not told apart by a sample. */
#define ENOUGH_RECALL 0.999

/* How far beyond the curve's end it is continued. */
#define MOST_EXTRAPOLATION 4.0

/* The effort for a recall grows no faster than this power of the number of nodes. */
#define EFFORT_EXPONENT 0.5

/* Exact answers and a search's own are computed alike, up to rounding. */
#define SAME_DISTANCE 1e-5

const int	hnsw_efforts[] = {10, 20, 40, 80, 160, 320, 0};

/* A search that measures. */
typedef struct Probe
{
	HnswExpander expander;
	const uint8 *stored;		/* the query; what is equal to it is no answer */
	HxNode		hidden;			/* a node not to be met, or HX_NODE_NONE */
	float		found[HNSW_CURVE_NEAREST];	/* the nearest distances */
} Probe;

/* HxExpand of a probe: the hidden node is not there, and takes no place on the beam. */
static bool
expand_others(void *context, HxNode node, HxExpansion *expansion)
{
	Probe	   *probe = context;
	unsigned	kept = 0;

	if (node == probe->hidden || !hnsw_expand(&probe->expander, node, expansion))
		return false;
	for (unsigned i = 0; i < expansion->count; i++)
	{
		expansion->node[kept] = expansion->node[i];
		expansion->estimate[kept] = expansion->estimate[i];
		kept += expansion->node[i] != probe->hidden;
	}
	expansion->count = kept;
	return true;
}

/* HnswVisit: keeps the distance of a node that has rows if it is among the nearest. */
static void
keep_distance(void *context, HxNode node, HnswNodeHead *head, float distance)
{
	Probe	   *probe = context;
	Size		bytes = probe->expander.query->shape->own_bytes;

	if (head->state == HNSW_NODE && memcmp(probe->expander.own, probe->stored, bytes) != 0)
		hnsw_nearest_offer(probe->found, distance);
}

/* The share of the true answers that was found; 1 when there are none. */
static double
recall_of(const float *found, const float *truth)
{
	int			wanted = 0;
	int			hits = 0;

	while (wanted < HNSW_CURVE_NEAREST && isfinite(truth[wanted]))
		wanted++;
	if (wanted == 0)
		return 1;

	double		last = truth[wanted - 1];

	while (hits < wanted && found[hits] <= last + SAME_DISTANCE * fabs(last))
		hits++;
	return (double) hits / wanted;
}

static uint32
effort_of_step(int step)
{
	return (uint32) rint(LEAST_EFFORT * pow(EFFORT_GROWTH, step));
}

/* Adds the recall of one query at each step to the sums. */
static void
measure_query(HxSearch *search, Probe *probe, const HnswCache *cache, const float *truth,
			  double *sums)
{
	double		recall = 0;

	hnsw_nearest_begin(probe->found, 1);
	hx_search_begin(search, expand_others, probe);
	hnsw_seed_entries(search, probe->expander.query, cache);
	for (int step = 0; step < HNSW_MAX_CURVE_POINTS; step++)
	{
		/* What has been found is not lost again. */
		if (recall < 1)
		{
			hx_search_run(search, effort_of_step(step));
			recall = recall_of(probe->found, truth);
		}
		sums[step] += recall;
	}
}

/* The mean recall of the trials at each step. */
static void
measure_trials(Relation index, HxSearch *search, HnswQuery *query, const HnswTrials *trials,
			   double *recall)
{
	const HnswShape *shape = query->shape;

	memset(recall, 0, HNSW_MAX_CURVE_POINTS * sizeof(double));
	for (int i = 0; i < trials->count; i++)
	{
		HnswCache  *cache;
		Probe		probe = {
			.stored = trials->stored + (Size) i * shape->own_bytes,
			.hidden = trials->hidden != NULL ? trials->hidden[i] : HX_NODE_NONE,
		};

		hnsw_query_stored(query, shape, probe.stored);
		cache = hnsw_cache(index);
		hnsw_query_prepare(query, cache->centre, cache->largest_norm);
		hnsw_expander_init(&probe.expander, index, query, keep_distance, &probe);
		measure_query(search, &probe, cache, trials->nearest + (Size) i * HNSW_CURVE_NEAREST,
					  recall);
	}
	for (int step = 0; step < HNSW_MAX_CURVE_POINTS; step++)
		recall[step] /= trials->count;
}

static void
write_curve(Relation index, const double *outside, const double *inside)
{
	Buffer		buf = ReadBuffer(index, HX_METABLOCK);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	GenericXLogState *record = GenericXLogStart(index);
	HnswMetaPage *meta = hnsw_meta(GenericXLogRegisterBuffer(record, buf, 0));

	meta->curve_points = 0;
	while (meta->curve_points < HNSW_MAX_CURVE_POINTS)
	{
		int			step = meta->curve_points++;
		double		recall = Min(outside[step], inside[step]);

		meta->curve[step].effort = (uint16) effort_of_step(step);
		meta->curve[step].recall = (uint16) rint(recall * PG_UINT16_MAX);
		if (recall >= ENOUGH_RECALL)
			break;
	}
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
}

void
hnsw_measure_curve(Relation index, const HnswTrials *outside, const HnswTrials *inside)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hnsw measure",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxSearch   *search = hnsw_search_new(context);
	HnswShape	shape = hnsw_cache(index)->shape;
	HnswQuery	query = {.shape = &shape};
	double		recall_outside[HNSW_MAX_CURVE_POINTS];
	double		recall_inside[HNSW_MAX_CURVE_POINTS];

	measure_trials(index, search, &query, outside, recall_outside);
	measure_trials(index, search, &query, inside, recall_inside);
	write_curve(index, recall_outside, recall_inside);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/*
 * What an index that was never measured may need: more for a graph of few links, and with
 * each doubling of the nodes.
 */
static double
guess_effort(const HnswShape *shape, double nodes, double recall)
{
	double		doublings = log2(Max(nodes, 1000) / 1000);

	return (64 + 8 * doublings) * sqrt(0.05 / (1 - recall)) * sqrt(32.0 / shape->m);
}

/* What the curve has for a recall: between its points, and a little beyond its end. */
static double
read_curve(const HnswCurvePoint *curve, uint32 points, double recall)
{
	double		target = Min(recall, ENOUGH_RECALL) * PG_UINT16_MAX;
	uint32		at = 0;

	while (at < points && curve[at].recall < target)
		at++;
	if (at == 0)
		return curve[0].effort;
	if (at < points)
		return curve[at - 1].effort + (curve[at].effort - curve[at - 1].effort) *
			(target - curve[at - 1].recall) / (curve[at].recall - curve[at - 1].recall);

	/* To halve what is missed takes about twice the effort. */
	double		missed = PG_UINT16_MAX - curve[at - 1].recall;

	return curve[at - 1].effort * Min(missed / (PG_UINT16_MAX - target), MOST_EXTRAPOLATION);
}

/* By how much more effort an index asks for that has grown since it was measured. */
static double
growth_factor(const HnswCache *cache, double nodes)
{
	double		measured = hnsw_nodes_in(&cache->shape, cache->curve_blocks);

	return measured > 0 && nodes > measured ? pow(nodes / measured, EFFORT_EXPONENT) : 1;
}

uint32
hnsw_scan_effort(const HnswCache *cache, double nodes)
{
	double		recall = hx_guc_recall();
	double		effort;

	if (hx_guc_ef_search() > 0)
		return hx_guc_ef_search();
	if (cache->curve_points > 0)
		effort = read_curve(cache->curve, cache->curve_points, recall) *
			growth_factor(cache, nodes);
	else
		effort = guess_effort(&cache->shape, nodes, recall);
	return (uint32) Max(ceil(effort), LEAST_EFFORT);
}
