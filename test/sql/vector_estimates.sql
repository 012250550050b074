-- Statistics of vectors: distances and sketches, also of what is too wide for the usual statistics
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- 1,500 vectors of 300 dimensions, 1,208 bytes each, near one of 40 centres of different weight
CREATE FUNCTION number(seed int, i int) RETURNS float8 IMMUTABLE LANGUAGE sql AS $$
	SELECT hashint4(seed * 65536 + i) / 2147483648.0
$$;
CREATE FUNCTION vector(i int) RETURNS qvec IMMUTABLE LANGUAGE sql AS $$
	SELECT array_agg((number(i % 80 * (i % 80) / 160, d) + number(i, d) * (0.1 + i % 7 * 0.1))::real ORDER BY d)::qvec
	FROM generate_series(1, 300) d
$$;
CREATE TABLE wide (id integer, v qvec(300));
INSERT INTO wide SELECT i, vector(i) FROM generate_series(1, 1500) i;
INSERT INTO wide VALUES (0, NULL);
ANALYZE wide;

-- the slots: distances, with a mean, 64 axes and sketches of 66 numbers; cosine distances
CREATE FUNCTION slots(relation regclass, attribute int) RETURNS TABLE (kind int, up_to_all bool, ascending bool) LANGUAGE sql AS $$
	SELECT kind, numbers[array_length(numbers, 1)] = 1,
		(SELECT bool_and(numbers[3 * i + 1] > numbers[3 * i - 2] AND numbers[3 * i + 2] >= numbers[3 * i - 1] AND numbers[3 * i + 3] >= numbers[3 * i])
			FROM generate_series(1, array_length(numbers, 1) / 3 - 1) i)
	FROM pg_statistic s, LATERAL (VALUES (stakind1, stanumbers1), (stakind2, stanumbers2), (stakind3, stanumbers3),
		(stakind4, stanumbers4), (stakind5, stanumbers5)) v (kind, numbers)
	WHERE starelid = relation AND staattnum = attribute AND kind > 10000 ORDER BY kind
$$;
SELECT * FROM slots('wide', 2);
SELECT qvec_dims(x) AS dims, qvec_format(x) AS format, count(*)
FROM pg_statistic, unnest(stavalues1::text::text[]) t, LATERAL (SELECT t::qvec AS x) q
WHERE starelid = 'wide'::regclass AND stakind1 = 10171 GROUP BY 1, 2 ORDER BY 1, 2;

\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/estimates.sql'
\i :helpers

-- single queries at 20 radii up to the largest: the share of estimates within a factor of 3
SELECT name, avg((factor <= 3)::int) >= 0.9 AS nearly_all
FROM unnest(ARRAY[-1, 3, 40]) q, generate_series(1, 20) r,
	(VALUES ('l2_within', 18.0), ('cosine_within', 1.2)) m (name, most),
	LATERAL factor(format('SELECT 1 FROM wide WHERE %s(v, %L, %s)', name, vector(q), most * r / 20)) factor
GROUP BY name ORDER BY name;

-- the other spellings
SELECT name, factor('SELECT 1 FROM wide WHERE ' || condition) <= 3 AS near FROM (VALUES
	('swapped', format('l2_within(%L, v, 10)', vector(3))), ('ball', format('v <@ l2_ball(%L, 10)', vector(3))),
	('cosine ball', format('v <@ cosine_ball(%L, 0.6)', vector(3)))) c (name, condition);

-- a table joined with itself, in both spellings; a query that is not known
SELECT r, factor(format('SELECT 1 FROM wide a JOIN wide b ON l2_within(a.v, b.v, %s)', r)) <= 2 AS call,
	factor(format('SELECT 1 FROM wide a JOIN wide b ON a.v <@ l2_ball(b.v, %s)', r)) <= 2 AS ball,
	factor(format('SELECT 1 FROM wide a JOIN wide b ON cosine_within(a.v, b.v, %s)', r / 20.0)) <= 2 AS cosine
FROM unnest(ARRAY[0, 5, 10]) r;
SELECT estimated('SELECT 1 FROM wide WHERE l2_within(v, (SELECT v FROM wide WHERE id = 7), 10)') BETWEEN 10 AND 1000 AS unknown_query;

-- a table of few rows, and one of which a third are copies of one: those of it are near each other
CREATE TABLE small AS SELECT id, v FROM wide WHERE id BETWEEN 1 AND 12;
CREATE TABLE copied AS SELECT id, CASE WHEN id % 3 = 0 THEN vector(1) ELSE v END AS v FROM wide WHERE id > 0;
ANALYZE small, copied;
SELECT avg((factor(format('SELECT 1 FROM small WHERE l2_within(v, %L, %s)', vector(q), r)) <= 3)::int) >= 0.9 AS few_rows
FROM generate_series(3, 15, 4) q, generate_series(1, 18) r;
SELECT r, factor(format('SELECT 1 FROM copied a JOIN copied b ON l2_within(a.v, b.v, %s)', r)) <= 2 AS call,
	factor(format('SELECT 1 FROM copied a JOIN copied b ON cosine_within(a.v, b.v, %s)', r / 20.0)) <= 2 AS cosine
FROM unnest(ARRAY[0, 2, 6]) r;

-- nothing within, everything within, queries that cannot be compared
SELECT estimated(format('SELECT 1 FROM wide WHERE l2_within(v, %L, %L)', vector(3), r)) AS rows FROM unnest(ARRAY[-1, 0, 1e9, 'NaN']::float8[]) r;
SELECT estimated('SELECT 1 FROM wide WHERE l2_within(v, ''[1,2]'', 1)') BETWEEN 1 AND 100 AS guessed;

-- columns of few values, of different dimensions, of zeros, and of numbers whose squares are too large
CREATE TABLE odd (one qvec, mixed qvec, zero qvec, large qvec(2), narrow qvec(3, int8));
INSERT INTO odd SELECT '[1,2]', CASE WHEN i % 2 = 0 THEN '[1]' ELSE '[1,2]' END::qvec, '[0,0]', ARRAY[3e38 * number(1, i), 1]::real[]::qvec,
	ARRAY[i, i % 7, 3]::real[]::qvec FROM generate_series(1, 500) i;
ANALYZE odd;
SELECT attnum, kind, up_to_all, ascending FROM generate_series(1, 5) attnum, slots('odd', attnum) ORDER BY 1, 2;
SELECT condition, factor('SELECT 1 FROM odd WHERE ' || condition) <= 3 AS near FROM (VALUES ('l2_within(one, ''[1,2]'', 0)'),
	('l2_within(zero, ''[0,0]'', 0)'), ('cosine_within(zero, ''[1,0]'', 2)'),
	('l2_within(narrow, ''[250,3,3]'', 100)'), ('cosine_within(narrow, ''[250,3,3]'', 0.001)')) c (condition);
SELECT estimated('SELECT 1 FROM odd WHERE l2_within(large, ''[1,1]'', 1)') >= 1 AS some,
	estimated('SELECT 1 FROM odd WHERE l2_within(mixed, ''[1,2]'', 1)') >= 1 AS more;

DROP TABLE wide, small, copied, odd;
DROP FUNCTION number, vector, slots, estimated, factor;
