-- What a call of a distance costs: its arithmetic, and the way to values that are out of line
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
SET max_parallel_workers_per_gather = 0;

-- What the planner thinks that a condition or an expression costs for each row of a table.
CREATE FUNCTION total_cost(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Total Cost';
END $$;
CREATE FUNCTION uses_index(query text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan::text ~ 'Index Name';
END $$;
CREATE FUNCTION call_cost(source text, call text) RETURNS numeric LANGUAGE sql AS $$
	SELECT round(((total_cost(format('SELECT %s FROM %s', call, source)) - total_cost(format('SELECT 1 FROM %s', source))) / 1000)::numeric, 4)
$$;

-- a thousand rows of 600 numbers: out of line, in the row, in fewer bytes, of no known length
CREATE FUNCTION vector(i int, dims int) RETURNS qvec IMMUTABLE LANGUAGE sql AS $$
	SELECT array_agg((hashint4(i * 1000 + d) / 2147483648.0)::real ORDER BY d)::qvec FROM generate_series(1, dims) d
$$;
CREATE TABLE far (id int, v qvec(600));
CREATE TABLE near (id int, v qvec(600));
ALTER TABLE near ALTER v SET STORAGE plain;
CREATE TABLE short (id int, v qvec(600, int8));
CREATE TABLE untyped (id int, v qvec);
CREATE TABLE small (id int, v qvec(8));
SELECT total_cost('SELECT l2_distance(v, v) FROM far') > total_cost('SELECT l2_distance(v, v) FROM near') AS storage_is_not_asked;
INSERT INTO far SELECT i, vector(i, 600) FROM generate_series(1, 1000) i;
INSERT INTO near TABLE far;
INSERT INTO short SELECT id, v::qvec(600, int8) FROM far;
INSERT INTO untyped TABLE far;
INSERT INTO small SELECT id, subvector(v, 1, 8) FROM far;
ANALYZE far, near, short, untyped, small;
SELECT vector(0, 600) AS q \gset

-- out of line it is many times what it is in the row; the distance makes no difference
SELECT name, call_cost('near', name || '(v, ' || quote_literal(:'q') || ')') AS near, call_cost('far', name || '(v, ' || quote_literal(:'q') || ')') AS far
FROM unnest(ARRAY['l2_distance', 'cosine_distance', 'inner_product', 'l1_distance']) name;
SELECT call_cost(source, 'v <-> ' || quote_literal(:'q')) AS operator, source FROM unnest(ARRAY['far', 'near', 'short', 'untyped']) source;
SELECT call_cost('small', 'v <-> ''[1,2,3,4,5,6,7,8]''') AS small;
SELECT call_cost('far', 'l2_within(v, ' || quote_literal(:'q') || ', 5)') AS within,
	call_cost('far', 'v <@ l2_ball(' || quote_literal(:'q') || ', 5)') AS ball, call_cost('far', quote_literal(:'q') || ' <-> v') AS swapped,
	call_cost('far', 'v <-> v') AS two_columns, call_cost('far', 'subvector(v, 1, 8) <-> ''[1,2,3,4,5,6,7,8]''') AS expression;

-- pages of TOAST are priced as those of the table
SET seq_page_cost = 0;
SELECT call_cost('far', 'v <-> ' || quote_literal(:'q')) AS cached;
RESET seq_page_cost;

-- COST is what somebody says it is
ALTER FUNCTION l2_distance(qvec, qvec) COST 1000;
SELECT call_cost('small', 'v <-> ''[1,2,3,4,5,6,7,8]''') AS altered;
ALTER FUNCTION l2_distance(qvec, qvec) COST 10;

-- so distances are computed last of all conditions
EXPLAIN (COSTS OFF) SELECT * FROM small WHERE l2_within(v, '[1,2,3,4,5,6,7,8]', 1) AND id % 7 = 3;
EXPLAIN (COSTS OFF) SELECT * FROM small WHERE v <-> '[1,2,3,4,5,6,7,8]' < 1 AND id % 7 = 3;

-- a table whose vectors are elsewhere is not small: the index is taken, although the table has few pages
CREATE INDEX far_v ON far USING hashidx_hnsw (v);
SELECT relpages < 10 AS few_pages FROM pg_class WHERE relname = 'far';
SELECT uses_index(format('SELECT id FROM far ORDER BY v <-> %L LIMIT 100', :'q'));

-- codes by their bytes, sets by their elements
CREATE TABLE other (c bincode(64), long bincode(20000), few int[], many int[], words text[], unknown int[]);
INSERT INTO other SELECT '1'::bit(64)::bincode, repeat('1', 20000)::bincode, ARRAY[1, i], array_agg(j * i), array_agg(md5(j::text)), NULL
FROM generate_series(1, 1000) i, generate_series(1, 200) j GROUP BY i;
ANALYZE other;
SELECT call_cost('other', 'c <~> c') AS code, call_cost('other', 'long <~> long') > 1 AS long_code, call_cost('other', 'c <%> c') AS jaccard,
	call_cost('other', 'few <%> ''{1,2}''') < 0.3 AS few, call_cost('other', 'many <%> ''{1,2}''') > 3 AS many,
	call_cost('other', 'words <%> ''{1,2}''') > 3 AS words, call_cost('other', 'unknown <%> ''{1,2}''') AS unknown;

-- rows of a subquery, of a function, of a set operation, a row on its own; none of a table
SELECT call_cost('(SELECT v FROM far OFFSET 0) s', 'v <-> ' || quote_literal(:'q')) > 0.5 AS subquery;
SELECT total_cost('SELECT v <-> ''[1]'' FROM (SELECT v FROM far UNION SELECT v FROM near) u') > 0 AS set_operation,
	total_cost('SELECT f <-> ''[1]'' FROM vector(1, 1) f') > 0 AS function,
	total_cost('SELECT (SELECT a.v <-> b.v FROM near b WHERE b.id = a.id) FROM far a') > 0 AS subplan,
	total_cost('UPDATE far SET id = 1 WHERE v <-> v < 1') > 600 AS updated;
SELECT '[1,2]'::qvec <-> '[1,3]' AS constant;

DROP TABLE far, near, short, untyped, small, other;
DROP FUNCTION call_cost, total_cost, uses_index, vector;
