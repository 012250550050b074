/*
 * bincode_cast.c
 *	  bincode: casts from and to bit, bytea and bigint.
 *
 * All of them keep the bits in their order: the first bit of a code is the
 * first of the bit string, the high bit of the first byte, the sign bit of the
 * number. What does not fit exactly is refused, never cut or filled.
 */
#include "hashidx.h"

#include "port/pg_bswap.h"
#include "utils/varbit.h"

#include "type/bincode.h"

HX_FUNCTION(hashidx_bit_to_bincode);
HX_FUNCTION(hashidx_bincode_to_bit);
HX_FUNCTION(hashidx_bytea_to_bincode);
HX_FUNCTION(hashidx_bincode_to_bytea);
HX_FUNCTION(hashidx_bigint_to_bincode);
HX_FUNCTION(hashidx_bincode_to_bigint);

/* bincode(bit), bincode(bit varying) */
Datum
hashidx_bit_to_bincode(PG_FUNCTION_ARGS)
{
	VarBit	   *bits = PG_GETARG_VARBIT_P(0);

	hx_bincode_check_bits(VARBITLEN(bits), NULL);
	PG_RETURN_BINCODE_P(hx_bincode_from_bytes(VARBITS(bits), VARBITLEN(bits)));
}

/* bit(bincode), varbit(bincode): the length is that of the code; the caller's coercion follows */
Datum
hashidx_bincode_to_bit(PG_FUNCTION_ARGS)
{
	BincodeView code = PG_GETARG_BINCODE_VIEW(0);
	Size		size = VARBITTOTALLEN(code.bits);
	VarBit	   *result = palloc0(size);

	SET_VARSIZE(result, size);
	VARBITLEN(result) = code.bits;
	memcpy(VARBITS(result), code.bytes, HX_BITS_TO_BYTES(code.bits));
	PG_RETURN_VARBIT_P(result);
}

/* bincode(bytea): eight bits a byte */
Datum
hashidx_bytea_to_bincode(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	int64		bits = (int64) VARSIZE_ANY_EXHDR(bytes) * 8;

	hx_bincode_check_bits(bits, NULL);
	PG_RETURN_BINCODE_P(hx_bincode_from_bytes((const uint8 *) VARDATA_ANY(bytes), (int32) bits));
}

/* bytea(bincode): codes of whole bytes only */
Datum
hashidx_bincode_to_bytea(PG_FUNCTION_ARGS)
{
	BincodeView code = PG_GETARG_BINCODE_VIEW(0);

	if (code.bits % 8 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("bincode of %d bits cannot become bytea", code.bits),
				 errdetail("Only codes of whole bytes can.")));

	Size		size = VARHDRSZ + HX_BITS_TO_BYTES(code.bits);
	bytea	   *result = palloc(size);

	SET_VARSIZE(result, size);
	memcpy(VARDATA(result), code.bytes, HX_BITS_TO_BYTES(code.bits));
	PG_RETURN_BYTEA_P(result);
}

/* bincode(bigint): the 64 bits, highest first, as perceptual hashes are kept in a bigint */
Datum
hashidx_bigint_to_bincode(PG_FUNCTION_ARGS)
{
	uint64		bits = pg_hton64((uint64) PG_GETARG_INT64(0));

	PG_RETURN_BINCODE_P(hx_bincode_from_bytes((const uint8 *) &bits, 64));
}

/* bigint(bincode): codes of 64 bits only */
Datum
hashidx_bincode_to_bigint(PG_FUNCTION_ARGS)
{
	BincodeView code = PG_GETARG_BINCODE_VIEW(0);
	uint64		bits;

	if (code.bits != 64)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("bincode of %d bits cannot become bigint", code.bits),
				 errdetail("Only codes of 64 bits can.")));

	memcpy(&bits, code.bytes, sizeof(bits));
	PG_RETURN_INT64((int64) pg_ntoh64(bits));
}
