/*
 * hamming_payload.c
 *	  The values of INCLUDE columns: index tuples on payload pages.
 */
#include "am/hamming/hamming.h"

#include "access/tupmacs.h"

/*
 * The descriptor of the INCLUDE columns alone. Built at need and freed by the
 * caller: building one for a handful of columns costs less than a page access.
 */
static TupleDesc
payload_desc(Relation index)
{
	TupleDesc	whole = RelationGetDescr(index);
	TupleDesc	desc = CreateTemplateTupleDesc(whole->natts - 1);

	for (int i = 1; i < whole->natts; i++)
		TupleDescCopyEntry(desc, i, whole, i + 1);
	return desc;
}

IndexTuple
hamming_payload_form(Relation index, Datum *values, bool *isnull, ItemPointer tid)
{
	TupleDesc	desc = payload_desc(index);
	IndexTuple	payload = index_form_tuple(desc, values + 1, isnull + 1);

	Size		most = HX_PAGE_USABLE - sizeof(ItemIdData);

	FreeTupleDesc(desc);
	if (MAXALIGN(IndexTupleSize(payload)) > MAXALIGN_DOWN(most))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("INCLUDE values of %zu bytes are too large for index \"%s\"",
						IndexTupleSize(payload), RelationGetRelationName(index)),
				 errdetail("They must fit one page: at most %zu bytes.", MAXALIGN_DOWN(most))));
	payload->t_tid = *tid;
	return payload;
}

IndexTuple
hamming_payload_at(Page page, OffsetNumber off)
{
	const PageHeaderData *header = (const PageHeaderData *) page;
	ItemId		item = PageGetItemId(page, off);
	unsigned	begin = ItemIdGetOffset(item);
	unsigned	length = ItemIdGetLength(item);

	if (!ItemIdIsNormal(item) || begin < header->pd_upper || begin != MAXALIGN(begin) ||
		length < sizeof(IndexTupleData) || begin + MAXALIGN(length) > header->pd_special)
		return NULL;

	IndexTuple	payload = (IndexTuple) PageGetItem(page, item);

	return IndexTupleSize(payload) == length ? payload : NULL;
}

IndexTuple
hamming_payload_find(Page page, OffsetNumber off, ItemPointer tid)
{
	if (off < FirstOffsetNumber || off > PageGetMaxOffsetNumber(page))
		return NULL;

	IndexTuple	payload = hamming_payload_at(page, off);

	return payload != NULL && ItemPointerCompare(&payload->t_tid, tid) == 0 ? payload : NULL;
}

/* Bytes of the variable-length value at `data`, of which `room` can be read; 0: damaged. */
static Size
varlena_size(const char *data, Size room)
{
	if (room == 0 || VARATT_IS_1B_E(data))	/* index tuples hold nothing out of line */
		return 0;
	if (VARATT_IS_1B(data))
		return VARSIZE_1B(data);
	if (room < VARHDRSZ ||
		VARSIZE_4B(data) < (VARATT_IS_4B_C(data) ? VARHDRSZ_COMPRESSED : VARHDRSZ))
		return 0;
	return VARSIZE_4B(data);
}

/* Walks over the values as index_deform_tuple() does, which trusts every length. */
static bool
values_fit(IndexTuple payload, TupleDesc desc)
{
	const char *data = (const char *) payload;
	const uint8 *nulls = (const uint8 *) payload + sizeof(IndexTupleData);
	Size		end = IndexTupleSize(payload);
	Size		at = IndexInfoFindDataOffset(payload->t_info);

	for (int i = 0; i < desc->natts && at <= end; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		Size		size = column->attlen;

		if (IndexTupleHasNulls(payload) && att_isnull(i, nulls))
			continue;
		if (column->attlen == -1)
		{
			if (at == end)
				return false;
			at = att_align_pointer(at, column->attalign, -1, data + at);
			size = at < end ? varlena_size(data + at, end - at) : 0;
			if (size == 0)
				return false;
		}
		else
		{
			at = att_align_nominal(at, column->attalign);
			if (column->attlen == -2)
				size = at < end ? strnlen(data + at, end - at) + 1 : 1;
		}
		at += size;
	}
	return at <= end;
}

bool
hamming_payload_deform(Relation index, IndexTuple payload, Datum *values, bool *isnull)
{
	TupleDesc	desc = payload_desc(index);
	bool		fits = values_fit(payload, desc);

	if (fits)
		index_deform_tuple(payload, desc, values + 1, isnull + 1);
	FreeTupleDesc(desc);
	return fits;
}
