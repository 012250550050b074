-- Arrays as sets: an element counts once, text is compared byte by byte.

CREATE FUNCTION jaccard_distance(integer[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_array_jaccard_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jaccard_distance(integer[], integer[]) IS 'Jaccard distance of arrays as sets';

CREATE FUNCTION jaccard_within(a integer[], b integer[], r double precision) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_array_jaccard_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jaccard_within(integer[], integer[], double precision) IS 'Jaccard distance is at most r';

CREATE FUNCTION tversky_similarity(integer[], integer[], alpha double precision, beta double precision) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_array_tversky_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION tversky_similarity(integer[], integer[], double precision, double precision) IS 'Tversky similarity of arrays as sets';

CREATE OPERATOR <%> (
	LEFTARG = integer[], RIGHTARG = integer[], FUNCTION = jaccard_distance,
	COMMUTATOR = <%>
);
COMMENT ON OPERATOR <%> (integer[], integer[]) IS 'Jaccard distance of arrays as sets';

CREATE FUNCTION jaccard_distance(bigint[], bigint[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_array_jaccard_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jaccard_distance(bigint[], bigint[]) IS 'Jaccard distance of arrays as sets';

CREATE FUNCTION jaccard_within(a bigint[], b bigint[], r double precision) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_array_jaccard_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jaccard_within(bigint[], bigint[], double precision) IS 'Jaccard distance is at most r';

CREATE FUNCTION tversky_similarity(bigint[], bigint[], alpha double precision, beta double precision) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_array_tversky_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION tversky_similarity(bigint[], bigint[], double precision, double precision) IS 'Tversky similarity of arrays as sets';

CREATE OPERATOR <%> (
	LEFTARG = bigint[], RIGHTARG = bigint[], FUNCTION = jaccard_distance,
	COMMUTATOR = <%>
);
COMMENT ON OPERATOR <%> (bigint[], bigint[]) IS 'Jaccard distance of arrays as sets';

CREATE FUNCTION jaccard_distance(text[], text[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_array_jaccard_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jaccard_distance(text[], text[]) IS 'Jaccard distance of arrays as sets';

CREATE FUNCTION jaccard_within(a text[], b text[], r double precision) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_array_jaccard_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION jaccard_within(text[], text[], double precision) IS 'Jaccard distance is at most r';

CREATE FUNCTION tversky_similarity(text[], text[], alpha double precision, beta double precision) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_array_tversky_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION tversky_similarity(text[], text[], double precision, double precision) IS 'Tversky similarity of arrays as sets';

CREATE OPERATOR <%> (
	LEFTARG = text[], RIGHTARG = text[], FUNCTION = jaccard_distance,
	COMMUTATOR = <%>
);
COMMENT ON OPERATOR <%> (text[], text[]) IS 'Jaccard distance of arrays as sets';

