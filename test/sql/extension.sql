-- extension.sql
--	  What the installed extension consists of: every object has a comment, functions and
--	  operator classes are declared honestly, and it can be moved and dropped without a trace.
\set regression_database :DBNAME
CREATE DATABASE hashidx_extension;
\c hashidx_extension
CREATE EXTENSION hashidx;
CREATE VIEW member AS
SELECT classid, objid, objsubid, pg_describe_object(classid, objid, objsubid) AS object
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hashidx');
SELECT count(*) > 100 AS has_members FROM member;

-- No object without a comment, but for array types and the row types of tables, which some servers
-- list; the extension has one as well.
SELECT object FROM member
WHERE obj_description(objid, classid::regclass::text) IS NULL AND object NOT LIKE 'type %[]'
  AND NOT EXISTS (SELECT FROM pg_type WHERE oid = objid AND typrelid <> 0)
ORDER BY 1;
SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'hashidx';

-- All code is C, runs with the caller's rights and promises nothing about leaks.
SELECT object, lanname, prosecdef, proleakproof
FROM member JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
JOIN pg_language AS l ON l.oid = prolang
WHERE prokind <> 'a' AND lanname <> 'c' OR prosecdef OR proleakproof
ORDER BY 1;

-- Functions that are not immutable, or not safe in parallel workers.
SELECT object, provolatile, proparallel
FROM member JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
WHERE provolatile <> 'i' OR proparallel <> 's'
ORDER BY 1;

-- Functions that are called even for NULL: those of aggregates.
SELECT object
FROM member JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
WHERE NOT proisstrict AND prokind <> 'a'
ORDER BY 1;

-- An operator and its commutator, its negator, have functions that agree on the result's type.
SELECT m.object
FROM member AS m JOIN pg_operator AS o ON classid = 'pg_operator'::regclass AND o.oid = objid
LEFT JOIN pg_operator AS c ON c.oid = o.oprcom LEFT JOIN pg_operator AS n ON n.oid = o.oprnegate
WHERE c.oprresult <> o.oprresult OR c.oprcom <> o.oid
   OR n.oprresult <> o.oprresult OR n.oprnegate <> o.oid OR o.oprcode = 0
ORDER BY 1;

-- An operator that says it can be hashed or merged belongs to an operator family for it.
SELECT object
FROM member JOIN pg_operator AS o ON classid = 'pg_operator'::regclass AND o.oid = objid
WHERE oprcanhash AND NOT EXISTS (
        SELECT FROM pg_amop JOIN pg_am AS a ON a.oid = amopmethod
        WHERE amopopr = o.oid AND amname = 'hash')
   OR oprcanmerge AND NOT EXISTS (
        SELECT FROM pg_amop JOIN pg_am AS a ON a.oid = amopmethod
        WHERE amopopr = o.oid AND amname = 'btree')
ORDER BY 1;

-- Operator classes, each valid in the eyes of its access method.
SELECT object, amvalidate(objid) AS valid
FROM member WHERE classid = 'pg_opclass'::regclass
ORDER BY 1;

-- It can be moved to another schema, and works there.
CREATE SCHEMA elsewhere;
CREATE TABLE kept (code bincode(8));
INSERT INTO kept VALUES ('01100000'), ('11111111');
CREATE INDEX ON kept USING hashidx_hamming (code);
ALTER EXTENSION hashidx SET SCHEMA elsewhere;
SELECT code, code OPERATOR(elsewhere.<~>) '01110000'::elsewhere.bincode AS distance
FROM kept ORDER BY distance;

-- Dropping it takes its own objects along, after a warning what depends on them.
DROP EXTENSION hashidx;
SET client_min_messages = warning;
DROP EXTENSION hashidx CASCADE;
RESET client_min_messages;
SELECT * FROM kept;
SELECT count(*) FROM pg_proc WHERE probin LIKE '%hashidx%';

\c :regression_database
DROP DATABASE hashidx_extension;
