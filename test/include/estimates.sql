-- estimates.sql
--     For tests of estimates: the rows that a query's plan expects, and by what factor that is off,
--     rows counted as 1 at least.
CREATE FUNCTION estimated(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8;
END $$;
CREATE FUNCTION factor(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	rows float8;
	guess float8 := estimated(query);
BEGIN
	EXECUTE 'SELECT count(*) FROM (' || query || ') q' INTO rows;
	RETURN greatest(guess / greatest(rows, 1), greatest(rows, 1) / guess);
END $$;
