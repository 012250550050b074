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

-- Other figures: what, and how much.
CREATE TABLE figure (id integer GENERATED ALWAYS AS IDENTITY, what text, measured text);

-- Joins of a million random codes with themselves.
CREATE PROCEDURE measure_joins() LANGUAGE plpgsql AS $$
DECLARE
	began bigint;
	n bigint;
	statement text;
BEGIN
	CREATE TABLE million AS SELECT id, code FROM random64 ORDER BY hashint4(id) LIMIT 1000000;
	CREATE INDEX million_code ON million USING hashidx_hamming (code) WITH (method = mih);
	ANALYZE million;
	FOREACH statement IN ARRAY ARRAY[
		'hashidx_pairs(''million_code'', 4)',
		'million a JOIN million b ON hamming_within(b.code, a.code, 4) AND a.id < b.id',
		'million a, LATERAL (SELECT FROM million b WHERE hamming_within(b.code, a.code, 4) AND a.id < b.id) n'] LOOP
		began := cpu_time();
		EXECUTE 'SELECT count(*) FROM ' || statement INTO n;
		INSERT INTO figure (what, measured) VALUES (format('%s pairs: `SELECT count(*) FROM %s`', n, statement),
			round((cpu_time() - began) / 1e9, 1) || ' s');
	END LOOP;
END $$;

-- Inserts of 60,000 rows in one transaction, into an empty index, one of a million rows, and one without tables.
CREATE PROCEDURE measure_inserts(bits integer) LANGUAGE plpgsql AS $$
DECLARE
	source text := CASE bits WHEN 64 THEN 'random64' ELSE 'itq256' END;
	began bigint;
	one bincode;
	case_of record;
BEGIN
	FOR case_of IN SELECT * FROM (VALUES ('mih', 0), ('mih', 900000), ('scan', 900000)) c (method, rows) LOOP
		EXECUTE format('CREATE TABLE target AS SELECT code FROM %I WHERE id > 100000 LIMIT %s', source, case_of.rows);
		EXECUTE format('CREATE INDEX ON target USING hashidx_hamming (code) WITH (method = %s)', case_of.method);
		began := cpu_time();
		EXECUTE format('INSERT INTO target SELECT code FROM %I WHERE id <= 60000', source);
		INSERT INTO figure (what, measured) VALUES (format('`INSERT ... SELECT` of 60,000 codes of %s bits, method = %s, into %s rows',
			bits, case_of.method, case_of.rows), round(60000 / ((cpu_time() - began) / 1e9)) || ' rows/s');
		began := cpu_time();
		FOR one IN EXECUTE format('SELECT code FROM %I WHERE id BETWEEN 70001 AND 80000', source) LOOP
			INSERT INTO target VALUES (one);
		END LOOP;
		INSERT INTO figure (what, measured) VALUES ('the same, a statement for each of 10,000 rows',
			round(10000 / ((cpu_time() - began) / 1e9)) || ' rows/s');
		DROP TABLE target;
	END LOOP;
END $$;

-- The tables of the report: a line each.
CREATE FUNCTION range_lines() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('| %s | %s | %s | %s | %s | %s |', codes, radius, round(rows::numeric, 1), round(tables::numeric, 2),
		round(scan::numeric, 2), round(ratio::numeric, 3))
	FROM outcome ORDER BY codes, radius
$$;
CREATE FUNCTION other_lines() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('| %s | %s |', what, measured) FROM figure ORDER BY id
$$;
