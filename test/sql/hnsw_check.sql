-- hashidx_hnsw: what hashidx_check and hashidx_index_stats tell of sound indexes; damage is the business of test/t
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE FUNCTION vector_of(i integer) RETURNS qvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(get_byte(sha256(convert_to(i::text, 'UTF8')), j) % 41 - 20 ORDER BY j)::integer[]::qvec
	FROM generate_series(0, 11) j
$$;

-- without what depends on the shuffle of a build
CREATE FUNCTION stats(index regclass) RETURNS text LANGUAGE sql AS
	$$ SELECT jsonb_pretty(hashidx_index_stats(index) - '{bytes,bytes_per_row,pages,nodes_pages,empty_pages,free,curve,entries,links_mean,reachable}'::text[]) $$;

CREATE TABLE t (id integer, v qvec(12), c bincode(200));
INSERT INTO t SELECT i, vector_of(i), sha256(convert_to(i::text, 'UTF8'))::bincode::text::varbit::bit(200)::bincode FROM generate_series(1, 400) i;
INSERT INTO t SELECT 0, vector_of(1), NULL FROM generate_series(1, 300);
INSERT INTO t VALUES (-1, NULL, NULL), (-2, '[0,0,0,0,0,0,0,0,0,0,0,0]', NULL);

CREATE INDEX t_l2 ON t USING hashidx_hnsw (v);
SELECT stats('t_l2');
SELECT (s->>'links_mean')::numeric > 25 AS links, (s->>'reachable')::numeric > 0.99 AS reachable,
	(s->>'entries')::integer > 0 AS entries,
	(s->>'bytes')::bigint = pg_relation_size('t_l2') AS bytes FROM hashidx_index_stats('t_l2') s;
CREATE INDEX t_ip ON t USING hashidx_hnsw (v qvec_ip_ops) WITH (m = 16, code_bits = 1, format = f32, ef_construction = 50);
SELECT stats('t_ip');
CREATE INDEX t_cosine ON t USING hashidx_hnsw (v qvec_cosine_ops) WITH (m = 64, format = int8);
SELECT stats('t_cosine');
CREATE INDEX t_hamming ON t USING hashidx_hnsw (c);
SELECT stats('t_hamming');
SELECT i, hashidx_check(i::regclass, true) FROM unnest('{t_l2,t_ip,t_cosine,t_hamming}'::text[]) i;

-- the same after all that may happen to rows
UPDATE t SET v = vector_of(id + 1) WHERE id % 3 = 0;
DELETE FROM t WHERE id % 5 = 0;
SELECT i, hashidx_check(i::regclass, true) FROM unnest('{t_l2,t_ip,t_cosine,t_hamming}'::text[]) i;
VACUUM t;
SELECT i, hashidx_check(i::regclass, true) FROM unnest('{t_l2,t_ip,t_cosine,t_hamming}'::text[]) i;
REINDEX TABLE t;
SELECT i, hashidx_check(i::regclass) FROM unnest('{t_l2,t_ip,t_cosine,t_hamming}'::text[]) i;
TRUNCATE t;
SELECT i, hashidx_check(i::regclass, true) FROM unnest('{t_l2,t_ip,t_cosine,t_hamming}'::text[]) i;
SELECT s->>'rows' AS rows, s->>'nodes' AS nodes, s->>'entries' AS entries, s->>'reachable' AS reachable FROM hashidx_index_stats('t_l2') s;
DROP TABLE t;

-- a row that the index does not know
CREATE TABLE u (id integer, v qvec(12));
INSERT INTO u SELECT i, vector_of(i) FROM generate_series(1, 50) i;
CREATE INDEX u_v ON u USING hashidx_hnsw (v);
SET allow_system_table_mods = on;
UPDATE pg_index SET indisready = false, indislive = false WHERE indexrelid = 'u_v'::regclass;
INSERT INTO u VALUES (51, vector_of(51));
UPDATE pg_index SET indisready = true, indislive = true WHERE indexrelid = 'u_v'::regclass;
RESET allow_system_table_mods;
SELECT hashidx_check('u_v');
SELECT hashidx_check('u_v', true);
REINDEX INDEX u_v;
SELECT hashidx_check('u_v', true);
DROP INDEX u_v;

-- rows of which it knows another vector
CREATE FUNCTION turned(v qvec) RETURNS qvec LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN RETURN public.l2_normalize(v); END $$;
CREATE INDEX u_turned ON u USING hashidx_hnsw (turned(v));
SELECT hashidx_check('u_turned', true);
DO $$
BEGIN
	EXECUTE format('CREATE OR REPLACE FUNCTION turned(v qvec) RETURNS qvec LANGUAGE plpgsql IMMUTABLE AS ''
		BEGIN RETURN CASE WHEN public.qvec_norm(v) OPERATOR(pg_catalog.=) %s THEN v ELSE public.l2_normalize(v) END; END''',
		(SELECT qvec_norm(v) FROM u WHERE id = 7));
END $$;
SELECT hashidx_check('u_turned', true);
DROP TABLE u;

DROP FUNCTION stats(regclass), turned(qvec), vector_of(integer);
