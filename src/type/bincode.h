/*
 * bincode.h
 *	  The type bincode(n): a binary code of n bits.
 *
 * OFFSET  SIZE  MEANING
 *      0     4  varlena length word (may be a 1-byte header in a tuple)
 *      4     4  number of bits, 1 .. 65,536, native byte order
 *      8     n  the bits, bit 0 in the high bit of the first byte; ceil(bits/8)
 *               bytes, unused bits of the last byte are zero
 *
 * The zero padding is the canonical form: equality, hashing and distances are
 * byte-wise and rely on it; every function that makes a bincode keeps it.
 */
#ifndef HX_BINCODE_H
#define HX_BINCODE_H

#include "hashidx.h"

#include "lib/stringinfo.h"

#define HX_BINCODE_MAX_BITS 65536

typedef struct Bincode
{
	int32		vl_len_;		/* varlena header: do not touch directly */
	int32		bits;
	uint8		data[FLEXIBLE_ARRAY_MEMBER];
} Bincode;

#define HX_BINCODE_HEADER offsetof(Bincode, data)
#define HX_BITS_TO_BYTES(bits) (((Size) (bits) + 7) / 8)

/* The unused bits of the last byte of a code of `bits` bits. */
#define HX_BITS_PADDING(bits) ((uint8) (0xFF >> (((bits) - 1) % 8 + 1)))

/* A look at a bincode wherever it lies, short varlena header or not: unaligned. */
typedef struct BincodeView
{
	int32		bits;
	const uint8 *bytes;			/* HX_BITS_TO_BYTES(bits) of them */
} BincodeView;

/* Detoasts if needed (the copy lives in CurrentMemoryContext) and points into the value. */
extern BincodeView hx_bincode_view(Datum datum);

/* The same for a value that is detoasted already, its header still short or not. */
extern BincodeView hx_bincode_view_packed(const struct varlena *value);

/*
 * Looks at `bits` bits in `bytes` bytes at `data`, the body of a stored value;
 * ERRCODE_DATA_CORRUPTED when the two do not agree.
 */
extern BincodeView hx_bincode_view_body(int32 bits, const uint8 *data, Size bytes);

/* A new bincode of `bits` bits, all zero. `bits` must be in range. */
extern Bincode *hx_bincode_new(int32 bits);

/* A new bincode from HX_BITS_TO_BYTES(bits) bytes; clears the unused bits. */
extern Bincode *hx_bincode_from_bytes(const uint8 *bytes, int32 bits);

/*
 * ERRCODE_DATA_EXCEPTION with both limits unless a code may have this many
 * bits. Given an escontext it reports there and returns false.
 */
extern bool hx_bincode_check_bits(int64 bits, struct Node *escontext);

/* Reports a code whose length is not the declared one; false when that is a soft error. */
extern bool hx_bincode_check_typmod(int32 bits, int32 typmod, struct Node *escontext);

/* ERRCODE_DATA_EXCEPTION with both numbers unless the lengths agree. */
extern void hx_bincode_check_same_bits(int32 a, int32 b);

/*
 * Text and binary form, for bincode itself and for types that contain one.
 *
 * parse reads `length` bytes of text, the binary or hexadecimal form; on a soft
 * error it returns NULL. receive reads bit count and bytes, which must be all
 * that is left of the message.
 */
extern Bincode *hx_bincode_parse(const char *text, Size length, struct Node *escontext);
extern void hx_bincode_print(BincodeView code, StringInfo out);
extern Bincode *hx_bincode_receive(StringInfo message);
extern void hx_bincode_send(BincodeView code, StringInfo message);

#define PG_GETARG_BINCODE_VIEW(n) hx_bincode_view(PG_GETARG_DATUM(n))
#define PG_RETURN_BINCODE_P(p) PG_RETURN_POINTER(p)

#endif							/* HX_BINCODE_H */
