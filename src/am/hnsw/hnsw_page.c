/*
 * hnsw_page.c
 *	  Making and checking the pages of hashidx_hnsw.
 */
#include "am/hnsw/hnsw_page.h"

void
hnsw_page_init(Page page, HxPageKind kind)
{
	hx_page_init(page, kind, HX_PAGE_ID_HNSW);
	/* All of it counts: slots have no line pointers that would tell which part is in use. */
	((PageHeader) page)->pd_lower = ((PageHeader) page)->pd_upper;
}

HnswMetaPage *
hnsw_meta(Page page)
{
	return (HnswMetaPage *) PageGetContents(page);
}

void
hnsw_meta_init(Page page)
{
	hnsw_page_init(page, HX_PAGE_META);

	HnswMetaPage *meta = hnsw_meta(page);

	memset(meta, 0, sizeof(*meta));
	meta->magic = HNSW_MAGIC;
	meta->format = HNSW_FORMAT;
	for (int list = 0; list < HNSW_LISTS; list++)
		meta->room[list] = InvalidBlockNumber;
	meta->centre = InvalidBlockNumber;
	meta->entries = InvalidBlockNumber;
}

const char *
hnsw_node_problem(const HnswShape *shape, const HnswNodeHead *head)
{
	if (head->state > HNSW_DEAD)
		return "A node is in an unknown state.";
	if (head->links > shape->m)
		return "A node has more links than there is room for.";
	if (head->rows > HNSW_INLINE_ROWS)
		return "A node has more rows than there is room for.";
	return NULL;
}

const char *
hnsw_posting_problem(const HnswPosting *posting)
{
	if (posting->state != HNSW_FREE && posting->state != HNSW_POSTING)
		return "A posting is in an unknown state.";
	if (posting->rows > HNSW_POSTING_ROWS)
		return "A posting has more rows than there is room for.";
	return NULL;
}

const char *
hnsw_entries_problem(const HnswShape *shape, Page page)
{
	if (hnsw_entries(page)->count > hnsw_entries_capacity(shape))
		return "The page has more entries than there is room for.";
	return NULL;
}

const char *
hnsw_centre_problem(Page page)
{
	if (hnsw_centre(page)->count > HNSW_CENTRE_VALUES)
		return "The page has more coordinates than there is room for.";
	return NULL;
}

const char *
hnsw_tail_problem(Page page, HxNode node)
{
	const char *problem = hx_page_problem(page, HX_PAGE_ID_HNSW);

	if (problem != NULL)
		return problem;
	if (hx_page_opaque(page)->kind != HX_PAGE_TAIL)
		return "The page is of another kind than belongs behind a node's page.";
	if (hnsw_tail(page)->node != node)
		return "The page has a part of another node's vector.";
	return NULL;
}
