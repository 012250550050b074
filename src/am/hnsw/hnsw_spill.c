/*
 * hnsw_spill.c
 *	  Records of one size in a temporary file.
 */
#include "am/hnsw/hnsw_spill.h"

HnswSpill
hnsw_spill_new(Size bytes)
{
	return (HnswSpill) {.context = CurrentMemoryContext,.bytes = bytes};
}

void
hnsw_spill_add(HnswSpill *spill, void *record)
{
	if (spill->file == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(spill->context);

		spill->file = BufFileCreateTemp(false);
		MemoryContextSwitchTo(old);
	}
	BufFileWrite(spill->file, record, spill->bytes);
	spill->count++;
}

void
hnsw_spill_rewind(HnswSpill *spill)
{
	spill->next = 0;
	if (spill->file != NULL && BufFileSeek(spill->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind a temporary file of an index build")));
}

size_t
hnsw_spill_read(HnswSpill *spill, void *records, size_t most)
{
	size_t		count = Min(most, spill->count - spill->next);

	if (count > 0 &&
		BufFileRead(spill->file, records, count * spill->bytes) != count * spill->bytes)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read a temporary file of an index build")));
	spill->next += count;
	return count;
}

void
hnsw_spill_end(HnswSpill *spill)
{
	if (spill->file != NULL)
		BufFileClose(spill->file);
	spill->file = NULL;
	spill->count = 0;
}
