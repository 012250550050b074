-- Encoders at their limits: little and degenerate data, more bits than there are, every SIMD level, damaged
-- models of every kind, rows that a policy hides, indexes on codes
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- Vectors that vary in all eight dimensions, and pairs to them.
CREATE TABLE limit_rows (id integer, v qvec(8), w qvec(6), code bincode);
INSERT INTO limit_rows
SELECT i, array_agg(x ORDER BY j)::qvec, (array_agg(x + (i % 3) / 4.0 ORDER BY j))[1:6]::qvec
FROM (SELECT i, j, ((i * i * 7 + j * 131 + i * j * j * 29) % 211 / 64.0 + (i % 7 * j * j * 37) % 97 / 8.0)::real AS x
	FROM generate_series(1, 200) AS i, generate_series(1, 8) AS j) AS numbers
GROUP BY i ORDER BY i;

CREATE TABLE limit_kinds (place serial, kind text, bits integer, options jsonb);
INSERT INTO limit_kinds (kind, bits, options) VALUES
	('simhash', 8, '{}'), ('sparse', 8, '{}'), ('pca', 4, '{}'), ('itq', 4, '{"iterations": 5, "median": true}'),
	('ksh', 4, '{"anchors": 5, "refine": 2, "pairs": 0.05}'), ('recurrent', 8, '{"iterations": 5}'),
	('cca_itq', 4, '{"iterations": 5, "second_column": "w"}'), ('projection', 4, '{}'), ('relative', 4, '{}'),
	('weights', 8, '{}'), ('pq', 2, '{"centroids": 5}'), ('rq', 2, '{"centroids": 5}'), ('fsq', 4, '{}');

-- Trains a model and runs it on the vectors of a table: what comes out, or why not.
CREATE FUNCTION pg_temp.tries(kind text, source regclass, bits integer, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	model hashidx_model;
	detail text;
	outputs bigint;
BEGIN
	model := hashidx_train(kind, source, 'v', bits, options);
	EXECUTE format('SELECT count(DISTINCT hashidx_%s($1, v)) FROM %s',
		CASE hashidx_describe(model) ->> 'output' WHEN 'code' THEN 'encode' WHEN 'vector' THEN 'transform' ELSE 'tokens' END, source)
		INTO outputs USING model;
	RETURN outputs || ' different';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, detail);
END $$;

-- Fewer rows than bits, one row among NULLs, zeros, rows in a plane.
CREATE TABLE limit_few AS SELECT * FROM limit_rows WHERE id <= 3;
CREATE TABLE limit_one AS SELECT id, CASE id WHEN 2 THEN v END AS v, CASE id WHEN 2 THEN w END AS w FROM limit_few;
CREATE TABLE limit_zeros AS SELECT id, '[0,0,0,0,0,0,0,0]'::qvec AS v, '[0,0,0,0,0,0]'::qvec AS w FROM limit_rows;
CREATE TABLE limit_plane AS
	SELECT id, ARRAY[x, y, x + y, x - y, 2 * x, 1, 0, y]::qvec AS v, ARRAY[y, x, y - x, 3, x, 0]::qvec AS w
	FROM (SELECT id, id % 7 AS x, id % 11 AS y FROM limit_rows) AS r;
SELECT k.kind, source, pg_temp.tries(k.kind, source, bits, options)
FROM unnest(ARRAY['limit_few', 'limit_one', 'limit_zeros', 'limit_plane']::regclass[]) WITH ORDINALITY AS s(source, which), limit_kinds AS k
ORDER BY which, place;

-- More bits than a kind can give.
SELECT kind, bits, pg_temp.tries(kind, 'limit_rows', bits, options::jsonb)
FROM (VALUES (1, 'simhash', 65536, '{}'), (2, 'sparse', 65536, '{"density": 0.1}'), (3, 'pca', 9, '{}'), (4, 'itq', 9, '{}'), (5, 'ksh', 6, '{"anchors": 5}'),
	(6, 'recurrent', 18, '{}'), (7, 'recurrent', 7, '{}'), (8, 'cca_itq', 7, '{"second_column": "w"}'), (9, 'projection', 9, '{}'),
	(10, 'relative', 201, '{}'), (11, 'weights', 7, '{}'), (12, 'pq', 3, '{}'), (13, 'pq', 9, '{}'), (14, 'rq', 65536, '{"centroids": 200}'),
	(15, 'fsq', 9, '{}')) AS t(place, kind, bits, options)
ORDER BY place;

-- Every SIMD level this machine has trains the same models, to the last byte.
CREATE TABLE limit_models AS
	SELECT place, kind, hashidx_train(kind, 'limit_rows', 'v', bits, options) AS model FROM limit_kinds;
CREATE TEMP TABLE levels (level text, same bigint);
DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['generic', 'x86-64-v2', 'avx2', 'avx512', 'neon'] LOOP
		BEGIN
			PERFORM set_config('hashidx.simd', wanted, false);
		EXCEPTION WHEN invalid_parameter_value THEN
			CONTINUE;
		END;
		INSERT INTO levels SELECT hashidx_simd(),
			count(*) FILTER (WHERE model = hashidx_train(kind, 'limit_rows', 'v', bits, options))
		FROM limit_models JOIN limit_kinds USING (place, kind);
	END LOOP;
END $$;
RESET hashidx.simd;
SELECT count(*) FILTER (WHERE level = 'generic') AS generic, min(same) AS least_same, max(same) AS most_same FROM levels;

-- A model of any kind that was cut or changed is refused, wherever that was.
CREATE FUNCTION pg_temp.is_refused(bytes bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM bytes::text::hashidx_model;
	RETURN false;
EXCEPTION WHEN invalid_text_representation THEN
	RETURN true;
END $$;
SELECT kind, count(*) FILTER (WHERE pg_temp.is_refused(substring(bytes FROM 1 FOR at))) AS cut,
	count(*) FILTER (WHERE pg_temp.is_refused(set_byte(bytes, at, get_byte(bytes, at) # 64))) AS changed,
	bool_and(bytes::text::hashidx_model = model) AS whole
FROM limit_models, LATERAL (SELECT hashidx_model_send(model)) AS b(bytes), LATERAL (
	SELECT DISTINCT (length(bytes) - 1) * part / 12 FROM generate_series(0, 12) AS part) AS p(at)
GROUP BY place, kind ORDER BY place;

-- A policy hides rows from the judge, from the balance of bits and from what a model is extended by.
UPDATE limit_rows SET code = hashidx_encode(model, v) FROM limit_models WHERE kind = 'pca' AND id % 3 > 0;
CREATE VIEW limit_seen AS SELECT * FROM limit_rows WHERE id <= 120;
CREATE ROLE regress_hashidx_limits;
GRANT SELECT ON limit_models, limit_seen TO regress_hashidx_limits;
GRANT SELECT (id, v, code) ON limit_rows TO regress_hashidx_limits;
ALTER TABLE limit_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY limit_policy ON limit_rows TO regress_hashidx_limits USING (id <= 120);
CREATE FUNCTION pg_temp.looks(source regclass) RETURNS text LANGUAGE sql AS $$
	SELECT md5(concat_ws(' ',
		(SELECT string_agg(b::text, ' ' ORDER BY b."bit") FROM hashidx_bit_balance(source, 'code') AS b),
		(SELECT r::text FROM limit_models, hashidx_encoder_recall(model, source, 'v', 5, 20) AS r WHERE kind = 'pca'),
		(SELECT hashidx_extend(model, source, 'v', 'code')::text FROM limit_models WHERE kind = 'pca')))
$$;
SET client_min_messages = warning;
SELECT pg_temp.looks('limit_rows') = pg_temp.looks('limit_seen') AS owner_sees_the_same;
SET ROLE regress_hashidx_limits;
SELECT pg_temp.looks('limit_rows') = pg_temp.looks('limit_seen') AS role_sees_the_same;
RESET client_min_messages;
SELECT hashidx_encoder_recall(model, 'limit_rows', 'w') FROM limit_models WHERE kind = 'cca_itq';
SELECT hashidx_extend(model, 'limit_few', 'v', 'code') FROM limit_models WHERE kind = 'pca';
SELECT * FROM hashidx_bit_balance('limit_few', 'code');
RESET ROLE;
ALTER TABLE limit_rows DISABLE ROW LEVEL SECURITY;

-- Indexes on the codes of a model that stands in the expression: ANALYZE and REINDEX run it under a search_path of their own.
SELECT model FROM limit_models WHERE kind = 'itq' \gset
CREATE INDEX limit_index ON limit_rows USING hashidx_hamming (hashidx_encode(:'model'::hashidx_model, v));
ANALYZE limit_rows;
REINDEX INDEX limit_index;
REINDEX INDEX CONCURRENTLY limit_index;
INSERT INTO limit_rows SELECT id + 1000, v FROM limit_rows WHERE id <= 10;
SELECT count(*) AS statistics FROM pg_stats WHERE tablename = 'limit_index';
SET enable_seqscan = off;
SELECT count(*) AS equal, count(*) FILTER (WHERE id IN (7, 1007)) AS own
FROM limit_rows WHERE hamming_within(hashidx_encode(:'model'::hashidx_model, v),
	(SELECT hashidx_encode(:'model'::hashidx_model, v) FROM limit_seen WHERE id = 7), 0);
RESET enable_seqscan;
SELECT count(*) AS equal FROM limit_rows
WHERE (hashidx_encode(:'model'::hashidx_model, v) <~> (SELECT hashidx_encode(:'model'::hashidx_model, v) FROM limit_seen WHERE id = 7)) = 0;
SELECT hashidx_check('limit_index', true);

SET client_min_messages = warning;
DROP TABLE limit_rows, limit_kinds, limit_few, limit_one, limit_zeros, limit_plane, limit_models CASCADE;
DROP ROLE regress_hashidx_limits;
