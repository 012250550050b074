-- Encoders: models that have a name, and keeping a column of codes current.

-- The owner is kept by name: a dump must be restored where that role is not, or not yet, which an
-- OID or a regrole would not survive. So the encoders of a role that is renamed stay with its old name,
-- until a superuser gives them the new one: UPDATE hashidx_encoder SET owner = 'new' WHERE owner = 'old'.
CREATE TABLE hashidx_encoder (
	name name PRIMARY KEY,
	owner name NOT NULL DEFAULT CURRENT_USER,
	model hashidx_model NOT NULL
);
COMMENT ON TABLE hashidx_encoder IS
	'encoders by name; visible to and usable by the members of the role that owns them';
COMMENT ON COLUMN hashidx_encoder.name IS 'what hashidx_encode(name, vector) is given';
COMMENT ON COLUMN hashidx_encoder.owner IS 'role that made it; its members use and drop it';
COMMENT ON COLUMN hashidx_encoder.model IS 'the trained model';

-- A model tells of the data it was trained on, so it is not for everyone to see.
GRANT SELECT, INSERT, DELETE ON hashidx_encoder TO PUBLIC;
-- An owner who is gone, or was never there where a dump was restored, has no members: no error.
ALTER TABLE hashidx_encoder ENABLE ROW LEVEL SECURITY;
CREATE POLICY hashidx_encoder_members ON hashidx_encoder
	USING (pg_catalog.pg_has_role(pg_catalog.to_regrole(pg_catalog.quote_ident(owner)), 'MEMBER'));
COMMENT ON POLICY hashidx_encoder_members ON hashidx_encoder IS 'members of the owner only';
SELECT pg_catalog.pg_extension_config_dump('hashidx_encoder', '');

CREATE FUNCTION hashidx_create_encoder(name name, model hashidx_model) RETURNS void
	AS 'MODULE_PATHNAME', 'hashidx_create_encoder' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashidx_create_encoder(name, hashidx_model) IS
	'gives a model a name, by which hashidx_encode and hashidx_encode_trigger find it';

CREATE FUNCTION hashidx_drop_encoder(name name) RETURNS void
	AS 'MODULE_PATHNAME', 'hashidx_drop_encoder' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashidx_drop_encoder(name) IS 'forgets an encoder';

CREATE FUNCTION hashidx_encode(encoder name, v qvec) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_encode_by_name' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 500;
COMMENT ON FUNCTION hashidx_encode(name, qvec) IS 'code that the named encoder gives the vector';

CREATE FUNCTION hashidx_encode_trigger() RETURNS trigger
	AS 'MODULE_PATHNAME', 'hashidx_encode_trigger' LANGUAGE C;
COMMENT ON FUNCTION hashidx_encode_trigger() IS
	'BEFORE INSERT OR UPDATE row trigger (encoder, vector column, code column): keeps the code current';

CREATE FUNCTION hashidx_bit_balance(source regclass, code_column name,
	OUT "bit" integer, OUT mean double precision, OUT entropy double precision,
	OUT max_correlation double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hashidx_bit_balance' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashidx_bit_balance(regclass, name) IS
	'how good the bits of a column of codes are: share of ones, entropy, and the largest correlation with another bit';
