-- hashidx_lsh: ranges as bitmaps: with another index, counted, with pages of which only the number
-- is kept, in parallel workers
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE FUNCTION noise(i bigint, j integer) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT (hashint8extended(i, j) % 10007)::double precision / 10007 $$;
CREATE FUNCTION vector_of(i integer) RETURNS qvec LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT array_agg(noise(i % 20, j) + 0.2 * noise(i, j + 100) ORDER BY j)::double precision[]::qvec FROM generate_series(1, 16) j $$;
CREATE FUNCTION code_of(i integer) RETURNS bincode LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT sha256(convert_to((i % 20)::text, 'UTF8'))::bincode #
		(sha256(convert_to('a' || i, 'UTF8'))::bincode & sha256(convert_to('b' || i, 'UTF8'))::bincode & sha256(convert_to('c' || i, 'UTF8'))::bincode) $$;
CREATE FUNCTION set_of(i integer) RETURNS integer[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT array_agg((i % 20) * 1000 + CASE WHEN noise(i, j) > 0.8 THEN 500 + (noise(i, -j) * 400)::integer ELSE j END ORDER BY j)
		FROM generate_series(1, 20) j $$;

-- A page a row, so that few rows are many pages. Of each value there is another row with the same.
CREATE TABLE t (id integer, category integer, v qvec(16), c bincode(256), s integer[], filler text) WITH (fillfactor = 10);
ALTER TABLE t ALTER filler SET STORAGE PLAIN;
INSERT INTO t SELECT i, i % 7, vector_of(i / 2), code_of(i / 2), set_of(i / 2), repeat('-', 800) FROM generate_series(1, 3000) i;
CREATE INDEX t_category ON t (category);
CREATE INDEX t_cosine ON t USING hashidx_lsh (v) WITH (tables = 8, bits = 2);
CREATE INDEX t_l2 ON t USING hashidx_lsh (v qvec_l2_ops) WITH (tables = 8, bits = 4);
CREATE INDEX t_c ON t USING hashidx_lsh (c) WITH (tables = 8, bits = 10);
CREATE INDEX t_s ON t USING hashidx_lsh (s) WITH (bands = 10, rows = 2);
VACUUM ANALYZE t;

-- A condition with a query: values of row 2 * i.
CREATE FUNCTION range_of(metric text, i integer, radius float8) RETURNS text LANGUAGE sql AS $$
	SELECT CASE metric WHEN 'cosine' THEN format('cosine_within(v, %L, %s)', vector_of(i), radius)
		WHEN 'l2' THEN format('l2_within(v, %L, %s)', vector_of(i), radius)
		WHEN 'hamming' THEN format('hamming_within(c, %L, %s)', code_of(i), radius)
		ELSE format('jaccard_within(s, %L, %s)', set_of(i), radius) END
$$;
CREATE VIEW narrow AS SELECT metric, range_of(metric, i, CASE metric WHEN 'cosine' THEN 0.0000001 ELSE 0 END) AS range
	FROM unnest('{cosine,hamming,jaccard,l2}'::text[]) metric, generate_series(1, 1401, 400) i;
CREATE VIEW wide AS SELECT metric, range_of(metric, i, radius) AS range
	FROM (VALUES ('cosine', 0.04), ('hamming', 60), ('jaccard', 0.6), ('l2', 0.7)) m (metric, radius), generate_series(1, 1401, 400) i;
CREATE VIEW everything AS SELECT metric, range_of(metric, 1, radius) AS range
	FROM (VALUES ('cosine', 2.0), ('hamming', 256), ('jaccard', 1), ('l2', 1e6)) m (metric, radius);

-- The ids that a condition selects, read with all scans off but one, whose name the plan must have.
CREATE FUNCTION ids(condition text, scan text) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT id FROM t WHERE %s', condition);
	line text;
	plan text := '';
	answer integer[];
BEGIN
	PERFORM set_config('enable_seqscan', (scan ~ 'Seq')::text, true), set_config('enable_indexscan', (scan = 'Index Scan')::text, true),
		set_config('enable_bitmapscan', (scan ~ 'Bitmap')::text, true);
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || line;
	END LOOP;
	IF plan NOT LIKE '%' || scan || '%' THEN
		RAISE EXCEPTION 'no % in the plan: %', scan, plan;
	END IF;
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM (%s) a', query) INTO answer;
	RETURN coalesce(answer, '{}');
END $$;
CREATE FUNCTION lossy(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'on', true);
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM t WHERE %s', condition) LOOP
		IF line ~ 'Heap Blocks:.* lossy=' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;

-- equal values are always found, however rows are read
SELECT metric, count(*), sum(cardinality(seq)) AS rows, bool_and(seq = one AND seq = many) AS same
FROM narrow, ids(range, 'Seq Scan') seq, ids(range, 'Index Scan') one, ids(range, 'Bitmap Heap Scan') many
GROUP BY metric ORDER BY metric;

-- wider: no row that a sequential scan has not, hardly one less; index scan and bitmap find the same
SELECT metric, count(*), sum(cardinality(seq)) > 100 AS rows, bool_and(many <@ seq) AS right,
	sum(cardinality(many)) >= 0.95 * sum(cardinality(seq)) AS enough, bool_and(one = many) AS same
FROM wide, ids(range, 'Seq Scan') seq, ids(range, 'Index Scan') one, ids(range, 'Bitmap Heap Scan') many
GROUP BY metric ORDER BY metric;

-- with a btree on another column, both ways round; two ranges. Where reading many pages of the table is
-- dear, and little else, sparing some is worth a second bitmap.
SET random_page_cost = 0;
SET seq_page_cost = 100;
SELECT metric, count(*), sum(cardinality(alone)) > 5 AS rows, bool_and(mixed = alone) AS same
FROM wide, ids(range, 'Index Scan') one, LATERAL (SELECT array_agg(id ORDER BY id) FROM t WHERE id = ANY (one) AND category = 3) a (alone),
	ids(range || ' AND category = 3', 'BitmapAnd') mixed
GROUP BY metric ORDER BY metric;
SELECT metric, count(*), bool_and(mixed = alone) AS same
FROM wide, ids(range, 'Index Scan') one, LATERAL (SELECT array_agg(id ORDER BY id) FROM t WHERE id = ANY (one) OR category = 3) a (alone),
	ids(format('(%s OR category = 3)', range), 'BitmapOr') mixed
GROUP BY metric ORDER BY metric;
SELECT cardinality(mixed) > 50 AS rows, mixed = ARRAY(SELECT unnest(a) INTERSECT SELECT unnest(b) ORDER BY 1) AS same
FROM range_of('jaccard', 201, 0.6) r, range_of('l2', 401, 2) q, ids(r, 'Index Scan') a, ids(q, 'Index Scan') b, ids(r || ' AND ' || q, 'BitmapAnd') mixed;
RESET random_page_cost;
RESET seq_page_cost;

-- counted, and with so little memory that whole pages are kept and each row is looked at again
SET enable_seqscan = off;
SET enable_indexscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE l2_within(v, '[1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8]', 0.7);
SELECT count(*) FROM t WHERE l2_within(v, vector_of(1), 0);
SELECT count(*) FROM t WHERE jaccard_within(s, set_of(1), 0);
RESET enable_seqscan;
RESET enable_indexscan;
SET work_mem = '64kB';
SELECT metric, cardinality(many) AS rows, lossy(range) AS lossy, many = ids('true', 'Seq Scan') AS all
FROM everything, ids(range, 'Bitmap Heap Scan') many ORDER BY metric;
SELECT metric, bool_and(many = one) AS same FROM wide, ids(range, 'Index Scan') one, ids(range, 'Bitmap Heap Scan') many GROUP BY metric ORDER BY metric;
RESET work_mem;

-- in parallel workers, with and without enough memory; rows deleted meanwhile are no rows
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET seq_page_cost = 0;		-- which workers do not share
SET random_page_cost = 0;
ALTER TABLE t SET (parallel_workers = 2);
DELETE FROM t WHERE id % 50 = 0;
CREATE VIEW parallel AS SELECT metric, bool_and(many = seq) AS same
	FROM everything, ids(range, 'Parallel Seq Scan') seq, ids(range, 'Parallel Bitmap Heap Scan') many
	GROUP BY metric ORDER BY metric;
SELECT * FROM parallel;
SET work_mem = '64kB';
SELECT * FROM parallel;
RESET work_mem;
SET enable_seqscan = off;
SET enable_indexscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE jaccard_within(s, '{1,2,3}', 1);
SELECT count(*) FROM t WHERE jaccard_within(s, '{1,2,3}', 1);
RESET enable_seqscan;
RESET enable_indexscan;

-- a bitmap is made anew for each outer row of a join
SET enable_indexscan = off;
SET enable_seqscan = off;
SET enable_material = off;
SELECT count(*), count(DISTINCT q.i) FROM generate_series(1, 20) q (i) JOIN t ON jaccard_within(t.s, set_of(q.i), 0);
RESET enable_indexscan;
RESET enable_seqscan;
RESET enable_material;

RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
RESET seq_page_cost;
RESET random_page_cost;
DROP VIEW parallel, narrow, wide, everything;
DROP TABLE t;
DROP FUNCTION ids, lossy, range_of, set_of, code_of, vector_of, noise;
