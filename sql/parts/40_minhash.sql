-- MinHash signatures of sets, sets of texts, and buckets as a column.

CREATE FUNCTION hashidx_minhash(elements anyarray, hashes integer, seed bigint DEFAULT 0) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'hashidx_minhash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION hashidx_minhash(elements anyarray, hashes integer, seed bigint) IS
	'MinHash signature of an integer[], bigint[] or text[] as a set; the share of values that agree estimates the Jaccard similarity';

CREATE FUNCTION hashidx_minhash_accum(internal, element anyelement, hashes integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_minhash_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_minhash_accum(internal, element anyelement, hashes integer) IS 'transition of hashidx_minhash_agg';

CREATE FUNCTION hashidx_minhash_accum(internal, element anyelement, hashes integer, seed bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_minhash_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_minhash_accum(internal, element anyelement, hashes integer, seed bigint) IS 'transition of hashidx_minhash_agg';

CREATE FUNCTION hashidx_minhash_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_minhash_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_minhash_combine(internal, internal) IS 'combination of states of hashidx_minhash_agg';

CREATE FUNCTION hashidx_minhash_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hashidx_minhash_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_minhash_serialize(internal) IS 'state of hashidx_minhash_agg for another process';

CREATE FUNCTION hashidx_minhash_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_minhash_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_minhash_deserialize(bytea, internal) IS 'state of hashidx_minhash_agg from another process';

CREATE FUNCTION hashidx_minhash_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'hashidx_minhash_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_minhash_final(internal) IS 'result of hashidx_minhash_agg';

CREATE AGGREGATE hashidx_minhash_agg(element anyelement, hashes integer) (
	SFUNC = hashidx_minhash_accum,
	STYPE = internal,
	FINALFUNC = hashidx_minhash_final,
	COMBINEFUNC = hashidx_minhash_combine,
	SERIALFUNC = hashidx_minhash_serialize,
	DESERIALFUNC = hashidx_minhash_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE hashidx_minhash_agg(element anyelement, hashes integer) IS
	'MinHash signature of the elements that are not null: that of hashidx_minhash(array_agg(element), hashes)';

CREATE AGGREGATE hashidx_minhash_agg(element anyelement, hashes integer, seed bigint) (
	SFUNC = hashidx_minhash_accum,
	STYPE = internal,
	FINALFUNC = hashidx_minhash_final,
	COMBINEFUNC = hashidx_minhash_combine,
	SERIALFUNC = hashidx_minhash_serialize,
	DESERIALFUNC = hashidx_minhash_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE hashidx_minhash_agg(element anyelement, hashes integer, seed bigint) IS
	'MinHash signature of the elements that are not null: that of hashidx_minhash(array_agg(element), hashes, seed)';

CREATE FUNCTION hashidx_minhash_jaccard(a bigint[], b bigint[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_minhash_jaccard' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_minhash_jaccard(a bigint[], b bigint[]) IS
	'Jaccard similarity estimated from two MinHash signatures: the share of values that agree';

CREATE FUNCTION hashidx_minhash_code(signature bigint[], bits integer DEFAULT 1) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_minhash_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_minhash_code(signature bigint[], bits integer) IS
	'code of the lowest bits of each value of a MinHash signature';

CREATE FUNCTION hashidx_minhash_jaccard(a bincode, b bincode, bits integer DEFAULT 1) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hashidx_minhash_code_jaccard' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_minhash_jaccard(a bincode, b bincode, bits integer) IS
	'Jaccard similarity estimated from two codes of hashidx_minhash_code: (share that agrees - 2^-bits) / (1 - 2^-bits)';

CREATE FUNCTION hashidx_shingles(source text, size integer, unit text DEFAULT 'words') RETURNS text[]
	AS 'MODULE_PATHNAME', 'hashidx_shingles' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION hashidx_shingles(source text, size integer, unit text) IS
	'all runs of size words, or characters, of a text, each once';

CREATE FUNCTION hashidx_element_hashes(elements anyarray) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'hashidx_element_hashes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION hashidx_element_hashes(elements anyarray) IS
	'the set of the elements'' hashes: as similar to others as the set itself, and smaller and faster to compare than one of strings';

CREATE FUNCTION hashidx_lsh_keys(v qvec, tables integer, hashes integer, seed bigint DEFAULT 0,
								 family text DEFAULT 'hyperplane', width double precision DEFAULT 1) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'hashidx_qvec_lsh_keys' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION hashidx_lsh_keys(v qvec, tables integer, hashes integer, seed bigint, family text, width double precision) IS
	'keys of the buckets of a vector, one a table: hyperplane and cross_polytope (cosine distance), p_stable (Euclidean distance, in cells of the given width)';

CREATE FUNCTION hashidx_lsh_keys(code bincode, tables integer, hashes integer, seed bigint DEFAULT 0) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'hashidx_bincode_lsh_keys' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION hashidx_lsh_keys(code bincode, tables integer, hashes integer, seed bigint) IS
	'keys of the buckets of a code, one a table, each of hashes bits of it';

CREATE FUNCTION hashidx_lsh_keys(elements anyarray, bands integer, hashes integer, seed bigint DEFAULT 0) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'hashidx_array_lsh_keys' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION hashidx_lsh_keys(elements anyarray, bands integer, hashes integer, seed bigint) IS
	'keys of the buckets of an integer[], bigint[] or text[] as a set, one a band of its MinHash signature';
