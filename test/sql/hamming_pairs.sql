-- hashidx_pairs on indexes of hashidx_hamming
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- 1,500 codes from a hash; every fifth is near one of twenty, or the same
CREATE TABLE pictures (id integer, code bincode(64));
INSERT INTO pictures
	SELECT i, CASE WHEN i % 5 > 0 THEN substring(sha256(int4send(i)) FOR 8)::bincode
		ELSE substring(sha256(int4send(i % 100)) FOR 8)::bincode # (1::bigint << (i % 7))::bincode # (1::bigint << (i % 11))::bincode END
	FROM generate_series(1, 1500) i;
INSERT INTO pictures VALUES (0, NULL);
CREATE INDEX pictures_tables ON pictures USING hashidx_hamming (code) WITH (method = mih);
CREATE INDEX pictures_scan ON pictures USING hashidx_hamming (code) WITH (method = scan);

-- what was deleted does not come, what was changed comes as it is, under its own ctid
DELETE FROM pictures WHERE id % 13 = 0;
UPDATE pictures SET id = -id WHERE id % 3 = 0;
UPDATE pictures SET code = ~code WHERE id % 17 = 0;

-- each pair once: the same pairs, and as many, as a join of the table with itself has
CREATE FUNCTION difference(index regclass, radius float8) RETURNS text LANGUAGE sql AS $$
	WITH pairs AS (
		SELECT least(first, second) AS a, greatest(first, second) AS b, distance FROM hashidx_pairs(index, radius)
	), truth AS (
		SELECT x.ctid AS a, y.ctid AS b, x.code <~> y.code AS distance FROM pictures x JOIN pictures y
			ON x.ctid < y.ctid AND x.code <~> y.code <= radius
	)
	SELECT format('%s missing, %s wrong, %s twice', (SELECT count(*) FROM (TABLE truth EXCEPT TABLE pairs) m),
		(SELECT count(*) FROM (TABLE pairs EXCEPT TABLE truth) w),
		(SELECT count(*) FROM pairs) - (SELECT count(*) FROM (SELECT DISTINCT * FROM pairs) d))
$$;
SELECT radius, (SELECT count(*) > 0 FROM hashidx_pairs('pictures_scan', radius)) AS some,
	difference('pictures_tables', radius) AS by_tables, difference('pictures_scan', radius) AS by_scan
	FROM unnest(ARRAY[0, 1, 2.5, 3, 4, 7]::float8[]) radius;

-- the documented join
SELECT least(a.id, b.id) AS one, greatest(a.id, b.id) AS other, p.distance
	FROM hashidx_pairs('pictures_tables', 2) p
	JOIN pictures a ON a.ctid = p.first JOIN pictures b ON b.ctid = p.second
	WHERE least(a.id, b.id) > 0 ORDER BY one, other LIMIT 5;

-- all pairs there are
SELECT count(*) = (SELECT count(*) * (count(*) - 1) / 2 FROM pictures WHERE code IS NOT NULL) AS all_pairs
	FROM hashidx_pairs('pictures_tables', 1000);

-- nothing there
CREATE TABLE nothing (code bincode);
CREATE INDEX nothing_code ON nothing USING hashidx_hamming (code) WITH (method = mih);
SELECT * FROM hashidx_pairs('nothing_code', 3);
INSERT INTO nothing VALUES ('1010');
SELECT * FROM hashidx_pairs('nothing_code', 3);

-- errors
SELECT * FROM hashidx_pairs('pictures_scan', -1);
SELECT * FROM hashidx_pairs('pictures_scan', 'NaN');
SELECT * FROM hashidx_pairs('pictures', 1);
CREATE INDEX pictures_id ON pictures (id);
SELECT * FROM hashidx_pairs('pictures_id', 1);
SELECT * FROM hashidx_pairs(NULL, 1);
CREATE ROLE regress_hashidx_pairs;
SET ROLE regress_hashidx_pairs;
SELECT * FROM hashidx_pairs('pictures_scan', 1);
RESET ROLE;
GRANT SELECT ON pictures TO regress_hashidx_pairs;
ALTER TABLE pictures ENABLE ROW LEVEL SECURITY;
SET ROLE regress_hashidx_pairs;
SELECT * FROM hashidx_pairs('pictures_scan', 1);
RESET ROLE;

DROP TABLE pictures, nothing;
DROP FUNCTION difference;
DROP ROLE regress_hashidx_pairs;
