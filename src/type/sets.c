/*
 * sets.c
 *	  Arrays as sets: Jaccard distance and Tversky similarity of int4[], int8[]
 *	  and text[].
 *
 * The set of an array is that of all its elements, whatever its dimensions;
 * an element counts once however often it occurs, text is compared byte by
 * byte. Both arrays are turned into ascending sequences of distinct items, and
 * one merge counts what they have in common.
 */
#include "hashidx.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "type/similarity.h"

HX_FUNCTION(hashidx_array_jaccard_distance);
HX_FUNCTION(hashidx_array_jaccard_within);
HX_FUNCTION(hashidx_array_tversky_similarity);

/* An item of a set of strings. */
typedef struct Text
{
	const char *bytes;			/* in the array */
	Size		length;
} Text;

typedef int (*ItemCompare) (const void *a, const void *b);

/* Ascending distinct items; which of the two member types they are, the compare function knows. */
typedef struct Set
{
	uint64		count;
	Size		item_size;
	void	   *items;
	ItemCompare compare;
} Set;

static int
compare_integers(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

static int
compare_texts(const void *a, const void *b)
{
	const Text *x = a;
	const Text *y = b;
	int			order = memcmp(x->bytes, y->bytes, Min(x->length, y->length));

	return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

#define ST_SORT sort_integers
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) compare_integers(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_texts
#define ST_ELEMENT_TYPE Text
#define ST_COMPARE(a, b) compare_texts(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Keeps one of each run of equal items. */
static void
drop_duplicates(Set *set)
{
	char	   *items = set->items;
	uint64		kept = 0;

	for (uint64 i = 0; i < set->count; i++)
	{
		char	   *item = items + i * set->item_size;

		if (kept > 0 && set->compare(items + (kept - 1) * set->item_size, item) == 0)
			continue;
		memmove(items + kept * set->item_size, item, set->item_size);
		kept++;
	}
	set->count = kept;
}

/* The elements of an int4 or int8 array, which lie without gaps. */
static Set
read_integers(ArrayType *array)
{
	uint64		count = (uint64) ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	int64	   *items = palloc_array(int64, count);

	if (ARR_ELEMTYPE(array) == INT8OID)
		memcpy(items, ARR_DATA_PTR(array), count * sizeof(int64));
	else
	{
		const int32 *elements = (const int32 *) ARR_DATA_PTR(array);

		for (uint64 i = 0; i < count; i++)
			items[i] = elements[i];
	}
	sort_integers(items, count);
	return (Set) {count, sizeof(int64), items, compare_integers};
}

/* The elements of a text array; the items point into it. */
static Set
read_texts(ArrayType *array)
{
	Datum	   *elements;
	int			count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &count);

	Text	   *items = palloc_array_extended(Text, count, MCXT_ALLOC_HUGE);

	for (int i = 0; i < count; i++)
	{
		const struct varlena *element = (const struct varlena *) DatumGetPointer(elements[i]);

		items[i] = (Text) {VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element)};
	}
	sort_texts(items, (size_t) count);
	return (Set) {(uint64) count, sizeof(Text), items, compare_texts};
}

/* The set of an array; an error when it contains nulls. */
static Set
read_set(ArrayType *array)
{
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array must not contain nulls")));

	Set			set;

	switch (ARR_ELEMTYPE(array))
	{
		case INT4OID:
		case INT8OID:
			set = read_integers(array);
			break;
		case TEXTOID:
			set = read_texts(array);
			break;
		default:
			elog(ERROR, "no sets of elements of type %u", ARR_ELEMTYPE(array));
	}
	drop_duplicates(&set);
	return set;
}

/* Counts what two arrays of one type hold and have in common, which one merge finds. */
static SetCounts
count_sets(ArrayType *left, ArrayType *right)
{
	Set			a = read_set(left);
	Set			b = read_set(right);
	uint64		common = 0;

	for (uint64 i = 0, j = 0; i < a.count && j < b.count;)
	{
		int			order = a.compare((char *) a.items + i * a.item_size,
									  (char *) b.items + j * b.item_size);

		common += order == 0;
		i += order <= 0;
		j += order >= 0;
	}
	return (SetCounts) {a.count, b.count, common};
}

/* jaccard_distance(array, array) returns double precision */
Datum
hashidx_array_jaccard_distance(PG_FUNCTION_ARGS)
{
	SetCounts	counts = count_sets(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1));

	PG_RETURN_FLOAT8(hx_jaccard_distance(counts));
}

/* jaccard_within(array, array, r double precision) returns boolean */
Datum
hashidx_array_jaccard_within(PG_FUNCTION_ARGS)
{
	SetCounts	counts = count_sets(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1));

	PG_RETURN_BOOL(hx_jaccard_within(counts, PG_GETARG_FLOAT8(2)));
}

/* tversky_similarity(array, array, alpha double precision, beta double precision) */
Datum
hashidx_array_tversky_similarity(PG_FUNCTION_ARGS)
{
	SetCounts	counts = count_sets(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1));

	PG_RETURN_FLOAT8(hx_tversky_similarity(counts, PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)));
}
