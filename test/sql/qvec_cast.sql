-- qvec: casts from and to arrays
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

-- From arrays.
SELECT '{1,2.5,-3}'::real[]::qvec AS from_real, '{1,2.5,-3}'::float8[]::qvec AS from_double,
	'{1,2,-3}'::integer[]::qvec AS from_integer, '{1,2.5,-3}'::numeric[]::qvec AS from_numeric;
SELECT '{-0,0}'::real[]::qvec AS negative_zero, '{1e-60,-1e-60}'::float8[]::qvec AS underflow,
	'{16777217,2147483647}'::integer[]::qvec AS rounded, '[7:8]={1,2}'::integer[]::qvec AS bounds;

-- One rounding only: a numeric just above the middle of two floats, which double would put on it.
SELECT '{1.000000059604644775390626}'::numeric[]::qvec AS from_numeric,
	'{1.000000059604644775390626}'::float8[]::qvec AS from_double,
	'[1.000000059604644775390626]'::qvec AS from_text;

-- To arrays.
SELECT v::real[], v::float8[], v::integer[], v::numeric[]
FROM (VALUES ('[1,2.5,-3.5,0.1]'::qvec), ('[0,1,15]'::qvec(3, int4)), ('[0.1]'::qvec(1, f16))) AS t(v);
SELECT '[0.5,1.5,-0.5,-1.5,0.49999997]'::qvec::integer[] AS half_to_even,
	'[2147483520,-2147483648]'::qvec::integer[] AS extremes;
SELECT '[3.4028235e38,1e-45]'::qvec::numeric[];

-- Into dimensions and a format, in one step.
SELECT v, qvec_format(v)
FROM (VALUES (ARRAY[1, 2]::qvec(2)), (ARRAY[1, 2.5]::qvec(2, f16)), ('{1,2}'::real[]::qvec(2, int8)),
		('{1,2}'::float8[]::qvec(2, int4)), ('{1,2}'::real[]::qvec)) AS t(v);

-- On assignment, both ways; a function argument or an operator does not cast by itself.
CREATE TABLE assigned (v qvec(2, f16), r real[], d float8[], i integer[], m numeric[]);
INSERT INTO assigned (v) VALUES (ARRAY[1, 2]), (ARRAY[1.5, 2]), ('{3,4}'::real[]), ('{0.1,5}'::float8[]);
UPDATE assigned SET r = v, d = v, i = v, m = v;
SELECT * FROM assigned;
SELECT pg_temp.fails('SELECT l2_normalize(ARRAY[1,2])');
DROP TABLE assigned;

SELECT query, pg_temp.fails('SELECT ' || query) AS error
FROM unnest(ARRAY[
	'''{}''::real[]::qvec',
	'''{}''::numeric[]::qvec(3)',
	'''{{1,2},{3,4}}''::integer[]::qvec',
	'''{{{1}}}''::float8[]::qvec',
	'''{1,NULL}''::real[]::qvec',
	'''{1,NULL}''::numeric[]::qvec',
	'''{1,NaN}''::real[]::qvec',
	'''{1,NaN}''::numeric[]::qvec',
	'''{Infinity}''::real[]::qvec',
	'''{1,-Infinity}''::float8[]::qvec',
	'''{Infinity}''::numeric[]::qvec',
	'''{1,2,1e39}''::float8[]::qvec',
	'''{-1e200}''::numeric[]::qvec',
	'''{65520}''::integer[]::qvec(1, f16)',
	'''{1,2}''::real[]::qvec(3)',
	'''{1,2,3,4}''::numeric[]::qvec(3, int8)',
	'array_fill(1, ARRAY[16001])::qvec',
	'''[1,2147483648]''::qvec::integer[]',
	'''[-3e9]''::qvec::integer[]'
]) WITH ORDINALITY AS t(query, n)
ORDER BY n;

-- Arrays of all four types agree with each other, and the numbers come back.
SELECT count(*) AS vectors,
	count(*) FILTER (WHERE v <> d::qvec OR v <> m::qvec OR v <> r::text::numeric[]::qvec) AS differ,
	count(*) FILTER (WHERE v::real[] <> r OR v::float8[] <> r::float8[] OR v::numeric[]::qvec <> v
						OR v::text <> '[' || array_to_string(r, ',') || ']') AS not_back,
	count(*) FILTER (WHERE v::integer[] <> rounded OR rounded::qvec::integer[] <> rounded) AS integers_differ
FROM generate_series(1, 500) AS n,
	LATERAL (SELECT array_agg(x::real ORDER BY j) AS r, array_agg(x::real::float8 ORDER BY j) AS d,
			array_agg(x::real::text::numeric ORDER BY j) AS m,
			array_agg(x::real::integer ORDER BY j) AS rounded
		FROM generate_series(1, 1 + n % 50) AS j,
			LATERAL (SELECT ((n * 7919 + j * 104729 + n * j * 31) % 20011 - 10005) / (1 + n % 64 * 0.25) AS x) AS x
	) AS a,
	LATERAL (SELECT r::qvec AS v) AS q;
