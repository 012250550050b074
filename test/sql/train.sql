-- hashidx_train, hashidx_train_pair, hashidx_extend: what they make, what they refuse, and who may
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

-- Vectors about seven points, and pairs of them: the second is the first's first half, plus noise.
CREATE TABLE train_rows (id integer, v qvec(16), half qvec(8), "odd ""name" qvec, note text, code bincode);
INSERT INTO train_rows
SELECT i, array_agg(x ORDER BY j)::qvec, (array_agg(x + (i % 3) / 4.0 ORDER BY j))[1:8]::qvec, array_agg(x ORDER BY j)::qvec, 'note'
FROM (SELECT i, j, ((i * i * 7 + j * 131 + i * j * j * 29) % 211 / 64.0 + (i % 7 * j * j * 37) % 97 / 8.0)::real AS x
	FROM generate_series(1, 600) AS i, generate_series(1, 16) AS j) AS numbers
GROUP BY i ORDER BY i;
INSERT INTO train_rows SELECT i FROM generate_series(601, 610) AS i;

-- Every kind; the same wish gives the same bytes, with one thread or two. Where chance takes part, another seed does not.
CREATE TEMP TABLE kinds (kind text, bits integer, options jsonb);
INSERT INTO kinds VALUES
	('simhash', 40, '{}'), ('sparse', 40, '{"density": 0.25}'), ('pca', 16, '{}'),
	('itq', 16, '{"iterations": 10, "median": true}'), ('ksh', 16, '{"anchors": 32, "refine": 2, "pairs": 0.05}'),
	('recurrent', 16, '{"iterations": 10}'), ('projection', 4, '{"centre": false}'), ('relative', 12, '{}'),
	('weights', 16, '{}'), ('pq', 4, '{"centroids": 16}'), ('rq', 3, '{"centroids": 16}'), ('fsq', 5, '{"levels": 5}');
SET hashidx.build_threads = 1;
CREATE TEMP TABLE models AS
	SELECT kind, bits, options, hashidx_train(kind, 'train_rows', 'v', bits, options) AS model FROM kinds;
SET hashidx.build_threads = 2;
SELECT kind, d ->> 'dims' AS dims, d ->> 'output' AS output, d ->> 'outputs' AS outputs,
	model = hashidx_train(kind, 'train_rows', 'v', bits, options) AS same,
	model <> hashidx_train(kind, 'train_rows', 'v', bits, options || '{"seed": -9223372036854775808, "sample": 400}') AS other
FROM models, hashidx_describe(model) AS d;
RESET hashidx.build_threads;

-- The models work.
SELECT length(hashidx_encode(model, v)::text) FROM models, train_rows WHERE kind = 'itq' AND id = 1;
SELECT qvec_dims(hashidx_transform(model, v)) FROM models, train_rows WHERE kind = 'relative' AND id = 1;
SELECT array_length(hashidx_tokens(model, v), 1) FROM models, train_rows WHERE kind = 'rq' AND id = 1;

-- Median thresholds: half of the sample has each bit.
SELECT bit, count(*) FILTER (WHERE substr(hashidx_encode(model, v)::text, bit, 1) = '1')
FROM hashidx_train('pca', 'train_rows', 'v', 4, '{"median": true}') AS model, train_rows, generate_series(1, 4) AS bit
WHERE v IS NOT NULL GROUP BY bit ORDER BY bit;

-- Two columns: both models share their outputs, so codes of pairs are nearer than others.
SELECT hashidx_describe(first) ->> 'dims' AS first, hashidx_describe(second) ->> 'dims' AS second,
	first = hashidx_train('cca_itq', 'train_rows', 'v', 8, '{"second_column": "half"}') AS first_alone
FROM hashidx_train_pair('cca_itq', 'train_rows', 'v', 'half', 8) AS pair;
SELECT avg(hamming_distance(hashidx_encode(first, a.v), hashidx_encode(second, a.half)))
	< avg(hamming_distance(hashidx_encode(first, a.v), hashidx_encode(second, b.half))) AS nearer
FROM hashidx_train_pair('cca_itq', 'train_rows', 'v', 'half', 8) AS pair, train_rows AS a, train_rows AS b
WHERE a.id BETWEEN 1 AND 100 AND b.id = a.id % 600 + 101;
SELECT hashidx_describe(first) ->> 'outputs' AS first, hashidx_describe(second) ->> 'outputs' AS second
FROM hashidx_train_pair('relative', 'train_rows', 'v', 'half', 9, '{"seed": 5}') AS pair;

-- Sources of all sorts, and names that need quotes.
CREATE VIEW train_view AS SELECT v, "odd ""name" FROM train_rows WHERE id <= 600;
CREATE SCHEMA "train Schema";
CREATE TABLE "train Schema"."Parts" (id integer, v qvec) PARTITION BY RANGE (id);
CREATE TABLE train_part PARTITION OF "train Schema"."Parts" FOR VALUES FROM (1) TO (300);
CREATE TABLE train_rest PARTITION OF "train Schema"."Parts" DEFAULT;
INSERT INTO "train Schema"."Parts" SELECT id, v FROM train_rows;
SELECT a = b AS view_same, a = c AS quoted_same, a = d AS parts_same
FROM hashidx_train('itq', 'train_rows', 'v', 8) AS a, hashidx_train('itq', 'train_view', 'v', 8) AS b,
	hashidx_train('itq', 'train_view', 'odd "name', 8) AS c, hashidx_train('itq', '"train Schema"."Parts"', 'v', 8) AS d;

-- A domain over qvec is a qvec, in every format.
CREATE DOMAIN train_domain AS qvec;
CREATE TABLE train_formats AS SELECT v::qvec(16, f16)::train_domain AS v FROM train_rows;
SELECT hashidx_describe(hashidx_train('pca', 'train_formats', 'v', 8)) ->> 'dims' AS dims;

-- The rows are those that the statement sees.
BEGIN;
DELETE FROM train_rows WHERE id > 300;
SELECT hashidx_train('pca', 'train_rows', 'v', 16) <> model AS changed FROM models WHERE kind = 'pca';
ROLLBACK;
SELECT hashidx_train('pca', 'train_rows', 'v', 16) <> model AS changed FROM models WHERE kind = 'pca';

-- Refused: kinds, bits, options.
SELECT pg_temp.fails(query) FROM (VALUES
	(1, $$SELECT hashidx_train('itx', 'train_rows', 'v', 8)$$),
	(2, $$SELECT hashidx_train('layers', 'train_rows', 'v', 8)$$),
	(3, $$SELECT hashidx_train('itq', 'train_rows', 'v', 0)$$),
	(4, $$SELECT hashidx_train('itq', 'train_rows', 'v', 65537)$$),
	(5, $$SELECT hashidx_train('itq', 'train_rows', 'v', 17)$$),
	(6, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '[]')$$),
	(7, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '1')$$),
	(8, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"iteration": 5}')$$),
	(9, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"iterations": 5.5}')$$),
	(10, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"iterations": 1001}')$$),
	(11, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"iterations": "5"}')$$),
	(12, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"iterations": 1e400}')$$),
	(13, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"seed": 9223372036854775808}')$$),
	(14, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"seed": 0.5}')$$),
	(15, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"median": 1}')$$),
	(16, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"sample": 0}')$$),
	(17, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"sample": null}')$$),
	(18, $$SELECT hashidx_train('pq', 'train_rows', 'v', 4, '{"median": true}')$$),
	(19, $$SELECT hashidx_train('itq', 'train_rows', 'v', 8, '{"second_column": "half"}')$$),
	(20, $$SELECT hashidx_train('cca_itq', 'train_rows', 'v', 8)$$),
	(21, $$SELECT hashidx_train('cca_itq', 'train_rows', 'v', 8, '{"second_column": 5}')$$),
	(22, $$SELECT hashidx_train_pair('itq', 'train_rows', 'v', 'half', 8)$$),
	(23, $$SELECT hashidx_train_pair('cca_itq', 'train_rows', 'v', 'half', 8, '{"second_column": "half"}')$$),
	(24, $$SELECT hashidx_train_pair('cca_itq', 'train_rows', 'v', 'half', 9)$$)
) AS t(number, query) ORDER BY number;

-- Refused: sources and columns.
CREATE TABLE train_empty (v qvec, w qvec, code bincode);
CREATE TABLE train_mixed (v qvec);
INSERT INTO train_mixed VALUES ('[1,2,3]'), (NULL), ('[1,2,3,4]');
CREATE TABLE train_dropped (v qvec, w qvec);
ALTER TABLE train_dropped DROP COLUMN v;
CREATE INDEX train_index ON train_rows (id);
SELECT pg_temp.fails(query) FROM (VALUES
	(1, $$SELECT hashidx_train('itq', 4294967295::regclass, 'v', 8)$$),
	(2, $$SELECT hashidx_train('itq', 'train_rows', 'vv', 8)$$),
	(3, $$SELECT hashidx_train('itq', 'train_rows', 'note', 8)$$),
	(4, $$SELECT hashidx_train('itq', 'train_rows', 'code', 8)$$),
	(5, $$SELECT hashidx_train('itq', 'train_rows', 'ctid', 8)$$),
	(6, $$SELECT hashidx_train('itq', 'train_dropped', 'v', 8)$$),
	(7, $$SELECT hashidx_train('itq', 'train_empty', 'v', 8)$$),
	(8, $$SELECT hashidx_train('itq', 'train_mixed', 'v', 2)$$),
	(9, $$SELECT hashidx_train_pair('cca_itq', 'train_empty', 'v', 'w', 8)$$),
	(10, $$SELECT hashidx_train_pair('cca_itq', 'train_rows', 'v', 'note', 8)$$)
) AS t(number, query) ORDER BY number;
SELECT hashidx_train('itq', 'train_rows', 'v', NULL) IS NULL AS strict;

-- Columns that an INSERT would cast to qvec are read like those of the type, also through domains.
CREATE DOMAIN train_numbers AS double precision[];
CREATE TABLE train_arrays AS
	SELECT v, v::real[] AS floats, v::double precision[]::train_numbers AS doubles FROM train_rows;
SELECT hashidx_train('itq', 'train_arrays', 'floats', 8)::text = model AS floats,
	hashidx_train('itq', 'train_arrays', 'doubles', 8)::text = model AS doubles,
	hashidx_encoder_recall(model::hashidx_model, 'train_arrays', 'floats', 5, 20, 30) =
		hashidx_encoder_recall(model::hashidx_model, 'train_arrays', 'v', 5, 20, 30) AS judged
FROM (SELECT hashidx_train('itq', 'train_arrays', 'v', 8)::text AS model) m;
INSERT INTO train_arrays (floats) VALUES ('{1,NULL}');
SELECT pg_temp.fails($$SELECT hashidx_train('itq', 'train_arrays', 'floats', 8)$$);
DROP TABLE train_arrays;
DROP DOMAIN train_numbers;

-- Constant and zero rows: an answer or a reason, never NaN.
CREATE TABLE train_same AS SELECT '[1,2,3,4]'::qvec AS v FROM generate_series(1, 100);
SELECT kind, pg_temp.fails(format('SELECT hashidx_train(%L, %L, %L, %s)', kind, 'train_same', 'v', least(bits, 4)))
FROM kinds;

-- A sample is held to maintenance_work_mem: the usual size is cut, a size asked for is refused.
SET maintenance_work_mem = '1MB';
CREATE TABLE train_wide AS
	SELECT array_agg(((i * 7 + j * i) % 101)::real ORDER BY j)::qvec AS v
	FROM generate_series(1, 100) AS i, generate_series(1, 4000) AS j GROUP BY i;
SELECT hashidx_describe(hashidx_train('simhash', 'train_wide', 'v', 8)) ->> 'outputs' AS cut;
SELECT pg_temp.fails($$SELECT hashidx_train('simhash', 'train_wide', 'v', 8, '{"sample": 100}')$$);

-- So is what is computed with.
SELECT pg_temp.fails($$SELECT hashidx_train('pca', 'train_wide', 'v', 8)$$);
SELECT pg_temp.fails($$SELECT hashidx_encoder_recall(hashidx_train('simhash', 'train_wide', 'v', 8), 'train_wide', 'v', 10000, 10000, 50)$$);
RESET maintenance_work_mem;

-- Progress, as a row sees it that is read; it ends with the function, and with an error.
CREATE TABLE train_seen (function text, kind text, phase text, done bigint, total bigint, relid regclass, mine boolean);
CREATE FUNCTION pg_temp.look() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_stat_clear_snapshot();
	INSERT INTO train_seen SELECT function, kind, phase, done, total, relid, pid = pg_backend_pid()
	FROM hashidx_progress WHERE datname = current_database();
	RETURN true;
END $$;
CREATE TEMP VIEW train_watched AS SELECT v FROM train_rows WHERE id = 7 AND pg_temp.look();
SELECT hashidx_describe(hashidx_train('simhash', 'train_watched', 'v', 8)) ->> 'outputs' AS trained;
SELECT * FROM train_seen;
SELECT pg_temp.look();
SELECT hashidx_train('itq', 'train_watched', 'v', 8);
SELECT pg_temp.look();

-- A command that shows progress of its own goes on showing it.
COPY (SELECT (SELECT count(*) FROM pg_stat_progress_copy WHERE pid = pg_backend_pid()) AS copies,
		(SELECT count(*) FROM hashidx_progress WHERE pid = pg_backend_pid()) AS trainings
	FROM (SELECT hashidx_train('simhash', 'train_watched', 'v', 8) AS model OFFSET 0) AS t WHERE model IS NOT NULL) TO STDOUT;
SELECT count(*) AS nothing_more FROM train_seen;

-- Privileges are the caller's, and row security applies.
CREATE ROLE hashidx_train_reader;
GRANT SELECT (id, v) ON train_rows TO hashidx_train_reader;
ALTER TABLE train_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY train_policy ON train_rows TO hashidx_train_reader USING (id <= 300);
CREATE VIEW train_start AS SELECT v FROM train_rows WHERE id <= 300;
GRANT SELECT ON train_start TO hashidx_train_reader;
SET ROLE hashidx_train_reader;
SELECT hashidx_train('pca', 'train_rows', 'v', 8) = hashidx_train('pca', 'train_start', 'v', 8) AS only_visible_rows;
RESET ROLE;
SELECT hashidx_train('pca', 'train_rows', 'v', 8) = hashidx_train('pca', 'train_start', 'v', 8) AS only_visible_rows;
SET ROLE hashidx_train_reader;
SELECT hashidx_train('pca', 'train_rows', 'half', 8);
SELECT hashidx_train('pca', 'train_empty', 'v', 8);
RESET ROLE;
ALTER TABLE train_rows DISABLE ROW LEVEL SECURITY;

-- Lifelong: rows with codes are old, rows without are new.
UPDATE train_rows SET code = hashidx_encode(model, v) FROM models WHERE kind = 'itq' AND id <= 400;
SET client_min_messages = warning;	-- the shares are measured below
CREATE TEMP TABLE extended AS
	SELECT model AS old, hashidx_extend(model, 'train_rows', 'v', 'code', '{"seed": 3}') AS new FROM models WHERE kind = 'itq';
SELECT new = hashidx_extend(old, 'train_rows', 'v', 'code', '{"seed": 3}') AS same FROM extended;
RESET client_min_messages;
SELECT hashidx_describe(new) ->> 'dims' AS dims, hashidx_describe(new) ->> 'outputs' AS bits,
	(SELECT avg(hamming_distance(hashidx_encode(new, v), code)) <= 16 * 0.06 FROM train_rows WHERE code IS NOT NULL) AS codes_stay
FROM extended;
SELECT pg_temp.fails(query) FROM (VALUES
	(1, $$SELECT hashidx_extend(model, 'train_rows', 'v', 'code', '{"agree": 1}') FROM models WHERE kind = 'itq'$$),
	(2, $$SELECT hashidx_extend(model, 'train_rows', 'v', 'code', '{"agreement": 1.5}') FROM models WHERE kind = 'itq'$$),
	(3, $$SELECT hashidx_extend(model, 'train_rows', 'v', 'code', '{"sample": 9}') FROM models WHERE kind = 'itq'$$),
	(4, $$SELECT hashidx_extend(model, 'train_rows', 'half', 'code') FROM models WHERE kind = 'itq'$$),
	(5, $$SELECT hashidx_extend(model, 'train_rows', 'v', 'note') FROM models WHERE kind = 'itq'$$),
	(6, $$SELECT hashidx_extend(model, 'train_rows', 'v', 'code') FROM models WHERE kind = 'simhash'$$),
	(7, $$SELECT hashidx_extend(model, 'train_rows', 'v', 'code') FROM models WHERE kind = 'recurrent'$$),
	(8, $$SELECT hashidx_extend(model, 'train_rows', 'v', 'code') FROM models WHERE kind = 'pq'$$),
	(9, $$SELECT hashidx_extend(model, 'train_empty', 'v', 'code') FROM models WHERE kind = 'itq'$$)
) AS t(number, query) ORDER BY number;

-- Codes that are not the model's: the share is named.
UPDATE train_rows SET code = ~code WHERE code IS NOT NULL;
SELECT pg_temp.fails($$SELECT hashidx_extend(model, 'train_rows', 'v', 'code') FROM models WHERE kind = 'itq'$$)
	~ '^22023 \| cannot extend the model \| Only [0-9.]+% of the bits of old rows would stay as they are stored' AS refused;
UPDATE train_rows SET code = ~code WHERE code IS NOT NULL;
UPDATE train_rows SET code = hashidx_encode(model, v) FROM models WHERE kind = 'itq';
SELECT pg_temp.fails($$SELECT hashidx_extend(model, 'train_rows', 'v', 'code') FROM models WHERE kind = 'itq'$$);

SET client_min_messages = warning;
DROP TABLE train_seen, train_rows, train_empty, train_mixed, train_dropped, train_same, train_wide, train_formats CASCADE;
DROP DOMAIN train_domain;
DROP SCHEMA "train Schema" CASCADE;
DROP ROLE hashidx_train_reader;
