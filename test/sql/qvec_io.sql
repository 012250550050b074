-- qvec: text and binary form, type modifiers, formats
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

--
-- Text
--
SELECT '[1,2.5,3]'::qvec;
SELECT E' \t\n\r\x0B\f[ \n1 ,\t2.5 , 3 ]\n '::qvec;
SELECT '[+1,-1,.5,5.,1e2,1E-2,0x10]'::qvec;
SELECT '[0,-0,-0.0,-1e-60]'::qvec;
SELECT '[3.4028235e38,-3.4028235e38,1.17549435e-38,1e-45,1e-46]'::qvec;
SELECT '[0.1,0.3333333333333333,16777217,123456789,1e20,1e-5]'::qvec;

-- The number of digits is not a matter of settings.
SET extra_float_digits = -10;
SELECT '[0.1,0.3333333333333333,16777217]'::qvec;
RESET extra_float_digits;

SELECT literal, pg_temp.fails(format('SELECT %L::qvec', literal)) AS error
FROM unnest(ARRAY[
	'', ' ', '[', ']', '[]', '[ ]', '1,2', '[1', '[1,', '[1,]', '[,1]', '[1,,2]', '[1 2]', '[1;2]',
	'[1,2]]', '[1,2] x', '[1,2],', '[[1,2]]', '{1,2}', '(1,2)', '[a]', '[1,b]', '[1e]', '[1.2.3]',
	'[--1]', '[NaN]', '[1,nan]', '[inf]', '[1,-Infinity]', '[1e39]', '[1,2,-3.5e38]',
	'[1,2,"a literal much longer than an error message wants to repeat in full"]'
]) WITH ORDINALITY AS t(literal, n)
ORDER BY n;

-- As many dimensions as there may be, and one more.
SELECT qvec_dims(('[' || repeat('1,', 15999) || '1]')::qvec);
SELECT pg_temp.fails(format('SELECT %L::qvec', '[' || repeat('1,', 16000) || '1]'));

--
-- Type modifiers
--
SELECT format_type('qvec'::regtype, typmod)
FROM unnest(ARRAY[
	-1, qvec_typmod_in('{784}'), qvec_typmod_in('{784,f32}'), qvec_typmod_in('{784,f16}'),
	qvec_typmod_in('{1,int8}'), qvec_typmod_in('{16000,INT4}')
]) AS typmod;

-- Any number can be passed where a function takes a type modifier.
SELECT typmod, qvec_typmod_out(typmod)
FROM unnest(ARRAY[-2, 0, 65536, 16001, 4 * 65536 + 3, 2147483647]) AS typmod;

SELECT typmod, pg_temp.fails(format(call, typmod)) AS error
FROM unnest(ARRAY[-2, 0, 65536, 4 * 65536 + 3, 2147483647]) WITH ORDINALITY AS t(typmod, n),
	unnest(ARRAY[
		$$SELECT qvec('[1,2,3]'::qvec, %s, true)$$,
		$$SELECT array_to_qvec('{1,2,3}'::real[], %s, true)$$,
		$$SELECT qvec_in('[1,2,3]', 0, %s)$$
	]) WITH ORDINALITY AS c(call, m)
ORDER BY n, m;

SELECT modifier, pg_temp.fails(format('SELECT NULL::qvec(%s)', modifier)) AS error
FROM unnest(ARRAY[
	'0', '-1', '16000', '16001', '2147483648', 'f16', '3, f64', '3, 16', '3, f16, 1', '''3''', '1.5'
]) WITH ORDINALITY AS t(modifier, n)
ORDER BY n;

CREATE TABLE formats (
	any_dims qvec,
	as_f32 qvec(3),
	as_f16 qvec(3, f16),
	as_int8 qvec(3, int8),
	as_int4 qvec(3, int4)
);
\d formats

INSERT INTO formats
SELECT v, v, v, v, v FROM (VALUES ('[0.1,0.2,-7]'::qvec), ('[5,5,5]')) AS t(v);
INSERT INTO formats VALUES ('[1]', '[1,2,3]', '[1,2,3]', '[1,2,3]', '[1,2,3]');
SELECT * FROM formats;
SELECT qvec_format(any_dims), qvec_format(as_f32), qvec_format(as_f16), qvec_format(as_int8),
	qvec_format(as_int4)
FROM formats LIMIT 1;

-- A column without a type modifier keeps the format of what it is given.
UPDATE formats SET any_dims = as_int4 WHERE any_dims = '[5,5,5]';
SELECT any_dims, qvec_format(any_dims) FROM formats WHERE any_dims = '[5,5,5]';

-- Converting: between formats, on assignment and by a cast.
SELECT qvec_format('[1,2]'::qvec(2, int8)), qvec_format('[1,2]'::qvec(2, int8)::qvec(2)),
	qvec_format('[1,2]'::qvec(2, int8)::qvec), qvec_format(CAST('[1,2]'::qvec AS qvec(2, f16)));
ALTER TABLE formats ALTER as_f32 TYPE qvec(3, int4);
SELECT as_f32, qvec_format(as_f32) FROM formats;
ALTER TABLE formats ALTER as_f32 TYPE qvec;
SELECT as_f32, qvec_format(as_f32) FROM formats;

SELECT query, pg_temp.fails(query) AS error
FROM unnest(ARRAY[
	'SELECT ''[1,2]''::qvec(3)',
	'SELECT ''[1,2]''::qvec::qvec(3)',
	'INSERT INTO formats (as_f16) VALUES (''[1,2,3,4]'')',
	'INSERT INTO formats (as_f16) VALUES (ARRAY[1,2,3,4])',
	'INSERT INTO formats (as_f16) SELECT ''[1]''::qvec(1, int8)',
	'ALTER TABLE formats ALTER any_dims TYPE qvec(3)',
	'SELECT ''[1,65504,-65504]''::qvec(3, f16)',
	'SELECT ''[1,65505]''::qvec(2, f16)',
	'SELECT ''[-1e30,2]''::qvec::qvec(2, f16)'
]) WITH ORDINALITY AS t(query, n)
ORDER BY n;

-- What f16 rounds to zero, also from below, and what the narrow formats make of the extremes.
SELECT '[1e-9,-1e-9,0.1,65504]'::qvec(4, f16);
SELECT '[-3.4028235e38,0,3.4028235e38]'::qvec(3, int8);
SELECT '[-3.4028235e38,0,3.4028235e38]'::qvec(3, int4);
SELECT '[-4e-45,0,1e-45]'::qvec(3, int8);
SELECT '[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]'::qvec(16, int4);
SELECT '[7]'::qvec(1, int4), '[-0,0]'::qvec(2, int8);

DROP TABLE formats;

--
-- Binary
--
SELECT qvec_send('[1,-2.5,0]'::qvec);
SELECT qvec_send('[1,-2.5,0]'::qvec(3, f16));
SELECT qvec_send('[-1,0,254]'::qvec(3, int8));
SELECT qvec_send('[0,1,15]'::qvec(3, int4));
SELECT qvec_send('[-0,-1e-60]'::qvec), qvec_send('[-1e-9]'::qvec(1, f16));

-- A binary COPY whose one field has the given bytes.
CREATE TABLE received (v qvec);
CREATE FUNCTION pg_temp.receive(field bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message bytea := '\x5047434f50590aff0d0a00' || '\x0000000000000000'::bytea || '\x0001'::bytea
		|| int4send(length(field)) || field || '\xffff'::bytea;
	octal text;
	result text;
BEGIN
	SELECT string_agg('\' || (byte / 64) || (byte / 8 % 8) || (byte % 8), '' ORDER BY i)
		INTO octal
		FROM generate_series(0, length(message) - 1) AS i, get_byte(message, i) AS byte;
	TRUNCATE received;
	result := pg_temp.fails(format('COPY received FROM PROGRAM %L (FORMAT binary)',
									  'printf ''' || octal || ''''));
	IF result = 'no error' THEN
		SELECT qvec_format(v) || ' ' || v INTO result FROM received;
	END IF;
	RETURN result;
END $$;

SELECT field, pg_temp.receive(field)
FROM unnest(ARRAY[
	-- what the four formats send
	'\x000300003f800000c020000000000000',
	'\x000300013c00c1000000',
	'\x00030002bf800000437e00000001ff',
	'\x000300030000000041700000100f',
	-- -0 becomes 0
	'\x000200008000000080000000',
	'\x0002000180008000',
	-- no header, no such format, too few and too many dimensions
	'\x', '\x0001', '\x000100043f800000', '\x00000000',
	-- too short, too long
	'\x000200003f800000', '\x000100003f80000000', '\x0001000200000000', '\x00030003000000004170000010',
	-- NaN and infinity
	'\x000100007fc00000', '\x000100007f800000', '\x000100017e00', '\x00010001fc00',
	'\x000200027fc000003f80000000ff', '\x00020002000000007f80000000ff',
	-- bounds the wrong way round, -0 as a bound
	'\x000200023f8000000000000000ff', '\x00020002800000003f80000000ff',
	-- no code for the least number, none for the greatest, codes without a range
	'\x00020002000000003f80000001ff', '\x00020002000000003f80000000fe',
	'\x000200023f8000003f80000000ff', '\x000200023f8000003f8000000000',
	-- an unused nibble that is not zero, codes that the numbers they decode to do not have
	'\x000300030000000041700000101f', '\x000300023f8000003f8000010080ff'
]::bytea[]) WITH ORDINALITY AS t(field, n)
ORDER BY n;
SELECT pg_temp.receive(('\x3e810001' || repeat('0000', 16001))::bytea);

-- Received into a type modifier: dimensions checked, format converted.
ALTER TABLE received ALTER v TYPE qvec(3, int8);
SELECT pg_temp.receive('\x000300003f800000c020000000000000');
SELECT pg_temp.receive('\x000200003f800000c0200000');

--
-- Quantising what was printed gives the same bytes back: in every format, over
-- generated vectors of many lengths and ranges, from denormal to the greatest.
--
CREATE TABLE generated AS
SELECT n, dims, array_agg(
		CASE n % 8
			WHEN 0 THEN number / 100.0
			WHEN 1 THEN number * 2::float8 ^ (j % 36 - 34)
			WHEN 2 THEN 1 + number * 2::float8 ^ -25
			WHEN 3 THEN 1 + number % 40 * 2::float8 ^ -23
			WHEN 4 THEN number % 7
			WHEN 5 THEN number * 2::float8 ^ -145
			WHEN 6 THEN number % 5 * 2::float8 ^ -149
			ELSE CASE WHEN j % 3 = 0 THEN 0 ELSE number END
		END::real ORDER BY j) AS numbers
FROM generate_series(1, 900) AS n,
	LATERAL (SELECT (ARRAY[1, 2, 3, 5, 15, 16, 17, 31, 33, 100, 784])[1 + n % 11] AS dims) AS d,
	LATERAL generate_series(1, dims) AS j,
	LATERAL (SELECT (n * 7919 + j * 104729 + n * j * 31) % 20011 - 10005 AS number) AS x
GROUP BY n, dims;

SELECT format, count(*) AS vectors,
	count(*) FILTER (WHERE qvec_send(qvec_in(qvec_out(v), 0, typmod)) = qvec_send(v)) AS same_text,
	count(*) FILTER (WHERE qvec_send(qvec(qvec(v, qvec_typmod_in(('{' || dims || '}')::cstring[]), true),
										  typmod, true)) = qvec_send(v)) AS same_numbers,
	count(*) FILTER (WHERE v::text ~ '(\[|,)-0(,|\])') AS negative_zeros
FROM generated,
	unnest(ARRAY['f32', 'f16', 'int8', 'int4']) WITH ORDINALITY AS f(format, number),
	LATERAL qvec_typmod_in(('{' || dims || ',' || format || '}')::cstring[]) AS typmod,
	LATERAL (SELECT array_to_qvec(numbers, typmod, true) AS v) AS q
GROUP BY format, number ORDER BY number;

-- f32 keeps the numbers; int8 and int4 err by half a step at most, where floats are fine enough.
SELECT count(*) FILTER (WHERE numbers <> array_to_qvec(numbers, -1, true)::real[]) AS f32_differs
FROM generated;
SELECT format, count(*) AS numbers, count(*) FILTER (WHERE abs(a - b) > step / 2 + abs(b) * 1e-7) AS too_far
FROM generated,
	(VALUES ('int8', 255), ('int4', 15)) AS f(format, steps),
	LATERAL qvec_typmod_in(('{' || dims || ',' || format || '}')::cstring[]) AS typmod,
	LATERAL (SELECT array_to_qvec(numbers, typmod, true)::float8[] AS decoded) AS q,
	LATERAL (SELECT (max(x)::float8 - min(x)) / steps AS step FROM unnest(numbers) AS x) AS s,
	LATERAL unnest(numbers::float8[], decoded) AS u(a, b)
WHERE n % 8 NOT IN (2, 3, 5, 6)
GROUP BY format ORDER BY format DESC;

-- All formats survive a binary round trip.
ALTER TABLE received ALTER v TYPE qvec;
DO $$
DECLARE
	sent bytea;
	back bytea;
	trips integer := 0;
BEGIN
	FOR sent IN
		SELECT qvec_send(array_to_qvec(numbers, typmod, true))
		FROM generated, unnest(ARRAY['f32', 'f16', 'int8', 'int4']) AS format,
			LATERAL qvec_typmod_in(('{' || dims || ',' || format || '}')::cstring[]) AS typmod
		WHERE n <= 22
	LOOP
		PERFORM pg_temp.receive(sent);
		SELECT qvec_send(v) INTO STRICT back FROM received;
		IF back <> sent THEN
			RAISE WARNING 'sent % and got %', sent, back;
		END IF;
		trips := trips + 1;
	END LOOP;
	RAISE NOTICE '% round trips', trips;
END $$;

DROP TABLE received, generated;
