-- qvec: the aggregates sum and avg
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

SELECT sum(v), avg(v), qvec_format(sum(v)), qvec_format(avg(v))
FROM (VALUES ('[1,2,3]'::qvec), ('[4,5,-3]'), (NULL), ('[1,0,0]'::qvec(3, int8))) AS t(v);

-- NULL when there is nothing to add.
SELECT sum(v), avg(v) FROM (VALUES ('[1]'::qvec)) AS t(v) WHERE false;
SELECT sum(v), avg(v) FROM (VALUES (NULL::qvec), (NULL)) AS t(v);

-- Groups, filters, windows.
SELECT n % 3 AS remainder, sum(v), avg(v), avg(v) FILTER (WHERE n > 100) AS none
FROM generate_series(1, 9) AS n, LATERAL (SELECT ARRAY[n, -n]::qvec AS v) AS t
GROUP BY 1 ORDER BY 1;
SELECT n, sum(v) OVER (ORDER BY n), avg(v) OVER (ORDER BY n ROWS 1 PRECEDING)
FROM generate_series(1, 4) AS n, LATERAL (SELECT ARRAY[n, 10 * n]::qvec AS v) AS t;

-- Sums are kept in double: neither the small addend nor the range of a float is lost on the way.
SELECT sum(v), avg(v) FROM (VALUES ('[16777216,3e38]'::qvec), ('[1,3e38]'), ('[1,-3e38]')) AS t(v);
\set VERBOSITY sqlstate
SELECT sum(v) FROM (VALUES ('[3e38]'::qvec), ('[3e38]')) AS t(v);
SELECT sum(v) FROM (VALUES ('[1,2]'::qvec), ('[1]')) AS t(v);
\set VERBOSITY default
SELECT avg(v) FROM (VALUES ('[1,2]'::qvec), ('[1]')) AS t(v);

-- In parallel: partial sums of integers are exact, so the plan makes no difference.
CREATE TABLE rows (n integer, v qvec);
INSERT INTO rows SELECT n, ARRAY[n, -n, n % 7, 1, 0]::qvec FROM generate_series(1, 20000) AS n;
INSERT INTO rows SELECT n, NULL FROM generate_series(1, 100) AS n;
ANALYZE rows;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT sum(v), avg(v) FROM rows;
SELECT sum(v), avg(v) FROM rows;
SELECT n % 4 AS part, avg(v) FROM rows GROUP BY 1 ORDER BY 1;
SELECT sum(v) FROM rows WHERE v IS NULL;
SET max_parallel_workers_per_gather = 0;
SELECT sum(v), avg(v) FROM rows;
SELECT n % 4 AS part, avg(v) FROM rows GROUP BY 1 ORDER BY 1;
RESET ALL;

-- The aggregates are those of the single dimensions.
SELECT count(*) AS dimensions, count(*) FILTER (WHERE sums[j] <> s OR abs(means[j] - a) > abs(a) * 1e-7) AS wrong
FROM (SELECT sum(v)::float8[] AS sums, avg(v)::float8[] AS means FROM rows) AS q,
	(SELECT j, sum(x)::float8::real AS s, avg(x) AS a
	 FROM rows, unnest(v::integer[]) WITH ORDINALITY AS u(x, j) GROUP BY j) AS p;
DROP TABLE rows;
