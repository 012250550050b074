-- Running models: hashidx_encode, hashidx_transform, hashidx_tokens, hashidx_describe, sdc_similarity, hashidx_truncate
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

CREATE TABLE models (name text PRIMARY KEY, model hashidx_model);
-- x + 2y + 0.5 > 0, 3x - 4y > 0, -x + y / 2 + 1 > 0
INSERT INTO models VALUES ('code', hashidx_model_from_layers('{"input": 2, "layers": [
	{"type": "linear", "weights": [[1, 2], [3, -4], [-1, 0.5]], "bias": [0.5, 0, 1]}, {"type": "sign"}]}'));
INSERT INTO models VALUES ('vector', hashidx_model_from_layers('{"input": 2, "layers": [
	{"type": "linear", "weights": [[1, 2], [3, -4], [-1, 0.5]], "bias": [0.5, 0, 1]}]}'));
-- Slices of 2: nearest of (0,0), (1,1), and of (0,0), (10,-10).
INSERT INTO models VALUES ('pq', 'SHhkTQEADQAEAAAAAgAAAAEAAAApsV4NEAD/////AAACAAAAAgAAAAAAAAAAAAAACAAAAAAAAAAAAAAAAACAPwAAAAAAAIA/AAAAAAAAIEEAAAAAAAAgwQ==');
-- Nearest of (0,0), (10,10), and of what is left nearest of (1,0), (0,1).
INSERT INTO models VALUES ('rq', 'SHhkTQEADgACAAAAAgAAAAEAAADzE4J0EQD/////AAACAAAAAgAAAAAAAAAAAAAACAAAAAAAAAAAAAAAAAAgQQAAAAAAACBBAACAPwAAAAAAAAAAAACAPw==');
-- Levels: 3, 2, 5; and 2, 65536, which is more than a smallint holds.
INSERT INTO models VALUES ('fsq', 'SHhkTQEADwADAAAAAwAAAAEAAAAcVLPnEgD/////AAADAAAAAAAAAAAAAAAAAAAAAwAAAAAAAAAAAEBAAAAAQAAAoEA=');
INSERT INTO models VALUES ('fsq 65536', 'SHhkTQEADwACAAAAAgAAAAEAAAArHeFXEgD/////AAACAAAAAAAAAAAAAAAAAAAAAgAAAAAAAAAAAABAAACARw==');
-- The rotation of hashidx_simhash with 20 dimensions, 24 bits, seed 7.
INSERT INTO models VALUES ('simhash', 'SHhkTQEAAQAUAAAAGAAAAAIAAABhXLv/AwD/////AAAYAAAAAAAAAAcAAAAAAAAAAAAAAAAAAAAPAAAA//8AABgAAAAAAAAAAAAAAAAAAAAYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==');
-- x - y > 0, 2z > 0: inputs picked, with signs.
INSERT INTO models VALUES ('sparse', 'SHhkTQEAAgADAAAAAgAAAAIAAAB8UyUGBAD/////AAACAAAAAgAAAAAAAAAAAAAABAAAAAAAAAAAAIA/AAAAwAAAQEAAAEBADwAAAP//AAACAAAAAAAAAAAAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAA==');
-- Cosines to (1,0), (0,1), (0.6,0.8).
INSERT INTO models VALUES ('relative', 'SHhkTQEACwACAAAAAwAAAAEAAADkInQCCwD/////AAADAAAAAAAAAAAAAAAAAAAABgAAAAAAAAAAAIA/AAAAAJqZGT8AAAAAAACAP83MTD8=');

SELECT name, hashidx_describe(model) FROM models ORDER BY name COLLATE "C";

-- By hand.
SELECT v, hashidx_encode(model, v), hashidx_transform((SELECT model FROM models WHERE name = 'vector'), v)
FROM models, unnest(ARRAY['[1,1]', '[0,0]', '[-1,0]', '[3,1]', '[-0.25,-0.125]', '[2,2]']::qvec[]) AS v
WHERE name = 'code';
SELECT v, hashidx_tokens(model, v) AS pq FROM models, unnest(ARRAY['[0,0,0,0]', '[1,0.9,8,-9]', '[5,5,-5,5]', '[-7,9,6,-5]']::qvec[]) AS v
WHERE name = 'pq';
SELECT v, hashidx_tokens(model, v) AS rq FROM models, unnest(ARRAY['[0,0]', '[1,0.5]', '[10,11]', '[9,9.5]']::qvec[]) AS v
WHERE name = 'rq';
SELECT v, hashidx_tokens(model, v) AS fsq FROM models, unnest(ARRAY['[0,0.1,0]', '[-9,-9,-9]', '[9,9,9]', '[0.1,-0.1,0.5]']::qvec[]) AS v
WHERE name = 'fsq';
SELECT v, hashidx_encode(model, v) FROM models, unnest(ARRAY['[1,0,1]', '[0,1,-1]', '[1,1,0]', '[0,0,0]']::qvec[]) AS v
WHERE name = 'sparse';
SELECT v, hashidx_transform(model, v) FROM models, unnest(ARRAY['[3,4]', '[-2,0]', '[0,0]']::qvec[]) AS v
WHERE name = 'relative';
SELECT count(*), count(*) FILTER (WHERE hashidx_encode(model, v) = hashidx_simhash(v, 24, 7)) AS same
FROM models, generate_series(1, 100) AS n,
	LATERAL (SELECT array_agg(sin(n * j)) FROM generate_series(1, 20) AS j) AS a(numbers), LATERAL (SELECT numbers::qvec) AS q(v)
WHERE name = 'simhash';

-- The numbers count, not the format; what comes out is f32; a code is canonical and of the right length.
SELECT hashidx_encode(c.model, '[1.3,0.9]'::qvec(2, int8)) = hashidx_encode(c.model, '[1.3,0.9]'::qvec(2, int8)::qvec(2)) AS same_code,
	qvec_format(hashidx_transform(v.model, '[1,2]'::qvec(2, f16))), length(hashidx_encode(c.model, '[1,2]')),
	pg_typeof(hashidx_tokens(r.model, '[1,2]')), hashidx_encode(c.model, NULL) AS no_vector, hashidx_encode(NULL::hashidx_model, '[1,2]') AS no_model
FROM models AS c, models AS v, models AS r WHERE c.name = 'code' AND v.name = 'vector' AND r.name = 'rq';

-- What does not fit.
SELECT name, f, pg_temp.fails(format('SELECT %s((SELECT model FROM models WHERE name = %L), %L)', f, name, v))
FROM (VALUES ('code', 'hashidx_encode', '[1,2,3]'), ('vector', 'hashidx_transform', '[1]'), ('pq', 'hashidx_tokens', '[1,2]'),
	('vector', 'hashidx_encode', '[1,2]'), ('pq', 'hashidx_encode', '[1,2,3,4]'), ('code', 'hashidx_transform', '[1,2]'),
	('fsq', 'hashidx_transform', '[1,2,3]'), ('code', 'hashidx_tokens', '[1,2]'), ('relative', 'hashidx_tokens', '[1,2]'),
	('code', 'hashidx_encode', '[3e38,3e38]'), ('vector', 'hashidx_transform', '[3e38,-3e38]'),
	('fsq 65536', 'hashidx_tokens', '[0,9]'), ('fsq 65536', 'hashidx_tokens', '[0,-9]')) AS t(name, f, v);

-- Immutable: in an index, in a generated column.
CREATE TABLE coded (v qvec(2), code bincode(3) GENERATED ALWAYS AS (hashidx_encode(
	'SHhkTQEACAACAAAAAwAAAAIAAACJl4lJAgD/////AAADAAAAAAAAAAAAAAAAAAAACQAAAAAAAAAAAIA/AABAQAAAgL8AAABAAACAwAAAAD8AAAA/AAAAAAAAgD8PAAAA//8AAAMAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAAAAAAAAAAAAAAAAA==', v)) STORED);
CREATE INDEX ON coded (hashidx_encode(
	'SHhkTQEACAACAAAAAwAAAAIAAACJl4lJAgD/////AAADAAAAAAAAAAAAAAAAAAAACQAAAAAAAAAAAIA/AABAQAAAgL8AAABAAACAwAAAAD8AAAA/AAAAAAAAgD8PAAAA//8AAAMAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAAAAAAAAAAAAAAAAA==', v));
INSERT INTO coded VALUES ('[1,1]'), ('[3,1]'), (NULL);
SELECT c.v, code, code = hashidx_encode(model, c.v) AS same FROM coded AS c, models WHERE name = 'code';
DROP TABLE coded;

-- The cache. Models that differ in one number, too large to lie in the row; more of them in turns than are held.
CREATE TABLE large AS
SELECT n, hashidx_model_from_layers(jsonb_build_object('input', 60, 'layers', jsonb_build_array(
	jsonb_build_object('type', 'linear', 'weights', weights, 'bias', array_fill(n, ARRAY[30])), '{"type": "relu"}'::jsonb))) AS model
FROM generate_series(1, 7) AS n, (SELECT jsonb_agg(array_fill(0.25, ARRAY[60])) AS weights FROM generate_series(1, 30)) AS w;
SELECT n, pg_column_size(model) FROM large WHERE n = 1;
CREATE TABLE items AS SELECT i, array_fill(i::real, ARRAY[60])::qvec AS v FROM generate_series(1, 50) AS i;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT count(*), count(*) FILTER (WHERE (hashidx_transform(model, v)::real[])[30] = 15 * i + n) AS correct
FROM large, items;
SELECT count(*), count(*) FILTER (WHERE (hashidx_transform((SELECT model FROM large WHERE n = 3), v)::real[])[1] = 15 * i + 3) AS correct
FROM items;
RESET enable_hashjoin;
RESET enable_mergejoin;
-- As a variable that changes, toasted and not; as a value made anew for each row, at whatever address.
DO $$
DECLARE
	kept hashidx_model;
	made hashidx_model;
	wrong integer := 0;
BEGIN
	FOR which IN 1 .. 21 LOOP
		SELECT model, model::text::hashidx_model INTO kept, made FROM large WHERE n = which % 7 + 1;
		IF (hashidx_transform(kept, array_fill(1, ARRAY[60])::qvec)::real[])[1] <> 15 + which % 7 + 1 THEN
			wrong := wrong + 1;
		END IF;
		IF (hashidx_transform(made, array_fill(2, ARRAY[60])::qvec)::real[])[1] <> 30 + which % 7 + 1 THEN
			wrong := wrong + 1;
		END IF;
	END LOOP;
	RAISE NOTICE '% wrong', wrong;
END $$;
SELECT count(*) FILTER (WHERE (hashidx_transform(model::text::hashidx_model, v)::real[])[1] = 15 * i + n) AS correct FROM large, items;

-- A damaged model is refused each time, and harms no other.
CREATE CAST (bytea AS hashidx_model) WITHOUT FUNCTION;
CREATE TABLE damaged AS SELECT 8 AS n, overlay(hashidx_model_send(model) PLACING '\x0101' FROM 2000)::hashidx_model AS model FROM large WHERE n = 1;
SELECT attempt, pg_temp.fails('SELECT hashidx_transform(model, v) FROM damaged, items'),
	pg_temp.fails('SELECT hashidx_transform(model, v) FROM (SELECT * FROM large UNION ALL SELECT * FROM damaged) AS m, items')
FROM generate_series(1, 2) AS attempt;
SELECT count(*) FILTER (WHERE (hashidx_transform(model, v)::real[])[2] = 15 * i + n) AS correct FROM large, items;
DROP TABLE damaged;
DROP CAST (bytea AS hashidx_model);

-- Bounded: models that take some 15 MB each to run. A cursor keeps its own while others come and go.
CREATE TABLE wide AS
SELECT n, hashidx_model_from_layers(jsonb_build_object('input', 16000, 'layers', jsonb_build_array(
	'{"type": "concat", "inputs": ["input", "input", "input", "input"]}'::jsonb)
	|| (SELECT jsonb_agg('{"type": "relu"}'::jsonb) FROM generate_series(1, 54 + n)) || '{"type": "sign"}'::jsonb)) AS model
FROM generate_series(1, 6) AS n;
CREATE TABLE long AS SELECT i, array_fill(i, ARRAY[16000])::qvec AS v FROM generate_series(-1, 1) AS i;
BEGIN;
DECLARE held CURSOR FOR SELECT i, bit_count(hashidx_encode((SELECT model FROM wide WHERE n = 1), v)) FROM long ORDER BY i;
FETCH held;
SELECT n, sum(bit_count(hashidx_encode(model, v))) FROM wide, long GROUP BY n ORDER BY n;
FETCH held;
SELECT n, sum(bit_count(hashidx_encode(model, v))) FROM wide, long GROUP BY n ORDER BY n;
FETCH held;
CLOSE held;
COMMIT;
SELECT count(*) > 0 AS cached, sum(total_bytes) <= 64 * 1024 * 1024 AS bounded
FROM pg_backend_memory_contexts WHERE name = 'hashidx model';

-- Every SIMD level this machine has gives the same codes of a network, and those are known.
CREATE TEMP TABLE network AS
SELECT hashidx_model_from_layers(jsonb_build_object('input', 50, 'layers', jsonb_build_array(
	jsonb_build_object('type', 'linear', 'weights', (SELECT jsonb_agg(numbers) FROM (
		SELECT jsonb_agg(((i * 7919 + j * j * 31 + i * j * 4729) % 2003 - 1001) / 512.0 ORDER BY j) AS numbers
		FROM generate_series(1, 70) AS i, generate_series(1, 50) AS j GROUP BY i ORDER BY i) AS r)),
	'{"type": "tanh"}'::jsonb, '{"type": "l2norm"}'::jsonb,
	jsonb_build_object('type', 'linear', 'weights', (SELECT jsonb_agg(numbers) FROM (
		SELECT jsonb_agg(((i * 10477 + j * j * 17 + i * j * 6119) % 1009 - 504) / 256.0 ORDER BY j) AS numbers
		FROM generate_series(1, 100) AS i, generate_series(1, 70) AS j GROUP BY i ORDER BY i) AS r)),
	'{"type": "sign"}'::jsonb))) AS model;
CREATE TEMP TABLE vectors AS
SELECT n, array_agg((((n * 7919 + j * j * 31 + j * n * 4729) % 20011 - 10005) / 128.0)::real ORDER BY j)::qvec AS v
FROM generate_series(1, 500) AS n, generate_series(1, 50) AS j GROUP BY n;
CREATE TEMP TABLE results (level text, codes text);
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
		INSERT INTO results
			SELECT hashidx_simd(), md5(string_agg(hashidx_encode(model, v)::text, ',' ORDER BY n)) FROM network, vectors;
	END LOOP;
END $$;
RESET hashidx.simd;
SELECT count(*) FILTER (WHERE level = 'generic') AS generic, count(*) = count(DISTINCT level) AS each_once,
	count(DISTINCT codes) AS answers, min(codes) AS codes
FROM results;
DROP TABLE models, large, items, wide, long;

-- sdc_similarity: one plane gives the cosine of signs; each further plane counts half as much as the one before.
SELECT sdc_similarity('1100', '1010', 1) AS half_differ, sdc_similarity('1011', '1011', 2) AS same,
	sdc_similarity('1111', '0000', 2) AS opposite, sdc_similarity('1100', '1111', 2) AS same_direction,
	sdc_similarity('11101000', '10110111', 2) AS by_hand;
SELECT planes, sdc_similarity(a, b, planes) = sdc_similarity(b, a, planes) AS symmetric, round(sdc_similarity(a, b, planes)::numeric, 12)
FROM generate_series(1, 4) AS planes, (SELECT hashidx_simhash('[1,2,3]', 60), hashidx_simhash('[1,2,2]', 60)) AS codes(a, b);
SELECT pg_temp.fails(format('SELECT sdc_similarity(%L, %L, %s)', a, b, planes))
FROM (VALUES ('1100', '110', 1), ('1100', '1100', 0), ('1100', '1100', -1), ('1100', '1100', 17), ('1100', '1100', 3)) AS t(a, b, planes);

-- hashidx_truncate: as l2_normalize of a beginning.
SELECT hashidx_truncate('[3,4,12]', 2), hashidx_truncate('[3,4,12]', 1), hashidx_truncate('[0,0,5]', 2) AS zero,
	qvec_format(hashidx_truncate('[1,2]'::qvec(2, int8), 2)),
	hashidx_truncate('[5,1,-2,4]', 3) = l2_normalize(subvector('[5,1,-2,4]', 1, 3)) AS same;
SELECT pg_temp.fails(format('SELECT hashidx_truncate(%L, %s)', '[3,4,12]', d)) FROM unnest(ARRAY[0, -1, 4]) AS d;
