-- hashidx_hamming: what scans return
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/plan.sql'
\i :helpers

-- 2,000 rows of 64-bit codes from a hash, every seventh a duplicate, some NULL
CREATE TABLE codes (id integer, code bincode(64));
INSERT INTO codes
	SELECT i, CASE WHEN i % 50 = 0 THEN NULL
		ELSE substring(sha256(convert_to((CASE WHEN i % 7 = 0 THEN i % 3 ELSE i END)::text, 'UTF8')) FOR 8)::bincode END
	FROM generate_series(1, 2000) i;
CREATE INDEX codes_code ON codes USING hashidx_hamming (code);
ANALYZE codes;

-- the answer of the index and of a sort, ties by TID
CREATE FUNCTION same_answer(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	by_index text;
	by_sort text;
	plan text;
	uses_index boolean := false;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	FOR plan IN EXECUTE 'EXPLAIN ' || query LOOP
		uses_index := uses_index OR plan LIKE '%codes_code%';
	END LOOP;
	EXECUTE 'SELECT string_agg(q::text, '' '') FROM (' || query || ') q' INTO by_index;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_bitmapscan = off;
	SET LOCAL enable_indexonlyscan = off;
	EXECUTE 'SELECT string_agg(q::text, '' '') FROM (' ||
		replace(query, '/* ties */', ', ctid') || ') q' INTO by_sort;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_bitmapscan = on;
	SET LOCAL enable_indexonlyscan = on;
	RETURN CASE WHEN NOT uses_index THEN 'index not used'
		WHEN by_index IS DISTINCT FROM by_sort THEN 'different'
		ELSE 'same' END;
END $$;

-- nearest neighbours: few, more than one pass collects, all with a code
SELECT k, same_answer(format(
	'SELECT id, code <~> %L AS d FROM codes WHERE code IS NOT NULL ORDER BY code <~> %L /* ties */ LIMIT %s',
	q.code, q.code, k))
FROM (SELECT code FROM codes WHERE id = 7) q, unnest(ARRAY[1, 10, 127, 128, 129, 500, 1152, 1153, 1960]) k;

-- ranges
SELECT r, same_answer(format('SELECT count(*), sum(id) FROM codes WHERE hamming_within(code, %L, %s)', q.code, r))
FROM (SELECT code FROM codes WHERE id = 7) q, unnest(ARRAY[-1, 0, 1, 20, 25, 32, 63, 64, 65, 1000]) r;

-- a range and an order, of the same code and of another; two ranges
SELECT same_answer(format('SELECT id FROM codes WHERE hamming_within(code, %L, 28) ORDER BY code <~> %L /* ties */', a.code, a.code)),
	same_answer(format('SELECT id FROM codes WHERE hamming_within(code, %L, 30) ORDER BY code <~> %L /* ties */', a.code, b.code)),
	same_answer(format('SELECT id FROM codes WHERE hamming_within(code, %L, 29) AND hamming_within(%L, code, 30) ORDER BY code <~> %L /* ties */', a.code, b.code, a.code)),
	same_answer(format('SELECT count(*), sum(id) FROM codes WHERE hamming_within(code, %L, 29) AND hamming_within(%L, code, 30)', a.code, b.code))
FROM codes a, codes b WHERE a.id = 7 AND b.id = 8;

-- the operator behind hamming_within serves too
SELECT same_answer(format('SELECT count(*), sum(id) FROM codes WHERE code <@ hamming_ball(%L, 25)', code))
FROM codes WHERE id = 7;

-- every SIMD level gives the same answer: levels that this machine lacks are refused
CREATE FUNCTION levels_agree() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	level text;
	answer text;
	first_answer text;
BEGIN
	SET LOCAL enable_seqscan = off;
	FOREACH level IN ARRAY ARRAY['generic', 'x86-64-v2', 'avx2', 'avx512', 'neon'] LOOP
		BEGIN
			PERFORM set_config('hashidx.simd', level, true);
		EXCEPTION WHEN invalid_parameter_value THEN
			CONTINUE;
		END;
		SELECT string_agg(id || ':' || d, ' ') INTO answer FROM
			(SELECT id, code <~> (SELECT c.code FROM codes c WHERE c.id = 9) AS d FROM codes
			 ORDER BY code <~> (SELECT c.code FROM codes c WHERE c.id = 9) LIMIT 300) s;
		first_answer := coalesce(first_answer, answer);
		IF answer IS DISTINCT FROM first_answer THEN
			RETURN false;
		END IF;
	END LOOP;
	RETURN first_answer IS NOT NULL;
END $$;
SELECT levels_agree();

-- plans
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM codes
	ORDER BY code <~> '\x0123456789abcdef' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM codes WHERE hamming_within(code, '\x0123456789abcdef', 3);
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM codes
	WHERE hamming_within('\x0123456789abcdef', code, 3) ORDER BY code <~> '\x0123456789abcdef';
SELECT plan_of($$SELECT a.id, b.id FROM codes a JOIN codes b ON hamming_within(a.code, b.code, 2) AND a.id = 3$$);
RESET enable_bitmapscan;

-- the three closest pairs by a lateral join, which rescans
SELECT a.id, n.id AS neighbour, n.d
FROM codes a, LATERAL (SELECT b.id, a.code <~> b.code AS d FROM codes b ORDER BY b.code <~> a.code LIMIT 3) n
WHERE a.id IN (7, 8, 9) ORDER BY 1, 3, 2;

-- a NULL query: no distance is known, so any rows will do; no range holds
SELECT count(*), count(d) FROM (SELECT code <~> NULL::bincode AS d FROM codes ORDER BY code <~> NULL::bincode) s;
SELECT count(*) FROM codes WHERE hamming_within(code, NULL, 3);
PREPARE nearest(bincode) AS SELECT count(*), count(d) FROM
	(SELECT code <~> $1 AS d FROM codes ORDER BY code <~> $1 LIMIT 5) s;
SET plan_cache_mode = force_generic_plan;
EXECUTE nearest(NULL);
EXECUTE nearest('\x0123456789abcdef');
RESET plan_cache_mode;

-- a query of another length is an error, as it is without the index
SELECT id FROM codes ORDER BY code <~> '0101' LIMIT 1;
SELECT id FROM codes WHERE hamming_within(code, '0101', 3);

-- cursors: the scan goes on where it stopped
BEGIN;
DECLARE c CURSOR FOR SELECT id, code <~> '\x0123456789abcdef' AS d FROM codes
	ORDER BY code <~> '\x0123456789abcdef';
FETCH 3 FROM c;
MOVE 197 IN c;
FETCH 3 FROM c;
COMMIT;
SELECT id, code <~> '\x0123456789abcdef' AS d FROM codes WHERE code IS NOT NULL
	ORDER BY 2, ctid OFFSET 200 LIMIT 3;

-- index-only scans, with and without INCLUDE columns
CREATE INDEX codes_code_id ON codes USING hashidx_hamming (code) INCLUDE (id);
VACUUM (ANALYZE) codes;
EXPLAIN (COSTS OFF) SELECT code FROM codes ORDER BY code <~> '\x0123456789abcdef' LIMIT 2;
DROP INDEX codes_code;
EXPLAIN (COSTS OFF) SELECT id, code FROM codes ORDER BY code <~> '\x0123456789abcdef' LIMIT 2;
SELECT id, code, code <~> '\x0123456789abcdef' AS d FROM codes ORDER BY code <~> '\x0123456789abcdef' LIMIT 2;
SELECT count(*), sum(id) FROM codes WHERE hamming_within(code, '\x0123456789abcdef', 31);
UPDATE codes SET id = -id WHERE id % 3 = 0;
DELETE FROM codes WHERE id % 5 = 0;
SELECT count(*), sum(id) FROM codes WHERE hamming_within(code, '\x0123456789abcdef', 31);
SET enable_indexonlyscan = off; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_seqscan = on;
SELECT count(*), sum(id) FROM codes WHERE hamming_within(code, '\x0123456789abcdef', 31);
RESET ALL;

CREATE INDEX codes_code ON codes USING hashidx_hamming (code);

-- without a key the index would miss NULLs: they are counted even so
INSERT INTO codes VALUES (-1, NULL);
SET enable_seqscan = off;
SELECT count(*), count(code) FROM codes;
SELECT count(*) AS by_index FROM plan_of($$SELECT id FROM codes ORDER BY code <~> '\x0123456789abcdef' DESC LIMIT 3$$) AS line WHERE line ~ 'Index.* Scan using';
SELECT count(*) AS by_index FROM plan_of($$SELECT id FROM codes ORDER BY code <~> '\x0123456789abcdef', code <~> '\xffffffffffffffff' LIMIT 3$$) AS line WHERE line ~ 'Index.* Scan using';
RESET enable_seqscan;

SELECT hashidx_check('codes_code', true), hashidx_check('codes_code_id', true);
DROP FUNCTION same_answer(text);
DROP FUNCTION levels_agree();
DROP TABLE codes;
DROP FUNCTION plan_of;
