-- bincode: casts from and to bit, bit varying, bytea and bigint
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

-- bit
SELECT B'0110'::bincode, X'6f0'::bincode, '0110'::bincode::bit(4), '0110'::bincode::varbit;
SELECT bool_and(bits::bincode::varbit = bits AND length(bits::bincode) = length(bits))
FROM generate_series(1, 300) AS n, LATERAL (SELECT left(repeat('1101001', 50), n)::varbit AS bits) AS strings;
SELECT pg_temp.fails($$SELECT B''::bincode$$);
SELECT pg_temp.fails($$SELECT repeat('1', 65537)::varbit::bincode$$);

-- bytea
SELECT '\x6f01'::bytea::bincode, '0110111100000001'::bincode::bytea;
SELECT pg_temp.fails($$SELECT ''::bytea::bincode$$);
SELECT pg_temp.fails($$SELECT convert_to(repeat('x', 8193), 'UTF8')::bincode$$);
SELECT pg_temp.fails($$SELECT '011'::bincode::bytea$$);

-- bigint
SELECT 1::bigint::bincode, (-9223372036854775808)::bincode, (-1)::bigint::bincode;
SELECT bool_and(n::bincode::bigint = n AND length(n::bincode) = 64)
FROM unnest('{0,1,-1,255,4611686018427387904,9223372036854775807,-9223372036854775808}'::bigint[]) AS n;
SELECT pg_temp.fails($$SELECT '011'::bincode::bigint$$);
SELECT pg_temp.fails($$SELECT repeat('0', 65)::bincode::bigint$$);

-- A cast to a declared length checks it; explicit casts do not truncate either.
SELECT B'0110'::bincode(4), '\x6f'::bytea::bincode(8), 5::bigint::bincode(64);
SELECT pg_temp.fails($$SELECT B'0110'::bincode(5)$$);
SELECT pg_temp.fails($$SELECT 5::bigint::bincode(32)$$);

-- On assignment, and only then, the casts work by themselves.
CREATE TABLE casts (code bincode(64), bits bit(64), bytes bytea, number bigint);
INSERT INTO casts (code) VALUES (7::bigint);
INSERT INTO casts (code) VALUES ('\x00000000000000ff'::bytea);
INSERT INTO casts (code) VALUES (B'1' || 0::bit(63));
UPDATE casts SET bits = code, bytes = code, number = code;
SELECT code, bits::varbit::bincode = code AS bits, bytes, number FROM casts ORDER BY code;
SELECT pg_temp.fails($$INSERT INTO casts (code) VALUES (B'101')$$);
SELECT pg_temp.fails($$SELECT 7::bigint <~> 8::bigint$$) LIKE '42883 | %' AS no_implicit_cast;
SELECT castsource::regtype, casttarget::regtype, castcontext
FROM pg_cast WHERE 'bincode'::regtype IN (castsource, casttarget) ORDER BY 1, 2;
DROP TABLE casts;
