-- MinHash signatures of arrays and of rows, what they estimate, and codes of their bits.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- Signatures are stored by users: these may never change.
SELECT hashidx_minhash(ARRAY[1, 2, 3], 4), hashidx_minhash(ARRAY['a', 'b'], 2, 7);

-- A set is a set: order, duplicates, dimensions and the width of integers do not matter.
SELECT hashidx_minhash(ARRAY[1, 2, 3], 16) = hashidx_minhash(ARRAY[[3, 2], [1, 1]], 16) AS order_and_shape,
	   hashidx_minhash(ARRAY[1, -2], 16) = hashidx_minhash(ARRAY[1, -2]::bigint[], 16) AS width,
	   hashidx_minhash(ARRAY[1, 2], 16) = hashidx_minhash(ARRAY[1, 3], 16) AS other_elements,
	   hashidx_minhash(ARRAY[1, 2], 16) = hashidx_minhash(ARRAY[1, 2], 16, 1) AS other_seed,
	   hashidx_minhash(ARRAY['1', '2'], 16) = hashidx_minhash(ARRAY[1, 2], 16) AS other_type;

-- The empty set agrees with itself alone.
SELECT hashidx_minhash('{}'::int[], 3), hashidx_minhash('{}'::text[], 3);
SELECT hashidx_minhash_jaccard(hashidx_minhash('{}'::int[], 8), hashidx_minhash('{}'::int[], 8)) AS both,
	   hashidx_minhash_jaccard(hashidx_minhash('{}'::int[], 8), hashidx_minhash('{1}'::int[], 8)) AS one;

-- Estimates: 100 pairs of sets of 300 elements, 200 in common (similarity 0.5).
WITH pair AS (
	SELECT array_agg(1000 * i + j) FILTER (WHERE j <= 300) AS a,
		   array_agg(1000 * i + j) FILTER (WHERE j > 100) AS b
	FROM generate_series(1, 100) i, generate_series(1, 400) j GROUP BY i
), estimate AS (
	SELECT hashidx_minhash(a, 256) AS x, hashidx_minhash(b, 256) AS y FROM pair
)
SELECT avg(hashidx_minhash_jaccard(x, y)) BETWEEN 0.49 AND 0.51 AS mean,
	   min(hashidx_minhash_jaccard(x, y)) > 0.35 AND max(hashidx_minhash_jaccard(x, y)) < 0.65 AS spread,
	   avg(hashidx_minhash_jaccard(hashidx_minhash_code(x), hashidx_minhash_code(y))) BETWEEN 0.48 AND 0.52 AS one_bit,
	   avg(hashidx_minhash_jaccard(hashidx_minhash_code(x, 4), hashidx_minhash_code(y, 4), 4)) BETWEEN 0.49 AND 0.51 AS four_bits,
	   avg(1 - 2 * (hashidx_minhash_code(x) <~> hashidx_minhash_code(y)) / 256) BETWEEN 0.48 AND 0.52 AS by_hand
FROM estimate;

-- Codes: the lowest bits of each value, and never a similarity below 0.
SELECT hashidx_minhash_code('{5,2,-3}'), hashidx_minhash_code('{5,2,-3}', 3),
	   hashidx_minhash_jaccard(hashidx_minhash_code('{5,2,-3}', 3), hashidx_minhash_code('{5,2,-3}', 3), 3) AS itself,
	   hashidx_minhash_jaccard(bincode '0000', bincode '1111') AS opposite,
	   hashidx_minhash_jaccard(bincode '0011', bincode '0111', 2) AS half;

-- The aggregate is the function over array_agg, in parallel too, and leaves out nulls.
CREATE TABLE element (set_id int, id int, wide bigint, word text);
INSERT INTO element SELECT i % 5, i, i * 1000000007::bigint, 'word ' || i FROM generate_series(1, 2000) i;
SELECT bool_and(of_rows = of_array) AS integers, bool_and(of_wide = of_wide_array) AS bigints,
	   bool_and(of_words = of_word_array) AS texts, bool_and(with_seed = of_array_with_seed) AS seeds
FROM (
	SELECT hashidx_minhash_agg(id, 64) AS of_rows, hashidx_minhash(array_agg(id), 64) AS of_array,
		   hashidx_minhash_agg(wide, 64) AS of_wide, hashidx_minhash(array_agg(wide), 64) AS of_wide_array,
		   hashidx_minhash_agg(word, 64) AS of_words, hashidx_minhash(array_agg(word), 64) AS of_word_array,
		   hashidx_minhash_agg(id, 64, 9) AS with_seed, hashidx_minhash(array_agg(id), 64, 9) AS of_array_with_seed
	FROM element GROUP BY set_id
) groups;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off) SELECT hashidx_minhash_agg(word, 64) FROM element;
SELECT hashidx_minhash_agg(word, 64) = (SELECT hashidx_minhash(array_agg(word), 64) FROM element) AS in_parallel FROM element;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
SELECT hashidx_minhash_agg(x, 2) = hashidx_minhash(ARRAY[1], 2) AS nulls_left_out FROM (VALUES (1), (NULL)) v (x);
SELECT hashidx_minhash_agg(id, 4) IS NULL AS no_rows FROM element WHERE false;
SELECT hashidx_minhash_agg(NULL::text, 4) IS NULL AS only_nulls FROM element;
DROP TABLE element;

-- Nulls and errors.
SELECT hashidx_minhash(NULL::int[], 4) IS NULL AS no_set, hashidx_minhash(ARRAY[1], NULL) IS NULL AS no_count;
SELECT hashidx_minhash(ARRAY[1, NULL], 4);
SELECT hashidx_minhash(ARRAY[1.5], 4);
SELECT hashidx_minhash(ARRAY[1], 0);
SELECT hashidx_minhash(ARRAY[1], 65537);
SELECT cardinality(hashidx_minhash(ARRAY[1], 65536)) AS largest;
SELECT hashidx_minhash_agg(x::float8, 4) FROM generate_series(1, 2) x;
SELECT hashidx_minhash_agg(x, x) FROM generate_series(1, 2) x;
SELECT hashidx_minhash_agg(x, 4, x) FROM generate_series(1, 2) x;
SELECT hashidx_minhash_agg(x, NULL) FROM generate_series(1, 2) x;
SELECT hashidx_minhash_jaccard('{1,2}'::bigint[], '{1}');
SELECT hashidx_minhash_jaccard('{}'::bigint[], '{}');
SELECT hashidx_minhash_jaccard('{1,NULL}'::bigint[], '{1,2}');
SELECT hashidx_minhash_code('{1}', 9);
SELECT hashidx_minhash_code(hashidx_minhash(ARRAY[1], 65536), 2);
SELECT hashidx_minhash_jaccard(bincode '0011', bincode '001');
SELECT hashidx_minhash_jaccard(bincode '00111', bincode '00111', 2);
