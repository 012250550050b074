-- The type qvec(dimensions [, format]): input and output, casts, distances,
-- arithmetic, comparison, aggregates.

-- Type

CREATE TYPE qvec;

CREATE FUNCTION qvec_in(cstring, oid, integer) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_qvec_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_in(cstring, oid, integer) IS 'input of qvec';

CREATE FUNCTION qvec_out(qvec) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hashidx_qvec_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_out(qvec) IS 'output of qvec';

CREATE FUNCTION qvec_recv(internal, oid, integer) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_qvec_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_recv(internal, oid, integer) IS 'binary input of qvec';

CREATE FUNCTION qvec_send(qvec) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_qvec_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_send(qvec) IS 'binary output of qvec';

CREATE FUNCTION qvec_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_qvec_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_typmod_in(cstring[]) IS 'input of the type modifier of qvec';

CREATE FUNCTION qvec_typmod_out(integer) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hashidx_qvec_typmod_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_typmod_out(integer) IS 'output of the type modifier of qvec';

-- Vectors hardly compress, and distances want them without decompression.
CREATE TYPE qvec (
	INPUT = qvec_in,
	OUTPUT = qvec_out,
	RECEIVE = qvec_recv,
	SEND = qvec_send,
	TYPMOD_IN = qvec_typmod_in,
	TYPMOD_OUT = qvec_typmod_out,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = external
);
COMMENT ON TYPE qvec IS 'vector of numbers: qvec(dimensions [, format]), format f32, f16, int8 or int4';

-- Casts

CREATE FUNCTION qvec(qvec, integer, boolean) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_qvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec(qvec, integer, boolean) IS 'check the dimensions of a qvec and convert it to the format of a type modifier';

CREATE CAST (qvec AS qvec) WITH FUNCTION qvec(qvec, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (qvec AS qvec) IS 'to other dimensions (an error) or another format';

CREATE FUNCTION array_to_qvec(real[], integer, boolean) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_array_to_qvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_qvec(real[], integer, boolean) IS 'convert real[] to qvec';

CREATE FUNCTION array_to_qvec(double precision[], integer, boolean) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_array_to_qvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_qvec(double precision[], integer, boolean) IS 'convert double precision[] to qvec';

CREATE FUNCTION array_to_qvec(integer[], integer, boolean) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_array_to_qvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_qvec(integer[], integer, boolean) IS 'convert integer[] to qvec';

CREATE FUNCTION array_to_qvec(numeric[], integer, boolean) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_array_to_qvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_qvec(numeric[], integer, boolean) IS 'convert numeric[] to qvec';

CREATE FUNCTION qvec_to_real_array(qvec) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hashidx_qvec_to_real_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_to_real_array(qvec) IS 'convert qvec to real[]';

CREATE FUNCTION qvec_to_double_array(qvec) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'hashidx_qvec_to_double_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_to_double_array(qvec) IS 'convert qvec to double precision[]';

CREATE FUNCTION qvec_to_integer_array(qvec) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hashidx_qvec_to_integer_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_to_integer_array(qvec) IS 'convert qvec to integer[], rounding half to even';

CREATE FUNCTION qvec_to_numeric_array(qvec) RETURNS numeric[]
	AS 'MODULE_PATHNAME', 'hashidx_qvec_to_numeric_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_to_numeric_array(qvec) IS 'convert qvec to numeric[]';

CREATE CAST (real[] AS qvec) WITH FUNCTION array_to_qvec(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS qvec) IS 'each number becomes the nearest the format has';
CREATE CAST (qvec AS real[]) WITH FUNCTION qvec_to_real_array(qvec) AS ASSIGNMENT;
COMMENT ON CAST (qvec AS real[]) IS 'the same numbers';

CREATE CAST (double precision[] AS qvec) WITH FUNCTION array_to_qvec(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS qvec) IS 'each number becomes the nearest the format has';
CREATE CAST (qvec AS double precision[]) WITH FUNCTION qvec_to_double_array(qvec) AS ASSIGNMENT;
COMMENT ON CAST (qvec AS double precision[]) IS 'the same numbers';

CREATE CAST (integer[] AS qvec) WITH FUNCTION array_to_qvec(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS qvec) IS 'each number becomes the nearest the format has';
CREATE CAST (qvec AS integer[]) WITH FUNCTION qvec_to_integer_array(qvec) AS ASSIGNMENT;
COMMENT ON CAST (qvec AS integer[]) IS 'rounded half to even';

CREATE CAST (numeric[] AS qvec) WITH FUNCTION array_to_qvec(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS qvec) IS 'each number becomes the nearest the format has';
CREATE CAST (qvec AS numeric[]) WITH FUNCTION qvec_to_numeric_array(qvec) AS ASSIGNMENT;
COMMENT ON CAST (qvec AS numeric[]) IS 'the same numbers';

-- Distances

CREATE FUNCTION l2_distance(qvec, qvec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_distance(qvec, qvec) IS 'Euclidean distance';

CREATE FUNCTION inner_product(qvec, qvec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION inner_product(qvec, qvec) IS 'inner product';

CREATE FUNCTION negative_inner_product(qvec, qvec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION negative_inner_product(qvec, qvec) IS 'negative inner product: the function of the operator <#>';

CREATE FUNCTION cosine_distance(qvec, qvec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cosine_distance(qvec, qvec) IS 'cosine distance, 1 - cos: 0 to 2, NaN for a zero vector';

CREATE FUNCTION l1_distance(qvec, qvec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_l1_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l1_distance(qvec, qvec) IS 'L1 (Manhattan) distance';

CREATE FUNCTION poincare_distance(qvec, qvec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_poincare_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION poincare_distance(qvec, qvec) IS 'hyperbolic distance of two points of the open unit ball';

CREATE FUNCTION l2_within(a qvec, b qvec, r double precision) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_l2_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_within(a qvec, b qvec, r double precision) IS 'Euclidean distance is at most r';

CREATE FUNCTION cosine_within(a qvec, b qvec, r double precision) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_cosine_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cosine_within(a qvec, b qvec, r double precision) IS 'cosine distance is at most r';

CREATE OPERATOR <-> (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (qvec, qvec) IS 'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (qvec, qvec) IS 'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (qvec, qvec) IS 'cosine distance';

CREATE OPERATOR <+> (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = l1_distance,
	COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (qvec, qvec) IS 'L1 distance';

-- Parts and arithmetic: what is computed is f32

CREATE FUNCTION qvec_dims(qvec) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_qvec_dims' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_dims(qvec) IS 'number of dimensions';

CREATE FUNCTION qvec_format(qvec) RETURNS text
	AS 'MODULE_PATHNAME', 'hashidx_qvec_format' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_format(qvec) IS 'format of the numbers: f32, f16, int8 or int4';

CREATE FUNCTION qvec_norm(qvec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_qvec_norm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION qvec_norm(qvec) IS 'Euclidean norm';

CREATE FUNCTION l2_normalize(qvec) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_l2_normalize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_normalize(qvec) IS 'the vector scaled to norm 1; a zero vector stays zero';

CREATE FUNCTION subvector(v qvec, start integer, count integer) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_subvector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(v qvec, start integer, count integer) IS 'count dimensions of the vector from the start-th, counted from 1';

CREATE FUNCTION qvec_concat(qvec, qvec) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_qvec_concat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION qvec_concat(qvec, qvec) IS 'concatenation';

CREATE FUNCTION qvec_add(qvec, qvec) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_qvec_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION qvec_add(qvec, qvec) IS 'sum';

CREATE FUNCTION qvec_sub(qvec, qvec) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_qvec_sub' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION qvec_sub(qvec, qvec) IS 'difference';

CREATE FUNCTION qvec_mul(qvec, qvec) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_qvec_mul' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION qvec_mul(qvec, qvec) IS 'product, dimension by dimension';

CREATE OPERATOR || (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_concat
);
COMMENT ON OPERATOR || (qvec, qvec) IS 'concatenation';

CREATE OPERATOR + (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_add,
	COMMUTATOR = +
);
COMMENT ON OPERATOR + (qvec, qvec) IS 'sum';

CREATE OPERATOR - (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_sub
);
COMMENT ON OPERATOR - (qvec, qvec) IS 'difference';

CREATE OPERATOR * (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_mul,
	COMMUTATOR = *
);
COMMENT ON OPERATOR * (qvec, qvec) IS 'product, dimension by dimension';

-- Comparison: by the numbers, whatever the formats, then by the dimensions

CREATE FUNCTION qvec_lt(qvec, qvec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_qvec_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_lt(qvec, qvec) IS 'less than';

CREATE FUNCTION qvec_le(qvec, qvec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_qvec_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_le(qvec, qvec) IS 'less than or equal to';

CREATE FUNCTION qvec_eq(qvec, qvec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_qvec_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_eq(qvec, qvec) IS 'equal to';

CREATE FUNCTION qvec_ne(qvec, qvec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_ne(qvec, qvec) IS 'not equal to';

CREATE FUNCTION qvec_ge(qvec, qvec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_qvec_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_ge(qvec, qvec) IS 'greater than or equal to';

CREATE FUNCTION qvec_gt(qvec, qvec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_qvec_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_gt(qvec, qvec) IS 'greater than';

CREATE FUNCTION qvec_cmp(qvec, qvec) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_qvec_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_cmp(qvec, qvec) IS 'less than, equal to or greater than zero, for btree';

CREATE FUNCTION qvec_hash(qvec) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_qvec_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_hash(qvec) IS 'hash, the same for equal numbers in any format';

CREATE FUNCTION qvec_hash_extended(qvec, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hashidx_qvec_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_hash_extended(qvec, bigint) IS 'hash with a seed';

CREATE OPERATOR < (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_lt,
	COMMUTATOR = >,
	NEGATOR = >=,
	RESTRICT = pg_catalog.scalarltsel,
	JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR < (qvec, qvec) IS 'less than';

CREATE OPERATOR <= (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_le,
	COMMUTATOR = >=,
	NEGATOR = >,
	RESTRICT = pg_catalog.scalarlesel,
	JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR <= (qvec, qvec) IS 'less than or equal to';

CREATE OPERATOR = (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_eq,
	COMMUTATOR = =,
	NEGATOR = <>,
	RESTRICT = pg_catalog.eqsel,
	JOIN = pg_catalog.eqjoinsel,
	HASHES,
	MERGES
);
COMMENT ON OPERATOR = (qvec, qvec) IS 'equal to';

CREATE OPERATOR <> (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_ne,
	COMMUTATOR = <>,
	NEGATOR = =,
	RESTRICT = pg_catalog.neqsel,
	JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR <> (qvec, qvec) IS 'not equal to';

CREATE OPERATOR >= (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_ge,
	COMMUTATOR = <=,
	NEGATOR = <,
	RESTRICT = pg_catalog.scalargesel,
	JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR >= (qvec, qvec) IS 'greater than or equal to';

CREATE OPERATOR > (
	LEFTARG = qvec,
	RIGHTARG = qvec,
	FUNCTION = qvec_gt,
	COMMUTATOR = <,
	NEGATOR = <=,
	RESTRICT = pg_catalog.scalargtsel,
	JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR > (qvec, qvec) IS 'greater than';

CREATE OPERATOR CLASS qvec_ops DEFAULT FOR TYPE qvec USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 qvec_cmp(qvec, qvec);
COMMENT ON OPERATOR CLASS qvec_ops USING btree IS 'order of qvecs by their numbers';
COMMENT ON OPERATOR FAMILY qvec_ops USING btree IS 'order of qvecs by their numbers';

CREATE OPERATOR CLASS qvec_ops DEFAULT FOR TYPE qvec USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 qvec_hash(qvec),
	FUNCTION 2 qvec_hash_extended(qvec, bigint);
COMMENT ON OPERATOR CLASS qvec_ops USING hash IS 'equality of qvecs by their numbers';
COMMENT ON OPERATOR FAMILY qvec_ops USING hash IS 'equality of qvecs by their numbers';

-- Aggregates

CREATE FUNCTION qvec_accum(internal, qvec) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_qvec_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION qvec_accum(internal, qvec) IS 'transition of sum(qvec) and avg(qvec)';

CREATE FUNCTION qvec_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_qvec_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION qvec_combine(internal, internal) IS 'combination of two states of sum(qvec) and avg(qvec)';

CREATE FUNCTION qvec_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_qvec_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_serialize(internal) IS 'serialization of the state of sum(qvec) and avg(qvec)';

CREATE FUNCTION qvec_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_qvec_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_deserialize(bytea, internal) IS 'deserialization of the state of sum(qvec) and avg(qvec)';

CREATE FUNCTION qvec_sum_final(internal) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_qvec_sum_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_sum_final(internal) IS 'result of sum(qvec)';

CREATE FUNCTION qvec_avg_final(internal) RETURNS qvec
	AS 'MODULE_PATHNAME', 'hashidx_qvec_avg_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qvec_avg_final(internal) IS 'result of avg(qvec)';

CREATE AGGREGATE sum(qvec) (
	SFUNC = qvec_accum,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = qvec_sum_final,
	COMBINEFUNC = qvec_combine,
	SERIALFUNC = qvec_serialize,
	DESERIALFUNC = qvec_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(qvec) IS 'the sum of vectors of the same dimensions, dimension by dimension';

CREATE AGGREGATE avg(qvec) (
	SFUNC = qvec_accum,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = qvec_avg_final,
	COMBINEFUNC = qvec_combine,
	SERIALFUNC = qvec_serialize,
	DESERIALFUNC = qvec_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(qvec) IS 'the average of vectors of the same dimensions, dimension by dimension';
