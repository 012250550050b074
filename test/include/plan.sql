-- plan.sql
--     For tests that show plans: the lines that all versions of PostgreSQL print alike. From 18 on
--     EXPLAIN tells what is disabled; subplans have had other names since 17.
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line !~ '^ *Disabled: true$' THEN
			RETURN NEXT regexp_replace(regexp_replace(line, ' \(returns \$\d+\)$', ''), '\(InitPlan (\d+)\)\.col1|\$0', 'a subplan');
		END IF;
	END LOOP;
END $$;
