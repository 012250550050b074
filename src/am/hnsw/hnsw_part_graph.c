/*
 * hnsw_part_graph.c
 *	  One part of a build in parts: its graph, its nodes on pages but without links, and the
 *	  lists of links for hnsw_part_link.c.
 *
 * Residents come first in every array; they become nodes here. Guests only take part in the
 * graph; their lists go to the part where they are residents.
 */
#include "am/hnsw/hnsw_parts.h"

#include "am/hnsw/hnsw_entries.h"
#include "commands/progress.h"
#include "graph/entries.h"
#include "math/group.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"

/* Points of a part, as arrays. */
typedef struct Members
{
	size_t		count;
	uint8	   *stored;
	float	   *error;
	ItemPointerData *row;
	uint32	   *point;			/* number in the table's order */
	uint32	   *home;
} Members;

/* A row of a node beyond its first. */
typedef struct MoreRow
{
	HxNode		member;
	ItemPointerData row;
} MoreRow;

static void *
allocate(size_t count, Size bytes)
{
	return palloc_extended(mul_size(Max(count, 1), bytes), MCXT_ALLOC_HUGE);
}

static Members
new_members(const HnswShape *shape, size_t count)
{
	return (Members) {
		.stored = allocate(count, shape->own_bytes),
		.error = allocate(count, sizeof(float)),
		.row = allocate(count, sizeof(ItemPointerData)),
		.point = allocate(count, sizeof(uint32)),
		.home = allocate(count, sizeof(uint32)),
	};
}

static void
copy_member(const HnswShape *shape, Members *members, size_t to, size_t from)
{
	if (to == from)
		return;
	memcpy(members->stored + to * shape->own_bytes, members->stored + from * shape->own_bytes,
		   shape->own_bytes);
	members->error[to] = members->error[from];
	members->row[to] = members->row[from];
	members->point[to] = members->point[from];
	members->home[to] = members->home[from];
}

/* Reads points behind the members there are. */
static void
load(const HnswParts *parts, HnswSpill *spill, Members *members)
{
	Size		bytes = parts->shape->own_bytes;
	HnswPartPoint *point = palloc(spill->bytes);

	hnsw_spill_rewind(spill);
	while (hnsw_spill_read(spill, point, 1) > 0)
	{
		size_t		at = members->count++;

		CHECK_FOR_INTERRUPTS();
		memcpy(members->stored + at * bytes, hnsw_part_point_stored(point), bytes);
		members->error[at] = point->error;
		members->row[at] = point->row;
		members->point[at] = point->point;
		members->home[at] = point->home;
	}
	hnsw_spill_end(spill);
	pfree(point);
}

/*
 * Members from `begin` on with equal vectors become one: the first, so that it is the same one
 * in each part that has them. The rows of the others go to `more` unless it is NULL; returns
 * how many.
 */
static size_t
collapse(const HnswParts *parts, Members *members, size_t begin, MoreRow *more)
{
	const HnswShape *shape = parts->shape;
	size_t		count = members->count - begin;
	uint8	   *stored = members->stored + begin * shape->own_bytes;
	uint32	   *order = allocate(count, sizeof(uint32));
	void	   *scratch = allocate(1, hx_group_scratch(count));
	uint32	   *first = allocate(count, sizeof(uint32));
	size_t		more_count = 0;

	hx_group_equal(stored, shape->own_bytes, count, order, scratch, parts->compute->check,
				   parts->compute->check_context);

	/* Of each member the first that is equal; then each first one's new place. */
	for (size_t i = 0; i < count; i++)
		first[order[i]] = i > 0 && memcmp(stored + order[i - 1] * shape->own_bytes,
										  stored + order[i] * shape->own_bytes,
										  shape->own_bytes) == 0 ? first[order[i - 1]] : order[i];
	members->count = begin;
	for (size_t i = 0; i < count; i++)
	{
		if (first[i] == i)
		{
			/* From here on the order is not needed: it tells the new places. */
			order[i] = members->count++;
			copy_member(shape, members, order[i], begin + i);
		}
		else if (more != NULL)
		{
			HxNode		member = order[first[i]];

			members->error[member] = Max(members->error[member], members->error[begin + i]);
			more[more_count++] = (MoreRow) {member, members->row[begin + i]};
		}
	}
	pfree(first);
	pfree(scratch);
	pfree(order);
	return more_count;
}

/* Keeps the lists: residents' in the order of their numbers, guests' where they are at home. */
static void
save_lists(HnswParts *parts, uint32 number, const Members *members, const HxNode *links,
		   const HxNode *order)
{
	HnswPart   *part = &parts->part[number];
	uint32		m = parts->shape->m;
	HnswPartList *list = palloc(part->lists.bytes);

	for (size_t i = 0; i < members->count; i++)
	{
		bool		resident = i < part->nodes;
		size_t		member = resident ? order[i] : i;

		CHECK_FOR_INTERRUPTS();
		list->point = members->point[member];
		for (uint32 l = 0; l < m; l++)
		{
			HxNode		link = links[member * m + l];

			list->links[l] = link == HX_NODE_NONE ? HX_NODE_NONE : members->point[link];
		}
		hnsw_spill_add(resident ? &part->lists : &parts->part[members->home[member]].guest_lists,
					   list);
	}
	pfree(list);
}

/* Writes the residents to pages, and keeps the rows beyond the first of each. */
static void
write_residents(HnswParts *parts, uint32 number, const Members *members, const HnswPoints *points,
				const HxNode *links, MoreRow *more, size_t more_count)
{
	HnswPart   *part = &parts->part[number];
	HxNode	   *node = allocate(part->nodes, sizeof(HxNode));
	HnswGraph	graph = {
		.points = points,
		.count = part->nodes,
		.links = links,
		.error = members->error,
		.row = members->row,
		.links_later = true,
	};
	HxNode	   *order = hnsw_order_points(&graph);

	part->first = hnsw_write_nodes(parts->index, parts->compute, &graph, order, node);
	for (size_t i = 0; i < part->nodes; i++)
		parts->number[members->point[i]] = node[i];
	for (size_t i = 0; i < more_count; i++)
	{
		size_t		member = more[i].member;

		hnsw_spill_add(&parts->more_rows, &(HnswPartRow) {
			.node = node[member],
			.error = members->error[member],
			.row = more[i].row,
		});
	}
	save_lists(parts, number, members, links, order);
}

/* Residents that a search of the part's graph does not find, written by now, will be entries. */
static void
keep_lost(HnswParts *parts, uint32 number, const HnswPoints *points, const HxPoints *graph_points,
		  const HxNode *links, const HxGraphOptions *options, const Members *members)
{
	size_t		drawn = hnsw_entries_wanted(parts->points.count) / parts->part_count + 1;
	size_t		most = Min(drawn * HNSW_MORE_ENTRIES, members->count);
	HxNode	   *entries = allocate(most, sizeof(HxNode));
	size_t		count;
	HnswQuery	query = {0};
	MemoryContext old;

	drawn = Min(drawn, most);
	count = hx_graph_entries(parts->compute, graph_points, links, options, entries, drawn, most);
	for (size_t i = drawn; i < count; i++)
	{
		if (entries[i] >= parts->part[number].nodes)
			continue;
		CHECK_FOR_INTERRUPTS();
		hnsw_query_stored(&query, parts->shape, hnsw_points_at(points, entries[i]));
		hnsw_query_prepare(&query, parts->centre, parts->largest_norm);
		old = MemoryContextSwitchTo(GetMemoryChunkContext(parts));
		parts->lost = lappend(parts->lost,
							  hnsw_entry_make(parts->shape, parts->centre,
											  parts->number[members->point[entries[i]]], &query));
		MemoryContextSwitchTo(old);
	}
}

void
hnsw_part_build(HnswParts *parts, uint32 number)
{
	const HnswShape *shape = parts->shape;
	HnswPart   *part = &parts->part[number];
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hnsw part",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	size_t		most = part->residents.count + part->guests.count;
	Members		members = new_members(shape, most);
	MoreRow    *more = allocate(part->residents.count, sizeof(MoreRow));
	HnswPoints	points = {.shape = shape,.stored = members.stored,
		.largest_norm = parts->largest_norm};
	HxGraphOptions options = {
		.m = shape->m,
		.ef_construction = hnsw_ef_construction(parts->index, shape),
		.seed = shape->seed,
	};
	HxPoints	graph_points;
	HxNode	   *links;
	size_t		more_count;

	load(parts, &part->residents, &members);
	more_count = collapse(parts, &members, 0, more);
	part->nodes = members.count;
	load(parts, &part->guests, &members);
	collapse(parts, &members, part->nodes, NULL);

	links = allocate(members.count, shape->m * sizeof(HxNode));
	graph_points = hnsw_points_for_graph(&points, members.count);
	hx_graph_build(parts->compute, &graph_points, &options, links, NULL, NULL);
	write_residents(parts, number, &members, &points, links, more, more_count);
	keep_lost(parts, number, &points, &graph_points, links, &options, &members);
	parts->nodes += part->nodes;
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, (int64) parts->nodes);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
