-- hashidx_hamming with chunk tables whose leaves have keys beside their codes: codes of 128 bits and more
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- clusters of codes, many of them equal, some far from all others; 13 to 32 bits a chunk
CREATE FUNCTION code_of(i bigint, bits int) RETURNS bincode IMMUTABLE LANGUAGE sql AS $$
	SELECT subcode((sha256(int8send(i)) || sha256(int8send(-i)))::bincode, 1, bits)
$$;
CREATE FUNCTION near(code bincode, i bigint, flips int) RETURNS bincode IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
	flipped bit varying := code::text::bit varying;
	place int;
BEGIN
	FOR f IN 1 .. flips LOOP
		place := abs(hashint8(i * 100 + f)) % length(flipped);
		flipped := set_bit(flipped, place, 1 - get_bit(flipped, place));
	END LOOP;
	RETURN flipped::text::bincode;
END $$;

-- what ranges find by the chunk tables and by reading the table; what differs would be printed
CREATE FUNCTION differences(bits int, radii int[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	query bincode;
	radius int;
	expected int[];
	found int[];
BEGIN
	FOR query IN SELECT near(code_of(i % 7, bits), 77, i) FROM generate_series(0, 5) i
		UNION ALL SELECT code_of(4711, bits) LOOP
		FOREACH radius IN ARRAY radii LOOP
			SET LOCAL enable_seqscan = on;
			SET LOCAL enable_indexscan = off;
			SET LOCAL enable_bitmapscan = off;
			expected := ARRAY(SELECT id FROM codes WHERE hamming_within(code, query, radius) ORDER BY id);
			SET LOCAL enable_seqscan = off;
			SET LOCAL enable_bitmapscan = on;
			found := ARRAY(SELECT id FROM codes WHERE hamming_within(code, query, radius) ORDER BY id);
			IF found <> expected THEN
				RETURN NEXT format('radius %s, bitmap: %s instead of %s', radius, found, expected);
			END IF;
			SET LOCAL enable_bitmapscan = off;
			SET LOCAL enable_indexscan = on;
			found := ARRAY(SELECT id FROM codes WHERE hamming_within(code, query, radius) ORDER BY id);
			IF found <> expected THEN
				RETURN NEXT format('radius %s: %s instead of %s', radius, found, expected);
			END IF;
			expected := ARRAY(SELECT hamming_distance(code, query)::int FROM codes
				WHERE hamming_within(code, query, radius) ORDER BY 1);
			found := ARRAY(SELECT hamming_distance(code, query)::int FROM (
				SELECT code FROM codes ORDER BY code <~> query LIMIT cardinality(expected)) n);
			IF found <> expected THEN
				RETURN NEXT format('radius %s, neighbours: %s instead of %s', radius, found, expected);
			END IF;
		END LOOP;
	END LOOP;
END $$;

CREATE PROCEDURE lives(bits int, chunks int) LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	EXECUTE format('CREATE TABLE codes (id int, code bincode(%s))', bits);
	INSERT INTO codes
		SELECT i, CASE WHEN i % 4 = 0 THEN near(code_of(i % 7, bits), i, i % 12) ELSE code_of(i, bits) END
		FROM generate_series(1, 8000) i;
	EXECUTE format('CREATE INDEX codes_code ON codes USING hashidx_hamming (code) WITH (method = mih, chunks = %s)', chunks);
	INSERT INTO codes
		SELECT i, CASE WHEN i % 2 = 0 THEN near(code_of(i % 7, bits), i, i % 12) ELSE code_of(i, bits) END
		FROM generate_series(8001, 11000) i;
	DELETE FROM codes WHERE id % 5 = 1;
	FOR line IN SELECT differences(bits, ARRAY[0, 1, 3, bits / 32, bits / 16, bits]) LOOP
		RAISE WARNING '% bits, % chunks: %', bits, chunks, line;
	END LOOP;
	PERFORM hashidx_check('codes_code', true);	-- would warn
	DROP TABLE codes;
END $$;
CALL lives(128, 0);
CALL lives(130, 5);
CALL lives(256, 0);
CALL lives(511, 17);

-- rows that one table alone leads to: all chunks but one, runs of 32 bits here, are too far away
-- by one bit; the codes are long so that a pass over them all is dear
CREATE FUNCTION flips(i bigint, radius int) RETURNS bincode LANGUAGE sql AS $$
	SELECT string_agg((rank <= radius + (chunk <> i % 4)::int)::int::text, '' ORDER BY chunk, place)::bincode
	FROM (SELECT chunk, place, row_number() OVER (PARTITION BY chunk ORDER BY hashint8(i * 1000 + chunk * 100 + place)) AS rank
		FROM generate_series(0, 3) chunk, generate_series(0, 31) place) places
$$;
CREATE FUNCTION long(code bincode) RETURNS bincode LANGUAGE sql AS $$ SELECT code || repeat('0', 896)::bincode $$;
CREATE TABLE codes (id int, code bincode(1024));
CREATE INDEX codes_code ON codes USING hashidx_hamming (code) WITH (method = mih, chunks = 4);
INSERT INTO codes SELECT i, long(code_of(i, 128)) FROM generate_series(1, 12000) i;
INSERT INTO codes SELECT -i, long(code_of(-(i / 8), 128) # flips(i, i / 4 % 2)) FROM generate_series(8, 2007) i;
SET enable_seqscan = off;
SELECT radius, sum(found.rows), bool_and(found.are_planted) FROM unnest('{3, 7}'::int[]) radius, generate_series(1, 250) centre,
	LATERAL (SELECT count(*) AS rows, bool_and(id / 8 = -centre) AS are_planted FROM codes
		WHERE hamming_within(code, long(code_of(-centre, 128)), radius)) found
	GROUP BY radius ORDER BY radius;
RESET enable_seqscan;
DROP TABLE codes;

-- rows that vacuum has removed are gone from the leaves; those in their place are found
CREATE TABLE codes (id int, code bincode(256));
INSERT INTO codes SELECT i, near(code_of(i % 7, 256), i, i % 6) FROM generate_series(1, 6000) i;
CREATE INDEX codes_code ON codes USING hashidx_hamming (code) WITH (method = mih);
DELETE FROM codes WHERE id % 3 = 0;
VACUUM codes;
INSERT INTO codes SELECT i, near(code_of(i % 7, 256), i, i % 9) FROM generate_series(6001, 8000) i;
SELECT differences(256, '{0, 4, 8, 12, 256}');
SELECT hashidx_check('codes_code', true);

-- index-only scans return each row's own code
VACUUM codes;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*), count(DISTINCT code), bit_count(bit_or(code # code_of(3, 256))) > 8 AS differ,
	max(hamming_distance(code, code_of(3, 256)))
	FROM codes WHERE hamming_within(code, (SELECT code_of(3, 256)), 8);
SET enable_seqscan = on;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SELECT count(*), count(DISTINCT code), bit_count(bit_or(code # code_of(3, 256))) > 8 AS differ,
	max(hamming_distance(code, code_of(3, 256)))
	FROM codes WHERE hamming_within(code, (SELECT code_of(3, 256)), 8);

DROP TABLE codes;
DROP PROCEDURE lives;
DROP FUNCTION differences, flips, long, near, code_of;
