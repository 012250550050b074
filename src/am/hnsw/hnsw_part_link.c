/*
 * hnsw_part_link.c
 *	  The links of a part's nodes: each node chooses among those of its two graphs.
 *
 * Nodes are taken in runs. All vectors that a run's nodes might link to are read from the index's
 * own pages, each page once a run. Then the team chooses the links, and the backend copies them
 * to the nodes' pages.
 */
#include "am/hnsw/hnsw_parts.h"
#include "am/hnsw/hnsw_tail.h"

#include "commands/progress.h"
#include "graph/crew.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"

/* Vectors of a run take about this much memory. */
#define RUN_BYTES ((Size) 16 << 20)
#define LEAST_RUN 4

/* Candidates for the links of a node: both its lists. */
#define MOST_CANDIDATES (2 * HX_GRAPH_MAX_LINKS)

/* What a worker uses alone. */
typedef struct Worker
{
	void	   *scratch;		/* of the points: what distances are asked from */
	HxNode		opened;
	HxCandidate candidates[MOST_CANDIDATES];
	HnswQuery	node;
	HnswQuery	neighbour;
	float	   *x;
} Worker;

typedef struct Linking
{
	HnswParts  *parts;
	const HnswPart *part;
	size_t		run_nodes;		/* nodes of a run at most */

	/* The lists of guests, by place of the node within the part; points, m of each. */
	uint32	   *guest_lists;
	uint32	   *lists;			/* of the run's nodes */

	/* The run. */
	size_t		first;			/* place of its first node within the part */
	size_t		count;
	HxNode	   *numbers;		/* the run's nodes and what they might link to, ascending */
	size_t		number_count;
	uint8	   *stored;			/* vectors of them */
	HnswPoints	points;
	HxPoints	graph_points;
	char	   *image;			/* of each node what follows its own vector: links, codes */
	Size		image_bytes;
	uint8	   *used;			/* links of each */
	Worker	   *workers;
} Linking;

/* Number of a node of the run. */
static HxNode
number_of(const Linking *linking, size_t item)
{
	return hnsw_node_after(linking->parts->shape, linking->part->first, linking->first + item);
}

static int
compare_nodes(const void *a, const void *b)
{
	HxNode		x = *(const HxNode *) a;
	HxNode		y = *(const HxNode *) b;

	return (x > y) - (x < y);
}

/* Where a node's vector stands among those of the run. */
static HxNode
place_of(const Linking *linking, HxNode number)
{
	const HxNode *found = bsearch(&number, linking->numbers, linking->number_count,
								  sizeof(HxNode), compare_nodes);

	return (HxNode) (found - linking->numbers);
}

/* The lists that nodes of this part have elsewhere. */
static void
load_guest_lists(Linking *linking, HnswSpill *spill)
{
	HnswParts  *parts = linking->parts;
	uint32		m = parts->shape->m;
	HnswPartList *list = palloc(spill->bytes);

	hnsw_spill_rewind(spill);
	while (hnsw_spill_read(spill, list, 1) > 0)
	{
		HxNode		number = parts->number[list->point];

		CHECK_FOR_INTERRUPTS();

		/* The parts may disagree on which of some equal points is the node. */
		if (number != HX_NODE_NONE)
			memcpy(linking->guest_lists +
				   hnsw_node_place(parts->shape, linking->part->first, number) * m,
				   list->links, m * sizeof(uint32));
	}
	hnsw_spill_end(spill);
	pfree(list);
}

/* Appends the nodes of a list. */
static void
want(Linking *linking, const uint32 *list)
{
	for (uint32 i = 0; i < linking->parts->shape->m && list[i] != HX_NODE_NONE; i++)
	{
		HxNode		number = linking->parts->number[list[i]];

		if (number != HX_NODE_NONE)
			linking->numbers[linking->number_count++] = number;
	}
}

static const uint32 *
guest_list(const Linking *linking, size_t item)
{
	return linking->guest_lists + (linking->first + item) * linking->parts->shape->m;
}

/* What the run needs, ascending and each once. */
static void
collect_numbers(Linking *linking)
{
	uint32		m = linking->parts->shape->m;
	size_t		kept = 0;

	linking->number_count = 0;
	for (size_t i = 0; i < linking->count; i++)
	{
		linking->numbers[linking->number_count++] = number_of(linking, i);
		want(linking, linking->lists + i * m);
		want(linking, guest_list(linking, i));
	}
	qsort(linking->numbers, linking->number_count, sizeof(HxNode), compare_nodes);
	for (size_t i = 0; i < linking->number_count; i++)
		if (i == 0 || linking->numbers[i] != linking->numbers[kept - 1])
			linking->numbers[kept++] = linking->numbers[i];
	linking->number_count = kept;
}

/* Reads the vectors of the run from the index. */
static void
read_vectors(Linking *linking)
{
	Relation	index = linking->parts->index;
	const HnswShape *shape = linking->parts->shape;
	Buffer		buf = InvalidBuffer;

	for (size_t i = 0; i < linking->number_count; i++)
	{
		HxNode		number = linking->numbers[i];
		BlockNumber blk = hnsw_node_block(shape, number);

		if (!BufferIsValid(buf) || BufferGetBlockNumber(buf) != blk)
		{
			if (BufferIsValid(buf))
				UnlockReleaseBuffer(buf);
			CHECK_FOR_INTERRUPTS();
			buf = ReadBuffer(index, blk);
			LockBuffer(buf, BUFFER_LOCK_SHARE);
		}
		hnsw_own_copy(index, shape, number,
					  hnsw_node_head(shape, BufferGetPage(buf), hnsw_node_slot(shape, number)),
					  linking->stored + i * shape->own_bytes);
	}
	if (BufferIsValid(buf))
		UnlockReleaseBuffer(buf);
}

static void
open_point(const Linking *linking, Worker *worker, HxNode place)
{
	if (worker->opened == place)
		return;
	linking->graph_points.open(linking->graph_points.context, worker->scratch, place);
	worker->opened = place;
}

/* What HxPairDistance needs: the worker's candidates are places. */
typedef struct Choosing
{
	const Linking *linking;
	Worker	   *worker;
} Choosing;

static float
pair_distance(void *context, unsigned a, unsigned b)
{
	const Choosing *choosing = context;
	const HxPoints *points = &choosing->linking->graph_points;
	float		distance;

	open_point(choosing->linking, choosing->worker, choosing->worker->candidates[a].node);
	points->distances(points->context, choosing->worker->scratch,
					  &choosing->worker->candidates[b].node, 1, &distance);
	return distance;
}

/* Puts the nodes of a list among the candidates, in order of distance, each once. */
static unsigned
add_candidates(const Linking *linking, Worker *worker, unsigned count, HxNode self,
			   const uint32 *list)
{
	const HxPoints *points = &linking->graph_points;

	for (uint32 i = 0; i < linking->parts->shape->m && list[i] != HX_NODE_NONE; i++)
	{
		HxNode		number = linking->parts->number[list[i]];
		HxCandidate candidate;
		unsigned	at = count;
		bool		known = false;

		if (number == HX_NODE_NONE || number == self)
			continue;
		candidate.node = place_of(linking, number);
		for (unsigned j = 0; j < count; j++)
			known |= worker->candidates[j].node == candidate.node;
		if (known)
			continue;
		points->distances(points->context, worker->scratch, &candidate.node, 1,
						  &candidate.distance);
		for (; at > 0 && worker->candidates[at - 1].distance > candidate.distance; at--)
			worker->candidates[at] = worker->candidates[at - 1];
		worker->candidates[at] = candidate;
		count++;
	}
	return count;
}

/* Makes the vector of a place ready for codes. */
static void
make_ready(const Linking *linking, Worker *worker, HnswQuery *query, HxNode place)
{
	const HnswShape *shape = linking->parts->shape;

	query->bits = hnsw_points_at(&linking->points, place);
	if (shape->metric == HNSW_HAMMING)
		return;
	hnsw_decode(shape, query->bits, worker->x);
	hnsw_centred(shape, linking->parts->centre, worker->x, query->y);
}

/* HxCrewWork over the nodes of the run: chooses the links of one and makes their codes. */
static void
link_node(void *context, unsigned number, size_t item)
{
	const Linking *linking = context;
	const HnswShape *shape = linking->parts->shape;
	Worker	   *worker = &linking->workers[number];
	Choosing	choosing = {linking, worker};
	HxChoice	choice = {
		.candidates = worker->candidates,
		.offset = linking->graph_points.offset,
		.pair = pair_distance,
		.context = &choosing,
	};
	HxLink	   *links = (HxLink *) (linking->image + item * linking->image_bytes);
	uint8	   *codes = (uint8 *) (links + shape->m);
	HxNode		self = number_of(linking, item);
	HxNode		place = place_of(linking, self);
	unsigned	chosen[HX_GRAPH_MAX_LINKS];
	unsigned	count;

	worker->opened = HX_NODE_NONE;
	open_point(linking, worker, place);
	count = add_candidates(linking, worker, 0, self, linking->lists + item * shape->m);
	choice.count = add_candidates(linking, worker, count, self, guest_list(linking, item));
	count = hx_graph_select(&choice, shape->m, chosen);

	make_ready(linking, worker, &worker->node, place);
	for (unsigned i = 0; i < count; i++)
	{
		HxNode		other = worker->candidates[chosen[i]].node;

		make_ready(linking, worker, &worker->neighbour, other);
		links[i].node = linking->numbers[other];
		hnsw_link_make(shape, linking->parts->centre, &worker->node, &worker->neighbour, &links[i],
					   codes + i * shape->code_bytes);
	}
	linking->used[item] = count;
}

/* Copies links and codes of the run to the nodes' pages. */
static void
write_links(const Linking *linking)
{
	const HnswShape *shape = linking->parts->shape;

	for (size_t i = 0; i < linking->count; i++)
	{
		HxNode		number = number_of(linking, i);
		Buffer		buf = ReadBuffer(linking->parts->index, hnsw_node_block(shape, number));

		LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

		HnswNodeHead *head = hnsw_node_head(shape, BufferGetPage(buf),
											hnsw_node_slot(shape, number));

		head->links = linking->used[i];
		memcpy((char *) head + shape->links_offset, linking->image + i * linking->image_bytes,
			   linking->image_bytes);
		MarkBufferDirty(buf);
		UnlockReleaseBuffer(buf);
	}
}

static void
start_workers(Linking *linking)
{
	const HnswShape *shape = linking->parts->shape;
	HxCompute  *compute = linking->parts->compute;
	int			count = hx_team_threads();

	linking->workers = hx_scratch(compute, count, sizeof(Worker));
	for (int i = 0; i < count; i++)
	{
		linking->workers[i] = (Worker) {
			.scratch = hx_scratch(compute, 1, linking->graph_points.scratch_bytes),
			.node.y = hx_scratch(compute, shape->link.dims, sizeof(float)),
			.neighbour.y = hx_scratch(compute, shape->link.dims, sizeof(float)),
			.x = hx_scratch(compute, shape->own_dims, sizeof(float)),
		};
	}
}

/* Takes memory for runs. */
static void
start_runs(Linking *linking)
{
	const HnswShape *shape = linking->parts->shape;
	Size		node_vectors = (2 * shape->m + 1) * (Size) shape->own_bytes;
	size_t		most;

	linking->run_nodes = Max(RUN_BYTES / node_vectors, LEAST_RUN);
	most = linking->run_nodes * (2 * shape->m + 1);
	linking->image_bytes = shape->m * (sizeof(HxLink) + shape->code_bytes);
	linking->lists = palloc(linking->run_nodes * shape->m * sizeof(uint32));
	linking->numbers = palloc(most * sizeof(HxNode));
	linking->stored = palloc_extended(mul_size(most, shape->own_bytes), MCXT_ALLOC_HUGE);
	linking->image = palloc_extended(mul_size(linking->run_nodes, linking->image_bytes),
									 MCXT_ALLOC_HUGE);
	linking->used = palloc(linking->run_nodes);
	linking->points = (HnswPoints) {
		.shape = shape,
		.stored = linking->stored,
		.largest_norm = linking->parts->largest_norm,
	};
	linking->graph_points = hnsw_points_for_graph(&linking->points, most);
}

/* Reads the lists of the next run; false when there is none. */
static bool
next_run(Linking *linking, HnswSpill *spill, HnswPartList *list)
{
	uint32		m = linking->parts->shape->m;

	linking->first += linking->count;
	linking->count = 0;
	while (linking->count < linking->run_nodes && hnsw_spill_read(spill, list, 1) > 0)
		memcpy(linking->lists + linking->count++ * m, list->links, m * sizeof(uint32));
	return linking->count > 0;
}

void
hnsw_part_link(HnswParts *parts, uint32 number)
{
	HnswPart   *part = &parts->part[number];
	HxScratchMark mark = hx_scratch_mark(parts->compute);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hnsw part",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Size		guest_bytes = mul_size(Max(part->nodes, 1), parts->shape->m * sizeof(uint32));
	HnswPartList *list = palloc(part->lists.bytes);
	Linking		linking = {.parts = parts,.part = part};

	linking.guest_lists = palloc_extended(guest_bytes, MCXT_ALLOC_HUGE);
	memset(linking.guest_lists, 0xff, guest_bytes);
	load_guest_lists(&linking, &part->guest_lists);
	start_runs(&linking);
	start_workers(&linking);
	hnsw_spill_rewind(&part->lists);
	while (next_run(&linking, &part->lists, list))
	{
		collect_numbers(&linking);
		read_vectors(&linking);
		memset(linking.image, 0, linking.count * linking.image_bytes);
		hx_crew_run(parts->compute, link_node, &linking, linking.count, NULL, NULL);
		write_links(&linking);
		parts->linked += linking.count;
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, (int64) parts->linked);
	}
	hnsw_spill_end(&part->lists);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	hx_scratch_release(parts->compute, mark);
}
