-- hashidx_usage: each form that it prints is one that EXPLAIN shows to be served by that index
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'hashidx' \gset
CREATE TABLE thing (id integer, active boolean, "Code" bincode(64), hash bigint, v qvec(4), s4 integer[], s8 bigint[], st text[]);

-- The query that a form stands for: with values for `query`, `radius`, `ball` and `n`.
CREATE FUNCTION query_of(form text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	type text := substring(form FROM '-- (?:query|ball): ([^,]*)');
	value text := quote_literal(CASE WHEN type ~ 'bincode' THEN repeat('01', 32) WHEN type ~ 'qvec' THEN '[1,2,3,4]'
		WHEN type ~ 'hamming' THEN '<' || repeat('01', 32) || ',1>' WHEN type ~ 'jaccard'
			THEN format('<%s[]{1,2},0.5>', CASE WHEN form ~ 's4' THEN 'integer' WHEN form ~ 's8' THEN 'bigint' ELSE 'text' END)
		WHEN type ~ 'ball' THEN '<[1,2,3,4],0.5>' ELSE '{1,2}' END) || '::' || type;
BEGIN
	form := replace(replace(split_part(form, ' -- ', 1), '...', 'id'), 'LIMIT n', 'LIMIT 3');
	RETURN regexp_replace(regexp_replace(form, '\y(query|ball)\y', value), '\yradius\y', '1');
END $$;

-- Makes an index and asks what it serves; has EXPLAIN judge that, and runs it.
CREATE FUNCTION try(definition text, OUT form text, OUT served boolean, OUT priced boolean) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	usage record;
	plan text;
BEGIN
	EXECUTE 'CREATE INDEX tried ON public.thing USING ' || definition;
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
	FOR usage IN EXECUTE format('SELECT * FROM %s.hashidx_usage(''public.tried'') ORDER BY form COLLATE "C"',
		(SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'hashidx')) LOOP
		form := usage.form;
		priced := usage.index_cost_10 <= usage.index_cost_100 AND usage.other_cost_10 <= usage.other_cost_100;
		EXECUTE 'EXPLAIN (FORMAT json) ' || public.query_of(form) INTO plan;
		served := plan LIKE '%"Index Name": "tried"%' AND plan ~ '"(Index Cond|Order By)"';
		EXECUTE public.query_of(form);
		RETURN NEXT;
	END LOOP;
	PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true);
	DROP INDEX public.tried;
END $$;

CREATE VIEW answers AS SELECT t.* FROM (VALUES
	('hashidx_hamming ("Code")'), ('hashidx_hamming ("Code") INCLUDE (id)'), ('hashidx_hamming ((hash::bincode))'),
	('hashidx_lsh ("Code")'), ('hashidx_lsh (v)'), ('hashidx_lsh (v qvec_l2_ops)'), ('hashidx_lsh (s4)'), ('hashidx_lsh (s8)'), ('hashidx_lsh (st)'),
	('hashidx_hnsw (v)'), ('hashidx_hnsw (v qvec_ip_ops)'), ('hashidx_hnsw (v qvec_cosine_ops)'), ('hashidx_hnsw ("Code")')) d (definition),
	LATERAL try(definition) t;

-- an empty table, never analysed: forms and prices all the same
SELECT * FROM answers;

INSERT INTO thing SELECT i, i % 2 = 0, substring(sha256(int4send(i)) FOR 8)::bincode, hashint8(i), ARRAY[i, i % 7, i % 11, i % 13]::real[]::qvec,
	ARRAY[i % 100, i % 101], ARRAY[i % 100, i % 101], ARRAY['a' || i % 100, 'b'] FROM generate_series(1, 2000) i;
SELECT count(*), bool_and(served) AS served, bool_and(priced OR form !~ 'LIMIT') AS priced FROM answers;
VACUUM ANALYZE thing;
SELECT count(*), bool_and(served) AS served, bool_and(priced OR form !~ 'LIMIT') AS priced FROM answers;

-- conditions and expressions
SELECT * FROM try('hashidx_lsh (l2_normalize(v)) WHERE active OR id < 10');
SELECT * FROM try('hashidx_hnsw (("Code" # ~"Code")) WHERE "Code" IS NOT NULL AND NOT active');

-- whatever search_path says, what is printed can be asked
CREATE SCHEMA regress_usage;
SET search_path = regress_usage;
SELECT replace(form, :'home' || '.', 'HOME.') AS form, served FROM public.try('hashidx_hamming ((hash::public.bincode)) WHERE active');
SELECT replace(form, :'home' || '.', 'HOME.') AS form, served FROM public.try('hashidx_lsh (s4)');
RESET search_path;
DROP SCHEMA regress_usage;

-- prices are of this index alone, also beside a better one
CREATE INDEX thing_exact ON thing USING hashidx_hamming ("Code");
CREATE INDEX thing_graph ON thing USING hashidx_hnsw ("Code");
SELECT count(DISTINCT index_cost_100) AS different, count(DISTINCT other_cost_100) AS alike
FROM (SELECT * FROM hashidx_usage('thing_exact') UNION ALL SELECT * FROM hashidx_usage('thing_graph')) u WHERE form ~ 'LIMIT';

-- a domain, a partition, an index that is not valid, and those of others
CREATE DOMAIN fingerprint AS bincode(64);
CREATE TABLE parted (id integer, code fingerprint, tags bigint[]) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE INDEX parted_code ON parted USING hashidx_hamming (code);
SELECT form FROM hashidx_usage('part_code_idx') ORDER BY form COLLATE "C";
SELECT form FROM hashidx_usage('parted_code');
SELECT form FROM hashidx_usage('parted');
INSERT INTO parted VALUES (1, repeat('01', 32)::bincode, '{NULL}');
CREATE INDEX CONCURRENTLY part_tags ON part USING hashidx_lsh (tags);
SELECT form FROM hashidx_usage('part_tags');
CREATE INDEX part_id ON part (id);
SELECT form FROM hashidx_usage('part_id');
SELECT form FROM hashidx_usage(0);

-- the functions of an index run as the table's owner; who does not see all rows gets no value of them
CREATE ROLE regress_hashidx_owner;
CREATE ROLE regress_hashidx_reader;
CREATE TABLE trap (v qvec(3));
INSERT INTO trap VALUES ('[1,2,3]');
CREATE FUNCTION harmless(v qvec) RETURNS qvec LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RAISE NOTICE 'runs as %', current_user; RETURN v; END $$;
CREATE INDEX trap_v ON trap USING hashidx_lsh (harmless(v));
ALTER TABLE trap OWNER TO regress_hashidx_owner;
SELECT count(*), bool_and(index_cost_10 > 0) AS priced FROM hashidx_usage('trap_v') WHERE form ~ 'LIMIT';
GRANT SELECT ON trap TO regress_hashidx_reader;
ALTER TABLE trap ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON trap USING (true);
SET ROLE regress_hashidx_reader;
SELECT count(*), bool_and(index_cost_10 > 0) AS priced FROM hashidx_usage('trap_v') WHERE form ~ 'LIMIT';
RESET ROLE;
DROP TABLE trap;
DROP FUNCTION harmless;
DROP ROLE regress_hashidx_owner, regress_hashidx_reader;

DROP TABLE parted;
DROP DOMAIN fingerprint;
DROP VIEW answers;
DROP FUNCTION try, query_of;
DROP TABLE thing;
