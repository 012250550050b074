/*
 * hamming_page.c
 *	  Reading and writing the pages of hashidx_hamming; see hamming_page.h.
 *
 * Works on page images alone: no buffers, locks or WAL here.
 */
#include "am/hamming/hamming_page.h"

#include "math/group.h"

/* Of those that an append changes: the end of data, the counts, the row. */
#define RANGES_BESIDE_WORDS 3

void
hamming_meta_init(Page page, const HammingShape *shape, int method, int chunks)
{
	hx_page_init(page, HX_PAGE_META, HX_PAGE_ID_HAMMING);

	HammingMetaPage *meta = hamming_meta(page);

	memset(meta, 0, sizeof(*meta));
	meta->magic = HAMMING_MAGIC;
	meta->format = HAMMING_FORMAT;
	meta->method = method;
	meta->chunks = chunks;
	meta->bits = shape->bits;
	meta->row_bytes = shape->row_bytes;
	for (int list = 0; list < HAMMING_LISTS; list++)
		meta->room[list] = InvalidBlockNumber;
	meta->chunk_root = InvalidBlockNumber;
	((PageHeader) page)->pd_lower = SizeOfPageHeaderData + sizeof(HammingMetaPage);
}

HammingMetaPage *
hamming_meta(Page page)
{
	return (HammingMetaPage *) PageGetContents(page);
}

static HammingCodesPage *
codes_page(Page page)
{
	return (HammingCodesPage *) PageGetContents(page);
}

/* Sets the page up for `codes` codes and `rows` rows to be written, with all planes zero. */
static HammingCodesPage *
lay_out(Page page, const HammingShape *shape, int codes, int rows)
{
	HammingCodesPage *contents = codes_page(page);
	int			code_bytes = shape->code_bytes;
	int			free_bytes = shape->space - codes * code_bytes - rows * shape->row_bytes;

	Assert(free_bytes >= 0);
	contents->stride = codes + free_bytes / (code_bytes + shape->row_bytes);
	contents->codes = codes;
	contents->rows = rows;
	contents->unused = 0;
	memset(contents->data, 0, contents->stride * code_bytes);
	((PageHeader) page)->pd_lower = contents->data + contents->stride * code_bytes +
		rows * shape->row_bytes - (uint8 *) page;
	return contents;
}

void
hamming_codes_init(Page page, const HammingShape *shape)
{
	hx_page_init(page, HX_PAGE_CODES, HX_PAGE_ID_HAMMING);
	hamming_codes_clear(page, shape);
}

void
hamming_codes_clear(Page page, const HammingShape *shape)
{
	lay_out(page, shape, 0, 0);
}

const char *
hamming_view(Page page, const HammingShape *shape, HammingView *view)
{
	HammingCodesPage *contents = codes_page(page);
	Size		planes = (Size) contents->stride * shape->code_bytes;
	Size		rows = (Size) contents->rows * shape->row_bytes;

	if (shape->code_bytes == 0)
		return "There is a page of codes although the index never had any.";
	if (planes + rows > shape->space)
		return "The page claims more codes and rows than fit a page.";
	if (contents->codes > contents->stride || contents->rows < contents->codes ||
		(contents->codes == 0 && contents->rows > 0))
		return "The counts of codes and rows contradict each other.";
	if (((PageHeader) page)->pd_lower != contents->data + planes + rows - (uint8 *) page)
		return "The page's end of data does not match its counts.";
	if (((PageHeader) page)->pd_upper != contents->data + shape->space - (uint8 *) page)
		return "The page's free space does not reach to its end.";

	view->planes.base = contents->data;
	view->planes.stride = contents->stride;
	view->planes.count = contents->codes;
	view->planes.code_bytes = shape->code_bytes;
	view->rows = contents->data + planes;
	view->row_count = contents->rows;
	view->row_bytes = shape->row_bytes;
	return NULL;
}

bool
hamming_view_runs(const HammingView *view, uint16 *first)
{
	unsigned	codes = 0;

	for (int i = 0; i < view->row_count; i++)
	{
		bool		continues;

		hamming_view_row(view, i, &continues);
		if (continues && i > 0)
			continue;
		if (continues || codes == view->planes.count)
			return false;
		first[codes++] = i;
	}
	first[codes] = view->row_count;
	return codes == view->planes.count;
}

/* Is the code number `position` of the page this one? */
static bool
has_code(HammingCodesPage *contents, const HammingShape *shape, int position, const uint8 *code)
{
	uint8		other[BLCKSZ];

	hx_planes_get(contents->data, contents->stride, shape->code_bytes, position, other);
	return memcmp(other, code, shape->code_bytes) == 0;
}

bool
hamming_codes_append(Page page, const HammingShape *shape, const uint8 *code, HammingRow row)
{
	HammingCodesPage *contents = codes_page(page);
	int			row_bytes = shape->row_bytes;
	uint8	   *rows = contents->data + contents->stride * shape->code_bytes;
	uint8	   *end = rows + contents->rows * row_bytes;

	if (end + row_bytes > contents->data + shape->space)
		return false;
	if (contents->codes > 0 && has_code(contents, shape, contents->codes - 1, code))
		row.tid.ip_posid |= HAMMING_ROW_CONTINUES;
	else if (contents->codes == contents->stride)
		return false;
	else
		hx_planes_put(contents->data, contents->stride, shape->code_bytes, contents->codes++, code);

	memcpy(end, &row, row_bytes);
	contents->rows++;
	((PageHeader) page)->pd_lower += row_bytes;
	return true;
}

bool
hamming_codes_are_short(const HammingShape *shape)
{
	unsigned	words = shape->code_bytes / 8 + __builtin_popcount(shape->code_bytes % 8);

	return RANGES_BESIDE_WORDS + words <= HX_PAGE_MAX_RANGES;
}

int
hamming_codes_appended(Page page, const HammingShape *shape, HxPageRange *ranges)
{
	HammingCodesPage *contents = codes_page(page);
	PageHeader	header = (PageHeader) page;
	unsigned	position = contents->codes - 1;
	unsigned	width;
	int			count = 0;

	ranges[count++] = hx_page_range(page, &header->pd_lower, sizeof(header->pd_lower));
	ranges[count++] = hx_page_range(page, &contents->codes,
									sizeof(contents->codes) + sizeof(contents->rows));
	ranges[count++] = hx_page_range(page, (char *) page + header->pd_lower - shape->row_bytes,
									shape->row_bytes);
	Assert(count == RANGES_BESIDE_WORDS);
	for (unsigned at = 0; at < shape->code_bytes; at += width)
	{
		width = hx_planes_word_bytes(at, shape->code_bytes);
		ranges[count++] = hx_page_range(page, contents->data + contents->stride * at +
										position * width, width);
	}
	return count;
}

void
hamming_packer_init(HammingPacker *packer, const HammingShape *shape)
{
	packer->shape = *shape;
	packer->code_data = palloc(shape->space);
	packer->row_data = palloc(shape->space / shape->row_bytes * sizeof(HammingRow));
	hamming_packer_reset(packer);
}

void
hamming_packer_free(HammingPacker *packer)
{
	pfree(packer->code_data);
	pfree(packer->row_data);
}

void
hamming_packer_reset(HammingPacker *packer)
{
	packer->codes = 0;
	packer->rows = 0;
}

int
hamming_packer_free_bytes(const HammingPacker *packer)
{
	return packer->shape.space - packer->codes * packer->shape.code_bytes -
		packer->rows * packer->shape.row_bytes;
}

bool
hamming_packer_add(HammingPacker *packer, const uint8 *code, HammingRow row)
{
	int			code_bytes = packer->shape.code_bytes;
	uint8	   *end = packer->code_data + packer->codes * code_bytes;
	bool		continues = packer->codes > 0 && memcmp(end - code_bytes, code, code_bytes) == 0;
	int			needed = packer->shape.row_bytes + (continues ? 0 : code_bytes);

	if (hamming_packer_free_bytes(packer) < needed)
		return false;
	if (continues)
		row.tid.ip_posid |= HAMMING_ROW_CONTINUES;
	else
	{
		memcpy(end, code, code_bytes);
		packer->codes++;
	}
	packer->row_data[packer->rows++] = row;
	return true;
}

void
hamming_packer_store(const HammingPacker *packer, Page page)
{
	const HammingShape *shape = &packer->shape;
	HammingCodesPage *contents = lay_out(page, shape, packer->codes, packer->rows);
	uint8	   *rows = contents->data + contents->stride * shape->code_bytes;

	for (int i = 0; i < packer->codes; i++)
		hx_planes_put(contents->data, contents->stride, shape->code_bytes, i,
					  packer->code_data + i * shape->code_bytes);
	for (int i = 0; i < packer->rows; i++)
		memcpy(rows + i * shape->row_bytes, &packer->row_data[i], shape->row_bytes);
}

void
hamming_packer_merge(HammingPacker *packer)
{
	int			code_bytes = packer->shape.code_bytes;
	uint32		order[HAMMING_MAX_CODES];
	uint16		first[HAMMING_MAX_CODES + 1];
	void	   *scratch = palloc(hx_group_scratch(packer->codes));
	HammingPacker merged;
	int			codes = 0;

	for (int i = 0; i < packer->rows; i++)
		if (!(packer->row_data[i].tid.ip_posid & HAMMING_ROW_CONTINUES))
			first[codes++] = i;
	first[codes] = packer->rows;
	hx_group_equal(packer->code_data, code_bytes, codes, order, scratch, NULL, NULL);

	hamming_packer_init(&merged, &packer->shape);
	for (int i = 0; i < codes; i++)
		for (int r = first[order[i]]; r < first[order[i] + 1]; r++)
		{
			HammingRow	row = packer->row_data[r];

			row.tid.ip_posid &= ~HAMMING_ROW_CONTINUES;
			hamming_packer_add(&merged, packer->code_data + order[i] * code_bytes, row);
		}
	hamming_packer_free(packer);
	*packer = merged;
	pfree(scratch);
}

bool
hamming_packer_load(HammingPacker *packer, const HammingView *view, HammingKeep keep, void *context)
{
	const HxPlanes *planes = &view->planes;
	uint16		first[HAMMING_MAX_CODES + 1];
	uint8	   *code = palloc(planes->code_bytes);

	if (!hamming_view_runs(view, first))
		return false;
	hamming_packer_reset(packer);
	for (unsigned i = 0; i < planes->count; i++)
	{
		hx_planes_get(planes->base, planes->stride, planes->code_bytes, i, code);
		for (int r = first[i]; r < first[i + 1]; r++)
		{
			bool		continues;
			HammingRow	row = hamming_view_row(view, r, &continues);

			if (keep != NULL && !keep(code, &row, context))
				continue;
			if (!hamming_packer_add(packer, code, row))
				elog(ERROR, "contents of a page of hashidx_hamming outgrew a page");
		}
	}
	pfree(code);
	hamming_packer_merge(packer);
	return true;
}
