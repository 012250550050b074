-- Balls: all vectors, or sets, within a distance of a centre. They are what the planner makes
-- of l2_within, cosine_within and jaccard_within to ask an index: v <@ l2_ball(q, r). For arrays
-- the operator is <%@: with <@ on the left of an array, array <@ '{1,2}' would no longer be
-- understood as core's "is contained by", since a literal could as well be a ball.

CREATE TYPE l2_ball;

CREATE FUNCTION l2_ball_in(cstring, oid, integer) RETURNS l2_ball
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_ball_in(cstring, oid, integer) IS 'I/O';

CREATE FUNCTION l2_ball_out(l2_ball) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_ball_out(l2_ball) IS 'I/O';

CREATE FUNCTION l2_ball_recv(internal, oid, integer) RETURNS l2_ball
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_ball_recv(internal, oid, integer) IS 'I/O';

CREATE FUNCTION l2_ball_send(l2_ball) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_ball_send(l2_ball) IS 'I/O';

CREATE TYPE l2_ball (
	INPUT = l2_ball_in,
	OUTPUT = l2_ball_out,
	RECEIVE = l2_ball_recv,
	SEND = l2_ball_send,
	STORAGE = external,
	ALIGNMENT = double
);
COMMENT ON TYPE l2_ball IS 'vectors within a Euclidean distance of a centre';

CREATE FUNCTION l2_ball(centre qvec, radius double precision) RETURNS l2_ball
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_ball(qvec, double precision) IS 'ball of a centre and a radius';

CREATE FUNCTION l2_ball_contains(qvec, l2_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_l2_ball_contains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_ball_contains(qvec, l2_ball) IS 'vector lies in the ball';

CREATE OPERATOR <@ (
	LEFTARG = qvec, RIGHTARG = l2_ball, FUNCTION = l2_ball_contains,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (qvec, l2_ball) IS 'vector lies in the ball';

CREATE TYPE cosine_ball;

CREATE FUNCTION cosine_ball_in(cstring, oid, integer) RETURNS cosine_ball
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_ball_in(cstring, oid, integer) IS 'I/O';

CREATE FUNCTION cosine_ball_out(cosine_ball) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_ball_out(cosine_ball) IS 'I/O';

CREATE FUNCTION cosine_ball_recv(internal, oid, integer) RETURNS cosine_ball
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_ball_recv(internal, oid, integer) IS 'I/O';

CREATE FUNCTION cosine_ball_send(cosine_ball) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_ball_send(cosine_ball) IS 'I/O';

CREATE TYPE cosine_ball (
	INPUT = cosine_ball_in,
	OUTPUT = cosine_ball_out,
	RECEIVE = cosine_ball_recv,
	SEND = cosine_ball_send,
	STORAGE = external,
	ALIGNMENT = double
);
COMMENT ON TYPE cosine_ball IS 'vectors within a cosine distance of a centre';

CREATE FUNCTION cosine_ball(centre qvec, radius double precision) RETURNS cosine_ball
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ball' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_ball(qvec, double precision) IS 'ball of a centre and a radius';

CREATE FUNCTION cosine_ball_contains(qvec, cosine_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_cosine_ball_contains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cosine_ball_contains(qvec, cosine_ball) IS 'vector lies in the ball';

CREATE OPERATOR <@ (
	LEFTARG = qvec, RIGHTARG = cosine_ball, FUNCTION = cosine_ball_contains,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (qvec, cosine_ball) IS 'vector lies in the ball';

CREATE TYPE jaccard_ball;

CREATE FUNCTION jaccard_ball_in(cstring) RETURNS jaccard_ball
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball_in(cstring) IS 'I/O';

CREATE FUNCTION jaccard_ball_out(jaccard_ball) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball_out(jaccard_ball) IS 'I/O';

CREATE FUNCTION jaccard_ball_recv(internal) RETURNS jaccard_ball
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball_recv(internal) IS 'I/O';

CREATE FUNCTION jaccard_ball_send(jaccard_ball) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball_send(jaccard_ball) IS 'I/O';

CREATE TYPE jaccard_ball (
	INPUT = jaccard_ball_in,
	OUTPUT = jaccard_ball_out,
	RECEIVE = jaccard_ball_recv,
	SEND = jaccard_ball_send,
	STORAGE = external,
	ALIGNMENT = double
);
COMMENT ON TYPE jaccard_ball IS 'sets within a Jaccard distance of a centre';

CREATE FUNCTION jaccard_ball(centre integer[], radius double precision) RETURNS jaccard_ball
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball(integer[], double precision) IS 'ball of a centre and a radius';

CREATE FUNCTION jaccard_ball_contains(integer[], jaccard_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_contains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jaccard_ball_contains(integer[], jaccard_ball) IS 'set lies in the ball';

CREATE OPERATOR <%@ (
	LEFTARG = integer[], RIGHTARG = jaccard_ball, FUNCTION = jaccard_ball_contains,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <%@ (integer[], jaccard_ball) IS 'set lies in the ball';

CREATE FUNCTION jaccard_ball(centre bigint[], radius double precision) RETURNS jaccard_ball
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball(bigint[], double precision) IS 'ball of a centre and a radius';

CREATE FUNCTION jaccard_ball_contains(bigint[], jaccard_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_contains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jaccard_ball_contains(bigint[], jaccard_ball) IS 'set lies in the ball';

CREATE OPERATOR <%@ (
	LEFTARG = bigint[], RIGHTARG = jaccard_ball, FUNCTION = jaccard_ball_contains,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <%@ (bigint[], jaccard_ball) IS 'set lies in the ball';

CREATE FUNCTION jaccard_ball(centre text[], radius double precision) RETURNS jaccard_ball
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball(text[], double precision) IS 'ball of a centre and a radius';

CREATE FUNCTION jaccard_ball_contains(text[], jaccard_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_contains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jaccard_ball_contains(text[], jaccard_ball) IS 'set lies in the ball';

CREATE OPERATOR <%@ (
	LEFTARG = text[], RIGHTARG = jaccard_ball, FUNCTION = jaccard_ball_contains,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <%@ (text[], jaccard_ball) IS 'set lies in the ball';
