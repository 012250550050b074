/*
 * balance.c
 *	  hashidx_bit_balance(): how good the bits of a column of codes are.
 *
 * A bit is worth most when half of the codes have it and when no other bit says
 * the same. The column is read through SPI as the caller; a sample of its codes is
 * kept bit by bit, so that pairs of bits are counted by the popcount kernels.
 */
#include "hashidx.h"

#include <math.h>

#include "encode/rows.h"
#include "funcapi.h"
#include "kernel/kernel.h"
#include "math/random.h"
#include "miscadmin.h"
#include "type/bincode.h"
#include "utils/tuplestore.h"

/* Codes that are looked at: a correlation is then known to about 0.01. */
#define SAMPLE 16384

/* The sample: a row of bits for each bit of the codes, a column for each code. */
typedef struct BitMatrix
{
	MemoryContext context;		/* of the rows, which outlive the reading */
	int			bits;			/* of a code; 0 before the first one */
	uint64		seen;			/* codes read */
	int			count;			/* codes kept */
	uint8	   *rows;			/* bits rows of SAMPLE / 8 bytes */
} BitMatrix;

static uint8 *
bit_row(const BitMatrix *matrix, int bit)
{
	return matrix->rows + (Size) bit * (SAMPLE / 8);
}

/* Puts a code into column `at`. */
static void
put_code(BitMatrix *matrix, int at, BincodeView code)
{
	uint8		mask = 0x80 >> (at % 8);

	for (int bit = 0; bit < matrix->bits; bit++)
	{
		uint8	   *byte = &bit_row(matrix, bit)[at / 8];

		if (code.bytes[bit / 8] & (0x80 >> (bit % 8)))
			*byte |= mask;
		else
			*byte &= ~mask;
	}
}

/* Reservoir sampling (Vitter's algorithm R), with frozen random numbers. */
static void
offer_code(BitMatrix *matrix, BincodeView code)
{
	uint64		at = matrix->seen++;

	if (matrix->bits == 0)
	{
		matrix->bits = code.bits;
		matrix->rows = MemoryContextAllocExtended(matrix->context, (Size) code.bits * (SAMPLE / 8),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	}
	if (at >= SAMPLE)
		at = hx_random(0, 0, at) % (at + 1);
	if (at < SAMPLE)
	{
		put_code(matrix, at, code);
		matrix->count = Max(matrix->count, (int) at + 1);
	}
}

static void
read_codes(BitMatrix *matrix, FunctionCallInfo fcinfo, Oid relation, const char *name)
{
	RowsColumn	column = {.name = name,.code = true};
	Rows	   *rows = hx_rows_open(relation, &column, 1, NULL, fcinfo);

	while (hx_rows_next(rows))
		offer_code(matrix, (BincodeView) {.bits = column.width,.bytes = column.value});
	hx_rows_close(rows);
}

static double
entropy(double p)
{
	return p <= 0 || p >= 1 ? 0 : -(p * log(p) + (1 - p) * log(1 - p)) / M_LN2;
}

/* The largest |correlation| of a bit with another one; 0 for a bit that never changes. */
static double
largest_correlation(const BitMatrix *matrix, const double *mean, int bit)
{
	double		largest = 0;
	double		variance = mean[bit] * (1 - mean[bit]);

	CHECK_FOR_INTERRUPTS();
	for (int other = 0; other < matrix->bits && variance > 0; other++)
	{
		double		other_variance = mean[other] * (1 - mean[other]);

		if (other == bit || other_variance <= 0)
			continue;

		double		both = (double) hx_kernels->popcount_and(bit_row(matrix, bit),
															 bit_row(matrix, other), SAMPLE / 8);
		double		covariance = both / matrix->count - mean[bit] * mean[other];

		largest = Max(largest, fabs(covariance) / sqrt(variance * other_variance));
	}
	return largest;
}

HX_FUNCTION(hashidx_bit_balance);

/* hashidx_bit_balance(source regclass, code_column name) returns a row for each bit */
Datum
hashidx_bit_balance(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	BitMatrix	matrix = {.context = CurrentMemoryContext};

	InitMaterializedSRF(fcinfo, 0);
	read_codes(&matrix, fcinfo, PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)));

	double	   *mean = palloc(Max(matrix.bits, 1) * sizeof(double));

	for (int bit = 0; bit < matrix.bits; bit++)
		mean[bit] = (double) hx_kernels->popcount(bit_row(&matrix, bit), SAMPLE / 8) / matrix.count;
	for (int bit = 0; bit < matrix.bits; bit++)
	{
		bool		nulls[4] = {false};
		Datum		values[] = {
			Int32GetDatum(bit),
			Float8GetDatum(mean[bit]),
			Float8GetDatum(entropy(mean[bit])),
			Float8GetDatum(largest_correlation(&matrix, mean, bit)),
		};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}
