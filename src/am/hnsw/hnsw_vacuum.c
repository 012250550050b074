/*
 * hnsw_vacuum.c
 *	  ambulkdelete and amvacuumcleanup: remove dead rows, have the graph repaired around nodes
 *	  without rows, and free these.
 *
 * A page is looked at under a share lock and written only when something on it changes. README,
 * "Vacuum", tells why each pass may rely on the one before.
 */
#include "am/hnsw/hnsw.h"

#include "access/generic_xlog.h"
#include "am/common/vacuum.h"
#include "am/hnsw/hnsw_attach.h"
#include "am/hnsw/hnsw_measure.h"
#include "am/hnsw/hnsw_postings.h"
#include "am/hnsw/hnsw_repair.h"
#include "am/hnsw/hnsw_room.h"
#include "am/hnsw/hnsw_tail.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

typedef struct HnswVacuum
{
	IndexVacuumInfo *info;
	Relation	index;
	HnswShape	shape;
	IndexBulkDeleteCallback callback;	/* NULL: only count and clean up */
	void	   *callback_state;
	IndexBulkDeleteResult *stats;
	uint64		nodes;			/* alive */
	bool		has_empty_postings;
	HnswDead	dead;
	HxNode		any;			/* a live node, if there is one */
	char	   *copies;			/* of the nodes of one page */
	uint8	   *vectors;		/* and of their own vectors */
} HnswVacuum;

/* What is to be done about a page. */
typedef struct Findings
{
	bool		write;			/* something on it changes */
	bool		list;			/* it has room and stands in no list */
} Findings;

static Buffer
read_page(HnswVacuum *vacuum, BlockNumber blk)
{
	vacuum_delay_point(false);
	return ReadBufferExtended(vacuum->index, MAIN_FORKNUM, blk, RBM_NORMAL,
							  vacuum->info->strategy);
}

/* The head of a node in a locked nodes page, also of a free one; checked. */
static HnswNodeHead *
head_at(HnswVacuum *vacuum, Buffer buf, uint32 slot)
{
	HnswNodeHead *head = hnsw_node_head(&vacuum->shape, BufferGetPage(buf), slot);
	const char *problem = hnsw_node_problem(&vacuum->shape, head);

	if (problem != NULL)
		hx_page_report_damage(vacuum->index, BufferGetBlockNumber(buf), "%s", problem);
	return head;
}

static HnswPosting *
posting_at(HnswVacuum *vacuum, Buffer buf, uint32 slot)
{
	HnswPosting *posting = hnsw_posting_at(BufferGetPage(buf), slot);
	const char *problem = hnsw_posting_problem(posting);

	if (problem != NULL)
		hx_page_report_damage(vacuum->index, BufferGetBlockNumber(buf), "%s", problem);
	return posting;
}

static bool
is_listed(Buffer buf)
{
	return (hx_page_opaque(BufferGetPage(buf))->flags & HX_PAGE_LISTED) != 0;
}

static bool
is_dead_row(HnswVacuum *vacuum, ItemPointerData tid)
{
	return hx_vacuum_is_dead(vacuum->callback, vacuum->callback_state, tid);
}

static unsigned
count_dead_rows(HnswVacuum *vacuum, const ItemPointerData *rows, unsigned count)
{
	unsigned	dead = 0;

	for (unsigned i = 0; i < count; i++)
		dead += is_dead_row(vacuum, rows[i]);
	return dead;
}

/* Closes up the living rows; returns how many. */
static unsigned
remove_dead_rows(HnswVacuum *vacuum, ItemPointerData *rows, unsigned count)
{
	unsigned	kept = 0;

	for (unsigned i = 0; i < count; i++)
		if (!is_dead_row(vacuum, rows[i]))
			rows[kept++] = rows[i];
	return kept;
}

static void
count_rows(HnswVacuum *vacuum, unsigned rows, unsigned dead)
{
	vacuum->stats->num_index_tuples += rows - dead;
	vacuum->stats->tuples_removed += dead;
}

static bool
lacks_rows(const HnswNodeHead *head)
{
	return head->state == HNSW_NODE && head->rows == 0 && head->postings == HNSW_NO_POSTING;
}

/* Notes that a node is dead. */
static void
add_dead(HnswVacuum *vacuum, HxNode node)
{
	HnswDead   *dead = &vacuum->dead;
	uint64		at = (uint64) node - dead->first;

	if (node < dead->first)
		return;
	if (at >= dead->room)
	{
		dead->more = true;
		return;
	}
	dead->count += (dead->bits[at / 8] >> (at % 8) & 1) == 0;
	dead->bits[at / 8] |= 1 << (at % 8);
}

/* Pass 1 */

/* Looks at a nodes page, counting. */
static Findings
look_at_nodes(HnswVacuum *vacuum, Buffer buf)
{
	Findings	findings = {0};

	for (uint32 slot = 0; slot < vacuum->shape.nodes_per_page; slot++)
	{
		const HnswNodeHead *head = head_at(vacuum, buf, slot);
		HxNode		node = hnsw_node_number(&vacuum->shape, BufferGetBlockNumber(buf), slot);

		if (head->state == HNSW_FREE)
			findings.list = !is_listed(buf);
		else if (head->state == HNSW_DEAD)
			add_dead(vacuum, node);
		else
		{
			unsigned	dead = count_dead_rows(vacuum, head->row, head->rows);

			count_rows(vacuum, head->rows, dead);
			findings.write |= dead > 0 || lacks_rows(head);
			vacuum->nodes++;
		}
	}
	return findings;
}

static void
strip_nodes(HnswVacuum *vacuum, BlockNumber blk, Page page)
{
	for (uint32 slot = 0; slot < vacuum->shape.nodes_per_page; slot++)
	{
		HnswNodeHead *head = hnsw_node_head(&vacuum->shape, page, slot);

		if (head->state != HNSW_NODE)
			continue;
		head->rows = remove_dead_rows(vacuum, head->row, head->rows);
		if (lacks_rows(head))
		{
			head->state = HNSW_DEAD;
			add_dead(vacuum, hnsw_node_number(&vacuum->shape, blk, slot));
			vacuum->nodes--;
		}
	}
}

static Findings
look_at_postings(HnswVacuum *vacuum, Buffer buf)
{
	Findings	findings = {0};

	for (uint32 slot = 0; slot < HNSW_POSTINGS_PER_PAGE; slot++)
	{
		const HnswPosting *posting = posting_at(vacuum, buf, slot);

		if (posting->state == HNSW_FREE)
			findings.list = !is_listed(buf);
		else
		{
			unsigned	dead = count_dead_rows(vacuum, posting->row, posting->rows);

			count_rows(vacuum, posting->rows, dead);
			findings.write |= dead > 0;
			vacuum->has_empty_postings |= posting->rows == dead;
		}
	}
	return findings;
}

static void
strip_postings(HnswVacuum *vacuum, Page page)
{
	for (uint32 slot = 0; slot < HNSW_POSTINGS_PER_PAGE; slot++)
	{
		HnswPosting *posting = hnsw_posting_at(page, slot);

		if (posting->state == HNSW_POSTING)
			posting->rows = remove_dead_rows(vacuum, posting->row, posting->rows);
	}
}

/*
 * Registers the page with an open record, and puts it on the list of those with room; the
 * metapage's buffer is exclusively locked, or invalid when the page is not to be listed.
 */
static Page
register_page(GenericXLogState *record, Buffer meta_buf, Buffer buf)
{
	Page		page = GenericXLogRegisterBuffer(record, buf, 0);

	if (BufferIsValid(meta_buf) && !(hx_page_opaque(page)->flags & HX_PAGE_LISTED))
		hx_room_push(&hnsw_rooms[hx_page_opaque(page)->kind == HX_PAGE_NODES ?
								 HNSW_LIST_NODES : HNSW_LIST_POSTINGS],
					 GenericXLogRegisterBuffer(record, meta_buf, 0), page,
					 BufferGetBlockNumber(buf));
	return page;
}

/* Locks the metapage exclusively if the page that is locked next is to be put on a list. */
static Buffer
lock_meta(HnswVacuum *vacuum, bool needed)
{
	if (!needed)
		return InvalidBuffer;

	Buffer		meta_buf = ReadBuffer(vacuum->index, HX_METABLOCK);

	LockBuffer(meta_buf, BUFFER_LOCK_EXCLUSIVE);
	hnsw_check_kind(vacuum->index, meta_buf, HX_PAGE_META);
	return meta_buf;
}

static void
unlock_meta(Buffer meta_buf)
{
	if (BufferIsValid(meta_buf))
		UnlockReleaseBuffer(meta_buf);
}

/* Rewrites a page as the look at it found necessary; lists it if asked. */
static void
rewrite_page(HnswVacuum *vacuum, Buffer buf, bool list)
{
	Buffer		meta_buf = lock_meta(vacuum, list);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	GenericXLogState *record = GenericXLogStart(vacuum->index);
	Page		page = register_page(record, meta_buf, buf);

	if (hx_page_opaque(page)->kind == HX_PAGE_NODES)
		strip_nodes(vacuum, BufferGetBlockNumber(buf), page);
	else
		strip_postings(vacuum, page);
	GenericXLogFinish(record);
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);
	unlock_meta(meta_buf);
}

/* Takes the dead rows of a page away; returns the next block, before `end`. */
static BlockNumber
strip_page(HnswVacuum *vacuum, BlockNumber blk, BlockNumber end)
{
	Findings	findings = {0};
	Buffer		buf = read_page(vacuum, blk);
	BlockNumber next = blk + 1;

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	if (PageIsNew(BufferGetPage(buf)))
	{
		LockBuffer(buf, BUFFER_LOCK_UNLOCK);
		next = hnsw_room_adopt(vacuum->index, &vacuum->shape, buf, end);
	}
	else
	{
		HxPageKind	kind = hx_page_check(vacuum->index, buf, HX_PAGE_ID_HNSW);

		switch (kind)
		{
			case HX_PAGE_NODES:
				findings = look_at_nodes(vacuum, buf);
				break;
			case HX_PAGE_POSTINGS:
				findings = look_at_postings(vacuum, buf);
				break;
			case HX_PAGE_ENTRIES:
			case HX_PAGE_CENTRE:
				break;
			default:
				hx_page_report_damage(vacuum->index, blk,
									  "The page is of a kind that does not belong here.");
		}
		LockBuffer(buf, BUFFER_LOCK_UNLOCK);
		next = hnsw_next_block(&vacuum->shape, blk, kind);
	}
	if (findings.write || findings.list)
		rewrite_page(vacuum, buf, findings.list);
	ReleaseBuffer(buf);
	return next;
}

/*
 * Is it a nodes page? Of a locked buffer; others have been checked by pass 1. *next is the block
 * after it.
 */
static bool
is_nodes_page(HnswVacuum *vacuum, Buffer buf, BlockNumber *next)
{
	HxPageKind	kind = PageIsNew(BufferGetPage(buf)) ? 0 :
		hx_page_check(vacuum->index, buf, HX_PAGE_ID_HNSW);

	*next = hnsw_next_block(&vacuum->shape, BufferGetBlockNumber(buf), kind);
	return kind == HX_PAGE_NODES;
}

/*
 * Frees empty postings of a page's nodes; marks those nodes dead that are left without rows.
 * Returns the next block, as all that look at nodes do.
 */
static BlockNumber
prune_page(HnswVacuum *vacuum, BlockNumber blk)
{
	Buffer		buf = read_page(vacuum, blk);
	bool		has_postings[BLCKSZ / sizeof(HnswNodeHead)] = {0};
	bool		write = false;
	BlockNumber next;

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	for (uint32 slot = 0;
		 is_nodes_page(vacuum, buf, &next) && slot < vacuum->shape.nodes_per_page; slot++)
	{
		const HnswNodeHead *head = head_at(vacuum, buf, slot);

		has_postings[slot] = head->state == HNSW_NODE && head->postings != HNSW_NO_POSTING;
	}
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);

	for (uint32 slot = 0; slot < vacuum->shape.nodes_per_page; slot++)
		if (has_postings[slot])
			write |= hnsw_postings_prune(vacuum->index, &vacuum->shape,
										 hnsw_node_number(&vacuum->shape, blk, slot));
	if (write)
		rewrite_page(vacuum, buf, false);
	ReleaseBuffer(buf);
	return next;
}

/* Lists a postings page that has room now. */
static void
list_page(HnswVacuum *vacuum, BlockNumber blk)
{
	Buffer		buf = read_page(vacuum, blk);
	bool		list = false;

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	if (!PageIsNew(BufferGetPage(buf)) && !is_listed(buf) &&
		hx_page_check(vacuum->index, buf, HX_PAGE_ID_HNSW) == HX_PAGE_POSTINGS)
	{
		for (uint32 slot = 0; slot < HNSW_POSTINGS_PER_PAGE; slot++)
			list |= posting_at(vacuum, buf, slot)->state == HNSW_FREE;
	}
	LockBuffer(buf, BUFFER_LOCK_UNLOCK);
	if (list)
		rewrite_page(vacuum, buf, true);
	ReleaseBuffer(buf);
}

/* Frees empty postings, and lists their pages. */
static void
prune_postings(HnswVacuum *vacuum, BlockNumber blocks)
{
	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < blocks;)
		blk = prune_page(vacuum, blk);
	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < blocks; blk++)
		list_page(vacuum, blk);
}

/* Pass 2 */

static bool
links_to_dead(HnswVacuum *vacuum, HnswNodeHead *head)
{
	const HxLink *links = hnsw_node_links(&vacuum->shape, head);

	for (unsigned i = 0; i < head->links; i++)
		if (hnsw_dead_has(&vacuum->dead, links[i].node))
			return true;
	return false;
}

/* Repairs the nodes of a page that link to dead ones. */
static BlockNumber
repair_page(HnswVacuum *vacuum, HnswRepair *repair, BlockNumber blk)
{
	const HnswShape *shape = &vacuum->shape;
	HxNode		nodes[BLCKSZ / sizeof(HnswNodeHead)];
	unsigned	count = 0;
	Buffer		buf = read_page(vacuum, blk);
	BlockNumber next;

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	for (uint32 slot = 0; is_nodes_page(vacuum, buf, &next) && slot < shape->nodes_per_page; slot++)
	{
		HnswNodeHead *head = head_at(vacuum, buf, slot);

		if (head->state != HNSW_NODE)
			continue;
		vacuum->any = hnsw_node_number(shape, blk, slot);
		if (links_to_dead(vacuum, head))
		{
			memcpy(vacuum->copies + count * shape->node_bytes, head, shape->node_bytes);
			hnsw_own_copy(vacuum->index, shape, vacuum->any, head,
						  vacuum->vectors + count * shape->own_bytes);
			nodes[count++] = vacuum->any;
		}
	}
	UnlockReleaseBuffer(buf);
	for (unsigned i = 0; i < count; i++)
		hnsw_repair_node(repair, nodes[i],
						 (HnswNodeHead *) (vacuum->copies + i * shape->node_bytes),
						 vacuum->vectors + i * shape->own_bytes);
	return next;
}

/* Pass 3 */

/* Frees the dead nodes of a page; their bytes stay, but for the heads. */
static void
free_nodes(HnswVacuum *vacuum, BlockNumber blk)
{
	const HnswShape *shape = &vacuum->shape;
	Buffer		buf = read_page(vacuum, blk);
	Buffer		meta_buf = lock_meta(vacuum, true);

	LockBuffer(buf, BUFFER_LOCK_EXCLUSIVE);

	GenericXLogState *record = GenericXLogStart(vacuum->index);
	Page		page = register_page(record, meta_buf, buf);

	for (uint32 slot = 0; slot < shape->nodes_per_page; slot++)
	{
		HnswNodeHead *head = hnsw_node_head(shape, page, slot);

		if (hnsw_dead_has(&vacuum->dead, hnsw_node_number(shape, blk, slot)))
			*head = (HnswNodeHead) {.version = head->version + 1,.postings = HNSW_NO_POSTING};
	}
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buf);
	unlock_meta(meta_buf);
	vacuum->stats->pages_free++;
}

static bool
has_dead_nodes(HnswVacuum *vacuum, BlockNumber blk)
{
	for (uint32 slot = 0; slot < vacuum->shape.nodes_per_page; slot++)
		if (hnsw_dead_has(&vacuum->dead, hnsw_node_number(&vacuum->shape, blk, slot)))
			return true;
	return false;
}

/* Notes the dead nodes of a page that an earlier round had no memory for. */
static BlockNumber
collect_page(HnswVacuum *vacuum, BlockNumber blk)
{
	Buffer		buf = read_page(vacuum, blk);
	BlockNumber next;

	LockBuffer(buf, BUFFER_LOCK_SHARE);
	for (uint32 slot = 0;
		 is_nodes_page(vacuum, buf, &next) && slot < vacuum->shape.nodes_per_page; slot++)
		if (head_at(vacuum, buf, slot)->state == HNSW_DEAD)
			add_dead(vacuum, hnsw_node_number(&vacuum->shape, blk, slot));
	UnlockReleaseBuffer(buf);
	return next;
}

/* Has the graph repaired around the dead nodes known, and frees them. */
static void
free_dead(HnswVacuum *vacuum)
{
	const HnswShape *shape = &vacuum->shape;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hashidx_hnsw repair",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HnswRepair *repair = hnsw_repair_new(vacuum->index, &vacuum->dead);

	/* Pages that were added since the gate was closed link to no node that was dead then. */
	BlockNumber blocks = RelationGetNumberOfBlocks(vacuum->index);

	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < blocks;)
		blk = repair_page(vacuum, repair, blk);
	hnsw_repair_entries(repair, vacuum->nodes, vacuum->any);
	for (BlockNumber blk = hnsw_node_block(shape, vacuum->dead.first); blk < blocks; blk++)
		if (has_dead_nodes(vacuum, blk))
			free_nodes(vacuum, blk);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* A set of dead nodes as large as it needs to be and maintenance_work_mem lets it. */
static void
init_dead(HnswVacuum *vacuum, BlockNumber blocks)
{
	uint64		numbers = (uint64) blocks * vacuum->shape.nodes_per_page;

	vacuum->dead.room = Min(numbers, (uint64) maintenance_work_mem * 1024 * 8);
	vacuum->dead.bits = MemoryContextAllocExtended(CurrentMemoryContext,
												   vacuum->dead.room / 8 + 1,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Frees all dead nodes, in as many rounds as memory asks for; sees that all others are found. */
static void
free_all_dead(HnswVacuum *vacuum)
{
	HnswDead   *dead = &vacuum->dead;

	if (dead->count == 0 && !dead->more)
		return;

	/* The gate: inserts that met a node before it died have ended, and their links are seen. */
	LockPage(vacuum->index, HX_METABLOCK, ExclusiveLock);
	UnlockPage(vacuum->index, HX_METABLOCK, ExclusiveLock);

	for (;;)
	{
		if (dead->count > 0)
			free_dead(vacuum);
		if (!dead->more)
			break;

		BlockNumber blocks = RelationGetNumberOfBlocks(vacuum->index);

		dead->first += dead->room;
		dead->count = 0;
		dead->more = false;
		memset(dead->bits, 0, dead->room / 8 + 1);
		for (BlockNumber blk = hnsw_node_block(&vacuum->shape, dead->first); blk < blocks;)
			blk = collect_page(vacuum, blk);
	}
	hnsw_attach_lost(vacuum->index, vacuum->info->strategy);
}

/* Tells the metapage the counts. */
static void
write_counts(HnswVacuum *vacuum)
{
	const uint64 counts[] = {vacuum->nodes, (uint64) vacuum->stats->num_index_tuples};

	StaticAssertStmt(offsetof(HnswMetaPage, rows) == offsetof(HnswMetaPage, nodes) + sizeof(uint64),
					 "the counts lie side by side");
	hx_vacuum_write_counts(vacuum->index, HX_PAGE_ID_HNSW, offsetof(HnswMetaPage, nodes), counts,
						   lengthof(counts));
}

static IndexBulkDeleteResult *
run_vacuum(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
		   IndexBulkDeleteCallback callback, void *callback_state)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(info->index);
	HnswVacuum	vacuum = {
		.info = info,
		.index = info->index,
		.shape = hnsw_cache(info->index)->shape,
		.callback = callback,
		.callback_state = callback_state,
		.any = HX_NODE_NONE,
	};

	vacuum.stats = hx_vacuum_begin(stats);
	vacuum.stats->num_pages = blocks;
	if (vacuum.shape.dims == 0)
		return vacuum.stats;

	vacuum.copies = palloc((Size) vacuum.shape.nodes_per_page * vacuum.shape.node_bytes);
	vacuum.vectors = palloc((Size) vacuum.shape.nodes_per_page * vacuum.shape.own_bytes);
	init_dead(&vacuum, blocks);
	for (BlockNumber blk = HNSW_FIRST_BLOCK; blk < blocks;)
		blk = strip_page(&vacuum, blk, blocks);
	if (vacuum.has_empty_postings)
		prune_postings(&vacuum, blocks);
	free_all_dead(&vacuum);
	write_counts(&vacuum);
	pfree(vacuum.dead.bits);
	pfree(vacuum.vectors);
	pfree(vacuum.copies);
	return vacuum.stats;
}

IndexBulkDeleteResult *
hnsw_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
				IndexBulkDeleteCallback callback, void *state)
{
	return run_vacuum(info, stats, callback, state);
}

IndexBulkDeleteResult *
hnsw_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (info->analyze_only)
		return stats;
	if (stats == NULL)
		stats = run_vacuum(info, NULL, NULL, NULL);
	hnsw_measure_changed(info, (uint64) stats->tuples_removed);
	return stats;
}
