/*
 * hamming_leaf.c
 *	  The division of a full leaf; see hamming_leaf.h.
 *
 * The occasional split is most of what an insert into a table costs. So each code is looked at
 * once: its key decides to which side all of its rows go, unless it is the key at which the leaf
 * is divided.
 */
#include "am/hamming/hamming_leaf.h"

/* A code of the leaf and its first row, by number. */
typedef struct LeafCode
{
	uint32		key;
	uint16		code;
	uint16		first;
} LeafCode;

#define ST_SORT sort_codes
#define ST_ELEMENT_TYPE LeafCode
#define ST_COMPARE(a, b) \
	((a)->key != (b)->key ? ((a)->key < (b)->key ? -1 : 1) : (int) (a)->code - (int) (b)->code)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_points
#define ST_ELEMENT_TYPE HammingPoint
#define ST_COMPARE(a, b) hamming_point_compare(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Row number i of the contents, without the flag; *begins: it is the first one of its code. */
static HammingRow
row_at(const HammingPacker *contents, int i, bool *begins)
{
	HammingRow	row = contents->row_data[i];

	*begins = (row.tid.ip_posid & HAMMING_ROW_CONTINUES) == 0;
	row.tid.ip_posid &= ~HAMMING_ROW_CONTINUES;
	return row;
}

/* Lists the codes in the order of keys, and the points of all rows in theirs. */
static void
list_contents(const HammingTables *tables, int chunk, const HammingPacker *contents,
			  LeafCode *codes, HammingPoint *points)
{
	int			count = 0;

	for (int i = 0; i < contents->rows; i++)
	{
		bool		begins;
		HammingRow	row = row_at(contents, i, &begins);

		if (begins)
		{
			const uint8 *code = contents->code_data + count * contents->shape.code_bytes;

			codes[count] = (LeafCode) {hx_chunk_key(&tables->chunks, chunk, code), count, i};
			count++;
		}
		points[i] = hamming_point(codes[count - 1].key, row.tid);
	}
	sort_codes(codes, count);
	sort_points(points, contents->rows);
}

/* The last of the points on the left: near the middle, before one that differs; -1: none. */
static int
choose_last(const HammingPoint *points, int count)
{
	int			last;

	for (last = (count - 1) / 2; last >= 0; last--)
		if (last + 1 < count && hamming_point_compare(&points[last], &points[last + 1]) < 0)
			return last;
	for (last = count / 2; last + 1 < count; last++)
		if (hamming_point_compare(&points[last], &points[last + 1]) < 0)
			return last;
	return -1;
}

bool
hamming_leaf_divide(const HammingTables *tables, int chunk, const HammingPacker *contents,
					HammingPacker *left, HammingPacker *right, HammingPoint *last)
{
	LeafCode   *codes = palloc(Max(contents->codes, 1) * sizeof(LeafCode));
	HammingPoint *points = palloc(Max(contents->rows, 1) * sizeof(HammingPoint));

	list_contents(tables, chunk, contents, codes, points);

	int			at = choose_last(points, contents->rows);

	if (at >= 0)
		*last = points[at];
	for (int i = 0; at >= 0 && i < contents->codes; i++)
	{
		const uint8 *code = contents->code_data + codes[i].code * contents->shape.code_bytes;
		bool		begins;
		HammingRow	row = row_at(contents, codes[i].first, &begins);

		for (int r = codes[i].first;;)
		{
			HammingPoint point = hamming_point(codes[i].key, row.tid);

			hamming_packer_add(hamming_point_compare(&point, last) <= 0 ? left : right, code, row);
			if (++r == contents->rows)
				break;
			row = row_at(contents, r, &begins);
			if (begins)
				break;
		}
	}
	pfree(points);
	pfree(codes);
	return at >= 0;
}
