-- Ranges on bincode: estimates from statistics of distances, bitmap scans, joins
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- 20,000 codes of 64 bits: 80 % from a hash, 10 % near one of those, 10 % near one of ten
CREATE FUNCTION code_of(i bigint) RETURNS bincode IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
	SELECT substring(sha256(int8send(i)) FOR 8)::bincode
$$;
CREATE FUNCTION flips(i bigint, n int) RETURNS bincode IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
	SELECT bit_or((1::bigint << (get_byte(sha256(int8send(i + 7)), b) % 64))::bincode) FROM generate_series(1, n) b
$$;
CREATE TABLE codes (id integer, owner integer, code bincode(64));
INSERT INTO codes SELECT i, i % 100, CASE WHEN i % 10 < 8 THEN code_of(i)
		WHEN i % 10 = 8 THEN code_of(i - 1) # flips(i, 3) ELSE code_of(i % 100 / 10) # flips(i, i % 7 + 1) END
	FROM generate_series(1, 20000) i;
CREATE INDEX codes_code ON codes USING hashidx_hamming (code) WITH (method = mih);
CREATE INDEX codes_owner ON codes (owner);
VACUUM ANALYZE codes;

-- the slot that ANALYZE fills: distances up to 64, shares up to 1, none falling
SELECT count(*) AS slots, bool_and(numbers[array_length(numbers, 1)] = 1) AS up_to_all
FROM pg_statistic s, LATERAL (VALUES (stakind1, stanumbers1), (stakind2, stanumbers2), (stakind3, stanumbers3),
	(stakind4, stanumbers4), (stakind5, stanumbers5)) v (kind, numbers)
WHERE starelid = 'codes'::regclass AND kind = 10171;

\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/estimates.sql'
\i :helpers

-- single queries, at every radius: those that lie apart, have one near, and lie in a dense place.
-- What is printed was off by more than a factor of 3, guesses below ten rows aside: a sample tells no more.
SELECT kind, r, factor, estimated(query) FROM (VALUES ('apart', code_of(-5)), ('pair', code_of(1237)), ('dense', code_of(3))) v (kind, code),
	generate_series(0, 64) r,
	LATERAL format('SELECT 1 FROM codes WHERE hamming_within(code, %L, %s)', code, r) query,
	LATERAL factor(query) factor
WHERE factor > 3 AND estimated(query) > 10;

-- joins, in both spellings and with the indexed column on either side
SELECT r, factor(format('SELECT 1 FROM codes a JOIN codes b ON hamming_within(a.code, b.code, %s)', r)) < 1.5 AS within,
	factor(format('SELECT 1 FROM codes a JOIN codes b ON hamming_within(b.code, a.code, %s)', r)) < 1.5 AS swapped,
	factor(format('SELECT 1 FROM codes a JOIN codes b ON a.code <@ hamming_ball(b.code, %s)', r)) < 1.5 AS ball
FROM unnest(ARRAY[0, 4, 12]) r;

-- another table of the same kind of codes, and one of another kind
CREATE TABLE others AS SELECT i AS id, code_of(i * 10)::bincode(64) AS code FROM generate_series(1, 500) i;
CREATE TABLE strangers AS SELECT i AS id, code_of(-i)::bincode(64) AS code FROM generate_series(1, 500) i;
ANALYZE others;
ANALYZE strangers;
SELECT estimated('SELECT 1 FROM codes a JOIN strangers b ON hamming_within(a.code, b.code, 32)') BETWEEN 3000000 AND 8000000 AS half;
SELECT estimated('SELECT 1 FROM codes a JOIN strangers b ON hamming_within(a.code, b.code, 64)') = 10000000 AS everything;
EXPLAIN (COSTS OFF) SELECT * FROM others o JOIN codes c ON hamming_within(c.code, o.code, 3);
EXPLAIN (COSTS OFF) SELECT * FROM others o JOIN codes c ON hamming_within(o.code, c.code, 3);
SELECT count(*) AS pairs, sum(c.id) AS sum FROM others o JOIN codes c ON hamming_within(o.code, c.code, 3);

-- nearest rows for each of many: a lateral join
EXPLAIN (COSTS OFF) SELECT o.id, n.id FROM others o, LATERAL (SELECT id FROM codes c ORDER BY c.code <~> o.code LIMIT 3) n;

-- without statistics, and with those of a column of different lengths
CREATE TABLE unknown (code bincode(64), mixed bincode);
INSERT INTO unknown SELECT code_of(i), CASE WHEN i % 2 = 0 THEN code_of(i) ELSE '101' END FROM generate_series(1, 1000) i;
SELECT estimated('SELECT 1 FROM unknown WHERE hamming_within(code, code_of(1), 64)') > 300 AS guessed;
ANALYZE unknown;
SELECT estimated('SELECT 1 FROM unknown WHERE hamming_within(code, code_of(1), 64)') = 1000 AS known;
SELECT estimated(format('SELECT 1 FROM unknown WHERE hamming_within(mixed, %L, 3)', '111')) >= 1 AS some;

-- combined with another index
SET enable_seqscan = off;
SET enable_indexscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM codes WHERE hamming_within(code, code_of(3), 20) AND owner = 39;
SELECT count(*) FROM codes WHERE hamming_within(code, code_of(3), 20) AND owner = 39;
EXPLAIN (COSTS OFF) SELECT count(*) FROM codes WHERE hamming_within(code, code_of(3), 5) OR hamming_within(code, code_of(7), 5);
SELECT count(*) FROM codes WHERE hamming_within(code, code_of(3), 5) OR hamming_within(code, code_of(7), 5);
RESET enable_indexscan;

-- a count over a range needs no table where all is visible
EXPLAIN (COSTS OFF) SELECT count(*) FROM codes WHERE hamming_within(code, code_of(3), 4);
SELECT count(*) FROM codes WHERE hamming_within(code, code_of(3), 4);

-- a parallel bitmap scan
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(*) FROM codes WHERE hamming_within(code, code_of(3), 30);
SELECT count(*) FROM codes WHERE hamming_within(code, code_of(3), 30);
RESET enable_seqscan;
SET enable_bitmapscan = off;
SELECT count(*) FROM codes WHERE hamming_within(code, code_of(3), 30);
RESET ALL;

DROP TABLE codes, others, strangers, unknown;
DROP FUNCTION code_of, flips, estimated, factor;
