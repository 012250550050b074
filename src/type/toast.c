/*
 * toast.c
 *	  Values that lie outside their rows, fetched one after another.
 *
 * The server keeps such a value in chunks, rows of the TOAST table, and finds them in its index:
 * of the 2.4 us that a vector of 768 floats takes, most go there. A scan reads values in the
 * order in which they were stored, mostly, and then the chunks of one follow those of the one
 * before. So here the places that follow are looked at first. Where they do not have the value,
 * the server fetches it as ever, and later the index tells anew where one lies.
 *
 * What is kept from value to value is a guess, no more: a chunk says which value it belongs to,
 * and no two live ones have the same id and number. See README.
 */
#include "hashidx.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/table.h"
#include "access/toast_internals.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "type/toast.h"

/* Columns of a TOAST table. */
#define CHUNK_ID 1
#define CHUNK_SEQ 2
#define CHUNK_DATA 3

/* Places where a value may begin: other columns may lie between this value and the one before. */
#define PLACES_TRIED 8

/* After so many misses in a row, one value in 2^MOST_MISSES is still tried. */
#define MOST_MISSES 8

/* The last chunk of the value fetched last; no table: nothing is known. */
static struct
{
	Oid			table;
	ItemPointerData last;
}			place;

static unsigned misses;			/* in a row */
static unsigned skip;			/* values that are left to the server */

/* A chunk at hand, as long as its page is pinned. */
typedef struct Chunk
{
	HeapTupleData row;
	Buffer		buffer;
	Oid			value;			/* that it belongs to; InvalidOid when it is of no use */
	int32		number;
	const char *data;
	Size		size;
} Chunk;

/*
 * Whether a row was inserted for good, or by us, and nobody has begun to delete it: such a row
 * is in the index, and no other row of one value and number is.
 */
static bool
is_live(HeapTupleHeader header)
{
	if ((header->t_infomask & HEAP_XMAX_INVALID) == 0)
		return false;
	if (HeapTupleHeaderXminCommitted(header))
		return true;

	TransactionId inserter = HeapTupleHeaderGetXmin(header);

	return TransactionIdIsCurrentTransactionId(inserter) || TransactionIdDidCommit(inserter);
}

/* Takes the columns apart; false when the row is not what a chunk should be. */
static bool
read_columns(Relation table, Chunk *chunk)
{
	TupleDesc	desc = RelationGetDescr(table);
	bool		null[3];
	Datum		value = heap_getattr(&chunk->row, CHUNK_ID, desc, &null[0]);
	Datum		number = heap_getattr(&chunk->row, CHUNK_SEQ, desc, &null[1]);
	Datum		data = heap_getattr(&chunk->row, CHUNK_DATA, desc, &null[2]);
	struct varlena *bytes = (struct varlena *) DatumGetPointer(data);

	if (null[0] || null[1] || null[2] || VARATT_IS_EXTERNAL(bytes) || VARATT_IS_COMPRESSED(bytes))
		return false;
	chunk->value = DatumGetObjectId(value);
	chunk->number = DatumGetInt32(number);
	chunk->data = VARDATA_ANY(bytes);
	chunk->size = VARSIZE_ANY_EXHDR(bytes);
	return true;
}

/* Pins the page of a place and reads the row there; false, and no pin, without one. */
static bool
read_chunk(Relation table, ItemPointerData at, Chunk *chunk)
{
	chunk->row.t_self = at;
	if (!heap_fetch(table, SnapshotAny, &chunk->row, &chunk->buffer, false))
		return false;
	if (!is_live(chunk->row.t_data) || !read_columns(table, chunk))
		chunk->value = InvalidOid;
	return true;
}

/* The row after a place: the next one of its page, or the first of the page that follows. */
static bool
read_next_chunk(Relation table, BlockNumber blocks, ItemPointerData *at, Chunk *chunk)
{
	const BlockNumber block = ItemPointerGetBlockNumberNoCheck(at);

	ItemPointerSet(at, block, OffsetNumberNext(ItemPointerGetOffsetNumberNoCheck(at)));
	if (read_chunk(table, *at, chunk))
		return true;
	if (block + 1 >= blocks)
		return false;
	ItemPointerSet(at, block + 1, FirstOffsetNumber);
	return read_chunk(table, *at, chunk);
}

/* Copies the chunks that follow `at`, if they are all of the value; `at` becomes the last. */
static bool
copy_chunks(Relation table, const struct varatt_external *pointer, ItemPointerData *at, char *out)
{
	const Size	size = VARATT_EXTERNAL_GET_EXTSIZE(*pointer);
	const BlockNumber blocks = RelationGetNumberOfBlocks(table);
	int			tries = 0;
	Size		done = 0;
	Chunk		chunk;

	/* The table may have been cut short since. */
	if (ItemPointerGetBlockNumberNoCheck(at) >= blocks)
		return false;
	for (int32 number = 0; done < size; number++)
	{
		bool		found = false;

		while (!found)
		{
			if (!read_next_chunk(table, blocks, at, &chunk))
				return false;
			found = chunk.value == pointer->va_valueid && chunk.number == number &&
				chunk.size == Min(size - done, TOAST_MAX_CHUNK_SIZE);
			if (found)
				memcpy(out + done, chunk.data, chunk.size);
			ReleaseBuffer(chunk.buffer);
			if (!found && (number > 0 || ++tries == PLACES_TRIED))
				return false;
		}
		done += chunk.size;
	}
	return true;
}

/* The value, where it follows the one fetched last; else NULL, and that is forgotten. */
static struct varlena *
fetch_next(const struct varatt_external *pointer)
{
	ItemPointerData at = place.last;
	const Oid	known = place.table;
	struct varlena *value = NULL;

	place.table = InvalidOid;
	if (known == pointer->va_toastrelid)
	{
		Relation	table = table_open(known, AccessShareLock);

		value = palloc(pointer->va_rawsize);
		SET_VARSIZE(value, pointer->va_rawsize);
		if (table->rd_rel->relam != HEAP_TABLE_AM_OID ||
			!copy_chunks(table, pointer, &at, VARDATA(value)))
		{
			pfree(value);
			value = NULL;
		}
		table_close(table, AccessShareLock);
	}
	if (value == NULL)
	{
		misses += misses < MOST_MISSES;
		skip = (1u << misses) - 1;
		return NULL;
	}
	misses = 0;
	place.table = known;
	place.last = at;
	return value;
}

/* Looks up in the index where the value's last chunk is, so that the next one can follow. */
static void
find_last_chunk(const struct varatt_external *pointer)
{
	const int32 last = (int32) ((VARATT_EXTERNAL_GET_EXTSIZE(*pointer) - 1) / TOAST_MAX_CHUNK_SIZE);
	Relation	table = table_open(pointer->va_toastrelid, AccessShareLock);
	Relation   *indexes;
	int			index_count;
	int			valid = toast_open_indexes(table, AccessShareLock, &indexes, &index_count);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&keys[0], CHUNK_ID, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(pointer->va_valueid));
	ScanKeyInit(&keys[1], CHUNK_SEQ, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(last));
	scan = systable_beginscan_ordered(table, indexes[valid], SnapshotAny, 2, keys);
	row = systable_getnext_ordered(scan, ForwardScanDirection);
	if (row != NULL)
	{
		place.table = pointer->va_toastrelid;
		place.last = row->t_self;
	}
	systable_endscan_ordered(scan);
	toast_close_indexes(indexes, index_count, AccessShareLock);
	table_close(table, AccessShareLock);
}

struct varlena *
hx_toast_fetch(struct varlena *value)
{
	struct varatt_external pointer;

	if (!VARATT_IS_EXTERNAL_ONDISK(value))
		return pg_detoast_datum_packed(value);
	VARATT_EXTERNAL_GET_POINTER(pointer, value);
	if (VARATT_EXTERNAL_IS_COMPRESSED(pointer))
		return pg_detoast_datum_packed(value);

	if (OidIsValid(place.table))
	{
		struct varlena *fetched = fetch_next(&pointer);

		return fetched != NULL ? fetched : pg_detoast_datum_packed(value);
	}
	value = pg_detoast_datum_packed(value);
	if (skip > 0)
		skip--;
	else
		find_last_chunk(&pointer);
	return value;
}
