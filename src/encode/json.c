/*
 * json.c
 *	  Looking into a jsonb that a user wrote: values by key, lists, names, numbers.
 */
#include "hashidx.h"

#include <math.h>

#include "utils/fmgrprotos.h"

#include "encode/json.h"
#include "type/literal.h"

JsonbValue *
hx_json_find(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, (int) strlen(key), NULL);
}

JsonbContainer *
hx_json_list(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		return NULL;
	return value->val.binary.data;
}

JsonbContainer *
hx_json_object(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return NULL;
	return value->val.binary.data;
}

bool
hx_json_next_element(JsonbIterator **iterator, JsonbValue *element)
{
	JsonbIteratorToken token = JsonbIteratorNext(iterator, element, true);

	if (token == WJB_BEGIN_ARRAY)
		token = JsonbIteratorNext(iterator, element, true);
	return token == WJB_ELEM;
}

bool
hx_json_next_key(JsonbIterator **iterator, JsonbValue *key)
{
	JsonbIteratorToken token;

	do
		token = JsonbIteratorNext(iterator, key, true);
	while (token == WJB_BEGIN_OBJECT || token == WJB_VALUE);
	return token == WJB_KEY;
}

bool
hx_json_is(const JsonbValue *string, const char *name)
{
	return string->val.string.len == (int) strlen(name) &&
		memcmp(string->val.string.val, name, string->val.string.len) == 0;
}

char *
hx_json_copy(const JsonbValue *string)
{
	return pnstrdup(string->val.string.val, string->val.string.len);
}

char *
hx_json_shown(const JsonbValue *string)
{
	return hx_literal_cut(string->val.string.val, string->val.string.len);
}

/* Through text, which rounds once where the way through double would round twice. */
float
hx_json_float(const JsonbValue *number)
{
	Datum		numeric = NumericGetDatum(number->val.numeric);
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, numeric));
	float		value = strtof(text, NULL);

	pfree(text);
	return value;
}

int
hx_json_whole(const JsonbValue *value, const char *what, int least, int most)
{
	float		number = value != NULL && value->type == jbvNumeric ? hx_json_float(value) : NAN;

	/* A comparison with NaN is false. */
	if (!(number >= least && number <= most && number == floorf(number)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a whole number from %d to %d", what, least, most)));
	return (int) number;
}
