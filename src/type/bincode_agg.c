/*
 * bincode_agg.c
 *	  The aggregate majority(bincode): the prototype code of a group. (bit_and
 *	  and bit_or need no code of their own: the operators are their transition.)
 *
 * A bit of the result is 1 when more than half of the codes have it. The counts
 * of all bits are kept in planes: plane p holds binary digit p of every count,
 * so that adding a code is a ripple-carry addition of 64 counts at a time, and
 * the state takes bits * log2(rows) bits instead of a number for every bit.
 */
#include "hashidx.h"

#include "libpq/pqformat.h"
#include "port/pg_bitutils.h"

#include "type/bincode.h"

HX_FUNCTION(hashidx_bincode_majority_accum);
HX_FUNCTION(hashidx_bincode_majority_combine);
HX_FUNCTION(hashidx_bincode_majority_serialize);
HX_FUNCTION(hashidx_bincode_majority_deserialize);
HX_FUNCTION(hashidx_bincode_majority_final);

/*
 * Words hold the bytes of codes as they lie in memory: which bit of a word is
 * which bit of a code does not matter, as long as all codes are loaded alike.
 */
typedef struct Majority
{
	int32		bits;			/* of each code */
	int32		words;			/* of a plane: bits, rounded up to words of 64 */
	int64		rows;			/* codes counted */
	int32		planes;			/* digits of the counts: those of `rows` in binary */
	uint64	   *count;			/* planes * words, least significant plane first */
} Majority;

#define BITS_TO_WORDS(bits) (((bits) + 63) / 64)

/* An empty state for codes of `bits` bits. */
static Majority *
new_majority(MemoryContext context, int32 bits)
{
	Majority   *state = MemoryContextAllocZero(context, sizeof(Majority));

	state->bits = bits;
	state->words = BITS_TO_WORDS(bits);
	state->planes = 1;
	state->count = MemoryContextAllocZero(context, sizeof(uint64) * state->words);
	return state;
}

/* Sets the number of rows and adds the planes that counts up to it need. */
static void
set_rows(Majority *state, int64 rows)
{
	int32		planes = rows == 0 ? 1 : pg_leftmost_one_pos64((uint64) rows) + 1;

	state->rows = rows;
	if (planes <= state->planes)
		return;

	Size		used = sizeof(uint64) * state->words * state->planes;
	Size		wanted = sizeof(uint64) * state->words * planes;

	state->count = repalloc(state->count, wanted);
	memset((char *) state->count + used, 0, wanted - used);
	state->planes = planes;
}

/* Adds one code: a ripple-carry addition, for each word as far as its carry goes. */
static void
add_code(Majority *state, BincodeView code)
{
	Size		bytes = HX_BITS_TO_BYTES(code.bits);

	hx_bincode_check_same_bits(state->bits, code.bits);
	set_rows(state, state->rows + 1);

	for (int32 w = 0; w < state->words; w++)
	{
		uint64		carry = 0;

		memcpy(&carry, code.bytes + w * sizeof(carry),
			   Min(sizeof(carry), bytes - w * sizeof(carry)));
		/* No count exceeds the rows, so the carry dies before the planes end. */
		for (uint64 *digit = state->count + w; carry != 0; digit += state->words)
		{
			uint64		next = *digit & carry;

			*digit ^= carry;
			carry = next;
		}
	}
}

/* Adds the counts of `other` to those of `state`: a full adder over the planes. */
static void
add_majority(Majority *state, const Majority *other)
{
	hx_bincode_check_same_bits(state->bits, other->bits);
	set_rows(state, state->rows + other->rows);

	for (int32 w = 0; w < state->words; w++)
	{
		uint64		carry = 0;

		for (int32 p = 0; p < state->planes; p++)
		{
			uint64	   *digit = &state->count[p * state->words + w];
			uint64		a = *digit;
			uint64		b = p < other->planes ? other->count[p * state->words + w] : 0;

			*digit = a ^ b ^ carry;
			carry = (a & b) | (carry & (a ^ b));
		}
	}
}

/* The memory context of the aggregate; an error when there is none. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "majority called outside of an aggregate");
	return context;
}

/* bincode_majority_accum(internal, bincode) returns internal */
Datum
hashidx_bincode_majority_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	Majority   *state = PG_ARGISNULL(0) ? NULL : (Majority *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		BincodeView code = PG_GETARG_BINCODE_VIEW(1);

		if (state == NULL)
			state = new_majority(context, code.bits);
		add_code(state, code);
	}

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* bincode_majority_combine(internal, internal) returns internal */
Datum
hashidx_bincode_majority_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	Majority   *state = PG_ARGISNULL(0) ? NULL : (Majority *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		const Majority *other = (const Majority *) PG_GETARG_POINTER(1);

		/* The other state may live in memory that goes away: never take it over. */
		if (state == NULL)
			state = new_majority(context, other->bits);
		add_majority(state, other);
	}

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* bincode_majority_serialize(internal) returns bytea: bits, rows and planes, for other processes */
Datum
hashidx_bincode_majority_serialize(PG_FUNCTION_ARGS)
{
	(void) aggregate_context(fcinfo);

	Majority   *state = (Majority *) PG_GETARG_POINTER(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint32(&message, (uint32) state->bits);
	pq_sendint64(&message, (uint64) state->rows);
	pq_sendbytes(&message, (const char *) state->count,
				 (int) (sizeof(uint64) * state->words * state->planes));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* bincode_majority_deserialize(bytea, internal) returns internal */
Datum
hashidx_bincode_majority_deserialize(PG_FUNCTION_ARGS)
{
	(void) aggregate_context(fcinfo);

	bytea	   *serialized = PG_GETARG_BYTEA_PP(0);
	StringInfoData message;

	/* A view of the bytes as a message; nothing is written through it. */
	message.data = VARDATA_ANY(serialized);
	message.len = message.maxlen = (int) VARSIZE_ANY_EXHDR(serialized);
	message.cursor = 0;

	Majority   *state = new_majority(CurrentMemoryContext, (int32) pq_getmsgint(&message, 4));

	set_rows(state, pq_getmsgint64(&message));
	pq_copymsgbytes(&message, (char *) state->count,
					(int) (sizeof(uint64) * state->words * state->planes));
	pq_getmsgend(&message);
	PG_RETURN_POINTER(state);
}

/* The bits of word w whose count exceeds `threshold`, compared digit by digit from the top. */
static uint64
counts_above(const Majority *state, int32 w, uint64 threshold)
{
	uint64		greater = 0;
	uint64		equal = ~UINT64CONST(0);

	for (int32 p = state->planes - 1; p >= 0; p--)
	{
		uint64		digit = state->count[p * state->words + w];

		if ((threshold >> p) & 1)
			equal &= digit;
		else
		{
			greater |= equal & digit;
			equal &= ~digit;
		}
	}
	return greater;
}

/* bincode_majority_final(internal) returns bincode; NULL when there was no code */
Datum
hashidx_bincode_majority_final(PG_FUNCTION_ARGS)
{
	(void) aggregate_context(fcinfo);

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();

	Majority   *state = (Majority *) PG_GETARG_POINTER(0);
	Bincode    *result = hx_bincode_new(state->bits);
	Size		bytes = HX_BITS_TO_BYTES(state->bits);

	for (int32 w = 0; w < state->words; w++)
	{
		uint64		ones = counts_above(state, w, (uint64) state->rows / 2);

		memcpy(result->data + w * sizeof(ones), &ones,
			   Min(sizeof(ones), bytes - w * sizeof(ones)));
	}
	PG_RETURN_BINCODE_P(result);
}
