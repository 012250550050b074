-- hashidx_hnsw: nodes that do not fit a page
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/plan.sql'
\i :helpers
SET enable_seqscan = off;
SET jit = off;

-- two sequences of pseudo-random numbers; vectors of ten clusters are windows of them
CREATE TABLE noise (far qvec, near qvec);
INSERT INTO noise SELECT array_agg(round((n - floor(n))::numeric, 4) ORDER BY i)::qvec,
	array_agg(round((n * 11 - floor(n * 11))::numeric / 4, 4) ORDER BY i)::qvec
FROM (SELECT i, sin(i * 12.9898) * 43758.5453 AS n FROM generate_series(1, 16000) i) s;
CREATE FUNCTION wide(i int, dims int) RETURNS qvec LANGUAGE sql STABLE AS $$
	SELECT subvector(far, 1 + i % 10 * 7, dims) + subvector(near, 1 + i, dims) FROM noise $$;

-- what becomes of dimensions and options: nodes a page, or tail pages of a node
CREATE FUNCTION shape(dims int, options text, OUT stored text, OUT per_page int, OUT tail int, OUT code_dims int, OUT node_bytes int)
LANGUAGE plpgsql AS $$
DECLARE
	s jsonb;
BEGIN
	EXECUTE format('CREATE TEMP TABLE s (v qvec); INSERT INTO s VALUES (array_fill(1.5, ARRAY[%s])::qvec);
		CREATE INDEX s_v ON s USING hashidx_hnsw (v) %s', dims, CASE WHEN options <> '' THEN format('WITH (%s)', options) END);
	s := hashidx_index_stats('s_v');
	DROP TABLE s;
	stored := s ->> 'stored'; per_page := s ->> 'nodes_per_page'; tail := s ->> 'tail_pages';
	code_dims := s ->> 'code_dims'; node_bytes := s ->> 'node_bytes';
END $$;
SELECT dims, options, s.* FROM (VALUES
	(768, ''), (1536, ''), (2910, ''), (2920, ''), (3422, ''), (3424, ''), (4096, ''), (7498, ''), (7500, ''), (8192, ''), (16000, ''),
	(768, 'format = f32'), (1711, 'format = f32'), (1713, 'format = f32'), (4096, 'format = f32'), (16000, 'format = f32'),
	(5816, 'format = int8'), (6832, 'format = int8'), (6848, 'format = int8'), (16000, 'format = int8'),
	(4096, 'm = 16'), (4096, 'm = 64'), (4096, 'm = 64, code_bits = 2'), (4096, 'code_bits = 2, format = int8'),
	(16000, 'm = 64, code_bits = 2, format = f32'), (16000, 'm = 16, code_bits = 1, format = int8')) AS v (dims, options), shape(dims, options) s;

-- beyond the type's limit, and other dimensions than the column's
CREATE TABLE t (id int, v qvec(4096));
ALTER TABLE t ALTER v SET STORAGE EXTERNAL;
CREATE INDEX t_f16 ON t USING hashidx_hnsw (v);
SELECT array_fill(1, ARRAY[16001])::qvec IS NULL;
INSERT INTO t SELECT 0, wide(0, 4095);
CREATE TABLE any_dims (v qvec);
CREATE INDEX any_dims_v ON any_dims USING hashidx_hnsw (v);
INSERT INTO any_dims SELECT wide(1, 4096);
INSERT INTO any_dims SELECT wide(1, 8000);
DROP TABLE any_dims;

-- each form: built, from nothing by inserts, in the order of distance, to the end
CREATE FUNCTION found() RETURNS TABLE (own bigint, in_cluster bigint, all_rows bigint, ascending boolean) LANGUAGE sql AS $$
	WITH q AS MATERIALIZED (SELECT i, wide(i, 4096) AS v FROM generate_series(1, 40) i),
	a AS MATERIALIZED (SELECT q.i, n.id, n.d, n.place FROM q, LATERAL (
		SELECT id, d, row_number() OVER () AS place FROM (SELECT id, t.v <-> q.v AS d FROM t ORDER BY t.v <-> q.v LIMIT 10) n) n)
	SELECT (SELECT count(*) FROM a WHERE place = 1 AND id = i AND d = 0), (SELECT count(*) FROM a WHERE id % 10 = i % 10),
		(SELECT count(DISTINCT id) FROM (SELECT id FROM t ORDER BY v <-> (SELECT v FROM q WHERE i = 7)) s),
		(SELECT bool_and(up) FROM (SELECT d >= lag(d, 1, 0) OVER (PARTITION BY i ORDER BY place) AS up FROM a) s) $$;
INSERT INTO t SELECT i, wide(i, 4096) FROM generate_series(1, 400) i;
SELECT * FROM found();
SELECT hashidx_check('t_f16', true);
REINDEX INDEX t_f16;
SELECT * FROM found();
SELECT hashidx_check('t_f16', true);
SELECT s -> 'nodes' AS nodes, s -> 'nodes_pages' AS pages, s -> 'tail_pages' AS tail FROM hashidx_index_stats('t_f16') s;
DROP INDEX t_f16;
CREATE INDEX t_f32 ON t USING hashidx_hnsw (v) WITH (format = f32, m = 16, code_bits = 2);
SELECT * FROM found();
SELECT hashidx_check('t_f32', true);
INSERT INTO t SELECT i, wide(i, 4096) FROM generate_series(401, 500) i;
SELECT * FROM found();
SELECT hashidx_check('t_f32', true);

-- freed nodes are used again with their tails: the index does not grow
CREATE TABLE size AS SELECT pg_relation_size('t_f32') AS bytes;
DELETE FROM t WHERE id % 3 = 0;
VACUUM t;
SELECT s -> 'nodes' AS nodes, s -> 'free' AS free, s -> 'dead' AS dead FROM hashidx_index_stats('t_f32') s;
SELECT hashidx_check('t_f32', true);
SELECT all_rows FROM found();
INSERT INTO t SELECT i, wide(i, 4096) FROM generate_series(1, 500) i WHERE i % 3 = 0;
SELECT pg_relation_size('t_f32') = bytes AS same_size FROM size;
SELECT * FROM found();
SELECT hashidx_check('t_f32', true);
DELETE FROM t;
VACUUM t;
SELECT s -> 'nodes' AS nodes, s -> 'free' AS free, s -> 'dead' AS dead FROM hashidx_index_stats('t_f32') s;
INSERT INTO t SELECT i, wide(i, 4096) FROM generate_series(1, 400) i;
SELECT hashidx_check('t_f32', true);

-- equal vectors share a node, with all their rows; an update that leaves the vector alone finds it
INSERT INTO t SELECT 1000 + i, wide(7, 4096) FROM generate_series(1, 300) i;
UPDATE t SET id = id + 1 WHERE id > 1200;
SELECT s -> 'nodes' AS nodes, (s ->> 'rows')::int >= 700 AS rows, s -> 'postings_pages' AS postings FROM hashidx_index_stats('t_f32') s;
SELECT count(*), count(DISTINCT id), max(d) FROM (SELECT id, v <-> wide(7, 4096) AS d FROM t ORDER BY v <-> wide(7, 4096) LIMIT 301) s;
SELECT hashidx_check('t_f32', true);

-- the planner takes it
SELECT plan_of($$SELECT id FROM t ORDER BY v <-> (SELECT far FROM noise) LIMIT 10$$);

-- NULL, a zero vector; the other distances
DROP INDEX t_f32;
DELETE FROM t WHERE id > 300;
INSERT INTO t VALUES (-1, NULL), (-2, array_fill(0, ARRAY[4096])::qvec);
CREATE INDEX t_cosine ON t USING hashidx_hnsw (v qvec_cosine_ops);
SELECT id FROM t ORDER BY v <=> wide(7, 4096) LIMIT 1;
SELECT hashidx_check('t_cosine', true);
DROP INDEX t_cosine;
CREATE INDEX t_ip ON t USING hashidx_hnsw (v qvec_ip_ops) WITH (format = f32);
SELECT count(*), count(DISTINCT id), min(id) FROM (SELECT id FROM t ORDER BY v <#> wide(7, 4096)) s;
INSERT INTO t SELECT 300 + i, wide(i, 4096) * wide(i + 1, 4096) FROM generate_series(1, 30) i;
SELECT hashidx_check('t_ip', true);
DROP TABLE t, size;

-- the longest: 64,000 bytes in nine pages, by a build and by inserts
CREATE TABLE longest (id int, v qvec(16000));
ALTER TABLE longest ALTER v SET STORAGE EXTERNAL;
INSERT INTO longest SELECT i, array_agg((b * i) % 251 ORDER BY j)::int[]::qvec
FROM generate_series(1, 40) i, LATERAL (SELECT j, j * j % 997 AS b FROM generate_series(1, 16000) j) s GROUP BY i;
CREATE INDEX longest_v ON longest USING hashidx_hnsw (v) WITH (format = f32);
INSERT INTO longest SELECT 100 + id, v + v FROM longest;
SELECT s -> 'nodes' AS nodes, s -> 'tail_pages' AS tail FROM hashidx_index_stats('longest_v') s;
SELECT count(*) FROM longest a WHERE id = (SELECT id FROM longest b ORDER BY b.v <-> a.v LIMIT 1);
SELECT hashidx_check('longest_v', true);
DROP TABLE longest;

-- codes of bits
CREATE TABLE codes (id int, c bincode(65536));
INSERT INTO codes SELECT i, (SELECT string_agg(sha256(convert_to(i % 9 || '.' || j, 'UTF8')), '' ORDER BY j)
	|| string_agg(sha256(convert_to(i || ':' || j, 'UTF8')), '' ORDER BY j) FROM generate_series(1, 128) j)::bincode FROM generate_series(1, 200) i;
CREATE INDEX codes_c ON codes USING hashidx_hnsw (c);
INSERT INTO codes SELECT 1000 + id, ~c FROM codes WHERE id <= 100;
SELECT s -> 'nodes' AS nodes, s -> 'tail_pages' AS tail, s -> 'code_dims' AS code_dims FROM hashidx_index_stats('codes_c') s;
SELECT count(*) FROM codes a WHERE id = (SELECT id FROM codes b ORDER BY b.c <~> a.c LIMIT 1);
SELECT count(DISTINCT id) FROM (SELECT id FROM codes ORDER BY c <~> (SELECT c FROM codes WHERE id = 1)) s;
DELETE FROM codes WHERE id % 2 = 0;
VACUUM codes;
INSERT INTO codes SELECT 2000 + id, ~c FROM codes WHERE id <= 200;
SELECT hashidx_check('codes_c', true);
DROP TABLE codes;

-- the curve from effort to recall, measured by vacuum: all rows have come after the index, in nodes with tails
CREATE FUNCTION near_code(i int, clusters int) RETURNS bincode LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(sha256(convert_to(CASE WHEN j < 6 THEN i % clusters ELSE i END || '.' || j, 'UTF8')), '' ORDER BY j)::bincode
		|| repeat('0', 65536 - 8 * 256)::bincode FROM generate_series(1, 8) j $$;
CREATE TABLE later (id int, c bincode(65536));
ALTER TABLE later ALTER c SET STORAGE EXTERNAL;
CREATE INDEX later_c ON later USING hashidx_hnsw (c) WITH (m = 16, ef_construction = 16);
INSERT INTO later SELECT i, near_code(i, 50) FROM generate_series(1, 1500) i;
VACUUM later;
SELECT s -> 'nodes' AS nodes, s -> 'tail_pages' AS tail, s -> 'curve' AS curve FROM hashidx_index_stats('later_c') s;
INSERT INTO later SELECT i, near_code(i, 50) FROM generate_series(1501, 2200) i;
VACUUM later;
SELECT s ->> 'curve' AS first FROM hashidx_index_stats('later_c') s \gset
SELECT :'first' <> '' AS measured, recall_mean > 0.93 AS kept FROM hashidx_recall('later_c', 10, 200) WHERE setting LIKE 'recall%';
INSERT INTO later SELECT i, ~near_code(i, 7) FROM generate_series(2201, 4400) i;
VACUUM later;
SELECT s ->> 'curve' <> :'first' AS anew, recall_mean > 0.93 AS kept
FROM hashidx_index_stats('later_c') s, hashidx_recall('later_c', 10, 200) WHERE setting LIKE 'recall%';
SELECT hashidx_check('later_c', true);
DROP TABLE later;
DROP FUNCTION near_code(int, int);

-- in parts; in a temporary table, in an unlogged one
CREATE TEMP TABLE parts (id int, v qvec(3500));
INSERT INTO parts SELECT i, wide(i % 1250, 3500) FROM generate_series(1, 1300) i;
SET maintenance_work_mem = '1MB';
CREATE INDEX parts_v ON parts USING hashidx_hnsw (v);
RESET maintenance_work_mem;
SELECT s -> 'nodes' AS nodes, s -> 'rows' AS rows, s -> 'tail_pages' AS tail FROM hashidx_index_stats('parts_v') s;
SELECT hashidx_check('parts_v', true);
DELETE FROM parts WHERE id % 2 = 0;
VACUUM parts;
INSERT INTO parts SELECT i, wide(i, 3500) FROM generate_series(1, 100) i;
SELECT hashidx_check('parts_v', true);
SELECT count(DISTINCT id) FROM (SELECT id FROM parts ORDER BY v <-> wide(1, 3500)) s;
DROP TABLE parts;
CREATE UNLOGGED TABLE fleeting (id int, v qvec);
CREATE INDEX fleeting_v ON fleeting USING hashidx_hnsw (v);
INSERT INTO fleeting SELECT i, wide(i, 5000) FROM generate_series(1, 50) i;
SELECT id FROM fleeting ORDER BY v <-> wide(7, 5000) LIMIT 1;
SELECT hashidx_check('fleeting_v', true);
DROP TABLE fleeting, noise;
DROP FUNCTION wide(int, int), found(), shape(int, text);
DROP FUNCTION plan_of;
