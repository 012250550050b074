/*
 * test_matrix_kernel.c
 *	  The inner loops of linear algebra at every SIMD level, bit for bit against
 *	  plain computations.
 */
#include "numeric.h"

static bool
same_doubles(const double *a, const double *b, size_t count)
{
	return memcmp(a, b, count * sizeof(double)) == 0;
}

/* Numbers of several magnitudes, so that sums are rounded. */
static void
fill_wild(double *x, size_t count)
{
	for (size_t i = 0; i < count; i++)
		x[i] = ldexp(unit_uniform(), (int) unit_below(24) - 12);
}

static void
tiles_at(const HxKernels *kernels)
{
	enum
	{
		STRIDE = 11,
		DEPTH = 40
	};
	double		c[HX_TILE * STRIDE];
	double		expected[HX_TILE * STRIDE];
	double		a[DEPTH * HX_TILE];
	double		b[DEPTH * HX_TILE];

	for (size_t depth = 0; depth <= DEPTH; depth++)
	{
		fill_wild(c, HX_TILE * STRIDE);
		fill_wild(a, DEPTH * HX_TILE);
		fill_wild(b, DEPTH * HX_TILE);
		memcpy(expected, c, sizeof(c));
		for (size_t i = 0; i < HX_TILE; i++)
			for (size_t j = 0; j < HX_TILE; j++)
				for (size_t k = 0; k < depth; k++)
					expected[i * STRIDE + j] += a[k * HX_TILE + i] * b[k * HX_TILE + j];

		/* What lies between the rows of the tile stays as it was. */
		kernels->multiply_tile(c, STRIDE, a, b, depth);
		CHECK(same_doubles(c, expected, (HX_TILE - 1) * STRIDE + HX_TILE), "%s, depth %zu",
			  hx_kernel_level_name(kernels->level), depth);
	}
}

static void
tiles(void)
{
	unit_each_level(tiles_at);
}

static void
strips_at(const HxKernels *kernels)
{
	enum
	{
		ROWS = 30
	};
	double		strip[ROWS * HX_STRIP];
	double		expected[ROWS * HX_STRIP];
	HxTurn		turns[ROWS];

	for (size_t count = 0; count < ROWS; count++)
	{
		fill_wild(strip, ROWS * HX_STRIP);
		memcpy(expected, strip, sizeof(strip));
		for (size_t i = 0; i < count; i++)
			turns[i] = (HxTurn) {unit_uniform(), unit_uniform()};
		for (size_t i = 0; i < count; i++)
			for (size_t j = i * HX_STRIP; j < (i + 1) * HX_STRIP; j++)
			{
				double		x = expected[j];
				double		y = expected[j + HX_STRIP];

				expected[j] = turns[i].c * x + turns[i].s * y;
				expected[j + HX_STRIP] = turns[i].c * y - turns[i].s * x;
			}
		kernels->rotate_strip(strip, turns, count);
		CHECK(same_doubles(strip, expected, ROWS * HX_STRIP), "%s, %zu turns",
			  hx_kernel_level_name(kernels->level), count);
	}
}

static void
strips(void)
{
	unit_each_level(strips_at);
}

static void
dots_at(const HxKernels *kernels)
{
	double		a[200];
	double		b[200];

	for (size_t n = 0; n <= 200; n++)
	{
		double		lane[16] = {0};
		double		got;

		fill_wild(a, 200);
		fill_wild(b, 200);
		for (size_t i = 0; i < n; i++)
			lane[i % 16] += a[i] * b[i];
		for (int half = 8; half >= 1; half /= 2)
			for (int j = 0; j < half; j++)
				lane[j] += lane[j + half];
		got = kernels->dot_doubles(a, b, n);
		CHECK(same_doubles(&got, &lane[0], 1), "%s, %zu doubles: %g, not %g",
			  hx_kernel_level_name(kernels->level), n, got, lane[0]);
	}
}

static void
dots(void)
{
	unit_each_level(dots_at);
}

int
main(void)
{
	RUN(tiles);
	RUN(strips);
	RUN(dots);
	return unit_summary();
}
