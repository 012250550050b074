/*
 * simhash.c
 *	  hashidx_simhash: the training-free encoder from qvec to bincode.
 */
#include "hashidx.h"

#include "hash/hyperplane.h"
#include "type/bincode.h"
#include "type/qvec.h"

HX_FUNCTION(hashidx_simhash);

/* hashidx_simhash(qvec, bits integer, seed bigint) returns bincode */
Datum
hashidx_simhash(PG_FUNCTION_ARGS)
{
	QvecFloats	v = hx_qvec_floats(PG_GETARG_DATUM(0));
	int32		bits = PG_GETARG_INT32(1);
	uint64		seed = (uint64) PG_GETARG_INT64(2);

	if (bits < 1 || bits > HX_BINCODE_MAX_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bits must be between 1 and %d", HX_BINCODE_MAX_BITS),
				 errdetail("Asked for were %d.", bits)));

	float	   *scratch = palloc(hx_simhash_scratch(v.dims) * sizeof(float));
	Bincode    *code = hx_bincode_new(bits);

	hx_simhash(v.values, v.dims, bits, seed, scratch, code->data);
	PG_RETURN_POINTER(code);
}
