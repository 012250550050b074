-- hashidx_model: text and binary form, equality; forged and damaged models are refused
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;
\getenv input PG_ABS_SRCDIR
\set helpers :input '/include/fails.sql'
\i :helpers

-- CRC-32C, written down independently: bit by bit, lowest first, of all bytes but the four that hold it.
CREATE FUNCTION pg_temp.crc32c(model bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	crc bigint := 4294967295;
BEGIN
	FOR i IN 0 .. length(model) - 1 LOOP
		CONTINUE WHEN i BETWEEN 20 AND 23;
		crc := crc # get_byte(model, i);
		FOR bit IN 1 .. 8 LOOP
			crc := (crc >> 1) # (CASE WHEN crc & 1 = 1 THEN 2197175160 ELSE 0 END);
		END LOOP;
	END LOOP;
	RETURN crc # 4294967295;
END $$;

-- The little-endian bytes of a number.
CREATE FUNCTION pg_temp.bytes(number bigint, count integer) RETURNS bytea LANGUAGE sql AS $$
	SELECT string_agg(substring(int8send(number) FROM 9 - i FOR 1), '' ORDER BY i) FROM generate_series(1, count) AS i
$$;

-- Puts bytes into a model, with a checksum that is right again: what comes of reading that.
CREATE FUNCTION pg_temp.forged(model hashidx_model, at integer, new bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT overlay(bytes PLACING pg_temp.bytes(pg_temp.crc32c(bytes), 4) FROM 21)
	FROM overlay(hashidx_model_send(model) PLACING new FROM at + 1) AS bytes
$$;
CREATE FUNCTION pg_temp.forge(model hashidx_model, at integer, new bytea) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(pg_temp.fails(format('SELECT %L::hashidx_model', pg_temp.forged(model, at, new))), '"\\x.*?"', '...')
$$;

-- A model of two steps: a matrix of 2 x 3 and biases; signs.
CREATE TEMP TABLE small AS SELECT hashidx_model_from_layers('{"input": 2, "layers": [
	{"type": "linear", "weights": [[1, 2], [3, -4], [-1, 0.5]], "bias": [0.5, 0, 1]},
	{"type": "sign"}]}') AS model;
SELECT model FROM small;

-- The stored form, field by field.
SELECT hashidx_model_send(model) FROM small;
SELECT pg_temp.bytes(pg_temp.crc32c(hashidx_model_send(model)), 4) = substring(hashidx_model_send(model) FROM 21 FOR 4) AS checksum
FROM small;

-- Text that stands for the same model.
SELECT model = model::text::hashidx_model AS base64,
	model = hashidx_model_send(model)::text::hashidx_model AS hex,
	model = upper(hashidx_model_send(model)::text)::hashidx_model AS hex_upper,
	model = regexp_replace(hashidx_model_send(model)::text, '(.{10})', E'\\1 \n', 'g')::hashidx_model AS hex_blanks,
	model = encode(hashidx_model_send(model), 'base64')::hashidx_model AS base64_lines,
	model = ('  ' || regexp_replace(model::text, '(.)', E'\\1\t\r\n', 'g'))::hashidx_model AS base64_blanks
FROM small;

-- Text that stands for none.
SELECT pg_temp.fails(format('SELECT %L::hashidx_model', literal))
FROM unnest(ARRAY['', ' ', '=', 'a', 'abcd', 'abc!', 'SHhkTQ==', '\x', '\x0', '\xzz', '\x00', 'x00', repeat('A', 400)]) AS literal;

-- What was cut off, added, or changed at any byte is noticed.
SELECT count(*) AS cut, count(*) FILTER (WHERE what NOT LIKE '22P02 |%') AS unnoticed
FROM small, generate_series(0, length(hashidx_model_send(model)) - 1) AS n,
	LATERAL pg_temp.fails(format('SELECT %L::hashidx_model', substring(hashidx_model_send(model) FROM 1 FOR n))) AS what;
SELECT count(*) AS changed, count(*) FILTER (WHERE what NOT LIKE '22P02 |%') AS unnoticed
FROM small, generate_series(0, length(hashidx_model_send(model)) - 1) AS n,
	LATERAL set_byte(hashidx_model_send(model), n, get_byte(hashidx_model_send(model), n) # 16) AS bytes,
	LATERAL pg_temp.fails(format('SELECT %L::hashidx_model', bytes)) AS what;
SELECT pg_temp.fails(format('SELECT %L::hashidx_model', hashidx_model_send(model) || '\x00')) FROM small;

-- Forged with a checksum that is right. A newer format is no fault of the model.
SELECT pg_temp.forge(model, 0, '\x48') AS nothing_changed,
	pg_temp.forge(model, 4, pg_temp.bytes(2, 2)) AS newer, pg_temp.forge(model, 4, pg_temp.bytes(0, 2)) AS older,
	pg_temp.forge(model, 0, '\x00') AS magic
FROM small \gx
SELECT what, pg_temp.forge(model, at, pg_temp.bytes(number, bytes))
FROM small, (VALUES
	('kind', 6, 0, 2), ('kind', 6, 16, 2), ('kind', 6, 65535, 2),
	('dims', 8, 0, 4), ('dims', 8, 16001, 4), ('dims', 8, 3, 4), ('dims', 8, -1, 4),
	('outputs', 12, 0, 4), ('outputs', 12, 4, 4),
	('steps', 16, 0, 2), ('steps', 16, 1, 2), ('steps', 16, 3, 2), ('steps', 16, 65, 2), ('steps', 16, 65535, 2),
	('reserved', 18, 1, 2),
	('step 1: operation', 24, 0, 2), ('step 1: operation', 24, 19, 2), ('step 1: last only', 24, 15, 2),
	('step 1: reads itself', 26, 0, 2), ('step 1: reads ahead', 26, 1, 2), ('step 1: second input', 28, 0, 2),
	('step 1: reserved', 30, 1, 2), ('step 1: outputs', 32, 0, 4), ('step 1: outputs', 32, 4, 4),
	('step 1: outputs', 32, 65537, 4), ('step 1: outputs', 32, -1, 4),
	('step 1: detail', 36, 1, 4), ('step 1: seed', 40, 1, 8),
	('step 1: parameters', 48, 8, 4), ('step 1: parameters', 48, 10, 4), ('step 1: parameters', 48, -1, 4),
	('step 1: parameters', 48, 1073741824, 4), ('step 1: reserved', 52, 1, 4),
	('step 1: infinite', 56, x'7f800000'::int, 4), ('step 1: NaN', 60, x'7fc00001'::int, 4),
	('step 2: operation', 92, 16, 2), ('step 2: reads', 94, 65535, 2), ('step 2: NaN', 124, x'ffc00000'::int, 4)
	) AS t(what, at, number, bytes);

-- Equality is that of the bytes.
SELECT a.model = b.model AS same, a.model <> b.model AS other, a.model = c.model AS scaled, a.model <> c.model AS not_scaled
FROM small AS a, small AS b, (SELECT hashidx_model_from_layers('{"input": 2, "layers": [
	{"type": "linear", "weights": [[2, 4], [6, -8], [-2, 1]], "bias": [1, 0, 2]}, {"type": "sign"}]}')) AS c(model);

-- Stored: out of line when it is long, compressed when a column asks for it; dumped and restored as text.
CREATE TABLE kept (name text PRIMARY KEY, model hashidx_model);
SELECT attstorage FROM pg_attribute WHERE attrelid = 'kept'::regclass AND attname = 'model';
INSERT INTO kept SELECT 'small', model FROM small;
INSERT INTO kept
SELECT 'large', hashidx_model_from_layers(jsonb_build_object('input', 50, 'layers', jsonb_build_array(jsonb_build_object(
	'type', 'linear', 'weights', (SELECT jsonb_agg(numbers ORDER BY i) FROM (
		SELECT i, jsonb_agg((i * j % 7) / 4.0 ORDER BY j) AS numbers FROM generate_series(1, 40) AS i, generate_series(1, 50) AS j GROUP BY i) AS r)))));
CREATE TABLE compressed (LIKE kept);
ALTER TABLE compressed ALTER model SET STORAGE main;
INSERT INTO compressed SELECT name, model::text::hashidx_model FROM kept;
SELECT k.name, k.model = c.model AS same, k.model::text = c.model::text AS same_text,
	octet_length(hashidx_model_send(k.model)) AS bytes, pg_column_size(k.model) AS stored, pg_column_size(c.model) < 4000 AS compressed
FROM kept AS k JOIN compressed AS c USING (name) ORDER BY name;
SELECT name, hashidx_model_send(model::text::hashidx_model) = hashidx_model_send(model) AS same FROM kept ORDER BY name;
SELECT count(*) FROM kept AS a, kept AS b WHERE a.model = b.model;
DROP TABLE kept, compressed;

-- Text of more than a megabyte is read and written in pieces; padding is for the end of the last.
CREATE TABLE long AS SELECT hashidx_model_from_layers(jsonb_build_object('input', 500, 'layers', jsonb_build_array(jsonb_build_object(
	'type', 'linear', 'weights', (SELECT jsonb_agg(numbers ORDER BY i) FROM (
		SELECT i, jsonb_agg((i * j % 7) / 4.0 ORDER BY j) AS numbers FROM generate_series(1, 1100) AS i, generate_series(1, 500) AS j GROUP BY i) AS r))))) AS model;
SELECT length(model::text) AS characters, model::text = translate(encode(hashidx_model_send(model), 'base64'), E'\n', '') AS written,
	model = model::text::hashidx_model AS base64, model = encode(hashidx_model_send(model), 'base64')::hashidx_model AS base64_lines,
	model = ('\x' || encode(hashidx_model_send(model), 'hex'))::hashidx_model AS hex
FROM long;
SELECT at, pg_temp.fails(format('SELECT hashidx_describe(%L::hashidx_model)', overlay(model::text PLACING '==' FROM at))) AS outcome
FROM long, (VALUES (1048571), (1048575), (1048577), (2097151)) AS t(at);
DROP TABLE long;

-- What is damaged in storage is found when it is used, whatever it looks like.
CREATE CAST (bytea AS hashidx_model) WITHOUT FUNCTION;
SELECT what, pg_temp.fails(format('SELECT hashidx_describe(%L::bytea::hashidx_model)', bytes)) AS outcome
FROM small, LATERAL (VALUES
	('nothing', ''::bytea), ('one byte', '\x48'), ('cut', substring(hashidx_model_send(model) FROM 1 FOR 60)),
	('changed', set_byte(hashidx_model_send(model), 60, 1)), ('newer', pg_temp.forged(model, 4, '\x0300')),
	('whole', hashidx_model_send(model))) AS t(what, bytes);
SELECT pg_temp.fails($$SELECT hashidx_encode('\x00'::bytea::hashidx_model, '[1,2]')$$);
DROP CAST (bytea AS hashidx_model);
