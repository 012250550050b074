-- plans.sql
--     What plans.pl runs: tables of several sizes with an index of each access method, and for
--     each cell of a matrix every plan that can be forced, timed.

-- What is asked; the plan that the planner chooses, and those that settings force.
CREATE TABLE cell (id integer GENERATED ALWAYS AS IDENTITY, method text, size text, ask text,
	filter float8, query text);
CREATE TABLE forced (id integer GENERATED ALWAYS AS IDENTITY, settings text[]);
INSERT INTO forced (settings) VALUES
	('{}'),
	('{enable_indexscan,enable_indexonlyscan,enable_bitmapscan}'),
	('{enable_seqscan,enable_bitmapscan,enable_sort}'),
	('{enable_seqscan,enable_indexscan,enable_indexonlyscan}'),
	('{enable_seqscan,enable_bitmapscan}');
CREATE TABLE timing (cell integer, plan text, chosen boolean, milliseconds float8);
CREATE INDEX ON timing (cell);

-- Vectors in clusters of very different size, codes of them, and a category with an index.
CREATE PROCEDURE make_table(name text, rows integer, dims integer, seed float8) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(seed);
	CREATE TEMP TABLE centre AS SELECT c, array_agg((random() * 2 - 1)::real) AS v
		FROM generate_series(1, 300) c, generate_series(1, dims) d GROUP BY c;
	CREATE INDEX ON centre (c);
	EXECUTE format('CREATE TABLE %I (id integer, category integer, embedding qvec(%s), code bincode(64))', name, dims);
	EXECUTE format('INSERT INTO %I
		SELECT i, category, v, hashidx_simhash(v, 64)
		FROM (SELECT i, (random() * 1000)::int AS category, (SELECT array_agg(x + ((random() + random() + random() - 1.5) * 0.6)::real)
				FROM unnest(v) x)::qvec AS v
			FROM generate_series(1, $1) i, LATERAL (SELECT v FROM centre WHERE c = 1 + (300 * (i * 0.6180339887 %% 1) ^ 3)::int %% 300) c) p', name)
		USING rows;
	DROP TABLE centre;
	EXECUTE format('CREATE INDEX ON %I (category)', name);
	EXECUTE format('CREATE INDEX ON %I USING hashidx_hamming (code)', name);
	EXECUTE format('CREATE INDEX ON %I USING hashidx_hnsw (embedding)', name);
	EXECUTE format('CREATE INDEX ON %I USING hashidx_lsh (embedding qvec_cosine_ops)', name);
	EXECUTE format('ANALYZE %I', name);
END $$;

-- The distance of that operator within which a share of the rows lies of a query.
CREATE FUNCTION radius(name text, operand text, query text, share float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE answer float8;
BEGIN
	EXECUTE format('SELECT percentile_disc(%s) WITHIN GROUP (ORDER BY %s %s) FROM %I', share, operand, query, name) INTO answer;
	RETURN answer;
END $$;

CREATE PROCEDURE make_cells(name text, rows integer, size text) LANGUAGE plpgsql AS $$
DECLARE
	q record;
	filter float8;
	clause text;
BEGIN
	FOR q IN EXECUTE format('SELECT quote_literal(embedding) AS v, quote_literal(code) AS c FROM %I WHERE id IN (7, $1 / 2)', name) USING rows LOOP
		FOREACH filter IN ARRAY '{1,0.1,0.01,0.001}'::float8[] LOOP
			clause := CASE WHEN filter < 1 THEN format('category < %s', (filter * 1000)::int) ELSE 'true' END;
			INSERT INTO cell (method, size, ask, filter, query)
				SELECT m.method, size, 'LIMIT ' || k, filter,
					format('SELECT id FROM %I WHERE %s ORDER BY %s LIMIT %s', name, clause, m.distance, k)
				FROM unnest('{1,10,100,1000}'::int[]) k, (VALUES
					('hashidx_hamming', 'code <~> ' || q.c), ('hashidx_hnsw', 'embedding <-> ' || q.v),
					('hashidx_lsh', 'embedding <=> ' || q.v)) m (method, distance);
			INSERT INTO cell (method, size, ask, filter, query)
				SELECT m.method, size, 'share ' || s, filter,
					format('SELECT count(id) FROM %I WHERE %s AND %s(%s, %s, %s)', name, clause, m.within, m.attribute, m.value,
						radius(name, m.operand, m.value, s))
				FROM unnest('{0,0.0001,0.001,0.01,0.1,0.5}'::float8[]) s, (VALUES
					('hashidx_hamming', 'hamming_within', 'code', q.c, 'code <~>'),
					('hashidx_lsh', 'cosine_within', 'embedding', q.v, 'embedding <=>')) m (method, within, attribute, value, operand);
		END LOOP;
	END LOOP;
END $$;

-- Nodes and indexes of a plan; what it took.
CREATE FUNCTION nodes(plan json) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' < ', nullif(concat_ws(' ', plan ->> 'Node Type', regexp_replace(plan ->> 'Index Name', '^.*?_', '')), ''),
		(SELECT string_agg(nodes(p), ' & ' ORDER BY nodes(p)) FROM json_array_elements(plan -> 'Plans') p))
$$;
-- CPU time of this process so far, in milliseconds; the nap has the system count it to the end.
CREATE FUNCTION cpu() RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_sleep(0.0001);
	RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1000000;
END $$;
-- What takes some milliseconds is told by the processor's time, which other processes do not change;
-- that of what takes less, planning would be a part of: the lesser one counts.
CREATE FUNCTION run(query text, settings text[], is_dry boolean, OUT plan text, OUT milliseconds float8) LANGUAGE plpgsql AS $$
DECLARE
	answer json;
	start float8 := CASE WHEN NOT is_dry THEN cpu() END;
BEGIN
	PERFORM set_config(s, 'off', true) FROM unnest(settings) s;
	EXECUTE format('EXPLAIN (FORMAT json%s) ', CASE WHEN is_dry THEN '' ELSE ', ANALYZE, TIMING off' END) || query INTO answer;
	PERFORM set_config(s, 'on', true) FROM unnest(settings) s;
	plan := nodes(answer -> 0 -> 'Plan');
	milliseconds := least((answer -> 0 ->> 'Execution Time')::float8, cpu() - start);
END $$;

-- Runs of each different plan, in turns, of which the fastest will count; those that take less than
-- a millisecond are run ten times as often.
CREATE PROCEDURE measure(runs integer) LANGUAGE plpgsql AS $$
DECLARE c record;
BEGIN
	FOR c IN SELECT * FROM cell ORDER BY id LOOP
		FOR n IN 1 .. 10 * runs LOOP
			INSERT INTO timing
				SELECT c.id, p.plan, p.first = 1, (run(c.query, p.settings, false)).milliseconds
				FROM (SELECT DISTINCT ON (plan) plan, id AS first, settings
					FROM forced, run(c.query, settings, true) ORDER BY plan, id) p
				WHERE n <= runs OR (SELECT min(milliseconds) FROM timing t WHERE t.cell = c.id AND t.plan = p.plan) < 1;
		END LOOP;
		COMMIT;
	END LOOP;
END $$;

-- A plan is told by the indexes it uses: whether as a bitmap or row by row is the server's choice.
CREATE FUNCTION indexes(plan text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(DISTINCT regexp_replace(m[1], '_idx.*', ''), ' and '), 'none')
	FROM regexp_matches(plan, '\d+_([a-z]+_idx1?)', 'g') m
$$;
CREATE VIEW outcome AS
	WITH plan AS (
		SELECT cell, indexes(plan) AS indexes, bool_or(chosen) AS chosen, min(milliseconds) AS milliseconds
		FROM timing GROUP BY cell, indexes(plan))
	SELECT c.*, pick.indexes AS pick, pick.milliseconds, best.indexes AS best, best.milliseconds AS least,
		pick.milliseconds / best.milliseconds AS factor,
		(SELECT min(milliseconds) FROM timing WHERE cell = c.id AND chosen) / best.milliseconds AS exact
	FROM cell c JOIN plan pick ON pick.cell = c.id AND pick.chosen,
		LATERAL (SELECT * FROM plan b WHERE b.cell = c.id ORDER BY milliseconds LIMIT 1) best;

-- The tables of the report: a line each.
CREATE FUNCTION summary() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('| %s | %s | %s | %s %% | %s %% |', method, CASE WHEN ask ~ 'LIMIT' THEN 'nearest' ELSE 'range' END, size,
		round(100 * avg((factor <= 1.5)::int)), round(100 * avg((exact <= 1.5)::int)))
	FROM outcome GROUP BY method, ask ~ 'LIMIT', size ORDER BY method, ask ~ 'LIMIT' DESC, min(id)
$$;
CREATE FUNCTION total() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('| %s | | | %s %% | %s %% |', coalesce(method, 'all'), round(100 * avg((factor <= 1.5)::int), 1),
		round(100 * avg((exact <= 1.5)::int), 1))
	FROM outcome GROUP BY ROLLUP (method) ORDER BY method
$$;
CREATE FUNCTION matrix() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('| %s | %s | %s | %s | %s | %s | %s | %s |', method, size, ask, filter,
		string_agg(DISTINCT pick, ', '), string_agg(DISTINCT best, ', '), round(max(factor)::numeric, 1), round(max(exact)::numeric, 1))
	FROM outcome GROUP BY method, size, ask, filter
	ORDER BY method, min(min(id)) OVER (PARTITION BY method, size), split_part(ask, ' ', 1), split_part(ask, ' ', 2)::float8, filter DESC
$$;
