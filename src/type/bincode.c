/*
 * bincode.c
 *	  Making bincodes and looking at them: the rest of type/ and the index
 *	  access methods touch the bytes of a bincode through these functions.
 */
#include "hashidx.h"

#include "type/bincode.h"

BincodeView
hx_bincode_view_body(int32 bits, const uint8 *data, Size bytes)
{
	if (unlikely(bits < 1 || bits > HX_BINCODE_MAX_BITS || bytes != HX_BITS_TO_BYTES(bits)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored bincode is damaged"),
				 errdetail("It claims %d bits and has %zu bytes.", bits, bytes)));

	Assert((data[bytes - 1] & HX_BITS_PADDING(bits)) == 0);

	return (BincodeView) {bits, data};
}

BincodeView
hx_bincode_view_packed(const struct varlena *value)
{
	const uint8 *body = (const uint8 *) VARDATA_ANY(value);
	Size		size = VARSIZE_ANY_EXHDR(value);
	int32		bits = 0;

	if (likely(size > sizeof(bits)))
	{
		memcpy(&bits, body, sizeof(bits));
		size -= sizeof(bits);
	}
	return hx_bincode_view_body(bits, body + sizeof(bits), size);
}

BincodeView
hx_bincode_view(Datum datum)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);

	return hx_bincode_view_packed(pg_detoast_datum_packed(value));
}

Bincode *
hx_bincode_new(int32 bits)
{
	Assert(bits >= 1 && bits <= HX_BINCODE_MAX_BITS);

	Size		size = HX_BINCODE_HEADER + HX_BITS_TO_BYTES(bits);
	Bincode    *code = palloc0(size);

	SET_VARSIZE(code, size);
	code->bits = bits;
	return code;
}

Bincode *
hx_bincode_from_bytes(const uint8 *bytes, int32 bits)
{
	Bincode    *code = hx_bincode_new(bits);
	Size		size = HX_BITS_TO_BYTES(bits);

	memcpy(code->data, bytes, size);
	code->data[size - 1] &= (uint8) ~HX_BITS_PADDING(bits);
	return code;
}

bool
hx_bincode_check_bits(int64 bits, struct Node *escontext)
{
	if (bits < 1 || bits > HX_BINCODE_MAX_BITS)
		ereturn(escontext, false,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("bincode cannot have %lld bits", (long long) bits),
				 errdetail("A bincode has 1 to %d bits.", HX_BINCODE_MAX_BITS)));
	return true;
}

void
hx_bincode_check_same_bits(int32 a, int32 b)
{
	if (unlikely(a != b))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("bincodes have different lengths"),
				 errdetail("One has %d bits, the other %d bits.", a, b)));
}
