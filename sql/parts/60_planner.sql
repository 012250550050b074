-- What the planner is told: index conditions and selectivity

CREATE FUNCTION hashidx_hamming_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_hamming_within_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_hamming_within_support(internal) IS 'planner support for hamming_within';

ALTER FUNCTION hamming_within(bincode, bincode, integer) SUPPORT hashidx_hamming_within_support;

CREATE FUNCTION hamming_ball_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_hamming_ball_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_sel(internal, oid, internal, integer) IS
	'selectivity of code <@ hamming_ball';

ALTER OPERATOR <@ (bincode, hamming_ball) SET (RESTRICT = hamming_ball_sel);

CREATE FUNCTION hamming_ball_joinsel(internal, oid, internal, smallint, internal) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_hamming_ball_joinsel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_joinsel(internal, oid, internal, smallint, internal) IS
	'selectivity of code <@ hamming_ball as a join condition';

ALTER OPERATOR <@ (bincode, hamming_ball) SET (JOIN = hamming_ball_joinsel);

CREATE FUNCTION bincode_typanalyze(internal) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_bincode_typanalyze' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_typanalyze(internal) IS
	'statistics of bincode: the usual, and how far codes lie from each other';

ALTER TYPE bincode SET (ANALYZE = bincode_typanalyze);
