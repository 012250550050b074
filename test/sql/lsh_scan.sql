-- hashidx_lsh: what scans return, compared with sequential scans
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE FUNCTION noise(i bigint, j integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS
	$$ SELECT (hashint8extended(i, j) % 10007)::double precision / 10007 $$;
CREATE FUNCTION vector_of(i integer) RETURNS qvec LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg(noise(i % 100, j) + 0.2 * noise(i, j + 100) ORDER BY j)::double precision[]::qvec FROM generate_series(1, 24) j $$;
CREATE FUNCTION code_of(i integer) RETURNS bincode LANGUAGE sql IMMUTABLE AS
	$$ SELECT sha256(convert_to((i % 100)::text, 'UTF8'))::bincode #
		(sha256(convert_to('a' || i, 'UTF8'))::bincode & sha256(convert_to('b' || i, 'UTF8'))::bincode &
		 sha256(convert_to('c' || i, 'UTF8'))::bincode & sha256(convert_to('d' || i, 'UTF8'))::bincode) $$;
CREATE FUNCTION set_of(i integer) RETURNS integer[] LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg((i % 100) * 1000 + CASE WHEN noise(i, j) > 0.8 THEN 500 + (noise(i, -j) * 400)::integer ELSE j END ORDER BY j)
		FROM generate_series(1, 30) j $$;

CREATE TABLE t (id integer PRIMARY KEY, v qvec(24), c bincode(256), s integer[]);
INSERT INTO t SELECT i, vector_of(i), code_of(i), set_of(i) FROM generate_series(1, 6000) i;
CREATE INDEX t_cosine ON t USING hashidx_lsh (v) WITH (tables = 8, bits = 2);
CREATE INDEX t_l2 ON t USING hashidx_lsh (v qvec_l2_ops) WITH (tables = 8, bits = 6);
CREATE INDEX t_c ON t USING hashidx_lsh (c) WITH (tables = 8, bits = 14);
CREATE INDEX t_s ON t USING hashidx_lsh (s) WITH (bands = 10, rows = 2);
ANALYZE t;

-- the index that the planner chooses of its own accord
CREATE FUNCTION chosen(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || line;
	END LOOP;
	RETURN substring(plan FROM 'Index Scan (?:using|on) (\w+)');
END $$;
SELECT chosen('SELECT id FROM t ORDER BY v <=> vector_of(7) LIMIT 5');
SELECT chosen('SELECT id FROM t ORDER BY v <-> vector_of(7) LIMIT 5');
SELECT chosen('SELECT id FROM t ORDER BY c <~> code_of(7) LIMIT 5');
SELECT chosen('SELECT id FROM t ORDER BY s <%> set_of(7) LIMIT 5');
SELECT chosen('SELECT id FROM t WHERE cosine_within(v, vector_of(7), 0.01)');
SELECT chosen('SELECT id FROM t WHERE l2_within(v, vector_of(7), 0.2)');
SELECT chosen('SELECT id FROM t WHERE hamming_within(c, code_of(7), 10)');
SELECT chosen('SELECT id FROM t WHERE jaccard_within(s, set_of(7), 0.3)');
EXPLAIN (COSTS OFF) SELECT a.id, b.id FROM t a JOIN t b ON jaccard_within(b.s, a.s, 0.2) AND a.id < b.id;
EXPLAIN (COSTS OFF) SELECT a.id, b.id FROM t a JOIN t b ON jaccard_within(a.s, b.s, 0.2) AND a.id < b.id;

-- the condition is the index's, also with a parameter, in a bitmap scan and in a join; a NOT is none
PREPARE near_cosine (qvec) AS SELECT id FROM t WHERE cosine_within(v, $1, 0.01);
PREPARE near_l2 (qvec) AS SELECT id FROM t WHERE l2_within($1, v, 0.2);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE near_cosine(NULL);
EXPLAIN (COSTS OFF) EXECUTE near_l2(NULL);
SET enable_indexscan = off;
DISCARD PLANS;
EXPLAIN (COSTS OFF) EXECUTE near_cosine(NULL);
EXPLAIN (COSTS OFF) EXECUTE near_l2(NULL);
RESET enable_indexscan;
RESET plan_cache_mode;
DEALLOCATE ALL;
EXPLAIN (COSTS OFF) SELECT a.id, b.id FROM t a JOIN t b ON l2_within(a.v, b.v, 0.2) WHERE a.id <= 10;
EXPLAIN (COSTS OFF) SELECT a.id, b.id FROM t a JOIN t b ON cosine_within(b.v, a.v, 0.001) WHERE a.id <= 10;
SELECT chosen('SELECT id FROM t WHERE NOT l2_within(v, vector_of(7), 0.2)');

-- found: the share of a sequential scan's rows that the index finds too; false: what it finds besides
CREATE FUNCTION compare(query text, scan text, OUT rows bigint, OUT share numeric, OUT wrong bigint) LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
	expected integer[];
	answer integer[];
BEGIN
	PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
		set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true);
	EXECUTE format('SELECT array_agg(id) FROM (%s) a', query) INTO expected;
	PERFORM set_config('enable_indexscan', (scan = 'Index Scan')::text, true),
		set_config('enable_bitmapscan', (scan LIKE 'Bitmap%')::text, true),
		set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || line;
	END LOOP;
	IF plan NOT LIKE '%' || scan || '%' THEN
		RAISE EXCEPTION 'no % in the plan: %', scan, plan;
	END IF;
	EXECUTE format('SELECT array_agg(id) FROM (%s) a', query) INTO answer;
	SELECT count(*) INTO rows FROM unnest(expected);
	SELECT round(count(*)::numeric / greatest(rows, 1), 2) INTO share FROM unnest(expected) e WHERE e = ANY (answer);
	SELECT count(*) - count(DISTINCT a) + count(*) FILTER (WHERE a <> ALL (expected)) INTO wrong FROM unnest(answer) a;
END $$;

-- neighbours: the mean over ten queries reaches the target
SELECT metric, avg(rows) AS rows, avg(share) >= 0.9 AS enough FROM
	(VALUES ('cosine', 'v <=> vector_of(%s)'), ('l2', 'v <-> vector_of(%s)'),
		('hamming', 'c <~> code_of(%s)'), ('jaccard', 's <%%> set_of(%s)')) m (metric, distance),
	generate_series(100, 1000, 100) q,
	compare(format('SELECT id FROM t ORDER BY ' || distance || ' LIMIT 10', q), 'Index Scan')
GROUP BY metric ORDER BY metric;

-- ranges: never a false row, and hardly one missing, as index scan and as bitmap scan
SELECT metric, scan, sum(rows) > 100 AS rows, sum(share * rows) / sum(rows) >= 0.95 AS enough, sum(wrong) AS wrong FROM
	(VALUES ('cosine', 'cosine_within(v, vector_of(%s), 0.04)'), ('l2', 'l2_within(v, vector_of(%s), 0.8)'),
		('hamming', 'hamming_within(c, code_of(%s), 24)'), ('jaccard', 'jaccard_within(s, set_of(%s), 0.5)')) m (metric, range),
	unnest('{Index Scan,Bitmap Heap Scan}'::text[]) scan,
	generate_series(100, 1000, 100) q,
	compare(format('SELECT id FROM t WHERE ' || range, q), scan)
GROUP BY metric, scan ORDER BY metric, scan;

-- radius 0 finds equal values, radius 1 of sets and a negative one are nothing special
SELECT * FROM compare('SELECT id FROM t WHERE cosine_within(v, vector_of(17), 0.0000001)', 'Index Scan');
SELECT * FROM compare('SELECT id FROM t WHERE l2_within(v, vector_of(17), 0)', 'Index Scan');
SELECT * FROM compare('SELECT id FROM t WHERE hamming_within(c, code_of(17), 0)', 'Bitmap Heap Scan');
SELECT * FROM compare('SELECT id FROM t WHERE jaccard_within(s, set_of(17), 0)', 'Index Scan');
SELECT * FROM compare('SELECT id FROM t WHERE jaccard_within(s, set_of(17), 1)', 'Index Scan');
SELECT * FROM compare('SELECT id FROM t WHERE jaccard_within(s, set_of(17), 1)', 'Bitmap Heap Scan');
SELECT * FROM compare('SELECT id FROM t WHERE hamming_within(c, code_of(17), 256)', 'Index Scan');
SELECT * FROM compare('SELECT id FROM t WHERE cosine_within(v, vector_of(17), 2)', 'Index Scan');
SELECT * FROM compare('SELECT id FROM t WHERE l2_within(v, vector_of(17), ''Infinity'')', 'Index Scan');
SELECT * FROM compare('SELECT id FROM t WHERE hamming_within(c, code_of(17), -1)', 'Index Scan');
SELECT * FROM compare('SELECT id FROM t WHERE jaccard_within(s, set_of(17), -0.5)', 'Bitmap Heap Scan');

-- a range with an order; two ranges; a range around one value ordered by the distance to another
SELECT rows > 3 AS rows, share >= 0.9 AS enough, wrong FROM compare('SELECT id FROM t WHERE jaccard_within(s, set_of(300), 0.5) ORDER BY s <%> set_of(300)', 'Index Scan');
SELECT rows > 3 AS rows, share >= 0.9 AS enough, wrong FROM compare('SELECT id FROM t WHERE hamming_within(c, code_of(300), 24) AND hamming_within(c, code_of(400), 24)', 'Index Scan');
SELECT rows > 3 AS rows, share >= 0.9 AS enough, wrong FROM compare('SELECT id FROM t WHERE l2_within(v, vector_of(300), 0.8) ORDER BY v <-> vector_of(400)', 'Index Scan');

-- distances are exact and do not decrease
SET enable_seqscan = off;
SELECT count(*), bool_and(d >= before) AS ascending, bool_and(d = (v <=> vector_of(300))) AS exact FROM
	(SELECT v, d, coalesce(lag(d) OVER (ROWS UNBOUNDED PRECEDING), 0) AS before
	 FROM (SELECT v, v <=> vector_of(300) AS d FROM t ORDER BY v <=> vector_of(300) LIMIT 20) a) b;

-- nor where clusters are so tight that many rows turn up too late for the order: these come at the
-- end of a scan that is read to its end, and then all rows have come
CREATE TABLE tight AS SELECT i AS id, (SELECT array_agg(sin(i % 150 * 7.3 + j * 1.7) * 3 +
	hashint4(i * 1009 + j) % 1000 / 3000.0 ORDER BY j) FROM generate_series(1, 32) j)::real[]::qvec(32) AS v
FROM generate_series(1, 3000) i;
CREATE INDEX ON tight USING hashidx_lsh (v qvec_cosine_ops) WITH (tables = 2, bits = 10);
SELECT k, sum(rows) AS rows, max(descents) AS descents FROM unnest(ARRAY[10, 50, 200, NULL]) k,
	(SELECT v FROM tight WHERE id % 97 = 0) q,
	LATERAL (SELECT count(*) AS rows, count(*) FILTER (WHERE d < before) AS descents FROM
		(SELECT d, lag(d) OVER (ROWS UNBOUNDED PRECEDING) AS before FROM
			(SELECT v <=> q.v AS d FROM tight ORDER BY v <=> q.v LIMIT k) a) b) c
GROUP BY k ORDER BY k;
DROP TABLE tight;

-- a filter makes the scan go on
SELECT count(*), bool_and(id % 50 = 7) FROM (SELECT id FROM t WHERE id % 50 = 7 ORDER BY v <=> vector_of(300) LIMIT 50) a;

-- more recall costs more probes
CREATE FUNCTION probes(recall text) RETURNS integer LANGUAGE sql AS
	$$ SELECT set_config('hashidx.recall', recall, true); SELECT coalesce((hashidx_index_stats('t_c') ->> 'probes')::integer, 1000000) $$;
SELECT probes('0.5') < probes('0.99') AS more;

-- a cursor, a nested loop with rescans, a plan with parameters
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT id FROM t ORDER BY s <%> set_of(55);
FETCH 1 FROM c;
INSERT INTO t VALUES (10001, vector_of(55), code_of(55), set_of(55));
SELECT count(*) FROM t WHERE jaccard_within(s, set_of(55), 0);
MOVE 100 IN c;
ROLLBACK;
SELECT q.id, n.id = q.id AS itself FROM generate_series(1, 5) q (id),
	LATERAL (SELECT t.id FROM t ORDER BY t.v <=> vector_of(q.id) LIMIT 1) n;
PREPARE near (integer) AS SELECT id FROM t ORDER BY c <~> code_of($1) LIMIT 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE near(123);
EXECUTE near(321);
RESET plan_cache_mode;

-- near-duplicates by a join, each pair once
SELECT count(*) = (SELECT count(*) FROM t a JOIN t b ON a.id < b.id AND a.id % 100 = b.id % 100
	WHERE a.id <= 600 AND b.id <= 600 AND (a.s <%> b.s) <= 0.2) AS same
FROM t a JOIN t b ON jaccard_within(b.s, a.s, 0.2) AND a.id < b.id WHERE a.id <= 600 AND b.id <= 600;

-- joins of vectors: no pair that a nested loop of distances has not, and hardly one less
SELECT count(*) FILTER (WHERE (x.v <-> y.v) > 0.8) AS wrong, count(*) >= 0.95 * exact AS enough, exact > 500 AS many
FROM t x JOIN t y ON l2_within(x.v, y.v, 0.8),
	(SELECT count(*) AS exact FROM t x, t y WHERE x.id <= 100 AND (x.v <-> y.v) <= 0.8) e
WHERE x.id <= 100 GROUP BY exact;
SELECT count(*) FILTER (WHERE (x.v <=> y.v) > 0.04) AS wrong, count(*) >= 0.95 * exact AS enough, exact > 500 AS many
FROM t x JOIN t y ON cosine_within(y.v, x.v, 0.04),
	(SELECT count(*) AS exact FROM t x, t y WHERE x.id <= 100 AND (x.v <=> y.v) <= 0.04) e
WHERE x.id <= 100 GROUP BY exact;

-- values of another length are errors of the scan, a NULL is no row
SELECT count(*) FROM t WHERE l2_within(v, '[1,2,3]', 1);
SELECT count(*) FROM t WHERE cosine_within(v, '[1,2,3]', 1);
SELECT count(*) FROM t WHERE hamming_within(c, '0101', 1);
SELECT count(*) FROM t WHERE jaccard_within(s, '{1,NULL}', 0.5);
SELECT count(*) FROM t WHERE l2_within(v, NULL, 1);
DROP TABLE t;

-- zero vectors have no direction, empty sets are equal to each other
CREATE TABLE z (id integer, v qvec(4), s text[]);
CREATE INDEX z_v ON z USING hashidx_lsh (v) WITH (tables = 3, bits = 2);
CREATE INDEX z_s ON z USING hashidx_lsh (s) WITH (bands = 3, rows = 1);
INSERT INTO z VALUES (1, '[0,0,0,0]', '{}'), (2, '[1,0,0,0]', '{a}'), (3, '[0,1,0,0]', '{a,b}'), (4, '[0,0,0,0]', '{}'), (5, '[1,0.1,0,0]', '{b,a,b}');
SELECT id, round((v <=> '[1,0,0,0]')::numeric, 3) AS d FROM z ORDER BY v <=> '[1,0,0,0]', id LIMIT 3;
SELECT count(*) FROM (SELECT id FROM z ORDER BY v <=> '[1,0,0,0]' LIMIT 10) a;
SELECT count(*) FROM (SELECT id FROM z ORDER BY v <=> '[0,0,0,0]' LIMIT 10) a;
SELECT array_agg(id) FROM z WHERE cosine_within(v, '[1,0,0,0]', 0.1);
SELECT array_agg(id) FROM z WHERE cosine_within(v, '[0,0,0,0]', 2);
SELECT array_agg(id ORDER BY id) FROM z WHERE jaccard_within(s, '{}', 0);
SELECT array_agg(id ORDER BY id) FROM z WHERE jaccard_within(s, '{a,b}', 0);
SELECT array_agg(id ORDER BY id) FROM z WHERE jaccard_within(s, '{a,b}', 1);
SELECT hashidx_check('z_v', true), hashidx_check('z_s', true);
DROP TABLE z;

DROP FUNCTION chosen, compare, probes, set_of, code_of, vector_of, noise;
