-- What a distance costs: more for long values, and where they are stored out of line.

CREATE FUNCTION hashidx_vector_distance_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_vector_distance_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_vector_distance_support(internal) IS 'planner support: what distances of vectors cost';

ALTER FUNCTION l2_distance(qvec, qvec) SUPPORT hashidx_vector_distance_support;
ALTER FUNCTION inner_product(qvec, qvec) SUPPORT hashidx_vector_distance_support;
ALTER FUNCTION negative_inner_product(qvec, qvec) SUPPORT hashidx_vector_distance_support;
ALTER FUNCTION cosine_distance(qvec, qvec) SUPPORT hashidx_vector_distance_support;
ALTER FUNCTION l1_distance(qvec, qvec) SUPPORT hashidx_vector_distance_support;
ALTER FUNCTION poincare_distance(qvec, qvec) SUPPORT hashidx_vector_distance_support;
ALTER FUNCTION l2_ball_contains(qvec, l2_ball) SUPPORT hashidx_vector_distance_support;
ALTER FUNCTION cosine_ball_contains(qvec, cosine_ball) SUPPORT hashidx_vector_distance_support;

CREATE FUNCTION hashidx_code_distance_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_code_distance_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_code_distance_support(internal) IS 'planner support: what distances of codes cost';

ALTER FUNCTION hamming_distance(bincode, bincode) SUPPORT hashidx_code_distance_support;
ALTER FUNCTION jaccard_distance(bincode, bincode) SUPPORT hashidx_code_distance_support;
ALTER FUNCTION jaccard_within(bincode, bincode, double precision) SUPPORT hashidx_code_distance_support;
ALTER FUNCTION tversky_similarity(bincode, bincode, double precision, double precision) SUPPORT hashidx_code_distance_support;
ALTER FUNCTION hamming_ball_contains(bincode, hamming_ball) SUPPORT hashidx_code_distance_support;

CREATE FUNCTION hashidx_set_distance_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hashidx_set_distance_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_set_distance_support(internal) IS 'planner support: what distances of sets cost';

ALTER FUNCTION jaccard_distance(integer[], integer[]) SUPPORT hashidx_set_distance_support;
ALTER FUNCTION tversky_similarity(integer[], integer[], double precision, double precision) SUPPORT hashidx_set_distance_support;
ALTER FUNCTION jaccard_ball_contains(integer[], jaccard_ball) SUPPORT hashidx_set_distance_support;
ALTER FUNCTION jaccard_distance(bigint[], bigint[]) SUPPORT hashidx_set_distance_support;
ALTER FUNCTION tversky_similarity(bigint[], bigint[], double precision, double precision) SUPPORT hashidx_set_distance_support;
ALTER FUNCTION jaccard_ball_contains(bigint[], jaccard_ball) SUPPORT hashidx_set_distance_support;
ALTER FUNCTION jaccard_distance(text[], text[]) SUPPORT hashidx_set_distance_support;
ALTER FUNCTION tversky_similarity(text[], text[], double precision, double precision) SUPPORT hashidx_set_distance_support;
ALTER FUNCTION jaccard_ball_contains(text[], jaccard_ball) SUPPORT hashidx_set_distance_support;
