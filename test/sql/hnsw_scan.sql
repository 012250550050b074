-- hashidx_hnsw: what scans return
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/plan.sql'
\i :helpers

-- a vector of hashes: clusters of 20 around points of a cube
CREATE FUNCTION cluster_vector(i integer, dims integer) RETURNS qvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint4extended(i / 20, j) & 65535) + (hashint4extended(-i, j) & 16383))::real / 65536
		ORDER BY j)::qvec FROM generate_series(1, dims) j $$;

-- 2,000 rows, every seventh a duplicate, some NULL, some zero
CREATE TABLE vectors (id integer, v qvec(24));
INSERT INTO vectors SELECT i, CASE WHEN i % 50 = 0 THEN NULL
	WHEN i % 500 = 1 THEN array_fill(0::real, ARRAY[24])::qvec
	WHEN i % 7 = 0 THEN cluster_vector(i % 21, 24) ELSE cluster_vector(i, 24) END
FROM generate_series(1, 2000) i;
ANALYZE vectors;

-- What an ordered scan of all rows gives: how many rows, whether each comes once, and in how many
-- ascending runs: what comes too late for the order makes a second one
CREATE FUNCTION examine(tab text, op text, query text,
	OUT by_index boolean, OUT returned bigint, OUT once boolean, OUT runs bigint)
LANGUAGE plpgsql AS $$
DECLARE
	ordered text := format('SELECT id, v %1$s %2$s AS d FROM %3$I ORDER BY v %1$s %2$s', op, query, tab);
	plan text;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	by_index := false;
	FOR plan IN EXECUTE 'EXPLAIN ' || ordered LOOP
		by_index := by_index OR plan LIKE '%Index Scan using ' || tab || '_v%';
	END LOOP;
	CREATE TEMP TABLE got (n serial, id integer, d double precision);
	EXECUTE 'INSERT INTO got (id, d) ' || ordered;
	SELECT count(*), count(DISTINCT id) = count(*), 1 + count(*) FILTER (WHERE d < before)
	INTO returned, once, runs FROM (SELECT id, d, lag(d) OVER (ORDER BY n) AS before FROM got) g;
	DROP TABLE got;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
END $$;

-- The mean recall of the first 10 for some queries: the share that is not farther than the true tenth
CREATE FUNCTION recall(tab text, op text, queries text[]) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	query text;
	answers text;
	worst double precision;
	hits integer := 0;
BEGIN
	FOREACH query IN ARRAY queries LOOP
		answers := format('SELECT v %1$s %2$s AS d FROM %3$I WHERE v IS NOT NULL ORDER BY v %1$s %2$s LIMIT 10',
			op, query, tab);
		SET LOCAL enable_indexscan = off;
		EXECUTE 'SELECT max(d) FROM (' || answers || ') q' INTO worst;
		SET LOCAL enable_indexscan = on;
		SET LOCAL enable_seqscan = off;
		EXECUTE format('SELECT %s + count(*) FROM (%s) q WHERE d <= %L', hits, answers, worst) INTO hits;
		SET LOCAL enable_seqscan = on;
	END LOOP;
	RETURN hits / (10.0 * cardinality(queries));
END $$;

CREATE FUNCTION queries(first integer, count integer) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(quote_literal(cluster_vector(i * 37, 24)::text) || '::qvec')
	FROM generate_series(first, first + count - 1) i $$;

-- every metric and form of the own vector: all rows that have a distance, once, in order
CREATE FUNCTION examine_all(metric text, format text, m integer, code_bits integer,
	OUT by_index boolean, OUT returned bigint, OUT once boolean, OUT ordered boolean, OUT good_recall boolean)
LANGUAGE plpgsql AS $$
DECLARE
	op text := CASE metric WHEN 'l2' THEN '<->' WHEN 'ip' THEN '<#>' ELSE '<=>' END;
BEGIN
	EXECUTE format('CREATE INDEX vectors_v ON vectors USING hashidx_hnsw (v qvec_%s_ops)
		WITH (format = %s, m = %s, code_bits = %s)', metric, format, m, code_bits);
	SELECT bool_and(e.by_index), min(e.returned), bool_and(e.once), max(e.runs) <= 2
	INTO by_index, returned, once, ordered
	FROM unnest(queries(1, 3)) q, examine('vectors', op, q) e;
	good_recall := recall('vectors', op, queries(1, 40)) >= 0.9;
	DROP INDEX vectors_v;
END $$;

SELECT o.*, e.* FROM (VALUES ('l2', 'f32', 32, 2), ('l2', 'f16', 64, 1), ('l2', 'int8', 16, 2),
	('ip', 'f32', 32, 2), ('ip', 'int8', 32, 1),
	('cosine', 'f16', 32, 2), ('cosine', 'int8', 32, 2)) o (metric, format, m, code_bits),
	examine_all(o.metric, o.format, o.m, o.code_bits) e;

-- codes, with duplicates and many ties
CREATE TABLE codes (id integer, v bincode(128));
INSERT INTO codes SELECT i, hashidx_simhash(cluster_vector(i - CASE WHEN i % 5 = 0 THEN 1 ELSE 0 END, 24), 128)
FROM generate_series(1, 2000) i;
CREATE INDEX codes_v ON codes USING hashidx_hnsw (v);
SELECT e.by_index, e.returned, e.once, e.runs <= 2 AS ordered
FROM examine('codes', '<~>', 'hashidx_simhash(' || (queries(1, 1))[1] || ', 128)') e;
SELECT recall('codes', '<~>', ARRAY(SELECT 'hashidx_simhash(' || q || ', 128)' FROM unnest(queries(1, 40)) q)) >= 0.9;
DROP TABLE codes;

CREATE INDEX vectors_v ON vectors USING hashidx_hnsw (v);
SET enable_seqscan = off;
SET enable_sort = off;

-- a query that is about the same distance from everything
SELECT count(*) FROM (SELECT v FROM vectors ORDER BY v <-> array_fill(1e18::real, ARRAY[24])::qvec) q;

-- wrong dimensions, also where the value is known only when the scan runs
SELECT id FROM vectors ORDER BY v <-> '[1,2,3]' LIMIT 1;
SELECT id FROM vectors ORDER BY v <-> (SELECT '[1,2,3]'::qvec) LIMIT 1;

-- a filter leaves nobody short
SELECT count(*) FROM (SELECT id FROM vectors WHERE id % 100 = 33 ORDER BY v <-> cluster_vector(5, 24) LIMIT 10) q;
SELECT count(*) FROM (SELECT id FROM vectors WHERE id % 100 = 33 ORDER BY v <-> cluster_vector(5, 24) LIMIT 1000) q;
SELECT count(*) FROM (SELECT id FROM vectors WHERE id % 2000 = 33 ORDER BY v <-> cluster_vector(5, 24) LIMIT 10) q;

-- max_scan_tuples ends it
SET hashidx.max_scan_tuples = 25;
SELECT count(*) FROM (SELECT id FROM vectors ORDER BY v <-> cluster_vector(5, 24)) q;
RESET hashidx.max_scan_tuples;

-- one scan for query after query; of one without a value all distances are NULL
SELECT q.i, count(*), min(v.d) = 0 AS finds_itself
FROM (VALUES (2, cluster_vector(2, 24)), (33, cluster_vector(33, 24)), (0, NULL), (44, cluster_vector(44, 24))) q (i, v),
	LATERAL (SELECT id, vectors.v <-> q.v AS d FROM vectors ORDER BY vectors.v <-> q.v LIMIT 5) v
GROUP BY q.i ORDER BY q.i;

-- a cursor outlives its transaction, and goes on where it was
CREATE FUNCTION count_rest(rows refcursor) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	count integer := 0;
	id integer;
BEGIN
	LOOP
		FETCH rows INTO id;
		EXIT WHEN NOT FOUND;
		count := count + 1;
	END LOOP;
	RETURN count;
END $$;
BEGIN;
DECLARE nearest CURSOR WITH HOLD FOR SELECT id FROM vectors ORDER BY v <-> cluster_vector(5, 24) LIMIT 300;
FETCH 1 FROM nearest;
COMMIT;
SELECT count_rest('nearest');
CLOSE nearest;
-- a table that is written to meanwhile: rows come as the snapshot has them
BEGIN;
DECLARE nearest CURSOR FOR SELECT id FROM vectors ORDER BY v <-> cluster_vector(5, 24);
FETCH 1 FROM nearest;
DELETE FROM vectors WHERE id % 2 = 0;
INSERT INTO vectors SELECT i, cluster_vector(i, 24) FROM generate_series(5001, 5100) i;
SELECT count_rest('nearest');
ROLLBACK;

-- memory is bounded: passes of a sweep, and a search that must give way to one
SET work_mem = '64kB';
SELECT by_index, returned, once, runs <= 2 AS ordered FROM examine('vectors', '<->', (queries(1, 1))[1]);
SET hashidx.ef_search = 10;
SELECT by_index, returned, once, runs <= 2 AS ordered FROM examine('vectors', '<->', (queries(2, 1))[1]);
-- a beam of more than a quarter of the nodes: all pages are read instead, and the answer is exact
SET hashidx.ef_search = 2000;
SELECT * FROM examine('vectors', '<->', (queries(3, 1))[1]);
SELECT recall('vectors', '<->', queries(1, 20));
RESET hashidx.ef_search;
RESET work_mem;
DROP TABLE vectors;

-- near ties that the own vector as stored cannot tell apart: the order is that of the table's values
CREATE TABLE ties (id integer, v qvec(8));
INSERT INTO ties SELECT i, array_agg((1 + (hashint4extended(i, j) & 255)::real / 1e6) ORDER BY j)::qvec
FROM generate_series(1, 2000) i, generate_series(1, 8) j GROUP BY i;
CREATE INDEX ties_v ON ties USING hashidx_hnsw (v) WITH (format = int8);
SELECT by_index, returned, once, runs <= 2 AS ordered FROM examine('ties', '<->', '''[1,1,1,1,1,1,1,1]''::qvec');
DROP INDEX ties_v;
CREATE INDEX ties_v ON ties USING hashidx_hnsw (v qvec_ip_ops) WITH (format = f16);
SELECT by_index, returned, once, runs <= 2 AS ordered FROM examine('ties', '<#>', '''[1,1,1,1,1,1,1,1]''::qvec');
DROP INDEX ties_v;
CREATE INDEX ties_v ON ties USING hashidx_hnsw (v qvec_cosine_ops) WITH (format = int8);
SELECT by_index, returned, once, runs <= 2 AS ordered FROM examine('ties', '<=>', '''[1,1,1,1,1,1,1,1]''::qvec');
-- a zero vector has no direction: everything is as far from it as anything else
SELECT count(*), count(*) FILTER (WHERE v <=> '[0,0,0,0,0,0,0,0]' = 'NaN')
FROM (SELECT v FROM ties ORDER BY v <=> '[0,0,0,0,0,0,0,0]') q;
DROP TABLE ties;

-- no row, one row, and no room for a shape yet
CREATE TABLE few (id integer, v qvec);
CREATE INDEX few_v ON few USING hashidx_hnsw (v);
SELECT id FROM few ORDER BY v <-> '[1,2,3]';
INSERT INTO few VALUES (1, '[3,2,1]'), (2, NULL);
SELECT id, v <-> '[3,2,2]' AS d FROM few ORDER BY v <-> '[3,2,2]';
SELECT id FROM few ORDER BY v <-> '[1,2]';
-- hundreds of equal vectors are one node
INSERT INTO few SELECT i, '[1,1,1]' FROM generate_series(10, 1009) i;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM few ORDER BY v <-> '[1,1,1]') q;
SELECT count(*) FROM (SELECT id FROM few WHERE id > 1 ORDER BY v <-> '[3,2,1]' LIMIT 500) q;
-- two distances are not for this index
SELECT plan_of($$SELECT id FROM few ORDER BY v <-> '[1,1,1]', v <-> '[1,1,2]' LIMIT 1$$);
DROP TABLE few;
DROP FUNCTION plan_of, examine_all, examine, recall, queries, count_rest, cluster_vector;
