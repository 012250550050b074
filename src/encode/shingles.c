/*
 * shingles.c
 *	  hashidx_shingles: the set of all runs of words or characters of a text, and
 *	  hashidx_element_hashes: sets of strings as sets of numbers.
 *
 * What a word is must not depend on a locale, as the result may be kept in an index: words
 * are runs of ASCII letters, ASCII digits and of all characters beyond ASCII. Nor is case
 * folded: lower() and unaccent() do that better, before.
 */
#include "hashidx.h"

#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "type/elements.h"

HX_FUNCTION(hashidx_shingles);
HX_FUNCTION(hashidx_element_hashes);

#define MAX_SIZE 100

/* A text cut into units, words or characters, that lie one after the other. */
typedef struct Units
{
	char	   *bytes;			/* a copy with one space between words, none at the ends */
	int		   *begins;			/* of each unit in bytes; and one more, of what would follow */
	int			count;
	int			gap;			/* bytes between two units: 1 for words */
} Units;

static bool
is_word_byte(unsigned char c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_space_byte(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Copies the text; each run of bytes that do not belong becomes a space. */
static Units
copy_text(const text *source, bool (*belongs) (unsigned char c))
{
	const int	length = VARSIZE_ANY_EXHDR(source);
	const char *from = VARDATA_ANY(source);
	Units		units = {palloc(length + 1), palloc_array(int, (Size) length + 2), 0, 0};
	int			used = 0;

	for (int i = 0; i < length; i++)
	{
		if (belongs(from[i]))
			units.bytes[used++] = from[i];
		else if (used > 0 && units.bytes[used - 1] != ' ')
			units.bytes[used++] = ' ';
	}
	if (used > 0 && units.bytes[used - 1] == ' ')
		used--;
	units.bytes[used] = '\0';
	units.begins[0] = used;		/* for now; the units are found from it */
	return units;
}

static Units
cut_words(const text *source)
{
	Units		units = copy_text(source, is_word_byte);
	const int	length = units.begins[0];

	units.gap = 1;
	for (int i = 0; i < length; i++)
	{
		if (i == 0 || units.bytes[i - 1] == ' ')
			units.begins[units.count++] = i;
	}
	units.begins[units.count] = length + 1;
	return units;
}

static bool
is_no_space(unsigned char c)
{
	return !is_space_byte(c);
}

static Units
cut_characters(const text *source)
{
	Units		units = copy_text(source, is_no_space);
	const int	length = units.begins[0];
	int			at = 0;

	while (at < length)
	{
		units.begins[units.count++] = at;
		at += Min(pg_mblen(units.bytes + at), length - at);
	}
	units.begins[units.count] = length;
	return units;
}

/* A shingle, within the units' bytes. */
typedef struct Shingle
{
	const char *bytes;
	int			length;
} Shingle;

static int
compare_shingles(const Shingle *a, const Shingle *b)
{
	int			order = memcmp(a->bytes, b->bytes, Min(a->length, b->length));

	return order != 0 ? order : a->length - b->length;
}

#define ST_SORT sort_shingles
#define ST_ELEMENT_TYPE Shingle
#define ST_COMPARE(a, b) compare_shingles(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_hashes
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) (*(a) > *(b)) - (*(a) < *(b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Every run of `size` units; all of them together where there are fewer. */
static Datum
make_shingles(const Units *units, int size)
{
	const int	count = units->count == 0 ? 0 : Max(units->count - size + 1, 1);
	Shingle    *shingles = palloc_array(Shingle, count);
	Datum	   *elements = palloc_array(Datum, count);
	int			kept = 0;

	for (int i = 0; i < count; i++)
	{
		int			end = units->begins[Min(i + size, units->count)] - units->gap;

		shingles[i] = (Shingle) {units->bytes + units->begins[i], end - units->begins[i]};
	}
	sort_shingles(shingles, count);
	for (int i = 0; i < count; i++)
	{
		if (i == 0 || compare_shingles(&shingles[i - 1], &shingles[i]) != 0)
			elements[kept++] = PointerGetDatum(cstring_to_text_with_len(shingles[i].bytes,
																		shingles[i].length));
	}
	return PointerGetDatum(construct_array(elements, kept, TEXTOID, -1, false, TYPALIGN_INT));
}

/* hashidx_shingles(text, size integer, unit text) returns text[] */
Datum
hashidx_shingles(PG_FUNCTION_ARGS)
{
	const text *source = PG_GETARG_TEXT_PP(0);
	int32		size = PG_GETARG_INT32(1);
	const char *unit = text_to_cstring(PG_GETARG_TEXT_PP(2));
	Units		units;

	if (size < 1 || size > MAX_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("size of a shingle must be between 1 and %d", MAX_SIZE),
				 errdetail("Asked for was %d.", size)));
	if (strcmp(unit, "words") == 0)
		units = cut_words(source);
	else if (strcmp(unit, "characters") == 0)
		units = cut_characters(source);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown unit of shingles \"%s\"", unit),
				 errhint("Units are words, characters.")));
	return make_shingles(&units, size);
}

/* hashidx_element_hashes(anyarray) returns bigint[]: ascending, each once */
Datum
hashidx_element_hashes(PG_FUNCTION_ARGS)
{
	Size		count;
	int64	   *hashes = (int64 *) hx_elements_hash(PG_GETARG_ARRAYTYPE_P(0), &count);
	Datum	   *elements = palloc_array(Datum, count);
	int			kept = 0;

	sort_hashes(hashes, count);
	for (Size i = 0; i < count; i++)
	{
		if (i == 0 || hashes[i - 1] != hashes[i])
			elements[kept++] = Int64GetDatum(hashes[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, kept, INT8OID, sizeof(int64), true,
										  TYPALIGN_DOUBLE));
}
