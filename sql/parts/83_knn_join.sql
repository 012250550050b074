-- The nearest rows to each row of another table

CREATE FUNCTION hashidx_knn_join(index regclass, queries regclass, query_column name, k integer DEFAULT 10,
		OUT query tid, OUT neighbor tid, OUT distance double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hashidx_knn_join' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION hashidx_knn_join(regclass, regclass, name, integer) IS
	'the k nearest rows of an index to each row of a table, many queries at a time: the ctids of both and their distance, the nearer ones of a query first';
