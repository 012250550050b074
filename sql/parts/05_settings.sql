-- Settings: the functions beside hashidx.*

-- The answer follows a setting, hence not immutable.
CREATE FUNCTION hashidx_simd() RETURNS text
	AS 'MODULE_PATHNAME', 'hashidx_simd' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashidx_simd() IS 'SIMD level of the distance kernels in use';

