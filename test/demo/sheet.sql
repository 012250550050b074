-- sheet.sql
--	  What contact_sheet.pl draws: a query of each kind, its ten nearest, and their kinds.
SELECT q.id, qk.kind, string_agg(n.id || ':' || nk.kind, ' ' ORDER BY n.distance)
FROM (SELECT DISTINCT ON (label) * FROM queries WHERE id >= 20 ORDER BY label, id) AS q
JOIN kinds AS qk USING (label)
CROSS JOIN LATERAL nearest(q.embedding, q.code) AS n
JOIN kinds AS nk ON nk.label = n.label
GROUP BY q.id, q.label, qk.kind ORDER BY q.label;
