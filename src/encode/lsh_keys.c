/*
 * lsh_keys.c
 *	  hashidx_lsh_keys: the buckets of a vector, a code or a set as a column, for those who
 *	  join on them without an index of ours.
 */
#include "hashidx.h"

#include "catalog/pg_type_d.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "hash/lsh.h"
#include "hash/projection.h"
#include "type/bincode.h"
#include "type/elements.h"
#include "type/qvec.h"

HX_FUNCTION(hashidx_qvec_lsh_keys);
HX_FUNCTION(hashidx_bincode_lsh_keys);
HX_FUNCTION(hashidx_array_lsh_keys);

/* The keys of a point as a bigint[], one a table. */
static Datum
make_keys(const HxLshShape *shape, HxLshPoint point)
{
	const char *fault = hx_lsh_shape_fault(shape);

	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot make keys of %d tables with %d hashes each", (int) shape->tables,
						(int) shape->hashes),
				 errdetail("%s", fault),
				 errhint("There are 1 to %d tables, with 1 to %d hashes each.",
						 HX_LSH_MAX_TABLES, HX_LSH_MAX_HASHES)));

	HxLsh	   *lsh = palloc(hx_lsh_size(shape));
	uint64	   *keys = palloc_array(uint64, shape->tables);
	Datum	   *elements = palloc_array(Datum, shape->tables);

	hx_lsh_init(lsh, shape);
	hx_lsh_keys(lsh, point, palloc(hx_lsh_scratch(lsh)), keys);
	for (uint32 i = 0; i < shape->tables; i++)
		elements[i] = Int64GetDatum((int64) keys[i]);
	return PointerGetDatum(construct_array(elements, shape->tables, INT8OID, sizeof(int64), true,
										   TYPALIGN_DOUBLE));
}

/* A shape with the arguments that all three functions have at these places. */
static HxLshShape
get_shape(FunctionCallInfo fcinfo, uint32 family, uint32 dims)
{
	return (HxLshShape) {
		.family = family,
		.dims = dims,
		.tables = (uint32) PG_GETARG_INT32(1),
		.hashes = (uint32) PG_GETARG_INT32(2),
		.seed = (uint64) PG_GETARG_INT64(3),
		.sketch_bytes = 8,
	};
}

static uint32
parse_family(const char *name)
{
	for (uint32 family = HX_LSH_HYPERPLANE; family <= HX_LSH_STABLE; family++)
	{
		if (strcmp(name, hx_lsh_family_name(family)) == 0)
			return family;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown family \"%s\"", name),
			 errhint("Families for vectors are hyperplane, cross_polytope and p_stable.")));
}

/*
 * hashidx_lsh_keys(qvec, tables integer, hashes integer, seed bigint, family text,
 * width double precision) returns bigint[]
 */
Datum
hashidx_qvec_lsh_keys(PG_FUNCTION_ARGS)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));
	uint32		family = parse_family(text_to_cstring(PG_GETARG_TEXT_PP(4)));
	HxLshShape	shape = get_shape(fcinfo, family, v.dims);

	if (family == HX_LSH_STABLE)
		shape.width = PG_GETARG_FLOAT8(5);
	if (family == HX_LSH_POLYTOPE)
		shape.part = hx_projection_size(v.dims);
	return make_keys(&shape, (HxLshPoint) {{.vector = v.values}, v.dims});
}

/* hashidx_lsh_keys(bincode, tables integer, hashes integer, seed bigint) returns bigint[] */
Datum
hashidx_bincode_lsh_keys(PG_FUNCTION_ARGS)
{
	BincodeView code = PG_GETARG_BINCODE_VIEW(0);
	HxLshShape	shape = get_shape(fcinfo, HX_LSH_BITS, code.bits);

	return make_keys(&shape, (HxLshPoint) {{.code = code.bytes}, code.bits});
}

/* hashidx_lsh_keys(anyarray, bands integer, rows integer, seed bigint) returns bigint[] */
Datum
hashidx_array_lsh_keys(PG_FUNCTION_ARGS)
{
	HxLshShape	shape = get_shape(fcinfo, HX_LSH_MINHASH, 0);
	Size		count;
	uint64	   *elements = hx_elements_hash(PG_GETARG_ARRAYTYPE_P(0), &count);

	return make_keys(&shape, (HxLshPoint) {{.elements = elements}, count});
}
