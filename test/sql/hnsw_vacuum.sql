-- hashidx_hnsw: vacuum takes rows away, mends the graph and gives space back to inserts
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE FUNCTION vector_of(i integer) RETURNS qvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(get_byte(sha256(convert_to(i::text, 'UTF8')), j) % 41 - 20 ORDER BY j)::integer[]::qvec
	FROM generate_series(0, 11) j
$$;
CREATE FUNCTION stats(index regclass) RETURNS TABLE ("rows" text, nodes text, dead text, free text) LANGUAGE sql AS
	$$ SELECT s->>'rows', s->>'nodes', s->>'dead', s->>'free' FROM hashidx_index_stats(index) s $$;

-- of the nearest row to each vector that is left: is it found?
CREATE FUNCTION found(tab text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	r record;
	distance float8;
	good integer := 0;
	total integer := 0;
BEGIN
	FOR r IN EXECUTE format('SELECT v FROM %I WHERE id %% 7 = 0', tab) LOOP
		EXECUTE format('SELECT v <-> $1 FROM %I ORDER BY v <-> $1 LIMIT 1', tab) INTO distance USING r.v;
		good := good + (distance = 0)::integer;
		total := total + 1;
	END LOOP;
	RETURN good::numeric / total;
END $$;

CREATE TABLE t (id integer, v qvec(12));
CREATE INDEX t_v ON t USING hashidx_hnsw (v) WITH (m = 16);
INSERT INTO t SELECT i, vector_of(i) FROM generate_series(1, 1000) i;
SELECT pg_relation_size('t_v') AS before \gset
SET enable_seqscan = off;
SET hashidx.ef_search = 40;

-- a tenth goes; nothing changes the second time
DELETE FROM t WHERE id % 10 = 3;
SELECT * FROM stats('t_v');
VACUUM t;
SELECT rows, nodes, dead FROM stats('t_v');
SELECT hashidx_check('t_v', true);
SELECT found('t') > 0.99 AS good, s->>'reachable' >= '0.999' AS reachable,
	(s->>'links_mean')::numeric > 15 AS full_lists FROM hashidx_index_stats('t_v') s;
VACUUM (INDEX_CLEANUP ON) t;
SELECT rows, nodes, dead FROM stats('t_v');

-- their places are taken by new rows
INSERT INTO t SELECT i, vector_of(i) FROM generate_series(3, 1000, 10) i;
SELECT pg_relation_size('t_v') = :before AS reused;
SELECT hashidx_check('t_v', true);

-- nine tenths go and come again, a few times
DO $$
BEGIN
	FOR i IN 1 .. 1000 LOOP
		CONTINUE WHEN i % 10 = 0;
		DELETE FROM t WHERE id = i;
	END LOOP;
END $$;
VACUUM t;
SELECT rows, nodes, dead FROM stats('t_v');
SELECT found('t') > 0.99 AS good;
SELECT hashidx_check('t_v', true);
INSERT INTO t SELECT i, vector_of(i) FROM generate_series(1, 1000) i WHERE i % 10 <> 0;
DELETE FROM t WHERE id % 10 <> 1;
VACUUM t;
INSERT INTO t SELECT i, vector_of(i) FROM generate_series(1, 1000) i WHERE i % 10 <> 1;
DELETE FROM t WHERE id % 10 <> 2;
VACUUM t;
INSERT INTO t SELECT i, vector_of(i) FROM generate_series(1, 1000) i WHERE i % 10 <> 2;
SELECT rows, nodes, dead FROM stats('t_v');
SELECT pg_relation_size('t_v') <= :before * 1.1 AS reused;
SELECT found('t') > 0.99 AS good, (s->>'entries')::integer < 80 AS few_entries FROM hashidx_index_stats('t_v') s;
SELECT hashidx_check('t_v', true);

-- all go, but for one; then that one
DELETE FROM t WHERE id <> 500;
VACUUM t;
SELECT rows, nodes, dead FROM stats('t_v');
SELECT id FROM t ORDER BY v <-> vector_of(1);
DELETE FROM t;
VACUUM t;
SELECT rows, nodes, dead FROM stats('t_v');
SELECT id FROM t ORDER BY v <-> vector_of(1);
SELECT hashidx_check('t_v', true);
INSERT INTO t SELECT i, vector_of(i) FROM generate_series(1, 1000) i;
SELECT pg_relation_size('t_v') <= :before * 1.1 AS reused;
SELECT found('t') > 0.99 AS good;
SELECT hashidx_check('t_v', true);
DROP TABLE t;

-- rows of equal vectors: postings shrink, empty ones are used again, a node lives as long as one row
CREATE TABLE same (id integer, v qvec(12));
CREATE INDEX same_v ON same USING hashidx_hnsw (v);
INSERT INTO same SELECT i, vector_of(i % 3) FROM generate_series(1, 6000) i;
SELECT * FROM stats('same_v');
SELECT pg_relation_size('same_v') AS before \gset
DELETE FROM same WHERE id % 2 = 0;
VACUUM same;
SELECT rows, nodes, dead FROM stats('same_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM same ORDER BY v <-> vector_of(1) OFFSET 0) s;
SELECT hashidx_check('same_v', true);
DELETE FROM same WHERE id > 100;
VACUUM same;
SELECT rows, nodes, dead FROM stats('same_v');
SELECT hashidx_check('same_v', true);
INSERT INTO same SELECT i, vector_of(i % 3) FROM generate_series(101, 6000) i;
SELECT rows, nodes, dead FROM stats('same_v');
SELECT pg_relation_size('same_v') <= :before AS reused;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM same ORDER BY v <-> vector_of(1) OFFSET 0) s;
DELETE FROM same WHERE id % 3 = 1;
VACUUM same;
SELECT * FROM stats('same_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM same ORDER BY v <-> vector_of(1) OFFSET 0) s;
SELECT hashidx_check('same_v', true);
DROP TABLE same;

-- inner product and codes
CREATE TABLE product (id integer, v qvec(12), c bincode(96));
INSERT INTO product SELECT i, vector_of(i), subcode(sha256(convert_to(i::text, 'UTF8'))::bincode, 1, 96) FROM generate_series(1, 600) i;
CREATE INDEX product_v ON product USING hashidx_hnsw (v qvec_ip_ops);
CREATE INDEX product_c ON product USING hashidx_hnsw (c);
DELETE FROM product WHERE id % 3 = 0;
VACUUM product;
SELECT rows, nodes, dead FROM stats('product_v');
SELECT rows, nodes, dead FROM stats('product_c');
SELECT hashidx_check('product_v', true), hashidx_check('product_c', true);
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM product ORDER BY v <#> vector_of(1) OFFSET 0) s;
SELECT id FROM product ORDER BY c <~> (SELECT c FROM product WHERE id = 77) LIMIT 1;
DROP TABLE product;

-- nodes that only dead ones linked to are linked again: inner products of very different length, where
-- few nodes have most of the links; rows go at random, then the longest, and come again
CREATE TABLE factor (id integer, v qvec(16));
INSERT INTO factor SELECT i, (SELECT array_agg(((hashint4extended(i, j) & 65535) - 32768) * 4 ^ (i % 6) ORDER BY j)
	FROM generate_series(1, 16) j)::float8[]::qvec FROM generate_series(1, 2500) i;
CREATE TABLE every_factor AS SELECT * FROM factor;
CREATE INDEX factor_v ON factor USING hashidx_hnsw (v qvec_ip_ops) WITH (ef_construction = 32);
SELECT pg_relation_size('factor_v') AS before \gset
CREATE PROCEDURE come_again() LANGUAGE sql AS
	$$ INSERT INTO factor SELECT * FROM every_factor AS e WHERE NOT EXISTS (SELECT FROM factor AS f WHERE f.id = e.id) $$;
CREATE FUNCTION reach() RETURNS TABLE ("rows" text, reachable text) LANGUAGE sql AS
	$$ SELECT s->>'rows', s->>'reachable' FROM hashidx_index_stats('factor_v') s $$;

DELETE FROM factor WHERE hashint4extended(id, 1) & 1 = 0;
VACUUM factor;
SELECT * FROM reach();
CALL come_again();
DELETE FROM factor WHERE hashint4extended(id, 2) & 1 = 0;
VACUUM factor;
SELECT * FROM reach();
CALL come_again();
DELETE FROM factor WHERE hashint4extended(id, 3) % 10 <> 0;
VACUUM factor;
SELECT * FROM reach();
CALL come_again();
DELETE FROM factor WHERE id IN (SELECT id FROM factor ORDER BY v <#> v LIMIT 1250);
VACUUM factor;
SELECT * FROM reach();
CALL come_again();
SELECT * FROM reach();
SELECT pg_relation_size('factor_v') <= :before * 1.1 AS reused;
SELECT hashidx_check('factor_v', true);
DROP PROCEDURE come_again();
DROP FUNCTION reach();
DROP TABLE factor, every_factor;

-- an index that never had a row; the parallel way; by autovacuum's settings
CREATE TABLE two (id integer, v qvec(12), w qvec);
CREATE INDEX two_v ON two USING hashidx_hnsw (v);
CREATE INDEX two_w ON two USING hashidx_hnsw (w);
VACUUM two;
INSERT INTO two SELECT i, vector_of(i) FROM generate_series(1, 400) i;
VACUUM (PARALLEL 2) two;
DELETE FROM two WHERE id > 200;
SET min_parallel_index_scan_size = 0;
VACUUM (PARALLEL 2) two;
RESET min_parallel_index_scan_size;
SELECT rows, nodes, dead FROM stats('two_v');
SELECT rows, nodes, dead FROM stats('two_w');
SELECT hashidx_check('two_v', true), hashidx_check('two_w', true);
DROP TABLE two;

-- the curve from effort to recall: measured when there is none, and when a quarter of the rows are others
CREATE TABLE curve (id integer, v qvec(12));
CREATE INDEX curve_v ON curve USING hashidx_hnsw (v) WITH (m = 16, ef_construction = 32);
CREATE FUNCTION curve() RETURNS text LANGUAGE sql AS $$ SELECT hashidx_index_stats('curve_v') ->> 'curve' $$;
INSERT INTO curve SELECT i, vector_of(i) FROM generate_series(1, 2500) i;
SELECT curve() = '' AS none;
VACUUM curve;
SELECT curve() AS first \gset
SELECT :'first' <> '' AS measured;
DELETE FROM curve WHERE id % 10 = 0;
VACUUM curve;
SELECT curve() = :'first' AS same;
INSERT INTO curve SELECT i, vector_of(i) FROM generate_series(2501, 3100) i;
VACUUM curve;
SELECT curve() = :'first' AS same;
DROP TABLE curve;
DROP FUNCTION curve();

DROP FUNCTION found(text), stats(regclass), vector_of(integer);
