-- search_path.sql
--	  A schema with traps stands before all others in search_path: its operators and functions
--	  bear the names of the server's and of ours, and fail when they are called. Nothing that the
--	  extension installs or does may fall for them.
\set regression_database :DBNAME
CREATE DATABASE hashidx_search_path;
\c hashidx_search_path
CREATE SCHEMA hostile;
CREATE SCHEMA ours;
SET search_path = hostile, pg_catalog;

-- Lays traps for types: operators of the given names whose functions fail.
CREATE PROCEDURE lay_traps(types text[], comparisons text[], numbers text[]) LANGUAGE plpgsql AS $$
DECLARE
    body text := 'BEGIN RAISE ''captured by a hostile operator''; END';
    type text;
    name text;
BEGIN
    FOREACH type IN ARRAY types LOOP
        EXECUTE pg_catalog.format('CREATE FUNCTION hostile.compare(%s, %1$s) RETURNS boolean '
                                  'LANGUAGE plpgsql AS %2$L', type, body);
        EXECUTE pg_catalog.format('CREATE FUNCTION hostile.compute(%s, %1$s) RETURNS float8 '
                                  'LANGUAGE plpgsql AS %2$L', type, body);
        FOREACH name IN ARRAY comparisons LOOP
            EXECUTE pg_catalog.format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %2$s, '
                                      'FUNCTION = hostile.compare)', name, type);
        END LOOP;
        FOREACH name IN ARRAY numbers LOOP
            EXECUTE pg_catalog.format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %2$s, '
                                      'FUNCTION = hostile.compute)', name, type);
        END LOOP;
    END LOOP;
END
$$;

-- For the server's types, found before the operators of pg_catalog.
CALL lay_traps('{int4,int8,float8,text,oid,name,regclass,bytea}', '{=,<>,<,<=,>,>=}', '{+,-,*,/}');
SELECT 1 = 1;

-- The script takes over nothing that lies in the schema it installs into.
CREATE FUNCTION hostile.jaccard_distance(int[], int[]) RETURNS double precision LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'captured by a hostile function'; END $$;
\set SHOW_CONTEXT never
CREATE EXTENSION hashidx SCHEMA hostile;
\set SHOW_CONTEXT errors

-- Installing into a schema of its own, with the traps first in search_path.
CREATE EXTENSION hashidx SCHEMA ours;

-- More traps, for our own types.
CALL lay_traps('{ours.bincode,ours.qvec}', '{=,<>,<,<=,>,>=}', '{<~>,<->,<#>,<=>,<+>,<%>,+,-,*}');
SELECT ours.bincode '01' <~> ours.bincode '11';

CREATE TABLE ours.item (id int, v ours.qvec(4), code ours.bincode(16));
INSERT INTO ours.item
SELECT i, ARRAY[i, 1, 2, 3]::real[]::ours.qvec, ours.hashidx_simhash(ARRAY[i, 1, 2, 3]::real[]::ours.qvec, 16)
FROM generate_series(1, 300) AS i;

-- Sorting, grouping and uniqueness go by operator class.
SELECT count(*) FROM (SELECT DISTINCT v FROM ours.item) AS d;
SELECT count(DISTINCT v) FROM ours.item;
CREATE UNIQUE INDEX ON ours.item (v);
CREATE INDEX ON ours.item USING hash (v);

-- Aggregates and functions.
SELECT ours.avg(v), ours.sum(v) FROM ours.item;
SELECT ours.bit_count(ours.bit_and(code)) IS NOT NULL AS bit_and,
       ours.length(ours.majority(code)) AS majority FROM ours.item;
SELECT ours.jaccard_distance('{1,2,3}'::int[], '{2,3,4}');

-- What runs queries of its own: the catalogue of encoders, the trigger, the balance of bits.
SELECT ours.hashidx_create_encoder('signs', ours.hashidx_model_from_layers('{"input": 4, "layers": [
    {"type": "linear", "weights": [[1, 0, 0, 0], [0, 1, 0, -1]], "bias": [-9, 0]}, {"type": "sign"}]}'));
SELECT ours.hashidx_create_encoder('signs', (SELECT model FROM ours.hashidx_encoder));
SELECT ours.hashidx_encode('signs'::name, '[10,1,2,3]');
CREATE TABLE ours.encoded (v ours.qvec(4), code ours.bincode(2));
CREATE TRIGGER encode BEFORE INSERT OR UPDATE ON ours.encoded
    FOR EACH ROW EXECUTE FUNCTION ours.hashidx_encode_trigger('signs', 'v', 'code');
INSERT INTO ours.encoded SELECT v FROM ours.item;
UPDATE ours.encoded SET v = '[1,5,0,1]' WHERE v OPERATOR(ours.=) '[10,1,2,3]';
SELECT "bit", mean FROM ours.hashidx_bit_balance('ours.encoded', 'code');
SELECT ours.hashidx_drop_encoder('signs');

-- Building, using, examining and vacuuming an index.
CREATE INDEX item_code ON ours.item USING hashidx_hamming (code);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM ours.item
ORDER BY code OPERATOR(ours.<~>) '0000000000000000'::ours.bincode LIMIT 1;
SELECT count(*) FROM (SELECT id FROM ours.item
ORDER BY code OPERATOR(ours.<~>) '0000000000000000'::ours.bincode) AS ordered;
EXPLAIN (COSTS OFF) SELECT id FROM ours.item WHERE ours.hamming_within(code, '0000000000000000', 3);
SELECT count(*) IS NOT NULL AS counted FROM ours.item WHERE ours.hamming_within(code, '0000000000000000', 3);
RESET enable_seqscan;
INSERT INTO ours.item VALUES (301, '[5,6,7,8]', '0101010101010101');
DELETE FROM ours.item WHERE id OPERATOR(pg_catalog.<) 100;
VACUUM ours.item;
ANALYZE ours.item;
SELECT ours.hashidx_check('ours.item_code', true);
SELECT ours.hashidx_index_stats('ours.item_code') IS NOT NULL AS stats;
REINDEX TABLE ours.item;

\c :regression_database
DROP DATABASE hashidx_search_path;
