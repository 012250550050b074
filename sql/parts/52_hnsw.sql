-- hashidx_hnsw: the approximate index on vectors and long codes, a quantized neighbour graph

CREATE FUNCTION hashidx_hnsw_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'hashidx_hnsw_handler' LANGUAGE C;
COMMENT ON FUNCTION hashidx_hnsw_handler(internal) IS 'handler of the access method hashidx_hnsw';

CREATE ACCESS METHOD hashidx_hnsw TYPE INDEX HANDLER hashidx_hnsw_handler;
COMMENT ON ACCESS METHOD hashidx_hnsw IS
	'approximate nearest neighbours of vectors by a graph of quantized neighbours';

CREATE FUNCTION hashidx_hnsw_metric_l2(internal) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_hnsw_metric_l2' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_hnsw_metric_l2(internal) IS 'support function of operator classes of hashidx_hnsw: Euclidean';

CREATE FUNCTION hashidx_hnsw_metric_ip(internal) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_hnsw_metric_ip' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_hnsw_metric_ip(internal) IS 'support function of operator classes of hashidx_hnsw: inner product';

CREATE FUNCTION hashidx_hnsw_metric_cosine(internal) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_hnsw_metric_cosine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_hnsw_metric_cosine(internal) IS 'support function of operator classes of hashidx_hnsw: cosine';

CREATE FUNCTION hashidx_hnsw_metric_hamming(internal) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_hnsw_metric_hamming' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_hnsw_metric_hamming(internal) IS 'support function of operator classes of hashidx_hnsw: Hamming';

CREATE OPERATOR CLASS qvec_l2_ops DEFAULT FOR TYPE qvec USING hashidx_hnsw AS
	OPERATOR 1 <-> (qvec, qvec) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 hashidx_hnsw_metric_l2(internal);
COMMENT ON OPERATOR CLASS qvec_l2_ops USING hashidx_hnsw IS 'ORDER BY vector <-> query';
COMMENT ON OPERATOR FAMILY qvec_l2_ops USING hashidx_hnsw IS 'Euclidean distance of vectors';

CREATE OPERATOR CLASS qvec_ip_ops FOR TYPE qvec USING hashidx_hnsw AS
	OPERATOR 1 <#> (qvec, qvec) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 hashidx_hnsw_metric_ip(internal);
COMMENT ON OPERATOR CLASS qvec_ip_ops USING hashidx_hnsw IS 'ORDER BY vector <#> query';
COMMENT ON OPERATOR FAMILY qvec_ip_ops USING hashidx_hnsw IS 'negative inner product of vectors';

CREATE OPERATOR CLASS qvec_cosine_ops FOR TYPE qvec USING hashidx_hnsw AS
	OPERATOR 1 <=> (qvec, qvec) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 hashidx_hnsw_metric_cosine(internal);
COMMENT ON OPERATOR CLASS qvec_cosine_ops USING hashidx_hnsw IS 'ORDER BY vector <=> query';
COMMENT ON OPERATOR FAMILY qvec_cosine_ops USING hashidx_hnsw IS 'cosine distance of vectors';

CREATE OPERATOR CLASS bincode_hamming_ops DEFAULT FOR TYPE bincode USING hashidx_hnsw AS
	OPERATOR 1 <~> (bincode, bincode) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 hashidx_hnsw_metric_hamming(internal);
COMMENT ON OPERATOR CLASS bincode_hamming_ops USING hashidx_hnsw IS 'ORDER BY code <~> query';
COMMENT ON OPERATOR FAMILY bincode_hamming_ops USING hashidx_hnsw IS 'Hamming distance on bincode';
