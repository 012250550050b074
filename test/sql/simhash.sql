-- hashidx_simhash: arguments, golden codes, the same on every SIMD level
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- A vector of generated numbers; only operations that round the same way everywhere.
CREATE FUNCTION pg_temp.generated(n integer, dims integer) RETURNS qvec LANGUAGE sql AS $$
	SELECT array_agg((((n * 7919 + j * j * 31 + j * n * 4729) % 20011 - 10005) / 128.0)::real ORDER BY j)::qvec
	FROM generate_series(1, dims::bigint) AS j
$$;

-- Golden codes: stored codes must keep their meaning, so these never change.
SELECT dims, bits, seed, hashidx_simhash(pg_temp.generated(1, dims), bits, seed)
FROM (VALUES (1, 8, 0), (2, 8, 0), (3, 16, 0), (3, 16, 1), (3, 16, -1), (16, 13, 0), (17, 32, 0), (100, 64, 0),
		(100, 64, 7), (100, 64, 9223372036854775807), (100, 64, '-9223372036854775808'), (128, 128, 0), (784, 64, 0),
		(784, 64, 42), (1536, 64, 0)) AS t(dims, bits, seed);
SELECT dims, bits, seed, md5(hashidx_simhash(pg_temp.generated(2, dims), bits, seed)::text)
FROM (VALUES (784, 256, 0), (784, 1024, 0), (784, 5000, 0), (784, 65536, 0), (1, 65536, 0), (16000, 256, 3)) AS t(dims, bits, seed);

-- The code is that of the numbers, so a format changes it as it changes them.
SELECT hashidx_simhash(v, 32), hashidx_simhash(v::qvec(100, f16), 32) AS f16,
	hashidx_simhash(v::qvec(100, int8), 32) AS int8, hashidx_simhash(v::qvec(100, int4), 32) AS int4,
	hashidx_simhash(v::qvec(100, int4), 32) = hashidx_simhash(v::qvec(100, int4)::qvec(100), 32) AS same_numbers
FROM (SELECT pg_temp.generated(3, 100) AS v) AS t;

-- The seed defaults to 0; a prefix of the code is the shorter code.
SELECT hashidx_simhash(v, 100) = hashidx_simhash(v, 100, 0) AS same_seed,
	hashidx_simhash(v, 100, 1) <> hashidx_simhash(v, 100, 2) AS other_seed,
	left(hashidx_simhash(v, 1000)::text, 77) = hashidx_simhash(v, 77)::text AS prefix
FROM (SELECT pg_temp.generated(4, 300) AS v) AS t;

-- The length of the vector does not matter, the direction does; the zero vector has code zero.
SELECT hashidx_simhash('[0,0,0]', 12),
	hashidx_simhash('[1.5,2.75,3.625]', 500) = hashidx_simhash('[6,11,14.5]', 500) AS scaled,
	hashidx_simhash('[1.5,2.75,3.625]', 500)
		= hashidx_simhash((ARRAY[1.5, 2.75, 3.625]::qvec * array_fill(2::float8 ^ 125, ARRAY[3])::qvec), 500) AS up,
	hashidx_simhash('[1.5,2.75,3.625]', 500)
		= hashidx_simhash((ARRAY[1.5, 2.75, 3.625]::qvec * array_fill(2::float8 ^ -146, ARRAY[3])::qvec), 500) AS down;
SELECT hamming_distance(hashidx_simhash(v, 500), hashidx_simhash('[0]'::qvec(1) || v, 500)) > 0 AS shifted,
	hamming_distance(hashidx_simhash(v, 500), hashidx_simhash(v - v - v, 500)) AS opposite
FROM (SELECT pg_temp.generated(5, 100) AS v) AS t;

-- The share of bits that differ estimates the angle.
SELECT degrees, round(avg(bits) * 180 / 8192) AS estimated
FROM unnest(ARRAY[0, 10, 45, 90, 135]) AS degrees,
	generate_series(1, 4) AS seed,
	LATERAL (SELECT array_fill(0::float8, ARRAY[64]) AS zeros) AS z,
	LATERAL hamming_distance(
		hashidx_simhash((ARRAY[1, 0] || zeros)::qvec, 8192, seed),
		hashidx_simhash((ARRAY[cosd(degrees), sind(degrees)] || zeros)::qvec, 8192, seed)) AS bits
GROUP BY degrees ORDER BY degrees;

SELECT length(hashidx_simhash('[1,2]', 1)) AS shortest, length(hashidx_simhash('[1,2]', 65536)) AS longest,
	hashidx_simhash(NULL, 8) AS of_null;
SELECT hashidx_simhash('[1,2]', 0);
SELECT hashidx_simhash('[1,2]', -5);
SELECT hashidx_simhash('[1,2]', 65537);
\set VERBOSITY sqlstate
SELECT hashidx_simhash('[1,2]', 0);
\set VERBOSITY default

-- It may stand in an index expression and in a generated column.
CREATE TABLE coded (v qvec(3), code bincode(16) GENERATED ALWAYS AS (hashidx_simhash(v, 16)) STORED);
CREATE INDEX ON coded (hashidx_simhash(v, 64, 1));
INSERT INTO coded VALUES ('[1,2,3]'), ('[-1,2,-3]');
SELECT v, code = hashidx_simhash(v, 16) AS same FROM coded;
DROP TABLE coded;

-- Every SIMD level this machine has gives the same codes over 2,000 vectors, and those are known.
CREATE TEMP TABLE vectors AS
SELECT n, v FROM generate_series(1, 2000) AS n,
	LATERAL pg_temp.generated(n, (ARRAY[3, 16, 50, 100, 130])[1 + n % 5]) AS v;
CREATE TEMP TABLE results (level text, codes text);
DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['generic', 'x86-64-v2', 'avx2', 'avx512', 'neon'] LOOP
		BEGIN
			PERFORM set_config('hashidx.simd', wanted, false);
		EXCEPTION WHEN invalid_parameter_value THEN
			CONTINUE;
		END;
		INSERT INTO results
			SELECT hashidx_simd(), md5(string_agg(hashidx_simhash(v, 1 + n % 400, n % 10)::text, ',' ORDER BY n))
			FROM vectors;
	END LOOP;
END $$;
RESET hashidx.simd;
SELECT count(*) FILTER (WHERE level = 'generic') AS generic, count(*) = count(DISTINCT level) AS each_once,
	count(DISTINCT codes) AS answers, min(codes) AS codes
FROM results;
