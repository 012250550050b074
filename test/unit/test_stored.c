/*
 * test_stored.c
 *	  Vectors in the forms that a graph keeps: sizes, round trips, true bounds of the
 *	  error, and distances against computations in double.
 */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "quant/scalar.h"
#include "quant/stored.h"

#define MAX_DIMS 2000

static const HxStoredFormat formats[] = {HX_STORED_F32, HX_STORED_F16, HX_STORED_INT8};

#define FORMATS 3

/* Bell-shaped, tiny, huge, one spike, equal numbers, whole numbers, zeros, all magnitudes. */
#define KINDS 8

static void
fill(int kind, float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		const double normal = unit_normal();

		switch (kind)
		{
			case 0:
				x[i] = (float) normal;
				break;
			case 1:
				x[i] = (float) (normal * 1e-41);
				break;
			case 2:
				x[i] = (float) (normal * 1e37);
				break;
			case 3:
				x[i] = (float) (i == n / 2 ? 1000 : normal * 0.01);
				break;
			case 4:
				x[i] = 0.3f;
				break;
			case 5:
				x[i] = (float) (int) (unit_below(4097)) - 2048;
				break;
			case 6:
				x[i] = 0;
				break;
			default:
				x[i] = (float) ldexp(normal, (int) unit_below(40) - 20);
				break;
		}
	}
}

static double
exact_error(const float *x, const float *y, size_t n)
{
	long double	sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ((long double) x[i] - y[i]) * ((long double) x[i] - y[i]);
	return (double) sqrtl(sum);
}

static void
sizes(void)
{
	CHECK(hx_stored_bytes(HX_STORED_F32, 100) == 400, "f32");
	CHECK(hx_stored_bytes(HX_STORED_F16, 100) == 204, "f16");
	CHECK(hx_stored_bytes(HX_STORED_INT8, 100) == 108, "int8");
}

/* A bound of the error is an upper bound, and no wild one; encoding again changes nothing. */
static void
check_format(HxStoredFormat format, int kind, size_t n)
{
	const size_t bytes = hx_stored_bytes(format, n);
	float		x[MAX_DIMS];
	float		y[MAX_DIMS];
	float		z[MAX_DIMS];
	uint8_t    *first = unit_alloc(bytes + 1);
	uint8_t    *second = unit_alloc(bytes + 1);
	float		bound;
	double		error;

	fill(kind, x, n);
	first[bytes] = 0xee;
	bound = hx_stored_encode(format, x, n, first);
	CHECK(first[bytes] == 0xee, "format %d: written beyond the end", format);
	hx_stored_decode(format, first, n, y);
	error = exact_error(x, y, n);
	CHECK((double) bound >= error && (double) bound <= error * 1.000001 + 0x1p-149,
		  "format %d, kind %d, %zu: bound %g, error %g", format, kind, n, (double) bound, error);

	bound = hx_stored_encode(format, y, n, second);
	hx_stored_decode(format, second, n, z);
	CHECK(bound == 0 && memcmp(y, z, n * sizeof(float)) == 0,
		  "format %d, kind %d, %zu: what was decoded changed by %g", format, kind, n,
		  (double) bound);
	free(first);
	free(second);
}

static void
errors_are_bounded(void)
{
	for (int f = 0; f < FORMATS; f++)
		for (int kind = 0; kind < KINDS; kind++)
			for (size_t n = 1; n <= MAX_DIMS; n += n < 40 ? 1 : 163)
				check_format(formats[f], kind, n);
}

/* f32 always, f16 for whole numbers up to 2,048, int8 for up to 256 evenly spaced ones. */
static void
exact_ones(void)
{
	float		x[256];
	uint8_t		out[2000];

	fill(7, x, 256);
	CHECK(hx_stored_encode(HX_STORED_F32, x, 256, out) == 0, "f32");
	for (int largest = 1; largest <= 2048; largest++)
	{
		for (int i = 0; i < 256; i++)
			x[i] = (float) unit_below((unsigned) largest + 1);
		x[9] = (float) -largest;
		CHECK(hx_stored_encode(HX_STORED_F16, x, 256, out) == 0, "f16, up to %d", largest);
	}
	for (int i = 0; i < 256; i++)
		x[i] = (float) i;
	CHECK(hx_stored_encode(HX_STORED_INT8, x, 256, out) == 0, "int8");
}

/* Halves keep eleven bits of the largest numbers, and the least float is not lost. */
static void
halves_keep_scale(void)
{
	const float extremes[] = {FLT_MAX, FLT_MIN, 0x1p-149f, 0x1.ffep127f, 3e38f, 1e-44f};
	uint8_t		out[16];

	for (size_t i = 0; i < sizeof(extremes) / sizeof(extremes[0]); i++)
	{
		float		y[2];
		const float x[2] = {extremes[i], -extremes[i]};

		(void) hx_stored_encode(HX_STORED_F16, x, 2, out);
		hx_stored_decode(HX_STORED_F16, out, 2, y);
		CHECK(fabs((double) y[0] / (double) x[0] - 1) <= 0x1p-10 && y[1] == -y[0],
			  "%g became %g", (double) x[0], (double) y[0]);
	}
}

/* Distances are those to the decoded vector, within the error that the header states. */
static void
check_distances(HxStoredFormat format, size_t n, size_t misalign)
{
	float		q[MAX_DIMS];
	float		x[MAX_DIMS];
	float		y[MAX_DIMS];
	uint8_t    *memory = unit_alloc(hx_stored_bytes(format, n) + 8);
	uint8_t    *stored = memory + misalign;
	double		l2 = 0;
	double		dot = 0;
	double		terms = 0;
	double		got;

	fill(0, q, n);
	fill(0, x, n);
	(void) hx_stored_encode(format, x, n, stored);
	hx_stored_decode(format, stored, n, y);
	for (size_t i = 0; i < n; i++)
	{
		l2 += ((double) q[i] - (double) y[i]) * ((double) q[i] - (double) y[i]);
		dot += (double) q[i] * (double) y[i];
		terms += fabs((double) q[i] * (double) y[i]);
	}
	got = hx_stored_l2_squared(format, q, stored, n);
	CHECK(fabs(got - l2) <= 1e-5 * l2 + 1e-9, "format %d, %zu: %.9g, not %.9g", format, n, got, l2);
	got = hx_stored_dot(format, q, hx_stored_sum(q, n), stored, n);
	CHECK(fabs(got - dot) <= 1e-5 * (terms + 1), "format %d, %zu: %.9g, not %.9g", format, n, got,
		  dot);
	free(memory);
}

static void
distances_at(const HxKernels *kernels)
{
	hx_kernel_use(kernels->level);
	for (int f = 0; f < FORMATS; f++)
		for (size_t n = 1; n <= MAX_DIMS; n += n < 70 ? 1 : 131)
			check_distances(formats[f], n, unit_below(4));
	hx_kernel_use(HX_SIMD_AUTO);
}

static void
distances(void)
{
	unit_each_level(distances_at);
}

/* What is as near as nothing to the query has a distance near 0, however long the vectors. */
static void
near_ones(void)
{
	for (int f = 0; f < FORMATS; f++)
	{
		float		x[768];
		float		y[768];
		uint8_t		stored[4 * 768];

		fill(0, x, 768);
		for (int i = 0; i < 768; i++)
			x[i] += 20;
		(void) hx_stored_encode(formats[f], x, 768, stored);
		hx_stored_decode(formats[f], stored, 768, y);
		CHECK(hx_stored_l2_squared(formats[f], y, stored, 768) < 1e-7, "format %d: %g", f,
			  hx_stored_l2_squared(formats[f], y, stored, 768));
	}
}

int
main(void)
{
	hx_kernel_init();
	RUN(sizes);
	RUN(errors_are_bounded);
	RUN(exact_ones);
	RUN(halves_keep_scale);
	RUN(distances);
	RUN(near_ones);
	return unit_summary();
}
