-- Three ways to the ten nearest. measure() (in measure.sql) runs a search for 200 pictures.
-- $1 is the vector of the picture looked for, $2 its code.

-- 1. Exactly: compare with all vectors.
SELECT measure('all vectors', 'SELECT id FROM images ORDER BY embedding <-> $1 LIMIT 10');

-- 2. By codes, with the index.
SELECT measure('codes, index', $$
    SELECT id FROM (SELECT id, embedding FROM images ORDER BY code <~> $2 LIMIT 100) AS near
    ORDER BY embedding <-> $1 LIMIT 10 $$);

-- 3. By codes, without the index.
SET enable_indexscan = off;
SELECT measure('codes, no index', $$
    SELECT id FROM (SELECT id, embedding FROM images ORDER BY code <~> $2 LIMIT 100) AS near
    ORDER BY embedding <-> $1 LIMIT 10 $$);

-- recall: how many of the ten that are truly nearest were found.
SELECT m.way,
       round(avg((SELECT count(*) FROM unnest(m.found) AS f WHERE f = ANY (t.found)) / 10.0), 3)
           AS "recall@10",
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY m.milliseconds)::numeric, 2)
           AS "milliseconds (median)"
FROM measured AS m JOIN measured AS t ON t.query = m.query AND t.way = 'all vectors'
GROUP BY m.way ORDER BY 3 DESC;
