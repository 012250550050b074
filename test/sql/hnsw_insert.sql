-- hashidx_hnsw: rows that come one by one
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- 12 numbers from -20 to 20 that depend on i only
CREATE FUNCTION vector_of(i integer) RETURNS qvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(get_byte(sha256(convert_to(i::text, 'UTF8')), j) % 41 - 20 ORDER BY j)::integer[]::qvec
	FROM generate_series(0, 11) j
$$;
CREATE FUNCTION stats(index regclass) RETURNS TABLE (dims text, "rows" text, nodes text, dead text, stored text) LANGUAGE sql AS
	$$ SELECT s->>'dims', s->>'rows', s->>'nodes', s->>'dead', s->>'stored' FROM hashidx_index_stats(index) s $$;

-- the share of the true 10 nearest that a table's index finds, for 50 vectors of which half are in it
CREATE FUNCTION recall(tab text, operator text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT array_agg(d) FROM (SELECT v %s vector_of($1) AS d FROM %I ORDER BY v %1$s vector_of($1) LIMIT 10) s', operator, tab);
	expected float8[];
	answer float8[];
	found integer := 0;
BEGIN
	FOR i IN 976 .. 1025 LOOP
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true);
		EXECUTE query INTO expected USING i;
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true);
		EXECUTE query INTO answer USING i;
		-- by distances, for there are ties
		found := found + (SELECT count(*) FROM unnest(answer) a WHERE a <= expected[10]);
	END LOOP;
	RETURN found / 500.0;
END $$;

-- an empty index; its column tells the dimensions
CREATE TABLE t (id integer, v qvec(12), note text);
CREATE INDEX t_v ON t USING hashidx_hnsw (v);
SELECT * FROM stats('t_v');
SET enable_seqscan = off;
SET hashidx.ef_search = 64;
SELECT id FROM t ORDER BY v <-> vector_of(1) LIMIT 3;
INSERT INTO t VALUES (0, NULL);
SELECT * FROM stats('t_v');
INSERT INTO t VALUES (1, vector_of(1));
SELECT * FROM stats('t_v');
SELECT id FROM t ORDER BY v <-> vector_of(2) LIMIT 3;
INSERT INTO t SELECT i, vector_of(i) FROM generate_series(2, 1000) i;
SELECT * FROM stats('t_v');
SELECT id, v <-> vector_of(77) AS d FROM t ORDER BY v <-> vector_of(77) LIMIT 1;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM t ORDER BY v <-> vector_of(77) OFFSET 0) s;
SELECT recall('t', '<->') > 0.95 AS good;
SELECT s->'reachable' = '1' AS all_reachable, (s->>'links_mean')::numeric > 31 AS full_lists,
	(s->>'entries')::integer BETWEEN 5 AND 60 AS some_entries
FROM hashidx_index_stats('t_v') s;
SELECT hashidx_check('t_v', true);

-- an UPDATE of another column, not HOT for it is indexed: the new row joins the node of the old one
CREATE INDEX t_note ON t (note);
UPDATE t SET note = 'changed' WHERE id <= 300;
SELECT * FROM stats('t_v');
SELECT id FROM t ORDER BY v <-> vector_of(77) LIMIT 1;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> vector_of(77) OFFSET 0) s;
SELECT hashidx_check('t_v', true);
DROP TABLE t;

-- a column without dimensions: the first vector decides
CREATE TABLE u (id integer, v qvec);
CREATE INDEX u_v ON u USING hashidx_hnsw (v);
INSERT INTO u VALUES (1, '[1,2,3]'), (2, '[3,2,1]'), (3, NULL);
SELECT * FROM stats('u_v');
INSERT INTO u VALUES (4, '[1,2]');
INSERT INTO u VALUES (4, '[1,2,3,4]');
SELECT id, v <-> '[1,2,2]' AS d FROM u ORDER BY v <-> '[1,2,2]';
SELECT hashidx_check('u_v', true);
DROP TABLE u;

-- equal vectors share a node, however many, in the record and in postings
CREATE TABLE same (id integer, v qvec(12));
CREATE INDEX same_v ON same USING hashidx_hnsw (v);
INSERT INTO same SELECT i, vector_of(1) FROM generate_series(1, 2) i;
SELECT * FROM stats('same_v');
INSERT INTO same SELECT i, vector_of(1) FROM generate_series(3, 3) i;
INSERT INTO same SELECT i, vector_of(i % 5) FROM generate_series(4, 6000) i;
SELECT * FROM stats('same_v');
SELECT pg_relation_size('same_v') < 12 * current_setting('block_size')::integer AS small;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM same ORDER BY v <-> vector_of(1) LIMIT 1202) s;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM same ORDER BY v <-> vector_of(1) OFFSET 0) s;
SELECT DISTINCT id % 5 AS rest FROM (SELECT id FROM same ORDER BY v <-> vector_of(3) LIMIT 1000) s;
SELECT hashidx_check('same_v', true);
DROP TABLE same;

-- vectors that differ by less than the index can tell
CREATE TABLE nearly (id integer, v qvec(12));
CREATE INDEX nearly_v ON nearly USING hashidx_hnsw (v) WITH (format = int8);
INSERT INTO nearly SELECT i, ('[0,1000,' || i || 'e-3,1,1,1,1,1,1,1,1,1]')::qvec FROM generate_series(1, 50) i;
SELECT * FROM stats('nearly_v');
SELECT array_agg(id) FROM (SELECT id FROM nearly ORDER BY v <-> '[0,1000,0.0102,1,1,1,1,1,1,1,1,1]' LIMIT 3) s;
SELECT hashidx_check('nearly_v', true);
DROP TABLE nearly;

-- cosine: lengths do not matter, a vector without length has no place
CREATE TABLE angle (id integer, v qvec(12));
CREATE INDEX angle_v ON angle USING hashidx_hnsw (v qvec_cosine_ops);
INSERT INTO angle SELECT i, vector_of(i) FROM generate_series(1, 1000) i;
INSERT INTO angle SELECT -1, '[0,0,0,0,0,0,0,0,0,0,0,0]';
SELECT * FROM stats('angle_v');
SELECT recall('angle', '<=>') > 0.95 AS good;
SELECT hashidx_check('angle_v', true);
DROP TABLE angle;

-- inner product: vectors of different lengths, the longest of which is raised a few times
CREATE TABLE product (id integer, v qvec(12));
CREATE INDEX product_v ON product USING hashidx_hnsw (v qvec_ip_ops);
INSERT INTO product SELECT i, vector_of(i) * ARRAY(SELECT 1 + i % 5 FROM generate_series(1, 12))::integer[]::qvec FROM generate_series(1, 1000) i;
SELECT * FROM stats('product_v');
SET hashidx.ef_search = 256;
SELECT recall('product', '<#>') > 0.95 AS good;
SELECT hashidx_check('product_v', true);
DROP TABLE product;

-- codes, of which many are equal and most equally far
CREATE FUNCTION code_of(i integer) RETURNS bincode LANGUAGE sql IMMUTABLE AS
	$$ SELECT subcode(sha256(convert_to(i::text, 'UTF8'))::bincode, 1, 60) $$;
CREATE TABLE code (id integer, c bincode);
CREATE INDEX code_c ON code USING hashidx_hnsw (c);
INSERT INTO code SELECT i, code_of(i % 700) FROM generate_series(1, 1000) i;
SELECT * FROM stats('code_c');
INSERT INTO code VALUES (0, '0101');
SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM code ORDER BY c <~> code_of(77) LIMIT 2) s;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM code ORDER BY c <~> code_of(77) OFFSET 0) s;
SELECT hashidx_check('code_c', true);
DROP TABLE code;

-- into a graph that was built; on temporary, unlogged and partitioned tables, of expressions, of a part of the rows
CREATE TABLE built AS SELECT i AS id, vector_of(i) AS v FROM generate_series(1, 500) i;
CREATE INDEX built_v ON built USING hashidx_hnsw (v);
INSERT INTO built SELECT i, vector_of(i) FROM generate_series(501, 1000) i;
SELECT * FROM stats('built_v');
SELECT recall('built', '<->') > 0.95 AS good;
SELECT hashidx_check('built_v', true);
CREATE INDEX built_part ON built USING hashidx_hnsw ((v + v) qvec_cosine_ops) WITH (m = 16) WHERE id > 900;
INSERT INTO built SELECT i, vector_of(i) FROM generate_series(1001, 1100) i;
SELECT * FROM stats('built_part');
SELECT hashidx_check('built_v', true), hashidx_check('built_part', true);
DROP TABLE built;
CREATE TEMP TABLE tmp (id integer, v qvec(12));
CREATE INDEX tmp_v ON tmp USING hashidx_hnsw (v);
INSERT INTO tmp SELECT i, vector_of(i % 100) FROM generate_series(1, 600) i;
SELECT * FROM stats('tmp_v');
SELECT hashidx_check('tmp_v', true);
CREATE UNLOGGED TABLE unl (id integer, v qvec(12));
CREATE INDEX unl_v ON unl USING hashidx_hnsw (v);
INSERT INTO unl SELECT i, vector_of(i) FROM generate_series(1, 200) i;
ALTER TABLE unl SET LOGGED;
INSERT INTO unl SELECT i, vector_of(i) FROM generate_series(201, 300) i;
SELECT * FROM stats('unl_v');
SELECT hashidx_check('unl_v', true);
DROP TABLE unl;
CREATE TABLE part (id integer, v qvec(12)) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (1000);
CREATE INDEX part_v ON part USING hashidx_hnsw (v);
INSERT INTO part SELECT i, vector_of(i) FROM generate_series(1, 300) i;
SELECT id FROM part ORDER BY v <-> vector_of(99) LIMIT 1;
SELECT * FROM stats('part_1_v_idx') UNION ALL SELECT * FROM stats('part_2_v_idx') ORDER BY 2;
SELECT hashidx_check('part_1_v_idx', true), hashidx_check('part_2_v_idx', true);
DROP TABLE part;

-- a transaction that fails leaves nodes that vacuum takes away
CREATE TABLE failed (id integer, v qvec(12));
CREATE INDEX failed_v ON failed USING hashidx_hnsw (v);
INSERT INTO failed SELECT i, vector_of(i) FROM generate_series(1, 100) i;
BEGIN;
INSERT INTO failed SELECT i, vector_of(i) FROM generate_series(51, 200) i;
ROLLBACK;
SELECT * FROM stats('failed_v');
SELECT count(*) FROM (SELECT id FROM failed ORDER BY v <-> vector_of(5) OFFSET 0) s;
VACUUM failed;
SELECT * FROM stats('failed_v');
SELECT hashidx_check('failed_v', true);
DROP TABLE failed;

-- inner products of very different length: long vectors attract the links, and every node can be reached all the same
CREATE TABLE factor (id integer, v qvec(16));
CREATE INDEX factor_v ON factor USING hashidx_hnsw (v qvec_ip_ops) WITH (ef_construction = 32);
INSERT INTO factor SELECT i, (SELECT array_agg(((hashint4extended(i, j) & 65535) - 32768) * 4 ^ (i % 6) ORDER BY j)
	FROM generate_series(1, 16) j)::float8[]::qvec FROM generate_series(1, 2000) i;
SELECT s -> 'nodes' AS nodes, s -> 'reachable' AS reachable FROM hashidx_index_stats('factor_v') s;
SELECT hashidx_check('factor_v', true);
DROP TABLE factor;

-- rows far from the origin, into an index made before them: they are told apart as well as rows around it
CREATE FUNCTION far_from(origin integer, dims integer, i integer) RETURNS qvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg((hashint4(j) % origin + (hashint4extended(i, j) & 1023) / 256.0)::float4 ORDER BY j)::qvec
	FROM generate_series(1, dims) j
$$;
-- the share of the true 10 nearest that an effort of 40 finds
CREATE FUNCTION far_recall(tab text, origin integer, dims integer) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT array_agg(d) FROM (SELECT v <-> $1 AS d FROM %I ORDER BY v <-> $1 LIMIT 10) s', tab);
	expected float8[];
	answer float8[];
	found integer := 0;
BEGIN
	PERFORM set_config('hashidx.ef_search', '40', true);
	FOR i IN 1 .. 40 LOOP
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true);
		EXECUTE query INTO expected USING far_from(origin, dims, -i);
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true);
		EXECUTE query INTO answer USING far_from(origin, dims, -i);
		found := found + (SELECT count(*) FROM unnest(answer) a WHERE a <= expected[10]);
	END LOOP;
	RETURN found / 400.0;
END $$;
CREATE TABLE far (id integer, v qvec(16));
CREATE INDEX far_v ON far USING hashidx_hnsw (v);
INSERT INTO far SELECT i, far_from(2000, 16, i) FROM generate_series(1, 3000) i;
SELECT far_recall('far', 2000, 16) > 0.95 AS good;
SELECT hashidx_check('far_v', true);
DROP TABLE far;
-- the stored form of the own vector does not matter, nor whether it fits a page
CREATE TABLE far (id integer, v qvec(16));
CREATE INDEX far_v ON far USING hashidx_hnsw (v) WITH (format = int8, m = 16);
INSERT INTO far SELECT i, far_from(30, 16, i) FROM generate_series(1, 3000) i;
SELECT far_recall('far', 30, 16) > 0.95 AS good;
SELECT hashidx_check('far_v', true);
DROP TABLE far;
CREATE TABLE far (id integer, v qvec(2100));
CREATE INDEX far_v ON far USING hashidx_hnsw (v) WITH (format = f32, m = 16);
INSERT INTO far SELECT i, far_from(200, 2100, i) FROM generate_series(1, 120) i;
SELECT far_recall('far', 200, 2100) > 0.9 AS good;
SELECT hashidx_check('far_v', true);
DROP TABLE far;
-- the first row decides the form; who has looked into the empty index before knows it all the same
CREATE TABLE far (id integer, v qvec(100));
CREATE INDEX far_v ON far USING hashidx_hnsw (v);
SELECT id FROM far ORDER BY v <-> far_from(1, 100, 0) LIMIT 1;
INSERT INTO far SELECT i, (SELECT array_agg((2000 + (hashint4extended(i, j) & 1023) / 256.0)::float4)::qvec FROM generate_series(1, 100) j)
	FROM generate_series(1, 100) i;
SELECT * FROM stats('far_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM far ORDER BY v <-> far_from(1, 100, 0) OFFSET 0) s;
SELECT hashidx_check('far_v', true);
TRUNCATE far;
INSERT INTO far VALUES (1, far_from(10, 100, 1));
SELECT * FROM stats('far_v');
DROP TABLE far;
DROP FUNCTION far_from(integer, integer, integer), far_recall(text, integer, integer);

DROP FUNCTION code_of(integer), recall(text, text), stats(regclass), vector_of(integer);
