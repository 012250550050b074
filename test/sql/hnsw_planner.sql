-- hashidx_hnsw: when the planner takes the index
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
SET max_parallel_workers_per_gather = 0;

CREATE FUNCTION some_vector(i integer, dims integer) RETURNS qvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg((hashint4extended(i, j) & 65535)::real / 65536 ORDER BY j)::qvec FROM generate_series(1, dims) j $$;

-- the node that scans the table
CREATE FUNCTION scan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	plan := plan->0->'Plan';
	WHILE plan ? 'Plans' LOOP
		plan := plan->'Plans'->-1;
	END LOOP;
	RETURN (plan->>'Node Type') || coalesce(' using ' || (plan->>'Index Name'), '');
END $$;

CREATE TABLE vectors AS SELECT i AS id, i % 600 AS category, some_vector(i, 16) AS v
FROM generate_series(1, 3000) i;
ALTER TABLE vectors ALTER v TYPE qvec(16);
CREATE INDEX vectors_v ON vectors USING hashidx_hnsw (v);
CREATE INDEX vectors_category ON vectors (category);
VACUUM ANALYZE vectors;
SELECT quote_literal(some_vector(0, 16)::text) AS q \gset

-- few neighbours of many: the index; the whole table in order: a sort
SELECT k, scan_of(format('SELECT id FROM vectors ORDER BY v <-> %L LIMIT %s', :q, k))
FROM unnest(ARRAY[1, 10, 100]) k;
SELECT scan_of(format('SELECT id FROM vectors ORDER BY v <-> %L', :q));
-- another operator is not the index's, nor is the other direction, nor no order at all
SELECT scan_of(format('SELECT id FROM vectors ORDER BY v <=> %L LIMIT 10', :q));
SELECT scan_of(format('SELECT id FROM vectors ORDER BY v <-> %L DESC LIMIT 10', :q));
SELECT scan_of('SELECT count(*) FROM vectors WHERE v IS NOT NULL');
-- a filter that keeps half of the rows, and one that keeps five
SELECT scan_of(format('SELECT id FROM vectors WHERE category < 300 ORDER BY v <-> %L LIMIT 10', :q));
SELECT scan_of(format('SELECT id FROM vectors WHERE category = 3 ORDER BY v <-> %L LIMIT 10', :q));
-- also with a parameter, and for each row of another table
PREPARE nearest(qvec) AS SELECT id FROM vectors ORDER BY v <-> $1 LIMIT 10;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest(some_vector(0, 16));
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) SELECT a.id, b.id FROM vectors a, LATERAL
	(SELECT id FROM vectors ORDER BY v <-> a.v LIMIT 3) b WHERE a.category = 3;

-- a table of some hundred rows is worth it, one of ten is not
CREATE TABLE hundreds AS SELECT * FROM vectors WHERE id <= 500;
CREATE INDEX hundreds_v ON hundreds USING hashidx_hnsw (v);
ANALYZE hundreds;
SELECT scan_of(format('SELECT id FROM hundreds ORDER BY v <-> %L LIMIT 10', :q));
CREATE TABLE few AS SELECT * FROM vectors WHERE id <= 10;
CREATE INDEX few_v ON few USING hashidx_hnsw (v);
ANALYZE few;
SELECT scan_of(format('SELECT id FROM few ORDER BY v <-> %L LIMIT 10', :q));

-- wide vectors that are kept out of line
CREATE TABLE wide AS SELECT i AS id, some_vector(i, 600) AS v FROM generate_series(1, 400) i;
ALTER TABLE wide ALTER v TYPE qvec(600);
CREATE INDEX wide_v ON wide USING hashidx_hnsw (v);
ANALYZE wide;
SELECT scan_of(format('SELECT id FROM wide ORDER BY v <-> %L LIMIT 10', some_vector(0, 600)::text));

-- more effort costs more
CREATE FUNCTION cost_of(query text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan->0->'Plan'->>'Total Cost';
END $$;
SELECT format('SELECT id FROM vectors ORDER BY v <-> %L LIMIT 10', :q) AS query \gset
SELECT cost_of(:'query') AS cost \gset
SET hashidx.ef_search = 400;
SELECT cost_of(:'query') > :cost AS dearer;
RESET hashidx.ef_search;
DROP TABLE vectors, hundreds, few, wide;
DROP FUNCTION some_vector, scan_of, cost_of;
