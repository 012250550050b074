-- hashidx_knn_join: the nearest rows to each row of another table
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/plan.sql'
\i :helpers

CREATE FUNCTION code_of(i bigint) RETURNS bincode IMMUTABLE LANGUAGE sql AS $$
	SELECT substring(sha256(int8send(i)) FOR 4)::bincode
$$;
CREATE TABLE pictures (id integer, code bincode(32));
INSERT INTO pictures SELECT i, code_of(i % 2500) FROM generate_series(1, 5000) i;
INSERT INTO pictures VALUES (0, NULL);
CREATE INDEX pictures_code ON pictures USING hashidx_hamming (code) WITH (method = scan);
CREATE INDEX pictures_tables ON pictures USING hashidx_hamming (code) WITH (method = mih);
CREATE TABLE questions (id integer, code bincode(32));
INSERT INTO questions SELECT i, code_of(-i) FROM generate_series(1, 100) i;
INSERT INTO questions SELECT 1000 + i, code_of(i) FROM generate_series(1, 10) i;
INSERT INTO questions VALUES (2000, NULL);

-- the distances that a join gives and a lateral join does not, and the other way round
CREATE FUNCTION difference(index regclass, k integer) RETURNS bigint LANGUAGE sql AS $$
	WITH answer AS (
		SELECT q.id, j.distance, (p.code <~> q.code) = j.distance AS is_true
		FROM hashidx_knn_join(index, 'questions', 'code', k) j
			JOIN questions q ON q.ctid = j.query JOIN pictures p ON p.ctid = j.neighbor
	), truth AS (
		SELECT q.id, n.distance, true
		FROM questions q, LATERAL (
			SELECT p.code <~> q.code AS distance FROM pictures p WHERE p.code IS NOT NULL
			ORDER BY 1 LIMIT k) n
		WHERE q.code IS NOT NULL
	)
	SELECT count(*) FROM (
		(TABLE answer EXCEPT ALL TABLE truth) UNION ALL (TABLE truth EXCEPT ALL TABLE answer)) d
$$;
SELECT k, difference('pictures_code', k) AS by_scan, difference('pictures_tables', k) AS by_tables
	FROM unnest(ARRAY[1, 10, 300]) k;

-- the documented join; equal distances in the order of rows
SELECT q.id, p.id AS neighbor, j.distance
	FROM hashidx_knn_join('pictures_code', 'questions', 'code', 2) j
	JOIN questions q ON q.ctid = j.query JOIN pictures p ON p.ctid = j.neighbor
	WHERE q.id BETWEEN 1001 AND 1003 ORDER BY q.id, j.distance, p.id;

-- each answer once, the nearer ones first, ten unless something else is said
SELECT count(*) AS answers, count(DISTINCT (query, neighbor)) AS different, bool_and(in_order) AS in_order
	FROM (SELECT query, neighbor, distance >= lag(distance, 1, 0::float8) OVER (PARTITION BY query ORDER BY n) AS in_order
		FROM hashidx_knn_join('pictures_code', 'questions', 'code') WITH ORDINALITY AS j (query, neighbor, distance, n)) j;

-- more than there are; a join with itself
SELECT count(*) = 110 * 5000 AS all_of_them FROM hashidx_knn_join('pictures_code', 'questions', 'code', 6000);
SELECT count(*) AS rows, sum(distance) AS distance FROM hashidx_knn_join('pictures_code', 'pictures', 'code', 2);

-- little memory: blocks of few queries, and several passes for each
SET work_mem = '64kB';
SELECT k, difference('pictures_code', k) FROM unnest(ARRAY[10, 2000]) k;
RESET work_mem;

-- rows that nobody sees any more do not count
DELETE FROM pictures WHERE id > 2500;
DELETE FROM pictures WHERE id % 10 < 9;
SELECT k, difference('pictures_code', k) FROM unnest(ARRAY[1, 10, 300]) k;
VACUUM pictures;
SELECT difference('pictures_code', 10);
UPDATE pictures SET id = id + 1;
SELECT difference('pictures_code', 10);

-- a page is visited once for all queries
CREATE FUNCTION buffers(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || query INTO plan;
	RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
END $$;
REINDEX INDEX pictures_code;
SELECT buffers('SELECT FROM hashidx_knn_join(''pictures_code'', ''questions'', ''code'', 1)') * 5 <
	buffers('SELECT FROM questions q, LATERAL (SELECT id FROM pictures p ORDER BY p.code <~> q.code LIMIT 1) n') AS fewer;

-- nothing there
CREATE TABLE nothing (code bincode);
CREATE INDEX nothing_code ON nothing USING hashidx_hamming (code);
SELECT * FROM hashidx_knn_join('nothing_code', 'questions', 'code');
SELECT * FROM hashidx_knn_join('pictures_code', 'nothing', 'code');

-- errors
SELECT * FROM hashidx_knn_join('pictures_code', 'questions', 'code', 0);
SELECT * FROM hashidx_knn_join('pictures', 'questions', 'code');
SELECT * FROM hashidx_knn_join('pictures_code', 'questions', 'codes');
SELECT * FROM hashidx_knn_join('pictures_code', 'questions', 'id');
SELECT * FROM hashidx_knn_join('pictures_code', 'pg_stats', 'tablename');
SELECT * FROM hashidx_knn_join('pictures_code', 0, 'code');
SELECT * FROM hashidx_knn_join('pictures_code', NULL, 'code');
INSERT INTO nothing VALUES ('1010');
SELECT * FROM hashidx_knn_join('pictures_code', 'nothing', 'code');

-- indexes that answer one query at a time say how to join; that works, and it is by them
CREATE TABLE vectors (v qvec(2), tags text[]);
INSERT INTO vectors SELECT ARRAY[i, i % 7]::real[]::qvec, ARRAY[i % 5, i % 7]::text[] FROM generate_series(1, 200) i;
INSERT INTO vectors VALUES (NULL, NULL);
CREATE INDEX vectors_v ON vectors USING hashidx_hnsw (v);
CREATE INDEX vectors_n ON vectors USING hashidx_hnsw (l2_normalize(v) qvec_cosine_ops);
CREATE INDEX vectors_t ON vectors USING hashidx_lsh (tags);
VACUUM ANALYZE vectors;
SELECT * FROM hashidx_knn_join('vectors_v', 'vectors', 'v', 3);
SELECT * FROM hashidx_knn_join('vectors_n', 'vectors', 'v');
SELECT * FROM hashidx_knn_join('vectors_t', 'vectors', 'tags', 1);
SELECT * FROM hashidx_knn_join('vectors_t', 'vectors', 'v');
SET enable_seqscan = off;
SET enable_sort = off;
SET enable_memoize = off;
SELECT plan_of($$SELECT q.ctid, n.* FROM public.vectors AS q, LATERAL (SELECT ctid, v <-> q.v AS distance FROM public.vectors ORDER BY v <-> q.v LIMIT 3) AS n$$);
SELECT plan_of($$SELECT q.ctid, n.* FROM public.vectors AS q, LATERAL (SELECT ctid, l2_normalize(v) <=> q.v AS distance FROM public.vectors ORDER BY l2_normalize(v) <=> q.v LIMIT 3) AS n$$);
SELECT plan_of($$SELECT q.ctid, n.* FROM public.vectors AS q, LATERAL (SELECT ctid, tags <%> q.tags AS distance FROM public.vectors ORDER BY tags <%> q.tags LIMIT 1) AS n$$);
SELECT count(*), count(DISTINCT q.ctid), sum(distance) FILTER (WHERE q.ctid = n.ctid) AS own
FROM public.vectors AS q, LATERAL (SELECT ctid, v <-> q.v AS distance FROM public.vectors ORDER BY v <-> q.v LIMIT 3) AS n WHERE q.v IS NOT NULL;
RESET enable_seqscan;
RESET enable_sort;
RESET enable_memoize;

-- privileges are the caller's, and so is the row-level security of the queries
CREATE ROLE regress_hashidx_knn;
GRANT SELECT ON pictures TO regress_hashidx_knn;
SET ROLE regress_hashidx_knn;
SELECT * FROM hashidx_knn_join('pictures_code', 'questions', 'code');
RESET ROLE;
GRANT SELECT ON questions TO regress_hashidx_knn;
ALTER TABLE questions ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON questions USING (id <= 3);
SET ROLE regress_hashidx_knn;
SELECT count(*) FROM hashidx_knn_join('pictures_code', 'questions', 'code', 2);
RESET ROLE;
REVOKE SELECT ON pictures FROM regress_hashidx_knn;
SET ROLE regress_hashidx_knn;
SELECT * FROM hashidx_knn_join('pictures_code', 'questions', 'code');
RESET ROLE;
GRANT SELECT ON pictures TO regress_hashidx_knn;
ALTER TABLE pictures ENABLE ROW LEVEL SECURITY;
SET ROLE regress_hashidx_knn;
SELECT * FROM hashidx_knn_join('pictures_code', 'questions', 'code');
RESET ROLE;

DROP TABLE pictures, questions, nothing, vectors;
DROP FUNCTION code_of, difference, buffers;
DROP ROLE regress_hashidx_knn;
DROP FUNCTION plan_of;
