/*
 * bincode_io.c
 *	  bincode: text and binary form, the type modifier.
 *
 * Text is 0110... or, for whole bytes, \x6f... in hexadecimal; it is written in
 * the first form. The binary form is that of core's bit: an int32 bit count and
 * the bytes. Every input is taken as hostile: lengths are checked against the
 * limit and against what is there before anything is allocated.
 */
#include "hashidx.h"

#include "libpq/pqformat.h"
#include "utils/array.h"

#include "type/bincode.h"
#include "type/literal.h"

HX_FUNCTION(hashidx_bincode_in);
HX_FUNCTION(hashidx_bincode_out);
HX_FUNCTION(hashidx_bincode_recv);
HX_FUNCTION(hashidx_bincode_send);
HX_FUNCTION(hashidx_bincode_typmod_in);
HX_FUNCTION(hashidx_bincode_typmod_out);
HX_FUNCTION(hashidx_bincode);

/* The value of a hexadecimal digit, -1 for any other character. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The form 0110... */
static Bincode *
parse_binary(const char *text, Size length, struct Node *escontext)
{
	if (!hx_bincode_check_bits((int64) length, escontext))
		return NULL;

	Bincode    *code = hx_bincode_new((int32) length);

	for (Size i = 0; i < length; i++)
	{
		if (text[i] == '1')
			code->data[i / 8] |= (uint8) (0x80 >> (i % 8));
		else if (text[i] != '0')
			ereturn(escontext, NULL,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type %s: \"%s\"",
							"bincode", hx_literal_cut(text, length)),
					 errdetail("Character %zu is not a binary digit.", i + 1)));
	}
	return code;
}

/* The form \x6f..., of which the two leading characters are skipped. */
static Bincode *
parse_hex(const char *text, Size length, struct Node *escontext)
{
	Size		digits = length - 2;

	if (digits % 2 != 0)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"bincode", hx_literal_cut(text, length)),
				 errdetail("The number of hexadecimal digits is odd.")));
	if (!hx_bincode_check_bits((int64) digits * 4, escontext))
		return NULL;

	Bincode    *code = hx_bincode_new((int32) (digits * 4));

	for (Size i = 0; i < digits; i++)
	{
		int			digit = hex_digit(text[i + 2]);

		if (digit < 0)
			ereturn(escontext, NULL,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type %s: \"%s\"",
							"bincode", hx_literal_cut(text, length)),
					 errdetail("Character %zu is not a hexadecimal digit.", i + 3)));
		code->data[i / 2] |= (uint8) (i % 2 == 0 ? digit << 4 : digit);
	}
	return code;
}

Bincode *
hx_bincode_parse(const char *text, Size length, struct Node *escontext)
{
	if (length >= 2 && text[0] == '\\' && (text[1] == 'x' || text[1] == 'X'))
		return parse_hex(text, length, escontext);
	return parse_binary(text, length, escontext);
}

void
hx_bincode_print(BincodeView code, StringInfo out)
{
	enlargeStringInfo(out, code.bits);

	char	   *digit = out->data + out->len;

	for (int32 i = 0; i < code.bits; i++)
		*digit++ = (code.bytes[i / 8] & (0x80 >> (i % 8))) ? '1' : '0';
	*digit = '\0';
	out->len += code.bits;
}

Bincode *
hx_bincode_receive(StringInfo message)
{
	Size		left = (Size) (message->len - message->cursor);
	int32		bits;

	if (left < sizeof(bits))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "bincode"),
				 errdetail("The bit count needs %zu bytes, the message has %zu.",
						   sizeof(bits), left)));
	bits = (int32) pq_getmsgint(message, sizeof(bits));
	left -= sizeof(bits);

	if (bits < 1 || bits > HX_BINCODE_MAX_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "bincode"),
				 errdetail("The bit count is %d, not 1 to %d.", bits, HX_BINCODE_MAX_BITS)));
	if (left != HX_BITS_TO_BYTES(bits))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "bincode"),
				 errdetail("%d bits take %zu bytes, the message has %zu.",
						   bits, HX_BITS_TO_BYTES(bits), left)));

	const uint8 *bytes = (const uint8 *) pq_getmsgbytes(message, (int) left);

	if ((bytes[left - 1] & HX_BITS_PADDING(bits)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "bincode"),
				 errdetail("Bits beyond the last of %d are not zero.", bits)));
	return hx_bincode_from_bytes(bytes, bits);
}

void
hx_bincode_send(BincodeView code, StringInfo message)
{
	pq_sendint32(message, (uint32) code.bits);
	pq_sendbytes(message, (const char *) code.bytes, (int) HX_BITS_TO_BYTES(code.bits));
}

bool
hx_bincode_check_typmod(int32 bits, int32 typmod, struct Node *escontext)
{
	if (typmod >= 0 && bits != typmod)
		ereturn(escontext, false,
				(errcode(ERRCODE_STRING_DATA_LENGTH_MISMATCH),
				 errmsg("code of %d bits does not match type bincode(%d)", bits, typmod)));
	return true;
}

/* bincode_in(cstring, oid, integer) returns bincode */
Datum
hashidx_bincode_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	int32		typmod = PG_GETARG_INT32(2);
	Bincode    *code = hx_bincode_parse(text, strlen(text), fcinfo->context);

	if (code == NULL || !hx_bincode_check_typmod(code->bits, typmod, fcinfo->context))
		PG_RETURN_NULL();
	PG_RETURN_BINCODE_P(code);
}

/* bincode_out(bincode) returns cstring */
Datum
hashidx_bincode_out(PG_FUNCTION_ARGS)
{
	StringInfoData text;

	initStringInfo(&text);
	hx_bincode_print(PG_GETARG_BINCODE_VIEW(0), &text);
	PG_RETURN_CSTRING(text.data);
}

/* bincode_recv(internal, oid, integer) returns bincode */
Datum
hashidx_bincode_recv(PG_FUNCTION_ARGS)
{
	Bincode    *code = hx_bincode_receive((StringInfo) PG_GETARG_POINTER(0));

	hx_bincode_check_typmod(code->bits, PG_GETARG_INT32(2), NULL);
	PG_RETURN_BINCODE_P(code);
}

/* bincode_send(bincode) returns bytea */
Datum
hashidx_bincode_send(PG_FUNCTION_ARGS)
{
	StringInfoData message;

	pq_begintypsend(&message);
	hx_bincode_send(PG_GETARG_BINCODE_VIEW(0), &message);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* bincode_typmod_in(cstring[]) returns integer: the number of bits */
Datum
hashidx_bincode_typmod_in(PG_FUNCTION_ARGS)
{
	int			count;
	int32	   *modifiers = ArrayGetIntegerTypmods(PG_GETARG_ARRAYTYPE_P(0), &count);

	if (count != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid type modifier for type bincode"),
				 errhint("Write bincode(n) for codes of n bits.")));
	if (modifiers[0] < 1 || modifiers[0] > HX_BINCODE_MAX_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid length for type bincode: %d", modifiers[0]),
				 errdetail("A bincode has 1 to %d bits.", HX_BINCODE_MAX_BITS)));
	PG_RETURN_INT32(modifiers[0]);
}

/* bincode_typmod_out(integer) returns cstring */
Datum
hashidx_bincode_typmod_out(PG_FUNCTION_ARGS)
{
	int32		typmod = PG_GETARG_INT32(0);

	PG_RETURN_CSTRING(typmod >= 0 ? psprintf("(%d)", typmod) : pstrdup(""));
}

/*
 * bincode(bincode, integer, boolean) returns bincode: the length coercion.
 * Never truncates, not even in an explicit cast: a cut code is another code.
 */
Datum
hashidx_bincode(PG_FUNCTION_ARGS)
{
	hx_bincode_check_typmod(PG_GETARG_BINCODE_VIEW(0).bits, PG_GETARG_INT32(1), NULL);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}
