-- qvec: distances, arithmetic, parts, comparison, indexes for equality and order
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

--
-- Distances
--
SELECT '[0,0]'::qvec <-> '[3,4]' AS l2, '[1,2]'::qvec <#> '[3,4]' AS negative_ip,
	'[1,0]'::qvec <=> '[0,2]' AS cosine, '[0,0]'::qvec <+> '[3,-4]' AS l1;
SELECT l2_distance('[0,0]', '[3,4]'), inner_product('[1,2]', '[3,4]'),
	negative_inner_product('[1,2]', '[3,4]'), cosine_distance('[1,0]', '[0,2]'),
	l1_distance('[0,0]', '[3,-4]');
SELECT '[1,1]'::qvec <#> '[1,-1]' AS orthogonal, '[1e-30]'::qvec <#> '[1e-30]' AS tiny;

-- Cosine stays within [0, 2], is exact where it can be, and NaN for a zero vector.
SELECT '[0.1,0.2,0.3]'::qvec <=> '[0.1,0.2,0.3]' AS same, '[1,2]'::qvec <=> '[2,4]' AS parallel,
	'[1,2]'::qvec <=> '[-1,-2]' AS opposite, '[3e38,3e38]'::qvec <=> '[1e-45,1e-45]' AS extremes,
	'[0,0]'::qvec <=> '[1,2]' AS zero, '[0,0]'::qvec <=> '[0,0]' AS zeros;
SELECT '[3.4e38,-3.4e38]'::qvec <-> '[-3.4e38,3.4e38]' AS greatest_l2,
	'[3.4e38,-3.4e38]'::qvec <+> '[-3.4e38,3.4e38]' AS greatest_l1;

-- Any mix of formats.
SELECT a.format, b.format, a.v <-> b.v AS l2, a.v <#> b.v AS ip, a.v <+> b.v AS l1, a.v <=> b.v AS cosine
FROM (VALUES (1, 'f32', '[0,15,3]'::qvec), (2, 'f16', '[0,15,3]'::qvec(3, f16)),
		(3, 'int8', '[0,255,3]'::qvec(3, int8)), (4, 'int4', '[0,15,3]'::qvec(3, int4)))
		AS a(n, format, v),
	(VALUES (1, 'f32', '[0,15,7]'::qvec), (2, 'f16', '[0,15,7]'::qvec(3, f16)),
		(3, 'int8', '[0,255,7]'::qvec(3, int8)), (4, 'int4', '[0,15,7]'::qvec(3, int4)))
		AS b(n, format, v)
ORDER BY a.n, b.n;

-- Within: at most the radius; never when distance or radius is NaN.
SELECT r, l2_within('[0,0]', '[3,4]', r), cosine_within('[1,0]', '[0,2]', r),
	cosine_within('[1,0]', '[0,0]', r) AS zero_vector
FROM unnest(ARRAY[-1, 0, 1, 4.999999999, 5, 'Infinity', 'NaN']::float8[]) AS r;

-- Hyperbolic: acosh(1 + 2 |x-y|^2 / ((1-|x|^2) (1-|y|^2))), exact to the last digits for near points.
SELECT round(poincare_distance('[0,0]', '[0.5,0]')::numeric, 12) AS from_centre,
	round(ln(3::numeric), 12) AS ln_3,
	round(poincare_distance('[0.5,0.5]', '[-0.5,0.25]')::numeric, 12) AS general,
	round(acosh(1 + 2 * 1.0625 / (0.5 * 0.6875))::numeric, 12) AS by_acosh,
	poincare_distance('[0.5,0.5]', '[0.5,0.5]') AS same;
SELECT round((poincare_distance('[0]', '[1e-20]') * 1e20)::numeric, 6) AS near_the_centre;

SELECT query, pg_temp.fails('SELECT ' || query) AS error
FROM unnest(ARRAY[
	'''[1,2]''::qvec <-> ''[1,2,3]''',
	'''[1,2]''::qvec <#> ''[1,2,3]''',
	'''[1,2]''::qvec <=> ''[1,2,3]''',
	'''[1,2]''::qvec <+> ''[1,2,3]''',
	'inner_product(''[1]'', ''[1,2]'')',
	'l2_within(''[1]'', ''[1,2]'', 1)',
	'cosine_within(''[1]'', ''[1,2]'', 1)',
	'poincare_distance(''[0.5]'', ''[0.5,0.5]'')',
	'poincare_distance(''[1,0]'', ''[0,0]'')',
	'poincare_distance(''[0,0]'', ''[3,4]'')'
]) WITH ORDINALITY AS t(query, n)
ORDER BY n;

--
-- Parts and arithmetic; what is computed is f32
--
SELECT qvec_dims('[1,2,3]'), qvec_norm('[3,4]'), qvec_norm('[0,0]'), qvec_format('[1]');
SELECT l2_normalize('[3,4]'), l2_normalize('[0,-0]'),
	l2_normalize('[3e38,3e38]'), l2_normalize('[1e-45]');
SELECT '[1,2,3]'::qvec + '[4,5,-3]' AS sum, '[1,2,3]'::qvec - '[4,2,-3]' AS difference,
	'[1,2,3]'::qvec * '[4,0,-3]' AS product, '[-1]'::qvec * '[0]' AS zero, '[1,2]'::qvec || '[3]' AS joined;
SELECT qvec_format('[1]'::qvec(1, f16) + '[1]'::qvec(1, f16)), qvec_format('[1]'::qvec(1, int8) || '[1]'),
	qvec_format(subvector('[1,2]'::qvec(2, int4), 1, 1)), qvec_format(l2_normalize('[1]'::qvec(1, int8)));
SELECT '[1e-30]'::qvec * '[1e-30]' AS rounds_to_zero;

SELECT start, count, subvector('[1,2,3,4,5]', start, count)
FROM (VALUES (1, 3), (2, 1), (5, 1), (3, 100), (-1, 4), (0, 2), (1, 2147483647)) AS t(start, count);

SELECT query, pg_temp.fails('SELECT ' || query) AS error
FROM unnest(ARRAY[
	'subvector(''[1,2,3]'', 1, 0)',
	'subvector(''[1,2,3]'', 1, -1)',
	'subvector(''[1,2,3]'', 4, 1)',
	'subvector(''[1,2,3]'', -2, 3)',
	'subvector(''[1,2,3]'', -2147483648, 2147483647)',
	'subvector(''[1,2,3]'', 2147483647, 2147483647)',
	'subvector(''[1,2,3]'', -2147483648, -2147483648)',
	'''[1,2]''::qvec + ''[1]''',
	'''[1,2]''::qvec - ''[1]''',
	'''[1,2]''::qvec * ''[1]''',
	'''[1,3e38]''::qvec + ''[1,3e38]''',
	'''[-3e38]''::qvec - ''[3e38]''',
	'''[1,1e20]''::qvec * ''[1,-1e20]''',
	'array_fill(1, ARRAY[9000])::qvec || array_fill(1, ARRAY[7001])::qvec'
]) WITH ORDINALITY AS t(query, n)
ORDER BY n;
SELECT qvec_dims(array_fill(1, ARRAY[9000])::qvec || array_fill(1, ARRAY[7000])::qvec);

--
-- Comparison: numbers first, then dimensions; formats do not matter
--
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt,
	qvec_cmp(a, b) AS cmp, qvec_hash(a) = qvec_hash(b) AS same_hash
FROM (VALUES
	('[1,2]'::qvec, '[1,2]'::qvec),
	('[1,2]', '[1,3]'),
	('[2]', '[1,3]'),
	('[1]', '[1,0]'),
	('[1,2,3]', '[1,2]'),
	('[0]', '[-0]'),
	('[-1]', '[1]'),
	('[1,2]', '[1,2]'::qvec(2, f16)),
	('[0,17,255]'::qvec(3, int8), '[0,17,255]'::qvec),
	('[0,1,15]'::qvec(3, int4), '[0,1,15]'::qvec(3, f16)),
	('[0.1]'::qvec(1, f16), '[0.1]'::qvec)) AS t(a, b);

-- DISTINCT, GROUP BY and joins by sort and by hash take equal numbers for equal.
CREATE TABLE mixed (n integer, v qvec);
INSERT INTO mixed SELECT n, format('[%s,%s]', n % 5, n % 3)::qvec FROM generate_series(1, 60) AS n;
INSERT INTO mixed SELECT n, v::qvec(2, f16) FROM mixed;
SET enable_hashagg = off;
SELECT v, count(*) FROM mixed GROUP BY v ORDER BY v LIMIT 5;
RESET enable_hashagg;
SET enable_sort = off;
SELECT count(*) FROM (SELECT DISTINCT v FROM mixed) AS d;
RESET enable_sort;
SET enable_nestloop = off;
SET enable_hashjoin = off;
SELECT count(*) FROM mixed AS a JOIN mixed AS b USING (v);
RESET enable_hashjoin;
SET enable_mergejoin = off;
SELECT count(*) FROM mixed AS a JOIN mixed AS b USING (v);
RESET enable_mergejoin;
RESET enable_nestloop;

CREATE INDEX mixed_btree ON mixed USING btree (v);
CREATE INDEX mixed_hash ON mixed USING hash (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT v FROM mixed WHERE v < '[0,1]' ORDER BY v;
SELECT v, n FROM mixed WHERE v < '[0,1]' ORDER BY v, n;
DROP INDEX mixed_btree;
EXPLAIN (COSTS OFF) SELECT n FROM mixed WHERE v = '[4,2]';
SELECT n, qvec_format(v) FROM mixed WHERE v = '[4,2]' ORDER BY n, v, 2;
RESET enable_bitmapscan;
RESET enable_seqscan;
TRUNCATE mixed;
CREATE UNIQUE INDEX ON mixed (v);
INSERT INTO mixed VALUES (1, '[1,2]');
INSERT INTO mixed VALUES (2, '[1,2]'::qvec(2, int8)) ON CONFLICT DO NOTHING;
SELECT pg_temp.fails('INSERT INTO mixed VALUES (2, ''[1,2]''::qvec(2, f16))');
DROP TABLE mixed;

SELECT amvalidate(oid), opcname FROM pg_opclass WHERE opcname = 'qvec_ops';

--
-- Distances are those that SQL computes over the numbers, in every mix of formats, for short and
-- for toasted values; up to the rounding of double sums in another order.
--
CREATE TABLE pairs AS
SELECT n, dims, array_to_qvec(array_agg(a ORDER BY j), type_a, true) AS a,
	array_to_qvec(array_agg(b ORDER BY j), type_b, true) AS b
FROM generate_series(1, 300) AS n,
	LATERAL (SELECT (ARRAY[1, 2, 3, 7, 8, 9, 15, 16, 17, 29, 30, 63, 100, 784])[1 + n % 14] AS dims,
			(ARRAY['f32', 'f16', 'int8', 'int4'])[1 + n % 4] AS format_a,
			(ARRAY['f32', 'f16', 'int8', 'int4'])[1 + n / 4 % 4] AS format_b) AS d,
	LATERAL qvec_typmod_in(('{' || dims || ',' || format_a || '}')::cstring[]) AS type_a,
	LATERAL qvec_typmod_in(('{' || dims || ',' || format_b || '}')::cstring[]) AS type_b,
	LATERAL generate_series(1, dims) AS j,
	LATERAL (SELECT ((n * 7919 + j * 104729 + n * j * 31) % 20011 - 10005) / 100.0::real AS a,
			((n * 104729 + j * 7919 + n * j * 37) % 20011 - 10005) / 300.0::real AS b) AS x
GROUP BY n, dims, type_a, type_b;

SELECT count(*) AS pairs,
	count(*) FILTER (WHERE abs((a <-> b) - sqrt(squares)) > 1e-12 * sqrt(squares)) AS wrong_l2,
	count(*) FILTER (WHERE abs((a <#> b) + dot) > 1e-12 * sqrt(norm_a * norm_b)) AS wrong_ip,
	count(*) FILTER (WHERE abs((a <=> b) - (1 - dot / sqrt(norm_a * norm_b))) > 1e-12) AS wrong_cosine,
	count(*) FILTER (WHERE abs((a <+> b) - absolutes) > 1e-12 * absolutes) AS wrong_l1,
	count(*) FILTER (WHERE abs(qvec_norm(a) - sqrt(norm_a)) > 1e-12 * sqrt(norm_a)) AS wrong_norm,
	count(*) FILTER (WHERE (a <-> b) <> (b <-> a) OR (a <=> b) <> (b <=> a)
						OR (a <#> b) <> (b <#> a) OR (a <+> b) <> (b <+> a)) AS asymmetric,
	count(*) FILTER (WHERE NOT l2_within(a, b, a <-> b) OR l2_within(a, b, (a <-> b) - 1e-9)
						OR NOT cosine_within(a, b, a <=> b)) AS wrong_within,
	count(*) FILTER (WHERE (a + b)::real[] <> sums OR (a * b)::real[] <> products) AS wrong_arithmetic,
	count(*) FILTER (WHERE a || b <> (a::real[] || b::real[])::qvec) AS wrong_joined,
	count(*) FILTER (WHERE subvector(a || b, 1, dims) <> a
						OR subvector(a || b, dims + 1, dims) <> b) AS wrong_parts
FROM pairs,
	LATERAL (SELECT sum((x - y) ^ 2) AS squares, sum(x * y) AS dot, sum(x * x) AS norm_a,
			sum(y * y) AS norm_b, sum(abs(x - y)) AS absolutes,
			array_agg(x::real + y::real ORDER BY j) AS sums,
			array_agg(x::real * y::real ORDER BY j) AS products
		FROM unnest(a::float8[], b::float8[]) WITH ORDINALITY AS u(x, y, j)) AS s;

-- The order is that of the arrays of numbers, and equality and hash do not see the format.
SELECT count(*) FILTER (WHERE qvec_cmp(p.a, q.b) <> btarraycmp(p.a::real[], q.b::real[])) AS wrong_order,
	count(*) FILTER (WHERE (p.a = q.a) <> (p.n = q.n)) AS wrong_equality
FROM pairs AS p JOIN pairs AS q ON p.n % 20 = q.n % 20;
SELECT count(*) FILTER (WHERE a <> plain) AS unequal,
	count(*) FILTER (WHERE qvec_hash(a) <> qvec_hash(plain)
						OR qvec_hash_extended(a, 42) <> qvec_hash_extended(plain, 42)) AS wrong_hash
FROM pairs, LATERAL (SELECT a::float8[]::qvec AS plain) AS x;
DROP TABLE pairs;
