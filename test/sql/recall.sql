-- hashidx_recall: what an index finds of the truth
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE FUNCTION some_vector(i integer, dims integer) RETURNS qvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg((hashint4extended(i, j) & 65535)::real / 65536 ORDER BY j)::qvec FROM generate_series(1, dims) j $$;
CREATE TABLE vectors (id integer, v qvec(12), code bincode(64));
INSERT INTO vectors SELECT i, CASE WHEN i % 10 > 0 THEN some_vector(i, 12) END, hashidx_simhash(some_vector(i, 12), 64)
FROM generate_series(1, 3000) i;
CREATE INDEX vectors_v ON vectors USING hashidx_hnsw (v);

-- one row for each setting; more effort finds more
SELECT setting, recall_mean >= 0.85 AS good, recall_minimum BETWEEN 0 AND recall_mean AS sound, milliseconds > 0 AS timed
FROM hashidx_recall('vectors_v', sample => 50);
SELECT bool_and(recall_mean >= before - 0.02) FROM (SELECT recall_mean, lag(recall_mean) OVER (ORDER BY substring(setting FROM '\d+')::integer) AS before
	FROM hashidx_recall('vectors_v', k => 3, sample => 50) WHERE setting LIKE 'ef%') r;
-- told without the noise of sums: a share of 500 answers, microseconds
SELECT bool_and(recall_mean::text ~ '^(1|0\.\d{1,3})$') AS mean, bool_and(recall_minimum::text ~ '^(0|1|0\.\d)$') AS minimum,
	bool_and(milliseconds::text ~ '^\d+(\.\d{1,3})?$') AS time FROM hashidx_recall('vectors_v', sample => 50);
-- as many as there are
SELECT recall_mean > 0.95 AS good FROM hashidx_recall('vectors_v', k => 1000, sample => 5) WHERE setting = 'ef_search = 320';
-- the settings of the session are as before
SHOW hashidx.ef_search;

-- an exact index
CREATE INDEX vectors_code ON vectors USING hashidx_hamming (code);
SELECT setting, recall_mean, recall_minimum, milliseconds > 0 AS timed FROM hashidx_recall('vectors_code');

-- an expression, a part of the table, no row, one row
CREATE INDEX vectors_part ON vectors USING hashidx_hnsw ((subvector(v, 1, 6)) qvec_cosine_ops) WHERE id % 2 = 1;
SELECT setting, recall_mean >= 0.9 AS good FROM hashidx_recall('vectors_part', 5, 40) WHERE setting LIKE 'ef%0' OFFSET 3;
CREATE INDEX vectors_none ON vectors USING hashidx_hnsw (v) WHERE id < 0;
SELECT * FROM hashidx_recall('vectors_none') LIMIT 1;
CREATE INDEX vectors_one ON vectors USING hashidx_hnsw (v) WHERE id = 1;
SELECT recall_mean, recall_minimum FROM hashidx_recall('vectors_one') LIMIT 1;

-- what cannot be measured
SELECT hashidx_recall('vectors_v', 0);
SELECT hashidx_recall('vectors_v', 10, 0);
SELECT hashidx_recall('vectors_v', 10, 1000000);
SELECT hashidx_recall('vectors');
CREATE INDEX vectors_id ON vectors (id);
SELECT hashidx_recall('vectors_id');
CREATE TABLE parted (v qvec(3)) PARTITION BY RANGE (qvec_dims(v));
CREATE INDEX parted_v ON parted USING hashidx_hnsw (v);
SELECT hashidx_recall('parted_v');

-- a reader of the table may ask, others and those who see only some rows may not
CREATE ROLE regress_hashidx_reader;
SET ROLE regress_hashidx_reader;
SELECT hashidx_recall('vectors_v');
RESET ROLE;
GRANT SELECT ON vectors TO regress_hashidx_reader;
SET ROLE regress_hashidx_reader;
SELECT count(*) FROM hashidx_recall('vectors_v', 1, 1);
RESET ROLE;
ALTER TABLE vectors ENABLE ROW LEVEL SECURITY;
SET ROLE regress_hashidx_reader;
SELECT hashidx_recall('vectors_v');
RESET ROLE;

-- functions of an index run as the table's owner, who can do no harm by them
CREATE ROLE regress_hashidx_owner;
CREATE TABLE trap (id integer, v qvec(3));
INSERT INTO trap VALUES (1, '[1,2,3]'), (2, '[1,2,4]');
ALTER TABLE trap OWNER TO regress_hashidx_owner;
CREATE FUNCTION harmless(v qvec) RETURNS qvec LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_user <> 'regress_hashidx_owner' THEN
		RAISE EXCEPTION 'run by %', current_user;
	END IF;
	RETURN v;
END $$;
CREATE INDEX trap_v ON trap USING hashidx_hnsw (harmless(v));
SELECT setting, recall_mean FROM hashidx_recall('trap_v', 1, 1) LIMIT 1;
DROP TABLE trap, parted, vectors;
DROP FUNCTION some_vector, harmless;
DROP ROLE regress_hashidx_reader, regress_hashidx_owner;
