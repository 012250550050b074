-- Ranges on sets: estimates from the server's statistics, and from the buckets of an LSH index
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/estimates.sql'
\i :helpers

-- 1,500 sets of 24 to 43 elements: families of 1 to 55, which share most of theirs
CREATE FUNCTION number(seed int, i int) RETURNS int IMMUTABLE LANGUAGE sql AS $$
	SELECT hashint4(seed * 65536 + i) & 8388607
$$;
CREATE FUNCTION set_of(i int) RETURNS int[] IMMUTABLE LANGUAGE sql AS $$
	SELECT array_agg(CASE WHEN number(i, j) % 100 < number(i, 0) % 60 THEN number(i, j) ELSE number(-f, j) END ORDER BY j)
	FROM (SELECT round(sqrt(i * 2))::int AS f) family, generate_series(1, 24 + f % 20) j
$$;
CREATE TABLE sets (id int, s int[], t text[]);
INSERT INTO sets SELECT i, set_of(i), set_of(i)::text[] FROM generate_series(1, 1500) i;
INSERT INTO sets VALUES (0, NULL, NULL), (-1, '{}', '{}');
CREATE TABLE few AS SELECT id, s FROM sets WHERE id % 100 = 7;
ANALYZE sets, few;

-- the share of estimates within a factor of 3, at radii up to 0.95
CREATE FUNCTION good(attribute text) RETURNS float8 LANGUAGE sql AS $$
	SELECT avg((factor(format('SELECT 1 FROM sets WHERE jaccard_within(%I, %L, %s)', attribute, set_of(q * q * 4), r / 20.0)) <= 3)::int)
	FROM generate_series(1, 19) q, generate_series(1, 19, 3) r
$$;
SELECT good('s') > 0.5 AS by_statistics;
-- of independent elements, which all sets share some of, few sets share most
CREATE TABLE shared AS SELECT i AS id, (SELECT array_agg(number(i, j) % 200 ORDER BY j) FROM generate_series(1, 30) j) AS s
	FROM generate_series(1, 3000) i;
ANALYZE shared;
SELECT avg((factor(format('SELECT 1 FROM shared WHERE jaccard_within(s, %L, %s)', q.s, r / 20.0)) <= 3)::int) > 0.8 AS independent
FROM (SELECT s FROM shared WHERE id % 300 = 7) q, generate_series(1, 20) r;
CREATE INDEX sets_s ON sets USING hashidx_lsh (s);
CREATE INDEX sets_t ON sets USING hashidx_lsh (t);
SELECT good('s') > 0.9 AS by_index, good('t') > 0.9 AS of_texts;

-- the other spellings
SELECT factor(format('SELECT 1 FROM sets WHERE jaccard_within(%L, s, 0.5)', set_of(1400))) <= 3 AS swapped,
	factor(format('SELECT 1 FROM sets WHERE s <%%@ jaccard_ball(%L::int[], 0.5)', set_of(1400))) <= 3 AS ball;

-- a table joined with itself and with another one, in both orders
SELECT r, factor(format('SELECT 1 FROM sets a JOIN sets b ON jaccard_within(a.s, b.s, %s)', r)) <= 3 AS itself,
	factor(format('SELECT 1 FROM sets a JOIN few b ON jaccard_within(a.s, b.s, %s)', r)) <= 3 AS other,
	factor(format('SELECT 1 FROM few a JOIN sets b ON jaccard_within(a.s, b.s, %s)', r)) <= 3 AS swapped
FROM unnest(ARRAY[0.3, 0.7]) r;

-- equal sets, the empty one, one that is in no row, all, none, and queries that are no sets
SELECT condition, estimated('SELECT 1 FROM sets WHERE ' || condition) AS rows FROM (VALUES
	('jaccard_within(s, ''{1}'', 0.5)'), ('jaccard_within(s, ''{1}'', -1)'), ('jaccard_within(s, ''{1}'', ''NaN'')'),
	('jaccard_within(s, NULL, 0.5)'), ('jaccard_within(s, ''{1}'', NULL)')) c (condition);
SELECT estimated('SELECT 1 FROM sets WHERE jaccard_within(s, ''{1}'', 1)') BETWEEN 1400 AND 1502 AS everything,
	estimated('SELECT 1 FROM sets WHERE jaccard_within(s, ''{}'', 0)') <= 3 AS empty,
	estimated('SELECT 1 FROM sets WHERE jaccard_within(s, ''{1,NULL}'', 0.5)') >= 1 AS no_set;

-- rows of which each comes ten times, none of them more often than others; no distance is greater than 1
CREATE TABLE tenfold AS SELECT s FROM sets, generate_series(1, 10) WHERE id > 0;
SELECT estimated('SELECT 1 FROM tenfold WHERE jaccard_within(s, ''{1}'', 1)') = estimated('SELECT 1 FROM tenfold') AS everything;
ANALYZE tenfold;
SELECT factor(format('SELECT 1 FROM tenfold WHERE jaccard_within(s, %L, 0)', set_of(7))) <= 3 AS tenfold;

-- what has no statistics is known by its index; an index of some rows is not asked
DELETE FROM pg_statistic WHERE starelid = 'sets'::regclass;
SELECT good('s') > 0.9 AS by_index_alone;
DROP INDEX sets_s;
CREATE INDEX sets_s ON sets USING hashidx_lsh (s) WHERE id > 700;
SELECT estimated(format('SELECT 1 FROM sets WHERE jaccard_within(s, %L, 0.5)', set_of(1400))) AS a_thousandth;

DROP TABLE sets, few, shared, tenfold;
DROP FUNCTION number, set_of, good, estimated, factor;
