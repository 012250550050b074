-- Near-duplicate pairs, by an index

CREATE FUNCTION hashidx_pairs(index regclass, radius double precision,
		OUT first tid, OUT second tid, OUT distance double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hashidx_pairs' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION hashidx_pairs(regclass, double precision) IS
	'all pairs of rows within the radius of each other, each once, as their ctids and the distance of their keys';
