-- Arrays as sets: jaccard_distance, jaccard_within, tversky_similarity on int4[], int8[], text[]
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

SELECT '{1,2,3}'::integer[] <%> '{2,3,4}' AS int4, '{1,2,3}'::bigint[] <%> '{2,3,4}' AS int8, '{a,b,c}'::text[] <%> '{b,c,d}' AS text;
SELECT pg_typeof('{1,2,3}'::integer[] <%> '{2,3,4}');

-- An element counts once; order does not matter; dimensions do not matter.
SELECT '{3,1,2,2,3,3}'::integer[] <%> '{1,1,1,2,3}' AS int4, '{b,a,b}'::text[] <%> '{a,b}' AS text,
	'{{1,2},{3,4}}'::integer[] <%> '{4,3,2,1}' AS dimensions, '[5:6]={1,2}'::bigint[] <%> '{1,2}' AS bounds;

-- Empty sets.
SELECT '{}'::integer[] <%> '{}' AS both, '{}'::bigint[] <%> '{1}' AS one, '{}'::text[] <%> '{}' AS both_text, '{}'::text[] <%> '{""}' AS empty_string;

-- Extreme and alike elements.
SELECT '{-2147483648,2147483647}'::integer[] <%> '{2147483647}' AS int4,
	'{-9223372036854775808,9223372036854775807}'::bigint[] <%> '{-9223372036854775808}' AS int8,
	'{a,ab,abc,"",A,é}'::text[] <%> '{ab,"",é,e}' AS text;

-- Text is compared byte by byte, whatever its collation.
SELECT ARRAY['a' COLLATE "C", 'B', 'b', 'A'] <%> ARRAY['A' COLLATE "C", 'b'] AS bytes;

-- Ranges.
SELECT jaccard_within('{1,2,3}'::integer[], '{2,3,4}', 0.49) AS "0.49", jaccard_within('{1,2,3}'::integer[], '{2,3,4}', 0.5) AS "0.5",
	jaccard_within('{1,2,3}'::bigint[], '{2,3,4}', 0.5) AS int8, jaccard_within('{a,b,c}'::text[], '{b,c,d}', 0.5) AS text;

-- Tversky's similarity: 1, 1 is Jaccard, 0.5, 0.5 is Dice, 1, 0 asks how much of the first is in the second.
SELECT tversky_similarity('{1,2,3}'::integer[], '{2,3,4}', 1, 1) AS jaccard, tversky_similarity('{1,2,3,4}'::bigint[], '{1,2,3,5}', 0.5, 0.5) AS dice,
	tversky_similarity('{a,b,c,d}'::text[], '{a,b}', 1, 0) AS contained, tversky_similarity('{}'::integer[], '{}', 1, 1) AS empty,
	tversky_similarity('{1}'::integer[], '{2}', 0, 0) AS no_weights;

-- What is refused.
SELECT pg_temp.fails($$SELECT '{1,NULL}'::integer[] <%> '{1}'$$);
SELECT pg_temp.fails($$SELECT jaccard_within('{1}'::bigint[], '{NULL}', 1)$$);
SELECT pg_temp.fails($$SELECT tversky_similarity('{a}'::text[], '{b,NULL}', 1, 1)$$);
SELECT pg_temp.fails($$SELECT jaccard_within('{1}'::integer[], '{1}', 'NaN')$$);
SELECT pg_temp.fails($$SELECT tversky_similarity('{1}'::integer[], '{1}', -1, 0)$$);
SELECT '{1}'::integer[] <%> NULL IS NULL AS strict;

-- Against sets in SQL.
WITH pairs AS (
	SELECT n, ARRAY(SELECT (i * i * n) % 41 FROM generate_series(1, n % 37) AS i) AS a,
		ARRAY(SELECT (i * 7 + n) % 43 FROM generate_series(1, n % 29) AS i) AS b
	FROM generate_series(1, 300) AS n),
counts AS (
	SELECT *, (SELECT count(*) FROM (SELECT unnest(a) INTERSECT SELECT unnest(b)) AS common)::float8 AS common,
		(SELECT count(*) FROM (SELECT unnest(a) UNION SELECT unnest(b)) AS total)::float8 AS total
	FROM pairs)
SELECT count(*), bool_and(a <%> b = (total - common) / total) AS int4,
	bool_and(a::bigint[] <%> b::bigint[] = (total - common) / total) AS int8,
	bool_and(a::text[] <%> b::text[] = (total - common) / total) AS text,
	bool_and(a <%> b = b <%> a) AS symmetric
FROM counts WHERE total > 0;

-- Long elements and arrays that are stored out of line.
CREATE TABLE shingles AS
	SELECT n, ARRAY(SELECT repeat(md5((i + n)::text), 10) FROM generate_series(1, 100) AS i) AS items FROM generate_series(0, 50, 25) AS n;
SELECT a.n, b.n, a.items <%> b.items AS distance FROM shingles AS a JOIN shingles AS b ON a.n < b.n ORDER BY 1, 2;
DROP TABLE shingles;
