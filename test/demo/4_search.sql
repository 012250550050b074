-- Codes give a rough order, so: take the 100 nearest codes, then sort these by their vectors.
CREATE FUNCTION nearest(vector qvec, code bincode, candidates int DEFAULT 100)
RETURNS TABLE (id int, label smallint, distance float8) STABLE LANGUAGE sql AS $$
    SELECT id, label, embedding <-> vector
    FROM (SELECT * FROM images ORDER BY images.code <~> nearest.code LIMIT candidates) AS near
    ORDER BY embedding <-> vector LIMIT 10
$$;

-- What is like the pictures that are not in the table? For the first eight of them, the ids of
-- their ten nearest and how many of these are of the same kind.
SELECT q.kind, f.found AS ten_nearest, f.same_kind
FROM (SELECT * FROM queries JOIN kinds USING (label) ORDER BY id LIMIT 8) AS q
CROSS JOIN LATERAL (
    SELECT string_agg(id::text, ' ' ORDER BY distance) AS found,
           count(*) FILTER (WHERE label = q.label) AS same_kind
    FROM nearest(q.embedding, q.code)) AS f
ORDER BY q.id;
