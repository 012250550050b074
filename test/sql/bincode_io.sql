-- bincode and hamming_ball: text form, type modifier, what is refused
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

-- Binary and hexadecimal text.
SELECT '0'::bincode, '1'::bincode, '0110'::bincode, '011011110'::bincode;
SELECT '\x6f'::bincode, '\X6F'::bincode, '\x00fF'::bincode;
SELECT '\x6f'::bincode = '01101111' AS same;

-- The type modifier: printed, checked, kept by a table.
SELECT '0110'::bincode(4), '\x6f'::bincode(8);
SELECT format_type('bincode'::regtype, 4) = 'bincode(4)' AS printed;
CREATE TABLE io (id integer, code bincode(12));
INSERT INTO io VALUES (1, '011001100110'), (2, NULL), (3, '000000000001');
SELECT * FROM io ORDER BY id;
SELECT atttypmod, format_type(atttypid, atttypmod)
FROM pg_attribute WHERE attrelid = 'io'::regclass AND attname = 'code';
SELECT pg_temp.fails($$INSERT INTO io VALUES (4, '0110')$$);
SELECT pg_temp.fails($$INSERT INTO io SELECT 4, ('0' || repeat('1', 12))::bincode$$);
SELECT pg_temp.fails($$SELECT '0110'::bincode(3)$$);
SELECT pg_temp.fails($$SELECT '0110'::bincode::bincode(5)$$);
SELECT pg_temp.fails($$SELECT NULL::bincode(0)$$);
SELECT pg_temp.fails($$SELECT NULL::bincode(65537)$$);
SELECT pg_temp.fails($$SELECT NULL::bincode(8, 8)$$);
SELECT pg_temp.fails($$SELECT NULL::bincode('x')$$);
COPY io FROM stdin;
5	101010101010
6	\\x6f
\.
SELECT count(*) FROM io;

-- Malformed text.
SELECT pg_temp.fails(format('SELECT %L::bincode', text))
FROM unnest(ARRAY['', ' ', '2', '01 ', ' 01', '01x1', 'é1', '\x', '\x6', '\x6g', '\y6f', 'b01', repeat('01', 40) || '2']) AS text;

-- Limits of length.
SELECT length(repeat('1', 65536)::bincode), bit_count(repeat('1', 65536)::bincode);
SELECT length(('\x' || repeat('ff', 8192))::bincode);
SELECT pg_temp.fails('SELECT repeat(''1'', 65537)::bincode');
SELECT pg_temp.fails('SELECT (''\x'' || repeat(''ff'', 8193))::bincode');

-- What is printed reads back to the same value, at every length of the last byte and of the varlena header.
SELECT bool_and(code::text::bincode = code AND length(code) = n AND bincode_send(code::text::bincode) = bincode_send(code))
FROM generate_series(1, 1100) AS n, LATERAL (SELECT left(repeat('1101001', 160), n)::bincode AS code) AS codes;

-- The binary form: bit count, bytes.
SELECT bincode_send('1'), bincode_send('011011110');

-- The storage keeps long codes out of line and whole.
CREATE TABLE long_codes AS SELECT n, repeat(lpad((n * 73)::bit(16)::text, 16), 4096)::bincode AS code FROM generate_series(1, 5) AS n;
SELECT n, length(code), bit_count(code) = 4096 * length(replace((n * 73)::bit(16)::text, '0', '')) AS counted FROM long_codes ORDER BY n;
SELECT attstorage FROM pg_attribute WHERE attrelid = 'long_codes'::regclass AND attname = 'code';

-- hamming_ball
SELECT '<0110,3>'::hamming_ball, '<\x6f,0>'::hamming_ball, '<1,-7>'::hamming_ball, '<1, 2147483647>'::hamming_ball;
SELECT hamming_ball('0110', 2), hamming_ball('0110', 0), hamming_ball('0110', -2);
SELECT hamming_ball_send('<0110,3>'), hamming_ball_send(hamming_ball('0110', -2));
SELECT pg_temp.fails(format('SELECT %L::hamming_ball', text))
FROM unnest(ARRAY['', '0110', '<0110>', '<0110,>', '<0110,3', '<0110,3>>', '<0110,x>', '<,3>', '<01a0,3>', '<0110,2147483648>', '<0110,3.5>', '<' || repeat('01', 40) || ',x>']) AS text;

DROP TABLE io, long_codes;
