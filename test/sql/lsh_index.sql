-- hashidx_lsh: indexes of every operator class, maintenance, options, tools and errors
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

SELECT opcname, opcdefault, opcintype::regtype, amvalidate(c.oid)
FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE amname = 'hashidx_lsh' ORDER BY 1, 3;

-- reproducible values: vectors around 50 centres, codes near 50 codes, sets that share elements
CREATE FUNCTION noise(i bigint, j integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS
	$$ SELECT (hashint8extended(i, j) % 10007)::double precision / 10007 $$;
CREATE FUNCTION vector_of(i integer) RETURNS qvec LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg(noise(i % 50, j) + 0.2 * noise(i, j + 100) ORDER BY j)::double precision[]::qvec FROM generate_series(1, 24) j $$;
CREATE FUNCTION code_of(i integer) RETURNS bincode LANGUAGE sql IMMUTABLE AS
	$$ SELECT sha256(convert_to((i % 50)::text, 'UTF8'))::bincode #
		(sha256(convert_to('a' || i, 'UTF8'))::bincode & sha256(convert_to('b' || i, 'UTF8'))::bincode &
		 sha256(convert_to('c' || i, 'UTF8'))::bincode & sha256(convert_to('d' || i, 'UTF8'))::bincode) $$;
CREATE FUNCTION set_of(i integer) RETURNS integer[] LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg((i % 50) * 1000 + CASE WHEN noise(i, j) > 0.8 THEN 500 + (noise(i, -j) * 400)::integer ELSE j END ORDER BY j)
		FROM generate_series(1, 30) j $$;

CREATE TABLE t (id integer, v qvec(24), l qvec, c bincode(256), s4 integer[], s8 bigint[], st text[]) WITH (autovacuum_enabled = off);

-- indexes before rows; the functions are chosen at the first row
CREATE INDEX t_v ON t USING hashidx_lsh (v) WITH (tables = 6, bits = 2);
CREATE INDEX t_l ON t USING hashidx_lsh (l qvec_l2_ops) WITH (tables = 6, bits = 3);
CREATE INDEX t_c ON t USING hashidx_lsh (c) WITH (tables = 6, bits = 12);
CREATE INDEX t_s4 ON t USING hashidx_lsh (s4) WITH (bands = 8, rows = 2);
CREATE INDEX t_s8 ON t USING hashidx_lsh (s8 array_jaccard_ops) WITH (bands = 8, rows = 2);
CREATE INDEX t_st ON t USING hashidx_lsh (st) WITH (bands = 8, rows = 2);
SET enable_seqscan = off;
SELECT id FROM t ORDER BY v <=> vector_of(1) LIMIT 3;
SELECT id FROM t WHERE jaccard_within(st, '{a}', 0.5);
SELECT hashidx_index_stats('t_v') - 'bytes';

INSERT INTO t SELECT i, vector_of(i), vector_of(i), code_of(i), set_of(i), set_of(i)::bigint[], set_of(i)::text[]
FROM generate_series(1, 2000) i;
INSERT INTO t (id) VALUES (0);

-- what the indexes are made of, without what depends on the page size
CREATE FUNCTION stats(index regclass) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object_agg(key, value) FROM jsonb_each(hashidx_index_stats(index))
	WHERE key IN ('family', 'tables', 'bits', 'bands', 'band_rows', 'dims', 'code_bits', 'rows', 'entries') $$;
SELECT name, stats(name) FROM unnest('{t_v,t_l,t_c,t_s4,t_s8,t_st}'::regclass[]) name;
SELECT name, hashidx_check(name, true) FROM unnest('{t_v,t_l,t_c,t_s4,t_s8,t_st}'::regclass[]) name;

-- a value finds itself first, and a scan that is drained has every row once, nearest first
SET enable_sort = off;
CREATE FUNCTION drained(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
	answer text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || line;
	END LOOP;
	IF plan NOT LIKE '%Index Scan using%' THEN
		RETURN plan;
	END IF;
	EXECUTE format('SELECT format(''first %%s, %%s rows, %%s different'', min(id) FILTER (WHERE n = 1), count(*), count(DISTINCT id))
		FROM (SELECT id, row_number() OVER () n FROM (%s) a) b', query) INTO answer;
	RETURN answer;
END $$;
SELECT drained('SELECT id FROM t ORDER BY v <=> vector_of(77)');
SELECT drained('SELECT id FROM t ORDER BY l <-> vector_of(77)');
SELECT drained('SELECT id FROM t ORDER BY c <~> code_of(77)');
SELECT drained('SELECT id FROM t ORDER BY s4 <%> set_of(77)');
SELECT drained('SELECT id FROM t ORDER BY s8 <%> set_of(77)::bigint[]');
SELECT drained('SELECT id FROM t ORDER BY st <%> set_of(77)::text[]');
SET work_mem = '64kB';
SELECT drained('SELECT id FROM t ORDER BY v <=> vector_of(77)');
RESET work_mem;
SET hashidx.lsh_probes = 1;
SELECT drained('SELECT id FROM t ORDER BY c <~> code_of(77)');
RESET hashidx.lsh_probes;
SET hashidx.max_scan_tuples = 5;
SELECT drained('SELECT id FROM t ORDER BY c <~> code_of(77)');
RESET hashidx.max_scan_tuples;
RESET enable_sort;

-- NULL: not in the index, and as a query without any order
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <=> (SELECT NULL::qvec) LIMIT 5000) a;
SELECT count(*) FROM t WHERE cosine_within(v, NULL, 0.5);

-- vacuum removes rows from all tables, and space is used again
SELECT pg_relation_size('t_v') AS v_before, pg_relation_size('t_s4') AS s4_before \gset
DELETE FROM t WHERE id > 1000;
VACUUM t;
SELECT name, stats(name) ->> 'rows' AS rows, stats(name) ->> 'entries' AS entries FROM unnest('{t_v,t_c,t_s4}'::regclass[]) name;
SELECT name, hashidx_check(name, true) FROM unnest('{t_v,t_l,t_c,t_s4,t_s8,t_st}'::regclass[]) name;
INSERT INTO t SELECT i, vector_of(i), vector_of(i), code_of(i), set_of(i), set_of(i)::bigint[], set_of(i)::text[]
FROM generate_series(1001, 2000) i;
SELECT pg_relation_size('t_v') <= :v_before AS v_reused, pg_relation_size('t_s4') <= :s4_before AS s4_reused;
SELECT hashidx_check('t_v', true), hashidx_check('t_s4', true);

-- rebuilding, in every way
REINDEX INDEX t_v;
REINDEX INDEX CONCURRENTLY t_c;
CREATE INDEX CONCURRENTLY t_v2 ON t USING hashidx_lsh (v) WITH (tables = 2, family = hyperplane, bits = 6);
SELECT name, stats(name) FROM unnest('{t_v,t_c,t_v2}'::regclass[]) name;
SELECT name, hashidx_check(name, true) FROM unnest('{t_v,t_c,t_v2}'::regclass[]) name;
DROP TABLE t;

-- a build that has to sort on disk, an expression, a part of the table, an unlogged and a temporary one
CREATE TABLE u (id integer, v qvec(24));
INSERT INTO u SELECT i, vector_of(i) FROM generate_series(1, 3000) i;
SET maintenance_work_mem = '1MB';
CREATE INDEX u_part ON u USING hashidx_lsh (v) WITH (tables = 5, bits = 2) WHERE id % 2 = 0;
CREATE INDEX u_code ON u USING hashidx_lsh (hashidx_simhash(v, 64)) WITH (tables = 3, bits = 8);
RESET maintenance_work_mem;
SELECT name, stats(name) ->> 'rows' AS rows, hashidx_check(name, true) FROM unnest('{u_part,u_code}'::regclass[]) name;
SELECT id FROM u ORDER BY hashidx_simhash(v, 64) <~> hashidx_simhash(vector_of(5), 64) LIMIT 1;
SELECT id FROM u WHERE id % 2 = 0 ORDER BY v <=> vector_of(6) LIMIT 1;
DROP TABLE u;
CREATE UNLOGGED TABLE unlogged (s integer[]);
CREATE INDEX unlogged_s ON unlogged USING hashidx_lsh (s) WITH (bands = 4, rows = 1);
INSERT INTO unlogged SELECT set_of(i) FROM generate_series(1, 100) i;
SELECT hashidx_check('unlogged_s', true);
DROP TABLE unlogged;
CREATE TEMP TABLE temporary (s integer[]);
CREATE INDEX temporary_s ON temporary USING hashidx_lsh (s) WITH (bands = 4, rows = 1);
INSERT INTO temporary SELECT set_of(i) FROM generate_series(1, 100) i;
SELECT hashidx_check('temporary_s', true);
DROP TABLE temporary;

-- partitions
CREATE TABLE parts (id integer, s integer[]) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (50);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (50) TO (100);
CREATE INDEX parts_s ON parts USING hashidx_lsh (s) WITH (bands = 4, rows = 1);
INSERT INTO parts SELECT i, set_of(i % 10) FROM generate_series(0, 99) i;
SELECT array_agg(id) FROM (SELECT id FROM parts WHERE jaccard_within(s, set_of(3), 0) ORDER BY id) a;
DROP TABLE parts;

-- one bucket with very many rows: pages of its own, nothing lost, nothing slow
CREATE TABLE same (id integer, s integer[]) WITH (autovacuum_enabled = off);
CREATE INDEX same_s ON same USING hashidx_lsh (s) WITH (bands = 3, rows = 1);
INSERT INTO same SELECT i, '{1,2,3}' FROM generate_series(1, 20000) i;
INSERT INTO same SELECT i, ARRAY[i] FROM generate_series(20001, 20100) i;
SELECT (hashidx_index_stats('same_s') ->> 'long_pages')::integer > 10 AS has_long_pages;
SELECT count(*), count(DISTINCT id) FROM same WHERE jaccard_within(s, '{1,2,3}', 0);
SET work_mem = '64kB';
SELECT count(*), count(DISTINCT id) FROM same WHERE jaccard_within(s, '{1,2,3}', 0);
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM same ORDER BY s <%> '{1,2,3}' LIMIT 20050) a;
RESET work_mem;
SELECT hashidx_check('same_s', true);
DELETE FROM same WHERE id % 4 > 0;
VACUUM same;
SELECT hashidx_check('same_s', true);
SELECT count(*) FROM same WHERE jaccard_within(s, '{1,2,3}', 0);
SELECT (hashidx_index_stats('same_s') ->> 'free_pages')::integer > 10 AS has_free_pages;
SELECT pg_relation_size('same_s') AS before \gset
INSERT INTO same SELECT i, '{1,2,3}' FROM generate_series(1, 12000) i;
SELECT pg_relation_size('same_s') <= :before AS reused;
DELETE FROM same;
VACUUM same;
SELECT hashidx_check('same_s', true), hashidx_index_stats('same_s') -> 'long_pages' AS long_pages;
INSERT INTO same VALUES (1, '{1,2,3}');
SELECT id FROM same WHERE jaccard_within(s, '{1,2,3}', 0);
REINDEX INDEX same_s;
SELECT hashidx_check('same_s', true);
DROP TABLE same;

-- settings and predictions
CREATE TABLE p (v qvec(24));
INSERT INTO p SELECT vector_of(i) FROM generate_series(1, 2000) i;
CREATE INDEX p_v ON p USING hashidx_lsh (v) WITH (tables = 4, bits = 2);
SELECT (s ->> 'predicted_recall')::numeric BETWEEN 0.95 AND 1 AS enough, s ->> 'target_recall' AS target
FROM hashidx_index_stats('p_v') s;
DROP TABLE p;

-- functions are chosen in seconds, and that can be cancelled: then none are
CREATE TABLE late (v qvec(256));
CREATE INDEX late_v ON late USING hashidx_lsh (v);
SET statement_timeout = '20ms';
INSERT INTO late SELECT array_agg(noise(1, j) ORDER BY j)::double precision[]::qvec FROM generate_series(1, 256) j;
RESET statement_timeout;
SELECT count(*), (SELECT hashidx_index_stats('late_v') ->> 'tables') AS tables FROM late;
DROP TABLE late;

-- errors
CREATE TABLE e (v qvec(24), w qvec, c bincode, s integer[], f double precision[], n integer);
CREATE INDEX ON e USING hashidx_lsh (v) WITH (bands = 3);
CREATE INDEX ON e USING hashidx_lsh (s) WITH (tables = 3);
CREATE INDEX ON e USING hashidx_lsh (c) WITH (family = hyperplane);
CREATE INDEX ON e USING hashidx_lsh (v) WITH (family = minhash);
CREATE INDEX ON e USING hashidx_lsh (v) WITH (tables = 257);
CREATE INDEX ON e USING hashidx_lsh (v) WITH (tables = -1);
CREATE INDEX ON e USING hashidx_lsh (v) WITH (probes = 3);
CREATE INDEX ON e USING hashidx_lsh (f);
CREATE INDEX ON e USING hashidx_lsh (n);
CREATE INDEX ON e USING hashidx_lsh (v, w);
CREATE UNIQUE INDEX ON e USING hashidx_lsh (v);
CREATE INDEX e_w ON e USING hashidx_lsh (w) WITH (tables = 2, bits = 2);
CREATE INDEX e_c ON e USING hashidx_lsh (c) WITH (tables = 2, bits = 4);
CREATE INDEX e_s ON e USING hashidx_lsh (s) WITH (bands = 2, rows = 1);
INSERT INTO e (w) VALUES ('[1,2,3,4]');
INSERT INTO e (w) VALUES ('[1,2,3]');
INSERT INTO e (c) VALUES ('01010101');
INSERT INTO e (c) VALUES ('0101');
INSERT INTO e (s) VALUES ('{1,NULL}');
SELECT 1 FROM e ORDER BY w <=> '[1,2]' LIMIT 1;
SELECT 1 FROM e WHERE cosine_within(w, '[1,2]', 0.5);
SELECT 1 FROM e ORDER BY s <%> '{1,NULL}' LIMIT 1;
DROP INDEX e_w;
INSERT INTO e (w) VALUES ('[1,2,3]');
CREATE INDEX ON e USING hashidx_lsh (w) WITH (tables = 2, bits = 2);
DROP TABLE e;

DROP FUNCTION drained, stats, set_of, code_of, vector_of, noise;
