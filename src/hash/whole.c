/*
 * whole.c
 *	  The signs of a linear step, most of them from 16-bit integers.
 *
 * Column j of the matrix is divided by c_j and rounded; the vector is multiplied by a scale and
 * rounded. Their integer product differs from scale / c_j times the frozen sum of floats by at
 * most `limit`, which has three parts: the rounding of the column, at most its length times that
 * of the vector; the rounding of the vector; and the error of the frozen sum itself, at most (n +
 * 1) 2^-24 of the product of the lengths. README has it in full. A sign beyond the limit is
 * certain. Within it, the sum in double decides most of the rest, and the frozen sum what is
 * left.
 */
#include "hash/whole.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/target.h"

HX_VECTORISE_LOOPS

/* Lengths of columns and of vectors, so that products and all parts of them fit in 31 bits. */
#define COLUMN_LENGTH 65000.0
#define VECTOR_LENGTH 32700.0
#define LARGEST_WHOLE 32767.0

/* Within these lengths no product of floats overflows, and none vanishes that matters. */
#define SHORTEST 0x1p-40
#define LONGEST 0x1p40

/* Weights below which a matrix is read in no time, and above which a second one is too much. */
#define LEAST_WEIGHTS ((size_t) 4096)
#define MOST_WEIGHTS ((size_t) 4 << 20)

/* One bit in so many in doubt, and the plain sums are found sooner. */
#define MOST_DOUBTS 8

/*
 * A vector that was asked in vain lets the next one go by, the second in a row the next three,
 * and so on: the sums of some models are mostly near to their thresholds.
 */
#define MOST_MISSES 8

/* For the roundings of the limit itself. */
#define MARGIN 1.001

struct HxWhole
{
	size_t		n;				/* inputs */
	size_t		m;				/* bits */
	size_t		pairs;			/* of inputs */
	size_t		panels;			/* of HX_PANEL columns */
	const float *bias;			/* of the linear step */
	const float *thresholds;
	float	   *columns;		/* m x n: the matrix transposed */
	double	   *lengths;		/* of the columns */
	float	   *offsets;		/* (bias - threshold) / c_j; those of missing columns far below 0 */
	int16_t    *rounded;		/* the columns divided by c_j, as matvec_whole wants them */
	int16_t    *vector;			/* 2 * pairs: the vector at hand */
	int32_t    *products;		/* of the vector and the columns */
	float	   *margins;		/* what the products stand for, less the thresholds */
	uint8_t    *certain;		/* the bits that they tell, packed as a code; missing columns are */
	double		change;			/* of columns by rounding: the greatest length */
	double		offset;			/* (|bias| + |threshold|) / c_j at most */
	unsigned	misses;			/* vectors in a row that were asked in vain */
	unsigned	skip;			/* vectors that are not asked */
	double		order;			/* what a frozen sum is off, as a share of the lengths' product */
};

/* A part of the memory, or only its size when there is none. */
static void *
take(char *memory, size_t *used, size_t bytes)
{
	void	   *part = memory != NULL ? memory + *used : NULL;

	*used += (bytes + 7) / 8 * 8;
	return part;
}

/* Lays the parts out behind the struct; returns the bytes of all. */
static size_t
lay_out(HxWhole *whole, char *memory)
{
	size_t		used = sizeof(HxWhole);
	const size_t columns = whole->panels * HX_PANEL;

	whole->lengths = take(memory, &used, whole->m * sizeof(double));
	whole->columns = take(memory, &used, whole->m * whole->n * sizeof(float));
	whole->offsets = take(memory, &used, columns * sizeof(float));
	whole->rounded = take(memory, &used, columns * whole->pairs * 2 * sizeof(int16_t));
	whole->vector = take(memory, &used, whole->pairs * 2 * sizeof(int16_t));
	whole->products = take(memory, &used, columns * sizeof(int32_t));
	whole->margins = take(memory, &used, columns * sizeof(float));
	whole->certain = take(memory, &used, columns / 8);
	return used;
}

static HxWhole
shape_of(const HxModel *model, const HxStep *linear)
{
	const size_t n = hx_model_width(model, linear->input);
	const size_t m = linear->outputs;

	return (HxWhole) {
		.n = n,
		.m = m,
		.pairs = (n + 1) / 2,
		.panels = (m + HX_PANEL - 1) / HX_PANEL,
		.bias = linear->params + n * m,
		.thresholds = model->steps[model->step_count - 1].params,
		/* A few more for the sum's start and the numbers compared. */
		.order = (double) (n + 16) * 0x1p-24,
	};
}

size_t
hx_whole_size(const HxModel *model)
{
	const HxStep *linear = hx_model_signed_step(model, HX_STEP_LINEAR);
	HxWhole		whole;

	if (linear == NULL)
		return 0;
	whole = shape_of(model, linear);
	if (whole.n * whole.m < LEAST_WEIGHTS || whole.n * whole.m > MOST_WEIGHTS)
		return 0;
	return lay_out(&whole, NULL);
}

static float
largest_of(const float *x, size_t n)
{
	float		largest = 0;

	for (size_t i = 0; i < n; i++)
		largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
	return largest;
}

static double
larger(double a, double b)
{
	return a > b ? a : b;
}

/* Rounds one column; false when it is too long or too short. */
static bool
add_column(HxWhole *whole, size_t j)
{
	const float *column = whole->columns + j * whole->n;
	const double length = sqrt(hx_kernels->dot(column, column, whole->n));
	const double c = larger(length / COLUMN_LENGTH, largest_of(column, whole->n) / LARGEST_WHOLE);
	const double bias = whole->bias[j];
	const double threshold = whole->thresholds[j];
	int16_t    *out = whole->rounded + 2 * (j / HX_PANEL * whole->pairs * HX_PANEL + j % HX_PANEL);
	double		squares = 0;

	if (!(length >= SHORTEST && length <= LONGEST) ||
		fabs(bias) > LONGEST || fabs(threshold) > LONGEST)
		return false;
	for (size_t i = 0; i < whole->n; i++)
	{
		const double exact = column[i] / c;
		const double rounded = rint(exact);

		out[2 * (i / 2) * HX_PANEL + i % 2] = (int16_t) rounded;
		squares += (exact - rounded) * (exact - rounded);
	}
	whole->lengths[j] = length;
	whole->offsets[j] = (float) ((bias - threshold) / c);
	whole->change = larger(whole->change, sqrt(squares));
	whole->offset = larger(whole->offset, (fabs(bias) + fabs(threshold)) / c);
	return true;
}

HxWhole *
hx_whole_make(const HxModel *model, HxModelPause pause, void *memory)
{
	const HxStep *linear = hx_model_signed_step(model, HX_STEP_LINEAR);
	HxWhole    *whole = memory;

	*whole = shape_of(model, linear);
	memset((char *) memory + sizeof(HxWhole), 0, lay_out(whole, memory) - sizeof(HxWhole));
	for (size_t j = whole->m; j < whole->panels * HX_PANEL; j++)
		whole->offsets[j] = -INFINITY;
	for (size_t i = 0; i < whole->n; i++)
	{
		hx_model_pause(pause);
		for (size_t j = 0; j < whole->m; j++)
			whole->columns[j * whole->n + i] = linear->params[i * whole->m + j];
	}
	for (size_t j = 0; j < whole->m; j++)
	{
		hx_model_pause(pause);
		if (!add_column(whole, j))
			return NULL;
	}
	return whole;
}

/* The sum as matvec makes it. */
static float
frozen_sum(const float *column, const float *x, size_t n, float bias)
{
	float		sum = bias;

	for (size_t i = 0; i < n; i++)
		sum += column[i] * x[i];
	return sum;
}

/* The bit of a column of which whole numbers did not tell it. */
static bool
find_bit(const HxWhole *whole, size_t j, const float *x, double length)
{
	const float *column = whole->columns + j * whole->n;
	const double bias = whole->bias[j];
	const double threshold = whole->thresholds[j];
	const double margin = hx_kernels->dot(column, x, whole->n) + bias - threshold;
	const double limit = whole->order * (whole->lengths[j] * length + fabs(bias) + fabs(threshold));

	if (fabs(margin) > MARGIN * limit)
		return margin > 0;
	return frozen_sum(column, x, whole->n, whole->bias[j]) > whole->thresholds[j];
}

/* How far a whole product with its offset may be from what it stands for. */
static float
limit_of(const HxWhole *whole, double vector_change, double scale)
{
	const double vector = VECTOR_LENGTH * MARGIN;
	const double column = COLUMN_LENGTH + whole->change;
	const double limit = whole->change * vector + column * vector_change +
		whole->order * (column * vector + whole->offset * scale);

	return (float) (MARGIN * limit + 1);
}

/* The bits that the products tell, and which of them are certain; returns how many are not. */
static size_t
compare_products(HxWhole *whole, float scale, float limit, uint8_t *code)
{
	const size_t columns = whole->panels * HX_PANEL;

	for (size_t j = 0; j < columns; j++)
		whole->margins[j] = (float) whole->products[j] + whole->offsets[j] * scale;
	hx_kernels->above(whole->margins, NULL, whole->m, code);
	for (size_t j = 0; j < columns; j++)
		whole->margins[j] = fabsf(whole->margins[j]) - limit;
	hx_kernels->above(whole->margins, NULL, columns, whole->certain);
	return columns - hx_kernels->popcount(whole->certain, columns / 8);
}

/* The bits of a byte of the code that are in doubt. */
static void
settle_byte(const HxWhole *whole, size_t byte, const float *x, double length, uint8_t *code)
{
	for (size_t k = 0; k < 8; k++)
	{
		const unsigned bit = 0x80u >> k;

		if ((whole->certain[byte] & bit) != 0)
			continue;
		code[byte] = (uint8_t) (code[byte] & ~bit);
		if (find_bit(whole, 8 * byte + k, x, length))
			code[byte] |= (uint8_t) bit;
	}
}

bool
hx_whole_find(HxWhole *whole, const float *x, uint8_t *code)
{
	double		length;
	double		change;
	float		scale;
	float		limit;

	if (hx_kernels->matvec_whole == NULL)
		return false;
	if (whole->skip > 0)
	{
		whole->skip--;
		return false;
	}
	length = sqrt(hx_kernels->dot(x, x, whole->n));
	if (!(length >= SHORTEST && length <= LONGEST))
		return false;
	scale = (float) (VECTOR_LENGTH / length);
	change = sqrt(hx_kernels->round_whole(x, whole->n, scale, whole->vector));
	hx_kernels->matvec_whole(whole->rounded, whole->pairs, whole->panels, whole->vector,
							 whole->products);
	limit = limit_of(whole, change, scale);
	if (compare_products(whole, scale, limit, code) > whole->m / MOST_DOUBTS)
	{
		whole->misses += whole->misses < MOST_MISSES;
		whole->skip = (1u << whole->misses) - 1;
		return false;
	}
	whole->misses = 0;

	for (size_t byte = 0; byte < (whole->m + 7) / 8; byte++)
	{
		if (whole->certain[byte] != 0xff)
			settle_byte(whole, byte, x, length, code);
	}
	return true;
}
