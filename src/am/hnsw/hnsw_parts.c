/*
 * hnsw_parts.c
 *	  The build of an index whose points do not fit into memory; see hnsw_parts.h.
 *
 * This file keeps the points as they come, assigns them to the parts, and has each part built and
 * linked.
 */
#include "am/hnsw/hnsw_parts.h"

#include <math.h>

#include "am/hnsw/hnsw_centre.h"
#include "am/hnsw/hnsw_effort.h"
#include "am/hnsw/hnsw_entries.h"
#include "commands/progress.h"
#include "graph/crew.h"
#include "kernel/kernel.h"
#include "math/kmeans.h"
#include "math/random.h"
#include "miscadmin.h"
#include "pgstat.h"

/*
 * Points that are drawn at random while the table is read: at most, and at the least, unless that
 * is more than twice what memory was to hold.
 */
#define SAMPLE 16384
#define LEAST_SAMPLE 4096
#define SAMPLE_STREAM 0x7370696c6c

/*
 * So many of the sample are held out of the graph; with as many others they are what the index is
 * measured by. All but these are for centre and centroids.
 */
#define HELD_OUT 200
#define TRIALS (2 * HELD_OUT)

/* Of the sample, so many for each centroid are enough, and so few too few; Lloyd's rounds. */
#define SAMPLE_PER_PART 64
#define LEAST_PER_PART 8
#define ROUNDS 8

/* Room for more than two parts for each point, so that the parts need not be equal. */
#define ROOM_PER_POINT 2.6

/* Points that are looked at together when they are spread. */
#define CHUNK 256

/*
 * Parts are balanced by the sample: in at most so many rounds, until none has more than that
 * share above the mean. A point of the sample goes to one of so many parts nearest to it; a round
 * moves borders by about that share of the points' distance from their centroids.
 */
#define BALANCE_ROUNDS 100
#define BALANCED 1.15
#define BALANCE_NEAREST 16
#define BALANCE_STEP 0.1

HnswParts *
hnsw_parts_begin(Relation index, IndexInfo *info, const HnswShape *shape, HxCompute *compute,
				 size_t capacity)
{
	HnswParts  *parts = palloc0(sizeof(HnswParts));
	Size		bytes = hnsw_part_point_bytes(shape);

	parts->index = index;
	parts->info = info;
	parts->shape = shape;
	parts->compute = compute;
	parts->capacity = capacity;
	parts->points = hnsw_spill_new(bytes);
	parts->more_rows = hnsw_spill_new(sizeof(HnswPartRow));
	parts->sample_room = Min(SAMPLE, Max(capacity / 4, Min(LEAST_SAMPLE, 2 * capacity)));
	parts->sample = palloc_extended(mul_size(parts->sample_room, bytes), MCXT_ALLOC_HUGE);
	return parts;
}

/* Draws the sample: each point so far stands in it with the same probability. */
static void
offer_to_sample(HnswParts *parts, const HnswPartPoint *point)
{
	size_t		place = parts->sample_count;

	if (place == parts->sample_room)
		place = hx_random(parts->shape->seed, SAMPLE_STREAM, point->point) % (point->point + 1);
	else
		parts->sample_count++;
	if (place < parts->sample_room)
		memcpy(hnsw_parts_sample(parts, place), point, hnsw_part_point_bytes(parts->shape));
}

void
hnsw_parts_add(HnswParts *parts, const HnswPoint *point, ItemPointer row)
{
	HnswPartPoint *record;

	if (parts->points.count == HX_NODE_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot have more than %u rows",
						RelationGetRelationName(parts->index), HX_NODE_NONE)));
	record = palloc0(parts->points.bytes);
	record->point = parts->points.count;
	record->error = point->error;
	record->row = *row;
	memcpy(hnsw_part_point_stored(record), point->stored, parts->shape->own_bytes);
	parts->largest_norm = Max(parts->largest_norm, point->norm);
	hnsw_spill_add(&parts->points, record);
	offer_to_sample(parts, record);
	pfree(record);
}

/* Coordinates in which parts are formed: those of the stored vector, or bits as numbers. */
static uint32
coordinates(const HnswShape *shape)
{
	return shape->metric == HNSW_HAMMING ? shape->dims : shape->own_dims;
}

static void
spread_out(const HnswShape *shape, const uint8 *stored, float *x)
{
	if (shape->metric != HNSW_HAMMING)
		hnsw_decode(shape, stored, x);
	else
		for (uint32 i = 0; i < shape->dims; i++)
			x[i] = (float) (stored[i / 8] >> (7 - i % 8) & 1);
}

/* Centroids of the parts, from the sample. */
static float *
make_centroids(HnswParts *parts)
{
	const HnswShape *shape = parts->shape;
	size_t		d = coordinates(shape);
	size_t		count = Min(parts->sample_count, (size_t) parts->part_count * SAMPLE_PER_PART);
	float	   *centroids = palloc_extended(mul_size(parts->part_count, d * sizeof(float)),
											MCXT_ALLOC_HUGE);
	float	   *rows = palloc_extended(mul_size(count, d * sizeof(float)), MCXT_ALLOC_HUGE);

	for (size_t i = 0; i < count; i++)
		spread_out(shape, hnsw_part_point_stored(hnsw_parts_sample(parts, i)), rows + i * d);
	hx_kmeans(parts->compute, rows, count, d, parts->part_count, ROUNDS, shape->seed, centroids,
			  NULL);
	pfree(rows);
	return centroids;
}

/* Points that are being spread. */
typedef struct Spread
{
	HnswParts  *parts;
	const float *centroids;
	char	   *chunk;			/* HnswPartPoint */
	size_t		count;
	float	   *x;				/* a worker's coordinates */
	float	   *distance;		/* of each point to each centroid */
	float	   *weight;			/* of each part: added to the distances from its centroid */
} Spread;

/* HxCrewWork over the points of a chunk. */
static void
measure_centroids(void *context, unsigned worker, size_t item)
{
	const Spread *spread = context;
	const HnswParts *parts = spread->parts;
	uint32		d = coordinates(parts->shape);
	float	   *x = spread->x + (size_t) worker * d;
	HnswPartPoint *point = (HnswPartPoint *) (spread->chunk + item * parts->points.bytes);

	spread_out(parts->shape, hnsw_part_point_stored(point), x);
	for (uint32 i = 0; i < parts->part_count; i++)
		spread->distance[item * parts->part_count + i] =
			(float) hx_kernels->l2_squared(x, spread->centroids + (size_t) i * d, d);
}

static bool
has_room(const HnswParts *parts, uint32 part)
{
	return parts->part[part].residents.count + parts->part[part].guests.count < parts->capacity;
}

/* The nearest part that has room, other than `not`. */
static uint32
nearest_part(const Spread *spread, const float *distance, uint32 not)
{
	const HnswParts *parts = spread->parts;
	const float *weight = spread->weight;
	uint32		nearest = parts->part_count;

	for (uint32 i = 0; i < parts->part_count; i++)
		if (i != not && has_room(parts, i) &&
			(nearest == parts->part_count ||
			 distance[i] + weight[i] < distance[nearest] + weight[nearest]))
			nearest = i;
	if (nearest == parts->part_count)
		elog(ERROR, "the parts of the build of index \"%s\" have no room",
			 RelationGetRelationName(parts->index));
	return nearest;
}

/* A part that is near a point of the sample. */
typedef struct Nearby
{
	uint32		part;
	float		distance;
} Nearby;

/* The parts nearest to each point of the sample, `each` of them, palloc'd. */
static Nearby *
find_nearby(Spread *spread, uint32 each)
{
	HnswParts  *parts = spread->parts;
	Nearby	   *nearby = palloc_extended(mul_size(parts->sample_count, each * sizeof(Nearby)),
										 MCXT_ALLOC_HUGE);
	Nearby	   *of = nearby;

	for (size_t first = 0; first < parts->sample_count; first += CHUNK)
	{
		spread->chunk = (char *) hnsw_parts_sample(parts, first);
		spread->count = Min(parts->sample_count - first, CHUNK);
		hx_crew_run(parts->compute, measure_centroids, spread, spread->count, NULL, NULL);
		for (size_t i = 0; i < spread->count; i++, of += each)
		{
			const float *distance = spread->distance + i * parts->part_count;

			for (uint32 part = 0; part < parts->part_count; part++)
			{
				uint32		at = Min(part, each);

				for (; at > 0 && distance[part] < of[at - 1].distance; at--)
					if (at < each)
						of[at] = of[at - 1];
				if (at < each)
					of[at] = (Nearby) {part, distance[part]};
			}
		}
	}
	return nearby;
}

/* Adds to the loads of the two parts to which a point would go. */
static void
load_two(const Nearby *nearby, uint32 each, const float *weight, uint32 *load)
{
	float		nearest[2] = {INFINITY, INFINITY};
	uint32		part[2] = {0, 0};

	for (uint32 i = 0; i < each; i++)
	{
		float		distance = nearby[i].distance + weight[nearby[i].part];
		int			place = distance < nearest[0] ? 0 : 1;

		if (distance >= nearest[1])
			continue;
		nearest[1] = place == 0 ? nearest[0] : distance;
		part[1] = place == 0 ? part[0] : nearby[i].part;
		if (place == 0)
		{
			nearest[0] = distance;
			part[0] = nearby[i].part;
		}
	}
	load[part[0]]++;
	load[part[1]]++;
}

/*
 * Gives parts weights by which they get about as many points each: a point that finds its part
 * full goes to one that its neighbours are not in. The borders stay planes, so that what is near
 * each other stays together.
 */
static void
balance_parts(Spread *spread)
{
	const HnswParts *parts = spread->parts;
	uint32		each = Min(parts->part_count, BALANCE_NEAREST);
	Nearby	   *nearby = find_nearby(spread, each);
	uint32	   *load = palloc(parts->part_count * sizeof(uint32));
	double		mean_load = 2.0 * parts->sample_count / parts->part_count;
	double		mean_distance = 0;
	double		largest = INFINITY;

	for (size_t i = 0; i < parts->sample_count; i++)
		mean_distance += nearby[i * each].distance / parts->sample_count;
	for (int round = 0; round < BALANCE_ROUNDS && largest > BALANCED; round++)
	{
		CHECK_FOR_INTERRUPTS();
		memset(load, 0, parts->part_count * sizeof(uint32));
		for (size_t i = 0; i < parts->sample_count; i++)
			load_two(nearby + i * each, each, spread->weight, load);
		largest = 0;
		for (uint32 i = 0; i < parts->part_count; i++)
		{
			largest = Max(largest, load[i] / mean_load);
			spread->weight[i] += (float) (BALANCE_STEP * mean_distance * (load[i] / mean_load - 1));
		}
	}
	pfree(load);
	pfree(nearby);
}

/* What is held out of the graph is at home nowhere. */
static bool
is_held_out(const HnswParts *parts, uint32 point)
{
	for (size_t i = 0; i < HELD_OUT; i++)
		if (hnsw_parts_sample(parts, i)->point == point)
			return true;
	return false;
}

static void
place_chunk(Spread *spread)
{
	HnswParts  *parts = spread->parts;

	for (size_t i = 0; i < spread->count; i++)
	{
		HnswPartPoint *point = (HnswPartPoint *) (spread->chunk + i * parts->points.bytes);
		const float *distance = spread->distance + i * parts->part_count;

		if (is_held_out(parts, point->point))
			continue;
		point->home = nearest_part(spread, distance, parts->part_count);
		hnsw_spill_add(&parts->part[point->home].residents, point);
		hnsw_spill_add(&parts->part[nearest_part(spread, distance, point->home)].guests, point);
	}
}

/* Trials against the points of a chunk: the nearest so far. */
static void
measure_trials(const Spread *spread, const uint8 *trials, uint8 *stored, float *nearest)
{
	const HnswParts *parts = spread->parts;
	Size		bytes = parts->shape->own_bytes;
	HnswPoints	points = {.shape = parts->shape,.stored = stored,
		.largest_norm = parts->largest_norm};
	size_t		count = 0;

	for (size_t i = 0; i < spread->count; i++)
	{
		HnswPartPoint *point = (HnswPartPoint *) (spread->chunk + i * parts->points.bytes);

		if (!is_held_out(parts, point->point))
			memcpy(stored + count++ * bytes, hnsw_part_point_stored(point), bytes);
	}
	hnsw_points_nearest(parts->compute, &points, count, trials, TRIALS, nearest);
}

/* Sends every point to its parts, and finds the true neighbours of the trials. */
static void
spread_points(HnswParts *parts, const uint8 *trials, float *nearest)
{
	HxScratchMark mark = hx_scratch_mark(parts->compute);
	Spread		spread = {.parts = parts,.centroids = make_centroids(parts)};
	uint8	   *stored = hx_scratch(parts->compute, CHUNK, parts->shape->own_bytes);

	spread.x = hx_scratch(parts->compute, hx_team_threads(),
						  coordinates(parts->shape) * sizeof(float));
	spread.distance = hx_scratch(parts->compute, CHUNK, parts->part_count * sizeof(float));
	spread.weight = hx_scratch(parts->compute, parts->part_count, sizeof(float));
	memset(spread.weight, 0, parts->part_count * sizeof(float));
	balance_parts(&spread);
	spread.chunk = hx_scratch(parts->compute, CHUNK, parts->points.bytes);
	hnsw_spill_rewind(&parts->points);
	while ((spread.count = hnsw_spill_read(&parts->points, spread.chunk, CHUNK)) > 0)
	{
		hx_crew_run(parts->compute, measure_centroids, &spread, spread.count, NULL, NULL);
		measure_trials(&spread, trials, stored, nearest);
		place_chunk(&spread);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, parts->points.next);
	}
	hnsw_spill_end(&parts->points);
	pfree((float *) spread.centroids);
	hx_scratch_release(parts->compute, mark);
}

/* Stored vectors of the sample, one after the other. */
static uint8 *
sample_vectors(const HnswParts *parts, size_t count)
{
	Size		bytes = parts->shape->own_bytes;
	uint8	   *stored = palloc_extended(mul_size(count, bytes), MCXT_ALLOC_HUGE);

	for (size_t i = 0; i < count; i++)
		memcpy(stored + i * bytes, hnsw_part_point_stored(hnsw_parts_sample(parts, i)), bytes);
	return stored;
}

static void
make_centre(HnswParts *parts)
{
	HnswPoints	points = {.shape = parts->shape};

	if (parts->shape->metric == HNSW_HAMMING)
		return;
	points.stored = sample_vectors(parts, parts->sample_count);
	parts->centre = palloc(parts->shape->link.dims * sizeof(float));
	hnsw_points_centre(&points, parts->sample_count, parts->centre);
	pfree((uint8 *) points.stored);
}

static void
make_parts(HnswParts *parts)
{
	size_t		count = parts->points.count;
	Size		list_bytes = offsetof(HnswPartList, links) + parts->shape->m * sizeof(uint32);

	/* More parts than the sample can tell apart are too many, even if they must be larger then. */
	parts->part_count = (uint32) Min(ceil(count * ROOM_PER_POINT / parts->capacity),
									 parts->sample_count / LEAST_PER_PART);
	parts->capacity = Max(parts->capacity, ceil(count * ROOM_PER_POINT / parts->part_count));
	parts->part = palloc0(mul_size(parts->part_count, sizeof(HnswPart)));
	for (uint32 i = 0; i < parts->part_count; i++)
	{
		parts->part[i].residents = hnsw_spill_new(parts->points.bytes);
		parts->part[i].guests = hnsw_spill_new(parts->points.bytes);
		parts->part[i].lists = hnsw_spill_new(list_bytes);
		parts->part[i].guest_lists = hnsw_spill_new(list_bytes);
	}
	parts->number = palloc_extended(mul_size(count, sizeof(HxNode)), MCXT_ALLOC_HUGE);
	memset(parts->number, 0xff, count * sizeof(HxNode));
}

/* Adds the entries without which nodes would not be found in the graphs of their parts. */
static void
add_lost(HnswParts *parts)
{
	ListCell   *cell;

	foreach(cell, parts->lost)
	{
		CHECK_FOR_INTERRUPTS();
		hnsw_entries_add(parts->index, parts->shape, lfirst(cell));
	}
	list_free_deep(parts->lost);
}

/* Entries are nodes of the sample, which is as good as drawing them anew. */
static BlockNumber
write_entries(const HnswParts *parts)
{
	size_t		wanted = hnsw_entries_wanted(parts->nodes);
	uint8	   *stored = sample_vectors(parts, parts->sample_count);
	HnswPoints	points = {.shape = parts->shape,.stored = stored,
		.largest_norm = parts->largest_norm};
	HxNode	   *point = palloc(wanted * sizeof(HxNode));
	HxNode	   *number = palloc(parts->sample_count * sizeof(HxNode));
	size_t		count = 0;

	for (size_t i = 0; i < parts->sample_count && count < wanted; i++)
	{
		number[i] = parts->number[hnsw_parts_sample(parts, i)->point];
		if (number[i] != HX_NODE_NONE)
			point[count++] = i;
	}
	return hnsw_write_entries(parts->index, &points, parts->centre, point, count, number);
}

/* Puts the rows beyond the first of each node where they belong. */
static void
add_more_rows(HnswParts *parts)
{
	HnswPartRow more;

	hnsw_spill_rewind(&parts->more_rows);
	while (hnsw_spill_read(&parts->more_rows, &more, 1) > 0)
		hnsw_write_row(parts->index, more.node, &more.row, more.error);
	hnsw_spill_end(&parts->more_rows);
}

/* Measures the index, and inserts what was held out. */
static void
measure_and_insert(HnswParts *parts, const uint8 *trials, const float *nearest)
{
	HnswTrials	outside = {.stored = trials,.nearest = nearest,.count = HELD_OUT};
	HnswTrials	inside = {
		.stored = trials + HELD_OUT * (Size) parts->shape->own_bytes,
		.nearest = nearest + HELD_OUT * HNSW_CURVE_NEAREST,
		.count = TRIALS - HELD_OUT,
	};

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HNSW_PHASE_MEASURE);
	hnsw_measure_curve(parts->index, &outside, &inside);
	for (size_t i = 0; i < HELD_OUT; i++)
	{
		HnswPartPoint *record = hnsw_parts_sample(parts, i);
		HnswPoint	point = {
			.stored = hnsw_part_point_stored(record),
			.error = record->error,
			.norm = parts->largest_norm,
		};

		CHECK_FOR_INTERRUPTS();
		hnsw_insert_point(parts->index, parts->info, &point, &record->row);
	}
}

void
hnsw_parts_finish(HnswParts *parts)
{
	uint8	   *trials = sample_vectors(parts, TRIALS);
	float	   *nearest = palloc(TRIALS * HNSW_CURVE_NEAREST * sizeof(float));

	hnsw_nearest_begin(nearest, TRIALS);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HNSW_PHASE_PARTITION);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, parts->points.count);
	make_parts(parts);
	make_centre(parts);
	spread_points(parts, trials, nearest);

	if (parts->centre != NULL)
		hnsw_centre_write(parts->index, parts->shape, parts->centre, false);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HNSW_PHASE_GRAPH);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, 0);
	for (uint32 i = 0; i < parts->part_count; i++)
		hnsw_part_build(parts, i);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HNSW_PHASE_WRITE);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, 0);
	for (uint32 i = 0; i < parts->part_count; i++)
		hnsw_part_link(parts, i);
	hnsw_write_meta(parts->index, parts->shape, parts->largest_norm, write_entries(parts));
	hnsw_write_log(parts->index);
	add_more_rows(parts);
	add_lost(parts);
	measure_and_insert(parts, trials, nearest);
	parts->nodes += HELD_OUT;
}
