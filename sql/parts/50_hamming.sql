-- hashidx_hamming: the exact index on binary codes

CREATE FUNCTION hashidx_hamming_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'hashidx_hamming_handler' LANGUAGE C;
COMMENT ON FUNCTION hashidx_hamming_handler(internal) IS 'handler of the access method hashidx_hamming';

CREATE ACCESS METHOD hashidx_hamming TYPE INDEX HANDLER hashidx_hamming_handler;
COMMENT ON ACCESS METHOD hashidx_hamming IS
	'exact nearest neighbours and ranges by Hamming distance over binary codes';

CREATE OPERATOR CLASS bincode_hamming_ops DEFAULT FOR TYPE bincode USING hashidx_hamming AS
	OPERATOR 1 <~> (bincode, bincode) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <@ (bincode, hamming_ball);
COMMENT ON OPERATOR CLASS bincode_hamming_ops USING hashidx_hamming IS
	'ORDER BY code <~> query; hamming_within(code, query, r)';
COMMENT ON OPERATOR FAMILY bincode_hamming_ops USING hashidx_hamming IS
	'Hamming distance on bincode';
