-- CREATE INDEX of hashidx_hnsw: from nothing to more than memory holds
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
SET enable_seqscan = off;

-- a pseudo-random number from 0 to 1
CREATE FUNCTION noise(i int, j int) RETURNS real LANGUAGE sql IMMUTABLE AS
$$ SELECT (n - floor(n))::real FROM (SELECT sin(i * 12.9898 + j * 78.233) * 43758.5453 AS n) s $$;
CREATE FUNCTION noise_vector(i int, dims int) RETURNS qvec LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(noise(i, j) ORDER BY j)::qvec FROM generate_series(1, dims) j $$;

-- nothing, NULL only, one row, two
CREATE TABLE few (id int, v qvec);
CREATE INDEX few_v ON few USING hashidx_hnsw (v qvec_l2_ops);
SELECT id FROM few ORDER BY v <-> '[1,2]' LIMIT 5;
INSERT INTO few VALUES (1, NULL);
REINDEX INDEX few_v;
SELECT id FROM few ORDER BY v <-> '[1,2]' LIMIT 5;
INSERT INTO few VALUES (2, '[1,2]');
REINDEX INDEX few_v;
SELECT id FROM few ORDER BY v <-> '[1,2]' LIMIT 5;
INSERT INTO few VALUES (3, '[5,5]');
REINDEX INDEX few_v;
SELECT id FROM few ORDER BY v <-> '[4,4]' LIMIT 5;
SELECT hashidx_check('few_v', true);

-- other dimensions than the first row's
DROP INDEX few_v;
INSERT INTO few VALUES (4, '[1,2,3]');
CREATE INDEX few_v ON few USING hashidx_hnsw (v qvec_l2_ops);
DROP TABLE few;

-- equal vectors share a node; zero vectors have no cosine
CREATE TABLE equal (id int, v qvec(4));
INSERT INTO equal SELECT i, format('[%s,1,0,0]', i % 3)::qvec FROM generate_series(1, 1000) i;
INSERT INTO equal VALUES (0, '[0,0,0,0]');
CREATE INDEX equal_v ON equal USING hashidx_hnsw (v qvec_cosine_ops);
SELECT s ->> 'nodes' AS nodes, s ->> 'rows' AS rows FROM hashidx_index_stats('equal_v') s;
SELECT count(*), count(DISTINCT id), min(id % 3), max(id % 3)
FROM (SELECT id FROM equal ORDER BY v <=> '[1,1,0,0]' LIMIT 333) s;
SELECT hashidx_check('equal_v', true);
DROP TABLE equal;

-- the share of the ten nearest that the index finds, over 20 queries
CREATE TABLE points (id int, v qvec(12), c bincode(64));
INSERT INTO points SELECT i, noise_vector(i % 5500, 12), hashidx_simhash(noise_vector(i, 12), 64)
FROM generate_series(1, 6000) i;
CREATE FUNCTION recall(operator text, col text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	exact float8[];
	found float8[];
	hits int := 0;
	query text;
BEGIN
	FOR i IN 7001 .. 7020 LOOP
		query := CASE col WHEN 'c' THEN hashidx_simhash(noise_vector(i, 12), 64)::text
			ELSE noise_vector(i, 12)::text END;
		EXECUTE format('SELECT array_agg(d ORDER BY d) FROM
			(SELECT (%s %s %L) + 0.0 AS d FROM points ORDER BY 1 LIMIT 10) s', col, operator, query)
			INTO exact;
		EXECUTE format('SELECT array_agg(d) FROM
			(SELECT %s %s %L AS d FROM points ORDER BY %1$s %2$s %3$L LIMIT 10) s', col, operator, query)
			INTO found;
		hits := hits + (SELECT count(*) FROM unnest(found) f WHERE f <= exact[10] + 1e-6);
	END LOOP;
	RETURN hits / 200.0;
END $$;

-- all in memory, and in parts; by one thread and by two
SET maintenance_work_mem = '64MB';
SET hashidx.build_threads = 2;
CREATE INDEX points_v ON points USING hashidx_hnsw (v qvec_l2_ops);
SELECT recall('<->', 'v') >= 0.9 AS good;
SELECT s ->> 'nodes' AS nodes, s ->> 'rows' AS rows FROM hashidx_index_stats('points_v') s;
SELECT hashidx_check('points_v', true);
SET maintenance_work_mem = '1MB';
REINDEX INDEX points_v;
SELECT recall('<->', 'v') >= 0.9 AS good;
SELECT s ->> 'rows' AS rows FROM hashidx_index_stats('points_v') s;
SELECT hashidx_check('points_v', true);
SET hashidx.build_threads = 1;
DROP INDEX points_v;
CREATE INDEX points_v ON points USING hashidx_hnsw (v qvec_cosine_ops);
SELECT recall('<=>', 'v') >= 0.9 AS good;
DROP INDEX points_v;
CREATE INDEX points_v ON points USING hashidx_hnsw (v qvec_ip_ops);
SELECT recall('<#>', 'v') >= 0.9 AS good;
DROP INDEX points_v;
CREATE INDEX points_c ON points USING hashidx_hnsw (c);
SELECT recall('<~>', 'c') >= 0.8 AS good;
SELECT hashidx_check('points_c', true);

-- every row is in the index, whichever way it was built
SET maintenance_work_mem = '1MB';
CREATE INDEX points_v ON points USING hashidx_hnsw (v qvec_l2_ops);
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM points ORDER BY v <-> noise_vector(1, 12)) s;

DROP TABLE points;
-- own vectors are f16, but f32 where f16 would blur what is near: far from the origin, in narrow clusters;
-- the first rows tell; of an index made before its rows the first one, where f32 would cost much
CREATE TABLE format (id integer, v qvec(8));
CREATE FUNCTION vector_at(i integer, step real, start real) RETURNS qvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(start + step * (hashint4extended(i, j) & 65535) / 65536 ORDER BY j)::qvec FROM generate_series(1, 8) j
$$;
INSERT INTO format SELECT i, vector_at(i, 1, 0) FROM generate_series(1, 600) i;
CREATE INDEX format_v ON format USING hashidx_hnsw (v);
SELECT hashidx_index_stats('format_v') ->> 'stored' AS stored;
TRUNCATE format;
INSERT INTO format SELECT i, vector_at(i, 1, 1000) FROM generate_series(1, 600) i;
REINDEX INDEX format_v;
SELECT hashidx_index_stats('format_v') ->> 'stored' AS stored, hashidx_check('format_v', true);
SELECT id FROM format ORDER BY v <-> vector_at(77, 1, 1000) LIMIT 1;
TRUNCATE format;
INSERT INTO format SELECT i, vector_at(i % 20, 1, 0) + vector_at(i, 0.001, 0) FROM generate_series(1, 600) i;
REINDEX INDEX format_v;
SELECT hashidx_index_stats('format_v') ->> 'stored' AS stored;
DROP INDEX format_v;
CREATE INDEX format_v ON format USING hashidx_hnsw (v) WITH (format = f16);
SELECT hashidx_index_stats('format_v') ->> 'stored' AS stored;
DROP INDEX format_v;
TRUNCATE format;
CREATE INDEX format_v ON format USING hashidx_hnsw (v);
INSERT INTO format SELECT i, vector_at(i, 1, 1000) FROM generate_series(1, 10) i;
SELECT hashidx_index_stats('format_v') ->> 'stored' AS stored;
TRUNCATE format;
INSERT INTO format SELECT i, vector_at(i, 1, 0) FROM generate_series(1, 10) i;
SELECT hashidx_index_stats('format_v') ->> 'stored' AS stored;
DROP TABLE format;
DROP FUNCTION vector_at(integer, real, real);

DROP FUNCTION recall, noise_vector, noise;
