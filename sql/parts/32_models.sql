-- hashidx_model: trained models as values, and running them.

CREATE TYPE hashidx_model;

CREATE FUNCTION hashidx_model_in(cstring) RETURNS hashidx_model
	AS 'MODULE_PATHNAME', 'hashidx_model_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_model_in(cstring) IS 'I/O';

CREATE FUNCTION hashidx_model_out(hashidx_model) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hashidx_model_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_model_out(hashidx_model) IS 'I/O';

CREATE FUNCTION hashidx_model_recv(internal) RETURNS hashidx_model
	AS 'MODULE_PATHNAME', 'hashidx_model_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_model_recv(internal) IS 'I/O';

CREATE FUNCTION hashidx_model_send(hashidx_model) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_model_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_model_send(hashidx_model) IS 'I/O';

-- External storage: parameters are floats, which hardly compress.
CREATE TYPE hashidx_model (
	INPUT = hashidx_model_in,
	OUTPUT = hashidx_model_out,
	RECEIVE = hashidx_model_recv,
	SEND = hashidx_model_send,
	STORAGE = external,
	ALIGNMENT = int4
);
COMMENT ON TYPE hashidx_model IS 'trained model: encodes vectors as codes, vectors or tokens';

CREATE FUNCTION hashidx_model_eq(hashidx_model, hashidx_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_model_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_model_eq(hashidx_model, hashidx_model) IS 'implementation of = operator';

CREATE FUNCTION hashidx_model_ne(hashidx_model, hashidx_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_model_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_model_ne(hashidx_model, hashidx_model) IS 'implementation of <> operator';

CREATE OPERATOR = (
	LEFTARG = hashidx_model, RIGHTARG = hashidx_model, FUNCTION = hashidx_model_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (hashidx_model, hashidx_model) IS 'the same model: equal to the last byte';

CREATE OPERATOR <> (
	LEFTARG = hashidx_model, RIGHTARG = hashidx_model, FUNCTION = hashidx_model_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (hashidx_model, hashidx_model) IS 'not the same model';

-- Running a model. Costs are measured: see src/encode/README.

CREATE FUNCTION hashidx_encode(model hashidx_model, v qvec) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_encode' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION hashidx_encode(model hashidx_model, v qvec) IS
	'code that the model gives the vector';

CREATE FUNCTION hashidx_transform(model hashidx_model, v qvec) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_transform' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION hashidx_transform(model hashidx_model, v qvec) IS
	'vector that the model makes of the vector, in format f32';

CREATE FUNCTION hashidx_tokens(model hashidx_model, v qvec) RETURNS smallint[]
	AS 'MODULE_PATHNAME', 'hashidx_tokens' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION hashidx_tokens(model hashidx_model, v qvec) IS
	'tokens that the model gives the vector';

CREATE FUNCTION hashidx_describe(model hashidx_model) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'hashidx_describe' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_describe(model hashidx_model) IS
	'kind, dimensions, output, size and steps of the model';

CREATE FUNCTION hashidx_truncate(v qvec, d integer) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_truncate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION hashidx_truncate(v qvec, d integer) IS
	'first d numbers of the vector, scaled to norm 1: for Matryoshka embeddings';

CREATE FUNCTION sdc_similarity(bincode, bincode, planes integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_sdc_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION sdc_similarity(bincode, bincode, planes integer) IS
	'cosine of the vectors that two codes of a recurrent model stand for, with so many planes';

-- Models trained elsewhere.

CREATE FUNCTION hashidx_model_from_layers(layers jsonb) RETURNS hashidx_model
	AS 'MODULE_PATHNAME', 'hashidx_model_from_layers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashidx_model_from_layers(layers jsonb) IS
	'model made of the layers of a neural network: linear, scale, batchnorm, relu, tanh, l2norm, concat, subtract and sign';
