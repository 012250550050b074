-- Encoders: functions that turn vectors into codes.

CREATE FUNCTION hashidx_simhash(v qvec, bits integer, seed bigint DEFAULT 0) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hashidx_simhash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION hashidx_simhash(v qvec, bits integer, seed bigint) IS
	'code of the vector: bit by bit the side of a random hyperplane it lies on; the share of bits that differ estimates the angle';
