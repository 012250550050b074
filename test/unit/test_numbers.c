/*
 * test_numbers.c
 *	  Kernels that take each number by itself, at every SIMD level: products,
 *	  quotients, differences, the largest, those above their limits.
 */
#include "unit.h"

#include <math.h>

#define MOST 200

/* Numbers of all sizes, some of them 0, at an address that suits no register. */
static float *
numbers(float *memory, size_t n)
{
	float	   *x = memory + 1;

	for (size_t i = 0; i < n; i++)
		x[i] = unit_below(8) == 0 ? 0 : ldexpf((float) unit_uniform(), (int) unit_below(60) - 30);
	return x;
}

static void
products_at(const HxKernels *kernels)
{
	float		memory[2][MOST + 2];
	float		out[MOST + 1];

	for (size_t n = 0; n <= MOST; n++)
	{
		const float *x = numbers(memory[0], n);
		const float *y = numbers(memory[1], n);
		bool		same = true;

		out[n] = 77;
		kernels->multiply(x, 0x1p-140f, n, out);
		for (size_t i = 0; i < n; i++)
			same = same && out[i] == x[i] * 0x1p-140f;
		CHECK(same && out[n] == 77, "%zu products, %s", n, hx_kernel_level_name(kernels->level));

		kernels->scale(x, 0.7, n, out);
		for (size_t i = 0; i < n; i++)
			same = same && out[i] == (float) (x[i] * 0.7);
		CHECK(same && out[n] == 77, "%zu products in double, %s", n, hx_kernel_level_name(kernels->level));

		kernels->subtract(x, y, n, out);
		for (size_t i = 0; i < n; i++)
			same = same && out[i] == x[i] - y[i];
		CHECK(same && out[n] == 77, "%zu differences, %s", n,
			  hx_kernel_level_name(kernels->level));
	}
}

static void
products(void)
{
	unit_each_level(products_at);
}

static void
largest_at(const HxKernels *kernels)
{
	const float others[] = {INFINITY, -INFINITY, NAN, -NAN};
	float		memory[MOST + 1];

	CHECK(kernels->largest(numbers(memory, 1), 0) == 0, "of none");
	for (size_t n = 1; n <= MOST; n++)
	{
		float	   *x = numbers(memory, n);
		float		expected = 0;

		for (size_t i = 0; i < n; i++)
			expected = fmaxf(expected, fabsf(x[i]));
		CHECK(kernels->largest(x, n) == expected, "%zu, %s", n,
			  hx_kernel_level_name(kernels->level));
		for (size_t k = 0; k < 4; k++)
		{
			const size_t place = unit_below((unsigned) n);
			const float kept = x[place];

			x[place] = others[k];
			CHECK(!isfinite(kernels->largest(x, n)), "%zu with %g, %s", n, (double) others[k],
				  hx_kernel_level_name(kernels->level));
			x[place] = kept;
		}
	}
}

static void
largest(void)
{
	unit_each_level(largest_at);
}

static bool
bits_are_right(const uint8_t *code, const float *x, const float *limits, size_t n)
{
	for (size_t i = 0; i < (n + 7) / 8 * 8; i++)
	{
		const bool	bit = code[i / 8] >> (7 - i % 8) & 1;

		if (bit != (i < n && x[i] > (limits == NULL ? 0 : limits[i])))
			return false;
	}
	return true;
}

static void
above_at(const HxKernels *kernels)
{
	float		memory[2][MOST + 1];
	uint8_t		code[MOST / 8 + 2];

	for (size_t n = 0; n <= MOST; n++)
	{
		float	   *x = numbers(memory[0], n);
		const float *limits = numbers(memory[1], n);

		/* A third is at its limit, which is not above. */
		for (size_t i = 0; i < n; i += 3)
			x[i] = limits[i];
		memset(code, 0xa5, sizeof(code));
		kernels->above(x, limits, n, code);
		CHECK(bits_are_right(code, x, limits, n) && code[(n + 7) / 8] == 0xa5, "%zu, %s", n,
			  hx_kernel_level_name(kernels->level));
		kernels->above(x, NULL, n, code);
		CHECK(bits_are_right(code, x, NULL, n) && code[(n + 7) / 8] == 0xa5, "%zu above 0, %s",
			  n, hx_kernel_level_name(kernels->level));
	}
}

static void
above(void)
{
	unit_each_level(above_at);
}

int
main(void)
{
	RUN(products);
	RUN(largest);
	RUN(above);
	return unit_summary();
}
