--
-- Vectors outside their rows: those that follow one another in the TOAST table are fetched
-- without its index. Whatever lies there, each must come out as it was stored.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE FUNCTION numbers(id int, dims int) RETURNS real[] LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(((id * 31 + d * 17 + d / 7 * id) % 251)::real ORDER BY d)
   FROM generate_series(1, dims) d $$;

-- Blocks of the TOAST table's index that this session has looked at.
CREATE FUNCTION index_blocks(name regclass) RETURNS bigint LANGUAGE sql AS
$$ SELECT tidx_blks_hit + tidx_blks_read FROM pg_statio_user_tables WHERE relid = name $$;

-- Three chunks a vector.
CREATE TABLE far (id int PRIMARY KEY, v qvec);
INSERT INTO far SELECT i, numbers(i, 1000) FROM generate_series(1, 300) i;
SELECT pg_stat_force_next_flush();
SELECT index_blocks('far') AS before \gset
SELECT count(*), count(*) FILTER (WHERE v = numbers(id, 1000)::qvec) AS same FROM far;
SELECT pg_stat_force_next_flush();
-- The server would look at one block or more for each vector.
SELECT index_blocks('far') - :before < 50 AS few_blocks;

-- In any order, which there is nothing to follow in.
SELECT count(*), count(*) FILTER (WHERE v = numbers(id, 1000)::qvec) AS same
FROM (SELECT * FROM far ORDER BY id * 7919 % 307 OFFSET 0) shuffled;
SELECT count(*), count(*) FILTER (WHERE v = numbers(id, 1000)::qvec) AS same
FROM (SELECT * FROM far ORDER BY id DESC OFFSET 0) backwards;

-- Some vectors changed, and what they were is still there; then it is not, and others take
-- its place.
UPDATE far SET v = numbers(id + 1000, 1000) WHERE id % 3 = 0;
SELECT count(*), count(*) FILTER (WHERE v = numbers(id + 1000 * (id % 3 = 0)::int, 1000)::qvec) AS same
FROM far;
VACUUM far;
INSERT INTO far SELECT i, numbers(i, 1000) FROM generate_series(301, 340) i;
SELECT count(*), count(*) FILTER
	(WHERE v = numbers(id + 1000 * (id % 3 = 0 AND id <= 300)::int, 1000)::qvec) AS same
FROM far;

-- What a transaction has done itself, and what it took back.
BEGIN;
DELETE FROM far WHERE id <= 320;
SAVEPOINT before;
INSERT INTO far SELECT i, numbers(i + 5, 1000) FROM generate_series(1, 20) i;
ROLLBACK TO before;
INSERT INTO far SELECT i, numbers(i + 7, 1000) FROM generate_series(1, 20) i;
SELECT count(*), count(*) FILTER (WHERE v = numbers(id + 7 * (id <= 20)::int, 1000)::qvec) AS same
FROM far;
COMMIT;

-- A cursor sees the vectors of before, of which the chunks are deleted by now.
BEGIN;
DECLARE old CURSOR FOR SELECT id, v = numbers(id + 7 * (id <= 20)::int, 1000)::qvec AS same FROM far ORDER BY ctid;
FETCH 2 FROM old;
UPDATE far SET v = numbers(id, 1000);
FETCH 3 FROM old;
SELECT count(*), count(*) FILTER (WHERE v = numbers(id, 1000)::qvec) AS same FROM far;
FETCH 2 FROM old;
COMMIT;

-- Fewer pages than where the last vector was.
TRUNCATE far;
INSERT INTO far SELECT i, numbers(i, 1000) FROM generate_series(1, 3) i;
SELECT id, v = numbers(id, 1000)::qvec AS same FROM far ORDER BY id;
VACUUM FULL far;
SELECT id, v = numbers(id, 1000)::qvec AS same FROM far ORDER BY id;
DROP TABLE far;

-- Several columns, of which one is read; vectors of all lengths, of which some lie in their
-- rows; arrays; and vectors that are compressed.
CREATE TABLE wide (id int, a real[], b qvec, c qvec);
ALTER TABLE wide ALTER a SET STORAGE external, ALTER c SET STORAGE extended;
INSERT INTO wide
SELECT i, numbers(i, 600), numbers(i + 1, 1 + i * 97 % 3000), array_fill(i, ARRAY[4000])
FROM generate_series(1, 100) i;
SELECT count(*), count(*) FILTER (WHERE a::qvec = numbers(id, 600)::qvec) AS same FROM wide;
SELECT count(*), count(*) FILTER (WHERE b = numbers(id + 1, 1 + id * 97 % 3000)::qvec) AS same FROM wide;
SELECT count(*), count(*) FILTER (WHERE c = array_fill(id, ARRAY[4000])::qvec) AS same FROM wide;
SELECT count(*), count(*) FILTER (WHERE a::qvec = numbers(id, 600)::qvec
	AND b = numbers(id + 1, 1 + id * 97 % 3000)::qvec AND c = array_fill(id, ARRAY[4000])::qvec) AS same
FROM wide;

-- Two tables in turns.
CREATE TABLE other AS SELECT id, a::qvec AS v FROM wide;
SELECT count(*), count(*) FILTER (WHERE o.v = numbers(o.id, 600)::qvec AND w.a::qvec = o.v) AS same
FROM wide w JOIN other o USING (id);
DROP TABLE wide, other;
DROP FUNCTION numbers, index_blocks;
