-- bincode: binary codes of 1 to 65,536 bits, and hamming_ball

CREATE TYPE bincode;

CREATE FUNCTION bincode_in(cstring, oid, integer) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bincode_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_in(cstring, oid, integer) IS 'I/O';

CREATE FUNCTION bincode_out(bincode) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hashidx_bincode_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_out(bincode) IS 'I/O';

CREATE FUNCTION bincode_recv(internal, oid, integer) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bincode_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_recv(internal, oid, integer) IS 'I/O';

CREATE FUNCTION bincode_send(bincode) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_bincode_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_send(bincode) IS 'I/O';

CREATE FUNCTION bincode_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_bincode_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_typmod_in(cstring[]) IS 'I/O type modifier';

CREATE FUNCTION bincode_typmod_out(integer) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hashidx_bincode_typmod_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_typmod_out(integer) IS 'I/O type modifier';

-- External storage: codes are as good as random and do not compress.
CREATE TYPE bincode (
	INPUT = bincode_in,
	OUTPUT = bincode_out,
	RECEIVE = bincode_recv,
	SEND = bincode_send,
	TYPMOD_IN = bincode_typmod_in,
	TYPMOD_OUT = bincode_typmod_out,
	STORAGE = external,
	ALIGNMENT = int4
);
COMMENT ON TYPE bincode IS 'binary code of n bits';

-- Casts: nothing is ever truncated or filled.

CREATE FUNCTION bincode(bincode, bits integer, enforce boolean) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bincode' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode(bincode, integer, boolean) IS 'refuse a code that is not of the declared length';

CREATE CAST (bincode AS bincode) WITH FUNCTION bincode(bincode, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (bincode AS bincode) IS 'check of the declared length';

CREATE FUNCTION bincode(bit) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bit_to_bincode' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode(bit) IS 'convert bit to bincode';

CREATE CAST (bit AS bincode) WITH FUNCTION bincode(bit) AS ASSIGNMENT;
COMMENT ON CAST (bit AS bincode) IS 'convert bit to bincode';

CREATE FUNCTION bincode(bit varying) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bit_to_bincode' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode(bit varying) IS 'convert bit varying to bincode';

CREATE CAST (bit varying AS bincode) WITH FUNCTION bincode(bit varying) AS ASSIGNMENT;
COMMENT ON CAST (bit varying AS bincode) IS 'convert bit varying to bincode';

CREATE FUNCTION bincode(bytea) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bytea_to_bincode' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode(bytea) IS 'convert bytes to bincode, eight bits each';

CREATE CAST (bytea AS bincode) WITH FUNCTION bincode(bytea) AS ASSIGNMENT;
COMMENT ON CAST (bytea AS bincode) IS 'convert bytes to bincode, eight bits each';

CREATE FUNCTION bincode(bigint) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bigint_to_bincode' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode(bigint) IS 'convert bigint to bincode(64), sign bit first';

CREATE CAST (bigint AS bincode) WITH FUNCTION bincode(bigint) AS ASSIGNMENT;
COMMENT ON CAST (bigint AS bincode) IS 'convert bigint to bincode(64), sign bit first';

CREATE FUNCTION "bit"(bincode) RETURNS bit
	AS 'MODULE_PATHNAME', 'hashidx_bincode_to_bit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION "bit"(bincode) IS 'convert bincode to bit';

CREATE CAST (bincode AS bit) WITH FUNCTION "bit"(bincode) AS ASSIGNMENT;
COMMENT ON CAST (bincode AS bit) IS 'convert bincode to bit';

CREATE FUNCTION varbit(bincode) RETURNS bit varying
	AS 'MODULE_PATHNAME', 'hashidx_bincode_to_bit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION varbit(bincode) IS 'convert bincode to bit varying';

CREATE CAST (bincode AS bit varying) WITH FUNCTION varbit(bincode) AS ASSIGNMENT;
COMMENT ON CAST (bincode AS bit varying) IS 'convert bincode to bit varying';

CREATE FUNCTION bytea(bincode) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_bincode_to_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bytea(bincode) IS 'convert bincode of whole bytes to bytea';

CREATE CAST (bincode AS bytea) WITH FUNCTION bytea(bincode) AS ASSIGNMENT;
COMMENT ON CAST (bincode AS bytea) IS 'convert bincode of whole bytes to bytea';

CREATE FUNCTION int8(bincode) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hashidx_bincode_to_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION int8(bincode) IS 'convert bincode of 64 bits to bigint';

CREATE CAST (bincode AS bigint) WITH FUNCTION int8(bincode) AS ASSIGNMENT;
COMMENT ON CAST (bincode AS bigint) IS 'convert bincode of 64 bits to bigint';

-- Distances and similarities.

CREATE FUNCTION hamming_distance(bincode, bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_hamming_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_distance(bincode, bincode) IS 'number of bits that differ';

CREATE FUNCTION hamming_within(a bincode, b bincode, r integer) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_hamming_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_within(bincode, bincode, integer) IS 'Hamming distance is at most r';

CREATE FUNCTION jaccard_distance(bincode, bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_distance(bincode, bincode) IS 'Jaccard distance of the sets of one bits';

CREATE FUNCTION jaccard_within(a bincode, b bincode, r double precision) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_jaccard_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_within(bincode, bincode, double precision) IS 'Jaccard distance is at most r';

CREATE FUNCTION tversky_similarity(bincode, bincode, alpha double precision, beta double precision) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_tversky_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tversky_similarity(bincode, bincode, double precision, double precision) IS 'Tversky similarity of the sets of one bits';

CREATE OPERATOR <~> (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = hamming_distance,
	COMMUTATOR = <~>
);
COMMENT ON OPERATOR <~> (bincode, bincode) IS 'Hamming distance';

CREATE OPERATOR <%> (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = jaccard_distance,
	COMMUTATOR = <%>
);
COMMENT ON OPERATOR <%> (bincode, bincode) IS 'Jaccard distance';

-- Bits.

CREATE FUNCTION bit_count(bincode) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hashidx_bit_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bit_count(bincode) IS 'number of one bits';

CREATE FUNCTION length(bincode) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_length' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION length(bincode) IS 'number of bits';

CREATE FUNCTION get_bit(bincode, n integer) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_get_bit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION get_bit(bincode, integer) IS 'bit n, counted from 0';

CREATE FUNCTION subcode(bincode, start integer, count integer) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_subcode' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subcode(bincode, integer, integer) IS 'part of a code, positions counted from 1';

CREATE FUNCTION bincode_and(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bincode_and' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_and(bincode, bincode) IS 'bitwise and';

CREATE OPERATOR & (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_and,
	COMMUTATOR = &
);
COMMENT ON OPERATOR & (bincode, bincode) IS 'bitwise and';

CREATE FUNCTION bincode_or(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bincode_or' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_or(bincode, bincode) IS 'bitwise or';

CREATE OPERATOR | (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_or,
	COMMUTATOR = |
);
COMMENT ON OPERATOR | (bincode, bincode) IS 'bitwise or';

CREATE FUNCTION bincode_xor(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bincode_xor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_xor(bincode, bincode) IS 'bitwise exclusive or';

CREATE OPERATOR # (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_xor,
	COMMUTATOR = #
);
COMMENT ON OPERATOR # (bincode, bincode) IS 'bitwise exclusive or';

CREATE FUNCTION bincode_not(bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bincode_not' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_not(bincode) IS 'bitwise not';

CREATE OPERATOR ~ (
	RIGHTARG = bincode, FUNCTION = bincode_not
);
COMMENT ON OPERATOR ~ (NONE, bincode) IS 'bitwise not';

CREATE FUNCTION bincode_cat(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bincode_cat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_cat(bincode, bincode) IS 'concatenate';

CREATE OPERATOR || (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_cat
);
COMMENT ON OPERATOR || (bincode, bincode) IS 'concatenate';

-- Order, equality, hash.

CREATE FUNCTION bincode_lt(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_bincode_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_lt(bincode, bincode) IS 'less than';

CREATE FUNCTION bincode_le(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_bincode_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_le(bincode, bincode) IS 'less than or equal';

CREATE FUNCTION bincode_eq(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_bincode_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_eq(bincode, bincode) IS 'equal';

CREATE FUNCTION bincode_ne(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_bincode_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_ne(bincode, bincode) IS 'not equal';

CREATE FUNCTION bincode_ge(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_bincode_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_ge(bincode, bincode) IS 'greater than or equal';

CREATE FUNCTION bincode_gt(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_bincode_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_gt(bincode, bincode) IS 'greater than';

CREATE FUNCTION bincode_cmp(bincode, bincode) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_bincode_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_cmp(bincode, bincode) IS 'less, equal or greater';

CREATE FUNCTION bincode_hash(bincode) RETURNS integer
	AS 'MODULE_PATHNAME', 'hashidx_bincode_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_hash(bincode) IS 'hash';

CREATE FUNCTION bincode_hash_extended(bincode, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hashidx_bincode_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_hash_extended(bincode, bigint) IS 'hash with a seed';

CREATE OPERATOR < (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (bincode, bincode) IS 'less than';

CREATE OPERATOR <= (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (bincode, bincode) IS 'less than or equal';

CREATE OPERATOR = (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (bincode, bincode) IS 'equal';

CREATE OPERATOR <> (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (bincode, bincode) IS 'not equal';

CREATE OPERATOR >= (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (bincode, bincode) IS 'greater than or equal';

CREATE OPERATOR > (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (bincode, bincode) IS 'greater than';

CREATE OPERATOR CLASS bincode_ops DEFAULT FOR TYPE bincode USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 bincode_cmp(bincode, bincode),
	FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS bincode_ops USING btree IS 'order of binary codes';
COMMENT ON OPERATOR FAMILY bincode_ops USING btree IS 'order of binary codes';

CREATE OPERATOR CLASS bincode_ops DEFAULT FOR TYPE bincode USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 bincode_hash(bincode),
	FUNCTION 2 bincode_hash_extended(bincode, bigint);
COMMENT ON OPERATOR CLASS bincode_ops USING hash IS 'equality of binary codes';
COMMENT ON OPERATOR FAMILY bincode_ops USING hash IS 'equality of binary codes';

-- Aggregates.

CREATE AGGREGATE bit_and(bincode) (
	SFUNC = bincode_and,
	STYPE = bincode,
	COMBINEFUNC = bincode_and,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE bit_and(bincode) IS 'bitwise and of all codes';

CREATE AGGREGATE bit_or(bincode) (
	SFUNC = bincode_or,
	STYPE = bincode,
	COMBINEFUNC = bincode_or,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE bit_or(bincode) IS 'bitwise or of all codes';

CREATE FUNCTION bincode_majority_accum(internal, bincode) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_bincode_majority_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bincode_majority_accum(internal, bincode) IS 'aggregate transition function';

CREATE FUNCTION bincode_majority_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_bincode_majority_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bincode_majority_combine(internal, internal) IS 'aggregate combine function';

CREATE FUNCTION bincode_majority_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_bincode_majority_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_majority_serialize(internal) IS 'aggregate serialization function';

CREATE FUNCTION bincode_majority_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_bincode_majority_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_majority_deserialize(bytea, internal) IS 'aggregate deserialization function';

CREATE FUNCTION bincode_majority_final(internal) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_bincode_majority_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bincode_majority_final(internal) IS 'aggregate final function';

CREATE AGGREGATE majority(bincode) (
	SFUNC = bincode_majority_accum,
	STYPE = internal,
	FINALFUNC = bincode_majority_final,
	COMBINEFUNC = bincode_majority_combine,
	SERIALFUNC = bincode_majority_serialize,
	DESERIALFUNC = bincode_majority_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE majority(bincode) IS 'code whose bits are those of more than half of the codes; ties give 0';

-- hamming_ball: all codes within a distance of a centre. It is what the planner
-- makes of hamming_within(code, centre, radius) when an index can serve it.

CREATE TYPE hamming_ball;

CREATE FUNCTION hamming_ball_in(cstring) RETURNS hamming_ball
	AS 'MODULE_PATHNAME', 'hashidx_hamming_ball_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_in(cstring) IS 'I/O';

CREATE FUNCTION hamming_ball_out(hamming_ball) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hashidx_hamming_ball_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_out(hamming_ball) IS 'I/O';

CREATE FUNCTION hamming_ball_recv(internal) RETURNS hamming_ball
	AS 'MODULE_PATHNAME', 'hashidx_hamming_ball_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_recv(internal) IS 'I/O';

CREATE FUNCTION hamming_ball_send(hamming_ball) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_hamming_ball_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_send(hamming_ball) IS 'I/O';

CREATE TYPE hamming_ball (
	INPUT = hamming_ball_in,
	OUTPUT = hamming_ball_out,
	RECEIVE = hamming_ball_recv,
	SEND = hamming_ball_send,
	STORAGE = external,
	ALIGNMENT = int4
);
COMMENT ON TYPE hamming_ball IS 'codes within a Hamming distance of a centre';

CREATE FUNCTION hamming_ball(centre bincode, radius integer) RETURNS hamming_ball
	AS 'MODULE_PATHNAME', 'hashidx_hamming_ball' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball(bincode, integer) IS 'ball of a centre and a radius';

CREATE FUNCTION hamming_ball_contains(bincode, hamming_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hashidx_hamming_ball_contains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_contains(bincode, hamming_ball) IS 'code lies in the ball';

CREATE OPERATOR <@ (
	LEFTARG = bincode, RIGHTARG = hamming_ball, FUNCTION = hamming_ball_contains,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (bincode, hamming_ball) IS 'code lies in the ball';

