/*
 * bincode_ops.c
 *	  bincode: distances, similarities and the operations on bits.
 *
 * Distances and counts go through the kernel table; the operations that make a
 * new code go byte by byte, which compilers vectorise.
 */
#include "hashidx.h"

#include "kernel/kernel.h"
#include "type/bincode.h"
#include "type/similarity.h"

HX_FUNCTION(hashidx_hamming_distance);
HX_FUNCTION(hashidx_hamming_within);
HX_FUNCTION(hashidx_jaccard_distance);
HX_FUNCTION(hashidx_jaccard_within);
HX_FUNCTION(hashidx_tversky_similarity);
HX_FUNCTION(hashidx_bit_count);
HX_FUNCTION(hashidx_length);
HX_FUNCTION(hashidx_get_bit);
HX_FUNCTION(hashidx_subcode);
HX_FUNCTION(hashidx_bincode_and);
HX_FUNCTION(hashidx_bincode_or);
HX_FUNCTION(hashidx_bincode_xor);
HX_FUNCTION(hashidx_bincode_not);
HX_FUNCTION(hashidx_bincode_cat);

/* Number of bits that differ; an error when the lengths do. */
static uint64
hamming(BincodeView a, BincodeView b)
{
	hx_bincode_check_same_bits(a.bits, b.bits);
	return hx_kernels->hamming(a.bytes, b.bytes, HX_BITS_TO_BYTES(a.bits));
}

/* The one bits of two codes as sets; an error when the lengths differ. */
static SetCounts
count_ones(BincodeView a, BincodeView b)
{
	hx_bincode_check_same_bits(a.bits, b.bits);

	Size		bytes = HX_BITS_TO_BYTES(a.bits);

	return (SetCounts) {
		.a = hx_kernels->popcount(a.bytes, bytes),
		.b = hx_kernels->popcount(b.bytes, bytes),
		.common = hx_kernels->popcount_and(a.bytes, b.bytes, bytes),
	};
}

/* hamming_distance(bincode, bincode) returns double precision */
Datum
hashidx_hamming_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8((double) hamming(PG_GETARG_BINCODE_VIEW(0), PG_GETARG_BINCODE_VIEW(1)));
}

/* hamming_within(bincode, bincode, r integer) returns boolean */
Datum
hashidx_hamming_within(PG_FUNCTION_ARGS)
{
	uint64		distance = hamming(PG_GETARG_BINCODE_VIEW(0), PG_GETARG_BINCODE_VIEW(1));

	PG_RETURN_BOOL((int64) distance <= PG_GETARG_INT32(2));
}

/* jaccard_distance(bincode, bincode) returns double precision */
Datum
hashidx_jaccard_distance(PG_FUNCTION_ARGS)
{
	SetCounts	counts = count_ones(PG_GETARG_BINCODE_VIEW(0), PG_GETARG_BINCODE_VIEW(1));

	PG_RETURN_FLOAT8(hx_jaccard_distance(counts));
}

/* jaccard_within(bincode, bincode, r double precision) returns boolean */
Datum
hashidx_jaccard_within(PG_FUNCTION_ARGS)
{
	SetCounts	counts = count_ones(PG_GETARG_BINCODE_VIEW(0), PG_GETARG_BINCODE_VIEW(1));

	PG_RETURN_BOOL(hx_jaccard_within(counts, PG_GETARG_FLOAT8(2)));
}

/* tversky_similarity(bincode, bincode, alpha double precision, beta double precision) */
Datum
hashidx_tversky_similarity(PG_FUNCTION_ARGS)
{
	SetCounts	counts = count_ones(PG_GETARG_BINCODE_VIEW(0), PG_GETARG_BINCODE_VIEW(1));

	PG_RETURN_FLOAT8(hx_tversky_similarity(counts, PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)));
}

/* bit_count(bincode) returns bigint */
Datum
hashidx_bit_count(PG_FUNCTION_ARGS)
{
	BincodeView code = PG_GETARG_BINCODE_VIEW(0);

	PG_RETURN_INT64((int64) hx_kernels->popcount(code.bytes, HX_BITS_TO_BYTES(code.bits)));
}

/* length(bincode) returns integer */
Datum
hashidx_length(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_BINCODE_VIEW(0).bits);
}

/* get_bit(bincode, integer) returns integer: bits count from 0, as for core's bit */
Datum
hashidx_get_bit(PG_FUNCTION_ARGS)
{
	BincodeView code = PG_GETARG_BINCODE_VIEW(0);
	int32		n = PG_GETARG_INT32(1);

	if (n < 0 || n >= code.bits)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("bit index %d out of valid range (0..%d)", n, code.bits - 1)));
	PG_RETURN_INT32((code.bytes[n / 8] >> (7 - n % 8)) & 1);
}

/*
 * ORs `bits` bits of `from`, starting at its bit `skip`, over the zero bits of
 * `to` from its bit `at` on. Reads no byte beyond the last wanted bit; may set
 * padding that is not zero in the source.
 */
static void
copy_bits(uint8 *to, int32 at, const uint8 *from, int32 skip, int32 bits)
{
	if (at % 8 == 0 && skip % 8 == 0)
	{
		memcpy(to + at / 8, from + skip / 8, HX_BITS_TO_BYTES(bits));
		return;
	}
	for (int32 i = 0; i < bits; i++)
	{
		uint8		bit = (uint8) ((from[(skip + i) / 8] >> (7 - (skip + i) % 8)) & 1);

		to[(at + i) / 8] |= (uint8) (bit << (7 - (at + i) % 8));
	}
}

/*
 * subcode(bincode, start integer, count integer) returns bincode: positions
 * count from 1 and what lies outside of the code is left out, as in substring.
 */
Datum
hashidx_subcode(PG_FUNCTION_ARGS)
{
	BincodeView code = PG_GETARG_BINCODE_VIEW(0);
	int64		start = PG_GETARG_INT32(1);
	int64		count = PG_GETARG_INT32(2);

	if (count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_SUBSTRING_ERROR),
				 errmsg("negative length of a subcode: %lld", (long long) count)));

	int64		begin = Max(start, 1) - 1;
	int64		end = Min(start + count - 1, code.bits);

	if (begin >= end)
		ereport(ERROR,
				(errcode(ERRCODE_SUBSTRING_ERROR),
				 errmsg("subcode would be empty"),
				 errdetail("The code has %d bits; %lld were asked for, from position %lld on.",
						   code.bits, (long long) count, (long long) start)));

	int32		bits = (int32) (end - begin);
	Bincode    *result = hx_bincode_new(bits);

	copy_bits(result->data, 0, code.bytes, (int32) begin, bits);
	result->data[HX_BITS_TO_BYTES(bits) - 1] &= (uint8) ~HX_BITS_PADDING(bits);
	PG_RETURN_BINCODE_P(result);
}

/* Takes two arguments of one length; returns a new code for the result. */
static Bincode *
open_pair(FunctionCallInfo fcinfo, BincodeView *a, BincodeView *b)
{
	*a = PG_GETARG_BINCODE_VIEW(0);
	*b = PG_GETARG_BINCODE_VIEW(1);
	hx_bincode_check_same_bits(a->bits, b->bits);
	return hx_bincode_new(a->bits);
}

/* bincode_and(bincode, bincode) returns bincode */
Datum
hashidx_bincode_and(PG_FUNCTION_ARGS)
{
	BincodeView a;
	BincodeView b;
	Bincode    *result = open_pair(fcinfo, &a, &b);

	for (Size i = 0; i < HX_BITS_TO_BYTES(a.bits); i++)
		result->data[i] = a.bytes[i] & b.bytes[i];
	PG_RETURN_BINCODE_P(result);
}

/* bincode_or(bincode, bincode) returns bincode */
Datum
hashidx_bincode_or(PG_FUNCTION_ARGS)
{
	BincodeView a;
	BincodeView b;
	Bincode    *result = open_pair(fcinfo, &a, &b);

	for (Size i = 0; i < HX_BITS_TO_BYTES(a.bits); i++)
		result->data[i] = a.bytes[i] | b.bytes[i];
	PG_RETURN_BINCODE_P(result);
}

/* bincode_xor(bincode, bincode) returns bincode */
Datum
hashidx_bincode_xor(PG_FUNCTION_ARGS)
{
	BincodeView a;
	BincodeView b;
	Bincode    *result = open_pair(fcinfo, &a, &b);

	for (Size i = 0; i < HX_BITS_TO_BYTES(a.bits); i++)
		result->data[i] = a.bytes[i] ^ b.bytes[i];
	PG_RETURN_BINCODE_P(result);
}

/* bincode_not(bincode) returns bincode */
Datum
hashidx_bincode_not(PG_FUNCTION_ARGS)
{
	BincodeView code = PG_GETARG_BINCODE_VIEW(0);
	Size		bytes = HX_BITS_TO_BYTES(code.bits);
	Bincode    *result = hx_bincode_new(code.bits);

	for (Size i = 0; i < bytes; i++)
		result->data[i] = (uint8) ~code.bytes[i];
	result->data[bytes - 1] &= (uint8) ~HX_BITS_PADDING(code.bits);
	PG_RETURN_BINCODE_P(result);
}

/* bincode_cat(bincode, bincode) returns bincode: the bits of the first, then those of the second */
Datum
hashidx_bincode_cat(PG_FUNCTION_ARGS)
{
	BincodeView a = PG_GETARG_BINCODE_VIEW(0);
	BincodeView b = PG_GETARG_BINCODE_VIEW(1);

	hx_bincode_check_bits((int64) a.bits + b.bits, NULL);

	Bincode    *result = hx_bincode_new(a.bits + b.bits);

	copy_bits(result->data, 0, a.bytes, 0, a.bits);
	copy_bits(result->data, a.bits, b.bytes, 0, b.bits);
	PG_RETURN_BINCODE_P(result);
}
