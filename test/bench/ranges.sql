-- ranges.sql
--     What ranges.pl runs: tables of codes, each with an index that has chunk tables and one that
--     has none, and the processor time that ranges take by the one and by the other.

CREATE TABLE timing (codes text, radius integer, method text, run integer,
	rows float8, seconds float8);

-- Random codes; the last hundredth of the rows are codes of others with 1 to 6 bits flipped.
CREATE PROCEDURE make_random(name text, rows integer) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (id integer, code bincode(64))', name);
	EXECUTE format('INSERT INTO %I SELECT i, hashint8extended(i, 7)::bincode
		FROM generate_series(1, $1 - $1 / 100) i', name) USING rows;
	EXECUTE format('INSERT INTO %I SELECT $1 - $1 / 100 + i, (hashint8extended(i * 97, 7) # (
			SELECT bit_or(1::bigint << (hashint8extended(i * 31 + j, 5) & 63)::int)
			FROM generate_series(1, 1 + i %% 6) j))::bincode
		FROM generate_series(1, $1 / 100) i', name) USING rows;
END $$;

-- The codes that a model makes of all pictures.
CREATE PROCEDURE make_codes(name text, kind text, bits integer) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I AS WITH m AS MATERIALIZED (
			SELECT hashidx_train(%L, ''picture'', ''v'', %s) AS model)
		SELECT id, hashidx_encode(model, v)::bincode(%s) AS code FROM m, picture',
		name, kind, bits, bits);
END $$;

CREATE PROCEDURE make_indexes(name text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE INDEX %I ON %I USING hashidx_hamming (code) WITH (method = mih)', name || '_mih', name);
	EXECUTE format('CREATE INDEX %I ON %I USING hashidx_hamming (code) WITH (method = scan)', name || '_scan', name);
END $$;

-- Makes one index of a table known to the planner, and the other unknown.
CREATE FUNCTION use_index(name text, method text) RETURNS void LANGUAGE sql AS $$
	UPDATE pg_index SET indisvalid = (indexrelid = (quote_ident(name || '_' || method))::regclass)
	WHERE indrelid = quote_ident(name)::regclass
$$;

-- Nanoseconds that this process has been running.
CREATE FUNCTION cpu_time() RETURNS bigint LANGUAGE sql AS $$
	SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint
$$;

-- The same ranges by both methods, in turns: each so many times that it takes about `seconds` a run.
CREATE PROCEDURE measure(name text, radii integer[], runs integer, seconds float8) LANGUAGE plpgsql AS $$
DECLARE
	centres bincode[];
	statement text := format('SELECT count(*) FROM %I WHERE hamming_within(code, $1, ', name);
	method text;
	repeats jsonb;
	began bigint;
	took float8;
	n bigint;
	found float8;
BEGIN
	EXECUTE format('SELECT array_agg(code) FROM (SELECT code FROM %I ORDER BY hashint4(id) LIMIT 1000) t', name)
		INTO centres;
	FOR r IN 1 .. cardinality(radii) LOOP
		repeats := '{"mih": 1, "scan": 1}';		-- a first run tells how long it takes
		FOR run IN 0 .. runs LOOP
			FOREACH method IN ARRAY CASE WHEN run % 2 = 0 THEN '{scan,mih}' ELSE '{mih,scan}' END::text[] LOOP
				PERFORM use_index(name, method);
				COMMIT;
				found := 0;
				began := cpu_time();
				FOR i IN 1 .. (repeats ->> method)::int LOOP
					EXECUTE format('%s %s)', statement, radii[r]) INTO n USING centres[1 + (run * 100 + i) % 1000];
					found := found + n;
				END LOOP;
				took := (cpu_time() - began) / 1e9;
				IF run = 0 THEN
					repeats := repeats || jsonb_build_object(method, least(1000, ceil(seconds / greatest(took, 0.0001)))::int);
				ELSE
					INSERT INTO timing VALUES (name, radii[r], method, run,
						found / (repeats ->> method)::int, took / (repeats ->> method)::int);
				END IF;
			END LOOP;
		END LOOP;
		COMMIT;
	END LOOP;
END $$;

-- Medians of the runs, and of the ratios within a run.
CREATE VIEW outcome AS
	SELECT codes, radius, max(s.rows) AS rows,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY m.seconds) * 1000 AS tables,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY s.seconds) * 1000 AS scan,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY m.seconds / s.seconds) AS ratio
	FROM timing m JOIN timing s USING (codes, radius, run)
	WHERE m.method = 'mih' AND s.method = 'scan'
	GROUP BY codes, radius;
