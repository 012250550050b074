/*
 * lsh_tree.c
 *	  The directory of hashidx_lsh; see lsh_tree.h and, for formats and locks, README.
 *
 * A B-link tree (Lehman and Yao 1981) over the keys. Readers hold one page at a time
 * and move right where a page was split behind their backs. Splits go down from the
 * root with exclusive locks, parent and child, and split full directory pages on their
 * way: so each split is one record, and the parent of a page has always room.
 */
#include "am/lsh/lsh_tree.h"

#include "access/generic_xlog.h"
#include "storage/smgr.h"

/* Is there such a block? An index never shrinks, so what was seen of its end is still there. */
static bool
block_exists(Relation index, BlockNumber blk)
{
	BlockNumber seen = RelationGetSmgr(index)->smgr_cached_nblocks[MAIN_FORKNUM];

	return (seen != InvalidBlockNumber && blk < seen) || blk < RelationGetNumberOfBlocks(index);
}

/* Reads a page that a link leads to; what is linked to has that kind for as long as the link. */
static Buffer
read_linked(Relation index, BlockNumber blk, HxPageKind kind)
{
	if (blk == HX_METABLOCK || !block_exists(index, blk))
		hx_page_report_damage(index, (BlockNumber) LSH_ROOT, "A page links to block %u.", blk);

	Buffer		buf = ReadBuffer(index, blk);

	/*
	 * Before it is locked: a damaged link may lead to a page that we have locked ourselves, or
	 * back in the order of locks. Among pages of the right kind it cannot.
	 */
	if (hx_page_check(index, buf, HX_PAGE_ID_LSH) != kind)
		hx_page_report_damage(index, blk, "The page is of another kind than the one linked to.");
	return buf;
}

/* Locks a page whose kind is right, and checks what is on it. */
static void
lock_linked(Relation index, int row_bytes, Buffer buf, int mode)
{
	LockBuffer(buf, mode);

	const char *problem = lsh_page_problem(BufferGetPage(buf), row_bytes);

	if (problem != NULL)
		hx_page_report_damage(index, BufferGetBlockNumber(buf), "%s", problem);
}

Buffer
lsh_lock_page(Relation index, int row_bytes, BlockNumber blk, HxPageKind kind, int mode)
{
	Buffer		buf = read_linked(index, blk, kind);

	lock_linked(index, row_bytes, buf, mode);
	return buf;
}

static void
report_directory(Relation index, Buffer buf)
{
	hx_page_report_damage(index, BufferGetBlockNumber(buf),
						  "The entries of the directory contradict each other.");
}

/* The lowest and the highest key that belong on a directory or bucket page. */
static uint32
low_key(Page page)
{
	return hx_page_opaque(page)->kind == HX_PAGE_DIRECTORY ?
		lsh_directory(page)->low : lsh_buckets(page)->low;
}

static uint32
high_key(Page page)
{
	return hx_page_opaque(page)->kind == HX_PAGE_DIRECTORY ?
		lsh_directory(page)->high : lsh_buckets(page)->high;
}

/*
 * Locks a page, and instead the right sibling for as long as the key is beyond the page. Each
 * begins where the one before ends, so this has an end itself.
 */
static Buffer
lock_and_move_right(Relation index, int row_bytes, BlockNumber blk, HxPageKind kind, int mode,
					uint32 key)
{
	Buffer		buf = lsh_lock_page(index, row_bytes, blk, kind, mode);

	for (;;)
	{
		Page		page = BufferGetPage(buf);
		uint32		high = high_key(page);

		if (key < low_key(page))
			report_directory(index, buf);
		if (key <= high)
			return buf;
		blk = hx_page_opaque(page)->next;
		UnlockReleaseBuffer(buf);
		if (blk == InvalidBlockNumber)
			hx_page_report_damage(index, (BlockNumber) LSH_ROOT,
								  "The pages to the right of the one for key %u have an end.", key);
		buf = lsh_lock_page(index, row_bytes, blk, kind, mode);
		if (low_key(BufferGetPage(buf)) != high + 1)
			report_directory(index, buf);
	}
}

/* The block of the child for a key, on a locked directory page. */
static BlockNumber
child_block(Relation index, Buffer buf, uint32 key)
{
	BlockNumber blk = lsh_directory_child(BufferGetPage(buf), key);

	if (blk == InvalidBlockNumber)
		report_directory(index, buf);
	return blk;
}

Buffer
lsh_find(Relation index, int row_bytes, uint32 key, int mode)
{
	BlockNumber blk = LSH_ROOT;

	for (int depth = 0;; depth++)
	{
		Buffer		buf = lock_and_move_right(index, row_bytes, blk, HX_PAGE_DIRECTORY,
											  BUFFER_LOCK_SHARE, key);
		int			level = lsh_directory(BufferGetPage(buf))->level;

		if (level + depth > LSH_MAX_LEVEL)
			report_directory(index, buf);
		blk = child_block(index, buf, key);
		UnlockReleaseBuffer(buf);
		if (level == 0)
			return lock_and_move_right(index, row_bytes, blk, HX_PAGE_BUCKETS, mode, key);
	}
}

/* Locks the first free page, the metapage being locked; InvalidBuffer: there is none. */
static Buffer
take_free_page(Relation index, int row_bytes, Buffer meta_buf, BlockNumber *next_free)
{
	BlockNumber blk = lsh_meta(BufferGetPage(meta_buf))->free;

	if (blk == InvalidBlockNumber)
		return InvalidBuffer;

	Buffer		buf = lsh_lock_page(index, row_bytes, blk, HX_PAGE_FREE, BUFFER_LOCK_EXCLUSIVE);

	*next_free = hx_page_opaque(BufferGetPage(buf))->next;
	return buf;
}

LshNewPage
lsh_new_page(Relation index, int row_bytes)
{
	LshNewPage	page = {.meta_buf = ReadBuffer(index, HX_METABLOCK)};

	LockBuffer(page.meta_buf, BUFFER_LOCK_EXCLUSIVE);
	hx_page_check(index, page.meta_buf, HX_PAGE_ID_LSH);
	page.buf = take_free_page(index, row_bytes, page.meta_buf, &page.next_free);
	if (!BufferIsValid(page.buf))
	{
		UnlockReleaseBuffer(page.meta_buf);
		page.meta_buf = InvalidBuffer;
		page.buf = hx_page_extend(index);
	}
	return page;
}

Page
lsh_new_page_register(GenericXLogState *record, const LshNewPage *page)
{
	if (BufferIsValid(page->meta_buf))
		lsh_meta(GenericXLogRegisterBuffer(record, page->meta_buf, 0))->free = page->next_free;
	return GenericXLogRegisterBuffer(record, page->buf, GENERIC_XLOG_FULL_IMAGE);
}

void
lsh_new_page_release(const LshNewPage *page)
{
	UnlockReleaseBuffer(page->buf);
	if (BufferIsValid(page->meta_buf))
		UnlockReleaseBuffer(page->meta_buf);
}

/* A full root gets two children that share what it had, and one level more. */
static void
grow_root(Relation index, Buffer root_buf)
{
	Buffer		left_buf = hx_page_extend(index);
	Buffer		right_buf = hx_page_extend(index);
	BlockNumber left_blk = BufferGetBlockNumber(left_buf);
	BlockNumber right_blk = BufferGetBlockNumber(right_buf);
	GenericXLogState *record = GenericXLogStart(index);
	Page		root = GenericXLogRegisterBuffer(record, root_buf, 0);
	Page		left = GenericXLogRegisterBuffer(record, left_buf, GENERIC_XLOG_FULL_IMAGE);
	Page		right = GenericXLogRegisterBuffer(record, right_buf, GENERIC_XLOG_FULL_IMAGE);
	int			level = lsh_directory(root)->level;

	memcpy(left, root, BLCKSZ);
	hx_page_init(right, HX_PAGE_DIRECTORY, HX_PAGE_ID_LSH);
	lsh_directory_split(left, right, right_blk);

	lsh_directory_init(root, level + 1, 0, LSH_MAX_KEY);
	lsh_directory_insert(root, (LshChild) {lsh_directory(left)->low, left_blk});
	lsh_directory_insert(root, (LshChild) {lsh_directory(right)->low, right_blk});
	GenericXLogFinish(record);
	UnlockReleaseBuffer(left_buf);
	UnlockReleaseBuffer(right_buf);
}

static bool
is_full(Buffer directory_buf)
{
	return lsh_directory(BufferGetPage(directory_buf))->count >= LSH_MAX_CHILDREN;
}

/*
 * Finds fault with a split of a page at that key, which goes to the right half, or with a parent
 * that has no room for one more, as it must.
 */
static void
check_split(Relation index, Buffer parent_buf, Buffer buf, uint32 key)
{
	Page		page = BufferGetPage(buf);

	if (is_full(parent_buf) || key <= low_key(page) || key > high_key(page))
		report_directory(index, buf);
}

/* Splits a full directory page; its parent has room. */
static void
split_directory(Relation index, int row_bytes, Buffer parent_buf, Buffer buf)
{
	check_split(index, parent_buf, buf, lsh_directory_middle(BufferGetPage(buf)));

	LshNewPage	new_page = lsh_new_page(index, row_bytes);
	GenericXLogState *record = GenericXLogStart(index);
	Page		parent = GenericXLogRegisterBuffer(record, parent_buf, 0);
	Page		page = GenericXLogRegisterBuffer(record, buf, 0);
	Page		right = lsh_new_page_register(record, &new_page);
	BlockNumber right_blk = BufferGetBlockNumber(new_page.buf);

	hx_page_init(right, HX_PAGE_DIRECTORY, HX_PAGE_ID_LSH);
	lsh_directory_split(page, right, right_blk);
	lsh_directory_insert(parent, (LshChild) {lsh_directory(right)->low, right_blk});
	GenericXLogFinish(record);
	lsh_new_page_release(&new_page);
}

/* Splits a bucket page if it is full and has more than one key; its parent has room. */
static void
split_buckets(Relation index, int row_bytes, Buffer parent_buf, Buffer buf)
{
	const LshBucketPage *buckets = lsh_buckets(BufferGetPage(buf));
	uint32		key;

	if (buckets->count < lsh_buckets_capacity(row_bytes) ||
		!lsh_buckets_middle(BufferGetPage(buf), &key))
		return;
	check_split(index, parent_buf, buf, key);

	LshNewPage	new_page = lsh_new_page(index, row_bytes);
	GenericXLogState *record = GenericXLogStart(index);
	Page		parent = GenericXLogRegisterBuffer(record, parent_buf, 0);
	Page		page = GenericXLogRegisterBuffer(record, buf, 0);
	Page		right = lsh_new_page_register(record, &new_page);
	BlockNumber right_blk = BufferGetBlockNumber(new_page.buf);

	lsh_buckets_split(page, row_bytes, key, right, right_blk);
	lsh_directory_insert(parent, (LshChild) {key, right_blk});
	GenericXLogFinish(record);
	lsh_new_page_release(&new_page);
}

/*
 * The child for a key of a directory page, both exclusively locked. Levels fall from page to page,
 * which is looked at before there is a lock to wait for, as the kind is.
 */
static Buffer
lock_child(Relation index, int row_bytes, Buffer parent, uint32 key)
{
	int			level = lsh_directory(BufferGetPage(parent))->level;
	Buffer		buf = read_linked(index, child_block(index, parent, key),
								  level > 0 ? HX_PAGE_DIRECTORY : HX_PAGE_BUCKETS);
	Page		page = BufferGetPage(buf);

	if (level > 0 && lsh_directory(page)->level != level - 1)
		report_directory(index, buf);
	lock_linked(index, row_bytes, buf, BUFFER_LOCK_EXCLUSIVE);
	if (key < low_key(page) || key > high_key(page))
		report_directory(index, buf);
	return buf;
}

void
lsh_split(Relation index, int row_bytes, uint32 key)
{
	Buffer		parent = lsh_lock_page(index, row_bytes, LSH_ROOT, HX_PAGE_DIRECTORY,
									   BUFFER_LOCK_EXCLUSIVE);

	if (is_full(parent))
		grow_root(index, parent);

	while (lsh_directory(BufferGetPage(parent))->level > 0)
	{
		Buffer		child = lock_child(index, row_bytes, parent, key);

		if (is_full(child))
		{
			/* The key may belong to the new half: ask the parent again. */
			split_directory(index, row_bytes, parent, child);
			UnlockReleaseBuffer(child);
			continue;
		}
		UnlockReleaseBuffer(parent);
		parent = child;
	}

	Buffer		buf = lock_child(index, row_bytes, parent, key);

	split_buckets(index, row_bytes, parent, buf);
	UnlockReleaseBuffer(buf);
	UnlockReleaseBuffer(parent);
}
