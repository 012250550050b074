-- hashidx_encoder_recall: against the same computed in SQL, and what it refuses
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

-- Vectors about seven points. No two pairs of them are equally far, but for rounding.
CREATE TABLE judge_rows (id integer, v qvec(12));
INSERT INTO judge_rows
SELECT i, array_agg(((i * i * 7 + j * 131 + i * j * j * 29) % 211 / 64.0
	+ (i % 7 * j * j * 37) % 97 / 8.0 + i * j * j / 65536.0)::real ORDER BY j)::qvec
FROM generate_series(1, 150) AS i, generate_series(1, 12) AS j GROUP BY i ORDER BY i;
CREATE TEMP TABLE models AS
	SELECT 'simhash' AS kind, hashidx_train('simhash', 'judge_rows', 'v', 64) AS model
	UNION ALL SELECT 'itq', hashidx_train('itq', 'judge_rows', 'v', 12)
	UNION ALL SELECT 'pq', hashidx_train('pq', 'judge_rows', 'v', 3, '{"centroids": 8}');

CREATE TEMP TABLE codes AS
	SELECT kind, id, v, hashidx_encode(model, v) AS code FROM models, judge_rows WHERE kind <> 'pq';

-- All rows as queries: the same as in SQL, where ties go to the row that comes first.
CREATE FUNCTION pg_temp.distance(metric text, a qvec, b qvec) RETURNS double precision LANGUAGE sql AS $$
	SELECT CASE metric WHEN 'l2' THEN l2_distance(a, b) WHEN 'cosine' THEN cosine_distance(a, b)
		WHEN 'ip' THEN -inner_product(a, b) ELSE l1_distance(a, b) END
$$;
WITH pairs AS (
	SELECT kind, metric, a.id AS query, b.id, pg_temp.distance(metric, a.v, b.v) AS distance,
		hamming_distance(a.code, b.code) AS code_distance
	FROM codes AS a JOIN codes AS b USING (kind), (VALUES ('l2'), ('cosine'), ('ip'), ('l1')) AS m(metric)
	WHERE a.id <> b.id
), ranks AS (
	SELECT kind, metric, query, rank() OVER (PARTITION BY kind, metric, query ORDER BY distance, id) AS exact,
		rank() OVER (PARTITION BY kind, metric, query ORDER BY code_distance, id) AS coded
	FROM pairs
), recalls AS (
	SELECT kind, metric, query, count(*) FILTER (WHERE coded <= 20) / 5.0 AS recall
	FROM ranks WHERE exact <= 5 GROUP BY kind, metric, query
), expected AS MATERIALIZED (
	SELECT kind, metric, avg(recall) AS mean, min(recall) AS minimum FROM recalls GROUP BY kind, metric
)
SELECT kind, metric, queries, abs(recall_mean - mean) < 1e-9 AS mean, abs(recall_minimum - minimum) < 1e-9 AS minimum,
	recall_mean > 0.25 AS useful
FROM expected JOIN models USING (kind), hashidx_encoder_recall(model, 'judge_rows', 'v', 5, 20, 150, metric)
ORDER BY kind, metric;

-- With as many candidates as rows nothing is missed; fewer rows than k are all that there are.
SELECT kind, r.* FROM models, hashidx_encoder_recall(model, 'judge_rows', 'v', candidates => 149, sample => 50) AS r
WHERE kind <> 'pq';
CREATE TABLE judge_few AS SELECT v FROM judge_rows LIMIT 4;
SELECT r.* FROM models, hashidx_encoder_recall(model, 'judge_few', 'v') AS r WHERE kind = 'itq';

-- The number of threads changes nothing; a larger share of candidates finds at least as much.
SET hashidx.build_threads = 1;
CREATE TEMP TABLE alone AS SELECT r.* FROM models, hashidx_encoder_recall(model, 'judge_rows', 'v') AS r WHERE kind = 'itq';
SET hashidx.build_threads = 2;
SELECT r = alone AS same, alone.queries FROM alone, models, hashidx_encoder_recall(model, 'judge_rows', 'v') AS r WHERE kind = 'itq';
RESET hashidx.build_threads;
SELECT bool_and(more >= less) FROM (
	SELECT r.recall_mean AS more, lag(r.recall_mean, 1, 0) OVER (ORDER BY candidates) AS less
	FROM models, generate_series(10, 100, 30) AS candidates, hashidx_encoder_recall(model, 'judge_rows', 'v', 10, candidates) AS r
	WHERE kind = 'itq') AS steps;

-- NULLs are no rows; a zero vector has no direction and is far from all.
INSERT INTO judge_rows SELECT 1000 + i, NULL FROM generate_series(1, 5) AS i;
INSERT INTO judge_rows VALUES (2000, array_fill(0::real, ARRAY[12])::qvec);
SELECT queries, recall_mean BETWEEN 0.25 AND 1 AS mean
FROM models, hashidx_encoder_recall(model, 'judge_rows', 'v', 5, 20, 151, 'cosine') WHERE kind = 'simhash';

-- Refused.
CREATE TABLE judge_one AS SELECT v, '[1,2,3]'::qvec AS short FROM judge_few LIMIT 1;
SELECT pg_temp.fails(query) FROM (VALUES
	(1, $$SELECT hashidx_encoder_recall(model, 'judge_rows', 'v', metric => 'hamming') FROM models WHERE kind = 'itq'$$),
	(2, $$SELECT hashidx_encoder_recall(model, 'judge_rows', 'v', k => 0) FROM models WHERE kind = 'itq'$$),
	(3, $$SELECT hashidx_encoder_recall(model, 'judge_rows', 'v', candidates => 10001) FROM models WHERE kind = 'itq'$$),
	(4, $$SELECT hashidx_encoder_recall(model, 'judge_rows', 'v', sample => -1) FROM models WHERE kind = 'itq'$$),
	(5, $$SELECT hashidx_encoder_recall(model, 'judge_rows', 'id') FROM models WHERE kind = 'itq'$$),
	(6, $$SELECT hashidx_encoder_recall(model, 'judge_rows', 'v') FROM models WHERE kind = 'pq'$$),
	(7, $$SELECT hashidx_encoder_recall(model, 'judge_one', 'v') FROM models WHERE kind = 'itq'$$),
	(8, $$SELECT hashidx_encoder_recall(model, 'judge_one', 'short') FROM models WHERE kind = 'itq'$$)
) AS t(number, query) ORDER BY number;

-- A statement timeout ends it.
SET statement_timeout = '1ms';
SELECT hashidx_encoder_recall(model, 'judge_rows', 'v', 10, 100, 150) FROM models, generate_series(1, 1000) WHERE kind = 'itq';
RESET statement_timeout;
SELECT queries FROM models, hashidx_encoder_recall(model, 'judge_rows', 'v') WHERE kind = 'itq';

DROP TABLE judge_rows, judge_few, judge_one;
