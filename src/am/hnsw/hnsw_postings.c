/*
 * hnsw_postings.c
 *	  The rows of a node: reading them, adding one, removing empty postings.
 *
 * README, "Equal vectors", tells how readers, inserts and vacuum get along. An insert writes only
 * to the head of a chain, under the lock of the node's page; only vacuum takes postings out.
 */
#include "am/hnsw/hnsw_postings.h"

#include "access/generic_xlog.h"
#include "am/hnsw/hnsw_room.h"
#include "miscadmin.h"

/* Restarts of a reading after which its chain must be broken, for vacuum is not that fast. */
#define MANY_RESTARTS 1000

static uint32
slot_of(uint32 posting)
{
	return posting % HNSW_POSTINGS_PER_PAGE;
}

static BlockNumber
block_of(uint32 posting)
{
	return posting / HNSW_POSTINGS_PER_PAGE;
}

/*
 * The posting of that number in its page, exclusively or share locked as `mode` says: the buffer
 * comes back in *buf. Damage when there cannot be such a posting, or it is not sound.
 */
static HnswPosting *
lock_posting(Relation index, uint32 posting, int mode, Buffer *buf)
{
	BlockNumber blk = block_of(posting);

	if (blk < HNSW_FIRST_BLOCK || blk >= RelationGetNumberOfBlocks(index))
		hx_page_report_damage(index, blk, "A node's rows are said to be here, beyond the index.");
	*buf = ReadBuffer(index, blk);
	LockBuffer(*buf, mode);
	hnsw_check_kind(index, *buf, HX_PAGE_POSTINGS);

	HnswPosting *found = hnsw_posting_at(BufferGetPage(*buf), slot_of(posting));
	const char *problem = hnsw_posting_problem(found);

	if (problem != NULL)
		hx_page_report_damage(index, blk, "%s", problem);
	return found;
}

/*
 * The same while the page of the node is locked. A damaged number that leads back to that page must
 * not have us wait for ourselves.
 */
static HnswPosting *
lock_posting_of(Relation index, Buffer node_buf, uint32 posting, int mode, Buffer *buf)
{
	if (block_of(posting) == BufferGetBlockNumber(node_buf))
		hx_page_report_damage(index, block_of(posting),
							  "A node's rows are said to be in postings here, where nodes are.");
	return lock_posting(index, posting, mode, buf);
}

static bool
belongs_to(const HnswPosting *posting, HxNode node, uint32 version)
{
	return posting->state == HNSW_POSTING && posting->node == node && posting->version == version;
}

/* Goes back to the head of the chain; false when the node is another now. */
static bool
restart(Relation index, const HnswShape *shape, HnswPostingsReader *reader)
{
	Buffer		buf = ReadBuffer(index, hnsw_node_block(shape, reader->node));

	LockBuffer(buf, BUFFER_LOCK_SHARE);

	const HnswNodeHead *head = hnsw_read_node(index, shape, buf, reader->node);
	bool		is_same = head != NULL && head->version == reader->version;

	reader->next = is_same ? head->postings : HNSW_NO_POSTING;
	UnlockReleaseBuffer(buf);
	return is_same;
}

bool
hnsw_postings_read(Relation index, const HnswShape *shape, HnswPostingsReader *reader,
				   ItemPointerData *rows, unsigned *count)
{
	uint32		passed = PG_UINT32_MAX;	/* order of the posting passed last since the start */
	int			restarts = 0;

	while (reader->next != HNSW_NO_POSTING)
	{
		Buffer		buf;

		CHECK_FOR_INTERRUPTS();

		const HnswPosting *posting = lock_posting(index, reader->next, BUFFER_LOCK_SHARE,
													   &buf);

		/* Only forward: whatever the page says, this ends. */
		if (!belongs_to(posting, reader->node, reader->version) || posting->order >= passed)
		{
			UnlockReleaseBuffer(buf);
			passed = PG_UINT32_MAX;
			if (++restarts > MANY_RESTARTS)
				hx_page_report_damage(index, block_of(reader->next),
									  "A chain of postings leads to one that is not of its node.");
			if (!restart(index, shape, reader))
				break;
			continue;
		}
		passed = posting->order;
		reader->next = posting->next;
		if (posting->order < reader->order)
		{
			reader->order = posting->order;
			*count = posting->rows;
			memcpy(rows, posting->row, posting->rows * sizeof(ItemPointerData));
			UnlockReleaseBuffer(buf);
			return true;
		}
		UnlockReleaseBuffer(buf);
	}
	return false;
}

/* The image of a posting in a record that is open. */
static HnswPosting *
register_posting(GenericXLogState *record, Buffer buf, uint32 posting)
{
	return hnsw_posting_at(GenericXLogRegisterBuffer(record, buf, 0), slot_of(posting));
}

static HnswNodeHead *
register_node(GenericXLogState *record, const HnswShape *shape, Buffer buf, HxNode node)
{
	return hnsw_node_head(shape, GenericXLogRegisterBuffer(record, buf, 0),
						  hnsw_node_slot(shape, node));
}

/* A row to be added, and the node, whose page is exclusively locked. */
typedef struct RowInsert
{
	Relation	index;
	HnswCache  *cache;
	HxNode		node;
	Buffer		buf;
	const HnswNodeHead *head;	/* in the buffer */
	ItemPointerData tid;
	float		error;
} RowInsert;

/* Puts the row into the node's record, which has room. */
static void
add_inline(const RowInsert *insert)
{
	GenericXLogState *record = GenericXLogStart(insert->index);
	HnswNodeHead *head = register_node(record, &insert->cache->shape, insert->buf, insert->node);

	head->row[head->rows++] = insert->tid;
	head->error = Max(head->error, insert->error);
	GenericXLogFinish(record);
}

/* Puts the row into the first posting of the node; false when that is full. */
static bool
add_to_first(const RowInsert *insert)
{
	Buffer		buf;
	uint32		first = insert->head->postings;

	if (first == HNSW_NO_POSTING)
		return false;

	HnswPosting *posting = lock_posting_of(insert->index, insert->buf, first,
											   BUFFER_LOCK_EXCLUSIVE, &buf);

	if (!belongs_to(posting, insert->node, insert->head->version))
		hx_page_report_damage(insert->index, block_of(first),
							  "A chain of postings leads to one that is not of its node.");

	bool		has_room = posting->rows < HNSW_POSTING_ROWS;

	if (has_room)
	{
		GenericXLogState *record = GenericXLogStart(insert->index);

		posting = register_posting(record, buf, first);
		posting->row[posting->rows++] = insert->tid;
		if (insert->error > insert->head->error)
			register_node(record, &insert->cache->shape, insert->buf, insert->node)->error =
				insert->error;
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
	return has_room;
}

/* The first free slot of a postings page in a locked buffer, or HNSW_POSTINGS_PER_PAGE. */
static uint32
free_slot(Relation index, Buffer buf)
{
	uint32		slot = 0;

	for (; slot < HNSW_POSTINGS_PER_PAGE; slot++)
	{
		const HnswPosting *posting = hnsw_posting_at(BufferGetPage(buf), slot);
		const char *problem = hnsw_posting_problem(posting);

		if (problem != NULL)
			hx_page_report_damage(index, BufferGetBlockNumber(buf), "%s", problem);
		if (posting->state == HNSW_FREE)
			break;
	}
	return slot;
}

/* The order of a new first posting of the chain. */
static uint32
next_order(const RowInsert *insert)
{
	Buffer		buf;

	if (insert->head->postings == HNSW_NO_POSTING)
		return 0;

	uint32		order = lock_posting_of(insert->index, insert->buf, insert->head->postings,
										BUFFER_LOCK_SHARE, &buf)->order + 1;

	UnlockReleaseBuffer(buf);
	return order;
}

/* Puts a new posting with the row before the others, in this page; false when it is full. */
static bool
add_new_first(const RowInsert *insert, BlockNumber blk)
{
	uint32		order = next_order(insert);

	if (blk == BufferGetBlockNumber(insert->buf))
		hx_page_report_damage(insert->index, (BlockNumber) HX_METABLOCK,
							  "The list of postings pages leads to a nodes page, block %u.", blk);

	Buffer		buf = hx_room_lock(insert->index, &hnsw_rooms[HNSW_LIST_POSTINGS], blk);
	uint32		slot = free_slot(insert->index, buf);
	bool		has_room = slot < HNSW_POSTINGS_PER_PAGE;

	if (has_room)
	{
		GenericXLogState *record = GenericXLogStart(insert->index);
		HnswNodeHead *head = register_node(record, &insert->cache->shape, insert->buf,
										   insert->node);
		Page		page = GenericXLogRegisterBuffer(record, buf, 0);
		HnswPosting *posting = hnsw_posting_at(page, slot);

		hnsw_page_reach(page, (slot + 1) * HNSW_POSTING_BYTES);
		*posting = (HnswPosting) {
			.state = HNSW_POSTING,
			.rows = 1,
			.next = head->postings,
			.node = insert->node,
			.version = head->version,
			.order = order,
		};
		posting->row[0] = insert->tid;
		head->postings = blk * HNSW_POSTINGS_PER_PAGE + slot;
		head->error = Max(head->error, insert->error);
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buf);
	return has_room;
}

/* Adds the row where there is room; false when the postings page remembered is full. */
static bool
add_row(const RowInsert *insert)
{
	BlockNumber blk = insert->cache->room[HNSW_LIST_POSTINGS];

	if (insert->head->rows < HNSW_INLINE_ROWS)
	{
		add_inline(insert);
		return true;
	}
	return add_to_first(insert) || (blk != InvalidBlockNumber && add_new_first(insert, blk));
}

bool
hnsw_rows_add(Relation index, HnswCache *cache, HxNode node, uint32 version, ItemPointer tid,
			  float error)
{
	const HnswShape *shape = &cache->shape;
	RowInsert	insert = {
		.index = index,
		.cache = cache,
		.node = node,
		.tid = *tid,
		.error = error,
	};

	for (;;)
	{
		bool		is_same;
		bool		added = false;

		insert.buf = ReadBuffer(index, hnsw_node_block(shape, node));
		LockBuffer(insert.buf, BUFFER_LOCK_EXCLUSIVE);
		insert.head = hnsw_read_node(index, shape, insert.buf, node);
		is_same = insert.head != NULL && insert.head->state == HNSW_NODE &&
			insert.head->version == version;
		if (is_same)
			added = add_row(&insert);
		UnlockReleaseBuffer(insert.buf);
		if (added || !is_same)
			return added;
		hx_room_advance(index, &hnsw_rooms[HNSW_LIST_POSTINGS], &cache->room[HNSW_LIST_POSTINGS]);
	}
}

/*
 * Takes an empty posting out of the chain and frees it; `before` is the posting that leads to
 * it, HNSW_NO_POSTING when it is the first. False when an insert has put one before it, or a
 * row into it.
 */
static bool
take_out(Relation index, const HnswShape *shape, HxNode node, uint32 before, uint32 posting)
{
	Buffer		node_buf = ReadBuffer(index, hnsw_node_block(shape, node));
	Buffer		before_buf = InvalidBuffer;
	Buffer		buf;

	/* Inserts are kept away by the node's lock, so that two postings pages may be locked. */
	LockBuffer(node_buf, BUFFER_LOCK_EXCLUSIVE);

	const HnswNodeHead *head = hnsw_read_node(index, shape, node_buf, node);
	bool		done = head != NULL && (before != HNSW_NO_POSTING || head->postings == posting);

	if (done && before != HNSW_NO_POSTING && block_of(before) != block_of(posting))
		lock_posting_of(index, node_buf, before, BUFFER_LOCK_EXCLUSIVE, &before_buf);
	if (done)
	{
		const HnswPosting *empty = lock_posting_of(index, node_buf, posting,
												   BUFFER_LOCK_EXCLUSIVE, &buf);

		done = empty->rows == 0 && belongs_to(empty, node, head->version);
		if (done)
		{
			GenericXLogState *record = GenericXLogStart(index);
			HnswPosting *freed = register_posting(record, buf, posting);

			if (before == HNSW_NO_POSTING)
				register_node(record, shape, node_buf, node)->postings = freed->next;
			else if (BufferIsValid(before_buf))
				register_posting(record, before_buf, before)->next = freed->next;
			else
				register_posting(record, buf, before)->next = freed->next;
			freed->state = HNSW_FREE;
			GenericXLogFinish(record);
		}
		UnlockReleaseBuffer(buf);
	}
	if (BufferIsValid(before_buf))
		UnlockReleaseBuffer(before_buf);
	UnlockReleaseBuffer(node_buf);
	return done;
}

bool
hnsw_postings_prune(Relation index, const HnswShape *shape, HxNode node)
{
	HnswPostingsReader reader = {.node = node};
	Buffer		buf = ReadBuffer(index, hnsw_node_block(shape, node));
	uint32		before = HNSW_NO_POSTING;
	uint32		order = PG_UINT32_MAX;

	LockBuffer(buf, BUFFER_LOCK_SHARE);

	const HnswNodeHead *head = hnsw_read_node(index, shape, buf, node);

	if (head != NULL)
		hnsw_postings_begin(&reader, node, head);
	else
		reader.next = HNSW_NO_POSTING;
	UnlockReleaseBuffer(buf);

	while (reader.next != HNSW_NO_POSTING)
	{
		uint32		at = reader.next;

		CHECK_FOR_INTERRUPTS();

		const HnswPosting *posting = lock_posting(index, at, BUFFER_LOCK_SHARE, &buf);
		bool		is_empty = posting->rows == 0;

		if (!belongs_to(posting, node, reader.version) || posting->order >= order)
			hx_page_report_damage(index, block_of(at),
								  "A chain of postings leads to one that is not of its node.");
		order = posting->order;
		reader.next = posting->next;
		UnlockReleaseBuffer(buf);

		/* If an insert was faster, the posting stays until the next vacuum. */
		if (!is_empty || !take_out(index, shape, node, before, at))
			before = at;
	}
	return before == HNSW_NO_POSTING;
}
