/*
 * matrix_body.h
 *	  The inner loops of dense linear algebra in double, each in an order that is
 *	  frozen: one source for all levels.
 *
 * Included by each level file after float_body.h, whose vectors and sums it uses.
 * Products and sums round separately, as there.
 */

/*
 * A tile is done in parts whose sums fit in half of the registers, so that there
 * is room for the factors and products: 8 rows of one register, or 4 of two.
 */
#if HX_DOUBLES == 8
#define HX_PART_ROWS 8
#define HX_PART_REGISTERS 1
#else
#define HX_PART_ROWS 4
#define HX_PART_REGISTERS 2
#endif
#define HX_PART_COLUMNS (HX_PART_REGISTERS * HX_DOUBLES)

HX_INLINE HxDoubles
load_doubles(const double *p)
{
	HxDoubles	x;

	memcpy(&x, p, sizeof(x));
	return x;
}

HX_INLINE void
store_doubles(double *p, HxDoubles x)
{
	memcpy(p, &x, sizeof(x));
}

/* The part of a tile that begins at c; a and b point to its rows and columns in the panels. */
HX_INLINE void
multiply_part(double *c, size_t stride, const double *a, const double *b, size_t depth)
{
	HxDoubles	sum[HX_PART_ROWS][HX_PART_REGISTERS];

	HX_UNROLL(8)
	for (int i = 0; i < HX_PART_ROWS; i++)
		HX_UNROLL(2)
		for (int r = 0; r < HX_PART_REGISTERS; r++)
			sum[i][r] = load_doubles(c + (size_t) i * stride + r * HX_DOUBLES);

	for (size_t k = 0; k < depth; k++, a += HX_TILE, b += HX_TILE)
	{
		HX_UNROLL(8)
		for (int i = 0; i < HX_PART_ROWS; i++)
			HX_UNROLL(2)
			for (int r = 0; r < HX_PART_REGISTERS; r++)
				sum[i][r] += a[i] * load_doubles(b + r * HX_DOUBLES);
	}

	HX_UNROLL(8)
	for (int i = 0; i < HX_PART_ROWS; i++)
		HX_UNROLL(2)
		for (int r = 0; r < HX_PART_REGISTERS; r++)
			store_doubles(c + (size_t) i * stride + r * HX_DOUBLES, sum[i][r]);
}

static void
multiply_tile(double *c, size_t stride, const double *a, const double *b, size_t depth)
{
	for (size_t i = 0; i < HX_TILE; i += HX_PART_ROWS)
		for (size_t j = 0; j < HX_TILE; j += HX_PART_COLUMNS)
			multiply_part(c + i * stride + j, stride, a + i, b + j, depth);
}

/* Columns that rotate_strip turns at a time: four registers, or fewer where that is all. */
#define HX_TURN_REGISTERS (HX_DOUBLES == 8 ? 2 : 4)

HX_INLINE void
rotate_columns(double *strip, const HxTurn *turns, size_t count)
{
	HxDoubles	upper[HX_TURN_REGISTERS];

	HX_UNROLL(4)
	for (int r = 0; r < HX_TURN_REGISTERS; r++)
		upper[r] = load_doubles(strip + r * HX_DOUBLES);

	for (size_t j = 0; j < count; j++, strip += HX_STRIP)
	{
		HX_UNROLL(4)
		for (int r = 0; r < HX_TURN_REGISTERS; r++)
		{
			HxDoubles	lower = load_doubles(strip + HX_STRIP + r * HX_DOUBLES);

			store_doubles(strip + r * HX_DOUBLES, turns[j].c * upper[r] + turns[j].s * lower);
			upper[r] = turns[j].c * lower - turns[j].s * upper[r];
		}
	}

	HX_UNROLL(4)
	for (int r = 0; r < HX_TURN_REGISTERS; r++)
		store_doubles(strip + r * HX_DOUBLES, upper[r]);
}

static void
rotate_strip(double *strip, const HxTurn *turns, size_t count)
{
	for (int column = 0; column < HX_STRIP; column += HX_TURN_REGISTERS * HX_DOUBLES)
		rotate_columns(strip + column, turns, count);
}

/* The order of sums is that of dot(). */
static double
dot_doubles(const double *a, const double *b, size_t n)
{
	Sums		sums = {{{0}}};
	double		rest[HX_SUMS] = {0};

	for (; n >= HX_SUMS; a += HX_SUMS, b += HX_SUMS, n -= HX_SUMS)
	{
		HX_UNROLL(8)
		for (int p = 0; p < HX_PARTS; p++)
			sums.part[p] += load_doubles(a + p * HX_DOUBLES) * load_doubles(b + p * HX_DOUBLES);
	}
	for (size_t i = 0; i < n; i++)
		rest[i] = a[i] * b[i];
	HX_UNROLL(8)
	for (int p = 0; p < HX_PARTS; p++)
		sums.part[p] += load_doubles(rest + p * HX_DOUBLES);
	return sums_total(&sums);
}
