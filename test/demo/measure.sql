-- measure.sql
--	  What the demo measures with: the recall and the time of a way to search. The first way that
--	  is measured is the truth for those that follow.
CREATE TABLE measured (
    number serial, way text, query int, found int[], milliseconds float8);

-- Runs `search`, a query for ids in which $1 is the vector looked for and $2 its code, for the
-- first pictures of queries.
CREATE PROCEDURE measure(way text, search text, pictures int DEFAULT 200) LANGUAGE plpgsql AS $$
DECLARE
    q record;
    answer int[];
    began timestamptz;
BEGIN
    FOR q IN SELECT * FROM queries ORDER BY id LIMIT pictures LOOP
        began := clock_timestamp();
        EXECUTE format('SELECT array_agg(id) FROM (%s) AS answer', search)
            INTO answer USING q.embedding, q.code;
        INSERT INTO measured (way, query, found, milliseconds)
            VALUES (way, q.id, answer, 1000 * extract(epoch FROM clock_timestamp() - began));
    END LOOP;
END
$$;

-- recall@10: the share of the ten truly nearest that was found.
CREATE VIEW result AS
SELECT m.way,
       round(avg(cardinality(ARRAY(
           SELECT unnest(m.found) INTERSECT SELECT unnest(truth.found)))) / 10, 3)
           AS "recall@10",
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY m.milliseconds)::numeric, 2)
           AS "median, ms"
FROM measured AS m
JOIN measured AS truth ON truth.query = m.query
    AND truth.way = (SELECT way FROM measured ORDER BY number LIMIT 1)
GROUP BY m.way ORDER BY min(m.number);
