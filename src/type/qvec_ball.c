/*
 * qvec_ball.c
 *	  The types l2_ball and cosine_ball: text and binary form, constructors, membership.
 *
 * The two differ in what `v <@ ball` asks, and in nothing else. Text is <[1,2,3],r>. The
 * binary form is the radius as float8 and then the centre as qvec sends it.
 */
#include "hashidx.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "type/ball_literal.h"
#include "type/literal.h"
#include "type/qvec_ball.h"

HX_FUNCTION(hashidx_qvec_ball_in);
HX_FUNCTION(hashidx_qvec_ball_out);
HX_FUNCTION(hashidx_qvec_ball_recv);
HX_FUNCTION(hashidx_qvec_ball_send);
HX_FUNCTION(hashidx_qvec_ball);
HX_FUNCTION(hashidx_l2_ball_contains);
HX_FUNCTION(hashidx_cosine_ball_contains);

/* Of other files, called as they are from SQL. */
extern PGDLLEXPORT Datum hashidx_qvec_in(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum hashidx_qvec_out(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum hashidx_qvec_recv(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum hashidx_qvec_send(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum hashidx_l2_within(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum hashidx_cosine_within(PG_FUNCTION_ARGS);

typedef struct QvecBall
{
	int32		vl_len_;		/* varlena header: do not touch directly */
	int32		zero;
	double		radius;
	char		centre[FLEXIBLE_ARRAY_MEMBER];
} QvecBall;

Datum
hx_qvec_ball_view(Datum datum, double *radius)
{
	QvecBall   *ball = (QvecBall *) PG_DETOAST_DATUM(datum);
	Size		size = VARSIZE(ball);

	if (size < offsetof(QvecBall, centre) + HX_QVEC_HEADER ||
		!VARATT_IS_4B_U(ball->centre) ||
		VARSIZE(ball->centre) != size - offsetof(QvecBall, centre))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("damaged ball of %zu bytes", size)));
	*radius = ball->radius;
	return PointerGetDatum(ball->centre);
}

static Datum
make_ball(Datum centre, double radius)
{
	struct varlena *vector = PG_DETOAST_DATUM(centre);
	Size		size = offsetof(QvecBall, centre) + VARSIZE(vector);
	QvecBall   *ball = palloc(size);

	SET_VARSIZE(ball, size);
	ball->zero = 0;
	ball->radius = hx_ball_radius(radius);
	memcpy(ball->centre, vector, VARSIZE(vector));
	return PointerGetDatum(ball);
}

/* l2_ball_in(cstring, oid, integer) returns l2_ball, and the same of cosine_ball */
Datum
hashidx_qvec_ball_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	double		radius;
	char	   *centre = hx_ball_split(text, &radius);

	if (centre == NULL)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						format_type_be(PG_GETARG_OID(1)), hx_literal_cut(text, strlen(text))),
				 errdetail("A ball is written <[1,2,3],radius>.")));

	LOCAL_FCINFO(call, 3);

	InitFunctionCallInfoData(*call, NULL, 3, InvalidOid, fcinfo->context, NULL);
	call->args[0] = (NullableDatum) {CStringGetDatum(centre), false};
	call->args[1] = (NullableDatum) {ObjectIdGetDatum(InvalidOid), false};
	call->args[2] = (NullableDatum) {Int32GetDatum(-1), false};

	Datum		vector = hashidx_qvec_in(call);

	if (SOFT_ERROR_OCCURRED(fcinfo->context))
		PG_RETURN_NULL();
	return make_ball(vector, radius);
}

/* l2_ball_out(l2_ball) returns cstring */
Datum
hashidx_qvec_ball_out(PG_FUNCTION_ARGS)
{
	double		radius;
	Datum		centre = hx_qvec_ball_view(PG_GETARG_DATUM(0), &radius);
	Datum		text = DirectFunctionCall1(hashidx_qvec_out, centre);

	PG_RETURN_CSTRING(hx_ball_join(DatumGetCString(text), radius));
}

/* l2_ball_recv(internal, oid, integer) returns l2_ball */
Datum
hashidx_qvec_ball_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	double		radius = hx_ball_receive_radius(message, format_type_be(PG_GETARG_OID(1)));
	Datum		vector = DirectFunctionCall3(hashidx_qvec_recv, PointerGetDatum(message),
											 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	return make_ball(vector, radius);
}

/* l2_ball_send(l2_ball) returns bytea */
Datum
hashidx_qvec_ball_send(PG_FUNCTION_ARGS)
{
	double		radius;
	Datum		centre = hx_qvec_ball_view(PG_GETARG_DATUM(0), &radius);
	bytea	   *vector = DatumGetByteaPP(DirectFunctionCall1(hashidx_qvec_send, centre));
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendfloat8(&message, radius);
	pq_sendbytes(&message, VARDATA_ANY(vector), VARSIZE_ANY_EXHDR(vector));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* l2_ball(qvec, double precision) returns l2_ball */
Datum
hashidx_qvec_ball(PG_FUNCTION_ARGS)
{
	return make_ball(PG_GETARG_DATUM(0), PG_GETARG_FLOAT8(1));
}

/* Is the vector within the ball's radius of its centre, by the given function? */
static Datum
contains(PGFunction within, FunctionCallInfo fcinfo)
{
	double		radius;
	Datum		centre = hx_qvec_ball_view(PG_GETARG_DATUM(1), &radius);

	return DirectFunctionCall3(within, PG_GETARG_DATUM(0), centre, Float8GetDatum(radius));
}

/* l2_ball_contains(qvec, l2_ball) returns boolean: the operator <@ */
Datum
hashidx_l2_ball_contains(PG_FUNCTION_ARGS)
{
	return contains(hashidx_l2_within, fcinfo);
}

/* cosine_ball_contains(qvec, cosine_ball) returns boolean: the operator <@ */
Datum
hashidx_cosine_ball_contains(PG_FUNCTION_ARGS)
{
	return contains(hashidx_cosine_within, fcinfo);
}
