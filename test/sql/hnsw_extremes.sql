-- hashidx_hnsw: numbers near both ends of the range of real, whose squares are beyond it
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- lengths from 1e-44 to 1e38, evenly by their logarithms
CREATE FUNCTION extreme(i int, dims int) RETURNS qvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint4extended(i, j) & 65535) / 32768.0 - 1)::float8 * 10::float8 ^ ((i * 79) % 8200 / 100.0 - 44) ORDER BY j)::qvec
	FROM generate_series(1, dims) j $$;

-- NULL, or what is wrong with a table's index: each query's rows to the end, with the distances of a sequential
-- scan, which may fall once (what a search of the graph found late)
CREATE FUNCTION complaint(operator text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	query qvec;
	expected float8[];
	answer float8[];
	falls int;
BEGIN
	FOREACH query IN ARRAY ARRAY[extreme(8, 20), extreme(2500, 20), extreme(4007, 20), extreme(8199, 20), extreme(7000, 20)] LOOP
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true);
		EXECUTE format('SELECT array_agg(v %s $1 ORDER BY v %1$s $1) FROM extremes', operator) INTO expected USING query;
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true);
		EXECUTE format('SELECT array_agg(d), count(*) FILTER (WHERE falls) FROM (SELECT d, d < lag(d) OVER () AS falls
			FROM (SELECT v %s $1 AS d FROM extremes ORDER BY v %1$s $1) s) s', operator) INTO answer, falls USING query;
		IF falls > 1 OR ARRAY(SELECT unnest(answer) ORDER BY 1) <> expected THEN
			RETURN format('%s falls, %s rows instead of %s', falls, cardinality(answer), cardinality(expected));
		END IF;
	END LOOP;
	RETURN NULL;
END $$;

CREATE TABLE extremes (v qvec(20));
INSERT INTO extremes SELECT extreme(i, 20) FROM generate_series(1, 4100) i;

-- built in memory and in parts, then some more rows
CREATE FUNCTION try(class text, operator text, form text, memory text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	wrong text;
BEGIN
	PERFORM set_config('maintenance_work_mem', memory, true);
	EXECUTE format('CREATE INDEX extremes_v ON extremes USING hashidx_hnsw (v %s) WITH (format = %s, ef_construction = 40)', class, form);
	PERFORM hashidx_check('extremes_v', true);
	INSERT INTO extremes SELECT extreme(i, 20) FROM generate_series(4101, 4150) i;
	PERFORM hashidx_check('extremes_v', true);
	wrong := complaint(operator);
	DROP INDEX extremes_v;
	RETURN wrong;
END $$;
SELECT form, class, memory, try(class, operator, form, memory) AS wrong
FROM (VALUES ('qvec_l2_ops', '<->'), ('qvec_ip_ops', '<#>'), ('qvec_cosine_ops', '<=>')) AS o (class, operator),
	(VALUES ('f32', '1MB'), ('f16', '64MB'), ('int8', '64MB')) AS f (form, memory)
ORDER BY 1, 2;

DROP TABLE extremes;
DROP FUNCTION try(text, text, text, text), complaint(text), extreme(int, int);
