/*
 * lsh_page.c
 *	  Reading and writing the pages of hashidx_lsh; see lsh_page.h and README.
 */
#include "am/lsh/lsh_page.h"

/* Where a bucket page's row number i lies. */
static uint8 *
bucket_row_place(Page page, int row_bytes, int i)
{
	return (uint8 *) PageGetSpecialPointer(page) - (i + 1) * row_bytes;
}

/* Makes the page header agree with the number of entries. */
static void
set_directory_end(Page page)
{
	((PageHeader) page)->pd_lower =
		(char *) (lsh_directory(page)->children + lsh_directory(page)->count) - (char *) page;
}

static void
set_buckets_end(Page page, int row_bytes)
{
	int			count = lsh_buckets(page)->count;

	((PageHeader) page)->pd_lower = (char *) (lsh_buckets(page)->keys + count) - (char *) page;
	((PageHeader) page)->pd_upper = ((PageHeader) page)->pd_special - count * row_bytes;
}

static void
set_long_end(Page page, int row_bytes)
{
	((PageHeader) page)->pd_lower =
		(char *) (lsh_long(page)->rows + lsh_long(page)->count * row_bytes) - (char *) page;
}

void
lsh_meta_init(Page page)
{
	hx_page_init(page, HX_PAGE_META, HX_PAGE_ID_LSH);

	LshMetaPage *meta = lsh_meta(page);

	memset(meta, 0, sizeof(*meta));
	meta->magic = LSH_MAGIC;
	meta->format = LSH_FORMAT;
	meta->free = InvalidBlockNumber;
	((PageHeader) page)->pd_lower = SizeOfPageHeaderData + sizeof(LshMetaPage);
}

const char *
lsh_meta_problem(const LshMetaPage *meta)
{
	static const HxLshShape unknown;

	if (meta->shape.tables == 0)
		return memcmp(&meta->shape, &unknown, sizeof(unknown)) == 0 ? NULL :
			"The metapage tells of functions, but of no tables.";
	if (!hx_lsh_curve_valid(&meta->curve))
		return "The curve of recall in the metapage is not one.";
	if (!(meta->bucket_share >= 0 && meta->bucket_share <= 1))
		return "The share of rows in the metapage is not one.";
	return hx_lsh_shape_fault(&meta->shape);
}

void
lsh_directory_init(Page page, int level, uint32 low, uint32 high)
{
	hx_page_init(page, HX_PAGE_DIRECTORY, HX_PAGE_ID_LSH);

	LshDirectoryPage *directory = lsh_directory(page);

	directory->low = low;
	directory->high = high;
	directory->level = level;
	directory->count = 0;
	set_directory_end(page);
}

void
lsh_buckets_init(Page page, uint32 low, uint32 high)
{
	hx_page_init(page, HX_PAGE_BUCKETS, HX_PAGE_ID_LSH);

	LshBucketPage *buckets = lsh_buckets(page);

	buckets->low = low;
	buckets->high = high;
	buckets->count = 0;
	buckets->unused = 0;
	set_buckets_end(page, 0);
}

void
lsh_long_init(Page page, uint32 key)
{
	hx_page_init(page, HX_PAGE_LONG, HX_PAGE_ID_LSH);
	lsh_long(page)->key = key;
	lsh_long(page)->count = 0;
	lsh_long(page)->unused = 0;
	set_long_end(page, 0);
}

void
lsh_page_free(Page page, BlockNumber blk, Page meta_page)
{
	LshMetaPage *meta = lsh_meta(meta_page);

	hx_page_init(page, HX_PAGE_FREE, HX_PAGE_ID_LSH);
	hx_page_opaque(page)->next = meta->free;
	meta->free = blk;
}

const char *
lsh_page_problem(Page page, int row_bytes)
{
	const PageHeaderData *header = (const PageHeaderData *) page;
	Size		lower = header->pd_lower;
	Size		upper = header->pd_special;
	const LshDirectoryPage *directory = lsh_directory(page);
	const LshBucketPage *buckets = lsh_buckets(page);
	const LshLongPage *contents = lsh_long(page);

	switch (hx_page_opaque(page)->kind)
	{
		case HX_PAGE_DIRECTORY:
			if (directory->count == 0 || directory->count > LSH_MAX_CHILDREN)
				return "The page claims an impossible number of entries.";
			if (directory->level > LSH_MAX_LEVEL)
				return "The page claims an impossible level.";
			if (directory->low > directory->high)
				return "The page's range of keys is upside down.";
			lower = (char *) (directory->children + directory->count) - (char *) page;
			break;
		case HX_PAGE_BUCKETS:
			if (buckets->count > lsh_buckets_capacity(row_bytes))
				return "The page claims more rows than fit a page.";
			if (buckets->low > buckets->high)
				return "The page's range of keys is upside down.";
			lower = (char *) (buckets->keys + buckets->count) - (char *) page;
			upper -= buckets->count * row_bytes;
			break;
		case HX_PAGE_LONG:
			if (contents->count > lsh_long_capacity(row_bytes))
				return "The page claims more rows than fit a page.";
			lower = (char *) (contents->rows + contents->count * row_bytes) - (char *) page;
			break;
		case HX_PAGE_FREE:
			break;
		default:
			return "The page is of a kind that does not belong here.";
	}
	if (header->pd_lower != lower || header->pd_upper != upper)
		return "The page's end of data does not match its counts.";
	return NULL;
}

/* Number of the last entry whose lowest key is at most the key. */
static int
find_child(const LshDirectoryPage *directory, uint32 key)
{
	int			low = 0;
	int			high = directory->count;

	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (directory->children[middle].low <= key)
			low = middle;
		else
			high = middle;
	}
	return low;
}

BlockNumber
lsh_directory_child(Page page, uint32 key)
{
	const LshDirectoryPage *directory = lsh_directory(page);
	LshChild	child = directory->children[find_child(directory, key)];

	return child.low <= key ? child.blk : InvalidBlockNumber;
}

void
lsh_directory_insert(Page page, LshChild child)
{
	LshDirectoryPage *directory = lsh_directory(page);
	int			place = directory->count == 0 ? 0 : find_child(directory, child.low) + 1;

	Assert(directory->count < LSH_MAX_CHILDREN);
	memmove(&directory->children[place + 1], &directory->children[place],
			(directory->count - place) * sizeof(LshChild));
	directory->children[place] = child;
	directory->count++;
	set_directory_end(page);
}

uint32
lsh_directory_middle(Page page)
{
	const LshDirectoryPage *directory = lsh_directory(page);

	return directory->children[directory->count / 2].low;
}

void
lsh_directory_split(Page page, Page right, BlockNumber right_blk)
{
	LshDirectoryPage *from = lsh_directory(page);
	LshDirectoryPage *to = lsh_directory(right);
	int			kept = from->count / 2;

	lsh_directory_init(right, from->level, lsh_directory_middle(page), from->high);
	to->count = from->count - kept;
	memcpy(to->children, from->children + kept, to->count * sizeof(LshChild));
	set_directory_end(right);
	hx_page_opaque(right)->next = hx_page_opaque(page)->next;

	from->count = kept;
	from->high = to->low - 1;
	set_directory_end(page);
	hx_page_opaque(page)->next = right_blk;
}

/* Writes a row to its place. */
static void
put_row(uint8 *place, int row_bytes, ItemPointerData tid, const uint8 *sketch)
{
	int			sketch_bytes = row_bytes - sizeof(tid);

	memcpy(place, &tid, sizeof(tid));
	if (sketch != NULL)
		memcpy(place + sizeof(tid), sketch, sketch_bytes);
	else
		memset(place + sizeof(tid), 0, sketch_bytes);
}

bool
lsh_buckets_append(Page page, int row_bytes, uint32 key, ItemPointerData tid, const uint8 *sketch)
{
	LshBucketPage *buckets = lsh_buckets(page);

	if (buckets->count >= lsh_buckets_capacity(row_bytes))
		return false;
	put_row(bucket_row_place(page, row_bytes, buckets->count), row_bytes, tid, sketch);
	buckets->keys[buckets->count++] = key;
	set_buckets_end(page, row_bytes);
	return true;
}

bool
lsh_long_append(Page page, int row_bytes, ItemPointerData tid, const uint8 *sketch)
{
	LshLongPage *contents = lsh_long(page);

	if (contents->count >= lsh_long_capacity(row_bytes))
		return false;
	put_row(contents->rows + contents->count++ * row_bytes, row_bytes, tid, sketch);
	set_long_end(page, row_bytes);
	return true;
}

/* The range of a page header's ends of data. */
static HxPageRange
ends_range(Page page)
{
	PageHeader	header = (PageHeader) page;

	return hx_page_range(page, &header->pd_lower,
						 sizeof(header->pd_lower) + sizeof(header->pd_upper));
}

int
lsh_buckets_appended(Page page, int row_bytes, HxPageRange *ranges)
{
	LshBucketPage *buckets = lsh_buckets(page);
	int			last = buckets->count - 1;

	ranges[0] = ends_range(page);
	ranges[1] = hx_page_range(page, &buckets->count, sizeof(buckets->count));
	ranges[2] = hx_page_range(page, &buckets->keys[last], sizeof(buckets->keys[last]));
	ranges[3] = hx_page_range(page, bucket_row_place(page, row_bytes, last), row_bytes);
	return 4;
}

int
lsh_long_appended(Page page, int row_bytes, HxPageRange *ranges)
{
	LshLongPage *contents = lsh_long(page);

	ranges[0] = ends_range(page);
	ranges[1] = hx_page_range(page, &contents->count, sizeof(contents->count));
	ranges[2] = hx_page_range(page, contents->rows + (contents->count - 1) * row_bytes, row_bytes);
	return 3;
}

int
lsh_buckets_reference(Page page, int row_bytes, uint32 key)
{
	const LshBucketPage *buckets = lsh_buckets(page);

	for (int i = 0; i < buckets->count; i++)
	{
		if (buckets->keys[i] != key)
			continue;

		LshRow		row = lsh_buckets_row(page, row_bytes, i);

		/* Where there is a reference, it is the only row of its key. */
		return lsh_row_is_reference(&row) ? i : -1;
	}
	return -1;
}

/* The TID that stands for a reference to a block. */
static ItemPointerData
reference(BlockNumber blk)
{
	ItemPointerData tid;

	ItemPointerSet(&tid, blk, InvalidOffsetNumber);
	return tid;
}

void
lsh_buckets_set_reference(Page page, int row_bytes, int i, BlockNumber blk)
{
	put_row(bucket_row_place(page, row_bytes, i), row_bytes, reference(blk), NULL);
}

int
lsh_buckets_filter(Page page, int row_bytes, LshKeep keep, void *context)
{
	LshBucketPage *buckets = lsh_buckets(page);
	int			count = buckets->count;
	int			kept = 0;

	for (int i = 0; i < count; i++)
	{
		LshRow		row = lsh_buckets_row(page, row_bytes, i);

		if (!keep(buckets->keys[i], &row, context))
			continue;
		if (kept < i)
		{
			buckets->keys[kept] = buckets->keys[i];
			memcpy(bucket_row_place(page, row_bytes, kept), bucket_row_place(page, row_bytes, i),
				   row_bytes);
		}
		kept++;
	}
	buckets->count = kept;
	set_buckets_end(page, row_bytes);
	return count - kept;
}

int
lsh_long_filter(Page page, int row_bytes, LshKeep keep, void *context)
{
	LshLongPage *contents = lsh_long(page);
	int			count = contents->count;
	int			kept = 0;

	for (int i = 0; i < count; i++)
	{
		LshRow		row = lsh_long_row(page, row_bytes, i);

		if (!keep(contents->key, &row, context))
			continue;
		if (kept < i)
			memcpy(contents->rows + kept * row_bytes, contents->rows + i * row_bytes, row_bytes);
		kept++;
	}
	contents->count = kept;
	set_long_end(page, row_bytes);
	return count - kept;
}

static int
compare_keys(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

/* The page's keys in order; the number of them. */
static int
sorted_keys(Page page, uint32 *keys)
{
	const LshBucketPage *buckets = lsh_buckets(page);

	memcpy(keys, buckets->keys, buckets->count * sizeof(uint32));
	qsort(keys, buckets->count, sizeof(uint32), compare_keys);
	return buckets->count;
}

bool
lsh_buckets_crowd(Page page, int row_bytes, uint32 *key)
{
	uint32		keys[LSH_MAX_ROWS];
	int			count = sorted_keys(page, keys);
	int			half = lsh_buckets_capacity(row_bytes) / 2;

	/* In order, a key with more rows than that is met again so much further on. */
	for (int i = 0; i + half < count; i++)
	{
		if (keys[i] == keys[i + half])
		{
			*key = keys[i];
			return true;
		}
	}
	return false;
}

/* LshKeep: what a row has to do with the key that leaves its page. */
typedef struct Departure
{
	uint32		key;
	bool		upwards;		/* greater keys leave too */
	Page		to;
	int			row_bytes;
} Departure;

/* LshKeep */
static bool
stays(uint32 key, const LshRow *row, void *context)
{
	Departure  *departure = context;

	if (key != departure->key && !(departure->upwards && key > departure->key))
		return true;
	if (departure->upwards)
		lsh_buckets_append(departure->to, departure->row_bytes, key, row->tid, row->sketch);
	else
		lsh_long_append(departure->to, departure->row_bytes, row->tid, row->sketch);
	return false;
}

void
lsh_buckets_extract(Page page, int row_bytes, uint32 key, Page long_page, BlockNumber long_blk)
{
	Departure	departure = {.key = key,.to = long_page,.row_bytes = row_bytes};

	lsh_long_init(long_page, key);
	lsh_buckets_filter(page, row_bytes, stays, &departure);
	lsh_buckets_append(page, row_bytes, key, reference(long_blk), NULL);
}

bool
lsh_buckets_middle(Page page, uint32 *key)
{
	uint32		keys[LSH_MAX_ROWS];
	int			count = sorted_keys(page, keys);

	/* The change of keys that is nearest to the middle, looking to both sides at once. */
	for (int step = 0; step <= count / 2 + 1; step++)
	{
		int			up = count / 2 + step;
		int			down = count / 2 - step;

		for (int side = 0; side < 2; side++)
		{
			int			i = side == 0 ? up : down;

			if (i > 0 && i < count && keys[i - 1] != keys[i])
			{
				*key = keys[i];
				return true;
			}
		}
	}
	return false;
}

void
lsh_buckets_split(Page page, int row_bytes, uint32 key, Page right, BlockNumber right_blk)
{
	LshBucketPage *buckets = lsh_buckets(page);
	Departure	departure = {.key = key,.upwards = true,.to = right,.row_bytes = row_bytes};

	lsh_buckets_init(right, key, buckets->high);
	hx_page_opaque(right)->next = hx_page_opaque(page)->next;
	lsh_buckets_filter(page, row_bytes, stays, &departure);
	buckets->high = key - 1;
	hx_page_opaque(page)->next = right_blk;
}

void
lsh_long_join(Page page, Page next, int row_bytes)
{
	LshLongPage *to = lsh_long(page);
	const LshLongPage *from = lsh_long(next);

	memcpy(to->rows + to->count * row_bytes, from->rows, from->count * row_bytes);
	to->count += from->count;
	set_long_end(page, row_bytes);
	hx_page_opaque(page)->next = hx_page_opaque(next)->next;
}
