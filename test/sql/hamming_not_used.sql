-- docs/index-not-used.md: each mistake, and its cure
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE FUNCTION code_of(i bigint) RETURNS bincode IMMUTABLE LANGUAGE sql AS $$
	SELECT substring(sha256(int8send(i)) FOR 8)::bincode
$$;
CREATE TABLE pictures (id integer, active boolean, hash bigint, code bincode(64));
INSERT INTO pictures SELECT i, i % 2 = 0, code_of(i)::bigint, code_of(i) FROM generate_series(1, 20000) i;
CREATE INDEX pictures_code ON pictures USING hashidx_hamming (code);
VACUUM ANALYZE pictures;

\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/used.sql'
\i :helpers

-- q stands for a code
CREATE FUNCTION used_for(clause text) RETURNS text LANGUAGE sql AS $$
	SELECT used('SELECT id FROM pictures ' || replace(clause, ':q', quote_literal(code_of(77)) || '::bincode'))
$$;

-- 1: the farthest; the order of distances from the complement is the same
SELECT used_for('ORDER BY code <~> :q DESC LIMIT 10') AS mistake, used_for('ORDER BY code <~> :q NULLS FIRST LIMIT 10') AS another, used_for('ORDER BY code <~> ~ :q LIMIT 10') AS cure;
SELECT bool_and(far.d = 64 - near.d) AS same
FROM (SELECT code <~> code_of(77) AS d, row_number() OVER () AS n FROM (SELECT code FROM pictures ORDER BY code <~> code_of(77) DESC LIMIT 10) x) far
	JOIN (SELECT code <~> ~ code_of(77) AS d, row_number() OVER () AS n FROM (SELECT code FROM pictures ORDER BY code <~> ~ code_of(77) LIMIT 10) x) near USING (n);

-- 2: something done to the distance
SELECT used_for('ORDER BY hamming_distance(code, :q) LIMIT 10') AS mistake, used_for('ORDER BY 1 - (code <~> :q) / 64 LIMIT 10') AS another,
	used_for('ORDER BY code <~> :q LIMIT 10') AS cure;

-- 3: a comparison of the distance
SELECT used_for('WHERE code <~> :q < 8') AS mistake, used_for('WHERE hamming_within(code, :q, 7)') AS cure;

-- 4: another type
SELECT used_for('ORDER BY hash::bincode <~> :q LIMIT 10') AS mistake;
CREATE INDEX pictures_hash ON pictures USING hashidx_hamming ((hash::bincode));
ANALYZE pictures;
SELECT used_for('ORDER BY hash::bincode <~> :q LIMIT 10') AS cure;

-- 5: another expression
CREATE INDEX pictures_short ON pictures USING hashidx_hamming (subcode(code, 1, 32));
ANALYZE pictures;
SELECT used_for('ORDER BY subcode(code, 1, 48) <~> subcode(:q, 1, 48) LIMIT 10') AS mistake,
	used_for('ORDER BY subcode(code, 1, 32) <~> subcode(:q, 1, 32) LIMIT 10') AS cure;

-- 6: another distance
SELECT used_for('ORDER BY code <%> :q LIMIT 10') AS mistake, used_for('ORDER BY code <~> :q LIMIT 10') AS cure;

-- 7: no limit
SELECT used_for('ORDER BY code <~> :q') AS mistake, used_for('ORDER BY code <~> :q LIMIT 10') AS cure,
	used_for('WHERE hamming_within(code, :q, 5) ORDER BY code <~> :q') AS another;

-- 8: a volatile query
CREATE FUNCTION anything() RETURNS bincode VOLATILE LANGUAGE plpgsql AS 'BEGIN RETURN code_of(77); END';
SELECT used_for('ORDER BY code <~> anything() LIMIT 10') AS mistake, used_for('ORDER BY code <~> (SELECT anything()) LIMIT 10') AS cure;
ALTER FUNCTION anything() STABLE;
SELECT used_for('ORDER BY code <~> anything() LIMIT 10') AS another;

-- 9: a partial index
DROP INDEX pictures_code;
CREATE INDEX pictures_active ON pictures USING hashidx_hamming (code) WHERE active;
SELECT used_for('ORDER BY code <~> :q LIMIT 10') AS mistake, used_for('WHERE active ORDER BY code <~> :q LIMIT 10') AS cure;

-- 10: an invalid index
INSERT INTO pictures (id, hash) VALUES (0, 0);
CREATE INDEX CONCURRENTLY pictures_broken ON pictures USING hashidx_hamming ((CASE WHEN id = 0 THEN '1'::bincode ELSE code END));
SELECT used_for($$ORDER BY CASE WHEN id = 0 THEN '1'::bincode ELSE code END <~> :q LIMIT 10$$) AS mistake;
DELETE FROM pictures WHERE id = 0;
REINDEX INDEX CONCURRENTLY pictures_broken;
SELECT used_for($$ORDER BY CASE WHEN id = 0 THEN '1'::bincode ELSE code END <~> :q LIMIT 10$$) AS cure;

-- where the planner is right: a small table, a range that takes in everything
CREATE TABLE few AS SELECT * FROM pictures LIMIT 20;
CREATE INDEX few_code ON few USING hashidx_hamming (code);
ANALYZE few;
SELECT used('SELECT * FROM few ORDER BY code <~> code_of(1) LIMIT 10') AS small;
CREATE INDEX pictures_code ON pictures USING hashidx_hamming (code);
ANALYZE pictures;
SELECT used_for('WHERE hamming_within(code, :q, 50)') AS everything;

DROP TABLE pictures, few;
DROP FUNCTION used_for, used, anything, code_of;
