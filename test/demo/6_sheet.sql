-- 6_sheet.sql
--	  For one picture of each kind: its id, its kind and its neighbours, for contact_sheet.pl.
WITH chosen AS (
    SELECT DISTINCT ON (label) * FROM queries WHERE id >= 10 ORDER BY label, id)
SELECT q.id, qk.kind, string_agg(n.id || ':' || nk.kind, ' ' ORDER BY n.distance)
FROM chosen AS q
JOIN kinds AS qk USING (label)
CROSS JOIN LATERAL (
    SELECT id, label, embedding <-> q.embedding AS distance
    FROM (SELECT * FROM images ORDER BY code <~> q.code LIMIT 100) AS near
    ORDER BY distance LIMIT 10) AS n
JOIN kinds AS nk ON nk.label = n.label
GROUP BY q.id, qk.kind ORDER BY q.id;
