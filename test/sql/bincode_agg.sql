-- bincode: aggregates
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

SELECT bit_and(code), bit_or(code), majority(code) FROM unnest('{1100,1010,1001}'::bincode[]) AS code;

-- Ties give 0; nulls do not count; no code, no result.
SELECT majority(code) FROM unnest('{1100,1010}'::bincode[]) AS code;
SELECT majority(code), bit_and(code), bit_or(code) FROM unnest('{NULL,1100,NULL,1010,1000,NULL}'::bincode[]) AS code;
SELECT majority(code), bit_and(code), bit_or(code) FROM unnest('{NULL,NULL}'::bincode[]) AS code;
SELECT majority(code), bit_and(code), bit_or(code) FROM unnest('{}'::bincode[]) AS code;

-- Lengths must agree.
SELECT pg_temp.fails(format($$SELECT %s(code) FROM unnest('{1100,110}'::bincode[]) AS code$$, name))
FROM unnest('{bit_and,bit_or,majority}'::text[]) AS name;

-- Against a count in SQL, at lengths around the word size and group sizes around the powers of two.
CREATE TABLE agg AS
	SELECT n, bits, left(string_agg(((n * 7919 + word * 104729) * (n + word) % 65536)::bit(16)::text, '' ORDER BY word), bits)::bincode AS code
	FROM unnest('{1,7,8,63,64,65,200,256}'::integer[]) AS bits, generate_series(1, 257) AS n, generate_series(1, 16) AS word
	GROUP BY n, bits;
CREATE FUNCTION pg_temp.counted(codes bincode[]) RETURNS bincode LANGUAGE sql AS
$$
	SELECT string_agg(CASE WHEN ones * 2 > cardinality(codes) THEN '1' ELSE '0' END, '' ORDER BY bit)::bincode
	FROM (SELECT bit, sum(get_bit(code, bit)) AS ones
		  FROM unnest(codes) AS code, generate_series(0, length(codes[1]) - 1) AS bit GROUP BY bit) AS counts
$$;
SELECT rows, bool_and(majority = counted) AS majority, bool_and(bit_and = all_bits AND bit_or = any_bit) AS and_or
FROM unnest('{1,2,3,4,7,8,9,127,128,129,255,256,257}'::integer[]) AS rows,
	LATERAL (SELECT majority(code), bit_and(code), bit_or(code), pg_temp.counted(array_agg(code)) AS counted,
				bit_and(code::varbit::bit(256)) AS all_256, bit_or(code::varbit::bit(256)) AS any_256, bits
			 FROM agg WHERE n <= rows GROUP BY bits) AS results,
	LATERAL (SELECT left(all_256::text, bits)::bincode AS all_bits, left(any_256::text, bits)::bincode AS any_bit) AS core
GROUP BY rows ORDER BY rows;

-- As window aggregates.
SELECT n, majority(code) OVER w, bit_and(code) OVER w, bit_or(code) OVER w
FROM (VALUES (1, '1100'::bincode), (2, '0110'), (3, '0101'), (4, '0001')) AS rows (n, code)
WINDOW w AS (ORDER BY n ROWS BETWEEN 2 PRECEDING AND CURRENT ROW);

-- In parallel workers.
CREATE TABLE parallel_agg AS SELECT n % 3 AS kind, code FROM agg, generate_series(1, 20) WHERE bits = 200;
ANALYZE parallel_agg;
CREATE TEMP TABLE serial_result AS SELECT kind, majority(code), bit_and(code), bit_or(code) FROM parallel_agg GROUP BY kind;
ALTER TABLE parallel_agg SET (parallel_workers = 2);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT majority(code), bit_and(code), bit_or(code) FROM parallel_agg;
SELECT majority(code) = (SELECT majority(code) FROM parallel_agg WHERE random() >= 0) AS majority FROM parallel_agg;
SELECT count(*) FROM
	(SELECT kind, majority(code), bit_and(code), bit_or(code) FROM parallel_agg GROUP BY kind
	 EXCEPT SELECT * FROM serial_result) AS differences;
-- A worker may see no row of any group.
SELECT majority(code) FROM parallel_agg WHERE kind > 5;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
RESET enable_sort;
DROP TABLE agg, parallel_agg;
