-- How much of the truth an index finds

CREATE FUNCTION hashidx_recall(index regclass, k integer DEFAULT 10, sample integer DEFAULT 100,
	OUT setting text, OUT recall_mean double precision, OUT recall_minimum double precision,
	OUT milliseconds double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hashidx_recall' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION hashidx_recall(regclass, integer, integer) IS
	'compares the k nearest neighbours that an index finds for sampled rows with the true ones, for several settings: mean and least recall, and the median time of a query';
