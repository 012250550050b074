-- encoders by name, the trigger that keeps codes current, the balance of bits
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashidx;
RESET client_min_messages;

-- a model: the signs of three sums
SELECT hashidx_model_from_layers('{"input": 2, "layers": [
	{"type": "linear", "weights": [[1, 0], [0, 1], [1, 1]], "bias": [0, 0, -1]}, {"type": "sign"}]}') AS model \gset
SELECT hashidx_create_encoder('signs', :'model');
SELECT hashidx_create_encoder('signs', :'model');
SELECT name, owner = current_user AS mine, hashidx_describe(model)->>'kind' AS kind FROM hashidx_encoder;

-- encoding by name is encoding by the model; a literal means a name
SELECT hashidx_encode('signs', '[1,2]'), hashidx_encode('signs', '[-1,0.5]'),
	hashidx_encode('signs'::name, '[1,2]') = hashidx_encode(:'model'::hashidx_model, '[1,2]') AS same;
SELECT provolatile FROM pg_proc WHERE oid = 'hashidx_encode(name, qvec)'::regprocedure;
SELECT hashidx_encode('signs', '[1,2,3]');
SELECT hashidx_encode('none', '[1,2]');
SELECT hashidx_encode(NULL::name, '[1,2]') IS NULL AS null_in_null_out;
SELECT count(*), count(DISTINCT code) FROM (
	SELECT hashidx_encode('signs', ARRAY[cos(i), sin(i)]::qvec) AS code FROM generate_series(1, 1000) i) s;

-- the trigger
CREATE TABLE points (id integer, v qvec(2), code bincode(3), note text);
CREATE TRIGGER encode BEFORE INSERT OR UPDATE ON points
	FOR EACH ROW EXECUTE FUNCTION hashidx_encode_trigger('signs', 'v', 'code');
INSERT INTO points VALUES (1, '[1,2]', NULL), (2, '[-1,-1]', '111'), (3, NULL, NULL), (4, NULL, '111');
SELECT * FROM points ORDER BY id;
UPDATE points SET v = '[-1,1]' WHERE id = 1;
UPDATE points SET note = 'the same' WHERE id = 2;
UPDATE points SET code = '111' WHERE id = 2;
UPDATE points SET v = '[0,1]' WHERE id = 3;
SELECT * FROM points ORDER BY id;

-- another encoder of that name: codes stay until they are asked for anew
SELECT hashidx_drop_encoder('signs');
SELECT hashidx_create_encoder('signs', hashidx_model_from_layers('{"input": 2, "layers": [
	{"type": "linear", "weights": [[-1, 0], [0, -1], [1, 1]], "bias": [0, 0, -1]}, {"type": "sign"}]}'));
UPDATE points SET note = 'kept';
SELECT id, code FROM points ORDER BY id;
UPDATE points SET code = NULL;
SELECT id, code FROM points ORDER BY id;

-- also for a function whose calls last as long as the transaction
CREATE FUNCTION by_name(v qvec) RETURNS bincode LANGUAGE plpgsql AS $$
DECLARE code bincode; BEGIN code := hashidx_encode('other', v); RETURN code; END $$;
CREATE FUNCTION by_name_after(v qvec) RETURNS SETOF bincode LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 2 LOOP
		RETURN NEXT hashidx_encode('other', v);
		DELETE FROM hashidx_encoder WHERE name = 'other';
		INSERT INTO hashidx_encoder SELECT 'other', owner, model FROM hashidx_encoder WHERE name = 'signs';
	END LOOP;
END $$;
BEGIN;
SELECT hashidx_create_encoder('other', :'model');
SELECT by_name('[1,2]');
UPDATE hashidx_encoder SET model = (SELECT model FROM hashidx_encoder WHERE name = 'signs') WHERE name = 'other';
SELECT by_name('[1,2]');
UPDATE hashidx_encoder SET model = :'model' WHERE name = 'other';
SELECT * FROM by_name_after('[1,2]');
SELECT hashidx_drop_encoder('other');
SELECT by_name('[1,2]');
ROLLBACK;
DROP FUNCTION by_name, by_name_after;

-- wrong use of the trigger
CREATE TRIGGER wrong AFTER INSERT ON points FOR EACH ROW EXECUTE FUNCTION hashidx_encode_trigger('signs', 'v', 'code');
INSERT INTO points VALUES (5, '[1,1]');
DROP TRIGGER wrong ON points;
CREATE TRIGGER wrong BEFORE INSERT ON points FOR EACH ROW EXECUTE FUNCTION hashidx_encode_trigger('signs', 'v');
INSERT INTO points VALUES (5, '[1,1]');
DROP TRIGGER wrong ON points;
CREATE TRIGGER wrong BEFORE INSERT ON points FOR EACH ROW EXECUTE FUNCTION hashidx_encode_trigger('signs', 'w', 'code');
INSERT INTO points VALUES (5, '[1,1]');
DROP TRIGGER wrong ON points;
CREATE TRIGGER wrong BEFORE INSERT ON points FOR EACH ROW EXECUTE FUNCTION hashidx_encode_trigger('signs', 'v', 'note');
INSERT INTO points VALUES (5, '[1,1]');
DROP TRIGGER wrong ON points;
SELECT hashidx_encode_trigger();
CREATE TABLE narrow (v qvec(2), code bincode(4));
CREATE TRIGGER wrong BEFORE INSERT ON narrow FOR EACH ROW EXECUTE FUNCTION hashidx_encode_trigger('signs', 'v', 'code');
INSERT INTO narrow VALUES ('[1,1]');
DROP TABLE narrow;

-- an encoder is visible to the members of its owner only
CREATE ROLE regress_hashidx_one;
CREATE ROLE regress_hashidx_two;
SET ROLE regress_hashidx_one;
SELECT hashidx_create_encoder('hers', :'model');
SELECT name FROM hashidx_encoder ORDER BY name;
SELECT hashidx_encode('signs', '[1,2]');
SELECT hashidx_drop_encoder('signs');
SELECT hashidx_create_encoder('signs', :'model');
SET ROLE regress_hashidx_two;
SELECT count(*) FROM hashidx_encoder;
SELECT hashidx_encode('hers', '[1,2]');
INSERT INTO hashidx_encoder VALUES ('forged', 'regress_hashidx_one', :'model');
UPDATE hashidx_encoder SET owner = CURRENT_USER;
RESET ROLE;
SELECT name, owner FROM hashidx_encoder WHERE name = 'hers';

-- an owner that is gone, and one with a name that must be quoted, are in nobody's way
CREATE ROLE "regress_hashidx Gone";
SET ROLE "regress_hashidx Gone";
SELECT hashidx_create_encoder('lost', :'model');
SELECT name FROM hashidx_encoder ORDER BY name;
RESET ROLE;
DROP ROLE "regress_hashidx Gone";
SET ROLE regress_hashidx_one;
SELECT name FROM hashidx_encoder ORDER BY name;
SELECT hashidx_drop_encoder('lost');
RESET ROLE;
SELECT hashidx_drop_encoder('lost');
SELECT hashidx_drop_encoder('hers'), hashidx_drop_encoder('signs');
SELECT hashidx_drop_encoder('signs');
DROP ROLE regress_hashidx_one, regress_hashidx_two;

-- the balance of bits: bit 0 always 1, bit 1 half, bit 2 equal to bit 1, bit 3 a quarter
CREATE TABLE balance AS SELECT ('1' || i % 2 || i % 2 || (i % 4 = 0)::integer)::text::bincode AS code
	FROM generate_series(1, 400) i;
INSERT INTO balance VALUES (NULL);
SELECT "bit", mean, round(entropy::numeric, 4) AS entropy, round(max_correlation::numeric, 4) AS max_correlation
FROM hashidx_bit_balance('balance', 'code') ORDER BY "bit";
SELECT * FROM hashidx_bit_balance('points', 'note');
SELECT * FROM hashidx_bit_balance('points', 'no such');
DELETE FROM balance;
SELECT * FROM hashidx_bit_balance('balance', 'code');
INSERT INTO balance SELECT substring(sha256(i::text::bytea) FOR 2)::bincode FROM generate_series(1, 40000) i;
SELECT count(*), min(mean) > 0.47 AND max(mean) < 0.53 AS balanced, min(entropy) > 0.99 AS full,
	max(max_correlation) < 0.05 AS independent FROM hashidx_bit_balance('balance', 'code');
DROP TABLE points, balance;
