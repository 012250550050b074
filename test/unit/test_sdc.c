/*
 * test_sdc.c
 *	  Symmetric distance of recurrent codes, against the sum of products of values.
 */
#include "unit.h"

#include <math.h>

#include "hash/sdc.h"

static unsigned
bit_at(const uint8_t *code, unsigned j)
{
	return code[j / 8] >> (7 - j % 8) & 1;
}

/* Number j of the m that a code stands for. */
static double
value_of(const uint8_t *code, unsigned m, unsigned planes, unsigned j)
{
	double		value = 0;

	for (unsigned i = 0; i < planes; i++)
		value += (bit_at(code, i * m + j) ? 1 : -1) * ldexp(1, -(int) i);
	return value;
}

static double
naive_product(const uint8_t *a, const uint8_t *b, unsigned bits, unsigned planes)
{
	unsigned	m = bits / planes;
	double		sum = 0;

	for (unsigned j = 0; j < m; j++)
		sum += value_of(a, m, planes, j) * value_of(b, m, planes, j);
	return sum;
}

static double
naive_cosine(const uint8_t *a, const uint8_t *b, unsigned bits, unsigned planes)
{
	return naive_product(a, b, bits, planes) /
		sqrt(naive_product(a, a, bits, planes) * naive_product(b, b, bits, planes));
}

/* A code in memory as large as needed; the bits past its end are 0, as in every code. */
static uint8_t *
random_code(unsigned bits)
{
	uint8_t    *code = unit_alloc((bits + 7) / 8);

	unit_fill(code, (bits + 7) / 8);
	if (bits % 8 != 0)
		code[bits / 8] &= (uint8_t) (0xff00 >> bits % 8);
	return code;
}

static void
check_pair(unsigned m, unsigned planes)
{
	unsigned	bits = m * planes;
	uint8_t    *a = random_code(bits);
	uint8_t    *b = random_code(bits);
	double		cosine = naive_cosine(a, b, bits, planes);

	CHECK(fabs(hx_sdc_cosine(a, b, bits, planes) - cosine) < 1e-14, "%u x %u: %.17g, not %.17g",
		  planes, m, hx_sdc_cosine(a, b, bits, planes), cosine);
	CHECK(hx_sdc_cosine(b, a, bits, planes) == hx_sdc_cosine(a, b, bits, planes),
		  "%u x %u: the other way round", planes, m);
	CHECK(hx_sdc_cosine(a, a, bits, planes) == 1, "%u x %u: itself", planes, m);
	free(a);
	free(b);
}

/* Every position of a plane within a byte, and every number of planes. */
static void
against_sum_at(const HxKernels *kernels)
{
	hx_kernel_use(kernels->level);
	for (unsigned planes = 1; planes <= HX_SDC_MAX_PLANES; planes++)
	{
		for (unsigned m = 1; m <= 40; m++)
			check_pair(m, planes);
		check_pair(127, planes);
		check_pair(256, planes);
	}
	hx_kernel_init();
}

static void
against_sum(void)
{
	unit_each_level(against_sum_at);
}

static void
largest(void)
{
	check_pair(HX_SDC_MAX_BITS, 1);
	check_pair(HX_SDC_MAX_BITS / 3, 3);
	check_pair(HX_SDC_MAX_BITS / 16, 16);
	check_pair(HX_SDC_MAX_BITS / 16 - 1, 16);
}

/* One plane: the cosine is what the Hamming distance says. Opposite codes: -1. */
static void
one_plane(void)
{
	uint8_t		a[5] = {0xf0, 0x0f, 0xff, 0x00, 0x12};
	uint8_t		b[5] = {0xff, 0x0f, 0xff, 0x00, 0x12};
	uint8_t		c[5];

	for (int i = 0; i < 5; i++)
		c[i] = (uint8_t) ~a[i];
	CHECK(hx_sdc_cosine(a, b, 40, 1) == 1 - 2 * 4 / 40.0, "%g", hx_sdc_cosine(a, b, 40, 1));
	CHECK(hx_sdc_cosine(a, c, 40, 1) == -1 && hx_sdc_cosine(a, c, 40, 4) == -1, "opposite");
}

int
main(void)
{
	hx_kernel_init();
	RUN(against_sum);
	RUN(largest);
	RUN(one_plane);
	return unit_summary();
}
