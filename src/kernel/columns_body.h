/*
 * columns_body.h
 *	  A vector against all columns of a matrix, in an order that is frozen: one
 *	  source for all levels.
 *
 * Included by each level file after float_body.h. The columns lie side by side in
 * the lanes of registers, and each is summed up on its own, row after row. So the
 * width of a register does not matter: all levels round alike by construction.
 */

/* Registers that hold sums while the rows go by; some others must be left for the rows. */
#if HX_FLOATS == 16
#define HX_COLUMN_REGISTERS 16
#else
#define HX_COLUMN_REGISTERS 8
#endif

typedef enum ColumnOp
{
	COLUMN_PRODUCTS,			/* sums of x * w */
	COLUMN_DISTANCES,			/* sums of (w - x)^2 */
} ColumnOp;

HX_INLINE const float *
start_at(const float *start, size_t j)
{
	return start != NULL ? start + j : NULL;
}

/* Some registers full of columns; rows are m apart, sums begin at `start` (NULL: at 0). */
HX_INLINE void
sum_columns(ColumnOp op, int registers, const float *w, size_t n, size_t m, const float *x,
			const float *start, float *out)
{
	HxFloats	sum[HX_COLUMN_REGISTERS];

	HX_UNROLL(16)
	for (int r = 0; r < registers; r++)
		sum[r] = start != NULL ? load_floats(start + r * HX_FLOATS) : (HxFloats) {0};

	for (size_t i = 0; i < n; i++, w += m)
	{
		HX_UNROLL(16)
		for (int r = 0; r < registers; r++)
		{
			HxFloats	row = load_floats(w + r * HX_FLOATS);

			if (op == COLUMN_PRODUCTS)
				sum[r] += row * x[i];
			else
			{
				row -= x[i];
				sum[r] += row * row;
			}
		}
	}

	HX_UNROLL(16)
	for (int r = 0; r < registers; r++)
		store_floats(out + r * HX_FLOATS, sum[r]);
}

/* The same in plain C, for a matrix narrower than a register. */
HX_INLINE void
sum_few_columns(ColumnOp op, const float *w, size_t n, size_t m, const float *x,
				const float *start, float *out)
{
	for (size_t j = 0; j < m; j++)
		out[j] = start != NULL ? start[j] : 0;
	for (size_t i = 0; i < n; i++, w += m)
	{
		for (size_t j = 0; j < m; j++)
		{
			float		difference = w[j] - x[i];

			out[j] += op == COLUMN_PRODUCTS ? w[j] * x[i] : difference * difference;
		}
	}
}

/* So many registers full of columns at a time, from column j on; returns the first one left. */
HX_INLINE size_t
sum_strips(ColumnOp op, int registers, const float *w, size_t n, size_t m, const float *x,
		   const float *start, float *out, size_t j)
{
	const size_t width = (size_t) registers * HX_FLOATS;

	for (; m - j >= width; j += width)
		sum_columns(op, registers, w + j, n, m, x, start_at(start, j), out + j);
	return j;
}

/*
 * As many columns at a time as there are registers for: one register by itself would wait for
 * each of its additions. The last columns reach back over some done before, which come out
 * the same again.
 */
HX_INLINE void
sum_all_columns(ColumnOp op, const float *w, size_t n, size_t m, const float *x,
				const float *start, float *out)
{
	size_t		j = 0;

	if (m < HX_FLOATS)
	{
		sum_few_columns(op, w, n, m, x, start, out);
		return;
	}

	j = sum_strips(op, HX_COLUMN_REGISTERS, w, n, m, x, start, out, j);
	j = sum_strips(op, HX_COLUMN_REGISTERS / 2, w, n, m, x, start, out, j);
	j = sum_strips(op, 4, w, n, m, x, start, out, j);
	j = sum_strips(op, 3, w, n, m, x, start, out, j);
	j = sum_strips(op, 2, w, n, m, x, start, out, j);
	j = sum_strips(op, 1, w, n, m, x, start, out, j);
	if (j < m)
		sum_strips(op, 1, w, n, m, x, start, out, m - HX_FLOATS);
}

static void
matvec(const float *w, size_t n, size_t m, const float *x, const float *bias, float *out)
{
	sum_all_columns(COLUMN_PRODUCTS, w, n, m, x, bias, out);
}

static void
column_distances(const float *w, size_t n, size_t m, const float *x, float *out)
{
	sum_all_columns(COLUMN_DISTANCES, w, n, m, x, NULL, out);
}
