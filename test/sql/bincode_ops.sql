-- bincode: distances, bits, order and hash
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

-- Hamming distance.
SELECT '0110'::bincode <~> '0110' AS same, '0110'::bincode <~> '1001' AS opposite, hamming_distance('0110', '0111') AS one;
SELECT pg_typeof('0110'::bincode <~> '0110');
SELECT hamming_within('0110', '0101', 1) AS r1, hamming_within('0110', '0101', 2) AS r2,
	hamming_within('0110', '0110', 0) AS r0, hamming_within('0110', '0110', -1) AS negative;
SELECT '0110'::bincode <@ hamming_ball('0101', 1) AS r1, '0110'::bincode <@ hamming_ball('0101', 2) AS r2,
	'0110'::bincode <@ hamming_ball('0110', -1) AS empty_ball;
SELECT pg_temp.fails($$SELECT '0110'::bincode <~> '01100'$$);
SELECT pg_temp.fails($$SELECT hamming_within('0110', '011', 9)$$);
SELECT pg_temp.fails($$SELECT '0110'::bincode <@ hamming_ball('011', 9)$$);

-- It agrees with core's bit strings, at every length.
SELECT bool_and(a::bincode <~> b::bincode = length(replace((a # b)::text, '0', '')))
FROM generate_series(1, 700) AS n,
	LATERAL (SELECT left(repeat('1101001', 100), n)::varbit AS a, left(repeat('01100011101', 100), n)::varbit AS b) AS codes;

-- Jaccard distance and Tversky similarity of the sets of one bits.
SELECT '1100'::bincode <%> '0110' AS third_in_common, '1100'::bincode <%> '1100' AS same,
	'1100'::bincode <%> '0011' AS disjoint, '0000'::bincode <%> '0000' AS empty, '0000'::bincode <%> '0001' AS half_empty;
SELECT jaccard_within('1100', '0110'::bincode, 0.66) AS "0.66", jaccard_within('1100', '0110'::bincode, 0.67) AS "0.67",
	jaccard_within('1100', '1100'::bincode, 0) AS "0", jaccard_within('1100', '1100'::bincode, -0.1) AS negative,
	jaccard_within('1100', '0011'::bincode, 'infinity') AS infinity;
SELECT tversky_similarity('1110', '0111'::bincode, 1, 1) AS jaccard, tversky_similarity('1110', '0111'::bincode, 0.5, 0.5) AS dice,
	tversky_similarity('1111', '0011'::bincode, 1, 0) AS left_only, tversky_similarity('1111', '0011'::bincode, 0, 1) AS right_only,
	tversky_similarity('0000', '0000'::bincode, 1, 1) AS empty, tversky_similarity('1100', '0011'::bincode, 0, 0) AS no_weights,
	tversky_similarity('1100', '0110'::bincode, 1e308, 1e308) AS huge_weights;
SELECT pg_temp.fails(format($$SELECT tversky_similarity('1100', '0110'::bincode, %L, %L)$$, alpha, beta))
FROM (VALUES ('-1', '0'), ('0', '-0.5'), ('NaN', '0'), ('0', 'NaN'), ('Infinity', '1')) AS weights (alpha, beta);
SELECT pg_temp.fails($$SELECT jaccard_within('1100', '0110'::bincode, 'NaN')$$);
SELECT pg_temp.fails($$SELECT '1100'::bincode <%> '110'$$);
SELECT pg_temp.fails($$SELECT tversky_similarity('1100', '110'::bincode, 1, 1)$$);

-- Bits.
SELECT '1100'::bincode & '1010' AS "and", '1100'::bincode | '1010' AS "or", '1100'::bincode # '1010' AS "xor", ~ '1100'::bincode AS "not";
SELECT ~ '110010011'::bincode AS "not", bit_count(~ '000000000'::bincode) AS padding_is_not_counted;
SELECT '1100'::bincode || '1' AS "4 + 1", '11000011'::bincode || '101' AS "8 + 3", '1'::bincode || '11000011' AS "1 + 8";
SELECT bit_count('110010011'::bincode), length('110010011'::bincode);
SELECT string_agg(get_bit('110010011'::bincode, n)::text, '' ORDER BY n) FROM generate_series(0, 8) AS n;
SELECT subcode('110010011', 1, 4) AS first, subcode('110010011', 5, 4) AS middle, subcode('110010011', 8, 100) AS clipped,
	subcode('110010011', -1, 4) AS from_before, subcode('110010011', 9, 1) AS last, subcode('110010011', 1, 2147483647) AS whole;
SELECT pg_temp.fails($$SELECT '1100'::bincode & '110'$$);
SELECT pg_temp.fails($$SELECT '1100'::bincode | '110'$$);
SELECT pg_temp.fails($$SELECT '1100'::bincode # '110'$$);
SELECT pg_temp.fails($$SELECT repeat('1', 65536)::bincode || '1'$$);
SELECT pg_temp.fails($$SELECT get_bit('1100'::bincode, 4)$$);
SELECT pg_temp.fails($$SELECT get_bit('1100'::bincode, -1)$$);
SELECT pg_temp.fails($$SELECT subcode('1100', 5, 1)$$);
SELECT pg_temp.fails($$SELECT subcode('1100', 1, 0)$$);
SELECT pg_temp.fails($$SELECT subcode('1100', 1, -1)$$);
SELECT pg_temp.fails($$SELECT subcode('1100', -2147483648, 2147483647)$$);
-- Parts and concatenation agree with core's, at every position.
SELECT bool_and(subcode(code, start, count)::text = substr(code::text, start, count)
	AND (subcode(code, 1, start) || subcode(code, start + 1, 999)) = code)
FROM (SELECT '1101001110001011011100101'::bincode AS code) AS codes, generate_series(1, 24) AS start, generate_series(1, 25) AS count;

-- Strict: a null argument gives null.
SELECT NULL::bincode <~> '1' IS NULL AND hamming_within('1', NULL, 1) IS NULL AND ~ NULL::bincode IS NULL
	AND NULL::bincode = '1' IS NULL AND subcode('1', NULL, 1) IS NULL AS all_null;

-- Order: byte by byte, then the shorter one first, as core's bit.
SELECT string_agg(code::text, ' ' ORDER BY code)
FROM unnest('{1,0,01,10,00,11,000000000,00000000,100000000,10000000}'::bincode[]) AS code;
SELECT bool_and(CASE sign(bincode_cmp(a::bincode, b::bincode)) WHEN -1 THEN a < b WHEN 0 THEN a = b ELSE a > b END
	AND (a::bincode < b::bincode) = (a < b) AND (a::bincode <= b::bincode) = (a <= b)
	AND (a::bincode = b::bincode) = (a = b) AND (a::bincode <> b::bincode) = (a <> b)
	AND (a::bincode >= b::bincode) = (a >= b) AND (a::bincode > b::bincode) = (a > b)) AS as_varbit
FROM unnest('{0,1,01,10,00,11,000000000,00000000,0000000000000001,100000000,10000000}'::varbit[]) AS a,
	unnest('{0,1,01,10,00,11,000000000,00000000,0000000000000001,100000000,10000000}'::varbit[]) AS b;
SELECT bincode_hash('01') = bincode_hash('01') AS same, bincode_hash('1') = bincode_hash('10') AS other_length,
	bincode_hash_extended('01', 1) = bincode_hash_extended('01', 2) AS other_seed,
	bincode_hash_extended('01', 0)::bit(64)::bit(64) << 32 = (bincode_hash('01')::bit(32) || 0::bit(32)) AS low_half;

-- Operator classes: sorting, grouping, joins of every kind, unique and hash indexes.
CREATE TABLE codes AS
	SELECT n, ((n * 37 % 50)::bigint)::bincode AS code FROM generate_series(1, 200) AS n;
SELECT count(DISTINCT code), min(n), max(n) FROM codes;
SELECT count(*) FROM (SELECT code FROM codes GROUP BY code) AS groups;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM codes AS a JOIN codes AS b ON a.code = b.code;
SELECT count(*) FROM codes AS a JOIN codes AS b ON a.code = b.code;
RESET enable_mergejoin;
SET enable_hashjoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM codes AS a JOIN codes AS b ON a.code = b.code;
SELECT count(*) FROM codes AS a JOIN codes AS b ON a.code = b.code;
RESET enable_hashjoin;
RESET enable_nestloop;
CREATE INDEX codes_btree ON codes (code);
CREATE INDEX codes_hash ON codes USING hash (code);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT code FROM codes ORDER BY code;
SELECT count(*) FROM codes WHERE code < 10::bigint::bincode;
DROP INDEX codes_btree;
EXPLAIN (COSTS OFF) SELECT n FROM codes WHERE code = 7::bigint::bincode;
SELECT n FROM codes WHERE code = 7::bigint::bincode ORDER BY n;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_sort;
SELECT pg_temp.fails('CREATE UNIQUE INDEX ON codes (code)') LIKE '23505 | %' AS not_unique;
SELECT opcname, amname, amvalidate(c.oid)
FROM pg_opclass AS c JOIN pg_am AS a ON a.oid = c.opcmethod WHERE opcname = 'bincode_ops' ORDER BY amname;

-- Every operator of the type has its commutator and negator in place.
SELECT o.oprname, o.oprcom::regoperator, o.oprnegate::regoperator, o.oprcanmerge AS merges, o.oprcanhash AS hashes
FROM pg_operator AS o
WHERE o.oprleft = 'bincode'::regtype AND o.oprright = 'bincode'::regtype ORDER BY o.oprname COLLATE "C";
DROP TABLE codes;
