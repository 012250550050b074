-- What the planner is told of ranges on vectors and sets: index conditions and selectivity.

CREATE FUNCTION hashidx_l2_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_l2_within_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_l2_within_support(internal) IS 'planner support for l2_within';

CREATE FUNCTION l2_ball_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_l2_ball_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_ball_sel(internal, oid, internal, integer) IS
	'selectivity of being in a l2_ball';

ALTER FUNCTION l2_within(qvec, qvec, double precision) SUPPORT hashidx_l2_within_support;
ALTER OPERATOR <@ (qvec, l2_ball) SET (RESTRICT = l2_ball_sel);

CREATE FUNCTION hashidx_cosine_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_cosine_within_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_cosine_within_support(internal) IS 'planner support for cosine_within';

CREATE FUNCTION cosine_ball_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_cosine_ball_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_ball_sel(internal, oid, internal, integer) IS
	'selectivity of being in a cosine_ball';

ALTER FUNCTION cosine_within(qvec, qvec, double precision) SUPPORT hashidx_cosine_within_support;
ALTER OPERATOR <@ (qvec, cosine_ball) SET (RESTRICT = cosine_ball_sel);

CREATE FUNCTION hashidx_jaccard_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_within_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_jaccard_within_support(internal) IS 'planner support for jaccard_within';

CREATE FUNCTION jaccard_ball_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball_sel(internal, oid, internal, integer) IS
	'selectivity of being in a jaccard_ball';

ALTER FUNCTION jaccard_within(integer[], integer[], double precision) SUPPORT hashidx_jaccard_within_support;
ALTER OPERATOR <%@ (integer[], jaccard_ball) SET (RESTRICT = jaccard_ball_sel);

ALTER FUNCTION jaccard_within(bigint[], bigint[], double precision) SUPPORT hashidx_jaccard_within_support;
ALTER OPERATOR <%@ (bigint[], jaccard_ball) SET (RESTRICT = jaccard_ball_sel);

ALTER FUNCTION jaccard_within(text[], text[], double precision) SUPPORT hashidx_jaccard_within_support;
ALTER OPERATOR <%@ (text[], jaccard_ball) SET (RESTRICT = jaccard_ball_sel);
