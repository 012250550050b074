-- hashidx_hamming: indexes of every kind, maintenance, tools and errors
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

SELECT opcname, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
WHERE amname = 'hashidx_hamming' ORDER BY 1;

CREATE FUNCTION code_of(i integer) RETURNS bincode LANGUAGE sql IMMUTABLE AS
	$$ SELECT sha256(convert_to(i::text, 'UTF8'))::bincode $$;

-- what an index is made of, without what depends on the page size
CREATE FUNCTION stats(index regclass) RETURNS TABLE (bits text, "rows" text, codes text, payload boolean) LANGUAGE sql AS
	$$ SELECT s->>'bits', s->>'rows', s->>'codes', (s->>'payload_pages')::integer > 0 FROM hashidx_index_stats(index) s $$;

-- an empty table, then rows; the index knows the length from the column
CREATE TABLE t (id integer, code bincode(256));
CREATE INDEX t_code ON t USING hashidx_hamming (code);
SELECT * FROM stats('t_code');
SET enable_seqscan = off;
SELECT id FROM t ORDER BY code <~> code_of(1) LIMIT 3;
INSERT INTO t VALUES (0, NULL);
INSERT INTO t SELECT i, code_of(i) FROM generate_series(1, 1000) i;
SELECT * FROM stats('t_code');
SELECT id, code <~> code_of(77) AS d FROM t ORDER BY code <~> code_of(77) LIMIT 3;
SELECT hashidx_check('t_code', true);

-- beside the workers of a query
BEGIN;
SET LOCAL enable_seqscan = on;
SET LOCAL enable_indexscan = off;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT hashidx_check('t_code', true), rows FROM (SELECT count(*) AS rows FROM t) a;
SELECT hashidx_check('t_code', true), rows FROM (SELECT count(*) AS rows FROM t) a;
COMMIT;

-- a column without a length: the first code decides
CREATE TABLE u (id integer, code bincode);
CREATE INDEX u_code ON u USING hashidx_hamming (code);
SELECT * FROM stats('u_code');
SELECT id FROM u ORDER BY code <~> '0101' LIMIT 3;
INSERT INTO u VALUES (1, '0110'), (2, '1111'), (3, NULL);
INSERT INTO u VALUES (4, '011');
SELECT * FROM stats('u_code');
SELECT id, code <~> '0111' AS d FROM u ORDER BY code <~> '0111' LIMIT 5;
DROP INDEX u_code;
INSERT INTO u VALUES (4, '011');
CREATE INDEX u_code ON u USING hashidx_hamming (code);
DROP TABLE u;

-- an expression
CREATE TABLE v (id integer, vector qvec(4));
INSERT INTO v SELECT i, ARRAY[i % 7, i % 5 - 2, 3 - i % 4, 1]::integer[]::qvec FROM generate_series(1, 100) i;
CREATE INDEX v_code ON v USING hashidx_hamming (hashidx_simhash(vector, 64));
SELECT * FROM stats('v_code');
SELECT count(*) FROM (SELECT 1 FROM v
	ORDER BY hashidx_simhash(vector, 64) <~> hashidx_simhash('[1,2,3,4]', 64) LIMIT 7) s;
SELECT hashidx_check('v_code', true);
DROP TABLE v;

-- equal codes share one entry, however they come
CREATE TABLE same (id integer, code bincode(64));
CREATE INDEX same_code ON same USING hashidx_hamming (code);
INSERT INTO same SELECT i, '\x0123456789abcdef' FROM generate_series(1, 5000) i;
SELECT pg_relation_size('same_code') < 6 * current_setting('block_size')::integer AS small,
	(hashidx_index_stats('same_code')->>'codes')::integer < 30 AS shared;
SELECT array_agg(id) FROM (SELECT id FROM same ORDER BY code <~> '\x0123456789abcdef' LIMIT 5) s;
SELECT count(*) FROM (SELECT id FROM same ORDER BY code <~> '\x0123456789abcdee') s;
REINDEX INDEX same_code;
SELECT (hashidx_index_stats('same_code')->>'codes')::integer <= 5 AS shared;
SELECT hashidx_check('same_code', true);
DROP TABLE same;

-- vacuum removes rows, and their space is used again
SELECT pg_relation_size('t_code') AS before \gset
DELETE FROM t WHERE id > 500;
VACUUM t;
SELECT * FROM stats('t_code');
SELECT hashidx_check('t_code', true);
INSERT INTO t SELECT i, code_of(i) FROM generate_series(501, 1000) i;
SELECT pg_relation_size('t_code') = :before AS reused;
SELECT hashidx_check('t_code', true);
DELETE FROM t;
VACUUM t;
SELECT * FROM stats('t_code');
INSERT INTO t SELECT i, code_of(i) FROM generate_series(1, 1000) i;
SELECT pg_relation_size('t_code') = :before AS reused;

-- rebuilding, in every way
REINDEX INDEX t_code;
REINDEX INDEX CONCURRENTLY t_code;
CREATE INDEX CONCURRENTLY t_code_2 ON t USING hashidx_hamming (code) INCLUDE (id) WHERE id % 2 = 0;
SELECT * FROM stats('t_code_2');
SELECT hashidx_check('t_code', true), hashidx_check('t_code_2', true);
DROP INDEX CONCURRENTLY t_code_2;
TRUNCATE t;
SELECT * FROM stats('t_code');
INSERT INTO t SELECT i, code_of(i) FROM generate_series(1, 100) i;
SELECT * FROM stats('t_code');

-- INCLUDE columns of several types, NULLs among them
CREATE TABLE inc (id integer, code bincode(16), name text, note text);
INSERT INTO inc SELECT i, ('\x' || lpad(to_hex(i), 4, '0'))::text::bincode,
	'name ' || i, CASE WHEN i % 2 = 0 THEN repeat('x', i) END FROM generate_series(1, 300) i;
CREATE INDEX inc_code ON inc USING hashidx_hamming (code) INCLUDE (name, id, note);
VACUUM inc;
EXPLAIN (COSTS OFF) SELECT id, name, length(note) FROM inc ORDER BY code <~> '\x0010' LIMIT 4;
SELECT id, name, length(note) FROM inc ORDER BY code <~> '\x0010' LIMIT 4;
INSERT INTO inc SELECT 1000 + i, '\x0010', 'more', NULL FROM generate_series(1, 3) i;
DELETE FROM inc WHERE id = 16;
SELECT id, name, length(note) FROM inc ORDER BY code <~> '\x0010' LIMIT 4;
VACUUM inc;
SELECT id, name, length(note) FROM inc ORDER BY code <~> '\x0010' LIMIT 4;
SELECT hashidx_check('inc_code', true);
INSERT INTO inc VALUES (1, '\x0011', (SELECT string_agg(sha256(i::text::bytea)::text, '') FROM generate_series(1, 300) i), NULL);
DROP TABLE inc;

-- temporary, unlogged and partitioned tables
CREATE TEMP TABLE tmp AS SELECT i AS id, code_of(i) AS code FROM generate_series(1, 500) i;
CREATE INDEX tmp_code ON tmp USING hashidx_hamming (code);
INSERT INTO tmp SELECT i, code_of(i) FROM generate_series(501, 600) i;
SELECT id FROM tmp ORDER BY code <~> code_of(555) LIMIT 1;
SELECT hashidx_check('tmp_code', true);
CREATE UNLOGGED TABLE unl AS SELECT i AS id, code_of(i) AS code FROM generate_series(1, 500) i;
CREATE INDEX unl_code ON unl USING hashidx_hamming (code);
INSERT INTO unl SELECT i, code_of(i) FROM generate_series(501, 600) i;
SELECT id FROM unl ORDER BY code <~> code_of(555) LIMIT 1;
ALTER TABLE unl SET LOGGED;
SELECT hashidx_check('unl_code', true);
DROP TABLE unl;
CREATE TABLE part (id integer, code bincode(256)) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (300);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (300) TO (1000);
CREATE INDEX part_code ON part USING hashidx_hamming (code);
INSERT INTO part SELECT i, code_of(i) FROM generate_series(1, 600) i;
EXPLAIN (COSTS OFF) SELECT id FROM part ORDER BY code <~> code_of(299) LIMIT 2;
SELECT id, code <~> code_of(299) AS d FROM part ORDER BY code <~> code_of(299) LIMIT 3;
SELECT hashidx_check('part_code');
SELECT hashidx_check('part_1_code_idx', true);
DROP TABLE part;

-- errors
CREATE INDEX ON t USING hashidx_hamming (id);
CREATE INDEX ON t USING hashidx_hamming (code, code);
CREATE UNIQUE INDEX ON t USING hashidx_hamming (code);
CREATE INDEX ON t USING hashidx_hamming (code) WITH (fillfactor = 50);
CREATE TABLE long (code bincode(65536));
CREATE INDEX ON long USING hashidx_hamming (code);
DROP TABLE long;
SELECT hashidx_check('t');
CREATE INDEX t_id ON t (id);
SELECT hashidx_check('t_id');
SELECT hashidx_index_stats('t_id');
SELECT hashidx_index_stats('t');
SELECT hashidx_check(0);
CREATE ROLE regress_hashidx_stranger;
SET ROLE regress_hashidx_stranger;
SELECT hashidx_check('t_code');
SELECT hashidx_index_stats('t_code');
RESET ROLE;
DROP ROLE regress_hashidx_stranger;

DROP TABLE t;
DROP FUNCTION stats(regclass);
DROP FUNCTION code_of(integer);
