/*
 * signature_sql.c
 *	  What MinHash signatures tell: the similarity of two, and codes of their lowest bits.
 *
 * A code of b bits of each of k values takes k b bits in place of 64 k, and can be compared,
 * stored and indexed like every other. Values that differ have the same b bits by chance
 * once in 2^b, so of the share P of values whose bits agree, the estimate of the similarity
 * is (P - 2^-b) / (1 - 2^-b); with b = 1 that is 1 - 2 * Hamming distance / k.
 */
#include "hashidx.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "utils/array.h"

#include "hash/minhash.h"
#include "type/bincode.h"

#define MAX_VALUE_BITS 8

HX_FUNCTION(hashidx_minhash_jaccard);
HX_FUNCTION(hashidx_minhash_code);
HX_FUNCTION(hashidx_minhash_code_jaccard);

/* The values of a signature; an error when it has none, or nulls. */
static const uint64 *
get_values(ArrayType *signature, int *count)
{
	*count = ArrayGetNItems(ARR_NDIM(signature), ARR_DIMS(signature));
	if (*count == 0 || array_contains_nulls(signature))
		ereport(ERROR,
				(errcode(*count == 0 ? ERRCODE_INVALID_PARAMETER_VALUE :
						 ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a signature must have values, and none of them null")));
	return (const uint64 *) ARR_DATA_PTR(signature);
}

/* hashidx_minhash_jaccard(bigint[], bigint[]) returns double precision */
Datum
hashidx_minhash_jaccard(PG_FUNCTION_ARGS)
{
	int			count;
	int			other;
	const uint64 *a = get_values(PG_GETARG_ARRAYTYPE_P(0), &count);
	const uint64 *b = get_values(PG_GETARG_ARRAYTYPE_P(1), &other);

	if (count != other)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("signatures have different lengths"),
				 errdetail("One has %d values, the other %d.", count, other)));
	PG_RETURN_FLOAT8((double) hx_minhash_matches(a, b, count) / count);
}

static void
check_value_bits(int32 bits)
{
	if (bits < 1 || bits > MAX_VALUE_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bits of a value must be between 1 and %d", MAX_VALUE_BITS),
				 errdetail("Asked for were %d.", bits)));
}

/* hashidx_minhash_code(bigint[], bits integer) returns bincode */
Datum
hashidx_minhash_code(PG_FUNCTION_ARGS)
{
	int			count;
	const uint64 *values = get_values(PG_GETARG_ARRAYTYPE_P(0), &count);
	int32		bits = PG_GETARG_INT32(1);

	check_value_bits(bits);
	if (count > HX_BINCODE_MAX_BITS / bits)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a code has at most %d bits", HX_BINCODE_MAX_BITS),
				 errdetail("The signature has %d values, of which %d bits each were asked for.",
						   count, bits)));

	Bincode    *code = hx_bincode_new(count * bits);

	hx_minhash_pack(values, count, bits, code->data);
	PG_RETURN_POINTER(code);
}

/* Bits `first` and on of a code, most significant first. */
static unsigned
get_value(BincodeView code, int first, int bits)
{
	unsigned	value = 0;

	for (int i = first; i < first + bits; i++)
		value = value << 1 | (code.bytes[i / 8] >> (7 - i % 8) & 1);
	return value;
}

/* hashidx_minhash_jaccard(bincode, bincode, bits integer) returns double precision */
Datum
hashidx_minhash_code_jaccard(PG_FUNCTION_ARGS)
{
	BincodeView a = PG_GETARG_BINCODE_VIEW(0);
	BincodeView b = PG_GETARG_BINCODE_VIEW(1);
	int32		bits = PG_GETARG_INT32(2);
	int			agreeing = 0;

	hx_bincode_check_same_bits(a.bits, b.bits);
	check_value_bits(bits);
	if (a.bits % bits != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a code of %d bits has no values of %d bits", a.bits, bits)));

	for (int first = 0; first < a.bits; first += bits)
		agreeing += get_value(a, first, bits) == get_value(b, first, bits);

	double		share = (double) agreeing * bits / a.bits;
	double		chance = ldexp(1, -bits);

	PG_RETURN_FLOAT8(Max((share - chance) / (1 - chance), 0));
}
