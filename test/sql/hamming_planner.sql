-- hashidx_hamming: when the planner takes the index
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
SET max_parallel_workers_per_gather = 0;

CREATE TABLE codes AS SELECT i AS id, i % 100 AS category,
	sha256(convert_to(i::text, 'UTF8'))::bincode::bincode(256) AS code FROM generate_series(1, 20000) i;
CREATE INDEX codes_code ON codes USING hashidx_hamming (code);
VACUUM ANALYZE codes;

-- the node that scans the table
CREATE FUNCTION scan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	plan := plan->0->'Plan';
	WHILE plan ? 'Plans' LOOP
		plan := plan->'Plans'->-1;
	END LOOP;
	RETURN (plan->>'Node Type') || coalesce(' using ' || (plan->>'Index Name'), '');
END $$;

\set q '''\\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'''
-- few neighbours of many: the index; the whole table in order: a sort
SELECT scan_of($$SELECT id FROM codes ORDER BY code <~> $$ || quote_literal(:q) || ' LIMIT 10');
SELECT scan_of($$SELECT id FROM codes ORDER BY code <~> $$ || quote_literal(:q) || ' LIMIT 100');
SELECT scan_of($$SELECT id, category FROM codes ORDER BY code <~> $$ || quote_literal(:q));
-- a filter that keeps one row in a hundred still leaves few rows to visit
SELECT scan_of($$SELECT id FROM codes WHERE category = 3 ORDER BY code <~> $$ || quote_literal(:q) || ' LIMIT 1');
-- a small table is read as it is
CREATE TABLE few AS SELECT * FROM codes LIMIT 10;
CREATE INDEX few_code ON few USING hashidx_hamming (code);
ANALYZE few;
SELECT scan_of($$SELECT id FROM few WHERE hamming_within(code, $$ || quote_literal(:q) || ', 20)');
-- ranges: few rows by the index, most of the table by a sequential scan
SELECT r, scan_of(format('SELECT id FROM codes WHERE hamming_within(code, %L, %s)', :q, r))
FROM unnest(ARRAY[0, 50, 90, 100, 140, 256]) r;

-- estimates are within a factor of three of the truth, or both are below 10 rows
CREATE FUNCTION estimate(query text, OUT estimated double precision, OUT actual bigint) LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	estimated := plan->0->'Plan'->>'Plan Rows';
	EXECUTE 'SELECT count(*) FROM (' || query || ') q' INTO actual;
END $$;
SELECT r, actual, (estimated < 10 AND actual < 10) OR
	(estimated <= 3 * actual AND actual <= 3 * estimated) AS close
FROM unnest(ARRAY[-1, 0, 60, 100, 105, 110, 115, 120, 125, 128, 135, 150, 256]) r,
	estimate(format('SELECT 1 FROM codes WHERE hamming_within(code, %L, %s)', :q, r));

-- common codes weigh as they come, also where the query is a parameter
CREATE TABLE common AS SELECT i AS id,
	substring(sha256(convert_to((i % 4)::text, 'UTF8')) FOR 8)::bincode AS code FROM generate_series(1, 4000) i;
ANALYZE common;
SELECT estimated BETWEEN 900 AND 1100 AS close
FROM (SELECT code FROM common LIMIT 1) c, estimate(format('SELECT 1 FROM common WHERE hamming_within(code, %L, 2)', c.code));
PREPARE within(bincode) AS SELECT 1 FROM common WHERE hamming_within(code, $1, 2);
SET plan_cache_mode = force_generic_plan;
SELECT estimated BETWEEN 900 AND 1100 AS close FROM estimate('SELECT 1 FROM common WHERE hamming_within(code, (SELECT code FROM common LIMIT 1), 2)');
RESET plan_cache_mode;

-- with sequential scans switched off: by the condition, not a scan of the index without any
CREATE FUNCTION has_condition(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ 'Index Cond: .*hamming_ball' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;
SET enable_seqscan = off;
SELECT has_condition('SELECT FROM generate_series(1, 99) i, LATERAL (SELECT FROM codes WHERE hamming_within(code, sha256(int4send(i))::bincode, 2)) n');
RESET enable_seqscan;

DROP TABLE codes, few, common;
DROP FUNCTION has_condition(text);
DROP FUNCTION scan_of(text);
DROP FUNCTION estimate(text);
