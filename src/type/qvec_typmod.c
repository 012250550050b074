/*
 * qvec_typmod.c
 *	  The type modifier qvec(dimensions [, format]): reading and printing it,
 *	  and making a value obey it.
 */
#include "hashidx.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "type/qvec.h"

HX_FUNCTION(hashidx_qvec_typmod_in);
HX_FUNCTION(hashidx_qvec_typmod_out);
HX_FUNCTION(hashidx_qvec);

static QvecFormat
parse_format(const char *name)
{
	for (int format = 0; format < QVEC_FORMATS; format++)
	{
		if (pg_strcasecmp(name, hx_qvec_format_name(format)) == 0)
			return (QvecFormat) format;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown qvec format \"%s\"", name),
			 errhint("The formats are f32, f16, int8 and int4.")));
	pg_unreachable();
}

static int
parse_dims(const char *number)
{
	int			dims = pg_strtoint32(number);

	if (dims < 1 || dims > HX_QVEC_MAX_DIMS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dimensions of type %s must be between 1 and %d", "qvec",
						HX_QVEC_MAX_DIMS),
				 errdetail("The type modifier asks for %d.", dims)));
	return dims;
}

/* qvec_typmod_in(cstring[]) returns integer */
Datum
hashidx_qvec_typmod_in(PG_FUNCTION_ARGS)
{
	ArrayType  *modifiers = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *words;
	int			count;

	deconstruct_array(modifiers, CSTRINGOID, -2, false, TYPALIGN_CHAR, &words, NULL, &count);
	if (count != 1 && count != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid type modifier for type %s", "qvec"),
				 errhint("Write qvec(dimensions) or qvec(dimensions, format).")));

	int			dims = parse_dims(DatumGetCString(words[0]));
	QvecFormat	format = count == 2 ? parse_format(DatumGetCString(words[1])) : QVEC_F32;

	PG_RETURN_INT32(hx_qvec_typmod(dims, format));
}

/* qvec_typmod_out(integer) returns cstring */
Datum
hashidx_qvec_typmod_out(PG_FUNCTION_ARGS)
{
	int32		typmod = PG_GETARG_INT32(0);

	if (typmod == -1 || !hx_qvec_typmod_is_valid(typmod))
		PG_RETURN_CSTRING(pstrdup(""));

	int			dims = hx_qvec_typmod_dims(typmod);
	QvecFormat	format = hx_qvec_typmod_format(typmod);

	if (format == QVEC_F32)
		PG_RETURN_CSTRING(psprintf("(%d)", dims));
	PG_RETURN_CSTRING(psprintf("(%d,%s)", dims, hx_qvec_format_name(format)));
}

Datum
hx_qvec_coerce(Datum datum, int32 typmod)
{
	if (typmod == -1)
		return datum;

	QvecView	header = hx_qvec_header(datum);

	hx_qvec_check_typmod(header.dims, typmod, NULL);
	if (header.format == hx_qvec_typmod_format(typmod))
		return datum;

	QvecFloats	v = hx_qvec_floats(datum);

	return PointerGetDatum(hx_qvec_make_typmod(v.values, v.dims, typmod, NULL));
}

/*
 * qvec(qvec, integer, boolean) returns qvec: the cast to qvec(dimensions, format),
 * the same on assignment and when it is written out.
 */
Datum
hashidx_qvec(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(hx_qvec_coerce(PG_GETARG_DATUM(0), PG_GETARG_INT32(1)));
}
