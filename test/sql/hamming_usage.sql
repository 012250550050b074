-- hashidx_usage: what an index serves, and at which price
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

CREATE TABLE pictures (id integer, active boolean, code bincode(64));
CREATE INDEX pictures_code ON pictures USING hashidx_hamming (code);

-- an empty table, never analysed: prices of what is expected of a table
SELECT form, index_cost_10 < other_cost_10 AS at_10, statistics_age FROM hashidx_usage('pictures_code') ORDER BY form COLLATE "C";

INSERT INTO pictures SELECT i, i % 3 = 0, substring(sha256(int4send(i)) FOR 8)::bincode FROM generate_series(1, 20000) i;
CREATE INDEX pictures_part ON pictures USING hashidx_hamming ((~code)) INCLUDE (id) WHERE active OR id < 10;
VACUUM ANALYZE pictures;

-- with the index it is cheaper, and a larger limit is not cheaper
SELECT form, index_cost_10 < other_cost_10 AS at_10, index_cost_100 < other_cost_100 AS at_100,
	index_cost_10 <= index_cost_100 AS grows
FROM hashidx_usage('pictures_code') ORDER BY form COLLATE "C";
SELECT form, index_cost_10 < other_cost_10 AS at_10 FROM hashidx_usage('pictures_part') ORDER BY form COLLATE "C";

-- nothing stays set, whatever search_path says
SHOW enable_seqscan;
SHOW enable_indexscan;
SHOW enable_sort;
CREATE SCHEMA regress_usage;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'hashidx' \gset
SET search_path = regress_usage;
SELECT index_cost_10 < other_cost_10 AS at_10 FROM :home.hashidx_usage('public.pictures_code') WHERE index_cost_10 IS NOT NULL;
RESET search_path;
DROP SCHEMA regress_usage;

-- errors
SELECT * FROM hashidx_usage('pictures');
CREATE INDEX pictures_id ON pictures (id);
SELECT * FROM hashidx_usage('pictures_id');
CREATE ROLE regress_hashidx_usage;
SET ROLE regress_hashidx_usage;
SELECT * FROM hashidx_usage('pictures_code');
RESET ROLE;

DROP TABLE pictures;
DROP ROLE regress_hashidx_usage;
