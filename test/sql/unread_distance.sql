-- A distance that orders a query and is read by nobody is not computed: the plan has a NULL there.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE TABLE unread (id int PRIMARY KEY, part int, v qvec(2));
INSERT INTO unread SELECT i, i % 2, ('[' || i || ',' || i % 7 || ']')::qvec FROM generate_series(1, 500) i;
CREATE INDEX unread_v ON unread USING hashidx_hnsw (v);
ANALYZE unread;
SET enable_seqscan = off;
SET enable_sort = off;

-- nobody reads it
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM unread ORDER BY v <-> '[3,3.2]' LIMIT 3;
SELECT id FROM unread ORDER BY v <-> '[3,3.2]' LIMIT 3;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM unread ORDER BY v <-> '[3,3.2]' LIMIT 3 FOR UPDATE;
SELECT id FROM unread ORDER BY v <-> '[3,3.2]' LIMIT 3 FOR UPDATE;

-- the query reads it
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, v <-> '[3,3.2]' AS far FROM unread ORDER BY far LIMIT 3;
SELECT id, v <-> '[3,3.2]' AS far FROM unread ORDER BY far LIMIT 3;

-- ties are found by it
EXPLAIN (VERBOSE, COSTS OFF)
SELECT id FROM unread ORDER BY v <-> '[3,3]' FETCH FIRST 2 ROWS WITH TIES;
INSERT INTO unread VALUES (1001, 0, '[3,3]'), (1002, 0, '[3,3]'), (1003, 0, '[3,3]');
SELECT count(*) FROM (
	SELECT id FROM unread ORDER BY v <-> '[3,3]' FETCH FIRST 2 ROWS WITH TIES) t;

-- in subqueries, of which each drops its own
EXPLAIN (VERBOSE, COSTS OFF)
SELECT o.i, n.id FROM generate_series(10, 30, 10) AS o (i),
	LATERAL (SELECT id FROM unread ORDER BY v <-> ARRAY[o.i, 0]::real[]::qvec LIMIT 2) n;
SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM unread ORDER BY v <-> '[3,3]' LIMIT 4) t;
SELECT ARRAY(SELECT id FROM unread ORDER BY v <-> '[100,2.2]' LIMIT 2);

-- a merge of partitions compares it
CREATE TABLE unread_parts (id int, part int, v qvec(2)) PARTITION BY LIST (part);
CREATE TABLE unread_part0 PARTITION OF unread_parts FOR VALUES IN (0);
CREATE TABLE unread_part1 PARTITION OF unread_parts FOR VALUES IN (1);
INSERT INTO unread_parts SELECT * FROM unread WHERE id <= 500;
CREATE INDEX ON unread_parts USING hashidx_hnsw (v);
ANALYZE unread_parts;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM unread_parts ORDER BY v <-> '[3,3.2]' LIMIT 3;
SELECT id FROM unread_parts ORDER BY v <-> '[3,3.2]' LIMIT 3;

-- a table made of it, a cursor, a prepared statement
CREATE TEMP TABLE made AS SELECT id FROM unread ORDER BY v <-> '[200,4.2]' LIMIT 3;
SELECT * FROM made ORDER BY id;
BEGIN;
DECLARE near CURSOR FOR SELECT id FROM unread ORDER BY v <-> '[50,1.2]';
FETCH 2 FROM near;
MOVE 400 IN near;
FETCH 1 FROM near;
COMMIT;
SET plan_cache_mode = force_generic_plan;
PREPARE nearest (qvec) AS SELECT id FROM unread ORDER BY v <-> $1 LIMIT 2;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE nearest ('[77,0]');
EXECUTE nearest ('[77,0]');
EXECUTE nearest ('[78,1.2]');

DROP TABLE unread, unread_parts;
