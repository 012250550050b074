/*
 * bincode_compare.c
 *	  bincode: order, equality and hash, for btree and hash operator classes.
 *
 * The order is that of core's bit: byte by byte, and of two codes of which one
 * begins with the other (after zero padding) the shorter comes first. Equality
 * is equality of the image, as the padding is always zero.
 *
 * Index code calls these in memory that lives long: detoasted copies are freed.
 */
#include "hashidx.h"

#include "common/hashfn.h"

#include "type/bincode.h"

HX_FUNCTION(hashidx_bincode_eq);
HX_FUNCTION(hashidx_bincode_ne);
HX_FUNCTION(hashidx_bincode_lt);
HX_FUNCTION(hashidx_bincode_le);
HX_FUNCTION(hashidx_bincode_gt);
HX_FUNCTION(hashidx_bincode_ge);
HX_FUNCTION(hashidx_bincode_cmp);
HX_FUNCTION(hashidx_bincode_hash);
HX_FUNCTION(hashidx_bincode_hash_extended);

/* Less than, equal to or greater than 0 as the first argument is to the second. */
static int
compare_arguments(FunctionCallInfo fcinfo)
{
	struct varlena *left = PG_GETARG_VARLENA_PP(0);
	struct varlena *right = PG_GETARG_VARLENA_PP(1);
	BincodeView a = hx_bincode_view_packed(left);
	BincodeView b = hx_bincode_view_packed(right);
	int			order = memcmp(a.bytes, b.bytes, HX_BITS_TO_BYTES(Min(a.bits, b.bits)));

	if (order == 0)
		order = (a.bits > b.bits) - (a.bits < b.bits);

	PG_FREE_IF_COPY(left, 0);
	PG_FREE_IF_COPY(right, 1);
	return order;
}

/* bincode_eq(bincode, bincode) returns boolean */
Datum
hashidx_bincode_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

/* bincode_ne(bincode, bincode) returns boolean */
Datum
hashidx_bincode_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

/* bincode_lt(bincode, bincode) returns boolean */
Datum
hashidx_bincode_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

/* bincode_le(bincode, bincode) returns boolean */
Datum
hashidx_bincode_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

/* bincode_gt(bincode, bincode) returns boolean */
Datum
hashidx_bincode_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

/* bincode_ge(bincode, bincode) returns boolean */
Datum
hashidx_bincode_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

/* bincode_cmp(bincode, bincode) returns integer */
Datum
hashidx_bincode_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

/*
 * bincode_hash(bincode) returns integer: of bit count and bytes. Not stored by
 * us; a hash index of the server does, but such an index never leaves its machine.
 */
Datum
hashidx_bincode_hash(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	uint32		hash = hash_bytes((const unsigned char *) VARDATA_ANY(value),
								  (int) VARSIZE_ANY_EXHDR(value));

	PG_FREE_IF_COPY(value, 0);
	PG_RETURN_UINT32(hash);
}

/* bincode_hash_extended(bincode, bigint) returns bigint */
Datum
hashidx_bincode_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	uint64		hash = hash_bytes_extended((const unsigned char *) VARDATA_ANY(value),
										   (int) VARSIZE_ANY_EXHDR(value),
										   (uint64) PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(value, 0);
	PG_RETURN_UINT64(hash);
}
