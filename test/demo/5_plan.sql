-- How the server does it: the index hands out rows in the order of their codes, nearest first.
EXPLAIN (ANALYZE, COSTS OFF)
SELECT id FROM (
    SELECT id, embedding FROM images
    ORDER BY code <~> (SELECT code FROM queries WHERE id = 0) LIMIT 100) AS near
ORDER BY embedding <-> (SELECT embedding FROM queries WHERE id = 0) LIMIT 10;
