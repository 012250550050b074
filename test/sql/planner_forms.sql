-- Estimates and use of an index in the forms that queries have: NULLs, joins of all kinds, partitions,
-- views, parameters, partial indexes, row-level security, cursors
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
SET max_parallel_workers_per_gather = 0;

\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/estimates.sql'
\i :helpers

\set helpers :input '/include/used.sql'
\i :helpers

-- codes in families of one to thirty, half of them NULL; vectors and sets of the same rows
CREATE FUNCTION code_of(i bigint) RETURNS bincode IMMUTABLE LANGUAGE sql AS $$ SELECT substring(sha256(int8send(i)) FOR 8)::bincode $$;
CREATE TABLE thing (id int, part int, code bincode(64), v qvec(4), s int[], nothing bincode(64));
INSERT INTO thing SELECT i, i % 10, CASE WHEN i % 2 = 0 THEN code_of((i::float8 ^ 0.7)::int) # (i % 4)::bit(64)::bincode END,
	CASE WHEN i % 2 = 0 THEN ARRAY[i % 71, i % 73, i % 79, 1]::real[]::qvec END,
	CASE WHEN i % 2 = 0 THEN ARRAY[i % 10, i % 11, i % 12] END
FROM generate_series(1, 4000) i;
CREATE INDEX thing_code ON thing USING hashidx_hamming (code);
CREATE INDEX thing_v ON thing USING hashidx_hnsw (v);
CREATE INDEX thing_s ON thing USING hashidx_lsh (s);
CREATE INDEX thing_part ON thing (part);
VACUUM ANALYZE thing;

-- NULL is within nothing
SELECT condition, factor('SELECT 1 FROM thing WHERE ' || condition) <= 3 AS near FROM (VALUES
	(format('hamming_within(code, %L, 32)', code_of(1))), (format('hamming_within(code, %L, 64)', code_of(1))), ('l2_within(v, ''[40,40,40,1]'', 30)'),
	('l2_within(v, ''[40,40,40,1]'', 1000)'), ('cosine_within(v, ''[40,40,40,1]'', 0.1)'), ('jaccard_within(s, ''{1,2,3}'', 0.8)'),
	('jaccard_within(s, ''{1,2,3}'', 1)')) c (condition);
SELECT estimated('SELECT 1 FROM thing WHERE hamming_within(nothing, code_of(1), 64)') AS all_null,
	estimated('SELECT 1 FROM thing a JOIN thing b ON hamming_within(a.nothing, b.code, 64)') AS joined;
SELECT factor('SELECT 1 FROM thing a JOIN thing b ON hamming_within(a.code, b.code, 3)') < 1.5 AS codes,
	factor('SELECT 1 FROM thing a JOIN thing b ON a.code <@ hamming_ball(b.code, 64)') < 1.5 AS everything,
	factor('SELECT 1 FROM thing a JOIN thing b ON l2_within(a.v, b.v, 20) WHERE a.id < 100') < 2 AS vectors,
	factor('SELECT 1 FROM thing a JOIN thing b ON jaccard_within(a.s, b.s, 0.8) WHERE a.id < 100') < 3 AS sets;

-- rows that have a partner, and those that have none
SELECT r, factor(format('SELECT 1 FROM thing a WHERE EXISTS (SELECT FROM thing b WHERE hamming_within(a.code, b.code, %s) AND a.id <> b.id)', r)) < 3 AS some,
	factor(format('SELECT 1 FROM thing a WHERE NOT EXISTS (SELECT FROM thing b WHERE hamming_within(b.code, a.code, %s) AND a.id <> b.id)', r)) < 3 AS none,
	factor(format('SELECT 1 FROM thing a WHERE EXISTS (SELECT FROM thing b WHERE a.code <@ hamming_ball(b.code, %s) AND a.id <> b.id)', r)) < 3 AS ball
FROM unnest(ARRAY[0, 3, 64]) r;
SELECT factor('SELECT 1 FROM thing a WHERE NOT EXISTS (SELECT FROM thing b WHERE l2_within(a.v, b.v, 2) AND b.id <> a.id)') < 3 AS vectors;

-- where the values that ANALYZE keeps tell, an index of sets is not asked to know better
SELECT r, factor(format('SELECT 1 FROM thing WHERE jaccard_within(s, ''{1,2,3}'', %s)', r)) <= 3 AS near FROM unnest(ARRAY[0.8, 0.9, 0.95]) r;

-- a partial index has some of the rows
CREATE INDEX thing_some ON thing USING hashidx_hamming (code) WHERE part = 2;
DROP INDEX thing_code;
CREATE FUNCTION index_rows(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN jsonb_path_query_first(plan, '$.**."Plans"[*] ? (@."Index Name" == "thing_some")."Plan Rows"');
END $$;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET enable_seqscan = off;
SELECT index_rows(format('SELECT * FROM thing WHERE part = 2 AND hamming_within(code, %L, 32)', code_of(1))) BETWEEN 100 AND 400 AS tenth;
RESET enable_indexscan;
RESET enable_indexonlyscan;
RESET enable_seqscan;
SELECT used(format('SELECT id FROM thing WHERE part = 2 ORDER BY code <~> %L LIMIT 3', code_of(1))) AS ordered,
	used(format('SELECT id FROM thing ORDER BY code <~> %L LIMIT 3', code_of(1))) AS not_implied;

-- partitions, each by its own statistics; the whole as their sum, also where only parts were analysed
CREATE TABLE whole (id int, code bincode(64), v qvec(4)) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF whole FOR VALUES FROM (0) TO (2000);
CREATE TABLE part2 PARTITION OF whole DEFAULT;
CREATE INDEX whole_code ON whole USING hashidx_hamming (code);
CREATE INDEX whole_v ON whole USING hashidx_hnsw (v);
INSERT INTO whole SELECT id, code, v FROM thing;
VACUUM ANALYZE part1, part2;
SELECT t, factor(format('SELECT 1 FROM %I WHERE hamming_within(code, %L, 32)', t, code_of(1))) <= 3 AS near FROM unnest(ARRAY['part1', 'part2', 'whole']) t;
SELECT used(format('SELECT id FROM whole WHERE hamming_within(code, %L, 5)', code_of(1))) AS ranges,
	used(format('SELECT id FROM whole ORDER BY code <~> %L LIMIT 3', code_of(1))) AS codes,
	used('SELECT id FROM whole ORDER BY v <-> ''[1,2,3,1]'' LIMIT 3') AS vectors;
SELECT array_agg(d) = array_agg(d ORDER BY d) AS merged_in_order
FROM (SELECT v <-> '[1,2,3,1]' AS d FROM whole ORDER BY v <-> '[1,2,3,1]' LIMIT 20) m;

-- behind views and subqueries, on either side of UNION ALL
CREATE INDEX thing_code ON thing USING hashidx_hamming (code);
VACUUM ANALYZE thing;
CREATE VIEW glance AS SELECT id, code AS c, v AS w FROM thing;
CREATE VIEW both_of AS SELECT id, v FROM thing UNION ALL SELECT id, v FROM part2;
SELECT used(format('SELECT id FROM glance WHERE hamming_within(c, %L, 5)', code_of(1))) AS view,
	used('SELECT id FROM both_of ORDER BY v <-> ''[1,2,3,1]'' LIMIT 3') AS union_all,
	used(format('WITH t AS (SELECT * FROM thing) SELECT id FROM t WHERE hamming_within(code, %L, 5)', code_of(1))) AS cte,
	used('SELECT n.id FROM part1 p, LATERAL (SELECT id FROM thing t ORDER BY t.v <-> p.v LIMIT 3) n WHERE p.id = 3') AS lateral_order,
	used('SELECT n.id FROM part1 p, LATERAL (SELECT id FROM thing t WHERE hamming_within(p.code, t.code, 3)) n WHERE p.id = 3') AS lateral_range;

-- conditions in other words; two ranges, one of which the other table has
SELECT used(format('SELECT id FROM thing WHERE hamming_within(code, %L, 5) = true', code_of(1))) AS is_true,
	used(format('SELECT id FROM thing WHERE code <@ ANY (ARRAY[hamming_ball(%L, 3), hamming_ball(%L, 3)])', code_of(1), code_of(2))) AS any_ball,
	used(format('SELECT id FROM thing WHERE hamming_within(code, %L, 5) AND hamming_within(%L, code, 6)', code_of(1), code_of(2))) AS both,
	used(format('SELECT id FROM thing WHERE NOT hamming_within(code, %L, 60)', code_of(1))) AS negated;
SELECT factor(format('SELECT 1 FROM thing WHERE code IS NOT NULL AND NOT hamming_within(code, %L, 32)', code_of(1))) <= 3 AS negated;

-- prepared, with query and radius as parameters, planned without knowing them
SET plan_cache_mode = force_generic_plan;
PREPARE near(bincode, int) AS SELECT id FROM thing WHERE hamming_within(code, $1, $2);
PREPARE nearest(qvec) AS SELECT id FROM thing ORDER BY v <-> $1 LIMIT 3;
SELECT used(format('EXECUTE near(%L, 3)', code_of(1))) AS range, used('EXECUTE nearest(''[1,2,3,1]'')') AS nearest;
RESET plan_cache_mode;

-- row-level security: what may reveal a row by an error comes after the policy; an order may not
CREATE ROLE regress_hashidx_reader;
GRANT SELECT ON thing TO regress_hashidx_reader;
ALTER TABLE thing ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenth ON thing USING (part < 5);
SELECT format('SELECT id FROM thing WHERE hamming_within(code, %L, 3)', code_of(1)) AS range,
	format('SELECT id FROM thing ORDER BY code <~> %L LIMIT 3', code_of(1)) AS nearest \gset
GRANT EXECUTE ON FUNCTION used TO regress_hashidx_reader;
SET ROLE regress_hashidx_reader;
SELECT used(:'range') AS range, used(:'nearest') AS nearest;
RESET ROLE;
ALTER FUNCTION hamming_within(bincode, bincode, int) LEAKPROOF;
SET ROLE regress_hashidx_reader;
SELECT used(:'range') AS vouched_for;
RESET ROLE;
ALTER FUNCTION hamming_within(bincode, bincode, int) NOT LEAKPROOF;
ALTER TABLE thing DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON thing FROM regress_hashidx_reader;
REVOKE EXECUTE ON FUNCTION used FROM regress_hashidx_reader;
DROP ROLE regress_hashidx_reader;

-- orders that an index has, and that it has not
SELECT o, used(format('SELECT id FROM thing ORDER BY v <-> ''[1,2,3,1]'' %s LIMIT 3', o)) FROM unnest(ARRAY['', 'ASC NULLS LAST', 'NULLS FIRST', 'DESC']) o;
SELECT used('SELECT id FROM thing ORDER BY v <-> ''[1,2,3,1]'' LIMIT 3 OFFSET 20') AS "offset",
	used('SELECT id FROM thing ORDER BY v <-> ''[1,2,3,1]'' FETCH FIRST 3 ROWS WITH TIES') AS with_ties,
	used('SELECT id, row_number() OVER (ORDER BY v <-> ''[1,2,3,1]'') FROM thing LIMIT 3') AS windowed;

-- cursors: back and forth, and after the transaction's end
SET enable_seqscan = off;
BEGIN;
DECLARE back SCROLL CURSOR FOR SELECT (v <-> '[1,2,3,1]')::numeric(6, 2) AS d FROM thing ORDER BY v <-> '[1,2,3,1]' LIMIT 6;
DECLARE stays CURSOR WITH HOLD FOR SELECT (v <-> '[1,2,3,1]')::numeric(6, 2) AS d FROM thing ORDER BY v <-> '[1,2,3,1]' LIMIT 6;
FETCH 3 FROM back;
FETCH BACKWARD 2 FROM back;
FETCH LAST FROM back;
FETCH ABSOLUTE 1 FROM back;
FETCH 1 FROM stays;
COMMIT;
FETCH 2 FROM stays;
CLOSE stays;
RESET enable_seqscan;

-- statistics older than the table, and none: the table's size is known all the same
INSERT INTO thing SELECT id + 10000, part, code, v, s FROM thing, generate_series(1, 3);
SELECT factor(format('SELECT 1 FROM thing WHERE hamming_within(code, %L, 32)', code_of(1))) <= 3 AS grown;
CREATE TABLE bare (code bincode(64), v qvec(4), s int[]);
SELECT estimated('SELECT 1 FROM bare WHERE hamming_within(code, code_of(1), 3)') >= 1 AS empty;
ANALYZE bare;
SELECT estimated('SELECT 1 FROM bare WHERE hamming_within(code, code_of(1), 3)') AS codes,
	estimated('SELECT 1 FROM bare WHERE l2_within(v, ''[1,2,3,4]'', 3)') AS vectors, estimated('SELECT 1 FROM bare WHERE jaccard_within(s, ''{1}'', 1)') AS sets,
	estimated('SELECT 1 FROM bare a WHERE EXISTS (SELECT FROM bare b WHERE hamming_within(a.code, b.code, 3))') AS joined;

DROP VIEW glance, both_of;
DROP TABLE thing, whole, bare;
DROP FUNCTION index_rows, used, code_of, estimated, factor;
