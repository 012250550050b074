-- Near-duplicate pairs, by an index, and what an index serves

CREATE FUNCTION hashidx_pairs(index regclass, radius double precision,
		OUT first tid, OUT second tid, OUT distance double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hashidx_pairs' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION hashidx_pairs(regclass, double precision) IS
	'all pairs of rows within the radius of each other, each once, as their ctids and the distance of their keys';

CREATE FUNCTION hashidx_usage(index regclass, OUT form text,
		OUT index_cost_10 double precision, OUT other_cost_10 double precision,
		OUT index_cost_100 double precision, OUT other_cost_100 double precision,
		OUT statistics_age interval) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hashidx_usage' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashidx_usage(regclass) IS
	'the forms of a query that an index serves; for ordered ones, the planner''s price at LIMIT 10 and 100 with it and without any index; how long ago the table was analysed';
