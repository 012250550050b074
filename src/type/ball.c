/*
 * ball.c
 *	  The type hamming_ball: text and binary form, constructor, membership.
 *
 * Text is <0110...,r>, the centre as a bincode is written and the radius. The
 * binary form is an int32 radius and then the centre as bincode sends it.
 */
#include "hashidx.h"

#include "libpq/pqformat.h"

#include "kernel/kernel.h"
#include "type/ball.h"
#include "type/literal.h"

HX_FUNCTION(hashidx_hamming_ball_in);
HX_FUNCTION(hashidx_hamming_ball_out);
HX_FUNCTION(hashidx_hamming_ball_recv);
HX_FUNCTION(hashidx_hamming_ball_send);
HX_FUNCTION(hashidx_hamming_ball);
HX_FUNCTION(hashidx_hamming_ball_contains);

#define EMPTY_BALL (-1)			/* the radius of a ball that contains nothing */

BincodeView
hx_ball_view(Datum datum, int32 *radius)
{
	struct varlena *value = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(datum));
	const uint8 *body = (const uint8 *) VARDATA_ANY(value);
	Size		size = VARSIZE_ANY_EXHDR(value);
	int32		numbers[2] = {0, 0};	/* radius, bits */

	if (likely(size > sizeof(numbers)))
	{
		memcpy(numbers, body, sizeof(numbers));
		size -= sizeof(numbers);
	}
	*radius = numbers[0];
	return hx_bincode_view_body(numbers[1], body + sizeof(numbers), size);
}

/* A new ball; every negative radius becomes that of the empty ball. */
static HammingBall *
make_ball(BincodeView centre, int32 radius)
{
	Size		bytes = HX_BITS_TO_BYTES(centre.bits);
	Size		size = offsetof(HammingBall, data) + bytes;
	HammingBall *ball = palloc(size);

	SET_VARSIZE(ball, size);
	ball->radius = Max(radius, EMPTY_BALL);
	ball->bits = centre.bits;
	memcpy(ball->data, centre.bytes, bytes);
	return ball;
}

/* Reads the radius and the closing bracket, which end the literal; false when they are not that. */
static bool
parse_radius(const char *text, int32 *radius)
{
	char	   *end;

	errno = 0;
	long		number = strtol(text, &end, 10);

	if (end == text || errno != 0 || number < PG_INT32_MIN || number > PG_INT32_MAX ||
		strcmp(end, ">") != 0)
		return false;
	*radius = (int32) number;
	return true;
}

/* hamming_ball_in(cstring) returns hamming_ball */
Datum
hashidx_hamming_ball_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	const char *comma = strchr(text, ',');
	int32		radius;

	if (text[0] != '<' || comma == NULL || !parse_radius(comma + 1, &radius))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"hamming_ball", hx_literal_cut(text, strlen(text))),
				 errdetail("A ball is written <code,radius>.")));

	Bincode    *centre = hx_bincode_parse(text + 1, (Size) (comma - text - 1), fcinfo->context);

	if (centre == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(make_ball((BincodeView) {centre->bits, centre->data}, radius));
}

/* hamming_ball_out(hamming_ball) returns cstring */
Datum
hashidx_hamming_ball_out(PG_FUNCTION_ARGS)
{
	int32		radius;
	BincodeView centre = hx_ball_view(PG_GETARG_DATUM(0), &radius);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoChar(&text, '<');
	hx_bincode_print(centre, &text);
	appendStringInfo(&text, ",%d>", radius);
	PG_RETURN_CSTRING(text.data);
}

/* hamming_ball_recv(internal) returns hamming_ball */
Datum
hashidx_hamming_ball_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int32		radius;

	if (message->len - message->cursor < (int) sizeof(radius))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "hamming_ball"),
				 errdetail("The radius is missing.")));
	radius = (int32) pq_getmsgint(message, sizeof(radius));
	if (radius < EMPTY_BALL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "hamming_ball"),
				 errdetail("The radius is %d, less than %d.", radius, EMPTY_BALL)));

	Bincode    *centre = hx_bincode_receive(message);

	PG_RETURN_POINTER(make_ball((BincodeView) {centre->bits, centre->data}, radius));
}

/* hamming_ball_send(hamming_ball) returns bytea */
Datum
hashidx_hamming_ball_send(PG_FUNCTION_ARGS)
{
	int32		radius;
	BincodeView centre = hx_ball_view(PG_GETARG_DATUM(0), &radius);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint32(&message, (uint32) radius);
	hx_bincode_send(centre, &message);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* hamming_ball(bincode, integer) returns hamming_ball */
Datum
hashidx_hamming_ball(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(make_ball(PG_GETARG_BINCODE_VIEW(0), PG_GETARG_INT32(1)));
}

/* hamming_ball_contains(bincode, hamming_ball) returns boolean: the operator <@ */
Datum
hashidx_hamming_ball_contains(PG_FUNCTION_ARGS)
{
	BincodeView code = PG_GETARG_BINCODE_VIEW(0);
	int32		radius;
	BincodeView centre = hx_ball_view(PG_GETARG_DATUM(1), &radius);

	hx_bincode_check_same_bits(code.bits, centre.bits);

	uint64		distance = hx_kernels->hamming(code.bytes, centre.bytes,
											   HX_BITS_TO_BYTES(code.bits));

	PG_RETURN_BOOL((int64) distance <= radius);
}
