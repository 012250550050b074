-- packages.sql
--     The commands that packages.pl times: near-duplicates among the descriptions of
--     Debian's packages. Each begins with a line "-- name". docs/deduplication.md explains them.

-- shingles
UPDATE package SET shingles = hashidx_element_hashes(hashidx_shingles(lower(description), 3));

-- compact
VACUUM FULL ANALYZE package;

-- index
CREATE INDEX package_shingles ON package USING hashidx_lsh (shingles) WITH (bands = 20, rows = 3);

-- join
CREATE TABLE pair AS
	SELECT a.id AS a, b.id AS b
	FROM package a JOIN package b ON jaccard_within(a.shingles, b.shingles, 0.2) AND a.id < b.id;

-- groups
CREATE TABLE member AS SELECT a AS id, least(a, min(b)) AS leader FROM (
	SELECT a, b FROM pair UNION ALL SELECT b, a FROM pair) p GROUP BY a;
CREATE INDEX ON member (id);
DO $$
DECLARE changed bigint;
BEGIN
	LOOP
		UPDATE member SET leader = lower.leader
		FROM (SELECT m.id, min(n.leader) AS leader
			  FROM member m
			  JOIN (SELECT a, b FROM pair UNION ALL SELECT b, a FROM pair) p ON p.a = m.id
			  JOIN member n ON n.id = p.b
			  GROUP BY m.id) lower
		WHERE lower.id = member.id AND lower.leader < member.leader;
		GET DIAGNOSTICS changed = ROW_COUNT;
		EXIT WHEN changed = 0;
	END LOOP;
END $$;

-- blocks
CREATE TABLE block AS
	SELECT id, unnest(hashidx_lsh_keys(shingles, 20, 3)) AS key FROM package WHERE shingles <> '{}';
ANALYZE block;

-- candidates
CREATE TABLE candidate AS
	SELECT DISTINCT a.id AS a, b.id AS b
	FROM block a JOIN block b USING (key)
	WHERE a.id < b.id AND key IN (SELECT key FROM block GROUP BY key HAVING count(*) BETWEEN 2 AND 1000);

-- prefixes
CREATE TABLE token AS
	SELECT token, row_number() OVER (ORDER BY count(*), token) AS rank
	FROM package, unnest(shingles) token GROUP BY token;
ANALYZE token;
CREATE TABLE prefix AS
	SELECT id, rank, size FROM (
		SELECT p.id, t.rank, p.size, row_number() OVER (PARTITION BY p.id ORDER BY t.rank) AS place
		FROM (SELECT id, cardinality(shingles) AS size, unnest(shingles) AS token FROM package) p
		JOIN token t USING (token)) s
	WHERE place <= size - ceil(0.8 * size) + 1;
ANALYZE prefix;

-- exact
CREATE TABLE exact AS
	SELECT a.id AS a, b.id AS b
	FROM (SELECT DISTINCT a.id AS a, b.id AS b
		  FROM prefix a JOIN prefix b USING (rank)
		  WHERE a.id < b.id AND a.size >= 0.8 * b.size AND b.size >= 0.8 * a.size) c
	JOIN package a ON a.id = c.a JOIN package b ON b.id = c.b
	WHERE jaccard_within(a.shingles, b.shingles, 0.2);

-- empty_pairs
INSERT INTO exact
	SELECT a.id, b.id FROM package a JOIN package b ON a.id < b.id
	WHERE a.shingles = '{}' AND b.shingles = '{}';

-- prefix_arrays
CREATE TABLE prefixed AS
	SELECT id, p.shingles, ranks AS prefix
	FROM package p JOIN (SELECT id, array_agg(rank) AS ranks FROM prefix GROUP BY id) r USING (id);

-- gin_index
CREATE INDEX prefixed_prefix ON prefixed USING gin (prefix);
ANALYZE prefixed;

-- gin_join
SELECT count(*)
	FROM prefixed a JOIN prefixed b ON a.prefix && b.prefix
		AND a.id < b.id AND jaccard_distance(a.shingles, b.shingles) <= 0.2;

-- sample
CREATE TABLE sampled AS SELECT id, shingles, description FROM package ORDER BY md5(id::text) LIMIT 100;
ANALYZE sampled;

-- nested
CREATE TABLE nested_pair AS
	SELECT a.id AS a, b.id AS b
	FROM (SELECT * FROM sampled LIMIT 20) a
	JOIN package b ON a.id <> b.id AND jaccard_distance(a.shingles, b.shingles) <= 0.2;

-- shingles_gin_index
CREATE INDEX package_gin ON package USING gin (shingles);

-- shingles_gin
SET enable_seqscan = off;
CREATE TABLE shingles_gin_pair AS
	SELECT a.id AS a, b.id AS b
	FROM sampled a JOIN package b ON a.shingles && b.shingles AND a.id <> b.id
		AND jaccard_distance(a.shingles, b.shingles) <= 0.2;

-- trgm_gin_index
CREATE INDEX package_trgm_gin ON package USING gin (description public.gin_trgm_ops);

-- trgm_gin
SET enable_seqscan = off;
SET pg_trgm.similarity_threshold = 0.8;
CREATE TABLE trgm_gin_pair AS
	SELECT a.id AS a, b.id AS b
	FROM (SELECT * FROM sampled LIMIT 20) a
	JOIN package b ON a.description OPERATOR(public.%) b.description AND a.id <> b.id;
DROP INDEX package_trgm_gin;

-- trgm_gist_index
/* Of longer texts the trigrams do not fit its pages. */
CREATE INDEX package_trgm_gist
	ON package USING gist (left(description, 2000) public.gist_trgm_ops (siglen = 256));
ANALYZE package;

-- trgm_gist
SET enable_seqscan = off;
SET pg_trgm.similarity_threshold = 0.8;
CREATE TABLE trgm_gist_pair AS
	SELECT a.id AS a, b.id AS b
	FROM (SELECT * FROM sampled LIMIT 20) a
	JOIN package b ON left(a.description, 2000) OPERATOR(public.%) left(b.description, 2000)
		AND a.id <> b.id;
