/*
 * options.c
 *	  Reading the options of a function, an object of JSON, into variables.
 */
#include "hashidx.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "encode/json.h"
#include "encode/options.h"

/* What an option takes, for messages. */
static char *
describe_values(const Option *option)
{
	switch (option->sort)
	{
		case OPTION_NUMBER:
			return psprintf("a number from %g to %g", option->least, option->most);
		case OPTION_WHOLE:
			return psprintf("a whole number from %.0f to %.0f", option->least, option->most);
		case OPTION_BOOLEAN:
			return pstrdup("true or false");
		case OPTION_BIGINT:
			return pstrdup("a whole number in the range of bigint");
		case OPTION_NAME:
			break;
	}
	return pstrdup("a name");
}

/* Refuses the value of an option. */
pg_noreturn static void
refuse(const Option *option)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s", option->name, describe_values(option))));
}

static Datum
need_numeric(const Option *option, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		refuse(option);
	return NumericGetDatum(value->val.numeric);
}

static double
read_number(const Option *option, const JsonbValue *value)
{
	Datum		numeric = need_numeric(option, value);
	double		number = strtod(DatumGetCString(DirectFunctionCall1(numeric_out, numeric)), NULL);

	if (!(number >= option->least && number <= option->most) ||
		(option->sort == OPTION_WHOLE && number != rint(number)))
		refuse(option);
	return number;
}

static int64
read_bigint(const Option *option, const JsonbValue *value)
{
	Datum		numeric = need_numeric(option, value);
	Datum		least = DirectFunctionCall1(int8_numeric, Int64GetDatum(PG_INT64_MIN));
	Datum		most = DirectFunctionCall1(int8_numeric, Int64GetDatum(PG_INT64_MAX));

	if (DatumGetBool(DirectFunctionCall2(numeric_lt, numeric, least)) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, numeric, most)) ||
		!DatumGetBool(DirectFunctionCall2(numeric_eq, numeric,
										  DirectFunctionCall1(numeric_floor, numeric))))
		refuse(option);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, numeric));
}

static void
read_value(const Option *option, const JsonbValue *value)
{
	switch (option->sort)
	{
		case OPTION_NUMBER:
		case OPTION_WHOLE:
			*(double *) option->value = read_number(option, value);
			break;
		case OPTION_BIGINT:
			*(int64 *) option->value = read_bigint(option, value);
			break;
		case OPTION_BOOLEAN:
			if (value->type != jbvBool)
				refuse(option);
			*(double *) option->value = value->val.boolean;
			break;
		case OPTION_NAME:
			if (value->type != jbvString)
				refuse(option);
			*(char **) option->value = hx_json_copy(value);
			break;
	}
}

static const Option *
find_option(const JsonbValue *key, const Option *options, int count)
{
	StringInfoData known;

	for (int i = 0; i < count; i++)
	{
		if (hx_json_is(key, options[i].name))
			return &options[i];
	}

	initStringInfo(&known);
	for (int i = 0; i < count; i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", options[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%s\"", hx_json_shown(key)),
			 errhint("Options are %s.", known.data)));
}

void
hx_options_read(Jsonb *json, const Option *options, int count)
{
	JsonbIterator *iterator;
	JsonbValue	key;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("For example: {\"seed\": 1}.")));
	iterator = JsonbIteratorInit(&json->root);
	while (hx_json_next_key(&iterator, &key))
	{
		const Option *option = find_option(&key, options, count);

		read_value(option, hx_json_find(&json->root, option->name));
	}
}
