-- What the planner is told of ranges on vectors and sets: index conditions and selectivity.

CREATE FUNCTION hashidx_l2_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_l2_within_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_l2_within_support(internal) IS 'planner support for l2_within';

CREATE FUNCTION l2_ball_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_l2_ball_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_ball_sel(internal, oid, internal, integer) IS
	'selectivity of being in a l2_ball';

CREATE FUNCTION l2_ball_joinsel(internal, oid, internal, smallint, internal) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_l2_ball_joinsel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_ball_joinsel(internal, oid, internal, smallint, internal) IS
	'selectivity of being in a l2_ball as a join condition';

ALTER FUNCTION l2_within(qvec, qvec, double precision) SUPPORT hashidx_l2_within_support;
ALTER OPERATOR <@ (qvec, l2_ball) SET (RESTRICT = l2_ball_sel, JOIN = l2_ball_joinsel);

CREATE FUNCTION hashidx_cosine_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_cosine_within_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_cosine_within_support(internal) IS 'planner support for cosine_within';

CREATE FUNCTION cosine_ball_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_cosine_ball_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_ball_sel(internal, oid, internal, integer) IS
	'selectivity of being in a cosine_ball';

CREATE FUNCTION cosine_ball_joinsel(internal, oid, internal, smallint, internal) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_cosine_ball_joinsel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_ball_joinsel(internal, oid, internal, smallint, internal) IS
	'selectivity of being in a cosine_ball as a join condition';

ALTER FUNCTION cosine_within(qvec, qvec, double precision) SUPPORT hashidx_cosine_within_support;
ALTER OPERATOR <@ (qvec, cosine_ball) SET (RESTRICT = cosine_ball_sel, JOIN = cosine_ball_joinsel);

CREATE FUNCTION hashidx_jaccard_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_within_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_jaccard_within_support(internal) IS 'planner support for jaccard_within';

CREATE FUNCTION jaccard_ball_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball_sel(internal, oid, internal, integer) IS
	'selectivity of being in a jaccard_ball';

CREATE FUNCTION jaccard_ball_joinsel(internal, oid, internal, smallint, internal) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_ball_joinsel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_ball_joinsel(internal, oid, internal, smallint, internal) IS
	'selectivity of being in a jaccard_ball as a join condition';

ALTER FUNCTION jaccard_within(integer[], integer[], double precision) SUPPORT hashidx_jaccard_within_support;
ALTER OPERATOR <%@ (integer[], jaccard_ball) SET (RESTRICT = jaccard_ball_sel, JOIN = jaccard_ball_joinsel);

ALTER FUNCTION jaccard_within(bigint[], bigint[], double precision) SUPPORT hashidx_jaccard_within_support;
ALTER OPERATOR <%@ (bigint[], jaccard_ball) SET (RESTRICT = jaccard_ball_sel, JOIN = jaccard_ball_joinsel);

ALTER FUNCTION jaccard_within(text[], text[], double precision) SUPPORT hashidx_jaccard_within_support;
ALTER OPERATOR <%@ (text[], jaccard_ball) SET (RESTRICT = jaccard_ball_sel, JOIN = jaccard_ball_joinsel);

CREATE FUNCTION qvec_typanalyze(internal) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_qvec_typanalyze' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_typanalyze(internal) IS
	'statistics of qvec: the usual, and how far vectors lie from each other';

ALTER TYPE qvec SET (ANALYZE = qvec_typanalyze);
