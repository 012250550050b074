-- hashidx_lsh: the index for near-duplicates, set similarity and ranges

CREATE FUNCTION hashidx_lsh_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'hashidx_lsh_handler' LANGUAGE C;
COMMENT ON FUNCTION hashidx_lsh_handler(internal) IS 'handler of the access method hashidx_lsh';

CREATE ACCESS METHOD hashidx_lsh TYPE INDEX HANDLER hashidx_lsh_handler;
COMMENT ON ACCESS METHOD hashidx_lsh IS
	'near-duplicates, set similarity and ranges by locality-sensitive hashing';

CREATE FUNCTION hashidx_lsh_metric_cosine(internal) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_lsh_metric_cosine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_lsh_metric_cosine(internal) IS 'support function of operator classes of hashidx_lsh: cosine';

CREATE FUNCTION hashidx_lsh_metric_l2(internal) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_lsh_metric_l2' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_lsh_metric_l2(internal) IS 'support function of operator classes of hashidx_lsh: Euclidean';

CREATE FUNCTION hashidx_lsh_metric_hamming(internal) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_lsh_metric_hamming' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_lsh_metric_hamming(internal) IS 'support function of operator classes of hashidx_lsh: Hamming';

CREATE FUNCTION hashidx_lsh_metric_jaccard(internal) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_lsh_metric_jaccard' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_lsh_metric_jaccard(internal) IS 'support function of operator classes of hashidx_lsh: Jaccard';

CREATE OPERATOR CLASS qvec_cosine_ops DEFAULT FOR TYPE qvec USING hashidx_lsh AS
	OPERATOR 1 <=> (qvec, qvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <@ (qvec, cosine_ball),
	FUNCTION 1 hashidx_lsh_metric_cosine(internal);
COMMENT ON OPERATOR CLASS qvec_cosine_ops USING hashidx_lsh IS
	'ORDER BY vector <=> query; cosine_within(vector, query, r)';
COMMENT ON OPERATOR FAMILY qvec_cosine_ops USING hashidx_lsh IS 'cosine distance of vectors';

CREATE OPERATOR CLASS qvec_l2_ops FOR TYPE qvec USING hashidx_lsh AS
	OPERATOR 1 <-> (qvec, qvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <@ (qvec, l2_ball),
	FUNCTION 1 hashidx_lsh_metric_l2(internal);
COMMENT ON OPERATOR CLASS qvec_l2_ops USING hashidx_lsh IS
	'ORDER BY vector <-> query; l2_within(vector, query, r)';
COMMENT ON OPERATOR FAMILY qvec_l2_ops USING hashidx_lsh IS 'Euclidean distance of vectors';

CREATE OPERATOR CLASS bincode_hamming_ops DEFAULT FOR TYPE bincode USING hashidx_lsh AS
	OPERATOR 1 <~> (bincode, bincode) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <@ (bincode, hamming_ball),
	FUNCTION 1 hashidx_lsh_metric_hamming(internal);
COMMENT ON OPERATOR CLASS bincode_hamming_ops USING hashidx_lsh IS
	'ORDER BY code <~> query; hamming_within(code, query, r)';
COMMENT ON OPERATOR FAMILY bincode_hamming_ops USING hashidx_lsh IS 'Hamming distance on bincode';

-- One class for the three types of arrays that are sets; another type of array is refused by the index.
CREATE OPERATOR CLASS array_jaccard_ops DEFAULT FOR TYPE anyarray USING hashidx_lsh AS
	OPERATOR 1 <%> (integer[], integer[]) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <%@ (integer[], jaccard_ball),
	OPERATOR 1 <%> (bigint[], bigint[]) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <%@ (bigint[], jaccard_ball),
	OPERATOR 1 <%> (text[], text[]) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <%@ (text[], jaccard_ball),
	FUNCTION 1 hashidx_lsh_metric_jaccard(internal);
COMMENT ON OPERATOR CLASS array_jaccard_ops USING hashidx_lsh IS
	'ORDER BY set <%> query; jaccard_within(set, query, r); for integer[], bigint[] and text[]';
COMMENT ON OPERATOR FAMILY array_jaccard_ops USING hashidx_lsh IS 'Jaccard distance of arrays as sets';
