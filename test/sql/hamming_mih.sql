-- hashidx_hamming with chunk tables: options, life of an index, plans
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- codes of 64 bits from a hash; every 100th near one of ten
CREATE FUNCTION code_of(i bigint) RETURNS bincode IMMUTABLE LANGUAGE sql AS $$
	SELECT substring(sha256(int8send(i)) FOR 8)::bincode
$$;
CREATE TABLE codes (id integer, code bincode(64));
INSERT INTO codes
	SELECT i, CASE WHEN i % 100 = 0 THEN code_of(i % 1000) # (1::bigint << (i / 100 % 5))::bincode ELSE code_of(i) END
	FROM generate_series(1, 20000) i;

-- options
CREATE INDEX codes_code ON codes USING hashidx_hamming (code) WITH (method = tree);
CREATE INDEX codes_code ON codes USING hashidx_hamming (code) WITH (chunks = 33);
CREATE INDEX codes_code ON codes USING hashidx_hamming (code) WITH (chunks = -1);
CREATE INDEX codes_code ON codes USING hashidx_hamming (code) WITH (method = mih, chunks = 5);
SELECT reloptions FROM pg_class WHERE relname = 'codes_code';

CREATE FUNCTION stats(index regclass) RETURNS TABLE (method text, chunks int, "rows" bigint) LANGUAGE sql AS $$
	SELECT s ->> 'method', (s ->> 'chunks')::int, (s ->> 'rows')::bigint FROM hashidx_index_stats(index) s
$$;
SELECT * FROM stats('codes_code');

-- the options take effect when the index is built
ALTER INDEX codes_code SET (chunks = 3);
SELECT * FROM stats('codes_code');
REINDEX INDEX codes_code;
SELECT * FROM stats('codes_code');
ALTER INDEX codes_code SET (method = scan);
REINDEX INDEX codes_code;
SELECT * FROM stats('codes_code');
ALTER INDEX codes_code RESET (method, chunks);
REINDEX INDEX codes_code;
SELECT * FROM stats('codes_code');
ALTER INDEX codes_code SET (method = mih);
REINDEX INDEX codes_code;
SELECT * FROM stats('codes_code');

-- as many chunks as there are bits at most
CREATE TABLE short (code bincode(3));
INSERT INTO short SELECT (i % 8)::bit(3)::bincode FROM generate_series(1, 5000) i;
CREATE INDEX short_code ON short USING hashidx_hamming (code) WITH (method = mih, chunks = 20);
SELECT * FROM stats('short_code');
SET enable_seqscan = off;
SELECT count(*) FROM short WHERE hamming_within(code, '101', 0);
SELECT count(*) FROM short WHERE hamming_within(code, '101', 1);
SELECT count(*) FROM short WHERE hamming_within(code, '101', 3);
RESET enable_seqscan;

-- codes too long for chunk tables: at once, or with the first code
CREATE TABLE long (code bincode);
CREATE INDEX long_code ON long USING hashidx_hamming (code) WITH (method = mih);
INSERT INTO long VALUES (('\x' || repeat('5a', 513))::bincode);
INSERT INTO long VALUES (('\x' || repeat('5a', 512))::bincode);
SELECT * FROM stats('long_code');
CREATE TABLE longer (code bincode(4097));
CREATE INDEX ON longer USING hashidx_hamming (code) WITH (method = mih);
CREATE INDEX ON longer USING hashidx_hamming (code);

-- an index that begins empty, the length of its codes declared and not
CREATE TABLE empty (code bincode(64), any_code bincode);
CREATE INDEX empty_code ON empty USING hashidx_hamming (code) WITH (method = mih);
CREATE INDEX empty_any ON empty USING hashidx_hamming (any_code) WITH (method = mih, chunks = 6);
SELECT * FROM stats('empty_code');
SELECT * FROM stats('empty_any');
SELECT hashidx_check('empty_code', true), hashidx_check('empty_any', true);
SET enable_seqscan = off;
SELECT count(*) FROM empty WHERE hamming_within(code, code_of(1), 3);
SELECT count(*) FROM empty WHERE hamming_within(any_code, code_of(1), 3);
INSERT INTO empty SELECT code_of(i), code_of(i) FROM generate_series(1, 6000) i;
SELECT * FROM stats('empty_code');
SELECT * FROM stats('empty_any');
SELECT hashidx_check('empty_code', true), hashidx_check('empty_any', true);
SELECT count(*) FROM empty WHERE hamming_within(code, code_of(1), 3);
SELECT count(*) FROM empty WHERE hamming_within(any_code, code_of(1), 3);
RESET enable_seqscan;

-- ranges and neighbours, the same as by reading all; what differs would be printed
CREATE FUNCTION differences(radius int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	query bincode;
	by_index int[];
	by_scan int[];
BEGIN
	FOR query IN SELECT code FROM codes WHERE id IN (100, 700, 1234, 19999) LOOP
		SET LOCAL enable_seqscan = off;
		SET LOCAL enable_indexscan = on;
		SET LOCAL enable_bitmapscan = on;
		by_index := ARRAY(SELECT id FROM codes WHERE hamming_within(code, query, radius) ORDER BY id);
		SET LOCAL enable_seqscan = on;
		SET LOCAL enable_indexscan = off;
		SET LOCAL enable_bitmapscan = off;
		by_scan := ARRAY(SELECT id FROM codes WHERE hamming_within(code, query, radius) ORDER BY id);
		IF by_index <> by_scan THEN
			RETURN NEXT format('radius %s: %s instead of %s', radius, by_index, by_scan);
		END IF;
		SET LOCAL enable_seqscan = off;
		SET LOCAL enable_indexscan = on;
		by_index := ARRAY(SELECT id FROM codes ORDER BY code <~> query LIMIT 10 * radius);
		SET LOCAL enable_seqscan = on;
		SET LOCAL enable_indexscan = off;
		by_scan := ARRAY(SELECT id FROM codes ORDER BY code <~> query, ctid LIMIT 10 * radius);
		IF by_index <> by_scan THEN
			RETURN NEXT format('neighbours: %s instead of %s', by_index, by_scan);
		END IF;
	END LOOP;
END $$;
SELECT differences(r) FROM generate_series(0, 64) r;
DELETE FROM codes WHERE id % 3 = 0;
VACUUM codes;
SELECT differences(r) FROM generate_series(0, 12) r;
INSERT INTO codes SELECT i, code_of(i % 11) FROM generate_series(20001, 26000) i;
SELECT differences(r) FROM generate_series(0, 12) r;
SELECT hashidx_check('codes_code', true);
SELECT * FROM stats('codes_code');

-- equal codes that fill several leaves in a row
CREATE TABLE same (code bincode(128));
INSERT INTO same SELECT repeat('10', 64)::bincode FROM generate_series(1, 7000);
INSERT INTO same SELECT code_of(i) || code_of(-i) FROM generate_series(1, 20000) i;
CREATE INDEX same_code ON same USING hashidx_hamming (code) WITH (method = mih, chunks = 4);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*), count(DISTINCT ctid) FROM same WHERE hamming_within(code, repeat('10', 64)::bincode, 3);
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SELECT count(*) FROM same WHERE hamming_within(code, repeat('10', 64)::bincode, 3);
RESET enable_seqscan;
RESET enable_indexscan;

-- a small range reads few pages, a large one falls back to all codes
CREATE FUNCTION index_pages(radius int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	line text;
	pages int;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_indexscan = off;
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF)
		SELECT id FROM codes WHERE hamming_within(code, code_of(4711), %s)', radius) LOOP
		pages := coalesce(substring(line FROM 'Buffers: shared hit=(\d+)')::int, pages);
	END LOOP;
	RETURN pages;
END $$;
SELECT index_pages(0) > 0;	-- what the catalogues need is read now
SELECT 2 * index_pages(3) < index_pages(30) AS few;

-- costs follow: the range is worth the index, the table is not
VACUUM ANALYZE codes;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM codes WHERE hamming_within(code, code_of(4711), 3);
RESET enable_bitmapscan;

DROP TABLE codes, short, long, longer, empty, same;
DROP FUNCTION code_of, stats, differences, index_pages;
