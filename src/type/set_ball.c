/*
 * set_ball.c
 *	  The type jaccard_ball: text and binary form, constructor, membership.
 *
 * Text is <type{1,2,3},r>, the type being that of the set: integer[], bigint[] or text[].
 * The binary form is the radius as float8, the OID of the element type, and then the set
 * as its array type sends it.
 */
#include "hashidx.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "type/ball_literal.h"
#include "type/elements.h"
#include "type/literal.h"
#include "type/set_ball.h"

HX_FUNCTION(hashidx_jaccard_ball_in);
HX_FUNCTION(hashidx_jaccard_ball_out);
HX_FUNCTION(hashidx_jaccard_ball_recv);
HX_FUNCTION(hashidx_jaccard_ball_send);
HX_FUNCTION(hashidx_jaccard_ball);
HX_FUNCTION(hashidx_jaccard_ball_contains);

/* Of sets.c, called as it is from SQL. */
extern PGDLLEXPORT Datum hashidx_array_jaccard_within(PG_FUNCTION_ARGS);

typedef struct SetBall
{
	int32		vl_len_;		/* varlena header: do not touch directly */
	int32		zero;
	double		radius;
	char		centre[FLEXIBLE_ARRAY_MEMBER];
} SetBall;

ArrayType *
hx_set_ball_view(Datum datum, double *radius)
{
	SetBall    *ball = (SetBall *) PG_DETOAST_DATUM(datum);
	Size		size = VARSIZE(ball);

	if (size < offsetof(SetBall, centre) + sizeof(ArrayType) ||
		!VARATT_IS_4B_U(ball->centre) ||
		VARSIZE(ball->centre) != size - offsetof(SetBall, centre))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("damaged ball of %zu bytes", size)));
	*radius = ball->radius;
	return (ArrayType *) ball->centre;
}

static Datum
make_ball(ArrayType *centre, double radius)
{
	Size		size = offsetof(SetBall, centre) + VARSIZE(centre);
	SetBall    *ball = palloc(size);

	SET_VARSIZE(ball, size);
	ball->zero = 0;
	ball->radius = hx_ball_radius(radius);
	memcpy(ball->centre, centre, VARSIZE(centre));
	return PointerGetDatum(ball);
}

/* The element type whose array type's name the text begins with; *set is what follows. */
static Oid
parse_type(char *text, char **set)
{
	static const Oid types[] = {INT4OID, INT8OID, TEXTOID};

	*set = strchr(text, '{');
	for (int i = 0; *set != NULL && i < lengthof(types); i++)
	{
		const char *name = psprintf("%s[]", format_type_be(types[i]));

		if (strlen(name) == *set - text && strncmp(text, name, *set - text) == 0)
			return types[i];
	}
	return InvalidOid;
}

/* jaccard_ball_in(cstring) returns jaccard_ball */
Datum
hashidx_jaccard_ball_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	double		radius;
	char	   *centre = hx_ball_split(text, &radius);
	char	   *set;
	Oid			type = centre == NULL ? InvalidOid : parse_type(centre, &set);

	if (!OidIsValid(type))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"jaccard_ball", hx_literal_cut(text, strlen(text))),
				 errdetail("A ball is written <integer[]{1,2,3},radius>, "
						   "its set being integer[], bigint[] or text[].")));

	LOCAL_FCINFO(call, 3);
	FmgrInfo	input;

	fmgr_info(F_ARRAY_IN, &input);
	InitFunctionCallInfoData(*call, &input, 3, InvalidOid, fcinfo->context, NULL);
	call->args[0] = (NullableDatum) {CStringGetDatum(set), false};
	call->args[1] = (NullableDatum) {ObjectIdGetDatum(type), false};
	call->args[2] = (NullableDatum) {Int32GetDatum(-1), false};

	Datum		array = FunctionCallInvoke(call);

	if (SOFT_ERROR_OCCURRED(fcinfo->context))
		PG_RETURN_NULL();
	return make_ball(DatumGetArrayTypeP(array), radius);
}

/* jaccard_ball_out(jaccard_ball) returns cstring */
Datum
hashidx_jaccard_ball_out(PG_FUNCTION_ARGS)
{
	double		radius;
	ArrayType  *centre = hx_set_ball_view(PG_GETARG_DATUM(0), &radius);
	char	   *set = OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(centre));

	PG_RETURN_CSTRING(hx_ball_join(psprintf("%s[]%s", format_type_be(ARR_ELEMTYPE(centre)), set),
								   radius));
}

/* jaccard_ball_recv(internal) returns jaccard_ball */
Datum
hashidx_jaccard_ball_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	double		radius = hx_ball_receive_radius(message, "jaccard_ball");
	Oid			type = pq_getmsgint(message, sizeof(Oid));

	hx_elements_check_type(type);
	return make_ball(DatumGetArrayTypeP(OidReceiveFunctionCall(F_ARRAY_RECV, message, type, -1)),
					 radius);
}

/* jaccard_ball_send(jaccard_ball) returns bytea */
Datum
hashidx_jaccard_ball_send(PG_FUNCTION_ARGS)
{
	double		radius;
	ArrayType  *centre = hx_set_ball_view(PG_GETARG_DATUM(0), &radius);
	bytea	   *set = OidSendFunctionCall(F_ARRAY_SEND, PointerGetDatum(centre));
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendfloat8(&message, radius);
	pq_sendint32(&message, ARR_ELEMTYPE(centre));
	pq_sendbytes(&message, VARDATA(set), VARSIZE(set) - VARHDRSZ);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* jaccard_ball(integer[], double precision) returns jaccard_ball, also of bigint[] and text[] */
Datum
hashidx_jaccard_ball(PG_FUNCTION_ARGS)
{
	double		radius = PG_GETARG_FLOAT8(1);

	if (isnan(radius))			/* as jaccard_within() */
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("radius must not be NaN")));
	return make_ball(PG_GETARG_ARRAYTYPE_P(0), radius);
}

/* jaccard_ball_contains(integer[], jaccard_ball) returns boolean: the operator <%@ */
Datum
hashidx_jaccard_ball_contains(PG_FUNCTION_ARGS)
{
	ArrayType  *set = PG_GETARG_ARRAYTYPE_P(0);
	double		radius;
	ArrayType  *centre = hx_set_ball_view(PG_GETARG_DATUM(1), &radius);

	if (ARR_ELEMTYPE(set) != ARR_ELEMTYPE(centre))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a set of type %s[] cannot lie in a ball of type %s[]",
						format_type_be(ARR_ELEMTYPE(set)), format_type_be(ARR_ELEMTYPE(centre)))));
	return DirectFunctionCall3(hashidx_array_jaccard_within, PointerGetDatum(set),
							   PointerGetDatum(centre), Float8GetDatum(radius));
}
