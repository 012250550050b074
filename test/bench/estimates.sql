-- estimates.sql
--     How far EXPLAIN's rows are from the truth, for single queries over all radii.
--
-- CALL judge(subject, table, distance, condition, queries, radii, whole): in `distance` and
-- `condition` %L is the query, in the latter %s the radius; `queries` gives id and value; the radii
-- lie evenly between the nearest and the farthest row of each query, rounded if `whole`:
--
--     CALL judge('l2', 'images', 'embedding <-> %L', 'l2_within(embedding, %L, %s)',
--         'SELECT id, embedding AS value FROM queries', 40, false);
--     TABLE verdict;

CREATE TABLE cell (subject text, query integer, radius float8, actual float8, estimated float8);

CREATE FUNCTION planned(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8;
END $$;

CREATE PROCEDURE judge(subject text, source text, distance text, condition text, queries text,
		radii integer, whole boolean) LANGUAGE plpgsql AS $$
DECLARE
	q record;
	d float8[];
	r float8;
BEGIN
	FOR q IN EXECUTE queries LOOP
		EXECUTE format('SELECT array_agg(d ORDER BY d) FROM (SELECT %s AS d FROM %s) x WHERE d < ''infinity''',
			format(distance, q.value), source) INTO d;
		FOR g IN 0 .. radii - 1 LOOP
			r := d[1] + (d[cardinality(d)] - d[1]) * g / (radii - 1);
			IF whole THEN
				r := round(r);
			END IF;
			INSERT INTO cell VALUES (subject, q.id, r, width_bucket(r, d),
				planned(format('SELECT 1 FROM %s WHERE ', source) || format(condition, q.value, r)));
		END LOOP;
	END LOOP;
END $$;

-- The share of cells within a factor of 3, rows counted as 1 at least: of all, and by true rows.
CREATE VIEW verdict AS
	WITH judged AS (
		SELECT *, (abs(ln(greatest(actual, 1) / greatest(estimated, 1))) <= ln(3))::int AS good FROM cell)
	SELECT subject, count(*) AS cells, round(avg(good), 3) AS good,
		round(avg(good) FILTER (WHERE actual BETWEEN 2 AND 1000), 3) AS good_2_to_1000,
		round(avg(good) FILTER (WHERE actual BETWEEN 10 AND 10000), 3) AS good_10_to_10000
	FROM judged GROUP BY subject ORDER BY subject;
