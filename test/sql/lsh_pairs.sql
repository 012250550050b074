-- hashidx_pairs on indexes of hashidx_lsh: near-duplicates, each pair once, none of them false
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE FUNCTION noise(i bigint, j integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS
	$$ SELECT (hashint8extended(i, j) % 10007)::double precision / 10007 $$;
CREATE TABLE t (id integer, s text[], v qvec(24)) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i,
	(SELECT array_agg((i % 200) || CASE WHEN noise(i, j) > 0.9 THEN 'x' || i || j ELSE 'w' || j END) FROM generate_series(1, 40) j),
	(SELECT array_agg(noise(i % 200, j) + 0.05 * noise(i, j + 100) ORDER BY j)::double precision[]::qvec FROM generate_series(1, 24) j)
FROM generate_series(1, 1000) i;
INSERT INTO t VALUES (1001, NULL, NULL), (1002, '{}', NULL), (1003, '{}', NULL);
CREATE INDEX t_s ON t USING hashidx_lsh (s) WITH (bands = 20, rows = 3);
CREATE INDEX t_v ON t USING hashidx_lsh (v) WITH (tables = 6, bits = 2);
CREATE INDEX t_few ON t USING hashidx_lsh (s) WITH (bands = 2, rows = 4);

-- the exact answers
CREATE TABLE exact_s AS SELECT a.id AS a, b.id AS b FROM t a, t b WHERE a.id < b.id AND (a.s <%> b.s) <= 0.2;
CREATE TABLE exact_v AS SELECT a.id AS a, b.id AS b FROM t a, t b WHERE a.id < b.id AND (a.v <=> b.v) <= 0.005;

-- which of them an index finds, and what it should not
CREATE FUNCTION compare(index regclass, radius double precision, exact regclass,
	OUT enough boolean, OUT twice bigint, OUT wrong bigint, OUT wrong_distances bigint) LANGUAGE plpgsql AS $$
DECLARE
	total bigint;
	common bigint;
BEGIN
	CREATE TEMP TABLE found AS SELECT least(a.id, b.id) AS a, greatest(a.id, b.id) AS b, p.distance,
		CASE WHEN exact = 'exact_s'::regclass THEN a.s <%> b.s ELSE a.v <=> b.v END AS true_distance
	FROM hashidx_pairs(index, radius) p JOIN t a ON a.ctid = p.first JOIN t b ON b.ctid = p.second;
	SELECT count(*) - count(DISTINCT (f.a, f.b)), count(*) FILTER (WHERE f.distance <> f.true_distance)
		INTO twice, wrong_distances FROM found f;
	EXECUTE format('SELECT count(*) FROM %s', exact) INTO total;
	EXECUTE format('SELECT count(*) FROM %s JOIN found USING (a, b)', exact) INTO common;
	SELECT count(*) - common INTO wrong FROM found;
	enough := total > 1000 AND common >= 0.99 * total;
	DROP TABLE found;
END $$;
SELECT * FROM compare('t_s', 0.2, 'exact_s');
SELECT * FROM compare('t_v', 0.005, 'exact_v');

-- too few tables for own buckets to be enough: rows look for others in more buckets
SET hashidx.recall = 0.99;
SELECT * FROM compare('t_few', 0.2, 'exact_s');
RESET hashidx.recall;

-- radius 0: equal values, the two empty sets among them
SELECT a.id, b.id, distance FROM hashidx_pairs('t_s', 0) p JOIN t a ON a.ctid = p.first JOIN t b ON b.ctid = p.second ORDER BY 1, 2;

-- rows that are deleted, and not yet vacuumed, are in no pair
DELETE FROM t WHERE id = 1003;
SELECT count(*) FROM hashidx_pairs('t_s', 0);
INSERT INTO t VALUES (1004, '{}', NULL), (1005, '{}', NULL);
SELECT count(*) FROM hashidx_pairs('t_s', 0);

-- equal rows that crowd their buckets are paired with the first of them, a row near them too
INSERT INTO t SELECT i, '{a,b,c,d,e,f,g,h,i,j}' FROM generate_series(10001, 12001) i;
INSERT INTO t VALUES (12002, '{a,b,c,d,e,f,g,h,i,j,k}');
SELECT distance, count(*), count(DISTINCT p.first) AS firsts, count(DISTINCT p.second) AS seconds
FROM hashidx_pairs('t_s', 0.2) p JOIN t a ON a.ctid = p.first WHERE a.s @> '{a,b}' GROUP BY 1 ORDER BY 1;

-- where rows look for others the first one finds them all, and so does the one near them
SELECT distance, count(*), count(DISTINCT p.first) AS firsts, count(DISTINCT p.second) AS seconds
FROM hashidx_pairs('t_few', 0.2) p JOIN t a ON a.ctid = p.first WHERE a.s @> '{a,b}' GROUP BY 1 ORDER BY 1;

-- buckets of too many values are left out; most of their pairs meet in one of the others
CREATE TABLE u (id integer, s integer[]) WITH (autovacuum_enabled = off);
INSERT INTO u SELECT i, ARRAY[-1, i % 25000] FROM generate_series(1, 50000) i;
CREATE INDEX u_s ON u USING hashidx_lsh (s) WITH (bands = 4, rows = 1);
\set VERBOSITY terse
SELECT count(*), count(*) - count(DISTINCT p.second) AS twice,
	count(*) FILTER (WHERE a.s <> b.s) AS wrong
FROM hashidx_pairs('u_s', 0) p JOIN u a ON a.ctid = p.first JOIN u b ON b.ctid = p.second;
\set VERBOSITY default

-- a crowded bucket of more values than work_mem holds: the edges of a cube of 11 dimensions, and equal rows
CREATE TABLE w (code bincode(2048));
INSERT INTO w SELECT ((i % 2048)::bit(11)::text || repeat('0', 2037))::bincode FROM generate_series(0, 2147) i;
CREATE INDEX w_code ON w USING hashidx_lsh (code) WITH (tables = 2, bits = 1);
SET work_mem = '64kB';
SELECT distance, count(*), count(DISTINCT (first, second)) AS different FROM hashidx_pairs('w_code', 1) GROUP BY 1 ORDER BY 1;
RESET work_mem;
SELECT distance, count(*), count(DISTINCT (first, second)) AS different FROM hashidx_pairs('w_code', 1) GROUP BY 1 ORDER BY 1;

-- an index without rows, a radius that is none
CREATE TABLE e (s integer[]);
CREATE INDEX e_s ON e USING hashidx_lsh (s);
SELECT count(*) FROM hashidx_pairs('e_s', 0.5);
SELECT count(*) FROM hashidx_pairs('e_s', -1);

DROP TABLE t, u, w, e, exact_s, exact_v;
DROP FUNCTION compare, noise;
