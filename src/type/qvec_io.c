/*
 * qvec_io.c
 *	  Text and binary input and output of qvec.
 *
 * Text is the list of numbers alone: the format comes from the type modifier.
 * Numbers are printed with the fewest digits that give the same float back, so
 * reading what was printed into the same format gives the same bytes.
 *
 * Binary form, all in network order: uint16 dimensions, uint16 format, then
 * what the format stores: f32 a float4 each, f16 a uint16 each, int8 and int4
 * float4 low, float4 high and the code bytes.
 */
#include "hashidx.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "libpq/pqformat.h"
#include "port/pg_bswap.h"

#include "math/decimal.h"
#include "type/literal.h"
#include "type/qvec.h"

/* Bytes of the bounds in front of int8 and int4 codes. */
#define RANGE_BYTES (2 * sizeof(float))

HX_FUNCTION(hashidx_qvec_in);
HX_FUNCTION(hashidx_qvec_out);
HX_FUNCTION(hashidx_qvec_recv);
HX_FUNCTION(hashidx_qvec_send);

/* The same in every locale. */
static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *
skip_space(const char *cursor)
{
	while (is_space(*cursor))
		cursor++;
	return cursor;
}

static bool
syntax_error(const char *text, const char *cursor, const char *expected, struct Node *escontext)
{
	ereturn(escontext, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"",
					"qvec", hx_literal_cut(text, strlen(text))),
			 errdetail("Expected %s at byte %d.", expected, (int) (cursor - text) + 1)));
}

/*
 * Reads "[x, y, ...]" into values, which has room for `room` numbers, and
 * counts them all in *dims. Numbers that are infinite as floats are refused later,
 * with all else that is not finite; those that are zero or denormal stay so.
 */
static bool
parse(const char *text, float *values, int room, int *dims, struct Node *escontext)
{
	const char *cursor = skip_space(text);
	int			count = 0;

	if (*cursor != '[')
		return syntax_error(text, cursor, "\"[\"", escontext);
	do
	{
		const char *end;

		cursor = skip_space(cursor + 1);
		float		value = hx_read_decimal(cursor, &end);

		if (end == cursor)
			return syntax_error(text, cursor, "a number", escontext);
		if (count < room)
			values[count] = value;
		count++;
		cursor = skip_space(end);
	} while (*cursor == ',');
	if (*cursor != ']')
		return syntax_error(text, cursor, "\",\" or \"]\"", escontext);
	cursor = skip_space(cursor + 1);
	if (*cursor != '\0')
		return syntax_error(text, cursor, "nothing more", escontext);

	*dims = count;
	return true;
}

/* qvec_in(cstring, oid, integer) returns qvec */
Datum
hashidx_qvec_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	int32		typmod = PG_GETARG_INT32(2);
	struct Node *escontext = fcinfo->context;
	int			room = Min(strlen(text) / 2 + 1, HX_QVEC_MAX_DIMS);
	float	   *values = palloc(room * sizeof(float));
	int			dims = 0;

	if (!parse(text, values, room, &dims, escontext))
		PG_RETURN_NULL();
	/* Before the typmod: numbers beyond the greatest dimension were only counted. */
	if (!hx_qvec_check_dims(dims, escontext))
		PG_RETURN_NULL();

	Qvec	   *result = hx_qvec_make_typmod(values, dims, typmod, escontext);

	if (result == NULL)
		PG_RETURN_NULL();
	pfree(values);
	PG_RETURN_POINTER(result);
}

/* qvec_out(qvec) returns cstring */
Datum
hashidx_qvec_out(PG_FUNCTION_ARGS)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));
	char	   *text = palloc(v.dims * FLOAT_SHORTEST_DECIMAL_LEN + sizeof("[]"));
	char	   *cursor = text;

	for (int i = 0; i < v.dims; i++)
	{
		*cursor++ = i == 0 ? '[' : ',';
		cursor += float_to_shortest_decimal_bufn(v.values[i], cursor);
	}
	*cursor++ = ']';
	*cursor = '\0';
	hx_qvec_release(&v);
	PG_RETURN_CSTRING(text);
}

/* Floats and halves travel as integers of their size. */
static void
send_floats(StringInfo message, const uint8 *data, int count)
{
	for (int i = 0; i < count; i++)
	{
		uint32		word;

		memcpy(&word, data + i * sizeof(word), sizeof(word));
		pq_sendint32(message, word);
	}
}

static void
send_halves(StringInfo message, const uint8 *data, int count)
{
	for (int i = 0; i < count; i++)
	{
		uint16		half;

		memcpy(&half, data + i * sizeof(half), sizeof(half));
		pq_sendint16(message, half);
	}
}

/* qvec_send(qvec) returns bytea */
Datum
hashidx_qvec_send(PG_FUNCTION_ARGS)
{
	QvecView	v = hx_qvec_view(PG_GETARG_DATUM(0));
	Size		bytes = hx_qvec_data_bytes(v.dims, v.format);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint16(&message, v.dims);
	pq_sendint16(&message, v.format);
	switch (v.format)
	{
		case QVEC_F32:
			send_floats(&message, v.data, v.dims);
			break;
		case QVEC_F16:
			send_halves(&message, v.data, v.dims);
			break;
		case QVEC_INT8:
		case QVEC_INT4:
			send_floats(&message, v.data, 2);
			pq_sendbytes(&message, (const char *) v.data + RANGE_BYTES, bytes - RANGE_BYTES);
			break;
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

static void
receive_floats(StringInfo message, uint8 *data, int count)
{
	const char *bytes = pq_getmsgbytes(message, count * sizeof(uint32));

	for (int i = 0; i < count; i++)
	{
		uint32		word;

		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		word = pg_ntoh32(word);
		memcpy(data + i * sizeof(word), &word, sizeof(word));
	}
}

static void
receive_halves(StringInfo message, uint8 *data, int count)
{
	const char *bytes = pq_getmsgbytes(message, count * sizeof(uint16));

	for (int i = 0; i < count; i++)
	{
		uint16		half;

		memcpy(&half, bytes + i * sizeof(half), sizeof(half));
		half = pg_ntoh16(half);
		memcpy(data + i * sizeof(half), &half, sizeof(half));
	}
}

/* Reads the header of a message, which must hold exactly what that announces. */
static void
receive_header(StringInfo message, int *dims, QvecFormat *format)
{
	Size		left = message->len - message->cursor;

	if (left < 2 * sizeof(uint16))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "qvec"),
				 errdetail("The header needs %zu bytes, the message has %zu.",
						   2 * sizeof(uint16), left)));
	*dims = pq_getmsgint(message, sizeof(uint16));
	*format = (QvecFormat) pq_getmsgint(message, sizeof(uint16));
	left -= 2 * sizeof(uint16);

	if (*dims < 1 || *dims > HX_QVEC_MAX_DIMS || *format >= QVEC_FORMATS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "qvec"),
				 errdetail("It has %d dimensions and format %d, not 1 to %d and 0 to %d.",
						   *dims, (int) *format, HX_QVEC_MAX_DIMS, QVEC_FORMATS - 1)));

	Size		expected = hx_qvec_data_bytes(*dims, *format);

	if (left != expected)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "qvec"),
				 errdetail("%d dimensions of format %s take %zu bytes, the message has %zu.",
						   *dims, hx_qvec_format_name(*format), expected, left)));
}

/* The bytes of the message as a qvec whose numbers nobody has looked at yet. */
static Qvec *
receive_bytes(StringInfo message)
{
	int			dims;
	QvecFormat	format;

	receive_header(message, &dims, &format);

	Size		bytes = hx_qvec_data_bytes(dims, format);
	Qvec	   *result = palloc(HX_QVEC_HEADER + bytes);

	SET_VARSIZE(result, HX_QVEC_HEADER + bytes);
	result->dims = dims;
	result->format = format;
	switch (format)
	{
		case QVEC_F32:
			receive_floats(message, result->data, dims);
			break;
		case QVEC_F16:
			receive_halves(message, result->data, dims);
			break;
		case QVEC_INT8:
		case QVEC_INT4:
			receive_floats(message, result->data, 2);
			pq_copymsgbytes(message, (char *) result->data + RANGE_BYTES, bytes - RANGE_BYTES);
			break;
	}
	return result;
}

static void
check_bounds(const Qvec *raw)
{
	float		range[2];

	memcpy(range, raw->data, sizeof(range));
	if (!isfinite(range[0]) || !isfinite(range[1]) || range[0] > range[1])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "qvec"),
				 errdetail("The least number is %g, the greatest %g.", range[0], range[1])));
}

/*
 * The canonical form of what came over the wire. f32 and f16 may bring -0. The
 * bounds of int8 and int4 must be in order; then bytes that decode to numbers
 * which encode to the same bytes are canonical. Others are refused rather than
 * changed: only a broken client makes them.
 */
static Qvec *
make_canonical(const Qvec *raw)
{
	bool		has_bounds = raw->format == QVEC_INT8 || raw->format == QVEC_INT4;

	if (has_bounds)
		check_bounds(raw);

	QvecFloats	v = hx_qvec_floats(PointerGetDatum(raw));
	Qvec	   *result = hx_qvec_make(v.values, v.dims, v.format, NULL);

	if (has_bounds && memcmp(raw, result, VARSIZE(result)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "qvec"),
				 errdetail("Its numbers, encoded as %s, give other bytes.",
						   hx_qvec_format_name(v.format))));
	hx_qvec_release(&v);
	return result;
}

/* qvec_recv(internal, oid, integer) returns qvec */
Datum
hashidx_qvec_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int32		typmod = PG_GETARG_INT32(2);
	Qvec	   *raw = receive_bytes(message);
	Qvec	   *result = make_canonical(raw);

	pfree(raw);
	PG_RETURN_DATUM(hx_qvec_coerce(PointerGetDatum(result), typmod));
}
