-- used.sql
--     For tests of what the planner chooses: the indexes that a query's plan uses, or "none".
CREATE FUNCTION used(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	indexes text[] := '{}';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		indexes := indexes || coalesce(substring(line FROM 'Index (?:Only )?Scan (?:using|on) (\w+)'), '{}');
	END LOOP;
	RETURN coalesce(nullif(array_to_string(array_remove(indexes, '{}'), ', '), ''), 'none');
END $$;
