/*
 * fit_codes.c
 *	  Codes for new rows by discrete cyclic coordinate descent.
 *
 * For a pair of rows, S is the agreement that their codes of +1 and -1 should have, as a
 * share of the m bits. Wanted are codes b of the new rows, beside given ones of the old
 * rows, that make the sum of squares of
 *
 *		E[i][j] = m S[i][j] - <b[i], b[j]>		i new, j old or new, j != i
 *
 * small. Turning bit r of row i over adds 2 b[i][r] b[j][r] to E[i][j], and so
 * 4 (b[i][r] * pull + others) to the sum, where pull is the sum over j of E[i][j] b[j][r]
 * and others the number of j. All E are kept, so that a turn is decided at the cost
 * of a product of matrix and vector a bit, and the sum falls with every turn.
 */
#include "hash/fit_codes.h"

#include <string.h>

#include "hash/phase.h"
#include "kernel/kernel.h"
#include "kernel/target.h"
#include "math/matrix.h"

/* E is kept in blocks of so many new rows, in each the numbers of one j side by side. */
#define BLOCK 64

/* Old rows of which all pairs tell what a cosine lets expect. */
#define LINE_ROWS 500

typedef struct Search
{
	const HxCodeFit *fit;
	size_t		count;			/* rows, old and new */
	float	   *deviations;		/* E */
	float	   *signs;			/* bits x count: the codes as 1 and -1 */
	const float *turned;		/* the signs of the bit that is looked at */
	float	   *pull;			/* on that bit, of each new row */
} Search;

static float *
deviation(const Search *search, size_t new_row, size_t row)
{
	return &search->deviations[(new_row / BLOCK * search->count + row) * BLOCK + new_row % BLOCK];
}

static const uint8_t *
code_of(const HxCodeFit *fit, size_t row)
{
	return fit->codes + row * ((fit->bits + 7) / 8);
}

/* The agreement of two codes, -1 to 1. */
static double
agreement(const HxCodeFit *fit, size_t a, size_t b)
{
	const size_t bytes = (fit->bits + 7) / 8;
	const uint64_t differ = hx_kernels->hamming(code_of(fit, a), code_of(fit, b), bytes);

	return 1 - 2 * (double) differ / fit->bits;
}

/* The rows less their mean, each of length 1 (or 0). */
static float *
make_directions(HxCompute *compute, const HxCodeFit *fit)
{
	const size_t count = fit->old_count + fit->new_count;
	const size_t d = fit->dims;
	float	   *directions = hx_scratch(compute, count * d, sizeof(float));
	double	   *mean = hx_scratch(compute, d, sizeof(double));

	hx_mean(compute, fit->rows, count, d, mean);
	hx_unit_rows(compute, fit->rows, count, d, mean, directions);
	return directions;
}

/*
 * Cosines of all of `count` directions to `columns` others: out (count x columns). Those are
 * written out as doubles, of which there would be too many for all directions.
 */
static void
find_cosines(HxCompute *compute, const float *directions, size_t count, size_t d,
			 const float *others, size_t columns, double *out)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	double	   *transposed = hx_scratch(compute, d * columns, sizeof(double));

	for (size_t j = 0; j < columns; j++)
	{
		for (size_t i = 0; i < d; i++)
			transposed[i * columns + j] = others[j * d + i];
	}
	hx_project(compute, directions, count, d, NULL, transposed, columns, out);
	hx_scratch_release(compute, mark);
}

/* What agreement a cosine lets expect. */
typedef struct Line
{
	double		start;
	double		slope;
} Line;

static Line
find_line(HxCompute *compute, const HxCodeFit *fit, const float *directions)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t count = fit->old_count < LINE_ROWS ? fit->old_count : LINE_ROWS;
	const double pairs = (double) count * (double) (count - 1) / 2;
	double	   *cosines = hx_scratch(compute, count * count, sizeof(double));
	double		x_sum = 0;
	double		y_sum = 0;
	double		xx_sum = 0;
	double		xy_sum = 0;
	double		spread;
	Line		line;

	find_cosines(compute, directions, count, fit->dims, directions, count, cosines);
	for (size_t i = 0; i < count; i++)
	{
		for (size_t j = 0; j < i; j++)
		{
			const double x = cosines[i * count + j];
			const double y = agreement(fit, i, j);

			x_sum += x;
			y_sum += y;
			xx_sum += x * x;
			xy_sum += x * y;
		}
		hx_compute_check(compute);
	}
	spread = xx_sum - x_sum * x_sum / pairs;
	line.slope = spread > 0 ? (xy_sum - x_sum * y_sum / pairs) / spread : 0;
	line.start = (y_sum - line.slope * x_sum) / pairs;
	hx_scratch_release(compute, mark);
	return line;
}

static void
fill_deviations(HxCompute *compute, Search *search)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	const HxCodeFit *fit = search->fit;
	const double m = fit->bits;
	const float *directions = make_directions(compute, fit);
	const Line	line = find_line(compute, fit, directions);
	double	   *cosines = hx_scratch(compute, BLOCK * search->count, sizeof(double));

	for (size_t begin = 0; begin < fit->new_count; begin += BLOCK)
	{
		const size_t rows = fit->new_count - begin < BLOCK ? fit->new_count - begin : BLOCK;

		memset(deviation(search, begin, 0), 0, BLOCK * search->count * sizeof(float));
		find_cosines(compute, directions, search->count, fit->dims,
					 directions + (fit->old_count + begin) * fit->dims, rows, cosines);
		for (size_t i = 0; i < rows; i++)
		{
			const size_t self = fit->old_count + begin + i;

			for (size_t row = 0; row < search->count; row++)
			{
				const double wanted = line.start + line.slope * cosines[row * rows + i];

				if (row != self)
					*deviation(search, begin + i, row) =
						(float) (m * (wanted - agreement(fit, self, row)));
			}
		}
	}
	hx_scratch_release(compute, mark);
}

static void
fill_signs(Search *search)
{
	for (size_t row = 0; row < search->count; row++)
	{
		const uint8_t *code = code_of(search->fit, row);

		for (size_t bit = 0; bit < search->fit->bits; bit++)
			search->signs[bit * search->count + row] = code[bit / 8] >> (7 - bit % 8) & 1 ? 1 : -1;
	}
}

static void
compute_pull(void *context, size_t begin, size_t end)
{
	const Search *search = context;

	for (size_t block = begin; block < end; block++)
		hx_kernels->matvec(deviation(search, block * BLOCK, 0), search->count, BLOCK,
						   search->turned, NULL, search->pull + block * BLOCK);
}

/* Turns the bit of one new row over, and what hangs on it. */
static void
turn(const Search *search, size_t new_row, float *signs)
{
	const size_t old_count = search->fit->old_count;
	const size_t self = old_count + new_row;
	const float sign = signs[self];

	for (size_t row = 0; row < search->count; row++)
	{
		if (row != self)
			*deviation(search, new_row, row) += 2 * sign * signs[row];
	}
	for (size_t other = 0; other < search->fit->new_count; other++)
	{
		const float changed = *deviation(search, new_row, old_count + other);

		if (other == new_row)
			continue;
		*deviation(search, other, self) = changed;
		search->pull[other] -= 2 * (sign * changed - signs[old_count + other]);
	}
	signs[self] = -sign;
}

/* Looks at one bit of all new rows; returns how many turned. */
static size_t
improve_bit(HxCompute *compute, Search *search, size_t bit)
{
	const HxCodeFit *fit = search->fit;
	const size_t blocks = (fit->new_count + BLOCK - 1) / BLOCK;
	const float others = (float) (search->count - 1);
	float	   *signs = search->signs + bit * search->count;
	size_t		turns = 0;

	search->turned = signs;
	hx_compute_run(compute, compute_pull, search, blocks, search->count * BLOCK);
	for (size_t i = 0; i < fit->new_count; i++)
	{
		if (signs[fit->old_count + i] * search->pull[i] < -others)
		{
			uint8_t    *code = fit->codes + (fit->old_count + i) * ((fit->bits + 7) / 8);

			turn(search, i, signs);
			code[bit / 8] ^= (uint8_t) (0x80 >> bit % 8);
			turns++;
			hx_compute_check(compute);
		}
	}
	return turns;
}

/* The mean square of E, as a share of the bits. */
static double
mean_square(HxCompute *compute, const Search *search)
{
	const HxCodeFit *fit = search->fit;
	double		sum = 0;

	for (size_t i = 0; i < fit->new_count; i++)
	{
		for (size_t row = 0; row < search->count; row++)
		{
			const double share = (double) *deviation(search, i, row) / fit->bits;

			sum += share * share;
		}
		hx_compute_check(compute);
	}
	return sum / ((double) fit->new_count * (double) (search->count - 1));
}

double
hx_fit_codes(HxCompute *compute, const HxCodeFit *fit, int sweeps)
{
	const HxScratchMark mark = hx_scratch_mark(compute);
	const size_t padded = (fit->new_count + BLOCK - 1) / BLOCK * BLOCK;
	Search		search = {.fit = fit, .count = fit->old_count + fit->new_count};
	double		result;

	search.deviations = hx_scratch(compute, padded * search.count, sizeof(float));
	search.signs = hx_scratch(compute, fit->bits * search.count, sizeof(float));
	search.pull = hx_scratch(compute, padded, sizeof(float));
	fill_deviations(compute, &search);
	fill_signs(&search);

	for (int sweep = 0; sweep < sweeps; sweep++)
	{
		size_t		turns = 0;

		hx_compute_report(compute, HX_PHASE_NEW_CODES, (size_t) sweep, (size_t) sweeps);
		for (size_t bit = 0; bit < fit->bits; bit++)
			turns += improve_bit(compute, &search, bit);
		if (turns == 0)
			break;
	}
	result = mean_square(compute, &search);
	hx_scratch_release(compute, mark);
	return result;
}
