/*
 * model.c
 *	  hashidx_model: making, unpacking and comparing values, text and binary form.
 *
 * Text is base64; it is written without line breaks and read with blanks anywhere,
 * as mail and psql wrap it. \x and hexadecimal digits are read, too. The binary
 * form is the stored form. A model comes from anywhere: whatever the way in,
 * hx_model_load() sees all of it.
 */
#include "hashidx.h"

#include "access/detoast.h"
#include "common/base64.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "parser/scansup.h"

#include "type/literal.h"
#include "type/model.h"

HX_FUNCTION(hashidx_model_in);
HX_FUNCTION(hashidx_model_out);
HX_FUNCTION(hashidx_model_recv);
HX_FUNCTION(hashidx_model_send);
HX_FUNCTION(hashidx_model_eq);
HX_FUNCTION(hashidx_model_ne);

#define PROBLEM_SIZE 256		/* of the sentence that tells what is wrong with a model */

/*
 * A model may have 256 MB, so whatever goes over all of it looks for interrupts in between: what
 * is copied, and text, after so many bytes. Base64 makes 4 characters of 3 bytes.
 */
#define COPY_PIECE ((Size) 4 << 20)
#define ENCODE_PIECE ((Size) 3 << 18)
#define DECODE_PIECE ((Size) 4 << 18)

void
hx_model_look_for_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

void
hx_model_copy(uint8 *to, const uint8 *from, Size size)
{
	for (Size at = 0; at < size; at += COPY_PIECE)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(to + at, from + at, Min(size - at, COPY_PIECE));
	}
}

ModelView
hx_model_view(Datum datum)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);

	return (ModelView) {
		.bytes = (const uint8 *) VARDATA_ANY(value),
		.size = VARSIZE_ANY_EXHDR(value),
		.detoasted = (Pointer) value == DatumGetPointer(datum) ? NULL : value,
	};
}

void
hx_model_release(ModelView *view)
{
	if (view->detoasted != NULL)
		pfree(view->detoasted);
}

/*
 * Reports bytes that hx_model_load() refused, in the words and with the SQLSTATE
 * of where they came from; always false. With a newer model nothing is wrong but us.
 */
static bool
report_problem(const char *problem, bool newer, int sqlstate, const char *message,
			   struct Node *escontext)
{
	if (newer)
		ereturn(escontext, false,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the model was made by a later version of hashidx"),
				 errdetail("%s", problem),
				 errhint("Update hashidx here to use it.")));
	ereturn(escontext, false,
			(errcode(sqlstate), errmsg("%s", message), errdetail("%s", problem)));
}

HxModel *
hx_model_unpack(const uint8 *bytes, Size size)
{
	HxModel    *model = palloc(sizeof(HxModel));
	float	   *params = palloc(hx_model_floats(size) * sizeof(float));
	char		problem[PROBLEM_SIZE];
	bool		newer;

	if (hx_model_load(bytes, size, params, hx_model_look_for_interrupts, model, &newer,
					  problem, sizeof(problem)) != NULL)
		report_problem(problem, newer, ERRCODE_DATA_CORRUPTED, "a stored model is damaged", NULL);
	return model;
}

/* Refuses bytes from outside that are not a model; false when that is a soft error. */
static bool
check_input(const uint8 *bytes, Size size, int sqlstate, const char *message,
			struct Node *escontext)
{
	HxModel		model;
	float	   *params = palloc(hx_model_floats(size) * sizeof(float));
	char		problem[PROBLEM_SIZE];
	bool		newer;
	bool		valid = hx_model_load(bytes, size, params, hx_model_look_for_interrupts, &model,
									  &newer, problem, sizeof(problem)) == NULL;

	pfree(params);
	return valid || report_problem(problem, newer, sqlstate, message, escontext);
}

Datum
hx_model_value_make(const HxModel *model)
{
	char		problem[PROBLEM_SIZE];

	if (hx_model_check(model, hx_model_look_for_interrupts, problem, sizeof(problem)) != NULL)
		report_problem(problem, false, ERRCODE_INVALID_PARAMETER_VALUE,
					   "the model is not valid", NULL);

	Size		size = VARHDRSZ + hx_model_stored_size(model);
	struct varlena *value = palloc(size);

	SET_VARSIZE(value, size);
	hx_model_store(model, hx_model_look_for_interrupts, (uint8 *) VARDATA(value));
	return PointerGetDatum(value);
}

/* A copy of the text without its blanks. */
static char *
remove_blanks(const char *text, Size *length)
{
	char	   *copy = palloc(strlen(text) + 1);
	char	   *end = copy;

	for (; *text != '\0'; text++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!scanner_isspace(*text))
			*end++ = *text;
	}
	*end = '\0';
	*length = (Size) (end - copy);
	return copy;
}

static bool
is_hex(const char *text)
{
	return text[0] == '\\' && (text[1] == 'x' || text[1] == 'X');
}

/* Bytes that the text can stand for at most: in base64, four digits are three bytes. */
static Size
decoded_limit(const char *text, Size length)
{
	return is_hex(text) ? (length - 2) / 2 : length / 4 * 3 + 3;
}

/* The value of hexadecimal digits; -1 when they are none, or one is over. */
static int
decode_hex(const char *text, Size length, uint8 *bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (Size i = 0; i < length; i++)
	{
		CHECK_FOR_INTERRUPTS();

		const char *digit = memchr(digits, pg_ascii_tolower((unsigned char) text[i]), 16);

		if (digit == NULL)
			return -1;
		bytes[i / 2] = (uint8) (bytes[i / 2] << 4 | (digit - digits));
	}
	return length % 2 == 0 ? (int) (length / 2) : -1;
}

/* The same of base64. Padding ends the text, and no piece before its last. */
static int
decode_base64(const char *text, Size length, uint8 *bytes, Size room)
{
	Size		size = 0;

	for (Size at = 0; at < length; at += DECODE_PIECE)
	{
		const Size	piece = Min(length - at, DECODE_PIECE);

		CHECK_FOR_INTERRUPTS();

		/* 18 says uint8 where char stood before: a plain pointer is both. */
		int			decoded = pg_b64_decode(text + at, (int) piece, (void *) (bytes + size),
											(int) (room - size));

		if (decoded < 0 || (at + piece < length && decoded != ENCODE_PIECE))
			return -1;
		size += decoded;
	}
	return (int) size;
}

/* Writes the bytes that the text stands for and tells how many; -1 for malformed text. */
static int
decode(const char *text, Size length, uint8 *bytes, Size room)
{
	if (is_hex(text))
		return decode_hex(text + 2, length - 2, bytes);
	return decode_base64(text, length, bytes, room);
}

/* hashidx_model_in(cstring) returns hashidx_model */
Datum
hashidx_model_in(PG_FUNCTION_ARGS)
{
	const char *literal = PG_GETARG_CSTRING(0);
	struct Node *escontext = fcinfo->context;
	Size		length;
	char	   *text = remove_blanks(literal, &length);
	Size		room = decoded_limit(text, length);
	char	   *message = psprintf("invalid input syntax for type %s: \"%s\"", "hashidx_model",
								   hx_literal_cut(literal, strlen(literal)));

	if (room > HX_MODEL_MAX_BYTES + 3)
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("%s", message),
				 errdetail("A model has %d bytes at most.", HX_MODEL_MAX_BYTES)));

	struct varlena *value = palloc(VARHDRSZ + room + 1);
	int			size = decode(text, length, (uint8 *) VARDATA(value), room);

	if (size < 0)
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("%s", message),
				 errdetail("The text is neither base64 nor \\x and hexadecimal digits.")));
	SET_VARSIZE(value, VARHDRSZ + size);
	if (!check_input((uint8 *) VARDATA(value), size, ERRCODE_INVALID_TEXT_REPRESENTATION, message,
					 escontext))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(value);
}

/* hashidx_model_out(hashidx_model) returns cstring */
Datum
hashidx_model_out(PG_FUNCTION_ARGS)
{
	ModelView	view = hx_model_view(PG_GETARG_DATUM(0));
	int			room = pg_b64_enc_len((int) view.size);
	char	   *text = palloc(room + 1);
	int			length = 0;

	for (Size at = 0; at < view.size; at += ENCODE_PIECE)
	{
		CHECK_FOR_INTERRUPTS();
		length += pg_b64_encode((const void *) (view.bytes + at),
								(int) Min(view.size - at, ENCODE_PIECE),
								text + length, room - length);
	}
	text[length] = '\0';
	PG_RETURN_CSTRING(text);
}

/* hashidx_model_recv(internal) returns hashidx_model */
Datum
hashidx_model_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			size = message->len - message->cursor;
	const uint8 *bytes = (const uint8 *) pq_getmsgbytes(message, size);

	check_input(bytes, size, ERRCODE_INVALID_BINARY_REPRESENTATION,
				"invalid binary form of type hashidx_model", NULL);

	struct varlena *value = palloc(VARHDRSZ + size);

	SET_VARSIZE(value, VARHDRSZ + size);
	hx_model_copy((uint8 *) VARDATA(value), bytes, size);
	PG_RETURN_POINTER(value);
}

/* hashidx_model_send(hashidx_model) returns bytea: the stored form */
Datum
hashidx_model_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PointerGetDatum(PG_GETARG_BYTEA_P_COPY(0)));
}

/* Sizes first: they are known without detoasting. */
static bool
are_equal(Datum a, Datum b)
{
	if (toast_raw_datum_size(a) != toast_raw_datum_size(b))
		return false;

	ModelView	x = hx_model_view(a);
	ModelView	y = hx_model_view(b);
	bool		equal = x.size == y.size && memcmp(x.bytes, y.bytes, x.size) == 0;

	hx_model_release(&x);
	hx_model_release(&y);
	return equal;
}

/* hashidx_model_eq(hashidx_model, hashidx_model) returns boolean */
Datum
hashidx_model_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(are_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

/* hashidx_model_ne(hashidx_model, hashidx_model) returns boolean */
Datum
hashidx_model_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!are_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}
