-- Buckets as a column: joins on them find near pairs without an index of ours.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- Keys are stored by users: these may never change.
SELECT hashidx_lsh_keys('[1,2,3]'::qvec, 2, 8) AS hyperplane,
	   hashidx_lsh_keys('[1,2,3]'::qvec, 2, 1, family => 'cross_polytope') AS cross_polytope,
	   hashidx_lsh_keys('[1,2,3]'::qvec, 2, 4, 7, 'p_stable', 0.5) AS p_stable,
	   hashidx_lsh_keys(bincode '0110100110010110', 2, 6) AS bits,
	   hashidx_lsh_keys(ARRAY[1, 2, 3], 2, 3) AS minhash \gx

-- One key a table, the same for the same point.
SELECT cardinality(hashidx_lsh_keys('[1,2,3]'::qvec, 256, 64)) AS tables,
	   hashidx_lsh_keys('[1,2]'::qvec, 3, 8) = hashidx_lsh_keys('[2,4]'::qvec, 3, 8) AS same_direction,
	   hashidx_lsh_keys('[1,2]'::qvec, 3, 8) = hashidx_lsh_keys('[1,2]'::qvec(2, int8), 3, 8) AS other_format,
	   hashidx_lsh_keys('[1,2]'::qvec, 3, 8) = hashidx_lsh_keys('[1,2]'::qvec, 3, 8, 1) AS other_seed,
	   hashidx_lsh_keys('{}'::int[], 2, 2) = hashidx_lsh_keys('{}'::text[], 2, 2) AS empty_sets,
	   hashidx_lsh_keys('[0,0]'::qvec, 2, 2) = hashidx_lsh_keys('[0,0]'::qvec, 2, 2) AS zero_vectors;

-- Near-duplicates by a join on keys: each set has a copy with one element of 40 changed.
CREATE TABLE doc AS
	SELECT i AS id, array_agg(1000 * (i % 200) + j + CASE WHEN i > 200 AND j = 1 THEN 500 ELSE 0 END) AS s
	FROM generate_series(1, 400) i, generate_series(1, 40) j GROUP BY i;
WITH key AS (
	SELECT id, s, unnest(hashidx_lsh_keys(s, 20, 5)) AS key FROM doc
), pair AS (
	SELECT DISTINCT a.id AS a, b.id AS b FROM key a JOIN key b USING (key)
	WHERE a.id < b.id AND jaccard_within(a.s, b.s, 0.1)
)
SELECT count(*) AS found, count(*) FILTER (WHERE b = a + 200) AS right_ones FROM pair;
DROP TABLE doc;

-- Errors.
SELECT hashidx_lsh_keys('[1,2,3]'::qvec, 0, 8);
SELECT hashidx_lsh_keys('[1,2,3]'::qvec, 257, 8);
SELECT hashidx_lsh_keys('[1,2,3]'::qvec, 1, -1);
SELECT hashidx_lsh_keys('[1,2,3]'::qvec, 1, 1, 0, 'minhash');
SELECT hashidx_lsh_keys('[1,2,3]'::qvec, 1, 1, 0, 'p_stable', 0);
SELECT hashidx_lsh_keys('[1,2,3]'::qvec, 1, 1, 0, 'p_stable', 'NaN');
SELECT hashidx_lsh_keys(bincode '0101', 1, 5);
SELECT hashidx_lsh_keys(ARRAY[1, NULL], 1, 1);
SELECT hashidx_lsh_keys(ARRAY[true], 1, 1);
