-- Tools for indexes of every access method of hashidx

CREATE FUNCTION hashidx_check(index regclass, heapallindexed boolean DEFAULT false) RETURNS void
	AS 'MODULE_PATHNAME', 'hashidx_check' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION hashidx_check(regclass, boolean) IS
	'examines every page of an index of hashidx; with heapallindexed also proves that each row of the table is in it; warns of each problem and fails if there was one';

CREATE FUNCTION hashidx_index_stats(index regclass) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'hashidx_index_stats' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION hashidx_index_stats(regclass) IS
	'what an index of hashidx consists of: format, bits, rows, distinct codes, pages by kind, bytes';
