-- Ranges on vectors and sets: how many rows the planner expects.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- Rows that the planner expects of a condition, against those that there are.
CREATE FUNCTION expected_rows(condition text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) SELECT * FROM point WHERE ' || condition INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8;
END $$;
CREATE FUNCTION is_near(condition text, factor float8) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE actual float8;
BEGIN
	EXECUTE 'SELECT greatest(count(*), 1) FROM point WHERE ' || condition INTO actual;
	RETURN expected_rows(condition) BETWEEN actual / factor AND actual * factor;
END $$;

CREATE TABLE point (v qvec(2), s int[], w text[]);
INSERT INTO point SELECT ARRAY[i * 7919 % 1009, i * 104729 % 1013]::real[]::qvec, ARRAY[i % 10, i % 11, i % 12, 50], ARRAY['a', 'b' || i % 2]
	FROM generate_series(0, 9999) i;

-- Nothing known yet: a thousandth.
SELECT expected_rows('l2_within(v, ''[500,500]'', 100)') BETWEEN 1 AND 50 AS a_thousandth;

ANALYZE point;
SELECT condition, is_near(condition, 3) FROM (VALUES
	('l2_within(v, ''[500,500]'', 200)'), ('l2_within(''[500,500]'', v, 400)'), ('v <@ l2_ball(''[0,0]'', 600)'),
	('l2_within(v, ''[500,500]'', 10000)'), ('l2_within(v, ''[500,500]'', -1)'),
	('cosine_within(v, ''[1,1]'', 0.1)'), ('v <@ cosine_ball(''[1,1]'', 0.05)'),
	('jaccard_within(s, ''{1,2,3,50}'', 0.7)'), ('s <%@ jaccard_ball(''{1,2,3,50}''::int[], 0.9)'),
	('jaccard_within(w, ''{a,b1}'', 0.1)'), ('jaccard_within(w, ''{x}'', 1)')) c (condition);

-- A query that is known only when it runs: pairs of the column tell.
PREPARE near (qvec) AS SELECT * FROM point WHERE l2_within(v, $1, 300);
SET plan_cache_mode = force_generic_plan;
CREATE FUNCTION generic_rows() RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) EXECUTE near(''[1,1]'')' INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8;
END $$;
SELECT generic_rows() BETWEEN 500 AND 5000 AS generic;
RESET plan_cache_mode;

-- Statistics of what cannot be compared are left out, not errors.
CREATE TABLE odd (v qvec, s int[]);
INSERT INTO odd SELECT CASE WHEN i % 2 = 0 THEN '[1]' ELSE '[1,2]' END::qvec, CASE WHEN i % 2 = 0 THEN ARRAY[1, NULL] ELSE ARRAY[1] END
	FROM generate_series(1, 100) i;
ANALYZE odd;
EXPLAIN (COSTS off) SELECT * FROM odd WHERE l2_within(v, '[1]', 1);
EXPLAIN (COSTS off) SELECT * FROM odd WHERE jaccard_within(s, '{1}', 1);

DROP FUNCTION expected_rows, is_near, generic_rows;
DROP TABLE point, odd;
