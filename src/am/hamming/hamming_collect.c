/*
 * hamming_collect.c
 *	  Keeping the nearest rows of a scan; see hamming_collect.h.
 */
#include "am/hamming/hamming_collect.h"

#define ST_SORT sort_found
#define ST_ELEMENT_TYPE HammingFound
#define ST_COMPARE(a, b) ((a)->key < (b)->key ? -1 : (a)->key > (b)->key)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

Size
hamming_collector_row_size(int code_bytes)
{
	return 2 * (sizeof(HammingFound) + 2 * (Size) code_bytes);
}

void
hamming_collector_init(HammingCollector *collector, int want, int code_bytes)
{
	Size		slots = mul_size(2, want);

	collector->want = want;
	collector->code_bytes = code_bytes;
	collector->found = palloc_extended(mul_size(slots, sizeof(HammingFound)), MCXT_ALLOC_HUGE);
	if (code_bytes > 0)
	{
		collector->codes = palloc_extended(mul_size(slots, code_bytes), MCXT_ALLOC_HUGE);
		collector->spare = palloc_extended(mul_size(slots, code_bytes), MCXT_ALLOC_HUGE);
	}
	hamming_collector_start(collector, 0);
}

void
hamming_collector_start(HammingCollector *collector, uint64 after)
{
	collector->count = 0;
	collector->after = after;
	collector->limit = PG_UINT64_MAX;
	collector->overflowed = false;
}

/* Brings the codes into the order of the rows, so that the slots after them are free. */
static void
move_codes(HammingCollector *collector)
{
	int			code_bytes = collector->code_bytes;
	uint8	   *moved = collector->spare;

	for (int i = 0; i < collector->count; i++)
	{
		HammingFound *found = &collector->found[i];

		memcpy(moved + (Size) i * code_bytes, collector->codes + (Size) found->code * code_bytes,
			   code_bytes);
		found->code = i;
	}
	collector->spare = collector->codes;
	collector->codes = moved;
}

/* Sorts and drops all but the least `most`. */
static void
cut(HammingCollector *collector, int most)
{
	sort_found(collector->found, collector->count);
	if (collector->count > most)
	{
		collector->count = most;
		collector->overflowed = true;
	}
	if (collector->code_bytes > 0)
		move_codes(collector);
}

void
hamming_collector_take(HammingCollector *collector, uint64 key, ItemPointerData payload,
					   bool all_visible, const uint8 *code)
{
	HammingFound *found = &collector->found[collector->count];

	found->key = key;
	found->payload = payload;
	found->all_visible = all_visible;
	found->code = collector->count;
	if (collector->code_bytes > 0)
		memcpy(collector->codes + (Size) collector->count * collector->code_bytes, code,
			   collector->code_bytes);

	if (++collector->count == 2 * collector->want)
	{
		cut(collector, collector->want);
		collector->limit = collector->found[collector->count - 1].key;
	}
}

void
hamming_collector_finish(HammingCollector *collector)
{
	cut(collector, collector->want);
}

void
hamming_collector_finish_all(HammingCollector *collector)
{
	Assert(!collector->overflowed);
	cut(collector, collector->count);
}
